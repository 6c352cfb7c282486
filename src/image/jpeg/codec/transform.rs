//! Turns and mirrors JPEGs without decoding them: moves their coefficients, without loss.

use super::{Decoded, Encoder, JpegError, MOST_SCANS};
use crate::image::jpeg::markers;
use crate::image::jpeg::repair::Examined;
use crate::image::orientation::{Mirror, Orientation, Rotation};
use crate::image::pixels::{Chroma, Size};
use turbojpeg::{OutputBuf, Transform, TransformOp, Transformer};

/// Turns JPEGs; reused for all frames of a stream.
#[derive(Debug)]
pub struct Turner {
    transformer: Transformer,
    /// Holds a picture that has to be repaired before it is turned.
    repaired: Vec<u8>,
}

/// The result of turning a JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turned {
    /// How many bytes were written.
    pub len: usize,
    /// The size of the turned picture.
    pub size: Size,
    /// Whether the picture is complete.
    pub edges: Edges,
    /// Whether all its coefficients were there.
    pub decoded: Decoded,
}

/// Whether the edges of a turned picture are complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// They are complete.
    Whole,
    /// An edge is cut. JPEGs can have partial MCUs (blocks of 8 or 16 pixels) only at the right and
    /// at the bottom. So if a partial one would come to the left or the top, it is left out.
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

    /// The greatest number of bytes that a turned JPEG of `size` can have. Most have about as many
    /// as before.
    ///
    /// # Errors
    /// When the size is over the limit of JPEG.
    pub fn max_len(size: Size) -> Result<usize, JpegError> {
        // No subsampling takes more bytes than 4:4:4, and no side is padded to more than a multiple
        // of 32 (the MCU of 4:1:1).
        let padded = Size::new(size.width.next_multiple_of(32), size.height.next_multiple_of(32));
        Encoder::max_len(padded, Chroma::Yuv444)
    }

    /// Writes `picture`, turned upright, into `out`.
    ///
    /// The result is sequential, has the standard Huffman tables, and no application segments. A
    /// quarter turn changes 4:2:2 to 4:4:0.
    ///
    /// # Errors
    /// When it is broken before its first block, has too many scans, or `out` is too small.
    pub fn turn(&mut self, picture: &Examined<'_>, out: &mut [u8]) -> Result<Turned, JpegError> {
        // The library's transformer has no limit for the number of scans.
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
        // The turned JPEG is a new one, which was not examined.
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
