//! Parses messages of the native protocol.

use super::control::{Control, ControlFlags, ControlKind};
use super::header::Header;
use super::message::{GoodbyeReason, Message, MessageKind, Secret, StatusCode, Wishes};
use super::version::VERSION;
use super::{MAX_TEXT, WireError};
use crate::image::frame::Micros;
use crate::image::pixels::Size;
use crate::rate::Rate;
use crate::wire::packet::{Codec, FrameFacts};

impl<'a> Message<'a> {
    /// Parses the payload of a message of a known kind.
    ///
    /// Ignores bytes after the last known field: later versions may add fields there.
    ///
    /// # Errors
    /// When the payload is shorter than its fields, or a field is invalid.
    pub fn parse(kind: MessageKind, header: &Header, payload: &'a [u8]) -> Result<Self, WireError> {
        check(kind, header)?;
        let mut fields = Fields { kind: kind.name(), payload, at: 0 };
        Ok(match kind {
            MessageKind::Hello => read_hello(&mut fields)?,
            MessageKind::Ack => Self::Ack { sequence: fields.u64("sequence")? },
            MessageKind::Wishes => Self::Wishes(read_wishes(&mut fields)?),
            MessageKind::Ping => Self::Ping { token: fields.u64("token")? },
            MessageKind::Pong => Self::Pong {
                token: fields.u64("token")?,
                received_at: Micros(fields.u64("time of receipt")?),
                sent_at: Micros(fields.u64("time of sending")?),
            },
            MessageKind::ListControls => Self::ListControls,
            MessageKind::SetControl => {
                Self::SetControl { id: fields.u32("id")?, value: fields.i64("value")? }
            }
            MessageKind::Credit => {
                let [frames, ..] = fields.take::<4>("frames")?;
                Self::Credit { frames }
            }
            MessageKind::PairRequest => {
                Self::PairRequest { nonce: fields.take("nonce")?, name: fields.text()? }
            }
            MessageKind::PairProof => Self::PairProof { proof: fields.take("proof")? },
            MessageKind::Welcome => {
                let [version, ..] = fields.take::<4>("version")?;
                Self::Welcome { version, name: fields.text()?, id: fields.text_if_any()? }
            }
            MessageKind::Stream => Self::Stream {
                codec: fields.codec()?,
                size: fields.size()?,
                rate: Rate(fields.u32("rate")?),
                source: fields.text()?,
            },
            MessageKind::Frame => read_frame(&mut fields)?,
            MessageKind::Status => {
                let code = StatusCode::from_u16(fields.u16("code")?);
                fields.take::<2>("reserved bytes")?;
                Self::Status { code, text: fields.text()? }
            }
            MessageKind::Goodbye => {
                let reason = GoodbyeReason::from_u16(fields.u16("reason")?);
                let [min_version, max_version] = fields.take("versions")?;
                Self::Goodbye { reason, min_version, max_version, text: fields.text()? }
            }
            MessageKind::Control => Self::Control(read_control(&mut fields)?),
            MessageKind::ControlList => {
                Self::ControlList { count: fields.u32("count")?, reason: fields.text()? }
            }
            MessageKind::MenuItem => Self::MenuItem {
                id: fields.u32("id")?,
                value: fields.i64("value")?,
                name: fields.text()?,
            },
            MessageKind::PairOffer => read_offer(&mut fields)?,
            MessageKind::Paired => read_paired(&mut fields)?,
        })
    }
}

/// Checks version and flags of a message.
fn check(kind: MessageKind, header: &Header) -> Result<(), WireError> {
    if header.version != VERSION && !kind.is_frozen() {
        return Err(WireError::Version { found: header.version });
    }
    if header.flags != 0 {
        return Err(WireError::UnknownFlags { kind: kind.name(), flags: header.flags });
    }
    Ok(())
}

fn read_hello<'a>(fields: &mut Fields<'a>) -> Result<Message<'a>, WireError> {
    let [min_version, max_version, credit, _] = fields.take("versions")?;
    let wishes = read_wishes(fields)?;
    let program = fields.text()?;
    let key = Secret(fields.text_if_any()?);
    Ok(Message::Hello { min_version, max_version, credit, wishes, program, key })
}

