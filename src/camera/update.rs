//! What stands in the slot between the capture thread and the sessions: the newest truth.

use crate::image::pixels::Size;
use crate::wire::native::message::StatusCode;
use crate::wire::packet::Packet;
use std::sync::Arc;

/// The newest frame, or why there is none.
#[derive(Debug, Clone)]
pub enum Update {
    /// A frame.
    Frame {
        /// Its bytes and facts.
        packet: Arc<Packet>,
        /// Where it comes from; the same `Arc` as long as the source stays open.
        stream: Arc<StreamFacts>,
    },
    /// No picture for now.
    Status(Arc<StatusText>),
}

/// What is known of an open source, besides its frames.
#[derive(Debug, PartialEq, Eq)]
pub struct StreamFacts {
    /// The source, for people.
    pub source: String,
    /// Frames per thousand seconds; 0 when the source does not say.
    pub millifps: u32,
    /// Of the picture as it is captured, before it is turned.
    pub size: Size,
}

/// Why there is no picture.
#[derive(Debug, PartialEq, Eq)]
pub struct StatusText {
    /// For programs.
    pub code: StatusCode,
    /// For people.
    pub text: String,
}
