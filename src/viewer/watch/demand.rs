//! The size in which a camera's pictures are shown, so that no more is decoded than is seen.

use crate::image::pixels::Size;
use std::sync::atomic::{AtomicU64, Ordering};

/// The size in which pictures are shown. The screen sets it, the receiver reads it.
#[derive(Debug)]
pub struct Demand(AtomicU64);

/// The picture is not shown.
const HIDDEN: u64 = 0;

impl Default for Demand {
    /// All pixels are needed.
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Demand {
    /// Sets the size in which the whole picture is shown; `None` if it is not shown.
    pub fn set(&self, shown: Option<Size>) {
        let side = |side: usize| u64::from(u32::try_from(side).unwrap_or(u32::MAX));
        let packed = shown.map_or(HIDDEN, |size| side(size.width) << 32 | side(size.height));
        // Relaxed is enough: a frame still decoded at the old size is only scaled once more.
        self.0.store(packed, Ordering::Relaxed);
    }

    /// The least size that should be decoded; `None` if frames need not be decoded.
    pub fn get(&self) -> Option<Size> {
        let packed = self.0.load(Ordering::Relaxed);
        let side = |bits: u64| usize::try_from(bits & u64::from(u32::MAX)).unwrap_or(usize::MAX);
        (packed != HIDDEN).then(|| Size::new(side(packed >> 32), side(packed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_is_wanted_until_somebody_knows_better() {
        let demand = Demand::default();
        assert!(demand.get().is_some_and(|size| size.width > Size::MAX_SIDE));
        for shown in [None, Some(Size::new(640, 360)), Some(Size::new(1, 0))] {
            demand.set(shown);
            assert_eq!(demand.get(), shown);
        }
    }
}
