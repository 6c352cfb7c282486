//! When a viewer that takes nothing is let go: one clock, for every protocol.

use crate::image::frame::Micros;
use std::time::Duration;

/// A viewer that has a frame to take, or to acknowledge, and does not for this long is let go: within 5 s, with the time
/// until the next frame, and until the kernel is asked again what it took.
pub(super) const STALLED: Duration = Duration::from_millis(4500);

/// Runs while a viewer owes something: bytes it has to take, or an acknowledgement.
///
/// Only bytes of a frame and acknowledgements of frames set it back. Pongs, statuses and heads do not: a viewer that takes
/// those alone sees no picture, and holds a place that others want.
#[derive(Debug, Default)]
pub(super) struct StallClock {
    since: Option<Micros>,
}

impl StallClock {
    /// Runs from `now` on, unless it runs already; or stands, while the viewer owes nothing.
    pub(super) fn owes(&mut self, owes: bool, now: Micros) {
        self.since = owes.then(|| self.since.unwrap_or(now));
    }

    /// The viewer took some of a frame, or acknowledged one.
    pub(super) fn progressed(&mut self, now: Micros) {
        self.since = self.since.map(|_| now);
    }

    /// When the viewer is let go, if it owes something.
    pub(super) fn deadline(&self) -> Option<Micros> {
        self.since.map(|since| since.after(STALLED))
    }

    /// Whether that is now.
    pub(super) fn is_over(&self, now: Micros) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_while_something_is_owed_and_only_progress_sets_it_back() {
        let at = |millis: u64| Micros(1000 * millis);
        let mut clock = StallClock::default();
        clock.progressed(at(0));
        assert_eq!(clock.deadline(), None, "nothing is owed");
        clock.owes(true, at(1000));
        clock.owes(true, at(3000));
        assert!(!clock.is_over(at(5499)) && clock.is_over(at(5500)));
        clock.progressed(at(5000));
        assert!(!clock.is_over(at(9499)) && clock.is_over(at(9500)));
        clock.owes(false, at(9000));
        assert!(!clock.is_over(at(99_000)));
        clock.owes(true, at(99_000));
        assert!(!clock.is_over(at(99_001)), "what was long ago does not count");
    }
}
