//! Converts rows of Y, Cb and Cr to full-range BT.601, in place and while they are in the
//! first-level cache.

use super::strip::Rows;
use super::{BLOCK, low_byte};
use crate::image::pixels::{Colour, Matrix, Range};

/// The conversion of code values to those of a JPEG.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ColourMap {
    /// None is needed.
    Nothing,
    /// Luma and chroma are stretched independently.
    Widen(Widening),
    /// Another matrix: luma gets parts of both chromas, and each chroma a part of the other.
    Mix(Line, Mixing),
}

/// The stretch of luma and chroma from limited to full range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Widening {
    luma: Line,
    chroma: Line,
}

/// A linear function, `(value - floor) * gain + offset`, in units of 1/128. It fits 16 bits, so
/// that eight values fit a SIMD register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Smaller code values count as this one.
    floor: u8,
    /// Code values are limited to `floor + span`.
    span: u8,
    gain: u16,
    /// Includes the half for rounding.
    offset: u16,
}

impl Line {
    const IDENTITY: Self = Self { floor: 0, span: 255, gain: 128, offset: 64 };
    /// 16..=235 to 0..=255. 149 / 128 = 1.16406 instead of 255 / 219 = 1.16438: an error of at most
    /// 0.07.
    const LIMITED_LUMA: Self = Self { floor: 16, span: 219, gain: 149, offset: 64 };
    /// 16..=240 around 128 to 0..=255 around 128: (c - 128) * 255 / 224 + 128, through (16, 0.5)
    /// and (240, 255.5). 146 / 128 = 1.1406 instead of 1.1384: an error of at most 0.25, and grey
    /// (128) stays 128.
    const LIMITED_CHROMA: Self = Self { floor: 16, span: 224, gain: 146, offset: 96 };
    /// Chroma computed from red, green and blue of 16 to 235: (c - 128) * 255 / 219 + 128.
    const LIMITED_RGB_CHROMA: Self = Self { floor: 18, span: 220, gain: 149, offset: 58 };

    #[inline(always)]
    fn at(self, value: u8) -> i16 {
        // Compare as unsigned bytes before and as signed words after: SSE2 cannot compare unsigned
        // 16-bit numbers.
        let above = u16::from(value.saturating_sub(self.floor).min(self.span));
        ((above * self.gain + self.offset) >> 7).cast_signed().min(255)
    }
}

/// How much of each chroma goes where, in units of 1/128.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mixing {
    luma: FromChroma,
    cb: FromChroma,
    cr: FromChroma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FromChroma {
    cb: i16,
    cr: i16,
}

impl FromChroma {
    /// `cb` and `cr` are within 128 of 0, so the sum fits 16 bits.
    #[inline(always)]
    fn at(self, cb: i16, cr: i16) -> i16 {
        (self.cb * cb + self.cr * cr + 64) >> 7
    }
}

impl ColourMap {
    /// The conversion of planes whose code values mean `colour`.
    pub(super) fn to_jpeg(colour: Colour) -> Self {
        let (luma, chroma_gain) = match colour.range {
            Range::Full => (Line::IDENTITY, 1.0),
            Range::Limited => (Line::LIMITED_LUMA, 255.0 / 224.0),
        };
        match (colour.matrix, colour.range) {
            (Matrix::Bt601, Range::Full) => Self::Nothing,
            (Matrix::Bt601, Range::Limited) => {
                Self::Widen(Widening { luma, chroma: Line::LIMITED_CHROMA })
            }
            (matrix, _) => Self::Mix(luma, Mixing::from(matrix, chroma_gain)),
        }
    }

    /// The conversion of planes that were computed from red, green and blue as if those had full
    /// range.
    pub(super) fn of_rgb(range: Range) -> Self {
        match range {
            Range::Full => Self::Nothing,
            Range::Limited => {
                Self::Widen(Widening { luma: Line::LIMITED_LUMA, chroma: Line::LIMITED_RGB_CHROMA })
            }
        }
    }

    /// Converts `rows`.
    #[inline]
    pub(super) fn apply(&self, rows: &mut Rows<'_>) {
        match *self {
            Self::Nothing => {}
            Self::Widen(Widening { luma, chroma }) => {
                stretch(rows.y, luma);
                stretch(rows.cb, chroma);
                stretch(rows.cr, chroma);
            }
            Self::Mix(luma, mixing) => {
                let (cb, cr) = (&*rows.cb, &*rows.cr);
                for y in rows.y.chunks_exact_mut(cb.len() * 2) {
                    mix_luma(y, cb, cr, luma, mixing.luma);
                }
                mix_chroma(rows.cb, rows.cr, mixing);
            }
        }
    }

