//! Parses received bytes, in reads of any length, into messages.

use super::header::{Header, MAGIC};
use super::message::{Message, MessageKind};
use super::{FirstBytes, WireError};
use crate::wire::receive_buffer::ReceiveBuffer;

/// Collects bytes and returns messages that borrow from its buffer.
///
/// The buffer grows with the bytes that arrive, never by a length in a header. A payload is not
/// copied inside the buffer, unless the beginning of the next message came in the same read.
#[derive(Debug)]
pub struct Decoder {
    buffer: ReceiveBuffer,
    max_payload: u32,
    /// Whether a whole message came before the waiting bytes.
    begun: bool,
}

impl Decoder {
    /// A decoder that refuses payloads over `max_payload` bytes.
    pub fn new(max_payload: u32) -> Self {
        Self { buffer: ReceiveBuffer::default(), max_payload, begun: false }
    }

    /// Room for more bytes. Receive into it, then call [`filled`](Self::filled).
    ///
    /// Never empty. If half of a message has arrived, there is room for the rest.
    pub fn space(&mut self) -> &mut [u8] {
        let wanted = match self.header() {
            Ok(Some(header)) => Header::LEN + len(header.payload_len) + Header::LEN,
            _ => 0,
        };
        self.buffer.space(wanted)
    }

    /// Notes that `count` bytes were received into [`space`](Self::space).
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub fn filled(&mut self, count: usize) {
        self.buffer.filled(count);
    }

    /// Appends bytes that were received elsewhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.push(bytes);
    }

    /// The next whole message; `None` if more bytes are needed. Skips unknown kinds.
    ///
    /// # Errors
    /// When the bytes are not the native protocol. The connection cannot be used any more.
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, WireError> {
        loop {
            let Some(header) = self.header()? else { return Ok(None) };
            let message_len = Header::LEN + len(header.payload_len);
            if self.buffer.waiting().len() < message_len {
                return Ok(None);
            }
            self.begun = true;
            let Some(kind) = MessageKind::from_u8(header.kind) else {
                self.buffer.take(message_len);
                continue;
            };
            let payload = &self.buffer.take(message_len)[Header::LEN..];
            return Message::parse(kind, &header, payload).map(Some);
        }
    }

    /// The bytes that are not part of a parsed message yet.
    pub fn received(&self) -> &[u8] {
        self.buffer.waiting()
    }

    /// Whether a message has begun and is not complete.
    pub fn is_inside_a_message(&self) -> bool {
        !self.received().is_empty()
    }

    fn header(&self) -> Result<Option<Header>, WireError> {
        let waiting = self.received();
        // A stranger may never send a whole header, so check the first bytes of it.
        let start = &waiting[..waiting.len().min(MAGIC.len())];
        if !MAGIC.starts_with(start) {
            let found = FirstBytes(waiting[..waiting.len().min(Header::LEN)].to_vec());
            return Err(match self.begun {
                true => WireError::OutOfStep(found),
                false => WireError::NotLancam(found),
            });
        }
        waiting.first_chunk().map(|bytes| Header::parse(bytes, self.max_payload)).transpose()
    }
}

/// The length of a payload as a length in memory.
fn len(payload_len: u32) -> usize {
    usize::try_from(payload_len).expect("lancam runs where memory has at least 32 bits")
}
