//! The messages between camera and viewer.

use super::control::Control;
use crate::image::frame::Micros;
use crate::image::pixels::Size;
use crate::rate::Rate;
use crate::wire::packet::{Codec, FrameFacts};

/// The number of a kind of message in the header. 1 to 63 go both ways or to the camera, 64 and up
/// to the viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MessageKind {
    /// The viewer's greeting.
    Hello = 1,
    /// The viewer has received a frame, and so has credit for another.
    Ack = 2,
    /// The viewer wants another rendition.
    Wishes = 3,
    /// Either side asks for the other's clock.
    Ping = 4,
    /// The answer to a ping.
    Pong = 5,
    /// The viewer asks for the camera's controls.
    ListControls = 6,
    /// The viewer sets a control.
    SetControl = 7,
    /// The viewer changes its credit.
    Credit = 8,
    /// The viewer wants to be paired; it takes the place of the greeting.
    PairRequest = 9,
    /// The viewer shows that it knows the code.
    PairProof = 10,
    /// The camera's greeting.
    Welcome = 64,
    /// The format of the frames that follow.
    Stream = 65,
    /// A frame.
    Frame = 66,
    /// Why there is no picture.
    Status = 67,
    /// Why the camera closes the connection.
    Goodbye = 68,
    /// One of the camera's controls.
    Control = 69,
    /// The list of the camera's controls follows.
    ControlList = 70,
    /// An item of a control's menu.
    MenuItem = 71,
    /// The camera says what the viewer's proof is made from.
    PairOffer = 72,
    /// The camera shows that it knows the code, and gives the viewer a key.
    Paired = 73,
}

impl MessageKind {
    const ALL: [Self; 20] = [
        Self::Hello,
        Self::Ack,
        Self::Wishes,
        Self::Ping,
        Self::Pong,
        Self::ListControls,
        Self::SetControl,
        Self::Credit,
        Self::PairRequest,
        Self::PairProof,
        Self::Welcome,
        Self::Stream,
        Self::Frame,
        Self::Status,
        Self::Goodbye,
        Self::Control,
        Self::ControlList,
        Self::MenuItem,
        Self::PairOffer,
        Self::Paired,
    ];

    /// The kind with this number; `None` if this version does not know it.
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == number)
    }

    /// Whether its layout is the same in all versions of the protocol. By these messages two versions recognise each other.
    pub(super) fn is_frozen(self) -> bool {
        matches!(
            self,
            Self::Hello
                | Self::PairRequest
                | Self::PairProof
                | Self::Welcome
                | Self::Goodbye
                | Self::PairOffer
                | Self::Paired
        )
    }

    /// Its name in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hello => "a greeting",
            Self::Ack => "an acknowledgement",
            Self::Wishes => "a wish",
            Self::Ping => "a ping",
            Self::Pong => "a pong",
            Self::ListControls => "a request for controls",
            Self::SetControl => "a control's new value",
            Self::Credit => "a credit",
            Self::PairRequest => "a request for pairing",
            Self::PairProof => "a proof of the code",
            Self::Welcome => "a welcome",
            Self::Stream => "a stream's description",
            Self::Frame => "a frame",
            Self::Status => "a status",
            Self::Goodbye => "a goodbye",
            Self::Control => "a control",
            Self::ControlList => "a list of controls",
            Self::MenuItem => "a menu's item",
            Self::PairOffer => "an offer of pairing",
            Self::Paired => "the end of pairing",
        }
    }
}

/// What a viewer would like to get; 0 leaves it to the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wishes {
    /// The width in pixels.
    pub width: u16,
    /// The height in pixels.
    pub height: u16,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// The highest frame rate that is wanted.
    pub rate: Rate,
}

/// A secret text in a message. It shows nothing of itself in logs.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Secret<'a>(pub &'a str);

impl std::fmt::Debug for Secret<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.0.is_empty() { "Secret()" } else { "Secret(…)" })
    }
}

