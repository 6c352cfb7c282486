//! Makes luma and chroma of red, green and blue.

use super::strip::Rows;
use super::{BLOCK, low_byte, narrow};
use crate::image::frame::RawFrame;
use crate::image::pixels::Rgb;

/// Red, green and blue of a block of pixels, 0 to 255 each; in 16 bits, so that eight fit a SIMD register.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) red: [u16; BLOCK],
    pub(super) green: [u16; BLOCK],
    pub(super) blue: [u16; BLOCK],
}

/// Fills `rows`; colour is averaged over the pixels that share it.
pub(super) fn unpack(frame: &RawFrame<'_>, order: Rgb, rows: &mut Rows<'_>) {
    match order {
        Rgb::Rgb24 => rows_of::<3>(frame, rows, |at, [r, g, b]| [r, g, b].map(u16::from)[at]),
        Rgb::Bgr24 => rows_of::<3>(frame, rows, |at, [b, g, r]| [r, g, b].map(u16::from)[at]),
        Rgb::Rgbx32 => rows_of::<4>(frame, rows, |at, [r, g, b, _]| [r, g, b].map(u16::from)[at]),
        Rgb::Bgrx32 => rows_of::<4>(frame, rows, |at, [b, g, r, _]| [r, g, b].map(u16::from)[at]),
        Rgb::Xrgb32 => rows_of::<4>(frame, rows, |at, [_, r, g, b]| [r, g, b].map(u16::from)[at]),
        Rgb::Xbgr32 => rows_of::<4>(frame, rows, |at, [_, b, g, r]| [r, g, b].map(u16::from)[at]),
        Rgb::Rgb565 => rows_of::<2>(frame, rows, |at, word| of_565(u16::from_le_bytes(word))[at]),
        Rgb::Rgb565BigEndian => {
            rows_of::<2>(frame, rows, |at, word| of_565(u16::from_be_bytes(word))[at]);
        }
    }
}

/// 5, 6 and 5 bits to 8: the high bits are repeated below, so that white is 255.
#[inline(always)]
fn of_565(word: u16) -> [u16; 3] {
    let (red, green, blue) = (word >> 11, word >> 5 & 0x3F, word & 0x1F);
    [red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2]
}

/// `sample` takes red (0), green (1) or blue (2) from the `BYTES` of a pixel.
#[inline(always)]
fn rows_of<const BYTES: usize>(
    frame: &RawFrame<'_>,
    rows: &mut Rows<'_>,
    sample: impl Fn(usize, [u8; BYTES]) -> u16 + Copy,
) {
    let plane = frame.layout.first_plane().expect("a raw format");
    let [upper, lower] = rows.sources.map(|row| plane.row_of(frame.bytes, row));
    let width = frame.layout.size.width;
    let block_at = |row: &[u8], at: usize| {
        let mut padded = [[0; BYTES]; BLOCK];
        let pixels = &row.as_chunks::<BYTES>().0[at..width.min(at + BLOCK)];
        // The last block of a row is filled up with its last pixel.
        let pixels: &[[u8; BYTES]; BLOCK] = pixels.try_into().unwrap_or_else(|_| {
            padded.fill(*pixels.last().expect("a block begins inside its row"));
            padded[..pixels.len()].copy_from_slice(pixels);
            &padded
        });
        Block {
            red: pixels.map(|pixel| sample(0, pixel)),
            green: pixels.map(|pixel| sample(1, pixel)),
            blue: pixels.map(|pixel| sample(2, pixel)),
        }
    };
    convert(rows, |row, at| block_at(if row == 0 { upper } else { lower }, at));
}

/// Fills `rows` from blocks of pixels: `block_at(0 or 1, column)` is of the upper or the lower row.
#[inline(always)]
pub(super) fn convert(rows: &mut Rows<'_>, block_at: impl Fn(usize, usize) -> Block) {
    let width = rows.cb.len() * 2;
    let (upper_y, lower_y) = rows.y.split_at_mut(width);
    let has_lower = !lower_y.is_empty();
    for at in (0..width).step_by(BLOCK) {
        let count = BLOCK.min(width - at);
        let upper = block_at(0, at);
        upper_y[at..at + count].copy_from_slice(&upper.luma()[..count]);
        let both = if has_lower {
            let lower = block_at(1, at);
            lower_y[at..at + count].copy_from_slice(&lower.luma()[..count]);
            upper.average(&lower)
        } else {
            upper
        };
        let [cb, cr] = both.chroma();
        let (at, count) = (at / 2, count / 2);
        rows.cb[at..at + count].copy_from_slice(&cb[..count]);
        rows.cr[at..at + count].copy_from_slice(&cr[..count]);
    }
}

impl Block {
    #[inline(always)]
    fn average(&self, other: &Self) -> Self {
        let average = |one: &[u16; BLOCK], other: &[u16; BLOCK]| {
            std::array::from_fn(|at| (one[at] + other[at] + 1) >> 1)
        };
        Self {
            red: average(&self.red, &other.red),
            green: average(&self.green, &other.green),
            blue: average(&self.blue, &other.blue),
        }
    }

    /// 0.299 R + 0.587 G + 0.114 B, in 1/256; the weights sum to 256, so that grey stays grey.
    #[inline(always)]
    pub(super) fn luma(&self) -> [u8; BLOCK] {
        narrow(std::array::from_fn(|at| {
            (77 * self.red[at] + 150 * self.green[at] + 29 * self.blue[at] + 128) >> 8
        }))
    }

    /// -0.168736 R - 0.331264 G + 0.5 B and 0.5 R - 0.418688 G - 0.081312 B, in 1/256 and around 128, each of
    /// two pixels; the bytes beyond are 0. 32895 is 128.5 less what would overflow at pure blue and red.
    #[inline(always)]
    fn chroma(&self) -> [[u8; BLOCK]; 2] {
        let (mut cb, mut cr) = ([0; BLOCK], [0; BLOCK]);
        let sum = |of: &[u16; BLOCK], at: usize| (of[2 * at] + of[2 * at + 1] + 1) >> 1;
        for at in 0..BLOCK / 2 {
            let (red, green, blue) =
                (sum(&self.red, at), sum(&self.green, at), sum(&self.blue, at));
            cb[at] = low_byte((128 * blue + 32_895 - 43 * red - 85 * green) >> 8);
            cr[at] = low_byte((128 * red + 32_895 - 107 * green - 21 * blue) >> 8);
        }
        [cb, cr]
    }
}
