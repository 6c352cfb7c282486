//! System calls that a signal has interrupted, and reads that find nothing to read.

use nix::errno::Errno;
use nix::libc::c_int;
use std::io;

/// Repeats a call until it is not interrupted by a signal.
pub(super) fn uninterrupted(mut call: impl FnMut() -> Result<c_int, Errno>) -> Result<(), Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}

/// Whether an error of a read that does not wait only says that there is nothing to read now.
pub(super) fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
