//! What the two programs say to each other, and how each message looks as bytes.

use super::header::Header;
use super::{MAX_TEXT, VERSION, WireError};
use crate::image::frame::Micros;
use crate::image::pixels::Size;
use crate::wire::packet::{Codec, FrameFacts};

/// A message's number in the header. 1 to 63 go both ways or to the camera, 64 and up to the viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
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
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Hello,
        Self::Ack,
        Self::Wishes,
        Self::Ping,
        Self::Pong,
        Self::ListControls,
        Self::SetControl,
        Self::Welcome,
        Self::Stream,
        Self::Frame,
        Self::Status,
        Self::Goodbye,
        Self::Control,
    ];

    /// The kind with this number; `None` when this version does not know it.
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == number)
    }

    /// What it is called in errors.
    fn name(self) -> &'static str {
        match self {
            Self::Hello => "a greeting",
            Self::Ack => "an acknowledgement",
            Self::Wishes => "a wish",
            Self::Ping => "a ping",
            Self::Pong => "a pong",
            Self::ListControls => "a request for controls",
            Self::SetControl => "a control's new value",
            Self::Welcome => "a welcome",
            Self::Stream => "a stream's description",
            Self::Frame => "a frame",
            Self::Status => "a status",
            Self::Goodbye => "a goodbye",
            Self::Control => "a control",
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
    /// Frames per thousand seconds.
    pub millifps: u32,
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
    /// First message of a camera that agrees.
    Welcome {
        /// The version both speak from here on.
        version: u8,
        /// The camera's name.
        name: &'a str,
    },
    /// What the frames are.
    Stream {
        /// How they are coded.
        codec: Codec,
        /// Their size.
        size: Size,
        /// Frames per thousand seconds; 0 when the camera does not know.
        millifps: u32,
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
    Control {
        /// Its V4L2 number.
        id: u32,
        /// Whether it can be changed.
        writable: bool,
        /// Least value.
        minimum: i64,
        /// Greatest value.
        maximum: i64,
        /// Distance between values.
        step: u64,
        /// Value after power-on.
        default: i64,
        /// Value now.
        value: i64,
        /// Its name.
        name: &'a str,
    },
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
    /// A code from a newer camera; its text still tells people.
    Other(u16),
}

impl StatusCode {
    fn from_u16(code: u16) -> Self {
        match code {
            0 => Self::Starting,
            1 => Self::NoCamera,
            2 => Self::CameraLost,
            3 => Self::CameraRefused,
            4 => Self::Refused,
            other => Self::Other(other),
        }
    }

    fn to_u16(self) -> u16 {
        match self {
            Self::Starting => 0,
            Self::NoCamera => 1,
            Self::CameraLost => 2,
            Self::CameraRefused => 3,
            Self::Refused => 4,
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
    /// A code from a newer camera.
    Other(u16),
}

impl GoodbyeReason {
    fn from_u16(code: u16) -> Self {
        match code {
            0 => Self::Stopping,
            1 => Self::Version,
            2 => Self::Full,
            3 => Self::TooSlow,
            4 => Self::BadMessage,
            other => Self::Other(other),
        }
    }

    fn to_u16(self) -> u16 {
        match self {
            Self::Stopping => 0,
            Self::Version => 1,
            Self::Full => 2,
            Self::TooSlow => 3,
            Self::BadMessage => 4,
            Self::Other(other) => other,
        }
    }
}

/// Bytes of a frame message between its header and its picture.
const FRAME_HEAD: usize = 24;

/// Header and head of a frame message: goes before the picture in the same `writev`.
///
/// # Panics
/// When the payload is over [`MAX_PAYLOAD`](super::MAX_PAYLOAD) or a side over 65535; encoders make neither.
pub fn frame_prefix(facts: &FrameFacts, payload_len: usize) -> [u8; Header::LEN + FRAME_HEAD] {
    let payload_len =
        u32::try_from(FRAME_HEAD + payload_len).expect("encoders keep to MAX_PAYLOAD");
    let kind = Kind::Frame as u8;
    let header = Header { version: VERSION, kind, flags: 0, payload_len };
    let mut prefix = [0; Header::LEN + FRAME_HEAD];
    let mut out = Cursor { bytes: &mut prefix, at: 0 };
    out.put(&header.to_bytes());
    out.put(&facts.sequence.to_le_bytes());
    out.put(&facts.captured_at.0.to_le_bytes());
    out.put(&side(facts.size.width));
    out.put(&side(facts.size.height));
    out.put(&[codec_to_u8(facts.codec), 0, 0, 0]);
    prefix
}

/// Writes into an array that is known to be large enough.
struct Cursor<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Cursor<'_> {
    fn put(&mut self, field: &[u8]) {
        self.bytes[self.at..self.at + field.len()].copy_from_slice(field);
        self.at += field.len();
    }
}

fn side(pixels: usize) -> [u8; 2] {
    u16::try_from(pixels).expect("no picture has a side over 65535").to_le_bytes()
}

impl Message<'_> {
    /// Appends header and payload to `out`. Texts over [`MAX_TEXT`] bytes are cut at a character.
    ///
    /// # Panics
    /// As [`frame_prefix`].
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let header = Header { version: VERSION, kind: self.kind() as u8, flags: 0, payload_len: 0 };
        out.extend_from_slice(&header.to_bytes());
        self.write_payload(out);
        let payload_len =
            u32::try_from(out.len() - start - Header::LEN).expect("messages are small");
        out[start..start + Header::LEN]
            .copy_from_slice(&Header { payload_len, ..header }.to_bytes());
    }

    /// The message's number.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hello { .. } => Kind::Hello,
            Self::Ack { .. } => Kind::Ack,
            Self::Wishes(_) => Kind::Wishes,
            Self::Ping { .. } => Kind::Ping,
            Self::Pong { .. } => Kind::Pong,
            Self::ListControls => Kind::ListControls,
            Self::SetControl { .. } => Kind::SetControl,
            Self::Welcome { .. } => Kind::Welcome,
            Self::Stream { .. } => Kind::Stream,
            Self::Frame { .. } => Kind::Frame,
            Self::Status { .. } => Kind::Status,
            Self::Goodbye { .. } => Kind::Goodbye,
            Self::Control { .. } => Kind::Control,
        }
    }

    fn write_payload(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Hello { min_version, max_version, credit, wishes, program } => {
                out.extend([min_version, max_version, credit, 0]);
                write_wishes(&wishes, out);
                out.extend_from_slice(cut(program));
            }
            Self::Ack { sequence } => out.extend(sequence.to_le_bytes()),
            Self::Wishes(wishes) => write_wishes(&wishes, out),
            Self::Ping { token } => out.extend(token.to_le_bytes()),
            Self::Pong { token, received_at, sent_at } => {
                out.extend(token.to_le_bytes());
                out.extend(received_at.0.to_le_bytes());
                out.extend(sent_at.0.to_le_bytes());
            }
            Self::ListControls => {}
            Self::SetControl { id, value } => {
                out.extend(id.to_le_bytes());
                out.extend(value.to_le_bytes());
            }
            Self::Welcome { version, name } => {
                out.extend([version, 0, 0, 0]);
                out.extend_from_slice(cut(name));
            }
            Self::Stream { codec, size, millifps, source } => {
                out.extend([codec_to_u8(codec), 0, 0, 0]);
                out.extend(side(size.width));
                out.extend(side(size.height));
                out.extend(millifps.to_le_bytes());
                out.extend_from_slice(cut(source));
            }
            Self::Frame { facts, payload } => {
                let prefix = frame_prefix(&facts, payload.len());
                out.extend_from_slice(&prefix[Header::LEN..]);
                out.extend_from_slice(payload);
            }
            Self::Status { code, text } => {
                out.extend(code.to_u16().to_le_bytes());
                out.extend([0, 0]);
                out.extend_from_slice(cut(text));
            }
            Self::Goodbye { reason, min_version, max_version, text } => {
                out.extend(reason.to_u16().to_le_bytes());
                out.extend([min_version, max_version]);
                out.extend_from_slice(cut(text));
            }
            Self::Control { id, writable, minimum, maximum, step, default, value, name } => {
                out.extend(id.to_le_bytes());
                out.extend([u8::from(writable), 0, 0, 0]);
                for field in [minimum, maximum] {
                    out.extend(field.to_le_bytes());
                }
                out.extend(step.to_le_bytes());
                for field in [default, value] {
                    out.extend(field.to_le_bytes());
                }
                out.extend_from_slice(cut(name));
            }
        }
    }
}

