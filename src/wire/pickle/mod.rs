//! The tutorial's protocol: arrays of pixels, pickled by Python, each after its length.
//!
//! Pictures are written in one form, which every numpy reads. They are read in all forms in which
//! numpy writes pictures, and in no other. Nothing that a pickle asks for is ever run.

mod array;
pub mod decoder;
pub mod head;
mod machine;
mod numpy;
mod value;

pub use array::BgrArray;

use super::FirstBytes;
use value::Name;

/// The longest pickle that is read: a 4K picture in protocol 2, where most bytes take two.
pub const MAX_PICKLE: u64 = 64 << 20;

/// Why bytes are not a pickled picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickleError {
    /// The length before a pickle is over the limit, for instance because it is the beginning of
    /// another protocol.
    #[error("a pickle of {len} bytes is over the limit of {max}; the bytes before it are {first}")]
    TooLong {
        /// The length.
        len: u64,
        /// The limit.
        max: u64,
        /// The bytes of the length.
        first: FirstBytes,
    },
    /// There is no PROTO operation at the start: a pickle of protocol 0 or 1, or something else.
    #[error("it begins with {0}, not as pickles of protocol 2 to 5 do")]
    NoProtocol(FirstBytes),
    /// A protocol that is not supported.
    #[error("it is a pickle of protocol {0}; protocols 2 to 5 are read")]
    Protocol(u8),
    /// It names a function that no picture needs.
    #[error("it would run {0}; refused")]
    WouldRun(Name),
    /// It calls a known function in a way that no picture needs.
    #[error("it calls {function} at byte {at} as no picture does; refused")]
    Call {
        /// The function.
        function: &'static str,
        /// The place of the call.
        at: usize,
    },
    /// It has a value that no picture has.
    #[error("it holds {what} at byte {at}; only an array of height x width x 3 bytes is shown")]
    Holds {
        /// The value.
        what: &'static str,
        /// Its place.
        at: usize,
    },
    /// It is something other than an array.
    #[error("it is {0}; only an array of height x width x 3 bytes is shown")]
    NotAnArray(&'static str),
    /// An operation lacks operands, or has wrong ones.
    #[error("it is broken: the operation at byte {at} lacks {what}")]
    Broken {
        /// What is missing.
        what: &'static str,
        /// The place of the operation.
        at: usize,
    },
    /// The pickle ends inside an operation.
    #[error("it is cut short: what stands at byte {at} lacks {missing} of its bytes")]
    CutShort {
        /// How many more bytes it needs, at least.
        missing: u64,
        /// The place where it needs them.
        at: usize,
    },
    /// It has more of something than any picture.
    #[error("it has more than {max} {what}, more than any picture; refused")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// An array whose elements are not bytes.
    #[error("it is an array of {0}; only uint8 (u1) is shown")]
    NotUint8(Name),
    /// An array that is not a colour picture.
    #[error(
        "it is an array of shape {0}; only (height, width, 3) is shown, each side from 1 to 65535"
    )]
    Shape(String),
    /// An array whose rows are not in C order.
    #[error(
        "it is an array in {0} order; only C order is shown: numpy.ascontiguousarray(frame) has it"
    )]
    Order(&'static str),
    /// An array whose data does not fit its shape.
    #[error("it is an array of {expected} bytes by its shape, and {found} are there")]
    Length {
        /// The number of bytes by its shape.
        expected: usize,
        /// The number of bytes that are there.
        found: usize,
    },
    /// Bytes after the end.
    #[error("{0} bytes follow its end")]
    Trailing(usize),
}
