//! Makes packets from planes: resizes, encodes and seals them for sending.

use super::strips::{EncodeThreads, SharedEncoder};
use crate::image::jpeg::codec::JpegError;
use crate::image::pixels::{Chroma, MAX_PIXELS, Size};
use crate::image::planes::Planes;
use crate::image::resize::PlaneResizer;
use crate::wire::native::write::MAX_PICTURE;
use crate::wire::packet::{Codec, FrameFacts, Packet, PacketPool};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How pictures are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// JPEG.
    Jpeg {
        /// 1 to 100.
        quality: u8,
        /// The chroma subsampling.
        chroma: Chroma,
    },
    /// Raw blue, green and red bytes, which the tutorial's client shows.
    Bgr24,
}

impl Coding {
    /// The chroma of the planes that this encoding starts from.
    pub fn chroma(self) -> Chroma {
        match self {
            Self::Jpeg { chroma, .. } => chroma,
            Self::Bgr24 => Chroma::Yuv420,
        }
    }

    /// Its codec on the wire.
    pub fn codec(self) -> Codec {
        match self {
            Self::Jpeg { .. } => Codec::Jpeg,
            Self::Bgr24 => Codec::Bgr24,
        }
    }
}

/// How the pictures of a rendition are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// How they are encoded.
    pub coding: Coding,
    /// Their size.
    pub size: Size,
}

impl fmt::Display for Recipe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.coding {
            Coding::Jpeg { quality, .. } => write!(out, "{} JPEG of quality {quality}", self.size),
            Coding::Bgr24 => write!(out, "{} BGR", self.size),
        }
    }
}

/// Why a frame could not be encoded. The frame is dropped and counted.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// libjpeg-turbo refused.
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    /// The frame is too large for the wire format.
    #[error("a frame of {0} bytes is too large to send: the limit is {MAX_PICTURE}")]
    TooLong(usize),
}

/// Encodes the packets of one rendition. Its buffers are reused from frame to frame.
#[derive(Debug)]
pub struct Encoding {
    recipe: Recipe,
    threads: Arc<EncodeThreads>,
    encoder: Option<SharedEncoder>,
    resizer: PlaneResizer,
    resized: Planes,
    pool: PacketPool,
}

impl Encoding {
    /// An encoding by `recipe`, on these threads.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot start.
    pub fn new(recipe: Recipe, threads: &Arc<EncodeThreads>) -> Result<Self, JpegError> {
        Ok(Self {
            recipe,
            threads: Arc::clone(threads),
            encoder: encoder(recipe.coding, threads)?,
            resizer: PlaneResizer::default(),
            resized: Planes::default(),
            pool: PacketPool::default(),
        })
    }

    /// Changes to another recipe.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot start. The old recipe stays then.
    pub fn follow(&mut self, recipe: Recipe) -> Result<(), JpegError> {
        if recipe.coding != self.recipe.coding {
            self.encoder = encoder(recipe.coding, &self.threads)?;
        }
        self.recipe = recipe;
        Ok(())
    }

    /// The current recipe.
    pub fn recipe(&self) -> Recipe {
        self.recipe
    }

    /// Bytes held: its resized planes, its strips and its packets.
    pub fn memory(&self) -> usize {
        let strips = self.encoder.as_ref().map_or(0, SharedEncoder::memory);
        self.resized.packed().len() + strips + self.pool.memory()
    }

    /// How long other threads worked on the last picture, in CPU time.
    pub fn helped(&self) -> Duration {
        self.encoder.as_ref().map_or(Duration::ZERO, SharedEncoder::helped)
    }

    /// Makes a packet from `planes`.
    ///
    /// # Errors
    /// When the frame cannot be encoded, or is too long for the wire.
    pub fn encode(
        &mut self,
        planes: &Planes,
        facts: FrameFacts,
    ) -> Result<Arc<Packet>, EncodeError> {
        let Recipe { coding, size } = self.recipe;
        if size.area() > MAX_PIXELS {
            // Check before allocating: the owner's options may ask for any size.
            return Err(JpegError::TooLarge(size).into());
        }
        let chroma = match (coding, planes.chroma()) {
            // A grey picture is sent as a grey JPEG, which costs a third less to encode.
            (Coding::Jpeg { .. }, Chroma::Grey) => Chroma::Grey,
            _ => coding.chroma(),
        };
        let facts = FrameFacts { codec: coding.codec(), size, ..facts };
        let planes = if (planes.size(), planes.chroma()) == (size, chroma) {
            planes
        } else {
            self.resizer.resize(planes, &mut self.resized, size, chroma);
            &self.resized
        };
        let mut packet = self.pool.take(facts);
        let content = PacketPool::open(&mut packet);
        let len = match &mut self.encoder {
            Some(encoder) => encoder.encode(planes, facts.captured_at, content),
            None => {
                let len = size.area() * 3;
                planes.write_bgr(&mut content.storage(len)[..len]);
                Ok(len)
            }
        };
        // Return the packet to the pool even when the encoder failed or wrote too much.
        content.set_len(*len.as_ref().unwrap_or(&0));
        content.chroma = self.encoder.as_ref().map(|_| chroma);
        self.pool.remember(&packet);
        within_the_wire(len?)?;
        Ok(packet)
    }
}

fn encoder(
    coding: Coding,
    threads: &Arc<EncodeThreads>,
) -> Result<Option<SharedEncoder>, JpegError> {
    match coding {
        Coding::Jpeg { quality, .. } => SharedEncoder::new(quality, threads).map(Some),
        Coding::Bgr24 => Ok(None),
    }
}

/// Checks that the wire format can carry a picture of `len` bytes.
///
/// # Errors
/// When it cannot.
pub fn within_the_wire(len: usize) -> Result<(), EncodeError> {
    if len <= MAX_PICTURE {
        return Ok(());
    }
    Err(EncodeError::TooLong(len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::Micros;

    #[test]
    fn what_no_screen_can_show_is_refused_before_memory_is_asked_for() {
        let mut planes = Planes::default();
        planes.reshape(Size::new(2, 2), Chroma::Yuv420);
        let size = Size::new(Size::MAX_SIDE, Size::MAX_SIDE);
        let facts = FrameFacts { sequence: 1, captured_at: Micros(0), codec: Codec::Bgr24, size };
        let recipe = Recipe { coding: Coding::Bgr24, size };
        let mut encoding = Encoding::new(recipe, &EncodeThreads::new(1)).expect("starts");
        let refused = encoding.encode(&planes, facts);
        assert!(matches!(refused, Err(EncodeError::Jpeg(JpegError::TooLarge(_)))), "{refused:?}");
        assert_eq!(encoding.memory(), 0);
    }
}
