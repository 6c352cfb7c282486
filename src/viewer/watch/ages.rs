//! The ages of pictures when they were shown, in a histogram of fixed size.

use std::time::Duration;

/// A histogram of ages from 1 µs to an hour, each exact to 1.6 %.
#[derive(Debug, Clone)]
pub struct Ages {
    /// The number of ages in each class.
    counts: Vec<u64>,
    total: u64,
    oldest: Duration,
}

/// Classes per doubling of the age.
const CLASSES: u64 = 64;
/// log2 of `CLASSES`.
const CLASS_BITS: u32 = CLASSES.ilog2();
/// log2 of the largest age with a class of its own, in microseconds (71 minutes).
const MAX_BITS: u32 = 32;

impl Default for Ages {
    fn default() -> Self {
        let oldest = class_of(Duration::from_micros((1 << MAX_BITS) - 1));
        Self { counts: vec![0; oldest + 1], total: 0, oldest: Duration::ZERO }
    }
}

impl Ages {
    /// Adds an age. Allocates nothing.
    pub fn count(&mut self, age: Duration) {
        let last = self.counts.len() - 1;
        self.counts[class_of(age).min(last)] += 1;
        self.total += 1;
        self.oldest = self.oldest.max(age);
    }

    /// The age that the fraction `part` (0 to 1) of all ages do not exceed. `None` if there are none.
    pub fn percentile(&self, part: f64) -> Option<Duration> {
        let mut below = 0;
        let class = self.counts.iter().position(|count| {
            below += count;
            below > 0 && below as f64 >= part * self.total as f64
        })?;
        Some(middle_of(class).min(self.oldest))
    }

    /// The largest age; `None` if there are none.
    pub fn max(&self) -> Option<Duration> {
        (self.total > 0).then_some(self.oldest)
    }
}

/// One class per microsecond at first, then `CLASSES` per doubling.
fn class_of(age: Duration) -> usize {
    let micros = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
    let doublings = micros.checked_ilog2().unwrap_or(0).saturating_sub(CLASS_BITS);
    let class = u64::from(doublings) * CLASSES + (micros >> doublings);
    usize::try_from(class).unwrap_or(usize::MAX)
}

fn middle_of(class: usize) -> Duration {
    let class = u64::try_from(class).unwrap_or(u64::MAX);
    let doublings = (class / CLASSES).saturating_sub(1);
    let least = (class - doublings * CLASSES) << doublings;
    Duration::from_micros(least + (1 << doublings) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_age_is_known_to_one_in_sixty() {
        for micros in (0..200).chain([999, 50_000, 1_000_000, 3_600_000_000]) {
            let mut ages = Ages::default();
            ages.count(Duration::from_micros(micros));
            ages.count(Duration::from_secs(4000));
            let found = ages.percentile(0.5).expect("counted").as_micros();
            let wrong = found.abs_diff(u128::from(micros));
            assert!(wrong <= u128::from(micros / 100), "{found} instead of {micros}");
        }
    }

    #[test]
    fn percentiles_are_what_that_part_did_not_exceed() {
        let mut ages = Ages::default();
        assert_eq!((ages.percentile(0.5), ages.max()), (None, None));
        for millis in 1..=100 {
            ages.count(Duration::from_millis(millis));
        }
        for (part, millis) in [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)] {
            let found = ages.percentile(part).expect("counted").as_secs_f64() * 1e3;
            assert!((found - f64::from(millis)).abs() < 1.0, "{found} instead of {millis}");
        }
        ages.count(Duration::MAX);
        assert_eq!(ages.max(), Some(Duration::MAX));
        assert!(ages.percentile(1.0).is_some_and(|oldest| oldest > Duration::from_secs(3600)));
    }
}
