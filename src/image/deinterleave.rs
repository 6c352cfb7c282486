//! Takes rows of packed YCbCr apart, widening their range on the way: the kernels of the one pass over camera memory.
//!
//! Plain loops over blocks of a fixed size, which the compiler turns into SIMD on every target
//! that has it, without a line of `unsafe`.

use super::pixels::Range;

/// Samples in a block. Measured on x86-64 with SSE2, 720p YUYV to 4:2:0 planes: 0.06 ms with 64, 0.16
/// with 32, 0.40 with 16, and 0.58 as a loop over single pixels, which is not vectorised.
const BLOCK: usize = 64;

/// Takes the Y bytes of one YUYV row: as many as `y` has room for, an even number.
pub(super) fn yuyv_luma(row: &[u8], y: &mut [u8], range: Range) {
    match range {
        Range::Full => luma(row, y, |value| value),
        Range::Limited => luma(row, y, widen_luma),
    }
}

/// Averages the Cb and Cr bytes of two YUYV rows; of one, when both are the same.
pub(super) fn yuyv_chroma(upper: &[u8], lower: &[u8], cb: &mut [u8], cr: &mut [u8], range: Range) {
    match range {
        Range::Full => chroma(upper, lower, cb, cr, |value| value),
        Range::Limited => chroma(upper, lower, cb, cr, widen_chroma),
    }
}

#[inline(always)]
fn luma(row: &[u8], y: &mut [u8], map: impl Fn(u16) -> u16) {
    let (blocks, rest) = y.as_chunks_mut::<BLOCK>();
    for (out, block) in blocks.iter_mut().zip(row.as_chunks::<{ 2 * BLOCK }>().0) {
        *out = narrow(words(block).map(|word| map(word & 0xFF)));
    }
    let done = blocks.len() * 2 * BLOCK;
    for (out, pair) in rest.iter_mut().zip(row[done..].as_chunks::<2>().0) {
        *out = low_byte(map(u16::from(pair[0])));
    }
}

#[inline(always)]
fn chroma(upper: &[u8], lower: &[u8], cb: &mut [u8], cr: &mut [u8], map: impl Fn(u16) -> u16) {
    let average = |up: u16, low: u16| map((up + low + 1) >> 1);
    let (cb_blocks, cb_rest) = cb.as_chunks_mut::<BLOCK>();
    let (cr_blocks, cr_rest) = cr.as_chunks_mut::<BLOCK>();
    let (upper_blocks, lower_blocks) =
        (upper.as_chunks::<{ 4 * BLOCK }>().0, lower.as_chunks::<{ 4 * BLOCK }>().0);
    let outputs = cb_blocks.iter_mut().zip(&mut *cr_blocks);
    for ((cb, cr), (upper, lower)) in outputs.zip(upper_blocks.iter().zip(lower_blocks)) {
        // Averaged side by side as they come, Cb Cr Cb Cr, and only then taken apart.
        let mut both = [0; 2 * BLOCK];
        let halves =
            upper.as_chunks::<{ 2 * BLOCK }>().0.iter().zip(lower.as_chunks::<{ 2 * BLOCK }>().0);
        for (out, (upper, lower)) in both.as_chunks_mut::<BLOCK>().0.iter_mut().zip(halves) {
            let (upper, lower) = (words::<BLOCK>(upper), words::<BLOCK>(lower));
            *out =
                narrow(std::array::from_fn(|index| average(upper[index] >> 8, lower[index] >> 8)));
        }
        let pairs = words(&both);
        *cb = narrow(pairs.map(|pair| pair & 0xFF));
        *cr = narrow(pairs.map(|pair| pair >> 8));
    }
    let done = cb_blocks.len() * 4 * BLOCK;
    let rest = upper[done..].as_chunks::<4>().0.iter().zip(lower[done..].as_chunks::<4>().0);
    for ((cb, cr), (upper, lower)) in cb_rest.iter_mut().zip(cr_rest).zip(rest) {
        *cb = low_byte(average(u16::from(upper[1]), u16::from(lower[1])));
        *cr = low_byte(average(u16::from(upper[3]), u16::from(lower[3])));
    }
}

