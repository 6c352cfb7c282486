//! One connection to the tutorial's server, which sends one pickled picture after the other. The viewer sends nothing.

use super::{READ_PATIENCE, Received, SessionEnd, SessionError, receive};
use crate::image::frame::Micros;
use crate::viewer::find::wanted::Origin;
use crate::viewer::watch::decoding::Decoding;
use crate::viewer::watch::news::{NoticeKind, Publisher};
use crate::wire::packet::{Codec, FrameFacts};
use crate::wire::pickle::decoder::Decoder;
use crate::wire::pickle::{BgrArray, MAX_PICKLE};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The longest silence. The tutorial's server opens its camera only when a client connects, and OpenCV takes seconds for
/// that.
const SILENCE: Duration = Duration::from_secs(15);

/// Publishes what the server sends, until the session ends.
///
/// Frames are numbered as they arrive, because this protocol has neither numbers nor times.
///
/// # Errors
/// When something other than pictures arrives, or nothing any more.
pub fn watch(
    stream: &TcpStream,
    origin: Origin,
    decoding: &mut Decoding,
    publisher: &mut Publisher,
) -> Result<SessionEnd, SessionError> {
    stream.set_read_timeout(Some(READ_PATIENCE))?;
    publisher.notify(NoticeKind::NoPicture, format!("connected to {}", origin.name));
    decoding.begin(origin);
    let mut decoder = Decoder::new(MAX_PICKLE);
    let mut scratch = Vec::new();
    let mut sequence = 0;
    let mut heard = Instant::now();
    while !publisher.is_closed() {
        while let Some(pickle) = decoder.next_pickle()? {
            let BgrArray { size, pixels } = BgrArray::parse(pickle, &mut scratch)?;
            sequence += 1;
            let facts = FrameFacts { sequence, captured_at: Micros(0), codec: Codec::Bgr24, size };
            decoding.decode(&facts, None, pixels, publisher);
        }
        match receive(stream, decoder.space())? {
            Received::Bytes(count) => {
                decoder.filled(count);
                heard = Instant::now();
            }
            Received::NothingYet if heard.elapsed() < SILENCE => {}
            Received::NothingYet => return Err(SessionError::Silent(SILENCE)),
            Received::End if decoder.is_inside_a_pickle() => return Err(SessionError::CutShort),
            Received::End if sequence == 0 => return Err(SessionError::NoPickle),
            Received::End => return Ok(SessionEnd::Closed),
        }
    }
    Ok(SessionEnd::Closed)
}
