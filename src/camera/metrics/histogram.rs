//! A histogram of durations.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Upper bounds of the buckets in microseconds: from the delay of a cable to the time after which
/// people give up.
const BOUNDS: [u64; 12] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000,
];

/// A count for each range of durations.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// The last counts everything longer.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum: AtomicU64,
}

impl Histogram {
    /// Counts one duration.
    pub(super) fn count(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|&bound| micros <= bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(micros, Relaxed);
    }

    /// Each upper bound in seconds with the number of durations up to it; the number of all
    /// durations; their sum in seconds.
    pub(super) fn read(&self) -> (Vec<(f64, u64)>, u64, f64) {
        let mut so_far = 0;
        let mut cumulative = Vec::with_capacity(BOUNDS.len());
        for (bucket, &bound) in self.buckets.iter().zip(&BOUNDS) {
            so_far += bucket.load(Relaxed);
            cumulative.push((seconds(bound), so_far));
        }
        let all = so_far + self.buckets[BOUNDS.len()].load(Relaxed);
        (cumulative, all, seconds(self.sum.load(Relaxed)))
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}
