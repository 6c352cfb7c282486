//! A frame that is ready for sending: its bytes once, shared by all viewers.

use crate::image::frame::Micros;
use crate::image::pixels::{Chroma, Size};
use std::sync::Arc;

/// The encoding of a packet's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// One JPEG picture.
    Jpeg,
    /// Rows of B, G, R bytes without padding.
    Bgr24,
}

/// The facts of a frame besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameFacts {
    /// Rises from frame to frame. Gaps are frames that were lost or skipped.
    pub sequence: u64,
    /// When the frame was captured, by the monotonic clock of the camera's machine.
    pub captured_at: Micros,
    /// The encoding of the payload.
    pub codec: Codec,
    /// The size of the picture.
    pub size: Size,
}

/// A frame's bytes and facts. The encoder writes it once; after that it is only read.
#[derive(Debug)]
pub struct Packet {
    /// The facts of the frame.
    pub facts: FrameFacts,
    /// How the colours of a JPEG are subsampled, where its maker knows that.
    pub chroma: Option<Chroma>,
    /// Larger than the payload: it keeps the size of the largest frame that it ever held.
    storage: Vec<u8>,
    len: usize,
}

impl Packet {
    /// The frame's bytes.
    pub fn payload(&self) -> &[u8] {
        &self.storage[..self.len]
    }

    /// At least `len` bytes for the payload. After writing, call [`set_len`](Self::set_len).
    /// Allocates only if the packet was never that large; its old content is lost then.
    pub fn storage(&mut self, len: usize) -> &mut [u8] {
        if self.storage.len() < len {
            // Fresh zero pages from the kernel use no memory until they are written. So what an
            // encoder may need but does not use costs only address space.
            self.storage = vec![0; len];
        }
        &mut self.storage
    }

    /// Sets how many bytes of [`storage`](Self::storage) are the payload.
    ///
    /// # Panics
    /// When there is less storage than that.
    pub fn set_len(&mut self, len: usize) {
        assert!(len <= self.storage.len(), "a payload larger than its storage");
        self.len = len;
    }
}

/// Packets that are reused when no viewer holds them any more.
#[derive(Debug, Default)]
pub struct PacketPool {
    packets: Vec<Arc<Packet>>,
}

impl PacketPool {
    /// A packet that nobody else holds, with these facts and any bytes.
    ///
    /// The pool grows to one packet for each viewer that is still sending, plus two.
    pub fn take(&mut self, facts: FrameFacts) -> Arc<Packet> {
        let free = self.packets.iter_mut().position(|packet| Arc::get_mut(packet).is_some());
        let mut packet = match free {
            Some(index) => self.packets.swap_remove(index),
            None => Arc::new(Packet { facts, chroma: None, storage: Vec::new(), len: 0 }),
        };
        let open = Self::open(&mut packet);
        (open.facts, open.chroma) = (facts, None);
        packet
    }

    /// The content of a packet, to be written before it is shared.
    ///
    /// # Panics
    /// When the packet is shared already.
    pub fn open(packet: &mut Arc<Packet>) -> &mut Packet {
        Arc::get_mut(packet).expect("a packet is written before anyone shares it")
    }

    /// The bytes of the payloads that are in the packets now.
    pub fn memory(&self) -> usize {
        self.packets.iter().map(|packet| packet.len).sum()
    }

    /// Returns a packet to the pool. It is reused when its viewers have dropped it.
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
