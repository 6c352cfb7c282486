//! What viewers wish for, and which form of the captured picture a wish results in.

use crate::camera::encode::{Coding, Recipe};
use crate::image::pixels::{PixelFormat, Size};
use crate::image::size_wish::SizeWish;
use crate::rate::Rate;
use crate::wire::ladder::Rung;
use crate::wire::native::message::Wishes;

/// A viewer's wish, filled up with the camera's own options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    coding: Coding,
    size: SizeWish,
    growth: Growth,
    reduction: Reduction,
    touch: Touch,
    /// The frame rate; none takes every frame.
    pub rate: Rate,
}

/// Whether a picture may be sent larger than it was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// The camera's owner may ask for it, at the cost of CPU time.
    Allowed,
    /// A viewer may not: its window can enlarge the picture without cost to the camera.
    Never,
}

/// How much smaller than the wished size the picture is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reduction {
    None,
    /// Half the width and half the height.
    Half,
}

/// Whether a JPEG of the right size may be sent as captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touch {
    OnlyIfNeeded,
    /// Never: the wish names a quality, and the camera's quality is unknown.
    Always,
}

/// What the camera's frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured {
    /// JPEGs can be passed through.
    pub format: PixelFormat,
    /// The size of the upright picture.
    pub size: Size,
}

/// How the pictures for a wish are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The camera's own JPEGs, not encoded again.
    AsCaptured,
    /// Encoded by this recipe.
    Made(Recipe),
}

impl Form {
    /// The size of its pictures.
    pub fn size(self, captured: Captured) -> Size {
        match self {
            Self::AsCaptured => captured.size,
            Self::Made(recipe) => recipe.size,
        }
    }
}

impl Wish {
    /// The wish of the camera's own options.
    pub fn own(coding: Coding, size: SizeWish) -> Self {
        Self {
            coding,
            size,
            growth: Growth::Allowed,
            reduction: Reduction::None,
            touch: Touch::OnlyIfNeeded,
            rate: Rate::NONE,
        }
    }

    /// The camera's options, with a viewer's wishes replacing some of them.
    #[must_use]
    pub fn with(mut self, wishes: &Wishes) -> Self {
        let side = |side: u16| (side > 0).then_some(usize::from(side));
        let (width, height) = (side(wishes.width), side(wishes.height));
        if (width, height) != (None, None) {
            self.size = SizeWish { width, height, ..SizeWish::default() };
            self.growth = Growth::Never;
        }
        if let Coding::Jpeg { quality, .. } = &mut self.coding
            && wishes.quality > 0
        {
            *quality = wishes.quality;
            self.touch = Touch::Always;
        }
        self.rate = wishes.rate;
        self
    }

    /// The same picture at the rate of `other`.
    #[must_use]
    pub fn at_the_rate_of(self, other: &Self) -> Self {
        Self { rate: other.rate, ..self }
    }

    /// This wish on a lower rung, for a link that is too narrow; `None` if that would be no less.
    #[must_use]
    pub fn on(mut self, rung: Rung) -> Option<Self> {
        let Coding::Jpeg { quality, .. } = &mut self.coding else { return None };
        let asked = *quality;
        *quality = asked.min(rung.most_quality());
        if rung == Rung::HalfSize {
            self.reduction = Reduction::Half;
        }
        (*quality < asked || rung == Rung::HalfSize).then_some(self)
    }

    /// The JPEG quality; `None` for pictures that are not JPEGs.
    pub fn quality(&self) -> Option<u8> {
        match self.coding {
            Coding::Jpeg { quality, .. } => Some(quality),
            Coding::Bgr24 => None,
        }
    }

    /// The recipe for this wish if every picture has to be encoded here and the camera's pictures
    /// have the size `captured`.
    pub fn recipe(&self, captured: Size) -> Recipe {
        Recipe { coding: self.coding, size: self.size_of(captured) }
    }

    /// Whether pictures for this wish are encoded here.
    pub fn is_encoded(&self, captured: Captured) -> bool {
        matches!(self.form(captured), Form::Made(_))
    }

    /// Whether this is what the camera's owner chose, apart from the rate.
    pub fn is_the_owners(&self) -> bool {
        self.growth == Growth::Allowed
            && self.reduction == Reduction::None
            && self.touch == Touch::OnlyIfNeeded
    }

    /// How far the pictures of `other` are from this wish: first by size, then by quality. `None`
    /// if their encoding differs.
    pub fn distance(&self, other: &Self, captured: Captured) -> Option<(usize, u8)> {
        let quality = self.quality()?.abs_diff(other.quality()?);
        let pixels = |wish: &Self| wish.form(captured).size(captured).area().max(1);
        let (wanted, found) = (pixels(self), pixels(other));
        // The ratio of their areas in thousandths: half the size is as far away as twice the size.
        let ratio = wanted.max(found).saturating_mul(1000) / wanted.min(found);
        Some((ratio, quality))
    }

