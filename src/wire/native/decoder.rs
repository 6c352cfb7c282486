//! Turns received bytes, in any chopping, into messages.

use super::header::{Header, MAGIC};
use super::message::{Kind, Message};
use super::{FirstBytes, WireError};

/// Collects bytes and yields messages that borrow from its buffer.
///
/// Memory follows what really arrives, never what a header claims. Payloads are not copied once
/// they are in the buffer, unless the beginning of the next message came along.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// How much of the buffer holds received bytes.
    filled: usize,
    /// How much of it belongs to messages already yielded.
    consumed: usize,
    max_payload: u32,
}

/// The least room offered for receiving.
const MIN_SPACE: usize = 4 << 10;

impl Decoder {
    /// A decoder that refuses payloads over `max_payload` bytes.
    pub fn new(max_payload: u32) -> Self {
        Self { buffer: Vec::new(), filled: 0, consumed: 0, max_payload }
    }

    /// Room for more bytes: receive into it, then say how many with [`filled`](Self::filled).
    ///
    /// Never empty. Large enough for the rest of a message whose first half has arrived.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.consumed..self.filled, 0);
        self.filled -= self.consumed;
        self.consumed = 0;
        let wanted = match self.header() {
            Ok(Some(header)) => Header::LEN + len(header.payload_len) + Header::LEN,
            _ => 0,
        };
        // No more than twice what has arrived: a stranger pays for the memory he gets with bytes.
        let room = wanted.clamp(self.filled + MIN_SPACE, 2 * self.filled + MIN_SPACE);
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// Says that `count` bytes were received into [`space`](Self::space).
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub fn filled(&mut self, count: usize) {
        self.filled += count;
        assert!(self.filled <= self.buffer.len(), "more bytes than there was space for");
    }

    /// The next whole message; `None` when more bytes are needed. Unknown kinds are passed over.
    ///
    /// # Errors
    /// When the bytes are not the protocol; the connection cannot be used any more.
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, WireError> {
        loop {
            let Some(header) = self.header()? else { return Ok(None) };
            let start = self.consumed + Header::LEN;
            let end = start + len(header.payload_len);
            if end > self.filled {
                return Ok(None);
            }
            self.consumed = end;
            if let Some(kind) = Kind::from_u8(header.kind) {
                return Message::parse(kind, &header, &self.buffer[start..end]).map(Some);
            }
        }
    }

    /// The bytes that no message was yet made of: a stranger's first ones.
    pub fn received(&self) -> &[u8] {
        &self.buffer[self.consumed..self.filled]
    }

    /// Whether a message has begun and not ended.
    pub fn is_inside_a_message(&self) -> bool {
        self.filled > self.consumed
    }

    fn header(&self) -> Result<Option<Header>, WireError> {
        let bytes = &self.buffer[self.consumed..self.filled];
        match bytes.first_chunk() {
            Some(bytes) => Header::parse(bytes, self.max_payload).map(Some),
            // A stranger may never send twelve bytes: its first ones tell.
            None if MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]) => Ok(None),
            None => Err(WireError::NotLancam(FirstBytes(bytes.to_vec()))),
        }
    }
}

/// A payload's length as a length of memory.
fn len(payload_len: u32) -> usize {
    usize::try_from(payload_len).expect("lancam runs where memory has at least 32 bits")
}
