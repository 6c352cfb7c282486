//! Clocks for work that several threads do.

use std::sync::OnceLock;
use std::time::Instant;

/// Wall time, in seconds.
pub(crate) fn wall_seconds() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// The CPU time of all threads of this program, in seconds.
#[cfg(all(feature = "camera", target_os = "linux"))]
pub(crate) fn program_seconds() -> f64 {
    use nix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("Linux has this clock");
    std::time::Duration::from(time).as_secs_f64()
}

/// Wall time, on systems without the program's own clock here.
#[cfg(not(all(feature = "camera", target_os = "linux")))]
pub(crate) fn program_seconds() -> f64 {
    wall_seconds()
}
