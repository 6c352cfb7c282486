//! Unpacks raw frames into planes. This is the only reading of camera memory.
//!
//! Rows are unpacked into the planes and, while they are in the first-level cache, their colour is
//! converted to that of a JPEG. The kernels are plain loops over blocks of a fixed size, which the
//! compiler turns into SIMD on every target that has it, without `unsafe`.

mod bayer;
mod colour;
mod grey;
mod lines;
mod packed;
mod planar;
mod rgb;
mod strip;
#[cfg(test)]
mod tests;
mod tone;

pub use tone::{Automatic, RawLook};

use super::frame::{FrameLayout, Memory, RawFrame};
use super::orientation::Orientation;
use super::pixels::{Chroma, Colour, PixelFormat, Size};
use super::planes::Planes;
use super::turn::turn_strip;
use bayer::Demosaic;
use colour::ColourMap;
use lines::Lines;
use strip::Strip;

/// Samples in a block. Measured on x86-64 with SSE2, 720p YUYV to 4:2:0 planes: 0.06 ms with 64,
/// 0.16 ms with 32, 0.40 ms with 16, and 0.58 ms as a loop over single pixels, which is not
/// vectorised.
const BLOCK: usize = 64;

/// What the planes should be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// 4:2:0 or 4:2:2.
    pub chroma: Chroma,
    /// No larger picture is needed, once it is upright. Halving a sensor's mosaic is free.
    pub at_least: Size,
}

/// Unpacks frame after frame, and keeps its buffers between them.
#[derive(Debug, Default)]
pub struct Unpacker {
    rows: RowReader,
    /// Some rows of a picture that has to be turned.
    strip: Planes,
}

/// Unpacks rows of a frame into rows of planes.
#[derive(Debug, Default)]
struct RowReader {
    demosaic: Demosaic,
    lines: Lines,
}

/// How many rows are unpacked before they are turned: they fit the first-level cache at any usual
/// width. An even number, so that rows that share chroma stay together.
const STRIP_ROWS: usize = 16;

/// How many rows are copied out of uncached memory before they are unpacked. Copy and planes fit
/// the first-level cache (32 kB on every Pi) up to 1080p. An even number, as above.
const LINES: usize = 4;

impl Unpacker {
    /// An unpacker that develops a sensor's samples as `look` says.
    pub fn new(look: RawLook) -> Self {
        let rows = RowReader { demosaic: Demosaic::new(look), ..RowReader::default() };
        Self { rows, ..Self::default() }
    }

    /// Fills `planes` from a raw frame: upright, and in full-range BT.601 as in a JPEG.
    ///
    /// Chroma is as wanted, except that it is 4:2:0 if rows become columns, and missing if the
    /// frame has none. The size is that of the frame, or half of it if that is enough. The frame
    /// must have at least [`frame_len`](super::frame::FrameLayout::frame_len) bytes, which sources
    /// check before they lend it.
    ///
    /// # Panics
    /// When the frame is compressed, or shorter than its layout says.
    pub fn unpack(&mut self, frame: &RawFrame<'_>, wanted: Wanted, planes: &mut Planes) {
        let layout = frame.layout;
        let orientation = layout.orientation;
        let scale = Scale::of(layout, wanted.at_least);
        let size = match scale {
            Scale::Full => layout.size,
            Scale::Half => Size::new(layout.size.width.div_ceil(2), layout.size.height.div_ceil(2)),
        };
        let chroma = match layout.format {
            PixelFormat::Grey(_) => Chroma::Grey,
            _ if orientation.swaps_sides() => Chroma::Yuv420,
            _ => wanted.chroma,
        };
        self.rows.demosaic.begin(frame);
        planes.reshape(orientation.size_of(size), chroma);
        let recipe = Recipe::of(layout.colour, scale);
        if orientation == Orientation::UPRIGHT {
            return self.rows.fill(frame, &recipe, planes, 0);
        }
        for first_row in (0..size.height).step_by(STRIP_ROWS) {
            let rows = STRIP_ROWS.min(size.height - first_row);
            self.strip.reshape(Size::new(size.width, rows), chroma);
            self.rows.fill(frame, &recipe, &mut self.strip, first_row);
            turn_strip(&self.strip, first_row, size, orientation, planes);
        }
    }
}

