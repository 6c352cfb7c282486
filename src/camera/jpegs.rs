//! Makes packets of a camera's own JPEGs: repaired where that takes no decoding, turned where it loses nothing.

use super::encode::{EncodeError, within_the_wire};
use crate::image::frame::RawFrame;
use crate::image::jpeg::codec::{Edges, Turner};
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
        // The library reads JPEGs without tables or end marker; what lies behind the picture is not for it.
        let jpeg = repair::examine(frame.bytes).map_err(EncodeError::Damaged)?.span();
        let turner = match &mut self.turner {
            Some(turner) => turner,
            empty => empty.insert(Turner::new()?),
        };
        let mut packet = self.packets.take(facts(frame, orientation.size_of(size)));
        let content = PacketPool::open(&mut packet);
        let turned = turner.turn(jpeg, orientation, content.storage(Turner::max_len(size)?));
        // Not lost from the pool when it cannot be turned.
        content.set_len(turned.as_ref().map_or(0, |turned| turned.len));
        if let Ok(turned) = &turned {
            content.facts.size = turned.size;
        }
        self.packets.remember(&packet);
        let turned = turned?;
        within_the_wire(turned.len)?;
        if self.said.replace(turned.edges) != Some(turned.edges) && turned.edges == Edges::Trimmed {
            log::info!(
                "a JPEG of {size} has no whole blocks at its edges: {orientation}, it is sent as {}",
                turned.size
            );
        }
        Ok(packet)
    }

    /// Bytes held.
    pub(super) fn memory(&self) -> usize {
        self.packets.memory()
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
