//! When the viewer is to end: signals ask it to, so that what is recorded is finished first.

use crate::latest::Doorbell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the viewer is to end. Clones share it.
#[derive(Debug, Clone)]
pub struct Leave {
    is_asked: Arc<AtomicBool>,
    doorbell: Arc<Doorbell>,
}

impl Leave {
    /// Not asked for yet; when it is, `doorbell` rings.
    pub fn new(doorbell: Arc<Doorbell>) -> Self {
        Self { is_asked: Arc::default(), doorbell }
    }

    /// Asks the viewer to end.
    pub fn ask(&self) {
        self.is_asked.store(true, Ordering::SeqCst);
        self.doorbell.ring();
    }

    /// Whether that was asked for.
    pub fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::SeqCst)
    }
}

#[cfg(unix)]
pub use signals::Signals;

#[cfg(unix)]
mod signals {
    use super::Leave;
    use crate::signals;
    use nix::sys::signal::{SigSet, Signal, raise};
    use std::io;
    use std::thread;

    /// The signals that ask a program to end, held back until somebody hears of them.
    #[derive(Debug)]
    pub struct Signals(SigSet);

    impl Signals {
        /// Holds back Ctrl+C, a service's stop, and the closed terminal's signal; not those that whoever started the viewer
        /// had it ignore, as `nohup` does. A file that has become too long is an error of writing from here on, no signal.
        ///
        /// To be called before any thread is started.
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

        /// The first of them asks the viewer to end; the second ends it at once.
        ///
        /// # Errors
        /// When there can be no further thread.
        pub fn ask(self, leave: Leave) -> io::Result<()> {
            let Self(signals) = self;
            if signals.iter().next().is_none() {
                return Ok(());
            }
            thread::Builder::new().name("signals".into()).spawn(move || {
                let Ok(signal) = signals.wait() else { return };
                log::info!("{signal}: finishing; a second one ends the viewer at once");
                leave.ask();
                if let Ok(signal) = signals.wait()
                    && signals.thread_unblock().is_ok()
                {
                    // What it does by itself, and what whoever started the viewer is told.
                    let _ = raise(signal);
                }
            })?;
            Ok(())
        }
    }
}
