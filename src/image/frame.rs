//! A camera's frame as the source lends it: borrowed bytes with their layout.

use super::jpeg::repair::Examined;
use super::orientation::Orientation;
use super::pixels::{Chroma, ChromaOrder, Colour, PixelFormat, Size};
use super::planes::Planes;
use crate::rate::Rate;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A time on the `CLOCK_MONOTONIC` of the camera's machine, in microseconds; V4L2 stamps frames
/// with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This time plus `duration`; the largest time if that overflows.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

/// The layout of the bytes in every frame of a stream, as the driver granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLayout {
    /// The pixel format.
    pub format: PixelFormat,
    /// The visible size.
    pub size: Size,
    /// Bytes from one row to the next in the first plane; 0 for compressed formats.
    pub stride: usize,
    /// The meaning of the code values; always [`Colour::JPEG`] for a JPEG.
    pub colour: Colour,
    /// How each frame still has to be turned to be upright.
    pub orientation: Orientation,
    /// The time between frames, if the driver or the user stated one.
    pub interval: Option<Duration>,
    /// The kind of memory that the frames are in.
    pub memory: Memory,
}

/// How to read the memory that a frame is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Memory {
    /// Like any other memory: the CPU caches it.
    #[default]
    Cached,
    /// Each read goes to the memory chip, and takes as long for one byte as for sixteen. So whole
    /// rows are copied out of it, and nothing else reads it. Reading byte by byte was measured to
    /// take thirty times as long on a Pi (raspberrypi/linux#5286).
    Uncached,
}

/// The place of the rows of one plane in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneLayout {
    /// The first byte of its first row.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes of a row that belong to the picture.
    pub row: usize,
    /// The number of rows.
    pub rows: usize,
}

impl PlaneLayout {
    /// The end of the last row.
    pub const fn end(&self) -> usize {
        self.offset + self.stride * (self.rows - 1) + self.row
    }

    /// The bytes of row `index`; those of the last row if `index` is beyond it.
    ///
    /// # Panics
    /// When `frame` is shorter than [`end`](Self::end).
    pub fn row_of<'a>(&self, frame: &'a [u8], index: usize) -> &'a [u8] {
        &frame[self.offset + self.stride * index.min(self.rows - 1)..][..self.row]
    }
}

impl FrameLayout {
    /// The layout of upright frames in cached memory at an unknown rate.
    pub const fn new(format: PixelFormat, size: Size, stride: usize, colour: Colour) -> Self {
        let (orientation, interval, memory) = (Orientation::UPRIGHT, None, Memory::Cached);
        Self { format, size, stride, colour, orientation, interval, memory }
    }

    /// The least number of bytes in a whole raw frame; `None` for compressed formats.
    pub fn frame_len(&self) -> Option<usize> {
        let first = self.first_plane()?;
        let chroma = self.chroma_planes().map_or(0, |[cb, cr]| cb.end().max(cr.end()));
        Some(first.end().max(chroma))
    }

    /// The first plane of a raw format, usually the only one; `None` for compressed formats.
    pub fn first_plane(&self) -> Option<PlaneLayout> {
        let row = self.format.min_stride(self.size.width)?;
        Some(PlaneLayout { offset: 0, stride: self.stride, row, rows: self.size.height })
    }

    /// The planes after the first one: Cb and Cr, or the same plane twice if it holds Cb and Cr
    /// alternately. They follow each other without gaps, and rows are padded in proportion (V4L2,
    /// "Planar YUV formats").
    pub fn chroma_planes(&self) -> Option<[PlaneLayout; 2]> {
        let (chroma, order, samples) = match self.format {
            PixelFormat::SemiPlanar(chroma, order) => (chroma, order, 2),
            PixelFormat::Planar(chroma, order) => (chroma, order, 1),
            _ => return None,
        };
        let size = chroma.chroma_size(self.size);
        let row = size.width * samples;
        // 4:2:0 and 4:2:2 have half the columns.
        let halves = if chroma == Chroma::Yuv444 { 1 } else { 2 };
        let stride = (self.stride * samples).div_ceil(halves).max(row);
        let first =
            PlaneLayout { offset: self.stride * self.size.height, stride, row, rows: size.height };
        let second = PlaneLayout { offset: first.offset + stride * first.rows, ..first };
        Some(match (samples, order) {
            (2, _) => [first, first],
            (_, ChromaOrder::CbCr) => [first, second],
            (_, ChromaOrder::CrCb) => [second, first],
        })
    }

    /// The size of the picture once it is upright.
    pub fn upright_size(&self) -> Size {
        self.orientation.size_of(self.size)
    }
}

