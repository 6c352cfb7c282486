//! Reads the first bytes of a connection, which show its protocol.
//!
//! It waits without `epoll`, so that a silent connection costs no descriptor but its socket. TLS
//! will begin here: its first byte is 0x16.

use super::protocol::Protocol;
use crate::camera::context::Camera;
use crate::camera::session_end::{GREETING_TIMEOUT, SessionEnd};
use crate::wire::native::MAX_REQUEST;
use crate::wire::native::WireError;
use crate::wire::native::decoder::Decoder;
use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A viewer that has sent nothing by then is the tutorial's client, if that is served.
const SILENT_VIEWER: Duration = Duration::from_millis(500);

/// What a connection turns out to be.
pub(super) enum Opening {
    /// A native viewer; these are its first bytes.
    Native(Vec<u8>),
    /// A client that speaks HTTP; these are its first bytes.
    Http(Vec<u8>),
    /// A viewer that sends nothing, while the tutorial's client is served.
    Silent,
    /// The connection has ended.
    Over(SessionEnd),
}

/// Waits for the first bytes.
pub(super) fn open(mut stream: &TcpStream, camera: &Camera) -> io::Result<Opening> {
    let start = Instant::now();
    let speaks_until = start + GREETING_TIMEOUT;
    let silent_at = camera.tutorial.map(|_| start + SILENT_VIEWER);
    let mut said = Decoder::new(MAX_REQUEST);
    loop {
        match Protocol::of(said.received()) {
            Protocol::Native => return Ok(Opening::Native(said.received().to_vec())),
            Protocol::Http => return Ok(Opening::Http(said.received().to_vec())),
            Protocol::Unknown => {
                let error = said.next_message().err();
                let text = error.as_ref().map(WireError::to_string).unwrap_or_default();
                return Ok(Opening::Over(SessionEnd::bad_request(text)));
            }
            Protocol::Open => {}
        }
        let now = Instant::now();
        let silent_at = silent_at.filter(|_| said.received().is_empty());
        if silent_at.is_some_and(|silent_at| now >= silent_at) {
            return Ok(Opening::Silent);
        }
        if now >= speaks_until {
            return Ok(Opening::Over(SessionEnd::Silent));
        }
        if camera.stop.is_requested() {
            return Ok(Opening::Over(SessionEnd::Stopping));
        }
        // A timeout of zero would mean no limit; and the socket's timer may end a little early.
        let left = (silent_at.unwrap_or(speaks_until) - now).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left))?;
        match stream.read(said.space()) {
            Ok(0) => return Ok(Opening::Over(SessionEnd::ViewerLeft)),
            Ok(count) => said.filled(count),
            Err(error) if is_not_yet(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
