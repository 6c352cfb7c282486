//! What a native viewer can say while it watches.

use crate::camera::session::machine::Question;
use crate::wire::native::message::{Message, Wishes};

/// A message of a viewer, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
    Ack(u64),
    Ping(u64),
    Question(Question),
    Wishes(Wishes),
    Credit(u8),
    /// A message that only cameras send; it is ignored.
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
