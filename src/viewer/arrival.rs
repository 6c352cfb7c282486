//! A picture that has arrived, with its age and the camera it came from.

use super::find::wanted::Origin;
use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::wire::packet::Codec;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// A picture that has arrived, with what is known about its way here.
#[derive(Debug)]
pub struct Arrival {
    /// The pixels. Fewer than [`size`](Self::size) if the window does not need all of them.
    pub picture: Picture,
    /// The frame's size.
    pub size: Size,
    /// The camera's own JPEG. Empty if the camera sends pixels.
    pub jpeg: Vec<u8>,
    /// Which camera took it.
    pub origin: Arc<Origin>,
    /// How it was encoded on the wire.
    pub codec: Codec,
    /// Counts of all frames so far, including this one.
    pub totals: Totals,
    /// Its age. `None` until the clocks of camera and viewer are matched.
    pub age: Option<Age>,
    /// When the camera took it, by this machine's clock, as exactly as that is known. Use this where the machine may have
    /// slept, because [`age`](Self::age) does not count that time.
    pub taken: SystemTime,
}

/// The age of a picture, counted from the moment the camera took it, and how exact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// The age ...
    pub age: Duration,
    /// ... at this moment.
    pub at: Instant,
    /// The largest possible error: half the shortest round trip, plus the drift of the clocks since then.
    pub uncertainty: Duration,
    /// The shortest recent round trip to the camera.
    pub round_trip: Duration,
}

impl Age {
    /// The age at another moment.
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

/// Counts of frames since the viewer started, over all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Frames that were decoded.
    pub frames: u64,
    /// Bytes of all frames that arrived.
    pub bytes: u64,
    /// Numbers missing between the frames of one connection: frames that were lost or skipped on the way.
    pub skipped: u64,
    /// Frames whose number was not higher than the one before.
    pub disordered: u64,
    /// Frames that could not be decoded.
    pub corrupt: u64,
    /// Frames that were decoded and shown although some of their data is damaged.
    pub damaged: u64,
    /// Frames that were not decoded, because nobody was looking.
    pub unseen: u64,
    /// Time spent decoding.
    pub decode_time: Duration,
}
