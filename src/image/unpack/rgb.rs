//! Computes luma and chroma from red, green and blue.

use super::strip::Rows;
use super::{BLOCK, narrow, words};
use crate::image::frame::RawFrame;
use crate::image::pixels::Rgb;

/// Red, green and blue of a block of pixels, 0 to 255 each, in 16 bits, so that eight fit a SIMD
/// register.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) red: [u16; BLOCK],
    pub(super) green: [u16; BLOCK],
    pub(super) blue: [u16; BLOCK],
}

/// Fills `rows`. Chroma is the average of the pixels that share it.
pub(super) fn unpack(frame: &RawFrame<'_>, order: Rgb, rows: &mut Rows<'_>) {
    match order {
        Rgb::Rgb24 => rows_of::<3>(frame, rows, |pixels| Block::of(&spread(pixels), [0, 1, 2])),
        Rgb::Bgr24 => rows_of::<3>(frame, rows, |pixels| Block::of(&spread(pixels), [2, 1, 0])),
        Rgb::Rgbx32 => rows_of::<4>(frame, rows, |pixels| Block::of(pixels, [0, 1, 2])),
        Rgb::Bgrx32 => rows_of::<4>(frame, rows, |pixels| Block::of(pixels, [2, 1, 0])),
        Rgb::Xrgb32 => rows_of::<4>(frame, rows, |pixels| Block::of(pixels, [1, 2, 3])),
        Rgb::Xbgr32 => rows_of::<4>(frame, rows, |pixels| Block::of(pixels, [3, 2, 1])),
        Rgb::Rgb565 => {
            rows_of::<2>(frame, rows, |pixels| Block::of_565(pixels.map(u16::from_le_bytes)));
        }
        Rgb::Rgb565BigEndian => {
            rows_of::<2>(frame, rows, |pixels| Block::of_565(pixels.map(u16::from_be_bytes)));
        }
    }
}

/// `block` converts a block of pixels of `BYTES` bytes each.
#[inline(always)]
fn rows_of<const BYTES: usize>(
    frame: &RawFrame<'_>,
    rows: &mut Rows<'_>,
    block: impl Fn(&[[u8; BYTES]; BLOCK]) -> Block,
) {
    let plane = frame.layout.first_plane().expect("a raw format");
    let sources = rows.sources.map(|row| plane.row_of(frame.bytes, row));
    convert(rows, |row, at| {
        let pixels = &sources[row].as_chunks::<BYTES>().0[at..];
        if let Some(whole) = pixels.first_chunk() {
            return block(whole);
        }
        // The last block of a row is filled up with the last pixel.
        let mut padded = [*pixels.last().expect("a block begins inside its row"); BLOCK];
        padded[..pixels.len()].copy_from_slice(pixels);
        block(&padded)
    });
}

/// Expands three bytes per pixel to four, so that SIMD can separate them.
#[inline(always)]
fn spread(pixels: &[[u8; 3]; BLOCK]) -> [[u8; 4]; BLOCK] {
    let bytes = pixels.as_flattened();
    std::array::from_fn(|at| match bytes.get(3 * at..3 * at + 4) {
        // One load for each pixel; the fourth byte belongs to the next pixel.
        Some(four) => [four[0], four[1], four[2], four[3]],
        None => [bytes[3 * at], bytes[3 * at + 1], bytes[3 * at + 2], 0],
    })
}

/// Fills `rows` from blocks of pixels: `block_at(0 or 1, column)` returns one of the upper or the
/// lower row.
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

#[allow(clippy::cast_possible_truncation, reason = "a byte fits")]
#[inline(always)]
fn byte_of(word: u32, at: usize) -> u16 {
    (word >> (8 * at) & 0xFF) as u16
}

/// The average of two blocks.
#[inline(always)]
pub(super) fn average(one: &[u16; BLOCK], other: &[u16; BLOCK]) -> [u16; BLOCK] {
    std::array::from_fn(|at| (one[at] + other[at] + 1) >> 1)
}

/// The averages of pairs.
#[inline(always)]
pub(super) fn halve(samples: &[u8; BLOCK]) -> [u8; BLOCK / 2] {
    narrow(words(samples).map(|pair| ((pair & 0xFF) + (pair >> 8) + 1) >> 1))
}

impl Block {
    /// `at` are the places of red, green and blue in the bytes of a pixel.
    #[inline(always)]
    fn of(pixels: &[[u8; 4]; BLOCK], at: [usize; 3]) -> Self {
        let words = pixels.map(u32::from_le_bytes);
        let [red, green, blue] = at.map(|at| words.map(|word| byte_of(word, at)));
        Self { red, green, blue }
    }

    /// Expands 5, 6 and 5 bits to 8 by repeating the high bits below, so that white is 255.
    #[inline(always)]
    fn of_565(words: [u16; BLOCK]) -> Self {
        Self {
            red: words.map(|word| word >> 8 & 0xF8 | word >> 13),
            green: words.map(|word| word >> 3 & 0xFC | word >> 9 & 3),
            blue: words.map(|word| word << 3 & 0xF8 | word >> 2 & 7),
        }
    }

    #[inline(always)]
    fn average(&self, other: &Self) -> Self {
        Self {
            red: average(&self.red, &other.red),
            green: average(&self.green, &other.green),
            blue: average(&self.blue, &other.blue),
        }
    }

    /// 0.299 R + 0.587 G + 0.114 B, in units of 1/256. The weights sum to 256, so that grey stays
    /// grey.
    #[inline(always)]
    pub(super) fn luma(&self) -> [u8; BLOCK] {
        narrow(std::array::from_fn(|at| {
            (77 * self.red[at] + 150 * self.green[at] + 29 * self.blue[at] + 128) >> 8
        }))
    }

    /// Cb and Cr, each the average of two pixels.
    #[inline(always)]
    fn chroma(&self) -> [[u8; BLOCK / 2]; 2] {
        [halve(&narrow(blue_difference(self))), halve(&narrow(red_difference(self)))]
    }
}

/// Cb: -0.168736 R - 0.331264 G + 0.5 B, in units of 1/256 and around 128.
#[inline(always)]
pub(super) fn blue_difference(Block { red, green, blue }: &Block) -> [u16; BLOCK] {
    std::array::from_fn(|at| (128 * blue[at] + ROUNDED_MIDDLE - 43 * red[at] - 85 * green[at]) >> 8)
}

/// Cr: 0.5 R - 0.418688 G - 0.081312 B, in units of 1/256 and around 128.
#[inline(always)]
pub(super) fn red_difference(Block { red, green, blue }: &Block) -> [u16; BLOCK] {
    std::array::from_fn(|at| {
        (128 * red[at] + ROUNDED_MIDDLE - 107 * green[at] - 21 * blue[at]) >> 8
    })
}

/// 128.5 in units of 1/256, minus 1, since pure blue or red would overflow 16 bits otherwise.
const ROUNDED_MIDDLE: u16 = 32_895;