impl fmt::Display for FrameLayout {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.size, self.format)?;
        match self.interval.map(Rate::of_interval).and_then(Rate::known) {
            Some(rate) => write!(out, " {rate} fps"),
            None => Ok(()),
        }
    }
}

/// One frame, which its source lends until the next one is asked for. It never leaves the capture
/// thread.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The captured picture.
    pub content: Content<'a>,
    /// Rises by one for each captured frame, and by more if frames were lost before this one.
    pub sequence: u64,
    /// When the frame was captured.
    pub captured_at: Micros,
    /// The origin of that time.
    pub timed_by: TimedBy,
}

/// Where the capture time of a frame comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimedBy {
    /// From the camera.
    Camera,
    /// From the arrival of the frame, whose capture time is unknown. So its age is a lower bound.
    Arrival,
}

/// The content of a frame.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it lies on the stack")]
pub enum Content<'a> {
    /// A JPEG, with the turn that makes it upright.
    Jpeg(Examined<'a>),
    /// Pixels.
    Raw(RawFrame<'a>),
    /// Pixels that are in planes already, which other threads may go on reading.
    Shared(SharedFrame<'a>),
}

/// The pixels of a frame as the camera sent them.
#[derive(Debug, Clone, Copy)]
pub struct RawFrame<'a> {
    /// The bytes that the driver filled, at least as many as the layout needs.
    pub bytes: &'a [u8],
    /// Their layout.
    pub layout: &'a FrameLayout,
}

/// A frame whose pixels were read straight into planes.
#[derive(Debug, Clone, Copy)]
pub struct SharedFrame<'a> {
    /// The pixels. Clone this to keep them longer.
    pub planes: &'a Arc<Planes>,
    /// Their layout: a planar format without padding.
    pub layout: &'a FrameLayout,
}

impl<'a> SharedFrame<'a> {
    /// The same bytes as a raw frame, to be unpacked: for another chroma or colour, or to be
    /// turned.
    pub fn raw(&self) -> RawFrame<'a> {
        RawFrame { bytes: self.planes.packed(), layout: self.layout }
    }
}

impl Frame<'_> {
    /// The size of the captured picture, before it is turned.
    pub fn size(&self) -> Size {
        match &self.content {
            Content::Jpeg(picture) => picture.size(),
            Content::Raw(raw) => raw.layout.size,
            Content::Shared(shared) => shared.layout.size,
        }
    }

    /// The size of the picture once it is upright.
    pub fn upright_size(&self) -> Size {
        match &self.content {
            Content::Jpeg(picture) => picture.orientation().size_of(picture.size()),
            Content::Raw(raw) => raw.layout.upright_size(),
            Content::Shared(shared) => shared.layout.upright_size(),
        }
    }

    /// Its pixel format.
    pub fn format(&self) -> PixelFormat {
        match &self.content {
            Content::Jpeg(_) => PixelFormat::Jpeg,
            Content::Raw(raw) => raw.layout.format,
            Content::Shared(shared) => shared.layout.format,
        }
    }

    /// How many bytes the camera sent for it, up to the end of the picture.
    pub fn sent(&self) -> usize {
        match &self.content {
            Content::Jpeg(picture) => picture.span().len(),
            Content::Raw(raw) => raw.bytes.len(),
            Content::Shared(shared) => shared.planes.packed().len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(format: PixelFormat, stride: usize) -> FrameLayout {
        FrameLayout::new(format, Size::new(5, 3), stride, Colour::CAMERA)
    }

    #[test]
    fn planes_follow_each_other_and_odd_sizes_round_up() {
        let nv12 = layout(PixelFormat::SemiPlanar(Chroma::Yuv420, ChromaOrder::CbCr), 8);
        let both = PlaneLayout { offset: 24, stride: 8, row: 6, rows: 2 };
        assert_eq!(nv12.chroma_planes(), Some([both, both]));
        assert_eq!(nv12.frame_len(), Some(24 + 8 + 6));
        let yv12 = layout(PixelFormat::Planar(Chroma::Yuv420, ChromaOrder::CrCb), 8);
        let cr = PlaneLayout { offset: 24, stride: 4, row: 3, rows: 2 };
        assert_eq!(yv12.chroma_planes(), Some([PlaneLayout { offset: 32, ..cr }, cr]));
        assert_eq!(yv12.frame_len(), Some(32 + 4 + 3));
        let nv24 = layout(PixelFormat::SemiPlanar(Chroma::Yuv444, ChromaOrder::CbCr), 8);
        assert_eq!(nv24.frame_len(), Some(24 + 2 * 16 + 10));
    }
}
