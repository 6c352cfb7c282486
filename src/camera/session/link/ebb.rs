//! Whether the last frame has left, where the viewer does not say so: the kernel is asked.
//!
//! The next frame is begun when nothing of the last is unsent and at most about one is unacknowledged: less would cost a round
//! trip for each frame on Wi-Fi. What lies in the reader's own receive buffer, nobody here can see or bound.

use super::kernel::{Happened, Kernel};
use crate::camera::session::machine::Ebbed;
use crate::image::frame::Micros;
use std::io;
use std::time::Duration;

/// While a viewer takes nothing, the kernel is asked so often whether it did.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What may be unacknowledged besides the last frame: heads, and what TCP puts around bytes in memory.
const SLACK: usize = 8 << 10;

/// Whether a machine waits for the last frame to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ebb {
    /// It does not.
    #[default]
    NotAwaited,
    /// The socket will say; so many bytes were unacknowledged when it was looked at last.
    Awaited { unacknowledged: usize },
    /// The socket has said so.
    Late,
}

impl Ebb {
    pub(super) fn is_awaited(self) -> bool {
        self != Self::NotAwaited
    }

    /// Asks whether the last frame, of `last` bytes, has left; if not, the socket will tell when it has. That costs five more
    /// calls, of those who need the time anyway.
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
        // How early it was matters only to those who might be sent more, and the kernel knows it.
        let took = if is_lowered { kernel.path()?.time_for(last) } else { Duration::ZERO };
        Ok(Some(Ebbed::InTime(took)))
    }

    /// Something happened, or nothing for a while. Returns whether the viewer has taken something meanwhile.
    pub(super) fn note(&mut self, happened: &Happened, kernel: &dyn Kernel) -> io::Result<bool> {
        let Self::Awaited { unacknowledged } = self else { return Ok(false) };
        if happened.room {
            *self = Self::Late;
            return Ok(true);
        }
        let held = kernel.held()?.unacknowledged;
        Ok(std::mem::replace(unacknowledged, held) > held)
    }

    /// Says once that the last frame has left.
    pub(super) fn take(&mut self, kernel: &mut dyn Kernel) -> io::Result<Option<Ebbed>> {
        if *self != Self::Late {
            return Ok(None);
        }
        self.cancel(kernel)?;
        Ok(Some(Ebbed::Late))
    }

    /// Nobody waits for it any more.
    pub(super) fn cancel(&mut self, kernel: &mut dyn Kernel) -> io::Result<()> {
        match std::mem::take(self) {
            Self::NotAwaited => Ok(()),
            Self::Awaited { .. } | Self::Late => kernel.widen(),
        }
    }

    /// When the kernel is asked again.
    pub(super) fn deadline(self, now: Micros) -> Option<Micros> {
        matches!(self, Self::Awaited { .. }).then(|| now.after(LOOK_EVERY))
    }
}
