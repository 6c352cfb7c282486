//! A frame sealed for sending: its bytes once, shared by every viewer.

use crate::image::frame::Micros;
use crate::image::pixels::Size;
use std::sync::Arc;

/// How a packet's payload is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// One JPEG picture.
    Jpeg,
    /// Rows of B, G, R bytes without padding.
    Bgr24,
}

/// What is known of a frame besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameFacts {
    /// Rises from frame to frame; gaps are frames that were lost or skipped.
    pub sequence: u64,
    /// When the camera took it, on the camera machine's monotonic clock.
    pub captured_at: Micros,
    /// How the payload is coded.
    pub codec: Codec,
    /// The picture's size.
    pub size: Size,
}

/// A frame's bytes and facts. Written once by the encoder, then only read.
#[derive(Debug)]
pub struct Packet {
    /// What is known of the frame.
    pub facts: FrameFacts,
    /// Larger than the payload: it keeps the size of the largest frame it ever carried.
    storage: Vec<u8>,
    len: usize,
}

impl Packet {
    /// The frame's bytes.
    pub fn payload(&self) -> &[u8] {
        &self.storage[..self.len]
    }

    /// At least `len` bytes to write the payload into; then say how many it took with
    /// [`set_len`](Self::set_len). Allocates only when the packet was never that large, and holds
    /// nothing then.
    pub fn storage(&mut self, len: usize) -> &mut [u8] {
        if self.storage.len() < len {
            // Fresh zeroes come from the kernel untouched: what an encoder might need and does not
            // write to costs addresses, not memory.
            self.storage = vec![0; len];
        }
        &mut self.storage
    }

    /// Says how much of [`storage`](Self::storage) is the payload.
    ///
    /// # Panics
    /// When there is less storage than that.
    pub fn set_len(&mut self, len: usize) {
        assert!(len <= self.storage.len(), "a payload larger than its storage");
        self.len = len;
    }
}

/// Packets that are used again once no viewer holds them.
#[derive(Debug, Default)]
pub struct PacketPool {
    packets: Vec<Arc<Packet>>,
}

impl PacketPool {
    /// A packet that nobody else holds, with `facts` and whatever bytes it last had.
    ///
    /// The pool grows to one packet per viewer that is still sending, plus two.
    pub fn take(&mut self, facts: FrameFacts) -> Arc<Packet> {
        let free = self.packets.iter_mut().position(|packet| Arc::get_mut(packet).is_some());
        let mut packet = match free {
            Some(index) => self.packets.swap_remove(index),
            None => Arc::new(Packet { facts, storage: Vec::new(), len: 0 }),
        };
        Self::open(&mut packet).facts = facts;
        packet
    }

    /// The packet's own content, to be written before it is shared.
    ///
    /// # Panics
    /// When the packet was shared already.
    pub fn open(packet: &mut Arc<Packet>) -> &mut Packet {
        Arc::get_mut(packet).expect("a packet is written before anyone shares it")
    }

    /// Bytes that the payloads now in the packets take.
    pub fn memory(&self) -> usize {
        self.packets.iter().map(|packet| packet.len).sum()
    }

    /// Remembers a packet, so that it can be taken again once its viewers are done.
    pub fn remember(&mut self, packet: &Arc<Packet>) {
        self.packets.push(Arc::clone(packet));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_used_again_only_when_no_viewer_holds_it() {
        let facts = FrameFacts {
            sequence: 1,
            captured_at: Micros(0),
            codec: Codec::Jpeg,
            size: Size::new(1, 1),
        };
        let mut pool = PacketPool::default();
        let first = pool.take(facts);
        pool.remember(&first);
        let second = pool.take(facts);
        assert!(!Arc::ptr_eq(&first, &second), "the first is still held");
        pool.remember(&second);
        let address = Arc::as_ptr(&first);
        drop(first);
        assert_eq!(Arc::as_ptr(&pool.take(facts)), address);
    }
}
