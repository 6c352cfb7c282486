//! One connection, in either of the protocols that are watched, and how it can end.

mod clock;
pub mod native;
pub mod pickle;

use crate::wire::FirstBytes;
use crate::wire::native::message::GoodbyeReason;
use crate::wire::native::{VERSION, WireError};
use crate::wire::pickle::PickleError;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

/// How a session ended that nothing was wrong with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// The camera said goodbye.
    Goodbye {
        /// Why, for programs.
        reason: GoodbyeReason,
        /// Why, for people.
        text: String,
    },
    /// The camera closed the connection between two messages.
    Closed,
}

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Somebody else listens there.
    #[error("is {who}, not lancam (it began with {first})")]
    Stranger {
        /// Who, as far as the first bytes tell.
        who: &'static str,
        /// Its first bytes.
        first: FirstBytes,
    },
    /// Connected, and not a word.
    #[error("accepted the connection and has said nothing for {} s; is this lancam's port?", .0.as_secs())]
    NoGreeting(Duration),
    /// Closed before a word.
    #[error(
        "closed the connection without a word; is this lancam's port, and may this machine connect?"
    )]
    ClosedUnheard,
    /// Was there, and no longer answers.
    #[error("has not answered for {} s", .0.as_secs())]
    Silent(Duration),
    /// No common version of the protocol.
    #[error(
        "speaks versions {min} to {max} of lancam's protocol, this viewer version {VERSION}: update {}",
        if *min > VERSION { "lancam-view on this machine" } else { "lancam on the camera" }
    )]
    Version {
        /// The oldest it speaks.
        min: u8,
        /// The newest it speaks.
        max: u8,
    },
    /// The connection ended in the middle of a message.
    #[error("closed the connection in the middle of a frame")]
    CutShort,
    /// Bytes that mean nothing.
    #[error("broke the protocol: {0}")]
    Wire(WireError),
    /// Something else than a picture, in the tutorial's wire.
    #[error("sent what is no picture: {0}")]
    Pickle(PickleError),
    /// The connection broke.
    #[error("broke off the connection: {0}")]
    Connection(#[from] io::Error),
}

impl SessionError {
    fn stranger(first: FirstBytes) -> Self {
        Self::Stranger { who: who_begins_with(&first.0), first }
    }
}

impl From<WireError> for SessionError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::NotLancam(first) => Self::stranger(first),
            WireError::Version { found } => Self::Version { min: found, max: found },
            other => Self::Wire(other),
        }
    }
}

impl From<PickleError> for SessionError {
    fn from(error: PickleError) -> Self {
        match error {
            PickleError::TooLong { first, .. } => Self::stranger(first),
            other => Self::Pickle(other),
        }
    }
}

/// How long one wait for bytes lasts; then it is time to ask whether the other end is still there.
const READ_PATIENCE: Duration = Duration::from_secs(1);

/// What one wait for bytes brought.
enum Received {
    Bytes(usize),
    /// Nothing within [`READ_PATIENCE`].
    NothingYet,
    End,
}

/// Waits for bytes, for at most the socket's read timeout: sessions set [`READ_PATIENCE`].
fn receive(mut stream: &TcpStream, space: &mut [u8]) -> io::Result<Received> {
    loop {
        return match stream.read(space) {
            Ok(0) => Ok(Received::End),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(error) => match error.kind() {
                // Linux says the one, Windows the other.
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(Received::NothingYet),
                ErrorKind::Interrupted => continue,
                _ => Err(error),
            },
        };
    }
}

fn who_begins_with(first: &[u8]) -> &'static str {
    let begins = |with: &[u8]| first.starts_with(with);
    if begins(b"HTTP") || begins(b"<") {
        "a web server"
    } else if begins(b"SSH-") {
        "an SSH server"
    } else if matches!(first, [_, _, _, _, _, _, 0, 0, 0x80, 2..=5, ..]) {
        "a server of pickled arrays (watch it with --pickle)"
    } else {
        "some other program"
    }
}
