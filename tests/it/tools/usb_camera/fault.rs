//! Faults of a camera, which a test orders.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The ordered faults. They may change while the camera is plugged in.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Which frames are faulty (every n-th), and how.
    pub flaw: Option<(u64, Flaw)>,
    /// No frame begins before this time.
    pub silent_until: Option<Instant>,
    /// How many times longer than agreed a frame takes, as in the dark; 0 is as 1.
    pub slowness: u32,
    /// Frames have this width and height, whatever was agreed.
    pub other_size: Option<(usize, usize)>,
    pub clock: Clock,
    /// This many frames at the start of each stream are noise.
    pub noise_at_start: u64,
    /// The Linux error number with which a start of the stream is refused.
    pub refuse_start: Option<i32>,
    /// The streaming endpoint halts at its next transfer, until the halt is cleared.
    pub halt: bool,
    /// Faults of controls, by name.
    pub controls: BTreeMap<String, Manner>,
    /// The camera is unplugged at this moment, once.
    pub unplug: Option<Moment>,
}

/// A fault of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A payload in the middle has the error bit set, but the right bytes.
    ErrorBit,
    /// It has the same frame identifier as the frame before.
    SameFid,
    /// No payload is marked as the last.
    NoEndOfFrame,
    /// Its second half is missing.
    Cut,
    /// The same number of bytes follows it once more.
    TooLong,
    /// Two pictures in one frame.
    Twice,
    /// Payloads without picture data.
    Empty,
    /// Bytes that are not a picture.
    Noise,
    /// A payload's header gives a length larger than the payload.
    LongHeader,
    /// A JPEG without its Huffman tables, as in AVI files.
    NoTables,
}

/// What the time stamps in payloads' headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    #[default]
    Right,
    /// Always the same.
    Stands,
    /// Anything.
    Jumps,
}

impl Clock {
    /// What this clock says when it is `ticks`.
    pub(super) fn says(self, ticks: u32) -> u32 {
        match self {
            Self::Right => ticks,
            Self::Stands => 0x1234_5678,
            Self::Jumps => ticks.wrapping_mul(0x9E37_79B9),
        }
    }

    /// The number of the USB frame at that time, of 11 bits. A right camera takes it from the bus. Over USB/IP there is none:
    /// the host's is always 0.
    pub(super) fn bus_frame(self, ticks: u32) -> u16 {
        match self {
            Self::Right | Self::Stands => 0,
            Self::Jumps => u16::try_from(self.says(ticks) >> 21).expect("11 bits"),
        }
    }
}

/// A fault of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Every request stalls.
    Stalls,
    /// Every request takes this time.
    Takes(Duration),
}

/// When the camera is unplugged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// While the driver queries the camera.
    Probe,
    /// When the stream starts.
    Start,
    /// After half of a frame was sent.
    InFrame,
    /// When a control is set.
    SettingControl,
}
