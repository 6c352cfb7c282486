//! The native protocol: framed, timestamped, credited. docs/PROTOCOL.md says what every byte means.

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

/// The largest payload a camera may send: twice the largest frame measured at 4K.
pub const MAX_PAYLOAD: u32 = 16 << 20;

/// The largest payload a viewer may send. Its messages are all small; a stranger gets no more memory than this.
pub const MAX_REQUEST: u32 = 4 << 10;

/// The longest text in a message, in bytes; longer ones are cut at a character.
pub const MAX_TEXT: usize = 1000;

/// Why bytes are not the native protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The first bytes are somebody else's.
    #[error("it does not speak lancam's protocol: it began with {0}")]
    NotLancam(FirstBytes),
    /// Bytes behind a whole message are no message.
    #[error("the bytes after the last message are not a message: they begin with {0}")]
    OutOfStep(FirstBytes),
    /// A payload over the cap, refused before any memory is set aside for it.
    #[error("a message of {len} bytes is over the limit of {max}")]
    TooLong {
        /// What the header claims.
        len: u32,
        /// What is allowed.
        max: u32,
    },
    /// The header says a version that was not agreed on.
    #[error(
        "it speaks version {found} of the protocol, this program version {VERSION}: update the older of the two"
    )]
    Version {
        /// In the header.
        found: u8,
    },
    /// A flag that this version does not know may change what the payload means.
    #[error("{kind} carries flags {flags:#06x}, which version {VERSION} does not know")]
    UnknownFlags {
        /// Of which message.
        kind: &'static str,
        /// The flags.
        flags: u16,
    },
    /// A payload that ends before its fields do.
    #[error("{kind} is cut short: {len} bytes, and {field} is missing")]
    Short {
        /// Of which message.
        kind: &'static str,
        /// How long its payload is.
        len: usize,
        /// The first field that is not there.
        field: &'static str,
    },
    /// A field with a value that means nothing.
    #[error("{kind} has {field} = {value}, which means nothing")]
    Value {
        /// Of which message.
        kind: &'static str,
        /// Which field.
        field: &'static str,
        /// What it says.
        value: u64,
    },
}
