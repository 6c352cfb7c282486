//! Estimates the offset between the clocks of two machines from pings and their answers.

use crate::image::frame::Micros;
use std::time::Duration;

/// One ping and its answer: four readings of two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// When the ping was sent, by the asker's clock.
    pub asked_at: Micros,
    /// When the ping arrived, by the answerer's clock.
    pub received_at: Micros,
    /// When the answer was sent, by the answerer's clock.
    pub answered_at: Micros,
    /// When the answer arrived, by the asker's clock.
    pub heard_at: Micros,
}

/// The asker's estimate of the answerer's clock. The offset is always the answerer's time minus the
/// asker's.
///
/// A ping arrives after it was sent, and so does its answer. So each exchange proves a lower and an
/// upper bound for the offset; the distance between them is the round trip. The intersection of all
/// exchanges is kept. It is never wider than the shortest round trip, and narrower if one ping was
/// quick on the way there and another one on the way back. Since the clocks run at slightly
/// different speeds, the bounds widen with time until a new exchange narrows them.
#[derive(Debug, Clone, Default)]
pub struct ClockMatch {
    bounds: Option<Bounds>,
    /// The last round trips, as a ring.
    round_trips: [Option<Duration>; REMEMBERED],
    turn: usize,
}

/// What is known at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matched {
    /// The offset: how many microseconds the answerer's clock is ahead.
    pub apart: i128,
    /// The greatest error of that: half the least round trip, plus the drift since.
    pub uncertainty: Duration,
    /// The least round trip of the last pings.
    pub round_trip: Duration,
}

/// Bounds of the offset at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    least: i128,
    greatest: i128,
    at: Micros,
}

/// How many microseconds per second one clock may gain on the other: crystals are accurate to 50
/// each.
pub const DRIFT: u32 = 100;

/// Over how many round trips the minimum is taken. With one ping per second, a path that has become
/// slower is noticed after this many seconds.
pub const REMEMBERED: usize = 16;

/// Clocks are read in whole microseconds.
const GRAIN: i128 = 1;

impl ClockMatch {
    /// Uses the bounds that an exchange proves. If they contradict all earlier ones, the new ones
    /// count: a machine was suspended, and its clock with it.
    ///
    /// Returns the round trip; `None` if the times are impossible. Then nothing changes.
    pub fn learn(&mut self, exchange: &Exchange) -> Option<Duration> {
        let fresh = Bounds::of(exchange)?;
        let common = self.bounds.and_then(|known| known.at(exchange.heard_at).within(&fresh));
        if common.is_none() && self.bounds.is_some() {
            self.round_trips = Default::default();
        }
        self.bounds = Some(common.unwrap_or(fresh));
        let there = exchange.answered_at.since(exchange.received_at);
        let round_trip = exchange.heard_at.since(exchange.asked_at).saturating_sub(there);
        self.round_trips[self.turn] = Some(round_trip);
        self.turn = (self.turn + 1) % REMEMBERED;
        Some(round_trip)
    }

    /// The estimate at `now`, by the asker's clock; `None` before the first answer.
    pub fn matched(&self, now: Micros) -> Option<Matched> {
        let Bounds { least, greatest, .. } = self.bounds?.at(now);
        let half = u64::try_from((greatest - least + 1) / 2).unwrap_or(u64::MAX);
        Some(Matched {
            apart: least + (greatest - least) / 2,
            uncertainty: Duration::from_micros(half),
            round_trip: self.round_trips.iter().flatten().min().copied()?,
        })
    }
}

impl Matched {
    /// The age, at `now` by the asker's clock, of what happened at `then` by the answerer's clock.
    pub fn age(&self, then: Micros, now: Micros) -> Duration {
        let age = i128::from(now.0) + self.apart - i128::from(then.0);
        Duration::from_micros(u64::try_from(age.max(0)).unwrap_or(u64::MAX))
    }
}

impl Bounds {
    fn of(exchange: &Exchange) -> Option<Self> {
        let &Exchange { asked_at, received_at, answered_at, heard_at } = exchange;
        let is_possible = asked_at <= heard_at && received_at <= answered_at;
        let apart = |theirs: Micros, ours: Micros| i128::from(theirs.0) - i128::from(ours.0);
        // When the answer arrives, the bound that the ping proved is already one round trip old.
        let drifted = drift(heard_at.since(asked_at));
        let bounds = Self {
            least: apart(answered_at, heard_at) - GRAIN,
            greatest: apart(received_at, asked_at) + GRAIN + drifted,
            at: heard_at,
        };
        (is_possible && bounds.least <= bounds.greatest).then_some(bounds)
    }

    /// The same bounds at a later time.
    fn at(self, now: Micros) -> Self {
        let drifted = drift(now.since(self.at));
        let at = now.max(self.at);
        Self { least: self.least - drifted, greatest: self.greatest + drifted, at }
    }

    /// The intersection of both, if there is one.
    fn within(self, other: &Self) -> Option<Self> {
        let least = self.least.max(other.least);
        let greatest = self.greatest.min(other.greatest);
        (least <= greatest).then_some(Self { least, greatest, at: self.at.max(other.at) })
    }
}