    /// The form of the pictures for this wish.
    pub fn form(&self, captured: Captured) -> Form {
        let size = self.size_of(captured.size);
        let may_pass = captured.format == PixelFormat::Jpeg
            && matches!(self.coding, Coding::Jpeg { .. })
            && self.touch == Touch::OnlyIfNeeded;
        if may_pass && size == captured.size {
            return Form::AsCaptured;
        }
        Form::Made(Recipe { coding: self.coding, size })
    }

    fn size_of(&self, captured: Size) -> Size {
        let size = self.size.size_for(captured);
        let is_larger = size.width > captured.width || size.height > captured.height;
        let size = if self.growth == Growth::Never && is_larger { captured } else { size };
        match self.reduction {
            Reduction::None => size,
            Reduction::Half => Size::new(size.width.div_ceil(2), size.height.div_ceil(2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Chroma;

    const JPEG: Coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
    const CAPTURED: Captured = Captured { format: PixelFormat::Jpeg, size: Size::new(640, 360) };

    fn form(own: SizeWish, width: u16, height: u16, quality: u8) -> Form {
        let wishes = Wishes { width, height, quality, rate: Rate::NONE };
        Wish::own(JPEG, own).with(&wishes).form(CAPTURED)
    }

    fn made(width: usize, height: usize) -> Form {
        Form::Made(Recipe { coding: JPEG, size: Size::new(width, height) })
    }

    #[test]
    fn wishes_that_equal_the_capture_pass_through() {
        let own = SizeWish::default();
        assert_eq!(form(own, 0, 0, 0), Form::AsCaptured);
        assert_eq!(form(own, 640, 0, 0), Form::AsCaptured);
        assert_eq!(form(own, 0, 360, 0), Form::AsCaptured);
        assert_eq!(form(own, 320, 0, 0), made(320, 180));
        assert_eq!(form(own, 0, 180, 0), made(320, 180));
    }

    #[test]
    fn a_named_quality_is_made_and_a_larger_picture_is_not() {
        let own = SizeWish::default();
        assert_eq!(form(own, 5000, 0, 0), Form::AsCaptured);
        assert_eq!(form(own, 0, u16::MAX, 0), Form::AsCaptured);
        let Form::Made(recipe) = form(own, 0, 0, 81) else { panic!("as captured") };
        assert_eq!(recipe.coding, Coding::Jpeg { quality: 81, chroma: Chroma::Yuv420 });
        assert_eq!(recipe.size, CAPTURED.size);
    }

    #[test]
    fn what_a_viewer_leaves_open_is_the_cameras() {
        let own = SizeWish { width: Some(1280), ..SizeWish::default() };
        assert_eq!(form(own, 0, 0, 0), made(1280, 720));
        assert_eq!(form(own, 0, 90, 0), made(160, 90));
        let raw = Captured { format: PixelFormat::YUYV, ..CAPTURED };
        assert_eq!(Wish::own(JPEG, SizeWish::default()).form(raw), made(640, 360));
    }

    #[test]
    fn a_lower_rung_is_less_of_the_same() {
        let raw = Captured { format: PixelFormat::YUYV, ..CAPTURED };
        let on = |quality, rung| {
            let wishes = Wishes { width: 321, quality, ..Wishes::default() };
            let wish = Wish::own(JPEG, SizeWish::default()).with(&wishes).on(rung)?;
            let Form::Made(Recipe { coding: Coding::Jpeg { quality, .. }, size }) = wish.form(raw)
            else {
                panic!("not a JPEG that is made");
            };
            Some((size.width, size.height, quality))
        };
        assert_eq!(on(80, Rung::Quality60), Some((321, 181, 60)));
        assert_eq!(on(80, Rung::Quality40), Some((321, 181, 40)));
        assert_eq!(on(80, Rung::HalfSize), Some((161, 91, 60)));
        assert_eq!(on(30, Rung::HalfSize), Some((161, 91, 30)));
        assert_eq!(on(50, Rung::Quality60), None, "a ceiling");
        assert_eq!(on(80, Rung::Asked), None);
        let own = Wish::own(JPEG, SizeWish::default());
        let lower = own.on(Rung::Quality40).expect("a lower quality");
        assert_eq!(lower.form(CAPTURED), Form::AsCaptured, "the camera's own stay untouched");
        assert_eq!(Wish::own(Coding::Bgr24, SizeWish::default()).on(Rung::HalfSize), None);
    }
}
