//! Calls that a signal interrupts.

use std::io::{self, ErrorKind};

/// Calls again what was interrupted. When this process is stopped and continues, a read with a timeout ends that way
/// (signal(7)).
pub fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
