//! A picture of words that is to be drawn: it looks like the pictures before it, which some programs rely on.

use crate::camera::encode::{Coding, Recipe};
use crate::camera::notices::Trouble;
use crate::camera::roster::wish::Wish;
use crate::image::pixels::{Chroma, Size};

/// Of a notice before there ever was a picture.
const USUAL_SIZE: Size = Size::new(640, 360);

/// Of all notices, whatever the stream's is: there is little to lose.
const QUALITY: u8 = 80;

/// A picture of words that is to be drawn.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What it says.
    pub trouble: Trouble,
    pub(super) wish: Wish,
    /// How the last picture looked, if there was one.
    pub(super) like: Option<Look>,
}

/// How a picture looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) size: Size,
    /// Of a JPEG.
    pub(super) chroma: Option<Chroma>,
}

impl Notice {
    /// How it is encoded, where viewers without wishes are shown pictures of the size `shown`, if that is known.
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
