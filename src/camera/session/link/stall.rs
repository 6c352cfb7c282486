//! Decides when a viewer that takes nothing is disconnected: one clock, for every protocol.

use crate::image::frame::Micros;
use std::time::Duration;

/// How long a viewer may owe something without progress. With the time until the next frame and
/// until the kernel is asked again, it is disconnected within 5 s.
pub(super) const STALLED: Duration = Duration::from_millis(4500);

/// A viewer that takes fewer bytes in the second half of [`STALLED`] takes nothing: some 7 kB/s.
const LEAST_TAKEN: usize = 16 << 10;

/// Runs while a viewer owes something: bytes that it has to take, or an acknowledgement.
///
/// The kernel reports room in lumps of a third of its send buffer, and reports nothing while it
/// sends the end of a frame. So it is asked how much it holds, before a slow viewer is taken for
/// one that takes nothing. Apart from that, only bytes of a frame and acknowledgements of frames
/// reset it. Pongs, statuses and heads do not: a viewer that takes only those shows no picture, and
/// occupies a seat that others want.
#[derive(Debug, Default)]
pub(super) struct StallClock {
    since: Option<Micros>,
    /// How many sent bytes the kernel held halfway.
    halfway: Option<usize>,
}

impl StallClock {
    /// Starts the clock at `now` if the viewer owes something and the clock is not running; stops
    /// it if the viewer owes nothing.
    pub(super) fn owes(&mut self, owes: bool, now: Micros) {
        self.since = owes.then(|| self.since.unwrap_or(now));
        self.halfway = self.halfway.filter(|_| owes);
    }

    /// Resets the clock: the viewer took bytes of a frame, or acknowledged one.
    pub(super) fn progressed(&mut self, now: Micros) {
        self.since = self.since.map(|_| now);
        self.halfway = None;
    }

    /// When to call [`is_over`](Self::is_over), if the viewer owes something.
    pub(super) fn deadline(&self) -> Option<Micros> {
        let after = if self.halfway.is_none() { STALLED / 2 } else { STALLED };
        self.since.map(|since| since.after(after))
    }

    /// Whether that time has come.
    pub(super) fn is_due(&self, now: Micros) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// Whether the viewer must be disconnected. The kernel holds `held` bytes that were sent to it.
    pub(super) fn is_over(&mut self, held: usize, now: Micros) -> bool {
        let Some(since) = self.since else { return false };
        let halfway = *self.halfway.get_or_insert(held);
        if halfway.saturating_sub(held) >= LEAST_TAKEN {
            self.progressed(now);
            return false;
        }
        now >= since.after(STALLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: fn(u64) -> Micros = |millis| Micros(1000 * millis);

    #[test]
    fn it_runs_while_something_is_owed_and_only_progress_sets_it_back() {
        let mut clock = StallClock::default();
        clock.progressed(AT(0));
        assert_eq!(clock.deadline(), None, "nothing is owed");
        clock.owes(true, AT(1000));
        clock.owes(true, AT(3000));
        assert!(!clock.is_over(0, AT(5499)) && clock.is_over(0, AT(5500)));
        clock.progressed(AT(5000));
        assert!(!clock.is_over(0, AT(9499)) && clock.is_over(0, AT(9500)));
        clock.owes(false, AT(9000));
        assert!(!clock.is_over(0, AT(99_000)));
        clock.owes(true, AT(99_000));
        assert!(!clock.is_over(0, AT(99_001)), "what was long ago does not count");
    }

    #[test]
    fn bytes_that_the_kernel_has_passed_on_set_it_back_and_a_few_do_not() {
        let mut clock = StallClock::default();
        clock.owes(true, AT(0));
        assert_eq!(clock.deadline(), Some(AT(2250)));
        assert!(!clock.is_due(AT(2249)) && clock.is_due(AT(2250)));
        assert!(!clock.is_over(900_000, AT(2250)));
        assert_eq!(clock.deadline(), Some(AT(4500)));
        assert!(!clock.is_over(900_000 - LEAST_TAKEN, AT(4500)));
        assert_eq!(clock.deadline(), Some(AT(6750)), "it begins again");
        assert!(!clock.is_over(800_000, AT(6750)));
        assert!(clock.is_over(800_001 - LEAST_TAKEN, AT(9000)), "it drips");
    }
}
