//! One viewer: finds out what it speaks, then speaks it until one of the two ends.

mod controls;
mod greeting;
mod http;
pub mod native;
mod outgoing;
mod pickle;
mod receive;
mod view;
mod waiter;

use super::desk::Desk;
use super::guestbook::Guest;
use super::metrics::Refused;
use super::renditions::Renditions;
use super::renditions::wish::Wish;
use crate::stop::Stop;
use crate::wire::native::decoder::Decoder;
use crate::wire::native::header::MAGIC;
use crate::wire::native::{MAX_REQUEST, WireError};
use std::io::{self, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A connection that has not said what it wants by then is closed.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// A viewer that has said nothing by then is the tutorial's, where that is served.
const SILENT_VIEWER: Duration = Duration::from_millis(500);

/// A viewer that has a frame to take and takes nothing of it for this long is let go: within 5 s, with the time until the
/// next frame, and until the kernel is asked again what it took.
const STALLED: Duration = Duration::from_millis(4500);

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
    /// How many may watch at once.
    pub seats: Seats,
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

/// Places for viewers. Clones share them.
#[derive(Debug, Clone)]
pub struct Seats {
    taken: Arc<AtomicUsize>,
    count: usize,
}

/// A place that is free again when this is dropped.
#[derive(Debug)]
pub struct Seat(Arc<AtomicUsize>);

impl Seats {
    /// Room for `count` viewers.
    pub fn new(count: usize) -> Self {
        Self { taken: Arc::default(), count }
    }

    /// How many there are in all.
    pub fn count(&self) -> usize {
        self.count
    }

    /// A place, if one is free.
    pub fn take(&self) -> Option<Seat> {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        // Given back at once when it is one too many.
        let seat = Seat(Arc::clone(&self.taken));
        (taken < self.count).then_some(seat)
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Whether nobody sits.
    pub fn are_empty(&self) -> bool {
        self.taken.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
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
    /// It does not speak what we speak.
    Refused(String),
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
            Self::Refused(why) => out.write_str(why),
            Self::Broken(error) => write!(out, "the connection broke: {error}"),
        }
    }
}

/// What a viewer's first bytes say it speaks.
#[derive(Debug, PartialEq, Eq)]
enum Protocol {
    Native,
    Http,
    Unknown,
    /// Too few bytes to tell.
    Open,
}

/// How requests begin; those that nobody may make are told so in their own language.
const METHODS: [&[u8]; 8] =
    [b"GET ", b"HEAD ", b"OPTIONS ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"TRACE "];

impl Protocol {
    fn of(first: &[u8]) -> Self {
        let begins = |word: &[u8]| first.starts_with(word) || word.starts_with(first);
        if first.is_empty() {
            Self::Open
        } else if begins(&MAGIC) {
            Self::Native
        } else if METHODS.into_iter().any(begins) {
            Self::Http
        } else {
            Self::Unknown
        }
    }
}

/// Serves one viewer until the end.
pub fn run(stream: &TcpStream, camera: &Camera, guest: &Guest) -> SessionEnd {
    let end = match serve(stream, camera, guest) {
        Ok(end) => end,
        Err(error) if has_left(&error) => SessionEnd::ViewerLeft,
        Err(error) => SessionEnd::Broken(error),
    };
    let refused = match &end {
        SessionEnd::TooSlow(_) => Some(Refused::TooSlow),
        SessionEnd::Silent => Some(Refused::Silent),
        SessionEnd::Refused(_) => Some(Refused::BadRequest),
        SessionEnd::ViewerLeft
        | SessionEnd::Answered(_)
        | SessionEnd::Stopping
        | SessionEnd::Broken(_) => None,
    };
    if let Some(why) = refused {
        camera.renditions.metrics().refused(why);
    }
    end
}

fn serve(stream: &TcpStream, camera: &Camera, guest: &Guest) -> io::Result<SessionEnd> {
    let mut decoder = Decoder::new(MAX_REQUEST);
    let start = Instant::now();
    let deadline = start + GREETING_TIMEOUT;
    let speaks_by = camera.tutorial.map(|wish| (start + SILENT_VIEWER, wish));
    loop {
        match Protocol::of(decoder.received()) {
            Protocol::Native => {
                guest.watches();
                return native::serve(stream, decoder, camera, deadline);
            }
            Protocol::Http => {
                return http::serve(stream, decoder.received(), camera, guest, deadline);
            }
            Protocol::Unknown => {
                let error = decoder.next_message().err();
                let why = error.as_ref().map(WireError::to_string).unwrap_or_default();
                return Ok(SessionEnd::Refused(why));
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
                    guest.watches();
                    return pickle::serve(stream, wish, camera);
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
        match (&*stream).read(decoder.space()) {
            Ok(0) => return Ok(SessionEnd::ViewerLeft),
            Ok(count) => decoder.filled(count),
            Err(error) if is_not_yet(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

fn has_left(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_a_viewer_speaks() {
        assert_eq!(Protocol::of(b""), Protocol::Open);
        assert_eq!(Protocol::of(b"LCAM\x01\x01"), Protocol::Native);
        assert_eq!(Protocol::of(b"LC"), Protocol::Native);
        assert_eq!(Protocol::of(b"GET / HTTP/1.1\r\n"), Protocol::Http);
        assert_eq!(Protocol::of(b"HEA"), Protocol::Http);
        assert_eq!(Protocol::of(b"POST /"), Protocol::Http);
        assert_eq!(Protocol::of(b"SSH-2.0-OpenSSH_9.2\r\n"), Protocol::Unknown);
        assert_eq!(Protocol::of(&[0]), Protocol::Unknown);
    }
}
