//! What the slot between the capture thread and a session holds: the newest frame or status.

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
        /// Where it comes from. The same `Arc` for as long as the source stays open and its times come
        /// from the same place.
        stream: Arc<StreamFacts>,
    },
    /// No picture for now.
    Status(Arc<StatusText>),
}

/// What is known of an open source besides its frames.
#[derive(Debug, PartialEq, Eq)]
pub struct StreamFacts {
    /// The source, in words for people.
    pub source: String,
    /// The same for viewers that do not list what is wrong in the configuration: it says how many problems there are.
    pub told: String,
    /// The frame rate, if the source states one.
    pub rate: Rate,
    /// The size of a captured picture, after it is turned.
    pub size: Size,
}

/// The pictures that a viewer without wishes gets. Programs that look for cameras are told this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Their size.
    pub size: Size,
    /// The frame rate, if the source states one.
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
