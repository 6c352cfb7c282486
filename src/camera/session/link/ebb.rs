//! Finds out from the kernel whether the last frame has left, for viewers that do not acknowledge
//! frames.
//!
//! The next frame begins when nothing of the last one is unsent and no more than about one frame is
//! unacknowledged. Waiting for all acknowledgements would cost a round trip for each frame on
//! Wi-Fi. What is in the receiver's buffer can be neither seen nor limited from here.

use super::kernel::{Happened, Kernel};
use crate::camera::session::machine::Ebbed;
use crate::image::frame::Micros;
use std::io;
use std::time::Duration;

/// How often the kernel is asked whether a slow viewer has taken something.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How many bytes may be unacknowledged besides the last frame: heads, and the kernel's overhead.
const SLACK: usize = 8 << 10;

/// Whether the machine waits for the last frame to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ebb {
    /// It does not wait.
    #[default]
    NotAwaited,
    /// It waits until the socket becomes writable. This many bytes were unacknowledged when the
    /// kernel was last asked.
    Awaited { unacknowledged: usize },
    /// The socket has become writable.
    Late,
}

impl Ebb {
    pub(super) fn is_awaited(self) -> bool {
        self != Self::NotAwaited
    }

    /// Asks whether the last frame, of `last` bytes, has left. If not, sets the marks of the socket
    /// so that it becomes writable when it has. That takes five more system calls, but only for
    /// viewers that are slow already.
    pub(super) fn ask(
        &mut self,
        last: usize,
        is_lowered: bool,
        kernel: &mut dyn Kernel,
    ) -> io::Result<Option<Ebbed>> {
        let held = kernel.held()?;
        let most = last + SLACK;
        if held.unsent > 0 || held.unacknowledged > most {
            kernel.narrow(most)?;
            *self = Self::Awaited { unacknowledged: held.unacknowledged };
            return Ok(None);
        }
        // How long it took matters only to viewers on a lower rung, which might get more. The
        // kernel knows it.
        let took = if is_lowered { kernel.path()?.time_for(last) } else { Duration::ZERO };
        Ok(Some(Ebbed::InTime(took)))
    }

    /// Notes what happened, if anything did. Returns whether the viewer has taken something
    /// meanwhile.
    pub(super) fn note(&mut self, happened: &Happened, kernel: &dyn Kernel) -> io::Result<bool> {
        let Self::Awaited { unacknowledged } = self else { return Ok(false) };
        if happened.room {
            *self = Self::Late;
            return Ok(true);
        }
        let held = kernel.held()?.unacknowledged;
        Ok(std::mem::replace(unacknowledged, held) > held)
    }

    /// Returns once that the last frame has left.
    pub(super) fn take(&mut self, kernel: &mut dyn Kernel) -> io::Result<Option<Ebbed>> {
        if *self != Self::Late {
            return Ok(None);
        }
        self.cancel(kernel)?;
        Ok(Some(Ebbed::Late))
    }

    /// Stops waiting.
    pub(super) fn cancel(&mut self, kernel: &mut dyn Kernel) -> io::Result<()> {
        match std::mem::take(self) {
            Self::NotAwaited => Ok(()),
            Self::Awaited { .. } | Self::Late => kernel.widen(),
        }
    }

    /// When to ask the kernel again.
    pub(super) fn deadline(self, now: Micros) -> Option<Micros> {
        matches!(self, Self::Awaited { .. }).then(|| now.after(LOOK_EVERY))
    }
}
