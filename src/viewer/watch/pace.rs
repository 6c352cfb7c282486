//! The rate at which pictures come, and whether the next one is late.

use std::time::{Duration, Instant};

/// The rate of one camera's pictures.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The recent mean time between two pictures.
    interval: Option<Duration>,
    /// When the last picture came.
    arrived: Option<Instant>,
    /// Since when pictures are wanted. A picture is not late before that.
    wanted: Option<Instant>,
}

/// A picture is late after this many intervals ...
const LATE: u32 = 3;
/// ... and at least this time, so that a short stall of this computer does not count.
pub(super) const LEAST_LATE: Duration = Duration::from_millis(150);
/// The limit before the rate is known.
pub(super) const UNKNOWN_LATE: Duration = Duration::from_secs(1);
/// How many pictures the mean covers.
const SMOOTH: u32 = 8;

impl Pace {
    /// Whether pictures are wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    /// Sets since when pictures are wanted; `None` if they are not.
    pub(super) fn want(&mut self, since: Option<Instant>) {
        self.wanted = since;
    }

    /// Counts a picture.
    pub(super) fn count(&mut self, now: Instant) {
        if let Some(before) = self.arrived.replace(now) {
            let latest = now - before;
            self.interval = Some(match self.interval {
                None => latest,
                Some(mean) => (mean * (SMOOTH - 1) + latest) / SMOOTH,
            });
        }
    }

    /// Begins to measure anew.
    pub(super) fn forget(&mut self) {
        (self.interval, self.arrived) = (None, None);
    }

    /// The time between two pictures.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// How long the last picture has been the newest, if the next ones are long overdue. Counted from its arrival, or from
    /// when pictures were first wanted if that is later.
    pub(super) fn overdue(&self, now: Instant) -> Option<Duration> {
        let wanted = self.wanted?;
        let since = now.saturating_duration_since(wanted.max(self.arrived.unwrap_or(wanted)));
        let late = self.interval.map_or(UNKNOWN_LATE, |mean| (mean * LATE).max(LEAST_LATE));
        (since > late).then_some(since)
    }
}
