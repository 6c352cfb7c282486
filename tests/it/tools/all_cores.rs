//! A turn for tests that build with all cores, minute after minute.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other such test runs. Two at once would delay the tests of a bare Debian beyond their deadlines.
pub fn turn() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}
