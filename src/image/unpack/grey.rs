//! Unpacks luma of 8 to 16 bits.

use super::colour::ColourMap;
use super::{BLOCK, low_byte, narrow, words};
use crate::image::frame::RawFrame;
use crate::image::pixels::SampleDepth;

/// Fills `y`, whose rows have no gaps, with the frame's rows from `first_row` on.
pub(super) fn unpack(
    frame: &RawFrame<'_>,
    depth: SampleDepth,
    map: &ColourMap,
    first_row: usize,
    y: &mut [u8],
) {
    let plane = frame.layout.first_plane().expect("a raw format");
    let rows = y.chunks_exact_mut(frame.layout.size.width);
    for (index, y) in (first_row..).zip(rows) {
        let row = plane.row_of(frame.bytes, index);
        match depth {
            SampleDepth::Bits8 => y.copy_from_slice(row),
            SampleDepth::Bits10 => high_bits::<2>(row, y),
            SampleDepth::Bits12 => high_bits::<4>(row, y),
            SampleDepth::Bits16 => high_bits::<8>(row, y),
        }
        map.apply_to_grey(y);
    }
}

/// The high 8 bits of little-endian samples that have `MORE` bits more.
#[inline(always)]
pub(super) fn high_bits<const MORE: u32>(row: &[u8], out: &mut [u8]) {
    // V4L2 says that the bits above a sample are 0. If they are not, the sample gets the greatest
    // value.
    let high = |word: u16| (word >> MORE).min(255);
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    for (out, block) in blocks.iter_mut().zip(row.as_chunks::<{ 2 * BLOCK }>().0) {
        *out = narrow(words(block).map(high));
    }
    let done = blocks.len() * 2 * BLOCK;
    for (out, pair) in rest.iter_mut().zip(row[done..].as_chunks::<2>().0) {
        *out = low_byte(high(u16::from_le_bytes(*pair)));
    }
}
