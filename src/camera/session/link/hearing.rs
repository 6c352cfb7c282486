//! Remembered readiness: whether bytes of the viewer's may be in the socket.
//!
//! The system tells of a change once. It is remembered here until the socket was found empty, or the end was read.

use super::kernel::Happened;

/// What is known of the bytes that a viewer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Hearing {
    /// None are there.
    #[default]
    Empty,
    /// Some may be there.
    Waits,
    /// Some may be there, and then comes the end.
    Ends,
    /// The end was read.
    Ended,
}

impl Hearing {
    /// Whether there may be something to receive.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::Waits | Self::Ends)
    }

    /// Something has happened to the socket.
    pub(super) fn note(&mut self, happened: &Happened) {
        *self = match *self {
            Self::Ended => Self::Ended,
            _ if happened.end => Self::Ends,
            Self::Empty if happened.bytes => Self::Waits,
            before => before,
        };
    }

    /// The socket was found empty. An end that was told of is still to be read.
    pub(super) fn found_empty(&mut self) {
        if *self == Self::Waits {
            *self = Self::Empty;
        }
    }
}
