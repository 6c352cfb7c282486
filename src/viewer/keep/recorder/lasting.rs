//! What this machine's clocks show, one of which goes on while it sleeps.

use std::time::{Duration, Instant, SystemTime};

/// What three clocks show at once.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Stands still while the machine sleeps.
    pub awake: Instant,
    /// Goes on meanwhile, and never leaps: since some beginning.
    pub lasting: Duration,
    /// Leaps where somebody sets it.
    pub calendar: SystemTime,
}

impl Moment {
    /// What they show now.
    pub fn now() -> Self {
        let awake = Instant::now();
        Self { awake, lasting: lasting(), calendar: SystemTime::now() }
    }
}

#[cfg(unix)]
fn lasting() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    // clock_gettime(2): Linux's CLOCK_MONOTONIC stands still in a sleep, those of others do not.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::CLOCK_BOOTTIME;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;
    clock_gettime(CLOCK).map(Duration::from).unwrap_or_default()
}

/// Windows knows no such clock but the calendar.
#[cfg(not(unix))]
fn lasting() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
