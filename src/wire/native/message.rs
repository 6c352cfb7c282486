//! What the two programs say to each other.

use super::control::Control;
use crate::image::frame::Micros;
use crate::image::pixels::Size;
use crate::rate::Rate;
use crate::wire::packet::{Codec, FrameFacts};

/// A message's number in the header. 1 to 63 go both ways or to the camera, 64 and up to the viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MessageKind {
    /// Viewer's greeting.
    Hello = 1,
    /// Viewer has a frame: credit for the next.
    Ack = 2,
    /// Viewer wants another rendition.
    Wishes = 3,
    /// Either asks the other for its clock.
    Ping = 4,
    /// Answer to a ping.
    Pong = 5,
    /// Viewer asks for the camera's controls.
    ListControls = 6,
    /// Viewer sets one control.
    SetControl = 7,
    /// Viewer takes more or fewer frames at once.
    Credit = 8,
    /// Camera's greeting.
    Welcome = 64,
    /// What the frames are from here on.
    Stream = 65,
    /// A frame.
    Frame = 66,
    /// Why there is no picture.
    Status = 67,
    /// Why the camera closes this connection.
    Goodbye = 68,
    /// One of the camera's controls.
    Control = 69,
    /// The camera's controls follow.
    ControlList = 70,
    /// An item of a control's menu.
    MenuItem = 71,
}

impl MessageKind {
    const ALL: [Self; 16] = [
        Self::Hello,
        Self::Ack,
        Self::Wishes,
        Self::Ping,
        Self::Pong,
        Self::ListControls,
        Self::SetControl,
        Self::Credit,
        Self::Welcome,
        Self::Stream,
        Self::Frame,
        Self::Status,
        Self::Goodbye,
        Self::Control,
        Self::ControlList,
        Self::MenuItem,
    ];

    /// The kind with this number; `None` when this version does not know it.
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == number)
    }

    /// What it is called in errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hello => "a greeting",
            Self::Ack => "an acknowledgement",
            Self::Wishes => "a wish",
            Self::Ping => "a ping",
            Self::Pong => "a pong",
            Self::ListControls => "a request for controls",
            Self::SetControl => "a control's new value",
            Self::Credit => "a credit",
            Self::Welcome => "a welcome",
            Self::Stream => "a stream's description",
            Self::Frame => "a frame",
            Self::Status => "a status",
            Self::Goodbye => "a goodbye",
            Self::Control => "a control",
            Self::ControlList => "a list of controls",
            Self::MenuItem => "a menu's item",
        }
    }
}

/// What a viewer would like to be sent; 0 leaves it to the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Pixels in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// The most frames that are wanted.
    pub rate: Rate,
}

