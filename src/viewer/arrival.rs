//! A picture that has arrived, and what is known of its way here.

use super::find::wanted::Origin;
use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::wire::packet::Codec;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// A picture and what is known of its way here.
#[derive(Debug)]
pub struct Arrival {
    /// The pixels; smaller than [`size`](Self::size) where that is all that is shown.
    pub picture: Picture,
    /// The frame's size.
    pub size: Size,
    /// The camera's own JPEG; empty where it sent pixels.
    pub jpeg: Vec<u8>,
    /// Which camera took it.
    pub origin: Arc<Origin>,
    /// How it was coded on the wire.
    pub codec: Codec,
    /// All frames so far, this one included.
    pub totals: Totals,
    /// How old it is; `None` until the clocks of camera and viewer are matched.
    pub age: Option<Age>,
    /// When it was taken, by this machine's calendar, as well as that is known. A machine that sleeps does not count what
    /// [`age`](Self::age) grows by.
    pub taken: SystemTime,
}

/// How old a picture is, from the moment the camera took it, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// How old it was ...
    pub age: Duration,
    /// ... at this moment.
    pub at: Instant,
    /// By how much that can be wrong: half the least round trip, and what the clocks drifted since.
    pub uncertainty: Duration,
    /// The least round trip to the camera lately.
    pub round_trip: Duration,
}

impl Age {
    /// How old it is at another moment.
    pub fn by(&self, now: Instant) -> Duration {
        self.age + now.saturating_duration_since(self.at)
    }
}

impl Default for Arrival {
    fn default() -> Self {
        Self {
            picture: Picture::default(),
            size: Size::new(0, 0),
            jpeg: Vec::new(),
            origin: Arc::new(Origin::default()),
            codec: Codec::Jpeg,
            totals: Totals::default(),
            age: None,
            taken: SystemTime::UNIX_EPOCH,
        }
    }
}

/// Frames since the viewer was started, over all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Frames that became pictures.
    pub frames: u64,
    /// Bytes of all frames that arrived.
    pub bytes: u64,
    /// Numbers missing between the frames of one connection: lost or skipped on the way.
    pub skipped: u64,
    /// Frames whose number was not above that of the one before.
    pub disordered: u64,
    /// Frames that could not be decoded.
    pub corrupt: u64,
    /// Frames that were not made pictures of, since nobody was looking.
    pub unseen: u64,
    /// Spent on turning bytes into pixels.
    pub decode_time: Duration,
}
