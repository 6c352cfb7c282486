//! Writes messages of the native protocol.

use super::control::Control;
use super::header::Header;
use super::message::{Message, MessageKind, Wishes};
use super::version::VERSION;
use super::{MAX_PAYLOAD, MAX_TEXT};
use crate::wire::packet::{Codec, FrameFacts};

/// The number of bytes in a frame message between its header and its picture.
const FRAME_HEAD: usize = 24;

/// The longest picture that a frame message can carry, in bytes.
pub const MAX_PICTURE: usize = (16 << 20) - FRAME_HEAD;

// Every picture that is taken from a camera fits.
const _: () = assert!(crate::image::jpeg::splitter::MAX_PICTURE <= MAX_PICTURE);

// The longest picture fills the largest payload.
const _: () = assert!((MAX_PICTURE + FRAME_HEAD) as u64 == MAX_PAYLOAD as u64);

/// The header and the fields of a frame message, which are sent before the picture in the same
/// `writev`.
///
/// # Panics
/// When the picture is over [`MAX_PICTURE`] or a side over 65535; encoders make neither.
pub fn frame_prefix(facts: &FrameFacts, picture_len: usize) -> [u8; Header::LEN + FRAME_HEAD] {
    assert!(picture_len <= MAX_PICTURE, "a picture of {picture_len} bytes is over the limit");
    let payload_len = u32::try_from(FRAME_HEAD + picture_len).expect("as MAX_PAYLOAD does");
    let kind = MessageKind::Frame as u8;
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

/// Writes into an array that is large enough.
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
    /// Appends header and payload to `out`. Cuts texts over [`MAX_TEXT`] bytes between characters.
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

    fn write_payload(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Hello { min_version, max_version, credit, wishes, program, key } => {
                out.extend([min_version, max_version, credit, 0]);
                write_wishes(&wishes, out);
                write_text(program, out);
                write_text_if_any(key.0, out);
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
            Self::Credit { frames } => out.extend([frames, 0, 0, 0]),
            Self::PairRequest { nonce, name } => {
                out.extend(nonce);
                write_text(name, out);
            }
            Self::PairProof { proof } => out.extend(proof),
            Self::Welcome { version, name, id } => {
                out.extend([version, 0, 0, 0]);
                write_text(name, out);
                write_text(id, out);
            }
            Self::Stream { codec, size, rate, source } => {
                out.extend([codec_to_u8(codec), 0, 0, 0]);
                out.extend(side(size.width));
                out.extend(side(size.height));
                out.extend(rate.0.to_le_bytes());
                write_text(source, out);
            }
            Self::Frame { facts, payload } => {
                let prefix = frame_prefix(&facts, payload.len());
                out.extend_from_slice(&prefix[Header::LEN..]);
                out.extend_from_slice(payload);
            }
            Self::Status { code, text } => {
                out.extend(code.to_u16().to_le_bytes());
                out.extend([0, 0]);
                write_text(text, out);
            }
            Self::Goodbye { reason, min_version, max_version, text } => {
                out.extend(reason.to_u16().to_le_bytes());
                out.extend([min_version, max_version]);
                write_text(text, out);
            }
            Self::Control(control) => write_control(&control, out),
            Self::ControlList { count, reason } => {
                out.extend(count.to_le_bytes());
                write_text(reason, out);
            }
            Self::MenuItem { id, value, name } => {
                out.extend(id.to_le_bytes());
                out.extend(value.to_le_bytes());
                write_text(name, out);
            }
            Self::PairOffer { nonce, salt, iterations, name, id } => {
                out.extend(nonce);
                out.extend(salt);
                out.extend(iterations.to_le_bytes());
                write_text(name, out);
                write_text(id, out);
            }
            Self::Paired { proof, may, key } => {
                out.extend(proof);
                out.extend([may, 0, 0, 0]);
                write_text(key.0, out);
            }
        }
    }
}

fn write_control(control: &Control<'_>, out: &mut Vec<u8>) {
    out.extend(control.id.to_le_bytes());
    out.extend([u8::from(control.writable), control.kind.to_u8(), control.flags.0, 0]);
    for field in [control.minimum, control.maximum] {
        out.extend(field.to_le_bytes());
    }
    out.extend(control.step.to_le_bytes());
    for field in [control.default, control.value] {
        out.extend(field.to_le_bytes());
    }
    write_text(control.name, out);
    write_text(control.reason, out);
}

fn write_wishes(wishes: &Wishes, out: &mut Vec<u8>) {
    out.extend(wishes.width.to_le_bytes());
    out.extend(wishes.height.to_le_bytes());
    out.extend(wishes.rate.0.to_le_bytes());
    out.extend([wishes.quality, 0, 0, 0]);
}

/// Writes a text that stands last, unless it is empty: as early versions did.
fn write_text_if_any(text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() {
        write_text(text, out);
    }
}

/// Writes the length and as much of `text` as a message may carry.
fn write_text(text: &str, out: &mut Vec<u8>) {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let len = u16::try_from(end).expect("MAX_TEXT is under 65536");
    out.extend(len.to_le_bytes());
    out.extend_from_slice(&text.as_bytes()[..end]);
}

fn codec_to_u8(codec: Codec) -> u8 {
    match codec {
        Codec::Jpeg => 1,
        Codec::Bgr24 => 2,
    }
}