    /// Converts luma alone, if there is no chroma.
    pub(super) fn apply_to_grey(&self, y: &mut [u8]) {
        match *self {
            Self::Nothing => {}
            Self::Widen(Widening { luma, .. }) | Self::Mix(luma, _) => stretch(y, luma),
        }
    }
}

#[inline(always)]
fn stretch(samples: &mut [u8], line: Line) {
    let (blocks, rest) = samples.as_chunks_mut::<BLOCK>();
    for block in blocks {
        *block = block.map(|value| byte(line.at(value)));
    }
    for value in rest {
        *value = byte(line.at(*value));
    }
}

#[inline(always)]
fn mix_luma(y: &mut [u8], cb: &[u8], cr: &[u8], line: Line, mixing: FromChroma) {
    const HALF: usize = BLOCK / 2;
    let mixed = |y: u8, shift: i16| {
        // Both values are far within 16 bits.
        clamped(line.at(y) + shift)
    };
    let (blocks, rest) = y.as_chunks_mut::<BLOCK>();
    let ((cb_blocks, cb_rest), (cr_blocks, cr_rest)) =
        (cb.as_chunks::<HALF>(), cr.as_chunks::<HALF>());
    for (y, (cb, cr)) in blocks.iter_mut().zip(cb_blocks.iter().zip(cr_blocks)) {
        let shift: [i16; HALF] =
            std::array::from_fn(|at| mixing.at(around_zero(cb[at]), around_zero(cr[at])));
        let mut shifts = [0; BLOCK];
        for (pair, &shift) in shifts.as_chunks_mut::<2>().0.iter_mut().zip(&shift) {
            *pair = [shift; 2];
        }
        *y = std::array::from_fn(|at| mixed(y[at], shifts[at]));
    }
    for (pair, (&cb, &cr)) in
        rest.as_chunks_mut::<2>().0.iter_mut().zip(cb_rest.iter().zip(cr_rest))
    {
        let shift = mixing.at(around_zero(cb), around_zero(cr));
        *pair = pair.map(|y| mixed(y, shift));
    }
}

#[inline(always)]
fn mix_chroma(cb: &mut [u8], cr: &mut [u8], mixing: Mixing) {
    let mixed = |cb: u8, cr: u8| {
        let (cb, cr) = (around_zero(cb), around_zero(cr));
        [clamped(mixing.cb.at(cb, cr) + 128), clamped(mixing.cr.at(cb, cr) + 128)]
    };
    let ((cb_blocks, cb_rest), (cr_blocks, cr_rest)) =
        (cb.as_chunks_mut::<BLOCK>(), cr.as_chunks_mut::<BLOCK>());
    for (cb, cr) in cb_blocks.iter_mut().zip(cr_blocks) {
        let (old_cb, old_cr) = (*cb, *cr);
        *cb = std::array::from_fn(|at| mixed(old_cb[at], old_cr[at])[0]);
        *cr = std::array::from_fn(|at| mixed(old_cb[at], old_cr[at])[1]);
    }
    for (cb, cr) in cb_rest.iter_mut().zip(cr_rest) {
        [*cb, *cr] = mixed(*cb, *cr);
    }
}

#[inline(always)]
fn around_zero(chroma: u8) -> i16 {
    i16::from(chroma) - 128
}

#[inline(always)]
fn clamped(value: i16) -> u8 {
    byte(value.clamp(0, 255))
}

#[inline(always)]
fn byte(value: i16) -> u8 {
    low_byte(value.cast_unsigned())
}

/// The weights of red and blue in luma; green has the rest. Recommendations ITU-R BT.601, BT.709, BT.2020.
fn weights(matrix: Matrix) -> (f64, f64) {
    match matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
        Matrix::Bt2020 => (0.2627, 0.0593),
    }
}

