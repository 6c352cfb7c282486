//! A token bucket: allows a burst, and then a fixed rate.

use std::time::{Duration, Instant};

/// How much is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// The size of a burst, at least 1.
    pub at_once: u32,
    /// The time until one more is allowed.
    pub each: Duration,
}

/// The state of an [`Allowance`]. It starts full.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    allowance: Allowance,
    /// When the bucket will be full again, if anything was taken.
    full_at: Option<Instant>,
}

impl Bucket {
    /// A full bucket.
    pub const fn full(allowance: Allowance) -> Self {
        Self { allowance, full_at: None }
    }

    /// When the next one may be taken: now or later.
    pub fn next_at(&self, now: Instant) -> Instant {
        let Allowance { at_once, each } = self.allowance;
        let earliest = self.full_at.and_then(|full| full.checked_sub(each * (at_once - 1)));
        earliest.map_or(now, |earliest| earliest.max(now))
    }

    /// Takes one, even if it may not be taken yet.
    pub fn spend(&mut self, now: Instant) {
        self.full_at = Some(self.full_at.map_or(now, |full| full.max(now)) + self.allowance.each);
    }

    /// Takes one, if that is allowed now. Returns whether it was.
    pub fn take(&mut self, now: Instant) -> bool {
        let may = self.next_at(now) <= now;
        if may {
            self.spend(now);
        }
        may
    }

    /// When the bucket will be full again. An early time means that nothing was taken for long.
    pub fn full_at(&self) -> Option<Instant> {
        self.full_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Duration = Duration::from_millis(50);

    #[test]
    fn so_many_are_taken_at_once_and_then_one_in_each_while() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Allowance { at_once: 20, each: EACH });
        assert_eq!((0..100).filter(|_| bucket.take(start)).count(), 20);
        assert_eq!(bucket.next_at(start), start + EACH);
        assert!(!bucket.take(start + EACH / 2) && bucket.take(start + EACH));
        assert_eq!(bucket.next_at(start + EACH), start + EACH * 2);
        let later = start + Duration::from_secs(60);
        assert_eq!(bucket.next_at(later), later);
        assert_eq!((0..100).filter(|_| bucket.take(later)).count(), 20, "a rest gives no more");
    }
}