/// A received message, which borrows its text or picture from the receive buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Message<'a> {
    /// The first message of a viewer.
    Hello {
        /// The oldest version that it speaks.
        min_version: u8,
        /// The newest version that it speaks.
        max_version: u8,
        /// How many frames it takes before it acknowledges one.
        credit: u8,
        /// Its wishes.
        wishes: Wishes,
        /// The name of the program, for the log.
        program: &'a str,
        /// The key that the camera has given to this viewer. Empty if it has none.
        key: Secret<'a>,
    },
    /// All frames up to `sequence` have arrived.
    Ack {
        /// The sequence number of the newest frame that has arrived.
        sequence: u64,
    },
    /// New wishes.
    Wishes(Wishes),
    /// A ping, to be answered at once.
    Ping {
        /// Returned unchanged in the answer.
        token: u64,
    },
    /// The answer to a ping.
    Pong {
        /// The token of the ping.
        token: u64,
        /// When the ping arrived, by the answerer's clock.
        received_at: Micros,
        /// When the answer was sent, by the answerer's clock.
        sent_at: Micros,
    },
    /// Asks for all controls.
    ListControls,
    /// Sets a control.
    SetControl {
        /// Its V4L2 number.
        id: u32,
        /// The new value.
        value: i64,
    },
    /// Replaces the credit of the greeting.
    Credit {
        /// How many frames the viewer takes before it acknowledges one.
        frames: u8,
    },
    /// The first message of a viewer that wants to be paired.
    PairRequest {
        /// A fresh random number.
        nonce: [u8; 32],
        /// The viewer's name, for the camera's list of keys.
        name: &'a str,
    },
    /// The viewer's answer to an offer.
    PairProof {
        /// That it knows the code.
        proof: [u8; 32],
    },
    /// The first message of a camera that accepts the viewer.
    Welcome {
        /// The version that both use from here on.
        version: u8,
        /// The camera's name.
        name: &'a str,
        /// Distinguishes this camera from all others, even with the same name. Empty from an early
        /// version of the camera.
        id: &'a str,
    },
    /// The format of the frames that follow.
    Stream {
        /// Their encoding.
        codec: Codec,
        /// Their size.
        size: Size,
        /// Their rate, if the camera knows it.
        rate: Rate,
        /// The source, in words for people.
        source: &'a str,
    },
    /// A frame.
    Frame {
        /// The facts of the frame.
        facts: FrameFacts,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// There is no picture now.
    Status {
        /// The reason, for programs.
        code: StatusCode,
        /// The reason, in words for people.
        text: &'a str,
    },
    /// The camera closes the connection.
    Goodbye {
        /// The reason, for programs.
        reason: GoodbyeReason,
        /// The oldest version that the camera speaks.
        min_version: u8,
        /// The newest version that the camera speaks.
        max_version: u8,
        /// The reason, in words for people.
        text: &'a str,
    },
    /// One control of the camera.
    Control(Control<'a>),
    /// All controls of the camera follow. They replace what was known before.
    ControlList {
        /// How many messages follow: each control, and after it the items of its menu.
        count: u32,
        /// Why the camera has no controls, in words for people. Empty if it has some.
        reason: &'a str,
    },
    /// An item in the menu of the control before it.
    MenuItem {
        /// The control's V4L2 number.
        id: u32,
        /// The value of the control that means this item.
        value: i64,
        /// Its name.
        name: &'a str,
    },
    /// The camera pairs: what the viewer's proof is to be made from.
    PairOffer {
        /// A fresh random number.
        nonce: [u8; 32],
        /// The salt with which the code is hashed.
        salt: [u8; 16],
        /// How often it is hashed.
        iterations: u32,
        /// The camera's name.
        name: &'a str,
        /// Its id, as in [`Welcome`](Self::Welcome).
        id: &'a str,
    },
    /// The viewer's proof was right. The camera closes its side.
    Paired {
        /// That the camera knows the code.
        proof: [u8; 32],
        /// What the key allows: 1 to watch, 2 to control, added up.
        may: u8,
        /// The key that this viewer shows from now on.
        key: Secret<'a>,
    },
}

impl Message<'_> {
    /// The kind of the message.
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
            Self::PairRequest { .. } => MessageKind::PairRequest,
            Self::PairProof { .. } => MessageKind::PairProof,
            Self::Welcome { .. } => MessageKind::Welcome,
            Self::Stream { .. } => MessageKind::Stream,
            Self::Frame { .. } => MessageKind::Frame,
            Self::Status { .. } => MessageKind::Status,
            Self::Goodbye { .. } => MessageKind::Goodbye,
            Self::Control(_) => MessageKind::Control,
            Self::ControlList { .. } => MessageKind::ControlList,
            Self::MenuItem { .. } => MessageKind::MenuItem,
            Self::PairOffer { .. } => MessageKind::PairOffer,
            Self::Paired { .. } => MessageKind::Paired,
        }
    }
}

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCode {
    /// The camera is being opened, or has not sent its first frame.
    Starting,
    /// There is no camera.
    NoCamera,
    /// The camera was unplugged or has stopped giving frames.
    CameraLost,
    /// The camera cannot be used now: busy, not permitted, no bandwidth.
    CameraRefused,
    /// A request was not granted; the picture goes on.
    Refused,
    /// No further rendition may be made, so this viewer's wishes have to wait.
    Full,
    /// A code from a newer camera; its text is still shown.
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
    /// It stops.
    Stopping,
    /// There is no common version.
    Version,
    /// It has the most viewers that it may have.
    Full,
    /// The viewer took no data for too long.
    TooSlow,
    /// The viewer sent something that is not a message.
    BadMessage,
    /// The viewer's address may not connect.
    NotAllowed,
    /// The viewer has no key that the camera knows, and has to be paired first.
    NoKey,
    /// The viewer's proof is wrong: it has another code, or another machine is between the two.
    WrongCode,
    /// The camera does not pair now; the text says why, and how long.
    PairingRests,
    /// The camera takes this only inside TLS.
    TlsWanted,
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
            6 => Self::NoKey,
            7 => Self::WrongCode,
            8 => Self::PairingRests,
            9 => Self::TlsWanted,
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
            Self::NoKey => 6,
            Self::WrongCode => 7,
            Self::PairingRests => 8,
            Self::TlsWanted => 9,
            Self::Other(other) => other,
        }
    }
}
