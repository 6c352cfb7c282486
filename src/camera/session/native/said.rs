//! What a native viewer says while it watches.

use crate::camera::session::machine::Question;
use crate::wire::native::message::{Message, Wishes};

/// A message of a viewer's, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
    Ack(u64),
    Ping(u64),
    Question(Question),
    Wishes(Wishes),
    Credit(u8),
    /// The rest is the camera's part to say.
    Other,
}

impl Said {
    pub(super) fn of(message: &Message<'_>) -> Self {
        match *message {
            Message::Ack { sequence } => Self::Ack(sequence),
            Message::Ping { token } => Self::Ping(token),
            Message::ListControls => Self::Question(Question::List),
            Message::SetControl { id, value } => Self::Question(Question::Set { id, value }),
            Message::Wishes(wishes) => Self::Wishes(wishes),
            Message::Credit { frames } => Self::Credit(frames),
            _ => Self::Other,
        }
    }
}
