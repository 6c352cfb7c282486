//! Makes packets from a camera's own JPEGs: repairs what needs no decoding, and turns them without
//! loss.

use super::encode::{EncodeError, within_the_wire};
use crate::image::jpeg::codec::{Edges, Turned, Turner};
use crate::image::jpeg::repair::Examined;
use crate::image::orientation::Orientation;
use crate::image::turn::turned_chroma;
use crate::wire::packet::{FrameFacts, Packet, PacketPool};
use std::sync::Arc;

/// The packet pool and the turner, reused from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Jpegs {
    packets: PacketPool,
    /// Created when the first frame has to be turned.
    turner: Option<Turner>,
    /// The last fact about edges that was logged, so that it is logged once.
    said: Option<Edges>,
}

impl Jpegs {
    /// Copies a JPEG from camera memory into a pooled packet, with missing pieces put in. Does not
    /// turn it.
    pub(super) fn copied(
        &mut self,
        picture: &Examined<'_>,
        facts: FrameFacts,
    ) -> Result<Arc<Packet>, EncodeError> {
        let len = picture.len();
        within_the_wire(len)?;
        let mut packet = self.packets.take(facts);
        let content = PacketPool::open(&mut packet);
        picture.write_to(&mut content.storage(len)[..len]);
        content.set_len(len);
        content.chroma = picture.chroma();
        self.packets.remember(&packet);
        Ok(packet)
    }

    /// The same, turned upright by moving its DCT coefficients.
    pub(super) fn turned(
        &mut self,
        picture: &Examined<'_>,
        facts: FrameFacts,
    ) -> Result<Arc<Packet>, EncodeError> {
        let orientation = picture.orientation();
        if orientation == Orientation::UPRIGHT {
            return self.copied(picture, facts);
        }
        let (packet, turned) = self.turn(picture, facts)?;
        within_the_wire(turned.len)?;
        if self.said.replace(turned.edges) != Some(turned.edges) && turned.edges == Edges::Trimmed {
            log::info!(
                "the edges of a JPEG of {} are cut to whole blocks: {orientation}, it is {}",
                picture.size(),
                turned.size
            );
        }
        Ok(packet)
    }

    fn turn(
        &mut self,
        picture: &Examined<'_>,
        facts: FrameFacts,
    ) -> Result<(Arc<Packet>, Turned), EncodeError> {
        let turner = match &mut self.turner {
            Some(turner) => turner,
            empty => empty.insert(Turner::new()?),
        };
        let room = Turner::max_len(picture.size())?;
        let mut packet = self.packets.take(facts);
        let content = PacketPool::open(&mut packet);
        let turned = turner.turn(picture, content.storage(room));
        // Return the packet to the pool even when the JPEG could not be turned.
        content.set_len(turned.as_ref().map_or(0, |turned| turned.len));
        if let Ok(turned) = &turned {
            content.facts.size = turned.size;
            content.chroma =
                picture.chroma().map(|chroma| turned_chroma(chroma, picture.orientation()));
        }
        self.packets.remember(&packet);
        Ok((packet, turned?))
    }

    /// Bytes held.
    pub(super) fn memory(&self) -> usize {
        self.packets.memory() + self.turner.as_ref().map_or(0, Turner::memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::Micros;
    use crate::image::jpeg::codec::{Decoded, Encoder};
    use crate::image::jpeg::markers;
    use crate::image::jpeg::repair::examine;
    use crate::image::orientation::Rotation;
    use crate::image::pixels::{Chroma, Size};
    use crate::image::planes::Planes;
    use crate::wire::packet::Codec;

    const SIZE: Size = Size::new(64, 48);
    const HALF: Orientation = Orientation::turned(Rotation::Half);

    fn jpeg(chroma: Chroma) -> Vec<u8> {
        let mut planes = Planes::default();
        planes.reshape(SIZE, chroma);
        planes.packed_mut().iter_mut().zip((0..=255).cycle()).for_each(|(at, value)| *at = value);
        let mut jpeg = vec![0; Encoder::max_len(SIZE, chroma).expect("a size")];
        let mut encoder = Encoder::new(80).expect("an encoder");
        let len = encoder.encode(&planes, &mut jpeg).expect("encodes");
        jpeg.truncate(len);
        jpeg
    }

    const FACTS: FrameFacts =
        FrameFacts { sequence: 1, captured_at: Micros(0), codec: Codec::Jpeg, size: SIZE };

    fn turned(jpegs: &mut Jpegs, bytes: &[u8]) -> (Vec<u8>, Decoded) {
        let picture = examine(bytes).expect("it can be repaired").then(HALF);
        let (packet, turned) = jpegs.turn(&picture, FACTS).expect("turned");
        (packet.payload().to_vec(), turned.decoded)
    }

    #[test]
    fn a_jpeg_without_its_end_or_with_garbage_is_repaired_before_it_is_turned() {
        let whole = jpeg(Chroma::Yuv420);
        let bare = &whole[..whole.len() - 2];
        let garbage = [&whole[..20], b"junk", &whole[20..]].concat();
        let mut jpegs = Jpegs::default();
        let expected = (turned(&mut jpegs, &whole).0, Decoded::Whole);
        for bytes in [bare, &garbage, &whole] {
            let found = turned(&mut jpegs, bytes);
            assert_eq!(found.1, expected.1, "the library warned");
            assert!(found.0 == expected.0, "another picture");
        }
    }

    #[test]
    fn how_a_turned_picture_is_subsampled_is_known_without_a_look_at_it() {
        let mut jpegs = Jpegs::default();
        for chroma in [Chroma::Grey, Chroma::Yuv420, Chroma::Yuv422] {
            let bytes = jpeg(chroma);
            for turn in [Rotation::None, Rotation::Quarter, Rotation::Half] {
                let picture = examine(&bytes).expect("whole").then(Orientation::turned(turn));
                let packet = jpegs.turned(&picture, FACTS).expect("turned");
                let written = markers::chroma(packet.payload());
                assert_eq!((packet.chroma, written.is_some()), (written, true), "{chroma:?}");
            }
        }
    }
}
