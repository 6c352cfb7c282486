//! Asks all threads of the camera program to end, by a descriptor that works with `poll`.

use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// An eventfd that becomes readable once and stays readable. Clones share it.
#[derive(Debug, Clone)]
pub struct Stop(Arc<EventFd>);

impl Stop {
    /// Not requested yet.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self(Arc::new(EventFd::from_value_and_flags(0, flags)?)))
    }

    /// Asks all threads to end.
    pub fn request(&self) {
        // Fails only when the counter is full, and then the request was made long ago.
        let _ = self.0.write(1);
    }

    /// Sleeps until the end is requested, for at most `timeout`. Returns whether it was requested.
    pub fn wait(&self, timeout: std::time::Duration) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
        // An interruption by a signal counts as "not yet": every caller asks again.
        poll(&mut fds, timeout).is_ok_and(|ready| ready > 0)
    }

    /// Whether the end was requested.
    pub fn is_requested(&self) -> bool {
        self.wait(std::time::Duration::ZERO)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
