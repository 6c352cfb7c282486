//! What lasts for a while: a pause, a message.

use crate::viewer::paint::badges::Mood;
use std::time::{Duration, Instant, SystemTime};

/// Since when pictures are held: by the clock that stands while this machine sleeps, and by the calendar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause(Instant, SystemTime);

impl Pause {
    /// It begins now.
    pub(super) fn begin(now: Instant) -> Self {
        Self(now, SystemTime::now())
    }

    /// For how long, by the clock that saw more of it.
    pub(super) fn lasting(self, now: Instant) -> Duration {
        let by_calendar = SystemTime::now().duration_since(self.1).unwrap_or_default();
        by_calendar.max(now.saturating_duration_since(self.0))
    }
}

/// Said for a few seconds.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) mood: Mood,
    pub(super) until: Instant,
}
