//! Remembers whether the socket may hold bytes from the viewer.
//!
//! Edge-triggered `epoll` reports a change once. It is remembered here until a read finds the
//! socket empty or reads the end.

use super::kernel::Happened;

/// What is known of the bytes that a viewer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Incoming {
    /// No bytes wait to be read.
    #[default]
    Empty,
    /// Bytes may wait to be read.
    Waits,
    /// Bytes may wait to be read, and the end follows them.
    Ends,
    /// The end has been read.
    Ended,
}

impl Incoming {
    /// Whether there may be something to receive.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::Waits | Self::Ends)
    }

    /// Notes what happened to the socket.
    pub(super) fn note(&mut self, happened: &Happened) {
        *self = match *self {
            Self::Ended => Self::Ended,
            _ if happened.end => Self::Ends,
            Self::Empty if happened.bytes => Self::Waits,
            before => before,
        };
    }

    /// Notes that the socket was found empty. If an end was reported, it still has to be read.
    pub(super) fn found_empty(&mut self) {
        if *self == Self::Waits {
            *self = Self::Empty;
        }
    }
}
