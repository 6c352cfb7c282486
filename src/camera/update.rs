//! What stands in the slot between the capture thread and the sessions: the newest truth.

use crate::image::pixels::Size;
use crate::rate::Rate;
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
    /// As far as the source says it.
    pub rate: Rate,
    /// Of the picture as it is captured, before it is turned.
    pub size: Size,
}

/// What a viewer without wishes is sent, for those who only look for cameras.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Of the pictures.
    pub size: Size,
    /// As far as the source says it.
    pub rate: Rate,
}

/// Why there is no picture.
#[derive(Debug, PartialEq, Eq)]
pub struct StatusText {
    /// For programs.
    pub code: StatusCode,
    /// For people.
    pub text: String,
}
