//! The time between a camera's frames, as it is.

use std::collections::VecDeque;
use std::time::Duration;

/// The times between the last few frames. The middle one of them counts.
#[derive(Debug)]
pub(super) struct Pace {
    gaps: VecDeque<Duration>,
    /// What the camera was asked for.
    asked: Duration,
}

/// So many times are kept.
const GAPS: usize = 15;

/// With fewer of them, the camera is believed to do what it was asked for.
const FEWEST: usize = 3;

impl Pace {
    /// For a camera that was asked for a frame in each such interval.
    pub(super) fn new(asked: Duration) -> Self {
        Self { gaps: VecDeque::with_capacity(GAPS), asked }
    }

    /// Takes note of the time between two frames that followed each other.
    pub(super) fn note(&mut self, gap: Duration) {
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
    }

    /// The time between two frames.
    pub(super) fn interval(&self) -> Duration {
        let mut gaps = [Duration::ZERO; GAPS];
        for (slot, gap) in gaps.iter_mut().zip(&self.gaps) {
            *slot = *gap;
        }
        let known = self.gaps.len();
        if known < FEWEST {
            return self.asked;
        }
        let (_, middle, _) = gaps[..known].select_nth_unstable(known / 2);
        *middle
    }

    /// How many frames last for so long.
    pub(super) fn frames_in(&self, time: Duration) -> u64 {
        let interval = self.interval().as_micros().max(1);
        u64::try_from((time.as_micros() + interval / 2) / interval).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_last_gaps_counts_once_there_are_three() {
        let millis = Duration::from_millis;
        let mut pace = Pace::new(millis(33));
        pace.note(millis(66));
        pace.note(millis(66));
        assert_eq!((pace.interval(), pace.frames_in(millis(66))), (millis(33), 2));
        pace.note(millis(500));
        assert_eq!((pace.interval(), pace.frames_in(millis(500))), (millis(66), 8));
        (0..GAPS).for_each(|_| pace.note(millis(20)));
        assert_eq!(pace.interval(), millis(20));
        pace.note(Duration::ZERO);
        assert_eq!(Pace::new(Duration::ZERO).frames_in(millis(1)), 1000);
        assert_eq!(Pace::new(Duration::MAX).frames_in(millis(1)), 0);
    }
}
