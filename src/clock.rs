//! The camera machine's monotonic clock, the one that V4L2 stamps frames with.
//!
//! Every time that is compared with a frame's is read here. What only waits measures with `Instant`.

use crate::image::frame::Micros;
use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime};

/// Now, on `CLOCK_MONOTONIC`.
///
/// # Panics
/// Never on Linux, which always has this clock.
pub fn now() -> Micros {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has CLOCK_MONOTONIC");
    let micros = Duration::from(now).as_micros();
    Micros(u64::try_from(micros).expect("584,542 years of uptime"))
}

/// When `at` was, since 1970, as far as this machine knows.
pub fn since_1970(at: Micros) -> Duration {
    let ago = now().since(at);
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(ago)
}
