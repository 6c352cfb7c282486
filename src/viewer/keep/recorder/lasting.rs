//! The clocks of this machine, one of which keeps counting while the machine sleeps.

use std::time::{Duration, Instant, SystemTime};

/// Three clocks, read at the same moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Stops while the machine sleeps.
    pub awake: Instant,
    /// Counts while the machine sleeps, and does not jump when the clock is set. Its zero is arbitrary.
    pub lasting: Duration,
    /// The time of day. Jumps when somebody sets the clock.
    pub calendar: SystemTime,
}

impl Moment {
    /// Reads the clocks.
    pub fn now() -> Self {
        let awake = Instant::now();
        Self { awake, lasting: lasting(), calendar: SystemTime::now() }
    }
}

#[cfg(unix)]
fn lasting() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    // clock_gettime(2): on Linux, CLOCK_MONOTONIC stops while the machine sleeps. On other systems it does not.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::CLOCK_BOOTTIME;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;
    clock_gettime(CLOCK).map(Duration::from).unwrap_or_default()
}

/// On Windows, only the time of day counts while the machine sleeps.
#[cfg(not(unix))]
fn lasting() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
