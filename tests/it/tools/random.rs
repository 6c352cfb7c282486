//! Random numbers for tests: the same after each start from the same seed.

use std::time::Duration;

/// Marsaglia's xorshift64.
pub(crate) struct Random(u64);

impl Random {
    /// Zero has no other number after it, so another seed is taken for it.
    pub(crate) fn new(seed: u64) -> Self {
        Self(if seed == 0 { 0x9E37_79B9_7F4A_7C15 } else { seed })
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 0 to `limit - 1`; 0 if `limit` is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).expect("a small number");
        usize::try_from(self.next() % limit).expect("small")
    }

    /// A time from nothing to nearly `limit`.
    pub(crate) fn time_below(&mut self, limit: Duration) -> Duration {
        limit * u32::try_from(self.below(1000)).expect("below 1000") / 1000
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.below(these.len())]
    }
}
