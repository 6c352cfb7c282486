//! A picture ready for a screen: one 32-bit word per pixel.

use super::frame::Micros;
use super::pixels::Size;

/// The most pixels a picture may have: 64 million, twice an 8K screen.
///
/// Checked before memory is asked for, since the number comes from a stranger.
pub const MAX_PIXELS: usize = 64 << 20;

/// Pixels as `0x00RRGGBB`, row by row without padding: what `minifb` shows.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    pixels: Vec<u32>,
    size: Option<Size>,
    /// The frame's number; gaps are frames that were skipped on the way.
    pub sequence: u64,
    /// When the camera took it, on the camera's clock.
    pub captured_at: Micros,
}

impl Picture {
    /// A picture of one colour.
    pub fn blank(size: Size, colour: u32) -> Self {
        let mut picture = Self::default();
        picture.reshape(size);
        picture.pixels_mut().fill(colour);
        picture
    }

    /// Makes the picture `size` large; the pixels are then whatever was there. Allocates only when
    /// the picture was never that large before.
    pub fn reshape(&mut self, size: Size) {
        if self.pixels.len() < size.area() {
            self.pixels.resize(size.area(), 0);
        }
        self.size = Some(size);
    }

    /// Width and height; 0x0 before the first [`reshape`](Self::reshape).
    pub fn size(&self) -> Size {
        self.size.unwrap_or(Size::new(0, 0))
    }

    /// The pixels.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels[..self.size().area()]
    }

    /// The pixels, to be written.
    pub fn pixels_mut(&mut self) -> &mut [u32] {
        let len = self.size().area();
        &mut self.pixels[..len]
    }

    /// Red, green and blue of one pixel.
    pub fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let [_, red, green, blue] = self.pixels()[y * self.size().width + x].to_be_bytes();
        [red, green, blue]
    }
}
