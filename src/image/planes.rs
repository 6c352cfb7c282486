//! The Y, Cb and Cr planes of one picture, from which every rendition starts.

use super::pixels::{Chroma, Size};
use std::ops::Range;

/// Three planes in one buffer: Y, Cb, Cr, in full-range BT.601, without gaps between rows.
///
/// For odd sizes the Y plane has the size [`Chroma::luma_size`], with its last column or row
/// repeated, so that libjpeg-turbo can take the planes as they are.
#[derive(Debug)]
pub struct Planes {
    bytes: Vec<u8>,
    size: Size,
    chroma: Chroma,
}

/// The planes of one picture, borrowed for writing.
#[derive(Debug)]
pub struct PlanesMut<'a> {
    /// Luma, with the size [`Chroma::luma_size`].
    pub y: &'a mut [u8],
    /// Blue difference, with the size [`Chroma::chroma_size`].
    pub cb: &'a mut [u8],
    /// Red difference, with the same size.
    pub cr: &'a mut [u8],
}

/// Whole rows of planes, borrowed: a picture, or a part of one from side to side.
#[derive(Debug, Clone, Copy)]
pub struct Strip<'a> {
    /// Its size as a picture of its own.
    pub size: Size,
    /// The subsampling of its Cb and Cr planes.
    pub chroma: Chroma,
    /// Y, Cb and Cr, laid out as those of [`Planes`].
    pub planes: [&'a [u8]; 3],
}

impl Default for Planes {
    fn default() -> Self {
        Self { bytes: Vec::new(), size: Size::new(0, 0), chroma: Chroma::Yuv420 }
    }
}

impl Planes {
    /// Changes the size of the planes. Allocates only if they were never that large before.
    pub fn reshape(&mut self, size: Size, chroma: Chroma) {
        self.size = size;
        self.chroma = chroma;
        let len = self.len();
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
        }
    }

    /// The size of the picture.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The subsampling of the Cb and Cr planes.
    pub fn chroma(&self) -> Chroma {
        self.chroma
    }

    /// All three planes as one slice, in the layout that libjpeg-turbo calls packed planar
    /// (alignment 1).
    pub fn packed(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// The same for writing.
    pub fn packed_mut(&mut self) -> &mut [u8] {
        let len = self.len();
        &mut self.bytes[..len]
    }

    /// Writes what the Y plane has beyond the picture: its last column and row, repeated.
    pub(super) fn repeat_edges(&mut self) {
        let Size { width, height } = self.size;
        let luma = self.chroma.luma_size(self.size);
        let y = self.split_mut().y;
        for row in y.chunks_exact_mut(luma.width).take(height) {
            let last = row[width - 1];
            row[width..].fill(last);
        }
        for row in height..luma.height {
            y.copy_within((height - 1) * luma.width..height * luma.width, row * luma.width);
        }
    }

    /// The planes Y, Cb and Cr; the last two are empty for grey.
    pub fn split(&self) -> [&[u8]; 3] {
        let (y, chroma) = self.packed().split_at(self.chroma.luma_size(self.size).area());
        let (cb, cr) = chroma.split_at(chroma.len() / 2);
        [y, cb, cr]
    }

    /// The planes, for writing.
    pub fn split_mut(&mut self) -> PlanesMut<'_> {
        let luma = self.chroma.luma_size(self.size).area();
        let (y, chroma) = self.packed_mut().split_at_mut(luma);
        let (cb, cr) = chroma.split_at_mut(chroma.len() / 2);
        PlanesMut { y, cb, cr }
    }

    /// The rows of the picture from `top` on, at most `rows` of them.
    ///
    /// # Panics
    /// When `top` is no multiple of the chroma's rows, or not above the last row.
    pub fn strip(&self, top: usize, rows: usize) -> Strip<'_> {
        assert_eq!(top % self.chroma.factors().height, 0, "a row of chroma is not cut");
        let size = Size::new(self.size.width, rows.min(self.size.height - top));
        let [luma, of_chroma] = self.places(top, size.height);
        let [y, cb, cr] = self.split();
        let planes = [&y[luma], &cb[of_chroma.clone()], &cr[of_chroma]];
        Strip { size, chroma: self.chroma, planes }
    }

    /// Where the samples of `rows` rows from `top` on stand: in the Y plane, and in the other two.
    fn places(&self, top: usize, rows: usize) -> [Range<usize>; 2] {
        let (width, chroma) = (self.size.width, self.chroma);
        let until = |rows: usize| {
            let size = Size::new(width, rows);
            (chroma.luma_size(size).area(), chroma.chroma_size(size).area())
        };
        let ((luma, of_chroma), (luma_len, chroma_len)) = (until(top), until(rows));
        [luma..luma + luma_len, of_chroma..of_chroma + chroma_len]
    }

    fn len(&self) -> usize {
        self.chroma.luma_size(self.size).area() + 2 * self.chroma.chroma_size(self.size).area()
    }

    /// Writes the picture as rows of B, G, R bytes without padding. Takes the chroma sample of each
    /// pixel without interpolation; pictures for people go through libjpeg-turbo instead.
    ///
    /// # Panics
    /// When these planes are not 4:2:0, or `bgr` does not have three bytes for each pixel.
    pub fn write_bgr(&self, bgr: &mut [u8]) {
        assert_eq!(self.chroma, Chroma::Yuv420, "made for the one layout that is sent so");
        assert_eq!(bgr.len(), self.size.area() * 3, "three bytes a pixel");
        let luma_width = self.chroma.luma_size(self.size).width;
        let chroma_width = self.chroma.chroma_size(self.size).width;
        let [y, cb, cr] = self.split();
        for (row, out) in bgr.chunks_exact_mut(self.size.width * 3).enumerate() {
            let y = &y[row * luma_width..][..self.size.width];
            let cb = &cb[row / 2 * chroma_width..][..chroma_width];
            let cr = &cr[row / 2 * chroma_width..][..chroma_width];
            for (column, (out, &y)) in out.as_chunks_mut::<3>().0.iter_mut().zip(y).enumerate() {
                *out = bgr_of(y, cb[column / 2], cr[column / 2]);
            }
        }
    }
}

/// Full-range BT.601 (JFIF 1.02): R = Y + 1.402 Cr, G = Y - 0.344136 Cb - 0.714136 Cr, B = Y +
/// 1.772 Cb, in units of 1/65536.
#[inline(always)]
fn bgr_of(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let y = (i32::from(y) << 16) + (1 << 15);
    let cb = i32::from(cb) - 128;
    let cr = i32::from(cr) - 128;
    [y + 116_130 * cb, y - 22_553 * cb - 46_802 * cr, y + 91_881 * cr]
        .map(|value| u8::try_from((value >> 16).clamp(0, 255)).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bgr_bytes_are_blue_green_and_red() {
        let mut planes = Planes::default();
        planes.reshape(Size::new(3, 1), Chroma::Yuv420);
        let to = planes.split_mut();
        // Full-range BT.601 of pure red, then grey.
        to.y.copy_from_slice(&[76, 76, 100, 0, 0, 0, 0, 0]);
        to.cb.copy_from_slice(&[85, 128]);
        to.cr.copy_from_slice(&[255, 128]);
        let mut bgr = [0; 9];
        planes.write_bgr(&mut bgr);
        assert_eq!(bgr, [0, 0, 254, 0, 0, 254, 100, 100, 100]);
    }
}
