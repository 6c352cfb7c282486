//! The twelve bytes before every message; the same in all versions of the protocol.

use super::{FirstBytes, WireError};

/// The first bytes of every message, and so of every connection.
pub const MAGIC: [u8; 4] = *b"LCAM";

/// A message's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// In which version of the protocol the payload is written.
    pub version: u8,
    /// What the payload is: see [`MessageKind`](super::message::MessageKind).
    pub kind: u8,
    /// None are defined in version 1.
    pub flags: u16,
    /// Bytes that follow.
    pub payload_len: u32,
}

impl Header {
    /// Bytes of a header.
    pub const LEN: usize = 12;

    /// The header's bytes: magic, version, kind, flags, length; little-endian.
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        let [m0, m1, m2, m3] = MAGIC;
        let [f0, f1] = self.flags.to_le_bytes();
        let [l0, l1, l2, l3] = self.payload_len.to_le_bytes();
        [m0, m1, m2, m3, self.version, self.kind, f0, f1, l0, l1, l2, l3]
    }

    /// Reads a header and refuses a payload over `max_payload`.
    ///
    /// # Errors
    /// When the magic is not there, or the payload is too long.
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
