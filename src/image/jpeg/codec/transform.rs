//! Turns and mirrors JPEGs without decoding them: their coefficients change places, and nothing is lost.

use super::{Decoded, Encoder, JpegError, MOST_SCANS};
use crate::image::jpeg::markers;
use crate::image::orientation::{Mirror, Orientation, Rotation};
use crate::image::picture::MAX_PIXELS;
use crate::image::pixels::{Chroma, Size};
use turbojpeg::{OutputBuf, Transform, TransformOp, Transformer};

/// Turns JPEGs; lives as long as the stream.
#[derive(Debug)]
pub struct Turner {
    transformer: Transformer,
}

/// What became of a JPEG that was turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turned {
    /// How many bytes were written.
    pub len: usize,
    /// Of the turned picture.
    pub size: Size,
    /// Whether all of it is there.
    pub edges: Edges,
    /// Whether the coefficients were.
    pub decoded: Decoded,
}

/// What became of a picture's edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// They are all there.
    Whole,
    /// A right or lower edge that came to be the left or upper one, and is not as wide as a whole
    /// MCU (8 or 16 pixels), is left out: JPEGs can have partial MCUs only at the right and below.
    Trimmed,
}

impl Turner {
    /// A turner.
    ///
    /// # Errors
    /// When the library has no memory.
    pub fn new() -> Result<Self, JpegError> {
        Ok(Self { transformer: Transformer::new().map_err(JpegError::Setup)? })
    }

    /// How many bytes a JPEG of `size` can have once it is turned, at the very most. Most have about
    /// as many as before.
    ///
    /// # Errors
    /// When the size is over what a JPEG can have.
    pub fn max_len(size: Size) -> Result<usize, JpegError> {
        // Any subsampling takes at most as much as none, and neither side is padded to more than 16.
        let padded = Size::new(size.width.next_multiple_of(32), size.height.next_multiple_of(32));
        Encoder::max_len(padded, Chroma::Yuv444)
    }

    /// Writes `jpeg`, with `orientation` done to it, into `out`.
    ///
    /// The result is sequential, with the standard Huffman tables, and has no application segments. 4:2:2 becomes 4:4:0
    /// by a quarter turn.
    ///
    /// # Errors
    /// When it is no JPEG, broken before its first block, over [`MAX_PIXELS`], or `out` is too small.
    pub fn turn(
        &mut self,
        jpeg: &[u8],
        orientation: Orientation,
        out: &mut [u8],
    ) -> Result<Turned, JpegError> {
        // Before the library asks for memory.
        let size = markers::picture_size(jpeg).ok_or(JpegError::NoSize(jpeg.len()))?;
        if size.area() > MAX_PIXELS {
            return Err(JpegError::TooLarge(size));
        }
        // It has no limit of its own for these.
        if markers::scans(jpeg).nth(MOST_SCANS as usize).is_some() {
            return Err(JpegError::TooManyScans);
        }
        let mut transform = Transform::op(operation(orientation));
        transform.trim = true;
        transform.copy_none = true;
        let (result, len) = {
            let mut buffer = OutputBuf::borrowed(out);
            let result = self.transformer.transform(&transform, jpeg, &mut buffer);
            (result, buffer.len())
        };
        let decoded = super::forgiving(result)?;
        let written = out.get(..len).unwrap_or_default();
        let turned = markers::picture_size(written).ok_or(JpegError::NoSize(len))?;
        let edges = if turned == orientation.size_of(size) { Edges::Whole } else { Edges::Trimmed };
        Ok(Turned { len, size: turned, edges, decoded })
    }
}

fn operation(orientation: Orientation) -> TransformOp {
    match (orientation.mirror, orientation.rotation) {
        (Mirror::None, Rotation::None) => TransformOp::None,
        (Mirror::None, Rotation::Quarter) => TransformOp::Rot90,
        (Mirror::None, Rotation::Half) => TransformOp::Rot180,
        (Mirror::None, Rotation::ThreeQuarters) => TransformOp::Rot270,
        (Mirror::LeftRight, Rotation::None) => TransformOp::Hflip,
        (Mirror::LeftRight, Rotation::Quarter) => TransformOp::Transverse,
        (Mirror::LeftRight, Rotation::Half) => TransformOp::Vflip,
        (Mirror::LeftRight, Rotation::ThreeQuarters) => TransformOp::Transpose,
    }
}
