//! The native protocol: framed messages, timestamps and credit. docs/PROTOCOL.md describes every
//! byte.

pub mod clock;
pub mod control;
pub mod credit;
pub mod decoder;
pub mod header;
pub mod message;
mod parse;
pub mod version;
pub mod write;

pub use super::FirstBytes;
pub use version::VERSION;

/// The largest payload that a camera may send: twice the largest frame measured at 4K.
pub const MAX_PAYLOAD: u32 = 16 << 20;

/// The largest payload that a viewer may send. Its messages are all small, and a stranger gets no
/// more memory than this.
pub const MAX_REQUEST: u32 = 4 << 10;

/// The longest text in a message, in bytes. Longer ones are cut between characters.
pub const MAX_TEXT: usize = 1000;

/// Why bytes are not the native protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The first bytes belong to another protocol.
    #[error("it does not speak lancam's protocol: it began with {0}")]
    NotLancam(FirstBytes),
    /// The bytes after a whole message are not a message.
    #[error("the bytes after the last message are not a message: they begin with {0}")]
    OutOfStep(FirstBytes),
    /// A payload over the limit, refused before memory is allocated for it.
    #[error("a message of {len} bytes is over the limit of {max}")]
    TooLong {
        /// The length in the header.
        len: u32,
        /// The limit.
        max: u32,
    },
    /// The header has a version that was not agreed on.
    #[error(
        "it speaks version {found} of the protocol, this program version {VERSION}: update the older of the two"
    )]
    Version {
        /// The version in the header.
        found: u8,
    },
    /// An unknown flag, which may change the meaning of the payload.
    #[error("{kind} carries flags {flags:#06x}, which version {VERSION} does not know")]
    UnknownFlags {
        /// The kind of message.
        kind: &'static str,
        /// The flags.
        flags: u16,
    },
    /// A payload that ends before its last field.
    #[error("{kind} is cut short: {len} bytes, and {field} is missing")]
    Short {
        /// The kind of message.
        kind: &'static str,
        /// The length of its payload.
        len: usize,
        /// The first field that is missing.
        field: &'static str,
    },
    /// A field with an invalid value.
    #[error("{kind} has {field} = {value}, which means nothing")]
    Value {
        /// The kind of message.
        kind: &'static str,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
}
