//! Reads the first bytes of a connection, which show its protocol.
//!
//! It waits without `epoll`, so that a silent connection costs no descriptor but its socket. TLS
//! begins here, if the camera has an identity to show.

use super::farewell::Farewell;
use super::protocol::Protocol;
use crate::camera::connections::Connection;
use crate::camera::context::Camera;
use crate::camera::metrics::Refused;
use crate::camera::session_end::{GREETING_TIMEOUT, SessionEnd};
use crate::net::tls::handshake::Server;
use crate::net::tls::stream::{GreetingError, Secured};
use crate::wire::native::MAX_REQUEST;
use crate::wire::native::WireError;
use crate::wire::native::decoder::Decoder;
use crate::wire::native::header::Header;
use crate::wire::native::message::MessageKind;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A viewer that has sent nothing by then is the tutorial's client, if that is served.
const SILENT_VIEWER: Duration = Duration::from_millis(500);

/// How many sealed bytes are received at once. Most requests and acknowledgements are smaller.
const ROOM: usize = 2 << 10;

/// A connection, and what it turns out to be.
pub(super) struct Opened {
    pub(super) opening: Opening,
    /// Seals its bytes, if it speaks TLS.
    pub(super) secured: Option<Secured>,
}

/// What a connection turns out to be.
#[derive(Debug)]
pub enum Opening {
    /// A native viewer; these are its first bytes.
    Native(Vec<u8>),
    /// A native viewer that wants to be paired; these are its first bytes.
    Pairing(Vec<u8>),
    /// A client that speaks HTTP; these are its first bytes.
    Http(Vec<u8>),
    /// A viewer that sends nothing, while the tutorial's client is served.
    Silent,
    /// The connection has ended.
    Over(SessionEnd),
}

/// Waits for the first bytes, in TLS or without it.
pub(super) fn open(connection: &Connection, camera: &Camera) -> io::Result<Opened> {
    let mut secured = None;
    let opening = first_bytes(connection, camera, &mut secured)?;
    Ok(Opened { opening, secured })
}

fn first_bytes(
    connection: &Connection,
    camera: &Camera,
    secured: &mut Option<Secured>,
) -> io::Result<Opening> {
    let mut stream = connection.stream();
    let start = Instant::now();
    let speaks_until = start + GREETING_TIMEOUT;
    let silent_at = camera.tutorial.map(|_| start + SILENT_VIEWER);
    let mut said = Decoder::new(MAX_REQUEST);
    loop {
        if let (Protocol::Tls, Some(server), None) =
            (Protocol::of(said.received()), &camera.tls, &secured)
        {
            if let Err(end) = wait_for_turn(connection, camera) {
                return Ok(Opening::Over(end));
            }
            match greet(server, stream, said.received(), speaks_until)? {
                Ok(greeted) => *secured = Some(greeted),
                Err(end) => return Ok(Opening::Over(end)),
            }
            said = Decoder::new(MAX_REQUEST);
        }
        if let Some(opening) = recognised(&mut said, secured.is_some(), || refuse_tls(stream)) {
            return Ok(opening);
        }
        let now = Instant::now();
        let is_silent = said.received().is_empty() && secured.is_none();
        let silent_at = silent_at.filter(|_| is_silent);
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
        let received = match secured {
            Some(secured) => secured.read(stream, said.space()),
            None => stream.read(said.space()),
        };
        match received {
            Ok(0) => return Ok(Opening::Over(SessionEnd::ViewerLeft)),
            Ok(count) => said.filled(count),
            Err(error) if is_not_yet(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What a connection turns out to be by what was said on it, inside TLS if it is sealed. `None` if that is too little.
/// `refuse_tls` tells the client that it may not begin with TLS.
pub fn recognised(
    said: &mut Decoder,
    is_sealed: bool,
    refuse_tls: impl FnOnce() -> SessionEnd,
) -> Option<Opening> {
    let received = said.received();
    match Protocol::of(received) {
        Protocol::Native => match Header::kind_of(received)? {
            kind if kind == MessageKind::PairRequest as u8 => {
                Some(Opening::Pairing(received.to_vec()))
            }
            _ => Some(Opening::Native(received.to_vec())),
        },
        Protocol::Http => Some(Opening::Http(received.to_vec())),
        Protocol::Tls if !is_sealed => {
            is_whole_record(received).then(|| Opening::Over(refuse_tls()))
        }
        Protocol::Tls | Protocol::Unknown => {
            let error = said.next_message().err();
            let text = error.as_ref().map(WireError::to_string).unwrap_or_default();
            Some(Opening::Over(SessionEnd::bad_request(text)))
        }
        Protocol::Open => None,
    }
}

/// Whether the first record of TLS has come. The rest of a longer one than any client begins with is not waited for.
fn is_whole_record(said: &[u8]) -> bool {
    const HEAD: usize = 5;
    const LONGEST: usize = 4 << 10;
    let len = said.get(3..HEAD).map(|len| usize::from(u16::from_be_bytes([len[0], len[1]])));
    len.is_some_and(|len| said.len() >= HEAD + len.min(LONGEST))
}

/// Tells a client that begins with TLS that this camera has none. An alert is what such clients can show.
fn refuse_tls(mut stream: &TcpStream) -> SessionEnd {
    // A fatal one: handshake failure (RFC 8446, section 6.2).
    const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
    // One attempt is enough: nothing waits for this client.
    let _ = stream.set_nonblocking(true).and_then(|()| stream.write_all(&ALERT));
    SessionEnd::bad_request(
        "it began with TLS, which this camera does not speak here, since it is open: use http:// in place of https://",
    )
}

/// Waits until a handshake may begin. A client whose handshake may not begin soon is refused.
fn wait_for_turn(connection: &Connection, camera: &Camera) -> Result<(), SessionEnd> {
    let now = Instant::now();
    match connection.begin_handshake(now) {
        Ok(begins) if begins > now && camera.stop.wait(begins - now) => Err(SessionEnd::Stopping),
        Ok(_) => Ok(()),
        Err(crowd) => {
            let farewell = Farewell { why: Refused::TooMany, text: crowd.to_string() };
            // One attempt is enough for a client that is refused.
            let mut stream = connection.stream();
            let _ = stream.set_nonblocking(true);
            let _ = stream.write_all(&farewell.bytes(Protocol::Tls));
            Err(SessionEnd::crowded(crowd))
        }
    }
}

/// Does the handshake of TLS, of which `said` has come. The inner error is the end of the session.
fn greet(
    server: &Server,
    stream: &TcpStream,
    said: &[u8],
    until: Instant,
) -> io::Result<Result<Secured, SessionEnd>> {
    let greeted = server
        .begin()
        .map_err(GreetingError::from)
        .and_then(|handshake| Secured::greet(handshake, stream, said.to_vec(), ROOM, until));
    Ok(match greeted {
        Ok(secured) => Ok(secured),
        Err(GreetingError::Late) => Err(SessionEnd::Silent),
        Err(GreetingError::Left) => Err(SessionEnd::ViewerLeft),
        Err(GreetingError::Broken(error)) => return Err(error),
        Err(GreetingError::Handshake(error)) => Err(SessionEnd::bad_request(error.to_string())),
    })
}

fn is_not_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
