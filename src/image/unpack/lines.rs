//! Copies rows out of memory that is slow to read byte by byte, so that they can be read from the
//! cache.
//!
//! `copy_from_slice` of a whole row is the C library's `memcpy`, which loads 16 to 64 bytes at once
//! on ARM.

use crate::image::frame::{FrameLayout, Memory, PlaneLayout, RawFrame};
use crate::image::pixels::{Chroma, PixelFormat, Size};

/// Some rows of a frame, as a frame of their own. Its buffer is reused for the next rows.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    /// Copies `rows` rows of `frame` from `first` on, which must be even, with their chroma.
    /// Returns their layout in [`bytes`](Self::bytes).
    pub(super) fn copy(&mut self, frame: &RawFrame<'_>, first: usize, rows: usize) -> FrameLayout {
        let from = frame.layout;
        let format = from.format;
        let size = Size::new(from.size.width, rows);
        let stride = format.min_stride(size.width).expect("a raw format");
        let to = FrameLayout { size, stride, memory: Memory::Cached, ..*from };
        let len = to.frame_len().expect("a raw format");
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
        }
        if let (Some(from), Some(to)) = (from.first_plane(), to.first_plane()) {
            self.copy_plane(frame.bytes, from, first, to);
        }
        if let (Some(from), Some(to)) = (from.chroma_planes(), to.chroma_planes()) {
            let first = match format {
                PixelFormat::SemiPlanar(Chroma::Yuv420, _)
                | PixelFormat::Planar(Chroma::Yuv420, _) => first / 2,
                _ => first,
            };
            self.copy_plane(frame.bytes, from[0], first, to[0]);
            if from[1] != from[0] {
                self.copy_plane(frame.bytes, from[1], first, to[1]);
            }
        }
        to
    }

    /// The rows that were copied last; more bytes may follow.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn copy_plane(&mut self, bytes: &[u8], from: PlaneLayout, first: usize, to: PlaneLayout) {
        let into = &mut self.bytes[to.offset..to.end()];
        if from.stride == to.stride {
            let start = from.offset + from.stride * first;
            return into.copy_from_slice(&bytes[start..][..into.len()]);
        }
        for (row, into) in into.chunks_mut(to.stride).enumerate() {
            into[..to.row].copy_from_slice(from.row_of(bytes, first + row));
        }
    }
}

/// One row of a frame, for reading byte by byte. Its buffer is reused for the next row.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<u8>);

impl Line {
    /// `row`, or a copy of it if its memory is slow to read byte by byte.
    pub(super) fn of<'a>(&'a mut self, row: &'a [u8], memory: Memory) -> &'a [u8] {
        if memory == Memory::Cached {
            return row;
        }
        if self.0.len() < row.len() {
            self.0.resize(row.len(), 0);
        }
        let copy = &mut self.0[..row.len()];
        copy.copy_from_slice(row);
        copy
    }
}
