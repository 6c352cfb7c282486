//! The age of frames on their arrival, as reported by native viewers: the last few seconds.

use crate::image::frame::Micros;
use crate::wire::native::credit::Arrival;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

/// How many arrivals are remembered, of all viewers together: several seconds of one viewer, a
/// third of a second of fifty.
const REMEMBERED: usize = 512;

/// Older arrivals say nothing about now.
const LATELY: Duration = Duration::from_secs(10);

/// The last arrivals, in a ring. Each session writes one entry for a frame. A reader may see a
/// half-written entry, which makes only that one wrong.
#[derive(Debug)]
pub(super) struct Arrivals {
    next: AtomicUsize,
    places: [Place; REMEMBERED],
}

#[derive(Debug, Default)]
struct Place {
    /// The time by the camera's clock, in microseconds; 0 if the entry is empty.
    at: AtomicU64,
    /// The age in the upper 32 bits, the uncertainty in the lower, in microseconds. 32 bits are
    /// more than an hour, longer than any frame is kept.
    facts: AtomicU64,
}

/// The arrivals of the last ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lately {
    /// How many frames there were.
    pub frames: usize,
    /// The median age.
    pub p50: Duration,
    /// The 95th percentile of the ages.
    pub p95: Duration,
    /// The greatest possible error of an age.
    pub uncertainty: Duration,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { next: AtomicUsize::new(0), places: std::array::from_fn(|_| Place::default()) }
    }
}

impl Arrivals {
    /// Notes an arrival.
    pub(super) fn note(&self, arrival: &Arrival, now: Micros) {
        let place = &self.places[self.next.fetch_add(1, Relaxed) % REMEMBERED];
        place.facts.store(packed(arrival.age) << 32 | packed(arrival.uncertainty), Relaxed);
        place.at.store(now.0, Relaxed);
    }

    /// The summary of the last ten seconds; `None` if no viewer has reported an arrival.
    pub(super) fn lately(&self, now: Micros) -> Option<Lately> {
        let mut ages = Vec::with_capacity(REMEMBERED);
        let mut uncertainty = 0;
        for place in &self.places {
            let at = place.at.load(Relaxed);
            if at == 0 || now.since(Micros(at)) > LATELY {
                continue;
            }
            let facts = place.facts.load(Relaxed);
            ages.push(facts >> 32);
            uncertainty = uncertainty.max(facts & u64::from(u32::MAX));
        }
        ages.sort_unstable();
        let percentile = |percent: usize| {
            let rank = (ages.len() * percent).div_ceil(100);
            ages.get(rank.checked_sub(1)?).copied().map(Duration::from_micros)
        };
        let uncertainty = Duration::from_micros(uncertainty);
        Some(Lately { frames: ages.len(), p50: percentile(50)?, p95: percentile(95)?, uncertainty })
    }
}

fn packed(duration: Duration) -> u64 {
    u64::from(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn arrival(age: u64, uncertainty: u64) -> Arrival {
        let ms = Duration::from_millis;
        Arrival { age: ms(age), uncertainty: ms(uncertainty), ..Arrival::default() }
    }

    #[test]
    fn the_last_ten_seconds_count_and_the_worst_uncertainty_of_them() {
        let arrivals = Arrivals::default();
        assert_eq!(arrivals.lately(Micros(SECOND)), None);
        arrivals.note(&arrival(900, 300), Micros(SECOND));
        for age in 1..=100 {
            arrivals.note(&arrival(age, age / 10), Micros(11 * SECOND + age));
        }
        let ms = Duration::from_millis;
        assert_eq!(
            arrivals.lately(Micros(12 * SECOND)),
            Some(Lately { frames: 100, p50: ms(50), p95: ms(95), uncertainty: ms(10) })
        );
        assert_eq!(arrivals.lately(Micros(22 * SECOND)), None, "all is long ago");
    }

    #[test]
    fn more_than_are_remembered_push_out_the_oldest() {
        let arrivals = Arrivals::default();
        arrivals.note(&arrival(5000, 5000), Micros(SECOND));
        (0..512).for_each(|_| arrivals.note(&arrival(7, 1), Micros(SECOND)));
        let ms = Duration::from_millis;
        assert_eq!(
            arrivals.lately(Micros(SECOND)),
            Some(Lately { frames: 512, p50: ms(7), p95: ms(7), uncertainty: ms(1) })
        );
    }

    #[test]
    fn an_age_beyond_all_reason_is_the_longest_there_is() {
        let arrivals = Arrivals::default();
        let age = Duration::from_secs(1 << 40);
        arrivals.note(&Arrival { age, uncertainty: age, ..Arrival::default() }, Micros(1));
        let longest = Duration::from_micros(u64::from(u32::MAX));
        let lately = arrivals.lately(Micros(2)).expect("one");
        assert_eq!((lately.p50, lately.uncertainty), (longest, longest));
    }
}
