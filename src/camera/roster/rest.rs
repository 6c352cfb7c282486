//! Lets the capture thread sleep until a viewer comes.

use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes the capture thread when a viewer comes.
#[derive(Debug)]
pub(super) struct Rest {
    arrival: EventFd,
    /// Whether the capture thread sleeps. A viewer makes the wake-up system call only then.
    sleeps: AtomicBool,
}

/// Why the sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waking {
    /// Somebody watches.
    ViewerCame,
    /// The program is stopping.
    Stop,
}

impl Rest {
    pub(super) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let arrival = EventFd::from_value_and_flags(0, flags)?;
        Ok(Self { arrival, sleeps: AtomicBool::new(false) })
    }

    /// Wakes the capture thread, if it sleeps.
    pub(super) fn somebody_came(&self) {
        if self.sleeps.swap(false, Ordering::SeqCst) {
            // Fails only when the counter is full, and then the thread is awake already.
            let _ = self.arrival.write(1);
        }
    }

    /// Sleeps until `is_watched`, or until the program is stopped.
    pub(super) fn until(&self, stop: &Stop, is_watched: impl Fn() -> bool) -> Waking {
        loop {
            // Set the flag before checking, so that a viewer that comes in between wakes this
            // thread.
            self.sleeps.store(true, Ordering::SeqCst);
            if is_watched() {
                return Waking::ViewerCame;
            }
            let mut fds = [
                PollFd::new(self.arrival.as_fd(), PollFlags::POLLIN),
                PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            ];
            // A signal may interrupt the call: the loop checks again.
            let _ = poll(&mut fds, PollTimeout::NONE);
            if fds[1].any().unwrap_or(false) {
                return Waking::Stop;
            }
            // Fails with EAGAIN when nobody has rung: then the counter is zero already.
            let _ = self.arrival.read();
        }
    }
}
