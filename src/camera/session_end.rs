//! Why a session ended.

use super::connections::Crowd;
use super::metrics::Refused;
use std::io;
use std::time::Duration;

/// How long a connection has to say what it wants.
pub const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a session ended.
#[derive(Debug)]
pub enum SessionEnd {
    /// The viewer closed the connection.
    ViewerLeft,
    /// It got the answers to this many requests.
    Answered(u64),
    /// It was paired, and its key has this name.
    Paired(String),
    /// The key with this name was revoked, which it has shown.
    Revoked(String),
    /// The key with this name is to allow something else than when its holder was let in, and counts so from now on.
    OtherRights(String),
    /// The program is stopping.
    Stopping,
    /// The viewer took no data for this long.
    TooSlow(Duration),
    /// It sent no request.
    Silent,
    /// It was refused, and told why.
    Refused {
        /// The kind of refusal, for /metrics.
        why: Refused,
        /// The reason, in words for people.
        text: String,
    },
    /// It waited, and another connection needed its place.
    MadeRoom,
    /// The connection broke.
    Broken(io::Error),
}

impl std::fmt::Display for SessionEnd {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ViewerLeft => out.write_str("the viewer left"),
            Self::Answered(1) => out.write_str("1 request, closed"),
            Self::Answered(count) => write!(out, "{count} requests, closed"),
            Self::Paired(name) => write!(out, "it was paired as \"{name}\""),
            Self::Revoked(name) => write!(out, "its key \"{name}\" was revoked"),
            Self::OtherRights(name) => write!(out, "what its key \"{name}\" allows was changed"),
            Self::Stopping => out.write_str("lancam was stopped"),
            Self::TooSlow(time) => {
                write!(out, "the viewer took no data for {} s", time.as_secs_f32())
            }
            Self::Silent => {
                write!(out, "no request came within {} s", GREETING_TIMEOUT.as_secs())
            }
            Self::Refused { text, .. } => out.write_str(text),
            Self::MadeRoom => out.write_str("idle, and another connection needed the place"),
            Self::Broken(error) => write!(out, "the connection broke: {error}"),
        }
    }
}

impl SessionEnd {
    /// The end for a client that sent something wrong.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::Refused { why: Refused::BadRequest, text: text.into() }
    }

    /// The end for a viewer that gets no seat.
    pub fn crowded(crowd: Crowd) -> Self {
        Self::Refused { why: Refused::TooMany, text: crowd.to_string() }
    }

    /// The kind of refusal to count, if it was not served.
    pub fn refused(&self) -> Option<Refused> {
        match self {
            Self::TooSlow(_) => Some(Refused::TooSlow),
            Self::Silent => Some(Refused::Silent),
            Self::Refused { why, .. } => Some(*why),
            Self::MadeRoom => Some(Refused::TooMany),
            Self::ViewerLeft
            | Self::Answered(_)
            | Self::Paired(_)
            | Self::Revoked(_)
            | Self::OtherRights(_)
            | Self::Stopping
            | Self::Broken(_) => None,
        }
    }
}

/// What an error of a socket means for its session.
impl From<io::Error> for SessionEnd {
    fn from(error: io::Error) -> Self {
        if has_left(&error) { Self::ViewerLeft } else { Self::Broken(error) }
    }
}

/// Whether the error means that the other side has closed the connection.
pub fn has_left(error: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
    };
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof
    )
}