fn read_offer<'a>(fields: &mut Fields<'a>) -> Result<Message<'a>, WireError> {
    Ok(Message::PairOffer {
        nonce: fields.take("nonce")?,
        salt: fields.take("salt")?,
        iterations: fields.u32("iterations")?,
        name: fields.text()?,
        id: fields.text()?,
    })
}

fn read_paired<'a>(fields: &mut Fields<'a>) -> Result<Message<'a>, WireError> {
    let proof = fields.take("proof")?;
    let [may, ..] = fields.take::<4>("what it allows")?;
    Ok(Message::Paired { proof, may, key: Secret(fields.text()?) })
}

fn read_frame<'a>(fields: &mut Fields<'a>) -> Result<Message<'a>, WireError> {
    let sequence = fields.u64("sequence")?;
    let captured_at = Micros(fields.u64("time of capture")?);
    let size = fields.size()?;
    let codec = fields.codec()?;
    let facts = FrameFacts { sequence, captured_at, codec, size };
    Ok(Message::Frame { facts, payload: fields.picture(codec, size)? })
}

fn read_control<'a>(fields: &mut Fields<'a>) -> Result<Control<'a>, WireError> {
    let id = fields.u32("id")?;
    let [writable, kind, flags, _] = fields.take("access")?;
    Ok(Control {
        id,
        writable: writable != 0,
        kind: ControlKind::from_u8(kind),
        flags: ControlFlags(flags),
        minimum: fields.i64("minimum")?,
        maximum: fields.i64("maximum")?,
        step: fields.u64("step")?,
        default: fields.i64("default")?,
        value: fields.i64("value")?,
        name: fields.text()?,
        reason: fields.text_if_any()?,
    })
}

fn read_wishes(fields: &mut Fields<'_>) -> Result<Wishes, WireError> {
    let width = fields.u16("width")?;
    let height = fields.u16("height")?;
    let rate = Rate(fields.u32("rate")?);
    let [quality, ..] = fields.take::<4>("quality")?;
    if quality > 100 {
        return Err(fields.meaningless("quality", u64::from(quality)));
    }
    Ok(Wishes { width, height, quality, rate })
}

/// Takes fields off the front of a payload, and names the first one that is missing.
struct Fields<'a> {
    kind: &'static str,
    payload: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let Some(bytes) = self.payload[self.at..].first_chunk::<N>() else {
            return Err(self.short(field));
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

    /// The rest of the payload as a picture: all of it, or as many bytes as raw pixels of this size
    /// need.
    fn picture(&self, codec: Codec, size: Size) -> Result<&'a [u8], WireError> {
        let picture = self.rest();
        match codec {
            Codec::Jpeg => Ok(picture),
            Codec::Bgr24 => {
                let pixels = size.width.checked_mul(size.height);
                let len = pixels.and_then(|pixels| pixels.checked_mul(3));
                len.and_then(|len| picture.get(..len)).ok_or(self.short("the last pixel"))
            }
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.payload[self.at..]
    }

    /// A text, as far as it is printable UTF-8 and within [`MAX_TEXT`].
    ///
    /// Texts go unchanged into logs, terminals and the picture, so the first control character ends
    /// them.
    fn text(&mut self) -> Result<&'a str, WireError> {
        let len = usize::from(self.u16("the length of its text")?);
        let Some(bytes) = self.rest().get(..len) else {
            return Err(self.short("the end of its text"));
        };
        self.at += len;
        let bytes = &bytes[..len.min(MAX_TEXT)];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        };
        Ok(text.split(char::is_control).next().unwrap_or_default())
    }

    /// A text that early versions did not send.
    fn text_if_any(&mut self) -> Result<&'a str, WireError> {
        if self.rest().is_empty() { Ok("") } else { self.text() }
    }

    fn short(&self, field: &'static str) -> WireError {
        WireError::Short { kind: self.kind, len: self.payload.len(), field }
    }

    fn meaningless(&self, field: &'static str, value: u64) -> WireError {
        WireError::Value { kind: self.kind, field, value }
    }
}
