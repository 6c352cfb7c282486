//! A picture for a screen: one 32-bit word per pixel.

use super::frame::Micros;
use super::orientation::Orientation;
use super::pixels::Size;

/// Pixels as `0x00RRGGBB`, row by row without padding, as `minifb` shows them.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    pixels: Vec<u32>,
    size: Option<Size>,
    /// The frame's sequence number. Gaps are frames that were skipped on the way.
    pub sequence: u64,
    /// When the frame was captured, by the camera's clock.
    pub captured_at: Micros,
}

/// The side of the squares in which a picture is turned: two of them fit into the first-level
/// cache.
const SQUARE: usize = 32;

impl Picture {
    /// A picture of one colour.
    pub fn blank(size: Size, colour: u32) -> Self {
        let mut picture = Self::default();
        picture.reshape(size);
        picture.pixels_mut().fill(colour);
        picture
    }

    /// Changes the size of the picture; its pixels are then arbitrary. Allocates only if the
    /// picture was never that large before.
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

    /// The pixels, for writing.
    pub fn pixels_mut(&mut self) -> &mut [u32] {
        let len = self.size().area();
        &mut self.pixels[..len]
    }

    /// Fills `target` with this picture, turned. Allocates only if `target` was never that large
    /// before.
    pub fn turn_into(&self, orientation: Orientation, target: &mut Self) {
        target.reshape(orientation.size_of(self.size()));
        let (from, to) = (self.size(), target.size());
        if from.area() == 0 {
            return;
        }
        let steps = orientation.steps();
        // Work in squares: when rows become columns, each cache line is used completely before it
        // is evicted.
        for top in (0..to.height).step_by(SQUARE) {
            for left in (0..to.width).step_by(SQUARE) {
                let right = (left + SQUARE).min(to.width);
                for y in top..(top + SQUARE).min(to.height) {
                    let across = if steps.top_bottom { to.height - 1 - y } else { y };
                    let row = &mut target.pixels[y * to.width..][left..right];
                    for (x, pixel) in (left..right).zip(row) {
                        let along = if steps.left_right { to.width - 1 - x } else { x };
                        let (x, y) =
                            if steps.transpose { (across, along) } else { (along, across) };
                        *pixel = self.pixels[y * from.width + x];
                    }
                }
            }
        }
    }

    /// Red, green and blue of one pixel.
    pub fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let [_, red, green, blue] = self.pixels()[y * self.size().width + x].to_be_bytes();
        [red, green, blue]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::orientation::Rotation;

    #[test]
    fn a_turned_picture_has_its_corners_where_they_belong() {
        let size = Size::new(70, 40);
        let mut picture = Picture::blank(size, 0);
        picture.pixels_mut()[0] = 1;
        picture.pixels_mut()[69] = 2;
        let mut turned = Picture::default();
        let (right, bottom) = (69, 39);
        for (orientation, first, second) in [
            (Orientation::turned(Rotation::Quarter), (bottom, 0), (bottom, right)),
            (Orientation::turned(Rotation::Half), (right, bottom), (0, bottom)),
            (Orientation::turned(Rotation::ThreeQuarters), (0, right), (0, 0)),
            (Orientation::FLIPPED_LEFT_RIGHT, (right, 0), (0, 0)),
            (Orientation::FLIPPED_TOP_BOTTOM, (0, bottom), (right, bottom)),
        ] {
            picture.turn_into(orientation, &mut turned);
            assert_eq!(turned.size(), orientation.size_of(size));
            let at = |(x, y): (usize, usize)| turned.rgb(x, y)[2];
            assert_eq!((at(first), at(second)), (1, 2), "{orientation:?}");
        }
    }
}
