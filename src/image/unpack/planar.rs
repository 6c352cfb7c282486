//! Unpacks rows of planar frames: luma, and chroma in one plane or in two.

use super::rgb::halve;
use super::strip::Rows;
use super::{BLOCK, low_byte, narrow, words};
use crate::image::frame::{PlaneLayout, RawFrame};
use crate::image::pixels::{Chroma, ChromaOrder, PixelFormat};

/// Fills `rows` from a plane of Y and one or two planes of chroma with the subsampling
/// `as_sampled`.
pub(super) fn unpack(frame: &RawFrame<'_>, as_sampled: Chroma, rows: &mut Rows<'_>) {
    let layout = frame.layout;
    let plane = layout.first_plane().expect("a raw format");
    for (row, y) in rows.luma() {
        copy_padded(plane.row_of(frame.bytes, row), y);
    }
    let planes = layout.chroma_planes().expect("a format of planes");
    // A row of 4:2:0 chroma already serves two rows of luma.
    let shared_by = if as_sampled == Chroma::Yuv420 { 2 } else { 1 };
    let [upper, lower] = rows.sources.map(|row| (row.min(plane.rows - 1)) / shared_by);
    let row = |plane: PlaneLayout, index: usize| plane.row_of(frame.bytes, index);
    let halve = if as_sampled == Chroma::Yuv444 { Halve::Columns } else { Halve::Nothing };
    match layout.format {
        PixelFormat::SemiPlanar(_, order) => {
            let (first, second) = match order {
                ChromaOrder::CbCr => (&mut *rows.cb, &mut *rows.cr),
                ChromaOrder::CrCb => (&mut *rows.cr, &mut *rows.cb),
            };
            let (upper, lower) = (row(planes[0], upper), row(planes[0], lower));
            interleaved(upper, lower, first, second, halve);
        }
        _ => {
            let [cb, cr] = planes;
            average_rows(row(cb, upper), row(cb, lower), rows.cb);
            average_rows(row(cr, upper), row(cr, lower), rows.cr);
        }
    }
}

/// Copies luma; repeats the last sample if the width is odd.
pub(super) fn copy_padded(row: &[u8], y: &mut [u8]) {
    y[..row.len()].copy_from_slice(row);
    pad(y, row.len());
}

/// Repeats the last of `width` samples to the end.
pub(super) fn pad(y: &mut [u8], width: usize) {
    let (picture, padding) = y.split_at_mut(width);
    padding.fill(*picture.last().expect("no picture is without columns"));
}

fn average_rows(upper: &[u8], lower: &[u8], out: &mut [u8]) {
    if std::ptr::eq(upper, lower) {
        out.copy_from_slice(upper);
        return;
    }
    for (out, (&upper, &lower)) in out.iter_mut().zip(upper.iter().zip(lower)) {
        *out = low_byte((u16::from(upper) + u16::from(lower) + 1) >> 1);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Halve {
    Nothing,
    /// Two samples in a row become one.
    Columns,
}

/// Separates two chromas that alternate, and averages two rows. If both rows are the same, there is
/// nothing to average.
fn interleaved(upper: &[u8], lower: &[u8], first: &mut [u8], second: &mut [u8], halve: Halve) {
    match halve {
        Halve::Nothing => halved::<2>(upper, lower, first, second),
        Halve::Columns => halved::<4>(upper, lower, first, second),
    }
}

/// `STEP` bytes make one sample of each chroma: 2 bytes are one pair, 4 are the average of two
/// pairs.
#[inline(always)]
fn halved<const STEP: usize>(upper: &[u8], lower: &[u8], first: &mut [u8], second: &mut [u8]) {
    let outputs = first.chunks_mut(BLOCK).zip(second.chunks_mut(BLOCK));
    let inputs = upper.chunks(STEP * BLOCK).zip(lower.chunks(STEP * BLOCK));
    for ((first, second), (upper, lower)) in outputs.zip(inputs) {
        let mut bytes = [0; 4 * BLOCK];
        average_rows(upper, lower, &mut bytes[..upper.len()]);
        if STEP == 4 && upper.len() % 4 == 2 {
            // If the width is odd, the last pair has no neighbour: average it with itself.
            bytes.copy_within(upper.len() - 2..upper.len(), upper.len());
        }
        let [first_block, second_block] =
            if STEP == 2 { apart(&bytes[..2 * BLOCK]) } else { apart_and_halved(&bytes) };
        first.copy_from_slice(&first_block[..first.len()]);
        second.copy_from_slice(&second_block[..second.len()]);
    }
}

/// Separates pairs of bytes.
#[inline(always)]
fn apart(pairs: &[u8]) -> [[u8; BLOCK]; 2] {
    let words = words::<BLOCK>(pairs);
    [narrow(words.map(|pair| pair & 0xFF)), narrow(words.map(|pair| pair >> 8))]
}

/// The same, and averages two pairs to one.
#[inline(always)]
fn apart_and_halved(pairs: &[u8; 4 * BLOCK]) -> [[u8; BLOCK]; 2] {
    let [left, right] = [apart(&pairs[..2 * BLOCK]), apart(&pairs[2 * BLOCK..])];
    let mut out = [[0; BLOCK]; 2];
    for (which, out) in out.iter_mut().enumerate() {
        let (left_half, right_half) = out.split_at_mut(BLOCK / 2);
        left_half.copy_from_slice(&halve(&left[which]));
        right_half.copy_from_slice(&halve(&right[which]));
    }
    out
}
