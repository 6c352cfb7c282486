//! The twelve-byte header of every message, which is the same in all versions of the protocol.

use super::{FirstBytes, WireError};

/// The first bytes of every message, and so of every connection.
pub const MAGIC: [u8; 4] = *b"LCAM";

/// A message's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The version of the protocol in which the payload is written.
    pub version: u8,
    /// The kind of the payload: see [`MessageKind`](super::message::MessageKind).
    pub kind: u8,
    /// Version 1 defines none.
    pub flags: u16,
    /// The length of the payload that follows, in bytes.
    pub payload_len: u32,
}

impl Header {
    /// The length of a header in bytes.
    pub const LEN: usize = 12;

    /// The bytes of the header: magic, version, kind, flags, length; little-endian.
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        let [m0, m1, m2, m3] = MAGIC;
        let [f0, f1] = self.flags.to_le_bytes();
        let [l0, l1, l2, l3] = self.payload_len.to_le_bytes();
        [m0, m1, m2, m3, self.version, self.kind, f0, f1, l0, l1, l2, l3]
    }

    /// The kind of the message that begins like this, as soon as that is there.
    pub fn kind_of(first: &[u8]) -> Option<u8> {
        first.get(MAGIC.len() + 1).copied()
    }

    /// Parses a header. Refuses a payload over `max_payload`.
    ///
    /// # Errors
    /// When the magic is missing, or the payload is too long.
    pub fn parse(bytes: &[u8; Self::LEN], max_payload: u32) -> Result<Self, WireError> {
        let &[m0, m1, m2, m3, version, kind, f0, f1, l0, l1, l2, l3] = bytes;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(WireError::NotLancam(FirstBytes(bytes.to_vec())));
        }
        let payload_len = u32::from_le_bytes([l0, l1, l2, l3]);
        if payload_len > max_payload {
            return Err(WireError::TooLong { len: payload_len, max: max_payload });
        }
        Ok(Self { version, kind, flags: u16::from_le_bytes([f0, f1]), payload_len })
    }
}
