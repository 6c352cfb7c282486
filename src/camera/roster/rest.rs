//! Lets a camera rest until somebody comes.

use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where somebody who comes wakes the camera.
#[derive(Debug)]
pub(super) struct Rest {
    arrival: EventFd,
    /// Whether anybody sleeps: coming makes a system call only then.
    sleeps: AtomicBool,
}

/// Why a rest is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waking {
    /// Somebody watches.
    ViewerCame,
    /// The program ends.
    Stop,
}

impl Rest {
    pub(super) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let arrival = EventFd::from_value_and_flags(0, flags)?;
        Ok(Self { arrival, sleeps: AtomicBool::new(false) })
    }

    /// Wakes who sleeps.
    pub(super) fn somebody_came(&self) {
        if self.sleeps.swap(false, Ordering::SeqCst) {
            // Fails only when the counter is full, and then it rings already.
            let _ = self.arrival.write(1);
        }
    }

    /// Sleeps until `is_watched`, or the end is asked for.
    pub(super) fn until(&self, stop: &Stop, is_watched: impl Fn() -> bool) -> Waking {
        loop {
            // Said before the look: who comes in between rings.
            self.sleeps.store(true, Ordering::SeqCst);
            if is_watched() {
                return Waking::ViewerCame;
            }
            let mut fds = [
                PollFd::new(self.arrival.as_fd(), PollFlags::POLLIN),
                PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            ];
            // Interrupted by a signal: the loop looks again.
            let _ = poll(&mut fds, PollTimeout::NONE);
            if fds[1].any().unwrap_or(false) {
                return Waking::Stop;
            }
            // Empty when nobody rang: then it need not be emptied.
            let _ = self.arrival.read();
        }
    }
}
