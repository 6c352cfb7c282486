//! States that last for a while: a pause, a message.

use crate::viewer::paint::badges::Mood;
use std::time::{Duration, Instant, SystemTime};

/// When the pause began, by the clock that stops while this machine sleeps, and by the time of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause(Instant, SystemTime);

impl Pause {
    /// Begins now.
    pub(super) fn begin(now: Instant) -> Self {
        Self(now, SystemTime::now())
    }

    /// How long the pause has lasted, by the clock that shows more.
    pub(super) fn lasting(self, now: Instant) -> Duration {
        let by_calendar = SystemTime::now().duration_since(self.1).unwrap_or_default();
        by_calendar.max(now.saturating_duration_since(self.0))
    }
}

/// A message that is shown for a few seconds.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) mood: Mood,
    pub(super) until: Instant,
}
