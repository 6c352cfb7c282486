//! Wakes the sessions whenever the list of keys has changed, so that those end whose key was revoked.

use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};

/// A counter of changes, and an eventfd that all sessions watch. Each change is one event for each session that watches it
/// edge-triggered (`EPOLLIN | EPOLLET`) and never reads it.
#[derive(Debug)]
pub struct Changes {
    count: AtomicU64,
    bell: EventFd,
}

impl Changes {
    /// None so far.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub(super) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self { count: AtomicU64::default(), bell: EventFd::from_value_and_flags(0, flags)? })
    }

    /// Notes a change that can be seen already.
    pub(super) fn note(&self) {
        self.count.fetch_add(1, Release);
        // It would fail after 2^64 changes.
        let _ = self.bell.write(1);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count.load(Acquire)
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
