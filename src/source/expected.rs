//! When a pipe's next picture is due, so that a writer that opens the pipe for each picture is not
//! missed between two.

use crate::image::frame::Micros;
use std::time::Duration;

/// A longer gap between two pictures is a break in the stream, unless `--fps` says that they are so rare.
const LONGEST_GAP: Duration = Duration::from_secs(10);

/// A picture is late when this many of the last gap between two pictures have passed without it.
const PATIENCE: u32 = 3;

/// The last picture, and how long after the one before it came.
#[derive(Debug, Default)]
pub(super) struct Expected {
    last: Option<Micros>,
    gap: Duration,
}

impl Expected {
    /// A picture has come.
    pub(super) fn picture(&mut self, now: Micros) {
        if let Some(last) = self.last.replace(now) {
            self.gap = now.since(last);
        }
    }

    /// Whether the next picture may still come in time. The owner may have said that there is one
    /// each `interval`.
    pub(super) fn is_in_time(&self, interval: Option<Duration>, now: Micros) -> bool {
        let seen = if self.gap <= LONGEST_GAP { self.gap } else { Duration::ZERO };
        let patience = interval.unwrap_or_default().max(seen) * PATIENCE;
        self.last.is_some_and(|last| now.since(last) < patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    #[test]
    fn pictures_that_come_at_intervals_are_waited_for_three_of_them() {
        let mut expected = Expected::default();
        assert!(!expected.is_in_time(None, at(0)), "there was none");
        expected.picture(at(1));
        assert!(!expected.is_in_time(None, at(2)), "nobody knows when the next comes");
        let told = Some(Duration::from_secs(5));
        assert!(expected.is_in_time(told, at(15)) && !expected.is_in_time(told, at(16)));
        expected.picture(at(3));
        assert!(expected.is_in_time(None, at(8)) && !expected.is_in_time(None, at(9)));
    }

    #[test]
    fn a_break_is_no_interval() {
        let mut expected = Expected::default();
        expected.picture(at(1));
        expected.picture(at(61));
        assert!(!expected.is_in_time(None, at(62)));
        expected.picture(at(62));
        assert!(expected.is_in_time(None, at(64)));
    }
}
