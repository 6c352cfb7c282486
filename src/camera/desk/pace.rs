//! How often viewers may have a control set: a lens has a motor, and a camera has one queue for all calls.

use std::time::{Duration, Instant};

/// Calls that may be made at once, and how long it takes until one more may be made.
const AT_ONCE: u32 = 20;
const EACH: Duration = Duration::from_millis(50);

/// A budget of calls for all viewers together: 20 at once, then 20 in a second.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the whole budget is there again.
    full_at: Option<Instant>,
}

impl Pace {
    /// When the next call may be made.
    pub(super) fn next_at(&self, now: Instant) -> Instant {
        let earliest = self.full_at.and_then(|full| full.checked_sub(EACH * (AT_ONCE - 1)));
        earliest.map_or(now, |earliest| earliest.max(now))
    }

    /// A call was made.
    pub(super) fn spend(&mut self, now: Instant) {
        self.full_at = Some(self.full_at.map_or(now, |full| full.max(now)) + EACH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_calls_go_at_once_and_then_one_each_fifty_milliseconds() {
        let start = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..AT_ONCE {
            assert_eq!(pace.next_at(start), start);
            pace.spend(start);
        }
        assert_eq!(pace.next_at(start), start + EACH);
        pace.spend(start + EACH);
        assert_eq!(pace.next_at(start + EACH), start + EACH * 2);
        let later = start + Duration::from_secs(60);
        for _ in 0..AT_ONCE {
            assert_eq!(pace.next_at(later), later, "a rest restores the budget, and no more");
            pace.spend(later);
        }
        assert!(pace.next_at(later) > later);
    }
}
