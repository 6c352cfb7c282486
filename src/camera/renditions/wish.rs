//! What viewers wish for, and what that comes to once it is known what is captured.

use crate::camera::encode::{Coding, Recipe};
use crate::image::pixels::{PixelFormat, Size};
use crate::image::rendition::SizeWish;
use crate::wire::native::message::Wishes;

/// What a viewer asks for, with the camera's own options where it leaves something open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    coding: Coding,
    size: SizeWish,
    growth: Growth,
    touch: Touch,
    /// Frames per thousand seconds; 0 takes all there are.
    pub millifps: u32,
}

/// Whether a picture may be sent larger than it was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// The camera's owner may spend its time so.
    Allowed,
    /// A viewer's window enlarges for nothing.
    Never,
}

/// Whether a JPEG of the right size may be sent as the camera made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touch {
    OnlyIfNeeded,
    /// A quality was named, and the camera's is another.
    Always,
}

/// What the camera's frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured {
    /// JPEGs may pass through.
    pub format: PixelFormat,
    /// Of the picture as viewers see it.
    pub size: Size,
}

/// How the pictures for one wish come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The camera's own JPEGs, untouched.
    AsCaptured,
    /// Encoded by this recipe.
    Made(Recipe),
}

impl Wish {
    /// What the camera's own options say.
    pub fn own(coding: Coding, size: SizeWish) -> Self {
        Self { coding, size, growth: Growth::Allowed, touch: Touch::OnlyIfNeeded, millifps: 0 }
    }

    /// These camera's options, with what a viewer wishes in their place.
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
        self.millifps = wishes.millifps;
        self
    }

    /// What this wish comes to.
    pub fn form(&self, captured: Captured) -> Form {
        let mut size = self.size.size_for(captured.size);
        let is_larger = size.width > captured.size.width || size.height > captured.size.height;
        if self.growth == Growth::Never && is_larger {
            size = captured.size;
        }
        let may_pass = captured.format == PixelFormat::Jpeg
            && matches!(self.coding, Coding::Jpeg { .. })
            && self.touch == Touch::OnlyIfNeeded;
        if may_pass && size == captured.size {
            return Form::AsCaptured;
        }
        Form::Made(Recipe { coding: self.coding, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Chroma;

    const JPEG: Coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
    const CAPTURED: Captured = Captured { format: PixelFormat::Jpeg, size: Size::new(640, 360) };

    fn form(own: SizeWish, width: u16, height: u16, quality: u8) -> Form {
        let wishes = Wishes { width, height, quality, millifps: 0 };
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
}
