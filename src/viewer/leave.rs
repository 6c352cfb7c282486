//! Tells the viewer to end, so that a signal does not cut off a recording.

use crate::latest::Doorbell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The request to end. Clones share it.
#[derive(Debug, Clone)]
pub struct Leave {
    is_asked: Arc<AtomicBool>,
    doorbell: Arc<Doorbell>,
}

impl Leave {
    /// No request yet. When there is one, `doorbell` rings.
    pub fn new(doorbell: Arc<Doorbell>) -> Self {
        Self { is_asked: Arc::default(), doorbell }
    }

    /// Asks the viewer to end.
    pub fn ask(&self) {
        self.is_asked.store(true, Ordering::SeqCst);
        self.doorbell.ring();
    }

    /// Whether the viewer was asked to end.
    pub fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::SeqCst)
    }
}

#[cfg(unix)]
pub use signals::Signals;

#[cfg(unix)]
mod signals {
    use super::Leave;
    use crate::signals::{self, told};
    use nix::sys::signal::{SigSet, Signal, raise};
    use std::io;
    use std::thread;

    /// The signals that ask a program to end, blocked until a thread waits for them.
    #[derive(Debug)]
    pub struct Signals(SigSet);

    impl Signals {
        /// Blocks SIGINT, SIGTERM and SIGHUP, except those that were already ignored, as under `nohup`. Blocks SIGXFSZ too,
        /// so that a file that gets too long is a write error.
        ///
        /// Call this before any thread is started.
        ///
        /// # Errors
        /// When the system refuses.
        pub fn hold() -> io::Result<Self> {
            let ending = signals::that_end();
            let mut held = ending;
            held.add(Signal::SIGXFSZ);
            held.thread_block()?;
            Ok(Self(ending))
        }

        /// The first signal asks the viewer to end. The second one ends it at once.
        ///
        /// # Errors
        /// When no thread can be started.
        pub fn ask(self, leave: Leave) -> io::Result<()> {
            let Self(signals) = self;
            if signals.iter().next().is_none() {
                return Ok(());
            }
            thread::Builder::new().name("signals".into()).spawn(move || {
                let Ok(signal) = signals.wait() else { return };
                let by = told(signal);
                log::info!("{by}: the viewer is ending; a second {by} ends it at once");
                leave.ask();
                if let Ok(signal) = signals.wait()
                    && signals.thread_unblock().is_ok()
                {
                    // The signal's default action. It also tells the parent process what ended the viewer.
                    let _ = raise(signal);
                }
            })?;
            Ok(())
        }
    }
}
