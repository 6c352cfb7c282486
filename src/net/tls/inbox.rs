//! The bytes that an encrypted connection has received: records, and what was in the last one.

use super::records::HEAD;
use super::traffic::{Opened, Traffic, TrafficError};
use std::ops::Range;

/// One buffer, in which records are opened where they lie.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// What the last record has brought, and nobody has taken.
    open: Range<usize>,
    /// Records that are still sealed; they lie behind it.
    sealed: Range<usize>,
    /// Whether the peer has said that it sends no more. What lies behind that record is not looked at.
    is_closed: bool,
}

/// What the next record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// One that was whole. It may have brought data.
    Opened,
    /// Its end has not come: receive more.
    Partial,
    /// The peer sends no more.
    Closed,
}

impl Inbox {
    /// Has received these bytes already. `room` is for how many it has place at first; it grows to the longest record.
    pub fn new(received: Vec<u8>, room: usize) -> Self {
        let mut bytes = received;
        let sealed = 0..bytes.len();
        bytes.resize(room.max(sealed.end), 0);
        Self { bytes, open: 0..0, sealed, is_closed: false }
    }

    /// Whether there is anything to take or to open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.sealed.is_empty()
    }

    /// Takes data that was opened. Returns how many bytes.
    pub fn take(&mut self, into: &mut [u8]) -> usize {
        let count = self.open.len().min(into.len());
        let end = self.open.start + count;
        into[..count].copy_from_slice(&self.bytes[self.open.start..end]);
        self.open.start = end;
        count
    }

    /// Opens the next record. Take all data first. Once the peer has closed, it stays closed.
    ///
    /// # Errors
    /// When the peer breaks the rules, or says that we do.
    pub fn open(&mut self, traffic: &mut Traffic) -> Result<Next, TrafficError> {
        debug_assert!(self.open.is_empty());
        if self.is_closed {
            return Ok(Next::Closed);
        }
        let start = self.sealed.start;
        match traffic.open(&mut self.bytes[self.sealed.clone()])? {
            Opened::Partial => Ok(Next::Partial),
            Opened::Closed => {
                self.is_closed = true;
                Ok(Next::Closed)
            }
            Opened::Data { len, at } => {
                self.sealed.start += len;
                self.open = start + at.start..start + at.end;
                Ok(Next::Opened)
            }
        }
    }

    /// Where to receive more; never empty. Take all data first.
    ///
    /// # Errors
    /// When the record that has begun is longer than TLS allows.
    pub fn space(&mut self) -> Result<&mut [u8], TrafficError> {
        debug_assert!(self.open.is_empty());
        self.bytes.copy_within(self.sealed.clone(), 0);
        self.sealed = 0..self.sealed.len();
        self.open = 0..0;
        let record = &self.bytes[self.sealed.clone()];
        let wanted = Traffic::record_len(record)?.unwrap_or(HEAD).max(self.sealed.end + 1);
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        }
        Ok(&mut self.bytes[self.sealed.end..])
    }

    /// Notes that the first `count` bytes of the [`space`](Self::space) were received.
    pub fn filled(&mut self, count: usize) {
        self.sealed.end = (self.sealed.end + count).min(self.bytes.len());
    }
}
