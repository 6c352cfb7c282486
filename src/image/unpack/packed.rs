//! Unpacks rows of packed 4:2:2.

use super::strip::Rows;
use super::{BLOCK, low_byte, narrow, words};
use crate::image::frame::RawFrame;
use crate::image::pixels::Packed;

/// Fills `rows`, averaging the chroma of the two rows that share it.
pub(super) fn unpack(frame: &RawFrame<'_>, order: Packed, rows: &mut Rows<'_>) {
    let plane = frame.layout.first_plane().expect("a raw format");
    let [upper, lower] = rows.sources.map(|row| plane.row_of(frame.bytes, row));
    // YUYV rows hold whole pairs of pixels, so a row of odd width already has an extra column.
    match order {
        Packed::Yuyv => chroma(upper, lower, rows.cb, rows.cr, |word| word >> 8),
        Packed::Yvyu => chroma(upper, lower, rows.cr, rows.cb, |word| word >> 8),
        Packed::Uyvy => chroma(upper, lower, rows.cb, rows.cr, |word| word & 0xFF),
        Packed::Vyuy => chroma(upper, lower, rows.cr, rows.cb, |word| word & 0xFF),
    }
    for (row, y) in rows.luma() {
        let row = plane.row_of(frame.bytes, row);
        match order {
            Packed::Yuyv | Packed::Yvyu => luma(row, y, |word| word & 0xFF),
            Packed::Uyvy | Packed::Vyuy => luma(row, y, |word| word >> 8),
        }
    }
}

/// `pick` extracts luma from a little-endian word of luma and chroma.
#[inline(always)]
fn luma(row: &[u8], y: &mut [u8], pick: impl Fn(u16) -> u16) {
    let (blocks, rest) = y.as_chunks_mut::<BLOCK>();
    for (out, block) in blocks.iter_mut().zip(row.as_chunks::<{ 2 * BLOCK }>().0) {
        *out = narrow(words(block).map(&pick));
    }
    let done = blocks.len() * 2 * BLOCK;
    for (out, pair) in rest.iter_mut().zip(row[done..].as_chunks::<2>().0) {
        *out = low_byte(pick(u16::from_le_bytes(*pair)));
    }
}

/// `pick` extracts chroma from a little-endian word of luma and chroma; `first` is the one that
/// comes first in memory.
#[inline(always)]
fn chroma(
    upper: &[u8],
    lower: &[u8],
    first: &mut [u8],
    second: &mut [u8],
    pick: impl Fn(u16) -> u16,
) {
    let average = |up: u16, low: u16| (pick(up) + pick(low) + 1) >> 1;
    let (first_blocks, first_rest) = first.as_chunks_mut::<BLOCK>();
    let (second_blocks, second_rest) = second.as_chunks_mut::<BLOCK>();
    let (upper_blocks, lower_blocks) =
        (upper.as_chunks::<{ 4 * BLOCK }>().0, lower.as_chunks::<{ 4 * BLOCK }>().0);
    let outputs = first_blocks.iter_mut().zip(&mut *second_blocks);
    for ((first, second), (upper, lower)) in outputs.zip(upper_blocks.iter().zip(lower_blocks)) {
        // Average in the order of memory, Cb Cr Cb Cr, and separate them afterwards.
        let mut both = [0; 2 * BLOCK];
        let halves =
            upper.as_chunks::<{ 2 * BLOCK }>().0.iter().zip(lower.as_chunks::<{ 2 * BLOCK }>().0);
        for (out, (upper, lower)) in both.as_chunks_mut::<BLOCK>().0.iter_mut().zip(halves) {
            let (upper, lower) = (words::<BLOCK>(upper), words::<BLOCK>(lower));
            *out = narrow(std::array::from_fn(|index| average(upper[index], lower[index])));
        }
        let pairs = words(&both);
        *first = narrow(pairs.map(|pair| pair & 0xFF));
        *second = narrow(pairs.map(|pair| pair >> 8));
    }
    let done = first_blocks.len() * 4 * BLOCK;
    let rest = upper[done..].as_chunks::<4>().0.iter().zip(lower[done..].as_chunks::<4>().0);
    for ((first, second), (up, low)) in first_rest.iter_mut().zip(second_rest).zip(rest) {
        let word = |of: &[u8; 4], at: usize| u16::from_le_bytes([of[at], of[at + 1]]);
        *first = low_byte(average(word(up, 0), word(low, 0)));
        *second = low_byte(average(word(up, 2), word(low, 2)));
    }
}