impl Mixing {
    /// From `matrix` to BT.601, with chroma stretched by `gain`.
    fn from(matrix: Matrix, gain: f64) -> Self {
        // Convert a unit of chroma without luma to red, green and blue, and those to BT.601.
        let unit = |cb: f64, cr: f64| {
            let (red_weight, blue_weight) = weights(matrix);
            let red = 2.0 * (1.0 - red_weight) * cr;
            let blue = 2.0 * (1.0 - blue_weight) * cb;
            let green = -(red_weight * red + blue_weight * blue) / (1.0 - red_weight - blue_weight);
            let (red_weight, blue_weight) = weights(Matrix::Bt601);
            let luma =
                red_weight * red + (1.0 - red_weight - blue_weight) * green + blue_weight * blue;
            let to_cb = (blue - luma) / (2.0 * (1.0 - blue_weight));
            let to_cr = (red - luma) / (2.0 * (1.0 - red_weight));
            [luma, to_cb, to_cr].map(|part| in_128ths(part * gain))
        };
        let (cb, cr) = (unit(1.0, 0.0), unit(0.0, 1.0));
        let from = |to: usize| FromChroma { cb: cb[to], cr: cr[to] };
        Self { luma: from(0), cb: from(1), cr: from(2) }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the parts of a colour matrix are below 2")]
fn in_128ths(part: f64) -> i16 {
    (part * 128.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_range_is_widened_to_what_a_jpeg_carries() {
        let lines = [
            (Line::LIMITED_LUMA, 16.0, 219.0, 0.0),
            (Line::LIMITED_CHROMA, 128.0, 224.0, 128.0),
            (Line::LIMITED_RGB_CHROMA, 128.0, 219.0, 128.0),
        ];
        for (line, zero, span, to) in lines {
            for value in 0..=255 {
                let exact = ((f64::from(value) - zero) * 255.0 / span + to).clamp(0.0, 255.0);
                assert!((f64::from(line.at(value)) - exact).abs() <= 0.8, "{line:?} at {value}");
            }
        }
        assert_eq!(Line::LIMITED_LUMA.at(16), 0);
        assert_eq!(Line::LIMITED_LUMA.at(235), 255);
        assert_eq!(Line::LIMITED_CHROMA.at(128), 128);
        assert_eq!(Line::LIMITED_RGB_CHROMA.at(128), 128);
    }

    #[test]
    fn every_colour_comes_out_as_bt_601_would_have_coded_it() {
        for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
            for range in [Range::Full, Range::Limited] {
                let map = ColourMap::to_jpeg(Colour { matrix, range });
                for colour in (0..512).map(|at| [at / 64, at / 8 % 8, at % 8].map(|it| it * 36)) {
                    let rgb = colour.map(f64::from);
                    let [y, mut cb, mut cr] =
                        coded(rgb, Colour { matrix, range }).map(|it| [it; 1]);
                    let mut luma = [y[0]; 2];
                    let mut rows = Rows { sources: [0, 0], y: &mut luma, cb: &mut cb, cr: &mut cr };
                    map.apply(&mut rows);
                    let expected = coded(rgb, Colour::JPEG);
                    for (found, expected) in [luma[0], cb[0], cr[0]].into_iter().zip(expected) {
                        assert!(found.abs_diff(expected) <= 2, "{colour:?} {matrix:?} {range:?}");
                    }
                }
            }
        }
    }

    /// The definition, in floating point.
    fn coded([red, green, blue]: [f64; 3], colour: Colour) -> [u8; 3] {
        let (red_weight, blue_weight) = weights(colour.matrix);
        let luma = red_weight * red + (1.0 - red_weight - blue_weight) * green + blue_weight * blue;
        let cb = (blue - luma) / (2.0 * (1.0 - blue_weight));
        let cr = (red - luma) / (2.0 * (1.0 - red_weight));
        let (zero, luma_gain, chroma_gain) = match colour.range {
            Range::Full => (0.0, 1.0, 1.0),
            Range::Limited => (16.0, 219.0 / 255.0, 224.0 / 255.0),
        };
        [zero + luma * luma_gain, 128.0 + cb * chroma_gain, 128.0 + cr * chroma_gain].map(|value| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let byte = value.round().clamp(0.0, 255.0) as u8;
            byte
        })
    }

    #[test]
    fn blocks_and_what_is_left_of_a_row_come_out_alike() {
        let colour = Colour { matrix: Matrix::Bt709, range: Range::Limited };
        let sample = |at: usize, seed: usize| u8::try_from((at * seed + at / 3) % 256).unwrap();
        let mut together: [Vec<u8>; 3] = [
            (0..4 * 150).map(|at| sample(at, 37)).collect(),
            (0..150).map(|at| sample(at, 91)).collect(),
            (0..150).map(|at| sample(at, 53)).collect(),
        ];
        let map = ColourMap::to_jpeg(colour);
        let mut singly = together.clone();
        let [y, cb, cr] = &mut together;
        map.apply(&mut Rows { sources: [0, 1], y, cb, cr });
        for at in 0..150 {
            let [y, cb, cr] = &mut singly;
            let mut four = [y[2 * at], y[2 * at + 1], y[300 + 2 * at], y[301 + 2 * at]];
            let (cb, cr) = (&mut cb[at..=at], &mut cr[at..=at]);
            map.apply(&mut Rows { sources: [0, 1], y: &mut four, cb, cr });
            [y[2 * at], y[2 * at + 1], y[300 + 2 * at], y[301 + 2 * at]] = four;
        }
        assert_eq!(together, singly);
    }
}
