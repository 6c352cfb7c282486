//! How fast pictures come, and whether the next one is late.

use std::time::{Duration, Instant};

/// The pace of one camera's pictures.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The mean time between two pictures lately.
    interval: Option<Duration>,
    /// When the last one came.
    arrived: Option<Instant>,
    /// Since when a picture is wanted: those that nobody wanted are not late.
    wanted: Option<Instant>,
}

/// A picture is late when the next but two should be there ...
const LATE: u32 = 3;
/// ... though not by a hiccup of this computer.
pub(super) const LEAST_LATE: Duration = Duration::from_millis(150);
/// Before the rate is known.
pub(super) const UNKNOWN_LATE: Duration = Duration::from_secs(1);
/// A rate follows the last so many pictures.
const SMOOTH: u32 = 8;

impl Pace {
    /// Whether somebody waits for pictures.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    /// Pictures are wanted since then; `None`: they are not.
    pub(super) fn want(&mut self, since: Option<Instant>) {
        self.wanted = since;
    }

    /// A picture has come.
    pub(super) fn count(&mut self, now: Instant) {
        if let Some(before) = self.arrived.replace(now) {
            let latest = now - before;
            self.interval = Some(match self.interval {
                None => latest,
                Some(mean) => (mean * (SMOOTH - 1) + latest) / SMOOTH,
            });
        }
    }

    /// How pictures come is to be seen anew.
    pub(super) fn forget(&mut self) {
        (self.interval, self.arrived) = (None, None);
    }

    /// Between two pictures.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// For how long the last picture has been the newest, if the next ones should have come long ago; counted since it came,
    /// or since it is wanted.
    pub(super) fn overdue(&self, now: Instant) -> Option<Duration> {
        let wanted = self.wanted?;
        let since = now.saturating_duration_since(wanted.max(self.arrived.unwrap_or(wanted)));
        let late = self.interval.map_or(UNKNOWN_LATE, |mean| (mean * LATE).max(LEAST_LATE));
        (since > late).then_some(since)
    }
}