/// The size of the planes compared with the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Full,
    Half,
}

impl Scale {
    fn of(layout: &FrameLayout, at_least: Size) -> Self {
        let upright = layout.upright_size();
        let is_enough =
            2 * at_least.width <= upright.width && 2 * at_least.height <= upright.height;
        match layout.format {
            PixelFormat::Bayer(..) if is_enough => Self::Half,
            _ => Self::Full,
        }
    }
}

/// How to convert every row of a frame.
struct Recipe {
    scale: Scale,
    map: ColourMap,
    /// For planes computed from red, green and blue.
    rgb_map: ColourMap,
}

impl Recipe {
    fn of(colour: Colour, scale: Scale) -> Self {
        Self { scale, map: ColourMap::to_jpeg(colour), rgb_map: ColourMap::of_rgb(colour.range) }
    }
}

impl RowReader {
    /// Fills `planes` with the rows of a frame from `first_row` on.
    fn fill(
        &mut self,
        frame: &RawFrame<'_>,
        recipe: &Recipe,
        planes: &mut Planes,
        first_row: usize,
    ) {
        let (size, chroma) = (planes.size(), planes.chroma());
        // The rows of a mosaic are copied in any case, since each is needed for several others.
        let is_mosaic = matches!(frame.layout.format, PixelFormat::Bayer(..));
        if frame.layout.memory == Memory::Cached || is_mosaic {
            let strip = Strip::from_row(planes.split_mut(), size, chroma, first_row);
            return self.unpack(frame, recipe, strip);
        }
        for top in (0..size.height).step_by(LINES) {
            let rows = LINES.min(size.height - top);
            let layout = self.lines.copy(frame, first_row + top, rows);
            let part = Size::new(size.width, rows);
            let strip = Strip::from_row(planes.rows_mut(top, rows), part, chroma, 0);
            // Take the buffer out of `self`, since the call below borrows all of `self`.
            let lines = std::mem::take(&mut self.lines);
            self.unpack(&RawFrame { bytes: lines.bytes(), layout: &layout }, recipe, strip);
            self.lines = lines;
        }
    }

    fn unpack(&mut self, frame: &RawFrame<'_>, recipe: &Recipe, strip: Strip<'_>) {
        let Recipe { scale, map, rgb_map } = recipe;
        match frame.layout.format {
            PixelFormat::Packed(order) => strip.fill(|rows| {
                packed::unpack(frame, order, rows);
                map.apply(rows);
            }),
            PixelFormat::SemiPlanar(sampled, _) | PixelFormat::Planar(sampled, _) => {
                strip.fill(|rows| {
                    planar::unpack(frame, sampled, rows);
                    map.apply(rows);
                });
            }
            PixelFormat::Rgb(order) => strip.fill(|rows| {
                rgb::unpack(frame, order, rows);
                rgb_map.apply(rows);
            }),
            PixelFormat::Bayer(order, _) => strip.fill(|rows| {
                match scale {
                    Scale::Full => self.demosaic.unpack(frame, order, rows),
                    Scale::Half => self.demosaic.unpack_binned(frame, order, rows),
                }
                rgb_map.apply(rows);
            }),
            PixelFormat::Grey(depth) => {
                let first_row = strip.first_row();
                grey::unpack(frame, depth, map, first_row, strip.luma());
            }
            PixelFormat::Jpeg => unreachable!("a JPEG is decoded, not taken apart"),
        }
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

#[allow(
    clippy::cast_possible_truncation,
    reason = "the callers' values are at most 255; a checked cast would stop SIMD"
)]
#[inline(always)]
fn low_byte(value: u16) -> u8 {
    value as u8
}
