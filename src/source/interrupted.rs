//! Repeats system calls that a signal has interrupted.

use nix::errno::Errno;
use nix::libc::c_int;

/// Repeats a call until it is not interrupted by a signal.
pub(super) fn uninterrupted(mut call: impl FnMut() -> Result<c_int, Errno>) -> Result<(), Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}
