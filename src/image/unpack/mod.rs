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

use super::cuts::cuts;
use super::frame::{FrameLayout, Memory, RawFrame};
use super::orientation::Orientation;
use super::pixels::{Chroma, Colour, PixelFormat, Size};
use super::planes::Planes;
use super::turn::turn_strip;
use bayer::Demosaic;
use colour::ColourMap;
use lines::Lines;
use std::array;
use strip::Strip;
use tone::Tone;

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
#[derive(Debug)]
pub struct Unpacker {
    tone: Tone,
    /// One for each part of a frame. Those that were never needed hold nothing.
    readers: [RowReader; MOST_PARTS],
    /// Some rows of a picture that has to be turned.
    strip: Planes,
}

/// Unpacks rows of a frame into rows of planes.
#[derive(Debug, Default)]
struct RowReader {
    demosaic: Demosaic,
    lines: Lines,
}

/// Some rows of a frame, which a thread of its own may unpack.
pub struct Part<'a> {
    frame: &'a RawFrame<'a>,
    recipe: &'a Recipe<'a>,
    reader: &'a mut RowReader,
    /// Nothing once they were unpacked.
    rows: Option<Strip<'a>>,
}

/// The most parts of a frame.
const MOST_PARTS: usize = 64;

/// How many rows are unpacked before they are turned: they fit the first-level cache at any usual
/// width. An even number, so that rows that share chroma stay together.
const STRIP_ROWS: usize = 16;

/// How many rows are copied out of uncached memory before they are unpacked. Copy and planes fit
/// the first-level cache (32 kB on every Pi) up to 1080p. An even number, as above.
const LINES: usize = 4;

impl Unpacker {
    /// An unpacker that develops a sensor's samples as `look` says.
    pub fn new(look: RawLook) -> Self {
        let readers = array::from_fn(|_| RowReader::default());
        Self { tone: Tone::new(look), readers, strip: Planes::default() }
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
        self.unpack_in_parts(frame, wanted, planes, 1, |parts| {
            parts.iter_mut().for_each(Part::unpack);
        });
    }

    /// The same, in at most `most` parts, which `work` has to [unpack](Part::unpack), in any order
    /// or all at once. A picture that has to be turned is unpacked at once, without parts.
    ///
    /// # Panics
    /// As [`unpack`](Self::unpack).
    pub fn unpack_in_parts(
        &mut self,
        frame: &RawFrame<'_>,
        wanted: Wanted,
        planes: &mut Planes,
        most: usize,
        work: impl FnOnce(&mut [Part<'_>]),
    ) {
        let layout = frame.layout;
        let orientation = layout.orientation;
        let scale = Scale::of(layout, wanted.at_least);
        let size = scale.size(layout.size);
        let chroma = match layout.format {
            PixelFormat::Grey(_) => Chroma::Grey,
            _ if orientation.swaps_sides() => Chroma::Yuv420,
            _ => wanted.chroma,
        };
        self.tone.follow(frame);
        planes.reshape(orientation.size_of(size), chroma);
        let recipe = Recipe::of(layout.colour, scale, &self.tone);
        if orientation != Orientation::UPRIGHT {
            return turned(frame, &recipe, size, &mut self.readers[0], &mut self.strip, planes);
        }
        // Rows that share chroma stay together.
        let cuts = cuts(size.height, 2, most.min(MOST_PARTS));
        let count = cuts.len();
        let whole = Strip::from_row(planes.split_mut(), size, chroma, 0);
        let mut strips = whole.cut(cuts);
        let mut parts = self.readers.each_mut().map(|reader| {
            let rows = strips.next();
            Part { frame, recipe: &recipe, reader, rows }
        });
        work(&mut parts[..count]);
    }
}

impl Default for Unpacker {
    fn default() -> Self {
        Self::new(RawLook::default())
    }
}

impl Part<'_> {
    /// Fills the planes with these rows, unless that was done before.
    pub fn unpack(&mut self) {
        if let Some(rows) = self.rows.take() {
            self.reader.demosaic.begin(self.frame);
            self.reader.fill(self.frame, self.recipe, rows);
        }
    }
}

/// Fills `planes` from a frame of `size` that has to be turned, some rows at a time.
fn turned(
    frame: &RawFrame<'_>,
    recipe: &Recipe<'_>,
    size: Size,
    reader: &mut RowReader,
    strip: &mut Planes,
    planes: &mut Planes,
) {
    let chroma = planes.chroma();
    reader.demosaic.begin(frame);
    for first_row in (0..size.height).step_by(STRIP_ROWS) {
        let part = Size::new(size.width, STRIP_ROWS.min(size.height - first_row));
        strip.reshape(part, chroma);
        reader.fill(frame, recipe, Strip::from_row(strip.split_mut(), part, chroma, first_row));
        turn_strip(strip, first_row, size, frame.layout.orientation, planes);
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

    /// The size of the planes of a frame of this size.
    fn size(self, frame: Size) -> Size {
        match self {
            Self::Full => frame,
            Self::Half => Size::new(frame.width.div_ceil(2), frame.height.div_ceil(2)),
        }
    }
}

/// How to convert every row of a frame.
struct Recipe<'a> {
    scale: Scale,
    tone: &'a Tone,
    map: ColourMap,
    /// For planes computed from red, green and blue.
    rgb_map: ColourMap,
}

impl<'a> Recipe<'a> {
    fn of(colour: Colour, scale: Scale, tone: &'a Tone) -> Self {
        let (map, rgb_map) = (ColourMap::to_jpeg(colour), ColourMap::of_rgb(colour.range));
        Self { scale, tone, map, rgb_map }
    }
}

impl RowReader {
    /// Fills `strip` from a frame.
    fn fill(&mut self, frame: &RawFrame<'_>, recipe: &Recipe<'_>, strip: Strip<'_>) {
        // The rows of a mosaic are copied in any case, since each is needed for several others.
        let is_mosaic = matches!(frame.layout.format, PixelFormat::Bayer(..));
        if frame.layout.memory == Memory::Cached || is_mosaic {
            return self.unpack(frame, recipe, strip);
        }
        let cuts = cuts(strip.height(), LINES, usize::MAX);
        for part in strip.cut(cuts) {
            let layout = self.lines.copy(frame, part.first_row(), part.height());
            // Take the buffer out of `self`, since the call below borrows all of `self`.
            let lines = std::mem::take(&mut self.lines);
            let copied = RawFrame { bytes: lines.bytes(), layout: &layout };
            self.unpack(&copied, recipe, part.at_the_top());
            self.lines = lines;
        }
    }

    fn unpack(&mut self, frame: &RawFrame<'_>, recipe: &Recipe<'_>, strip: Strip<'_>) {
        let Recipe { scale, tone, map, rgb_map } = recipe;
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
                    Scale::Full => self.demosaic.unpack(frame, tone, order, rows),
                    Scale::Half => self.demosaic.unpack_binned(frame, tone, order, rows),
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
