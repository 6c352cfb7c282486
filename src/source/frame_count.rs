//! Numbers frames on from source to source, so that a viewer's sequence rises for as long as this program runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of the newest frame of all sources so far, shared by those that come one after another.
#[derive(Debug, Clone, Default)]
pub(super) struct FrameCount(Arc<AtomicU64>);

impl FrameCount {
    /// The number of a frame that comes so many after the last one.
    pub(super) fn advance(&self, step: u64) -> u64 {
        // One thread at a time has a source, so nobody comes between reading and writing.
        self.0.fetch_add(step, Ordering::Relaxed) + step
    }
}
