//! One viewer: finds out what it speaks, then speaks it until one of the two ends.

mod controls;
pub(super) mod farewell;
mod greeting;
mod http;
pub mod native;
mod outgoing;
mod pickle;
pub(super) mod protocol;
mod receive;
mod silence;
mod stall;
mod view;
mod waiter;

use super::connections::{Connection, Connections};
use super::desk::Desk;
use super::guestbook::Guest;
use super::metrics::Refused;
use super::renditions::Renditions;
use super::renditions::wish::Wish;
use crate::stop::Stop;
use crate::wire::native::decoder::Decoder;
use crate::wire::native::{MAX_REQUEST, WireError};
use protocol::Protocol;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};
use waiter::Waiter;

/// A connection that has not said what it wants by then is closed.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// A viewer that has said nothing by then is the tutorial's, where that is served.
const SILENT_VIEWER: Duration = Duration::from_millis(500);

/// What every session needs to know of the camera.
#[derive(Debug, Clone)]
pub struct Camera {
    /// Shown in viewers.
    pub name: String,
    /// Tells it from any other camera, whatever they are called: `camera::identity` makes it.
    pub id: String,
    /// Where frames and statuses come from.
    pub renditions: Arc<Renditions>,
    /// What the tutorial's client is sent, where it is served.
    pub tutorial: Option<Wish>,
    /// To whom HTTP answers.
    pub http: HttpRules,
    /// Where viewers set the source's controls; `None` where they may not.
    pub desk: Option<Arc<Desk>>,
    /// Who is connected, and how many may watch at once.
    pub connections: Connections,
    /// Asks all sessions to end.
    pub stop: Stop,
}

/// To whom HTTP answers.
#[derive(Debug, Clone, Default)]
pub struct HttpRules {
    /// The names that the camera may be called by, besides its addresses.
    pub names: Vec<String>,
    /// The origins whose pages may read what it says; `*` for all.
    pub origins: Vec<String>,
}

/// Why a session ended.
#[derive(Debug)]
pub enum SessionEnd {
    /// The viewer closed the connection.
    ViewerLeft,
    /// It got the answers to so many questions.
    Answered(u64),
    /// The program ends.
    Stopping,
    /// The viewer took nothing for this long.
    TooSlow(Duration),
    /// It said nothing.
    Silent,
    /// It was told that it gets nothing, and why.
    Refused {
        /// For /metrics.
        why: Refused,
        /// For people.
        text: String,
    },
    /// It waited, and others needed its place.
    MadeRoom,
    /// The connection broke.
    Broken(io::Error),
}

impl std::fmt::Display for SessionEnd {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ViewerLeft => out.write_str("the viewer left"),
            Self::Answered(1) => out.write_str("it was answered"),
            Self::Answered(count) => write!(out, "it was answered {count} times"),
            Self::Stopping => out.write_str("lancam ends"),
            Self::TooSlow(time) => write!(out, "it took nothing for {} s", time.as_secs_f32()),
            Self::Silent => {
                write!(out, "it said nothing for {} s", GREETING_TIMEOUT.as_secs())
            }
            Self::Refused { text, .. } => out.write_str(text),
            Self::MadeRoom => out.write_str("it was idle, and its place was needed"),
            Self::Broken(error) => write!(out, "the connection broke: {error}"),
        }
    }
}

impl SessionEnd {
    /// As what it is counted, if it was not served.
    fn refused(&self) -> Option<Refused> {
        match self {
            Self::TooSlow(_) => Some(Refused::TooSlow),
            Self::Silent => Some(Refused::Silent),
            Self::Refused { why, .. } => Some(*why),
            Self::MadeRoom => Some(Refused::TooMany),
            Self::ViewerLeft | Self::Answered(_) | Self::Stopping | Self::Broken(_) => None,
        }
    }
}

/// Serves one viewer until the end.
pub fn run(connection: &Connection, camera: &Camera, guest: &Guest) -> SessionEnd {
    let end = match serve(connection, camera, guest) {
        _ if connection.was_let_go() => SessionEnd::MadeRoom,
        Ok(end) => end,
        Err(error) if has_left(&error) => SessionEnd::ViewerLeft,
        Err(error) => SessionEnd::Broken(error),
    };
    if let Some(why) = end.refused() {
        camera.renditions.metrics().refused(why);
    }
    end
}

fn serve(connection: &Connection, camera: &Camera, guest: &Guest) -> io::Result<SessionEnd> {
    let mut stream = connection.stream();
    let mut decoder = Decoder::new(MAX_REQUEST);
    let start = Instant::now();
    let deadline = start + GREETING_TIMEOUT;
    let speaks_by = camera.tutorial.map(|wish| (start + SILENT_VIEWER, wish));
    loop {
        let protocol = Protocol::of(decoder.received());
        match protocol {
            Protocol::Native | Protocol::Http => {
                let waiter = match Waiter::new(stream, &camera.stop) {
                    Ok(waiter) => waiter,
                    Err(error) => return Ok(farewell::no_descriptors(stream, protocol, &error)),
                };
                let viewer = Viewer { connection, camera, guest, waiter };
                return match protocol {
                    Protocol::Native => native::serve(viewer, decoder, deadline),
                    _ => http::serve(viewer, decoder.received(), deadline),
                };
            }
            Protocol::Unknown => {
                let error = decoder.next_message().err();
                let text = error.as_ref().map(WireError::to_string).unwrap_or_default();
                return Ok(SessionEnd::Refused { why: Refused::BadRequest, text });
            }
            Protocol::Open => {}
        }
        let now = Instant::now();
        if now >= deadline {
            return Ok(SessionEnd::Silent);
        }
        let wait_until = match speaks_by {
            Some((silent_at, wish)) if decoder.received().is_empty() => {
                if now >= silent_at {
                    let waiter = Waiter::new(stream, &camera.stop)?;
                    return pickle::serve(&Viewer { connection, camera, guest, waiter }, wish);
                }
                silent_at
            }
            _ => deadline,
        };
        if camera.stop.is_requested() {
            return Ok(SessionEnd::Stopping);
        }
        // Zero would mean for ever; the socket's clock may end a little early.
        let left = (wait_until - now).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left))?;
        match stream.read(decoder.space()) {
            Ok(0) => return Ok(SessionEnd::ViewerLeft),
            Ok(count) => decoder.filled(count),
            Err(error) if is_not_yet(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// One viewer's session, whatever it speaks.
struct Viewer<'a> {
    connection: &'a Connection,
    camera: &'a Camera,
    guest: &'a Guest,
    waiter: Waiter,
}

fn is_not_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

fn has_left(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}
