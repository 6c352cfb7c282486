//! A camera's frame as the camera lends it: borrowed bytes and what they mean.

use super::jpeg::repair::Examined;
use super::orientation::Orientation;
use super::pixels::{Chroma, ChromaOrder, Colour, PixelFormat, Size};
use super::planes::Planes;
use crate::rate::Rate;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A moment on the camera machine's `CLOCK_MONOTONIC`, in microseconds: what V4L2 stamps frames with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// The time from `earlier` to `self`; zero when the two are the other way round.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The time so much later; the last there is when that is beyond all times.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

/// How the bytes of every frame of a stream are laid out, as the driver granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLayout {
    /// What the bytes are.
    pub format: PixelFormat,
    /// Visible size.
    pub size: Size,
    /// Bytes from one row to the next in the first plane; 0 for compressed formats.
    pub stride: usize,
    /// What the code values mean; a JPEG's are always [`Colour::JPEG`].
    pub colour: Colour,
    /// What is still to be done to each frame until it stands upright.
    pub orientation: Orientation,
    /// Time between frames, where the driver or the user named one.
    pub interval: Option<Duration>,
    /// What memory they lie in.
    pub memory: Memory,
}

/// How the memory that a frame lies in is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Memory {
    /// As any other: the CPU keeps a copy of what it has read.
    #[default]
    Cached,
    /// Each read goes out to the memory chip, and takes as long for one byte as for sixteen. So whole rows are copied
    /// out of it first, and nothing else reads it. On a Pi, byte after byte was measured to take thirty times as long
    /// (raspberrypi/linux#5286).
    Uncached,
}

/// Where the rows of one plane lie in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneLayout {
    /// The first byte of its first row.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes of a row that carry the picture.
    pub row: usize,
    /// How many rows.
    pub rows: usize,
}

impl PlaneLayout {
    /// Where the last row ends.
    pub const fn end(&self) -> usize {
        self.offset + self.stride * (self.rows - 1) + self.row
    }

    /// The bytes of row `index`; of the last row for any index beyond it.
    ///
    /// # Panics
    /// When `frame` is shorter than [`end`](Self::end).
    pub fn row_of<'a>(&self, frame: &'a [u8], index: usize) -> &'a [u8] {
        &frame[self.offset + self.stride * index.min(self.rows - 1)..][..self.row]
    }
}

impl FrameLayout {
    /// Upright frames in ordinary memory, of which nobody knows how often they come.
    pub const fn new(format: PixelFormat, size: Size, stride: usize, colour: Colour) -> Self {
        let (orientation, interval, memory) = (Orientation::UPRIGHT, None, Memory::Cached);
        Self { format, size, stride, colour, orientation, interval, memory }
    }

    /// How many bytes a whole raw frame has at least; `None` for compressed formats.
    pub fn frame_len(&self) -> Option<usize> {
        let first = self.first_plane()?;
        let chroma = self.chroma_planes().map_or(0, |[cb, cr]| cb.end().max(cr.end()));
        Some(first.end().max(chroma))
    }

    /// The first plane of a raw format, most often the only one; `None` for compressed formats.
    pub fn first_plane(&self) -> Option<PlaneLayout> {
        let row = self.format.min_stride(self.size.width)?;
        Some(PlaneLayout { offset: 0, stride: self.stride, row, rows: self.size.height })
    }

    /// The planes behind the first one: Cb and Cr, or twice the same for Cb and Cr in turns. They follow
    /// each other without gaps, and rows are padded in proportion (V4L2, "Planar YUV formats").
    pub fn chroma_planes(&self) -> Option<[PlaneLayout; 2]> {
        let (chroma, order, samples) = match self.format {
            PixelFormat::SemiPlanar(chroma, order) => (chroma, order, 2),
            PixelFormat::Planar(chroma, order) => (chroma, order, 1),
            _ => return None,
        };
        let size = chroma.chroma_size(self.size);
        let row = size.width * samples;
        // 4:2:0 and 4:2:2 halve the columns.
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

    /// The size of the picture once it stands upright.
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

/// One frame, lent by its source until the next is asked for. It never leaves the capture thread.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What was captured.
    pub content: Content<'a>,
    /// Rises by one per captured frame, by more where frames were lost before this one.
    pub sequence: u64,
    /// When the camera took it.
    pub captured_at: Micros,
    /// What that is known by.
    pub timed_by: TimedBy,
}

/// How it is known when a frame was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimedBy {
    /// Its camera says it.
    Camera,
    /// It was here then, and nobody says since when it exists: its age is a lower bound.
    Arrival,
}

/// What a frame holds.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it lies on the stack")]
pub enum Content<'a> {
    /// A JPEG, and what is still to be done to it until it stands upright.
    Jpeg(Examined<'a>),
    /// Pixels.
    Raw(RawFrame<'a>),
    /// Pixels that lie in planes already, which others may go on reading.
    Shared(SharedFrame<'a>),
}

/// A frame's pixels as the camera sent them.
#[derive(Debug, Clone, Copy)]
pub struct RawFrame<'a> {
    /// The bytes that the driver filled, at least as many as the layout asks for.
    pub bytes: &'a [u8],
    /// What they mean.
    pub layout: &'a FrameLayout,
}

/// A frame whose pixels were read straight into planes.
#[derive(Debug, Clone, Copy)]
pub struct SharedFrame<'a> {
    /// The pixels; a clone of this goes to whoever needs them longer.
    pub planes: &'a Arc<Planes>,
    /// What they mean: a planar format, without padding.
    pub layout: &'a FrameLayout,
}

impl<'a> SharedFrame<'a> {
    /// The same as bytes that are yet to be unpacked: for another chroma or colour, or to be turned.
    pub fn raw(&self) -> RawFrame<'a> {
        RawFrame { bytes: self.planes.packed(), layout: self.layout }
    }
}

impl Frame<'_> {
    /// The size of the picture as it was captured, before it is turned.
    pub fn size(&self) -> Size {
        match &self.content {
            Content::Jpeg(picture) => picture.size(),
            Content::Raw(raw) => raw.layout.size,
            Content::Shared(shared) => shared.layout.size,
        }
    }

    /// The size of the picture once it stands upright.
    pub fn upright_size(&self) -> Size {
        match &self.content {
            Content::Jpeg(picture) => picture.orientation().size_of(picture.size()),
            Content::Raw(raw) => raw.layout.upright_size(),
            Content::Shared(shared) => shared.layout.upright_size(),
        }
    }

    /// What its bytes are.
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
