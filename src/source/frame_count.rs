//! Numbers frames across sources, so that a viewer's sequence numbers rise for as long as this
//! program runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of the newest frame, shared by sources that are open one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct FrameCount(Arc<AtomicU64>);

impl FrameCount {
    /// The number of a frame that comes `step` after the last one.
    pub(super) fn advance(&self, step: u64) -> u64 {
        // Only one thread at a time has a source, so no other frame comes between reading and
        // writing.
        self.0.fetch_add(step, Ordering::Relaxed) + step
    }
}
