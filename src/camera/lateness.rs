//! Decides when a picture is late, and what viewers are told then.

use crate::image::frame::Micros;
use std::time::Duration;

/// How long a source of unknown rate may be silent.
const UNKNOWN: Duration = Duration::from_secs(10);

/// A source of known rate is late after three intervals, but not sooner than this.
const LEAST: Duration = Duration::from_secs(2);

/// How often viewers are told again how long there has been no picture.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// When the last picture came, and what viewers were told since.
#[derive(Debug)]
pub(super) struct Lateness {
    since: Micros,
    told: Option<Told>,
}

#[derive(Debug)]
struct Told {
    at: Micros,
    /// Whether the reason was known.
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Unknown,
    Known,
}

/// What to say about a missing picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// For viewers and the log.
    First(String),
    /// The same with a longer time, for viewers only.
    Again(String),
}

impl Lateness {
    /// The state of a source that was opened at `now`.
    pub(super) fn new(now: Micros) -> Self {
        Self { since: now, told: None }
    }

    /// Notes a picture. Returns how long there was none, if viewers were told that.
    pub(super) fn picture(&mut self, now: Micros) -> Option<Duration> {
        let silent = now.since(self.since);
        self.since = now;
        self.told.take().map(|_| silent)
    }

    /// Notes that no picture has come from the source `name`, which gives one every `interval`
    /// (zero: unknown).
    pub(super) fn waits(
        &mut self,
        name: &str,
        interval: Duration,
        why: Option<String>,
        now: Micros,
    ) -> Option<News> {
        let silent = now.since(self.since);
        let patience = if interval.is_zero() { UNKNOWN } else { LEAST.max(interval * 3) };
        if why.is_none() && silent < patience {
            return None;
        }
        let known = if why.is_some() { Why::Known } else { Why::Unknown };
        let is_first = match &self.told {
            None => true,
            Some(told) if told.why == Why::Unknown && known == Why::Known => true,
            Some(told) if now.since(told.at) < TOLD_EVERY => return None,
            Some(_) => false,
        };
        self.told = Some(Told { at: now, why: known });
        let text =
            why.unwrap_or_else(|| format!("{name} has sent no picture for {} s", silent.as_secs()));
        Some(if is_first { News::First(text) } else { News::Again(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn at(seconds: u64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    fn first(text: &str) -> Option<News> {
        Some(News::First(text.into()))
    }

    #[test]
    fn a_picture_is_late_after_three_intervals_and_that_is_told_again_and_again() {
        let mut lateness = Lateness::new(at(0));
        assert_eq!(lateness.picture(at(1)), None);
        assert_eq!(lateness.waits("x", 33 * MS, None, at(2)), None);
        assert_eq!(
            lateness.waits("x", 33 * MS, None, at(3)),
            first("x has sent no picture for 2 s")
        );
        assert_eq!(lateness.waits("x", 33 * MS, None, at(7)), None);
        let again = News::Again("x has sent no picture for 7 s".into());
        assert_eq!(lateness.waits("x", 33 * MS, None, at(8)), Some(again));
        assert_eq!(lateness.picture(at(9)), Some(8000 * MS));
        assert_eq!(lateness.picture(at(10)), None);
    }

    #[test]
    fn a_slow_source_is_not_late() {
        let mut lateness = Lateness::new(at(0));
        assert_eq!(lateness.waits("x", Duration::ZERO, None, at(9)), None, "nobody knows its rate");
        assert!(lateness.waits("x", Duration::ZERO, None, at(10)).is_some());
        lateness.picture(at(10));
        assert_eq!(lateness.waits("x", 5000 * MS, None, at(24)), None);
        assert!(lateness.waits("x", 5000 * MS, None, at(25)).is_some());
    }

    #[test]
    fn a_reason_is_told_at_once_and_only_once() {
        let mut lateness = Lateness::new(at(0));
        let why = || Some("it is H.264".to_owned());
        assert_eq!(lateness.waits("x", Duration::ZERO, why(), at(1)), first("it is H.264"));
        assert_eq!(lateness.waits("x", Duration::ZERO, why(), at(2)), None);
        let mut late = Lateness::new(at(0));
        assert!(late.waits("x", Duration::ZERO, None, at(10)).is_some());
        assert_eq!(late.waits("x", Duration::ZERO, why(), at(11)), first("it is H.264"));
    }
}
