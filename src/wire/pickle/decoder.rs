//! Splits received bytes, in reads of any length, into pickles.

use super::PickleError;
use super::head::LENGTH_LEN;
use crate::wire::FirstBytes;
use crate::wire::receive_buffer::ReceiveBuffer;

/// Collects bytes and returns pickles that borrow from its buffer.
///
/// The buffer grows with the bytes that arrive, never by a length field.
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

    /// Room for more bytes. Receive into it, then call [`filled`](Self::filled).
    ///
    /// Never empty. If half of a pickle has arrived, there is room for the rest.
    pub fn space(&mut self) -> &mut [u8] {
        let wanted = match self.pickle_len() {
            Ok(Some(len)) => LENGTH_LEN + len + LENGTH_LEN,
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

    /// The next whole pickle; `None` if more bytes are needed.
    ///
    /// # Errors
    /// When its length is over the limit. The connection cannot be used any more.
    pub fn next_pickle(&mut self) -> Result<Option<&[u8]>, PickleError> {
        let Some(len) = self.pickle_len()? else { return Ok(None) };
        if self.buffer.waiting().len() < LENGTH_LEN + len {
            return Ok(None);
        }
        Ok(Some(&self.buffer.take(LENGTH_LEN + len)[LENGTH_LEN..]))
    }

    /// Whether a pickle has begun and is not complete.
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
