//! A token bucket: so much at once, and then so much in a time.

use std::time::{Duration, Instant};

/// How much is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// At once, after a rest. At least 1.
    pub at_once: u32,
    /// How long it takes until one more is allowed.
    pub each: Duration,
}

/// What is left of an [`Allowance`]; at first all of it.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    allowance: Allowance,
    /// When the bucket is full again, if something was taken.
    full_at: Option<Instant>,
}

impl Bucket {
    /// A full one.
    pub const fn full(allowance: Allowance) -> Self {
        Self { allowance, full_at: None }
    }

    /// When the next one may be taken: now, or later.
    pub fn next_at(&self, now: Instant) -> Instant {
        let Allowance { at_once, each } = self.allowance;
        let earliest = self.full_at.and_then(|full| full.checked_sub(each * (at_once - 1)));
        earliest.map_or(now, |earliest| earliest.max(now))
    }

    /// Takes one, whether or not it may be taken yet.
    pub fn spend(&mut self, now: Instant) {
        self.full_at = Some(self.full_at.map_or(now, |full| full.max(now)) + self.allowance.each);
    }

    /// Takes one if that is allowed now.
    pub fn take(&mut self, now: Instant) -> bool {
        let may = self.next_at(now) <= now;
        if may {
            self.spend(now);
        }
        may
    }

    /// When it is full again: the earlier, the longer nothing was taken.
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
