//! The description of a picture of words. It has the format of the pictures before it, since some
//! programs cannot follow a change.

use crate::camera::encode::{Coding, Recipe};
use crate::camera::notices::Trouble;
use crate::camera::roster::wish::Wish;
use crate::image::pixels::{Chroma, Size};

/// The size of a notice when there was no picture before.
const USUAL_SIZE: Size = Size::new(640, 360);

/// The JPEG quality of every notice.
const QUALITY: u8 = 80;

/// A picture of words that is to be drawn.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What it says.
    pub trouble: Trouble,
    pub(super) wish: Wish,
    /// The format of the last picture, if there was one.
    pub(super) like: Option<Look>,
}

/// The format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) size: Size,
    /// `None` if it is not a JPEG.
    pub(super) chroma: Option<Chroma>,
}

impl Notice {
    /// How to encode the notice. `shown` is the size that viewers without wishes get, if known.
    pub(super) fn recipe(&self, shown: Option<Size>) -> Recipe {
        let mut recipe = self.wish.recipe(shown.unwrap_or(USUAL_SIZE));
        if let Some(Look { size, chroma }) = self.like {
            recipe.size = size;
            if let Some(chroma) = chroma {
                recipe.coding = Coding::Jpeg { quality: QUALITY, chroma };
            }
        }
        if let Coding::Jpeg { quality, .. } = &mut recipe.coding {
            *quality = QUALITY;
        }
        recipe
    }
}
