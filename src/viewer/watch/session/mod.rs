//! One connection in either protocol, and how it can end.

mod clock;
pub(super) mod line;
pub mod native;
pub(super) mod pairing;
pub mod pickle;

use crate::net::tls::stream::GreetingError;
use crate::viewer::find::reach::Stranger;
use crate::wire::FirstBytes;
use crate::wire::native::message::GoodbyeReason;
use crate::wire::native::{VERSION, WireError};
use crate::wire::pickle::{MAX_PICKLE, PickleError};
pub use pairing::NotPaired;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

/// How a session ended without an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// The camera said goodbye.
    Goodbye {
        /// The reason, for programs.
        reason: GoodbyeReason,
        /// The reason, for people.
        text: String,
    },
    /// The camera closed the connection between two messages.
    Closed,
}

/// Why a session failed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The server is not lancam.
    #[error("is {who}, not lancam (it began with {first})")]
    Stranger {
        /// What it is, as far as its first bytes tell.
        who: &'static str,
        /// Its first bytes.
        first: FirstBytes,
    },
    /// It accepted the connection and sent nothing.
    #[error("accepted the connection and sent nothing for {} s; is this lancam's port?", .0.as_secs())]
    NoGreeting(Duration),
    /// It closed the connection before it sent anything.
    #[error("closed the connection at once; is this lancam's port, and may this machine connect?")]
    ClosedUnheard,
    /// The same, where the tutorial's server was expected.
    #[error("closed the connection without a picture. For a lancam camera, leave out --pickle")]
    NoPickle,
    /// It answered before, and does not any more.
    #[error("has not answered for {} s", .0.as_secs())]
    Silent(Duration),
    /// It is another camera than the wanted one.
    #[error(transparent)]
    OtherCamera(Stranger),
    /// There is no encrypted connection.
    #[error(transparent)]
    Sealing(#[from] GreetingError),
    /// It takes what this viewer says inside TLS only.
    #[error("wants TLS, and does not take it")]
    WantsTls,
    /// A key was given for this start, and the other end shows another certificate than the one that stands beside the key.
    #[error("is not the camera that the given key is for: it shows another certificate")]
    NotThatOfTheKey,
    /// A key was given for this start, and the camera that it is for does not take it.
    #[error(
        "does not accept the given key. To make another one, type sudo lancam pair --name NAME on the camera's machine"
    )]
    GivenKeyRefused,
    /// It shows its picture to those who have a key.
    #[error("wants a code. {WHERE_THE_CODE_IS}")]
    WantsCode,
    /// It does not know the key that it gave to this viewer.
    #[error(
        "does not accept the key of this viewer any more. Pair again with the camera's code. {WHERE_THE_CODE_IS}"
    )]
    KeyRefused,
    /// This viewer has a code, and was not given a key for it.
    #[error("is not paired: {0}")]
    NotPaired(#[from] NotPaired),
    /// It sent a picture before its welcome.
    #[error("sends pictures before it says who it is")]
    NoWelcome,
    /// It sent a second welcome.
    #[error("broke the protocol: it sent a second Welcome")]
    SecondWelcome,
    /// There is no common version of the protocol.
    #[error(
        "speaks versions {min} to {max} of lancam's protocol, this viewer version {VERSION}: update {}",
        if *min > VERSION { "lancam-view on this machine" } else { "lancam on the camera" }
    )]
    Version {
        /// The oldest version that it speaks.
        min: u8,
        /// The newest version that it speaks.
        max: u8,
    },
    /// The connection ended in the middle of a message.
    #[error("closed the connection in the middle of a frame")]
    CutShort,
    /// It sent bytes that are not part of the protocol.
    #[error("broke the protocol: {0}")]
    Wire(WireError),
    /// It speaks a variant of the tutorial's protocol.
    #[error("{0}")]
    PickleDialect(&'static str),
    /// In the tutorial's protocol, it sent something that is not a picture.
    #[error("sent something that is not a picture: {0}")]
    Pickle(PickleError),
    /// The connection broke.
    #[error("broke off the connection: {0}")]
    Connection(#[from] io::Error),
}

/// What to say to somebody who does not have the code.
pub(super) const WHERE_THE_CODE_IS: &str =
    "To see it, type sudo lancam pair on the camera's machine, or look at the camera's screen";

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
            PickleError::TooLong { first, .. } => match pickle_dialect(&first.0) {
                Some(dialect) => Self::PickleDialect(dialect),
                None => Self::stranger(first),
            },
            other => Self::Pickle(other),
        }
    }
}