fn write_wishes(wishes: &Wishes, out: &mut Vec<u8>) {
    out.extend(wishes.width.to_le_bytes());
    out.extend(wishes.height.to_le_bytes());
    out.extend(wishes.millifps.to_le_bytes());
    out.extend([wishes.quality, 0, 0, 0]);
}

/// As much of `text` as a message may carry.
fn cut(text: &str) -> &[u8] {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text.as_bytes()[..end]
}

fn codec_to_u8(codec: Codec) -> u8 {
    match codec {
        Codec::Jpeg => 1,
        Codec::Bgr24 => 2,
    }
}

impl<'a> Message<'a> {
    /// Reads the payload of a message of a known kind.
    ///
    /// Bytes behind the last known field are ignored: later versions may add fields there.
    ///
    /// # Errors
    /// When the payload is shorter than its fields, or a field means nothing.
    pub fn parse(kind: Kind, header: &Header, payload: &'a [u8]) -> Result<Self, WireError> {
        // The greeting tells versions apart, so it and the refusal look the same in all of them.
        let frozen = matches!(kind, Kind::Hello | Kind::Welcome | Kind::Goodbye);
        if header.version != VERSION && !frozen {
            return Err(WireError::Version { found: header.version });
        }
        if header.flags != 0 {
            return Err(WireError::UnknownFlags { kind: kind.name(), flags: header.flags });
        }
        let mut fields = Fields { kind: kind.name(), payload, at: 0 };
        Ok(match kind {
            Kind::Hello => {
                let [min_version, max_version, credit, _] = fields.take("versions")?;
                let wishes = read_wishes(&mut fields)?;
                Self::Hello { min_version, max_version, credit, wishes, program: fields.text() }
            }
            Kind::Ack => Self::Ack { sequence: fields.u64("sequence")? },
            Kind::Wishes => Self::Wishes(read_wishes(&mut fields)?),
            Kind::Ping => Self::Ping { token: fields.u64("token")? },
            Kind::Pong => Self::Pong {
                token: fields.u64("token")?,
                received_at: Micros(fields.u64("time of receipt")?),
                sent_at: Micros(fields.u64("time of sending")?),
            },
            Kind::ListControls => Self::ListControls,
            Kind::SetControl => {
                Self::SetControl { id: fields.u32("id")?, value: fields.i64("value")? }
            }
            Kind::Welcome => {
                let [version, ..] = fields.take::<4>("version")?;
                Self::Welcome { version, name: fields.text() }
            }
            Kind::Stream => Self::Stream {
                codec: fields.codec()?,
                size: fields.size()?,
                millifps: fields.u32("rate")?,
                source: fields.text(),
            },
            Kind::Frame => {
                let sequence = fields.u64("sequence")?;
                let captured_at = Micros(fields.u64("time of capture")?);
                let size = fields.size()?;
                let codec = fields.codec()?;
                let facts = FrameFacts { sequence, captured_at, codec, size };
                Self::Frame { facts, payload: fields.rest() }
            }
            Kind::Status => {
                let code = StatusCode::from_u16(fields.u16("code")?);
                fields.take::<2>("reserved bytes")?;
                Self::Status { code, text: fields.text() }
            }
            Kind::Goodbye => {
                let reason = GoodbyeReason::from_u16(fields.u16("reason")?);
                let [min_version, max_version] = fields.take("versions")?;
                Self::Goodbye { reason, min_version, max_version, text: fields.text() }
            }
            Kind::Control => {
                let id = fields.u32("id")?;
                let [writable, ..] = fields.take::<4>("access")?;
                Self::Control {
                    id,
                    writable: writable != 0,
                    minimum: fields.i64("minimum")?,
                    maximum: fields.i64("maximum")?,
                    step: fields.u64("step")?,
                    default: fields.i64("default")?,
                    value: fields.i64("value")?,
                    name: fields.text(),
                }
            }
        })
    }
}

