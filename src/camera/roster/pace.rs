//! Thins frames to the rate that a viewer wishes, by their capture times.

use crate::image::frame::Micros;
use crate::rate::Rate;

/// Decides which frames are due at one rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The time between two frames in microseconds; 0 takes every frame.
    interval: u64,
    /// When the next frame is due; 0 before the first.
    next: u64,
    /// The capture time of the newest frame seen, and its distance from the frame before.
    newest: u64,
    gap: u64,
}

impl Pace {
    /// Without a rate every frame is due.
    pub(super) fn new(rate: Rate) -> Self {
        let interval = rate.interval().unwrap_or_default();
        let interval = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        Self { interval, next: 0, newest: 0, gap: 0 }
    }

    /// Takes the same frames as `other` from here on, if both have the same rate and `other` has
    /// begun. Returns whether that is so.
    pub(super) fn keep_step_with(&mut self, other: Self) -> bool {
        let is_one = self.interval == other.interval && other.next > 0;
        if is_one {
            *self = other;
        }
        is_one
    }

    /// Notes that a frame was captured `at`, whether it is due or not.
    pub(super) fn saw(&mut self, Micros(at): Micros) {
        if at > self.newest {
            self.gap = if self.newest == 0 { 0 } else { at - self.newest };
            self.newest = at;
        }
    }

    /// Whether a frame captured `at` is due. The frame nearest to the due time counts, so that
    /// frames which come a little early or late do not make the rate uneven.
    pub(super) fn is_due(&self, Micros(at): Micros) -> bool {
        let early = (self.gap / 2).min(self.interval / 2);
        // A due time that far ahead comes from a clock that has been set back since.
        at + early >= self.next || self.next > at + 2 * self.interval
    }

    /// Notes that a frame captured `at` was sent.
    pub(super) fn sent(&mut self, Micros(at): Micros) {
        let next = self.next + self.interval;
        // Keep the rhythm, unless frames were missing for more than two intervals.
        self.next =
            if (at..=at + 2 * self.interval).contains(&next) { next } else { at + self.interval };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 300 frames are sent. They come every `gap`, up to `jitter` late.
    fn sent(rate: u32, gap: u64, jitter: u64) -> usize {
        let mut pace = Pace::new(Rate(rate));
        let times =
            (0..300).map(|frame| Micros(1_000_000 + frame * gap + frame * 7919 % (jitter + 1)));
        let mut is_sent = |at| {
            pace.saw(at);
            let is_due = pace.is_due(at);
            if is_due {
                pace.sent(at);
            }
            is_due
        };
        times.filter(|&at| is_sent(at)).count()
    }

    #[test]
    fn a_rate_is_kept_whatever_the_cameras_is() {
        assert_eq!(sent(0, 33_333, 0), 300);
        assert_eq!(sent(15_000, 33_333, 3_000), 150);
        assert_eq!(sent(10_000, 33_333, 5_000), 100);
        assert!((119..=121).contains(&sent(12_000, 33_333, 5_000)));
        assert_eq!(sent(30_000, 33_367, 3_000), 300, "29.97 is as near as can be");
        assert_eq!(sent(60_000, 33_333, 3_000), 300, "no more than there are");
        assert_eq!(sent(1, 33_333, 0), 1);
    }

    #[test]
    fn neither_a_pause_nor_a_clock_that_goes_back_makes_a_burst_or_a_silence() {
        let mut pace = Pace::new(Rate(10_000));
        for at in [1_000_000, 9_000_000, 500_000] {
            pace.saw(Micros(at));
            assert!(pace.is_due(Micros(at)));
            pace.sent(Micros(at));
            pace.saw(Micros(at + 33_333));
            assert!(!pace.is_due(Micros(at + 33_333)), "{at}");
        }
    }
}