/// A message that has been received, borrowing its text or picture from the receive buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Message<'a> {
    /// First message of a viewer.
    Hello {
        /// The oldest version it speaks.
        min_version: u8,
        /// The newest version it speaks.
        max_version: u8,
        /// How many frames it takes before it acknowledges one.
        credit: u8,
        /// What it would like.
        wishes: Wishes,
        /// The program, for the log.
        program: &'a str,
    },
    /// All frames up to `sequence` have arrived.
    Ack {
        /// Of the newest frame that arrived.
        sequence: u64,
    },
    /// New wishes.
    Wishes(Wishes),
    /// To be answered at once.
    Ping {
        /// Sent back as it is.
        token: u64,
    },
    /// The answer.
    Pong {
        /// Of the ping.
        token: u64,
        /// When the ping arrived, on the answerer's clock.
        received_at: Micros,
        /// When the answer left, on the answerer's clock.
        sent_at: Micros,
    },
    /// Asks for all controls.
    ListControls,
    /// Sets a control.
    SetControl {
        /// Its V4L2 number.
        id: u32,
        /// Its new value.
        value: i64,
    },
    /// From here on another credit than the greeting's.
    Credit {
        /// Frames it takes before it acknowledges one.
        frames: u8,
    },
    /// First message of a camera that agrees.
    Welcome {
        /// The version both speak from here on.
        version: u8,
        /// The camera's name.
        name: &'a str,
        /// Tells it from any other camera, whatever they are called; empty where it is of the first days.
        id: &'a str,
    },
    /// What the frames are.
    Stream {
        /// How they are coded.
        codec: Codec,
        /// Their size.
        size: Size,
        /// How often they come, as far as the camera knows.
        rate: Rate,
        /// The source, for people.
        source: &'a str,
    },
    /// A frame.
    Frame {
        /// What is known of it.
        facts: FrameFacts,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// There is no picture for now.
    Status {
        /// For programs.
        code: StatusCode,
        /// For people.
        text: &'a str,
    },
    /// The connection ends here.
    Goodbye {
        /// For programs.
        reason: GoodbyeReason,
        /// The oldest version the camera speaks.
        min_version: u8,
        /// The newest version the camera speaks.
        max_version: u8,
        /// For people.
        text: &'a str,
    },
    /// One control of the camera.
    Control(Control<'a>),
    /// All controls of the camera follow, in place of what was known of them.
    ControlList {
        /// How many messages that are: each control, and right behind it the items of its menu.
        count: u32,
        /// Why there are none, for people.
        reason: &'a str,
    },
    /// An item of the menu of the control before it.
    MenuItem {
        /// The control's V4L2 number.
        id: u32,
        /// The control's value that means this item.
        value: i64,
        /// Its name.
        name: &'a str,
    },
}

impl Message<'_> {
    /// The message's number.
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Hello { .. } => MessageKind::Hello,
            Self::Ack { .. } => MessageKind::Ack,
            Self::Wishes(_) => MessageKind::Wishes,
            Self::Ping { .. } => MessageKind::Ping,
            Self::Pong { .. } => MessageKind::Pong,
            Self::ListControls => MessageKind::ListControls,
            Self::SetControl { .. } => MessageKind::SetControl,
            Self::Credit { .. } => MessageKind::Credit,
            Self::Welcome { .. } => MessageKind::Welcome,
            Self::Stream { .. } => MessageKind::Stream,
            Self::Frame { .. } => MessageKind::Frame,
            Self::Status { .. } => MessageKind::Status,
            Self::Goodbye { .. } => MessageKind::Goodbye,
            Self::Control(_) => MessageKind::Control,
            Self::ControlList { .. } => MessageKind::ControlList,
            Self::MenuItem { .. } => MessageKind::MenuItem,
        }
    }
}

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCode {
    /// The camera is being opened, or has not sent its first frame.
    Starting,
    /// There is none.
    NoCamera,
    /// It was there and is gone, or has stopped giving frames.
    CameraLost,
    /// It is there and cannot be used as it is: busy, forbidden, no bandwidth.
    CameraRefused,
    /// A request that was not granted; the picture goes on.
    Refused,
    /// As many renditions are made as may be: this viewer's wishes wait for a place.
    Full,
    /// A code from a newer camera; its text still tells people.
    Other(u16),
}

impl StatusCode {
    pub(super) fn from_u16(code: u16) -> Self {
        match code {
            0 => Self::Starting,
            1 => Self::NoCamera,
            2 => Self::CameraLost,
            3 => Self::CameraRefused,
            4 => Self::Refused,
            5 => Self::Full,
            other => Self::Other(other),
        }
    }

    pub(super) fn to_u16(self) -> u16 {
        match self {
            Self::Starting => 0,
            Self::NoCamera => 1,
            Self::CameraLost => 2,
            Self::CameraRefused => 3,
            Self::Refused => 4,
            Self::Full => 5,
            Self::Other(other) => other,
        }
    }
}

/// Why a camera closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoodbyeReason {
    /// It ends.
    Stopping,
    /// The two speak no common version.
    Version,
    /// It has as many viewers as it was told to have.
    Full,
    /// The viewer took nothing for too long.
    TooSlow,
    /// The viewer sent what is no message.
    BadMessage,
    /// The viewer's address is not let in.
    NotAllowed,
    /// A code from a newer camera.
    Other(u16),
}

impl GoodbyeReason {
    pub(super) fn from_u16(code: u16) -> Self {
        match code {
            0 => Self::Stopping,
            1 => Self::Version,
            2 => Self::Full,
            3 => Self::TooSlow,
            4 => Self::BadMessage,
            5 => Self::NotAllowed,
            other => Self::Other(other),
        }
    }

    pub(super) fn to_u16(self) -> u16 {
        match self {
            Self::Stopping => 0,
            Self::Version => 1,
            Self::Full => 2,
            Self::TooSlow => 3,
            Self::BadMessage => 4,
            Self::NotAllowed => 5,
            Self::Other(other) => other,
        }
    }
}