/// How long one wait for bytes lasts. After that, check whether the other end is still there.
const READ_PATIENCE: Duration = Duration::from_secs(1);

/// The result of one wait for bytes.
enum Received {
    Bytes(usize),
    /// Nothing within [`READ_PATIENCE`].
    NothingYet,
    End,
}

/// Waits for bytes, at most for the socket's read timeout. Sessions set that to [`READ_PATIENCE`].
fn receive(mut stream: &TcpStream, space: &mut [u8]) -> io::Result<Received> {
    loop {
        return match stream.read(space) {
            Ok(0) => Ok(Received::End),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(error) => match error.kind() {
                // Linux returns the first, Windows the second.
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
    } else if matches!(
        first,
        [_, _, _, _, _, _, 0, 0, 0x80, 2..=5, ..] | [_, _, _, _, 0x80, 2..=5, ..]
    ) {
        "a server of pickled arrays (watch it with --pickle)"
    } else {
        "some other program"
    }
}

/// What is wrong with the length before a pickle, if it is not as the tutorial writes it. A pickle begins with 0x80 and its
/// protocol number.
fn pickle_dialect(first: &[u8]) -> Option<&'static str> {
    let longest = MAX_PICKLE.to_be_bytes();
    match first {
        [a, b, c, d, 0x80, 2..=5, ..] => {
            let (big, little) =
                (u32::from_be_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*a, *b, *c, *d]));
            Some(match big < little {
                true => {
                    "sends the length of a pickle as 4 bytes, most significant first (struct format \">L\"). \
                     lancam-view reads 8 bytes, least significant first: use struct.pack(\"<Q\", …) in the server"
                }
                false => {
                    "sends the length of a pickle as 4 bytes (struct format \"<L\" or \"I\"). \
                     lancam-view reads 8 bytes, least significant first: use struct.pack(\"<Q\", …) in the server"
                }
            })
        }
        [0, 0, 0, 0, ..]
            if first.len() >= 8 && first[..8] > [0; 8][..] && first[..8] <= longest[..] =>
        {
            Some(
                "sends the length of a pickle with the most significant byte first (struct format \">Q\"). \
             lancam-view reads 8 bytes, least significant first: use struct.pack(\"<Q\", …) in the server",
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_writes_a_pickles_length_in_another_way_is_told_which() {
        for (first, says) in [
            (&[0x00, 0x0e, 0x10, 0xa3, 0x80, 0x04, 0x95, 0x98][..], Some("\">L\"")),
            (&[0xa3, 0x10, 0x0e, 0x00, 0x80, 0x03, 0x63, 0x6e], Some("\"<L\"")),
            (&[0x00, 0x00, 0x00, 0x00, 0x00, 0x0e, 0x10, 0xa3], Some("\">Q\"")),
            (b"HTTP/1.1", None),
            (b"SSH-2.0-", None),
            (&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], None),
            (&[0; 8], None),
            (&[], None),
        ] {
            let dialect = pickle_dialect(first);
            assert_eq!(dialect.is_some(), says.is_some(), "{first:x?}: {dialect:?}");
            assert!(dialect.unwrap_or_default().contains(says.unwrap_or_default()), "{dialect:?}");
        }
    }
}
