//! Decides when a viewer that takes nothing is disconnected: one clock, for every protocol.

use crate::image::frame::Micros;
use std::time::Duration;

/// How long a viewer may owe something without progress. With the time until the next frame and
/// until the kernel is asked again, it is disconnected within 5 s.
pub(super) const STALLED: Duration = Duration::from_millis(4500);

/// Runs while a viewer owes something: bytes that it has to take, or an acknowledgement.
///
/// Only bytes of a frame and acknowledgements of frames reset it. Pongs, statuses and heads do not:
/// a viewer that takes only those shows no picture, and occupies a seat that others want.
#[derive(Debug, Default)]
pub(super) struct StallClock {
    since: Option<Micros>,
}

impl StallClock {
    /// Starts the clock at `now` if the viewer owes something and the clock is not running; stops
    /// it if the viewer owes nothing.
    pub(super) fn owes(&mut self, owes: bool, now: Micros) {
        self.since = owes.then(|| self.since.unwrap_or(now));
    }

    /// Resets the clock: the viewer took bytes of a frame, or acknowledged one.
    pub(super) fn progressed(&mut self, now: Micros) {
        self.since = self.since.map(|_| now);
    }

    /// When to disconnect the viewer, if it owes something.
    pub(super) fn deadline(&self) -> Option<Micros> {
        self.since.map(|since| since.after(STALLED))
    }

    /// Whether that time has come.
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
