//! The simulated viewer's reader: finds the numbers of the frames that it receives.

use super::Speaks;
use lancam::wire::native::MAX_PAYLOAD;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::Message;
use lancam::wire::pickle::decoder::Decoder as PickleDecoder;
use lancam::wire::pickle::{BgrArray, MAX_PICKLE};

/// Parses what a camera sends.
pub(super) enum Reader {
    Native(Decoder),
    /// Received bytes that were not parsed yet.
    Http(Vec<u8>),
    Pickle(PickleDecoder),
}

impl Reader {
    pub(super) fn new(speaks: Speaks) -> Self {
        match speaks {
            Speaks::Native | Speaks::Pairing => Self::Native(Decoder::new(MAX_PAYLOAD)),
            Speaks::Http | Speaks::HttpWithKeys => Self::Http(Vec::new()),
            Speaks::Pickle => Self::Pickle(PickleDecoder::new(MAX_PICKLE)),
        }
    }

    /// The numbers of the frames that these bytes complete.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<u64> {
        let mut numbers = Vec::new();
        match self {
            Self::Native(decoder) => {
                decoder.push(bytes);
                while let Some(message) = decoder.next_message().expect("it is the protocol") {
                    if let Message::Frame { facts, payload } = message {
                        assert_eq!(number(payload), facts.sequence);
                        numbers.push(facts.sequence);
                    }
                }
            }
            Self::Http(waiting) => {
                waiting.extend_from_slice(bytes);
                while let Some(picture) = next_part(waiting) {
                    numbers.extend(picture.map(|picture| number(&picture)));
                }
            }
            Self::Pickle(decoder) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let space = decoder.space();
                    let count = rest.len().min(space.len());
                    space[..count].copy_from_slice(&rest[..count]);
                    decoder.filled(count);
                    rest = &rest[count..];
                    while let Some(pickle) = decoder.next_pickle().expect("it is a pickle") {
                        let mut scratch = Vec::new();
                        let array = BgrArray::parse(pickle, &mut scratch).expect("it is a picture");
                        numbers.push(number(array.pixels));
                    }
                }
            }
        }
        numbers
    }
}

/// Splits off the next headers and their body, once both have arrived. The inner value is a picture, if the body is one.
fn next_part(waiting: &mut Vec<u8>) -> Option<Option<Vec<u8>>> {
    let end = waiting.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&waiting[..end]).into_owned();
    let len = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let len = len.map_or(0, |len| len.parse().expect("a length"));
    if waiting.len() < end + len {
        return None;
    }
    let body = waiting[end..end + len].to_vec();
    waiting.drain(..end + len);
    Some((len > 0 && head.contains("image/jpeg")).then_some(body))
}

/// The number at the beginning of a frame.
fn number(payload: &[u8]) -> u64 {
    u64::from_be_bytes(*payload.first_chunk().expect("frames are longer"))
}
