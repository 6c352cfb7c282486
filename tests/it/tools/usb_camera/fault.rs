//! What a camera does wrong, when a test tells it to.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a test has ordered; it may change while the camera is plugged in.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Every how many frames one is spoilt, and how.
    pub flaw: Option<(u64, Flaw)>,
    /// No frame begins before.
    pub silent_until: Option<Instant>,
    /// The first so many frames of each stream are noise.
    pub noise_at_start: u64,
    /// An error number of Linux with which a start of the stream is refused.
    pub refuse_start: Option<i32>,
    /// The streaming endpoint ends its next transfer as one that is halted, until the halt is cleared.
    pub halt: bool,
    /// What is wrong with controls, by their names.
    pub controls: BTreeMap<String, Manner>,
    /// The plug is pulled at this moment, once.
    pub unplug: Option<Moment>,
}

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A payload in the middle has the error bit, and the right bytes.
    ErrorBit,
    /// It has the frame identifier of the frame before.
    SameFid,
    /// No payload says that it is the last.
    NoEndOfFrame,
    /// Its second half is missing.
    Cut,
    /// As many bytes again follow it.
    TooLong,
    /// Two pictures in one frame.
    Twice,
    /// Payloads without a byte of picture.
    Empty,
    /// Bytes that are no picture.
    Noise,
    /// A payload's header says that it is longer than the payload.
    LongHeader,
}

/// What is wrong with a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Every request to it is a stall.
    Stalls,
    /// Every request to it takes so long.
    Takes(Duration),
}

/// When a plug is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// While the driver asks what the camera is.
    Probe,
    /// When the stream is to start.
    Start,
    /// When half of a frame has been sent.
    InFrame,
    /// When a control is set.
    SettingControl,
}
