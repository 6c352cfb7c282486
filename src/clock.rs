//! The monotonic clock of the camera's machine, with which V4L2 stamps frames.
//!
//! Every time that is compared with the time of a frame is read here. Code that only waits uses
//! `Instant`.

use crate::image::frame::Micros;
use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime};

/// The current time of `CLOCK_MONOTONIC`.
///
/// # Panics
/// Never on Linux, which always has this clock.
pub fn now() -> Micros {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has CLOCK_MONOTONIC");
    let micros = Duration::from(now).as_micros();
    Micros(u64::try_from(micros).expect("584,542 years of uptime"))
}

/// How long this thread has had a core.
///
/// # Panics
/// Never on Linux, which always has this clock.
pub fn of_this_thread() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux has this clock").into()
}

/// Converts `at` to a time since 1970, by this machine's clock.
pub fn since_1970(at: Micros) -> Duration {
    let ago = now().since(at);
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(ago)
}
