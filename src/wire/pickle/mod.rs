//! The tutorial's wire: arrays of pixels, pickled by Python, each behind its length.
//!
//! Written in one form, which every numpy reads; read in all forms that numpy writes for pictures,
//! and in no other: nothing that a pickle asks for is ever run.

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
    /// The length before a pickle is over the cap, as when a stranger's first bytes are taken for it.
    #[error("a pickle of {len} bytes is over the limit of {max}; the bytes before it are {first}")]
    TooLong {
        /// What the length says.
        len: u64,
        /// What is allowed.
        max: u64,
        /// The length as bytes.
        first: FirstBytes,
    },
    /// Protocols 0 and 1 have no mark of their own, nor have strangers.
    #[error("it begins with {0}, not as pickles of protocol 2 to 5 do")]
    NoProtocol(FirstBytes),
    /// A protocol that is not read.
    #[error("it is a pickle of protocol {0}; protocols 2 to 5 are read")]
    Protocol(u8),
    /// It names a function that no picture needs.
    #[error("it would run {0}; refused")]
    WouldRun(Name),
    /// It calls a function that pictures need in a way that they do not.
    #[error("it calls {function} at byte {at} as no picture does; refused")]
    Call {
        /// What it calls.
        function: &'static str,
        /// Where.
        at: usize,
    },
    /// It holds what pictures have not.
    #[error("it holds {what} at byte {at}; only an array of height x width x 3 bytes is shown")]
    Holds {
        /// What it holds.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// Something else than an array.
    #[error("it is {0}; only an array of height x width x 3 bytes is shown")]
    NotAnArray(&'static str),
    /// An operation whose operands are not there, or are not what it works on.
    #[error("it is broken: the operation at byte {at} lacks {what}")]
    Broken {
        /// What is missing.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// The pickle ends inside an operation.
    #[error("it is cut short: what stands at byte {at} lacks {missing} of its bytes")]
    CutShort {
        /// How many more bytes it needs, at least.
        missing: u64,
        /// Where it begins to need them.
        at: usize,
    },
    /// More of something than any picture has.
    #[error("it has more than {max} {what}, more than any picture; refused")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many are enough.
        max: usize,
    },
    /// An array whose elements are not bytes.
    #[error("it is an array of {0}; only uint8 (u1) is shown")]
    NotUint8(Name),
    /// An array that is no colour picture.
    #[error(
        "it is an array of shape {0}; only (height, width, 3) is shown, each side from 1 to 65535"
    )]
    Shape(String),
    /// An array whose rows do not follow each other.
    #[error(
        "it is an array in {0} order; only C order is shown: numpy.ascontiguousarray(frame) has it"
    )]
    Order(&'static str),
    /// An array with more or fewer bytes than its shape says.
    #[error("it is an array of {expected} bytes by its shape, and {found} are there")]
    Length {
        /// By the shape.
        expected: usize,
        /// By the data.
        found: usize,
    },
    /// Bytes behind the end.
    #[error("{0} bytes follow its end")]
    Trailing(usize),
}