/// The greatest drift of two clocks in this time, in microseconds.
fn drift(time: Duration) -> i128 {
    let micros = i128::try_from(time.as_micros()).unwrap_or(i128::MAX / i128::from(DRIFT));
    (micros * i128::from(DRIFT)).div_euclid(1_000_000) + i128::from(!time.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURS: u64 = 5 * 3_600_000_000;

    /// The answerer's clock is five hours ahead. The ping takes `there`, its answer waits `held`
    /// and takes `back`.
    fn exchange(asked_at: u64, there: u64, held: u64, back: u64) -> Exchange {
        let received_at = asked_at + there + HOURS;
        Exchange {
            asked_at: Micros(asked_at),
            received_at: Micros(received_at),
            answered_at: Micros(received_at + held),
            heard_at: Micros(asked_at + there + held + back),
        }
    }

    #[test]
    fn nothing_is_known_before_the_first_answer() {
        assert_eq!(ClockMatch::default().matched(Micros(1)), None);
    }

    #[test]
    fn an_answer_is_wrong_by_half_its_round_trip_at_most_however_long_it_was_held() {
        let mut clock = ClockMatch::default();
        let seen = exchange(1000, 300, 20_000, 500);
        assert_eq!(clock.learn(&seen), Some(Duration::from_micros(800)));
        let matched = clock.matched(seen.heard_at).expect("answered");
        assert_eq!(matched.round_trip, Duration::from_micros(800));
        assert!(matched.uncertainty.as_micros().abs_diff(400) <= 3, "{matched:?}");
        assert!((matched.apart - i128::from(HOURS)).unsigned_abs().abs_diff(100) <= 3);
    }

    #[test]
    fn the_quickest_ways_win_and_what_was_slow_spoils_nothing() {
        let mut clock = ClockMatch::default();
        let mut now = 0;
        for (there, back) in [(9000, 9000), (200, 8000), (30_000, 250), (50_000, 50_000)] {
            clock.learn(&exchange(now, there, 10, back));
            now += 100_000;
        }
        let matched = clock.matched(Micros(now)).expect("answered");
        assert!(matched.uncertainty < Duration::from_micros(225 + 60), "{matched:?}");
        let wrong = (matched.apart - i128::from(HOURS)).unsigned_abs();
        assert!(wrong <= matched.uncertainty.as_micros(), "{wrong}");
    }

    #[test]
    fn what_is_known_grows_uncertain_with_time() {
        let mut clock = ClockMatch::default();
        clock.learn(&exchange(0, 100, 0, 100));
        let later = clock.matched(Micros(10_000_200)).expect("answered").uncertainty;
        assert!(later.as_micros().abs_diff(100 + 1000) <= 3, "{later:?}");
    }

    #[test]
    fn a_clock_that_has_slept_is_believed_at_once() {
        let mut clock = ClockMatch::default();
        clock.learn(&exchange(0, 100, 0, 100));
        let slept = 3_600_000_000;
        let mut after = exchange(1_000_000, 2000, 0, 2000);
        after.received_at.0 -= slept;
        after.answered_at.0 -= slept;
        clock.learn(&after);
        let matched = clock.matched(after.heard_at).expect("answered");
        assert!((matched.apart - i128::from(HOURS - slept)).unsigned_abs() <= 5, "{matched:?}");
        assert_eq!(
            matched.round_trip,
            Duration::from_micros(4000),
            "the old path is forgotten too"
        );
    }

    #[test]
    fn times_that_cannot_be_teach_nothing() {
        let mut clock = ClockMatch::default();
        let good = exchange(1000, 100, 50, 100);
        for bad in [
            Exchange { heard_at: Micros(999), ..good },
            Exchange { answered_at: Micros(0), ..good },
            Exchange { answered_at: Micros(u64::MAX), ..good },
        ] {
            assert_eq!(clock.learn(&bad), None, "{bad:?}");
        }
        assert_eq!(clock.matched(Micros(2000)), None);
        let extreme = Exchange {
            asked_at: Micros(0),
            received_at: Micros(u64::MAX),
            answered_at: Micros(u64::MAX),
            heard_at: Micros(u64::MAX),
        };
        assert!(clock.learn(&extreme).is_some());
        let matched = clock.matched(Micros(u64::MAX)).expect("answered");
        assert_eq!(matched.age(Micros(u64::MAX), Micros(0)), Duration::ZERO);
    }

    #[test]
    fn an_age_is_reckoned_on_their_clock() {
        let mut clock = ClockMatch::default();
        clock.learn(&exchange(0, 100, 0, 100));
        let matched = clock.matched(Micros(50_000)).expect("answered");
        let age = matched.age(Micros(HOURS + 20_000), Micros(50_000));
        assert!(age.as_micros().abs_diff(30_000) <= 5, "{age:?}");
        assert_eq!(matched.age(Micros(HOURS + 90_000), Micros(50_000)), Duration::ZERO);
    }
}