fn read_wishes(fields: &mut Fields<'_>) -> Result<Wishes, WireError> {
    let width = fields.u16("width")?;
    let height = fields.u16("height")?;
    let millifps = fields.u32("rate")?;
    let [quality, ..] = fields.take::<4>("quality")?;
    if quality > 100 {
        return Err(fields.meaningless("quality", u64::from(quality)));
    }
    Ok(Wishes { width, height, quality, millifps })
}

/// Takes fields off the front of a payload, and names the one that is missing.
struct Fields<'a> {
    kind: &'static str,
    payload: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let Some(bytes) = self.payload[self.at..].first_chunk::<N>() else {
            return Err(WireError::Short { kind: self.kind, len: self.payload.len(), field });
        };
        self.at += N;
        Ok(*bytes)
    }

    fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.take(field).map(u16::from_le_bytes)
    }

    fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.take(field).map(u32::from_le_bytes)
    }

    fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.take(field).map(u64::from_le_bytes)
    }

    fn i64(&mut self, field: &'static str) -> Result<i64, WireError> {
        self.take(field).map(i64::from_le_bytes)
    }

    fn size(&mut self) -> Result<Size, WireError> {
        let width = self.u16("width")?;
        let height = self.u16("height")?;
        match (width, height) {
            (0, _) => Err(self.meaningless("width", 0)),
            (_, 0) => Err(self.meaningless("height", 0)),
            _ => Ok(Size::new(usize::from(width), usize::from(height))),
        }
    }

    fn codec(&mut self) -> Result<Codec, WireError> {
        let [codec, ..] = self.take::<4>("codec")?;
        match codec {
            1 => Ok(Codec::Jpeg),
            2 => Ok(Codec::Bgr24),
            other => Err(self.meaningless("codec", u64::from(other))),
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.payload[self.at..]
    }

    /// The rest as text: as far as it is UTF-8, and not over [`MAX_TEXT`].
    fn text(&self) -> &'a str {
        let bytes = self.rest();
        let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        }
    }

    fn meaningless(&self, field: &'static str, value: u64) -> WireError {
        WireError::Value { kind: self.kind, field, value }
    }
}
