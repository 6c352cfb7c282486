//! Takes raw frames apart into planes: the one reading of camera memory.
//!
//! Rows are unpacked into the planes, and while they are in the first cache their colour is converted
//! to what a JPEG carries. The kernels are plain loops over blocks of a fixed size, which the compiler
//! turns into SIMD on every target that has it, without a line of `unsafe`.

mod colour;
mod grey;
mod packed;
mod planar;
mod rgb;
mod strip;
#[cfg(test)]
mod tests;

use super::frame::RawFrame;
use super::pixels::{Chroma, PixelFormat};
use super::planes::Planes;
use colour::ColourMap;
use strip::Strip;

/// Samples in a block. Measured on x86-64 with SSE2, 720p YUYV to 4:2:0 planes: 0.06 ms with 64, 0.16
/// with 32, 0.40 with 16, and 0.58 as a loop over single pixels, which is not vectorised.
const BLOCK: usize = 64;

/// Unpacks frame after frame, and keeps its scratch memory between them.
#[derive(Debug, Default)]
pub struct Unpacker {}

impl Unpacker {
    /// Fills `planes` from a raw frame, in full-range BT.601 as a JPEG carries it; with chroma as wanted,
    /// or with none where the frame has none.
    ///
    /// `chroma` must be 4:2:0 or 4:2:2. The frame must be at least
    /// [`frame_len`](super::frame::FrameLayout::frame_len) long, which sources check before they lend it.
    ///
    /// # Panics
    /// When the frame is compressed, or shorter than its layout says.
    pub fn unpack(&mut self, frame: &RawFrame<'_>, chroma: Chroma, planes: &mut Planes) {
        let layout = frame.layout;
        let map = ColourMap::to_jpeg(layout.colour);
        if let PixelFormat::Grey(depth) = layout.format {
            planes.reshape(layout.size, Chroma::Grey);
            grey::unpack(frame, depth, &map, 0, planes.split_mut().y);
            return;
        }
        planes.reshape(layout.size, chroma);
        let strip = Strip::from_row(planes, 0);
        match layout.format {
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
            PixelFormat::Rgb(order) => {
                let map = ColourMap::of_rgb(layout.colour.range);
                strip.fill(|rows| {
                    rgb::unpack(frame, order, rows);
                    map.apply(rows);
                });
            }
            PixelFormat::Jpeg | PixelFormat::Grey(_) | PixelFormat::Bayer(..) => {
                unreachable!("a JPEG is decoded, not taken apart")
            }
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
