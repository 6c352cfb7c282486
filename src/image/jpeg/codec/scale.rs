//! The scales at which a JPEG is decoded to fewer pixels, for less work.

use crate::image::pixels::Size;
use turbojpeg::ScalingFactor;

/// A DCT scale: one pixel for each square of 1, 2, 4 or 8 pixels a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Scale {
    divisor: usize,
}

/// Those for which libjpeg-turbo has SIMD, the smallest first; the other eighths run in plain C.
const DIVISORS: [usize; 3] = [8, 4, 2];

impl Scale {
    /// The smallest scale at which a picture of size `full` is at least `at_least`.
    pub(in super::super) fn at_least(full: Size, at_least: Size) -> Self {
        let scales = DIVISORS.map(|divisor| Self { divisor });
        let suffices = |scale: &Self| {
            let size = scale.of(full);
            size.width >= at_least.width && size.height >= at_least.height
        };
        scales.into_iter().find(suffices).unwrap_or(Self { divisor: 1 })
    }

    /// The size of a picture of size `full` at this scale.
    pub(in super::super) fn of(self, full: Size) -> Size {
        Size::new(self.rows(full.width), self.rows(full.height))
    }

    /// How many rows (or columns) so many become at this scale.
    pub(in super::super) fn rows(self, full: usize) -> usize {
        full.div_ceil(self.divisor)
    }

    /// How many pixels a side become one.
    pub(in super::super) fn divisor(self) -> usize {
        self.divisor
    }

    pub(super) fn factor(self) -> ScalingFactor {
        ScalingFactor::new(1, self.divisor)
    }
}
