//! Calculates the size that viewers get, from the captured and the wished size.

use super::pixels::Size;

/// Whether a wished size may change the aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aspect {
    /// The picture keeps its aspect ratio and fits inside the wished size.
    #[default]
    Keep,
    /// The picture gets exactly the wished size.
    Stretch,
}

/// A wish for a size; each side may be left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SizeWish {
    /// The wished width.
    pub width: Option<usize>,
    /// The wished height.
    pub height: Option<usize>,
    /// What to do if both are given and the aspect ratio differs.
    pub aspect: Aspect,
}

impl SizeWish {
    /// The size in which a picture of the size `captured` is sent.
    ///
    /// With one side given, the other follows. With both: the largest size inside them that keeps
    /// the aspect ratio, or exactly that size with [`Aspect::Stretch`]. Never 0, and never over
    /// [`Size::MAX_SIDE`].
    pub fn size_for(&self, captured: Size) -> Size {
        let width_for = |height| scaled(captured.width, height, captured.height);
        let height_for = |width| scaled(captured.height, width, captured.width);
        match (self.width, self.height, self.aspect) {
            (None, None, _) => captured,
            (Some(width), Some(height), Aspect::Stretch) => Size::new(width, height),
            (Some(width), None, _) => Size::new(width, height_for(width)),
            (None, Some(height), _) => Size::new(width_for(height), height),
            (Some(width), Some(height), Aspect::Keep) => {
                if width * captured.height <= height * captured.width {
                    Size::new(width, height_for(width).min(height))
                } else {
                    Size::new(width_for(height).min(width), height)
                }
            }
        }
    }
}

/// `value * numerator / denominator`, rounded to the nearest, at least 1 and at most
/// [`Size::MAX_SIDE`].
fn scaled(value: usize, numerator: usize, denominator: usize) -> usize {
    ((value * numerator + denominator / 2) / denominator).clamp(1, Size::MAX_SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(width: usize, height: usize, aspect: Aspect) -> SizeWish {
        let side = |side| (side > 0).then_some(side);
        SizeWish { width: side(width), height: side(height), aspect }
    }

    #[test]
    fn the_shape_is_kept_unless_stretching_was_asked_for() {
        let captured = Size::new(640, 360);
        let size = |width, height| wish(width, height, Aspect::Keep).size_for(captured);
        assert_eq!(size(0, 0), captured);
        assert_eq!(size(320, 0), Size::new(320, 180));
        assert_eq!(size(0, 90), Size::new(160, 90));
        assert_eq!(size(320, 320), Size::new(320, 180));
        assert_eq!(size(320, 90), Size::new(160, 90));
        assert_eq!(size(1, 0), Size::new(1, 1));
        assert_eq!(wish(320, 320, Aspect::Stretch).size_for(captured), Size::new(320, 320));
        assert_eq!(wish(320, 0, Aspect::Stretch).size_for(captured), Size::new(320, 180));
    }
}
