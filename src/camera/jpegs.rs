//! Makes packets of a camera's own JPEGs: repaired where that takes no decoding, turned where it loses nothing.

use super::encode::{EncodeError, within_the_wire};
use crate::image::frame::RawFrame;
use crate::image::jpeg::codec::{Edges, Turned, Turner};
use crate::image::jpeg::{markers, repair};
use crate::image::orientation::Orientation;
use crate::image::pixels::Size;
use crate::wire::packet::{Codec, FrameFacts, Packet, PacketPool};
use std::sync::Arc;

/// What frames become packets with, and what is kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Jpegs {
    packets: PacketPool,
    /// Once a frame had to be turned.
    turner: Option<Turner>,
    /// A frame that had to be repaired before that.
    repaired: Vec<u8>,
    /// Whether it was said that edges are left out.
    said: Option<Edges>,
}

impl Jpegs {
    /// From camera memory into a pooled packet: one copy, with what was missing put in, and not turned.
    pub(super) fn copied(&mut self, frame: &RawFrame<'_>) -> Result<Arc<Packet>, EncodeError> {
        let repaired = repair::examine(frame.bytes).map_err(EncodeError::Damaged)?;
        let len = repaired.len();
        within_the_wire(len)?;
        let mut packet = self.packets.take(facts(frame, size(frame)?));
        let content = PacketPool::open(&mut packet);
        repaired.write_to(&mut content.storage(len)[..len]);
        content.set_len(len);
        self.packets.remember(&packet);
        Ok(packet)
    }

    /// The same as it is to be seen: its coefficients moved to where they belong.
    pub(super) fn turned(&mut self, frame: &RawFrame<'_>) -> Result<Arc<Packet>, EncodeError> {
        let orientation = frame.layout.orientation;
        if orientation == Orientation::UPRIGHT {
            return self.copied(frame);
        }
        let size = size(frame)?;
        let (packet, turned) = self.turn(frame, orientation, size)?;
        within_the_wire(turned.len)?;
        if self.said.replace(turned.edges) != Some(turned.edges) && turned.edges == Edges::Trimmed {
            log::info!(
                "a JPEG of {size} has no whole blocks at its edges: {orientation}, it is sent as {}",
                turned.size
            );
        }
        Ok(packet)
    }

    fn turn(
        &mut self,
        frame: &RawFrame<'_>,
        orientation: Orientation,
        size: Size,
    ) -> Result<(Arc<Packet>, Turned), EncodeError> {
        let repaired = repair::examine(frame.bytes).map_err(EncodeError::Damaged)?;
        let jpeg = if repaired.decodes_as_sent() {
            repaired.span()
        } else {
            self.repaired.resize(repaired.len(), 0);
            repaired.write_to(&mut self.repaired);
            &self.repaired
        };
        let turner = match &mut self.turner {
            Some(turner) => turner,
            empty => empty.insert(Turner::new()?),
        };
        let room = Turner::max_len(size)?;
        let mut packet = self.packets.take(facts(frame, orientation.size_of(size)));
        let content = PacketPool::open(&mut packet);
        let turned = turner.turn(jpeg, orientation, content.storage(room));
        // Not lost from the pool when it cannot be turned.
        content.set_len(turned.as_ref().map_or(0, |turned| turned.len));
        if let Ok(turned) = &turned {
            content.facts.size = turned.size;
        }
        self.packets.remember(&packet);
        Ok((packet, turned?))
    }

    /// Bytes held.
    pub(super) fn memory(&self) -> usize {
        self.packets.memory() + self.repaired.len()
    }
}

/// The picture's own header has the last word.
fn size(frame: &RawFrame<'_>) -> Result<Size, EncodeError> {
    markers::picture_size(frame.bytes).ok_or(EncodeError::NoSize(frame.bytes.len()))
}

fn facts(frame: &RawFrame<'_>, size: Size) -> FrameFacts {
    let RawFrame { sequence, captured_at, .. } = *frame;
    FrameFacts { sequence, captured_at, codec: Codec::Jpeg, size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::{FrameLayout, Micros};
    use crate::image::jpeg::codec::{Decoded, Encoder};
    use crate::image::orientation::Rotation;
    use crate::image::pixels::{Chroma, Colour, PixelFormat};
    use crate::image::planes::Planes;

    const SIZE: Size = Size::new(64, 48);
    const HALF: Orientation = Orientation::turned(Rotation::Half);

    fn jpeg() -> Vec<u8> {
        let mut planes = Planes::default();
        planes.reshape(SIZE, Chroma::Yuv420);
        planes.packed_mut().iter_mut().zip((0..=255).cycle()).for_each(|(at, value)| *at = value);
        let mut jpeg = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
        let mut encoder = Encoder::new(80).expect("an encoder");
        let len = encoder.encode(&planes, &mut jpeg).expect("encodes");
        jpeg.truncate(len);
        jpeg
    }

    fn turned(jpegs: &mut Jpegs, bytes: &[u8]) -> (Vec<u8>, Decoded) {
        let layout = FrameLayout {
            format: PixelFormat::Jpeg,
            size: SIZE,
            stride: 0,
            colour: Colour::JPEG,
            orientation: HALF,
            interval: None,
        };
        let frame = RawFrame { bytes, layout: &layout, sequence: 1, captured_at: Micros(0) };
        let (packet, turned) = jpegs.turn(&frame, HALF, SIZE).expect("turned");
        (packet.payload().to_vec(), turned.decoded)
    }

    #[test]
    fn a_jpeg_without_its_end_or_with_garbage_is_repaired_before_it_is_turned() {
        let whole = jpeg();
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
}
