//! Makes of each captured frame what viewers are sent: passed through, or planes, resized, encoded.

use super::update::{StreamFacts, Update};
use crate::image::frame::RawFrame;
use crate::image::jpeg::codec::{Decoder, Encoder, JpegError};
use crate::image::jpeg::markers;
use crate::image::pixels::{Chroma, PixelFormat, Size};
use crate::image::planes::Planes;
use crate::image::rendition::SizeWish;
use crate::image::resize::PlaneResizer;
use crate::latest::Latest;
use crate::wire::native::write::MAX_PICTURE;
use crate::wire::packet::{Codec, FrameFacts, Packet, PacketPool};
use std::sync::Arc;

/// What a rendition's pictures are coded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// JPEG; frames that are JPEG already and have the right size pass through untouched.
    Jpeg {
        /// 1 to 100.
        quality: u8,
        /// Colour detail kept.
        chroma: Chroma,
    },
    /// Blue, green and red bytes: what the tutorial's client shows.
    Bgr24,
}

/// Why a frame could not be made into what viewers are sent. It is dropped and counted.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// libjpeg-turbo would not.
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    /// A JPEG frame without a frame header.
    #[error("a JPEG of {0} bytes has no size in it")]
    NoSize(usize),
    /// A frame that the wire cannot carry.
    #[error("a frame of {0} bytes is over the wire's limit of {MAX_PICTURE}")]
    TooLong(usize),
}

/// One form in which pictures are sent, shared by all viewers that take it.
#[derive(Debug)]
pub struct Rendition {
    coding: Coding,
    wish: SizeWish,
    output: Arc<Latest<Update>>,
    pool: PacketPool,
    encoder: Option<Encoder>,
    resizer: PlaneResizer,
    resized: Planes,
    /// Whether the slot still holds a frame that a later viewer must not take for new.
    holds_frame: bool,
}

impl Rendition {
    /// A rendition that publishes to `output` whenever somebody watches there.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot start.
    pub fn new(
        coding: Coding,
        wish: SizeWish,
        output: Arc<Latest<Update>>,
    ) -> Result<Self, JpegError> {
        let encoder = match coding {
            Coding::Jpeg { quality, .. } => Some(Encoder::new(quality)?),
            Coding::Bgr24 => None,
        };
        Ok(Self {
            coding,
            wish,
            output,
            pool: PacketPool::default(),
            encoder,
            resizer: PlaneResizer::default(),
            resized: Planes::default(),
            holds_frame: false,
        })
    }

    fn passes_through(&self, format: PixelFormat, captured: Size) -> bool {
        format == PixelFormat::Jpeg
            && matches!(self.coding, Coding::Jpeg { .. })
            && self.wish.size_for(captured) == captured
    }

    fn chroma(&self) -> Chroma {
        match self.coding {
            Coding::Jpeg { chroma, .. } => chroma,
            Coding::Bgr24 => Chroma::Yuv420,
        }
    }

    fn publish(&mut self, packet: &Arc<Packet>, stream: &Arc<StreamFacts>) {
        self.pool.remember(packet);
        let stream = Arc::clone(stream);
        // The replaced packet goes back to the pool by being let go of.
        self.output.publish(Update::Frame { packet: Arc::clone(packet), stream });
        self.holds_frame = true;
    }

    /// One copy, from camera memory into a pooled packet.
    fn pass_through(&mut self, jpeg: &[u8], facts: FrameFacts) -> Result<Arc<Packet>, EncodeError> {
        within_the_wire(jpeg.len())?;
        let mut packet = self.pool.take(facts);
        let content = PacketPool::open(&mut packet);
        content.storage(jpeg.len())[..jpeg.len()].copy_from_slice(jpeg);
        content.set_len(jpeg.len());
        Ok(packet)
    }

    fn encode(&mut self, planes: &Planes, facts: FrameFacts) -> Result<Arc<Packet>, EncodeError> {
        let chroma = self.chroma();
        let planes = if (planes.size(), planes.chroma()) == (facts.size, chroma) {
            planes
        } else {
            self.resizer.resize(planes, &mut self.resized, facts.size, chroma);
            &self.resized
        };
        let mut packet = self.pool.take(facts);
        let content = PacketPool::open(&mut packet);
        let len = match &mut self.encoder {
            Some(encoder) => {
                let max_len = Encoder::max_len(facts.size, chroma)?;
                encoder.encode(planes, content.storage(max_len))
            }
            None => {
                let len = facts.size.area() * 3;
                planes.write_bgr(&mut content.storage(len)[..len]);
                Ok(len)
            }
        };
        // An empty packet must not be lost from the pool when the encoder fails.
        content.set_len(*len.as_ref().unwrap_or(&0));
        let sent = len.map_err(EncodeError::from).and_then(within_the_wire);
        if sent.is_err() {
            self.pool.remember(&packet);
        }
        sent.map(|()| packet)
    }
}

