//! Calls of the kernel that a signal may cut short.

use nix::errno::Errno;
use nix::libc::c_int;

/// Makes a call again until no signal has cut it short.
pub(super) fn uninterrupted(mut call: impl FnMut() -> Result<c_int, Errno>) -> Result<(), Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}
