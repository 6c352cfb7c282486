//! Decides when the next frame is due, and so whether a frame that has waited is still worth
//! sending.

use crate::image::frame::Micros;
use std::time::Duration;

/// The longest wait for a younger frame: half an interval at 30 fps. A slow reader still has that
/// much to read.
const LONGEST_WAIT: Duration = Duration::from_millis(17);

/// What the frames of a stream have shown so far.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    last: Option<Micros>,
    interval: Duration,
    /// The least age at which a frame has come here.
    prompt: Option<Duration>,
}

impl Rhythm {
    /// Notes a frame that is looked at now. `skipped` frames before it were not.
    pub(super) fn saw(&mut self, captured_at: Micros, skipped: u64, now: Micros) {
        if let Some(last) = self.last.replace(captured_at) {
            let count = u32::try_from(skipped + 1).unwrap_or(u32::MAX);
            self.interval = captured_at.since(last) / count;
        }
        let age = now.since(captured_at);
        self.prompt = Some(self.prompt.map_or(age, |prompt| prompt.min(age)));
    }

    /// Whether a frame has waited here for most of an interval, so that a younger one will come in
    /// a moment.
    pub(super) fn is_younger_due(&self, captured_at: Micros, now: Micros) -> bool {
        let waited = now.since(captured_at).saturating_sub(self.prompt.unwrap_or_default());
        // The younger frame is overdue: it may never come.
        let Some(left) = self.interval.checked_sub(waited) else { return false };
        left <= LONGEST_WAIT.min(self.interval / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u64 = 1000;

    #[test]
    fn a_frame_that_waited_for_most_of_an_interval_is_not_worth_sending() {
        let mut rhythm = Rhythm::default();
        // Nothing is known yet.
        assert!(!rhythm.is_younger_due(Micros(0), Micros(30 * MILLISECOND)));
        // Frames come 30 ms apart, and are 20 ms old when they come. One was missed.
        rhythm.saw(Micros(0), 0, Micros(20 * MILLISECOND));
        rhythm.saw(Micros(60 * MILLISECOND), 1, Micros(85 * MILLISECOND));
        let is_due = |age: u64| {
            rhythm.is_younger_due(Micros(60 * MILLISECOND), Micros((60 + age) * MILLISECOND))
        };
        assert_eq!([20, 30, 34].map(is_due), [false; 3], "it has waited 0, 10, 14 ms");
        assert_eq!([36, 40, 50].map(is_due), [true; 3], "it has waited 16, 20, 30 ms");
        assert!(!is_due(51), "the next one should have come: perhaps there is none");
    }

    #[test]
    fn a_slow_camera_is_not_waited_for() {
        let mut rhythm = Rhythm::default();
        rhythm.saw(Micros(0), 0, Micros(0));
        rhythm.saw(Micros(1000 * MILLISECOND), 0, Micros(1000 * MILLISECOND));
        assert!(!rhythm.is_younger_due(Micros(1000 * MILLISECOND), Micros(1900 * MILLISECOND)));
        assert!(rhythm.is_younger_due(Micros(1000 * MILLISECOND), Micros(1990 * MILLISECOND)));
    }
}
