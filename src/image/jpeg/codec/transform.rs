//! Turns and mirrors JPEGs without decoding them: their coefficients change places, and nothing is lost.

use super::{Decoded, Encoder, JpegError, MOST_SCANS};
use crate::image::jpeg::markers;
use crate::image::jpeg::repair::Examined;
use crate::image::orientation::{Mirror, Orientation, Rotation};
use crate::image::pixels::{Chroma, Size};
use turbojpeg::{OutputBuf, Transform, TransformOp, Transformer};

/// Turns JPEGs; lives as long as the stream.
#[derive(Debug)]
pub struct Turner {
    transformer: Transformer,
    /// A picture that had to be repaired before it could be turned.
    repaired: Vec<u8>,
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
        let transformer = Transformer::new().map_err(JpegError::Setup)?;
        Ok(Self { transformer, repaired: Vec::new() })
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

    /// Writes `picture` as it is to be seen into `out`.
    ///
    /// The result is sequential, with the standard Huffman tables, and has no application segments. 4:2:2 becomes 4:4:0
    /// by a quarter turn.
    ///
    /// # Errors
    /// When it is broken before its first block, has too many scans, or `out` is too small.
    pub fn turn(&mut self, picture: &Examined<'_>, out: &mut [u8]) -> Result<Turned, JpegError> {
        // The library has no limit of its own for these.
        let is_over = |jpeg| markers::scans(jpeg).nth(MOST_SCANS as usize).is_some();
        if picture.may_have_several_scans() && is_over(picture.span()) {
            return Err(JpegError::TooManyScans);
        }
        let jpeg = if picture.decodes_as_sent() {
            picture.span()
        } else {
            self.repaired.resize(picture.len(), 0);
            picture.write_to(&mut self.repaired);
            &self.repaired
        };
        let orientation = picture.orientation();
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
        // What was written is another JPEG than the one that was examined.
        let size = markers::picture_size(written).ok_or(JpegError::NoSize(len))?;
        let is_whole = size == orientation.size_of(picture.size());
        let edges = if is_whole { Edges::Whole } else { Edges::Trimmed };
        Ok(Turned { len, size, edges, decoded })
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.repaired.capacity()
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