fn within_the_wire(len: usize) -> Result<(), EncodeError> {
    if len <= MAX_PICTURE {
        return Ok(());
    }
    Err(EncodeError::TooLong(len))
}

/// All renditions of one camera, and what they share.
#[derive(Debug)]
pub struct Renditions {
    renditions: Vec<Rendition>,
    planes: Planes,
    decoder: Decoder,
}

impl Renditions {
    /// Of these renditions.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot start.
    pub fn new(renditions: Vec<Rendition>) -> Result<Self, JpegError> {
        Ok(Self { renditions, planes: Planes::default(), decoder: Decoder::new()? })
    }

    /// Publishes `status` to every viewer in place of a picture.
    pub fn publish_status(&mut self, status: &Update) {
        for rendition in &mut self.renditions {
            rendition.output.publish(status.clone());
            rendition.holds_frame = false;
        }
    }

    /// Makes and publishes every rendition that somebody watches: pass-through first, since it has
    /// nothing to wait for. One that nobody watches costs nothing.
    ///
    /// # Errors
    /// When the frame cannot be decoded or encoded; nobody is sent it then.
    pub fn encode(
        &mut self,
        frame: &RawFrame<'_>,
        stream: &Arc<StreamFacts>,
        when_unwatched: &Update,
    ) -> Result<(), EncodeError> {
        let format = frame.layout.format;
        let captured = match format {
            PixelFormat::Jpeg => {
                markers::picture_size(frame.bytes).ok_or(EncodeError::NoSize(frame.bytes.len()))?
            }
            _ => frame.layout.size,
        };
        let mut least = None;
        for rendition in &mut self.renditions {
            if rendition.output.watchers() == 0 {
                // Otherwise the next viewer would begin with a picture of long ago.
                if std::mem::take(&mut rendition.holds_frame) {
                    rendition.output.publish(when_unwatched.clone());
                }
            } else if rendition.passes_through(format, captured) {
                let packet =
                    rendition.pass_through(frame.bytes, facts(frame, Codec::Jpeg, captured))?;
                rendition.publish(&packet, stream);
            } else {
                least = Some(larger(least, rendition.wish.size_for(captured)));
            }
        }
        let Some(least) = least else { return Ok(()) };
        self.fill_planes(frame, least)?;
        for rendition in &mut self.renditions {
            if rendition.output.watchers() == 0 || rendition.passes_through(format, captured) {
                continue;
            }
            let codec = match rendition.coding {
                Coding::Jpeg { .. } => Codec::Jpeg,
                Coding::Bgr24 => Codec::Bgr24,
            };
            let facts = facts(frame, codec, rendition.wish.size_for(captured));
            let packet = rendition.encode(&self.planes, facts)?;
            rendition.publish(&packet, stream);
        }
        Ok(())
    }

    /// The one reading of camera memory: into planes that all renditions start from, no smaller than `least`.
    fn fill_planes(&mut self, frame: &RawFrame<'_>, least: Size) -> Result<(), EncodeError> {
        if frame.layout.format == PixelFormat::Jpeg {
            self.decoder.decode_planes(frame.bytes, least, &mut self.planes)?;
            return Ok(());
        }
        let wants_422 = self.renditions.iter().any(|rendition| {
            rendition.output.watchers() > 0 && rendition.chroma() == Chroma::Yuv422
        });
        let chroma = if wants_422 { Chroma::Yuv422 } else { Chroma::Yuv420 };
        self.planes.fill_from(frame, chroma);
        Ok(())
    }
}

fn facts(frame: &RawFrame<'_>, codec: Codec, size: Size) -> FrameFacts {
    FrameFacts { sequence: frame.sequence, captured_at: frame.captured_at, codec, size }
}

fn larger(one: Option<Size>, other: Size) -> Size {
    let one = one.unwrap_or(other);
    Size::new(one.width.max(other.width), one.height.max(other.height))
}