/// Pairs of bytes as little-endian words: the first byte is the low one.
#[inline(always)]
fn words<const N: usize>(bytes: &[u8]) -> [u16; N] {
    let pairs: &[[u8; 2]; N] =
        bytes.as_chunks().0.try_into().expect("the caller's block has 2 N bytes");
    pairs.map(u16::from_le_bytes)
}

#[inline(always)]
fn narrow<const N: usize>(words: [u16; N]) -> [u8; N] {
    words.map(low_byte)
}

/// 16..=235 to 0..=255, to the nearest: (y - 16) * 255 / 219 in 16 bits, so that eight fit a SIMD register.
#[inline(always)]
fn widen_luma(y: u16) -> u16 {
    // 149 / 128 = 1.16406 against 255 / 219 = 1.16438: at most 0.07 off over the whole range.
    let widened = (y.saturating_sub(16).min(219) * 149 + 64) >> 7;
    widened.min(255)
}

/// 16..=240 around 128 to 0..=255 around 128: (c - 128) * 255 / 224 + 128 in 16 bits.
#[inline(always)]
fn widen_chroma(c: u16) -> u16 {
    // The same line through (16, 0.5) and (240, 255.5), kept unsigned: 146 / 128 = 1.1406 against
    // 1.1384, and 96 / 128 for the rounding and the half; at most 0.25 off, and grey (128) stays 128.
    let from_zero = c.clamp(16, 240) - 16;
    ((from_zero * 146 + 96) >> 7).min(255)
}

#[allow(clippy::cast_possible_truncation)] // The callers' values are at most 255; a checked cast would stop SIMD.
#[inline(always)]
fn low_byte(value: u16) -> u8 {
    value as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_range_is_widened_to_what_a_jpeg_carries() {
        for y in 0..=255_u16 {
            let exact = ((f64::from(y) - 16.0) * 255.0 / 219.0).clamp(0.0, 255.0);
            assert!((f64::from(widen_luma(y)) - exact).abs() <= 0.6, "luma {y}");
        }
        for c in 0..=255_u16 {
            let exact = ((f64::from(c) - 128.0) * 255.0 / 224.0 + 128.0).clamp(0.0, 255.0);
            assert!((f64::from(widen_chroma(c)) - exact).abs() <= 0.8, "chroma {c}");
        }
        assert_eq!((widen_luma(16), widen_luma(235), widen_chroma(128)), (0, 255, 128));
    }

    #[test]
    fn blocks_and_what_is_left_of_a_row_come_out_alike() {
        for pairs in [1, 31, 32, 33, 64, 65, 127, 129, 640] {
            let row = |seed: usize| -> Vec<u8> {
                (0..pairs * 4).map(|at| u8::try_from((at * seed + at / 7) % 256).unwrap()).collect()
            };
            let (upper, lower) = (row(37), row(91));
            let mut y = vec![0; pairs * 2];
            let (mut cb, mut cr) = (vec![0; pairs], vec![0; pairs]);
            yuyv_luma(&upper, &mut y, Range::Full);
            yuyv_chroma(&upper, &lower, &mut cb, &mut cr, Range::Full);
            let average = |at: usize| (u16::from(upper[at]) + u16::from(lower[at])).div_ceil(2);
            for pair in 0..pairs {
                assert_eq!([y[2 * pair], y[2 * pair + 1]], [upper[4 * pair], upper[4 * pair + 2]]);
                assert_eq!(u16::from(cb[pair]), average(4 * pair + 1), "Cb {pair} of {pairs}");
                assert_eq!(u16::from(cr[pair]), average(4 * pair + 3), "Cr {pair} of {pairs}");
            }
            yuyv_luma(&upper, &mut y, Range::Limited);
            assert!(
                y.iter()
                    .zip(upper.iter().step_by(2))
                    .all(|(&y, &raw)| u16::from(y) == widen_luma(raw.into()))
            );
        }
    }
}
