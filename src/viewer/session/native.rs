//! One connection to a lancam server: greeting, frames, pings, goodbye.

use super::{READ_PATIENCE, Received, SessionEnd, SessionError, printable, receive};
use crate::image::frame::Micros;
use crate::viewer::developer::Developer;
use crate::viewer::news::{Billboard, NoticeKind};
use crate::wire::FirstBytes;
use crate::wire::native::decoder::Decoder;
use crate::wire::native::message::{GoodbyeReason, Message, StatusCode, Wishes};
use crate::wire::native::{MAX_PAYLOAD, VERSION};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A camera that has not answered for so long is gone: pulled cable, no power, Wi-Fi out of reach.
const SILENCE: Duration = Duration::from_secs(3);

/// What a server waiting for the end of a line needs to say who it is.
const END_OF_REQUEST: &[u8] = b"\r\n\r\n";

/// A session in progress.
struct Session<'a> {
    stream: &'a TcpStream,
    address: &'a str,
    /// The viewer's clock is the time since here.
    started: Instant,
    /// When bytes last came.
    heard: Instant,
    /// Small messages are put together here.
    outbox: Vec<u8>,
    developer: &'a mut Developer,
    billboard: &'a mut Billboard,
}

/// Greets the camera at the other end of `stream` and shows what it sends, until it ends.
///
/// # Errors
/// When the other end is no lancam server, breaks the protocol, or is gone.
pub fn watch(
    stream: &TcpStream,
    address: &str,
    wishes: Wishes,
    developer: &mut Developer,
    billboard: &mut Billboard,
) -> Result<SessionEnd, SessionError> {
    stream.set_read_timeout(Some(READ_PATIENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let now = Instant::now();
    let outbox = Vec::new();
    let mut session =
        Session { stream, address, started: now, heard: now, outbox, developer, billboard };
    session.developer.begin(address);
    session.send(&Message::Hello {
        min_version: VERSION,
        max_version: VERSION,
        credit: CREDIT,
        wishes,
        program: concat!("lancam-view ", env!("CARGO_PKG_VERSION")),
    })?;
    session.receive()
}

/// One frame on its way at a time: none waits in a buffer and grows old.
const CREDIT: u8 = 1;

impl Session<'_> {
    fn receive(&mut self) -> Result<SessionEnd, SessionError> {
        let mut decoder = Decoder::new(MAX_PAYLOAD);
        let mut greeting = Greeting::Unheard;
        loop {
            while let Some(message) = decoder.next_message()? {
                if let Some(end) = self.take(message)? {
                    return Ok(end);
                }
            }
            match receive(self.stream, decoder.space())? {
                Received::Bytes(count) => {
                    decoder.filled(count);
                    greeting = Greeting::Heard;
                    self.heard = Instant::now();
                }
                Received::NothingYet => self.wonder(greeting)?,
                Received::End if decoder.is_inside_a_message() => {
                    return Err(SessionError::CutShort);
                }
                Received::End if greeting == Greeting::Unheard => {
                    return Err(SessionError::ClosedUnheard);
                }
                Received::End => return Ok(SessionEnd::Closed),
            }
        }
    }

    fn take(&mut self, message: Message<'_>) -> Result<Option<SessionEnd>, SessionError> {
        match message {
            Message::Frame { facts, payload } => {
                // Before the pixels are made: the next frame travels meanwhile.
                self.send(&Message::Ack { sequence: facts.sequence })?;
                self.developer.develop(&facts, payload, self.billboard);
            }
            Message::Welcome { version, name } => {
                if version != VERSION {
                    return Err(SessionError::Version { min: version, max: version });
                }
                let name = if name.is_empty() { self.address.into() } else { printable(name) };
                self.developer.begin(&name);
                let text = format!("connected to {name} at {}", self.address);
                self.billboard.notify(NoticeKind::NoPicture, text);
            }
            Message::Stream { codec, size, millifps, source } => {
                let fps = f64::from(millifps) / 1000.0;
                log::info!("{}: {size} {codec:?} at {fps} fps", printable(source));
            }
            Message::Ping { token } => {
                let now = self.clock();
                self.send(&Message::Pong { token, received_at: now, sent_at: now })?;
            }
            // The picture goes on; only the request was not granted.
            Message::Status { code: StatusCode::Refused, text } => {
                log::warn!("{}", printable(text));
            }
            Message::Status { text, .. } => {
                self.billboard.notify(NoticeKind::NoPicture, printable(text));
            }
            Message::Goodbye {
                reason: GoodbyeReason::Version, min_version, max_version, ..
            } => {
                return Err(SessionError::Version { min: min_version, max: max_version });
            }
            Message::Goodbye { reason, text, .. } => {
                return Ok(Some(SessionEnd::Goodbye { reason, text: printable(text) }));
            }
            // Answers and facts that nobody here asked for, and what only a camera takes.
            Message::Pong { .. }
            | Message::Control { .. }
            | Message::Hello { .. }
            | Message::Ack { .. }
            | Message::Wishes(_)
            | Message::Credit { .. }
            | Message::ListControls
            | Message::SetControl { .. } => {}
        }
        Ok(None)
    }

    /// Nothing has come for a while: asks for a sign of life, or gives up.
    fn wonder(&mut self, greeting: Greeting) -> Result<(), SessionError> {
        let silence = self.heard.elapsed();
        match greeting {
            Greeting::Unheard if silence >= SILENCE => Err(self.provoke()?),
            // A ping before the welcome would be a second message to a server that knows only one greeting.
            Greeting::Unheard => Ok(()),
            Greeting::Heard if silence >= SILENCE => Err(SessionError::Silent(SILENCE)),
            Greeting::Heard => Ok(self.send(&Message::Ping { token: self.clock().0 })?),
        }
    }

    /// Many a server waits for the end of a line before it answers: one gets it here, so that people
    /// can be told whose port this is.
    fn provoke(&self) -> io::Result<SessionError> {
        let mut stream = self.stream;
        stream.write_all(END_OF_REQUEST)?;
        let mut first = [0; 16];
        match stream.read(&mut first) {
            Ok(count) if count > 0 => {
                Ok(SessionError::stranger(FirstBytes(first[..count].to_vec())))
            }
            _ => Ok(SessionError::NoGreeting(SILENCE)),
        }
    }

    fn send(&mut self, message: &Message<'_>) -> io::Result<()> {
        self.outbox.clear();
        message.write_to(&mut self.outbox);
        (&*self.stream).write_all(&self.outbox)
    }

    fn clock(&self) -> Micros {
        Micros(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

/// Whether the other end has said anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Unheard,
    Heard,
}
