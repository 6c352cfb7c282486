//! Turns received bytes, in any chopping, into pickles.

use super::PickleError;
use super::head::LENGTH_LEN;
use crate::wire::FirstBytes;
use crate::wire::receive_buffer::ReceiveBuffer;

/// Collects bytes and yields pickles that borrow from its buffer.
///
/// Memory follows what really arrives, never what a length claims.
#[derive(Debug)]
pub struct Decoder {
    buffer: ReceiveBuffer,
    max_len: u64,
}

impl Decoder {
    /// A decoder that refuses pickles over `max_len` bytes.
    pub fn new(max_len: u64) -> Self {
        Self { buffer: ReceiveBuffer::default(), max_len }
    }

    /// Room for more bytes: receive into it, then say how many with [`filled`](Self::filled).
    ///
    /// Never empty. Large enough for the rest of a pickle whose first half has arrived.
    pub fn space(&mut self) -> &mut [u8] {
        let wanted = match self.pickle_len() {
            Ok(Some(len)) => LENGTH_LEN + len + LENGTH_LEN,
            _ => 0,
        };
        self.buffer.space(wanted)
    }

    /// Says that `count` bytes were received into [`space`](Self::space).
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub fn filled(&mut self, count: usize) {
        self.buffer.filled(count);
    }

    /// The next whole pickle; `None` when more bytes are needed.
    ///
    /// # Errors
    /// When its length is over the limit; the connection cannot be used any more.
    pub fn next_pickle(&mut self) -> Result<Option<&[u8]>, PickleError> {
        let Some(len) = self.pickle_len()? else { return Ok(None) };
        if self.buffer.waiting().len() < LENGTH_LEN + len {
            return Ok(None);
        }
        Ok(Some(&self.buffer.take(LENGTH_LEN + len)[LENGTH_LEN..]))
    }

    /// Whether a pickle has begun and not ended.
    pub fn is_inside_a_pickle(&self) -> bool {
        !self.buffer.waiting().is_empty()
    }

    fn pickle_len(&self) -> Result<Option<usize>, PickleError> {
        let Some(length) = self.buffer.waiting().first_chunk::<LENGTH_LEN>() else {
            return Ok(None);
        };
        let len = u64::from_le_bytes(*length);
        let too_long = || {
            let first = FirstBytes(length.to_vec());
            PickleError::TooLong { len, max: self.max_len, first }
        };
        if len > self.max_len {
            return Err(too_long());
        }
        usize::try_from(len).map(Some).map_err(|_| too_long())
    }
}
