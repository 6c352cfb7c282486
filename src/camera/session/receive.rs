//! Receives what a viewer says, as edge-triggered waiting demands.

use super::waiter::Waiter;
use super::{Refused, SessionEnd, is_not_yet};
use crate::wire::http::request::Requests;
use crate::wire::native::decoder::Decoder;
use std::io::{self, Read};
use std::net::TcpStream;

/// What collects received bytes until they mean something.
pub(super) trait Collect {
    /// Room for more bytes, never empty.
    fn space(&mut self) -> &mut [u8];
    /// So many were put there.
    fn filled(&mut self, count: usize);
    /// Bytes that have not been taken yet.
    fn waiting(&self) -> usize;
}

impl Collect for Decoder {
    fn space(&mut self) -> &mut [u8] {
        Decoder::space(self)
    }
    fn filled(&mut self, count: usize) {
        Decoder::filled(self, count);
    }
    fn waiting(&self) -> usize {
        self.received().len()
    }
}

impl Collect for Requests {
    fn space(&mut self) -> &mut [u8] {
        Requests::space(self)
    }
    fn filled(&mut self, count: usize) {
        Requests::filled(self, count);
    }
    fn waiting(&self) -> usize {
        Requests::waiting(self)
    }
}

/// How receiving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    /// With all that was there.
    Everything,
    /// With as much as may wait; the rest is left in the socket.
    Enough,
    /// The viewer has closed its end.
    Closed,
}

/// Receives until the socket is empty, or `most` bytes wait: one `recv`, unless it was filled to the brim.
pub(super) fn receive(
    stream: &TcpStream,
    waiter: &Waiter,
    into: &mut impl Collect,
    most: usize,
) -> io::Result<Received> {
    let received = receive_into(stream, into, most)?;
    waiter.has_received(received);
    Ok(received)
}

/// Passes over what a viewer says that only has to listen.
#[derive(Debug, Default)]
pub(super) struct Deaf {
    heard: usize,
}

/// How much such a viewer may say at once, before others of its session's duties have their turn, and in all.
const HEARD_AT_ONCE: usize = 64 << 10;
const HEARD_IN_ALL: usize = 1 << 20;

/// A viewer talks where it should listen.
#[derive(Debug, thiserror::Error)]
#[error("it sent more than {} kB while it was only sent pictures", HEARD_IN_ALL / 1000)]
pub(super) struct Talkative;

impl From<Talkative> for SessionEnd {
    fn from(error: Talkative) -> Self {
        Self::Refused { why: Refused::BadRequest, text: error.to_string() }
    }
}

impl Deaf {
    /// Takes what is there out of the socket.
    ///
    /// # Errors
    /// Inside, when it is far too much.
    pub(super) fn receive(
        &mut self,
        mut stream: &TcpStream,
        waiter: &Waiter,
    ) -> io::Result<Result<Received, Talkative>> {
        let mut sink = [0; 1024];
        let mut received = Received::Enough;
        for _ in 0..HEARD_AT_ONCE / sink.len() {
            match stream.read(&mut sink) {
                Ok(0) => received = Received::Closed,
                Ok(count) => {
                    self.heard += count;
                    if self.heard > HEARD_IN_ALL {
                        return Ok(Err(Talkative));
                    }
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    received = Received::Everything;
                }
                Err(error) if is_not_yet(&error) => continue,
                Err(error) => return Err(error),
            }
            break;
        }
        waiter.has_received(received);
        Ok(Ok(received))
    }
}

fn receive_into(
    mut stream: &TcpStream,
    into: &mut impl Collect,
    most: usize,
) -> io::Result<Received> {
    while into.waiting() < most {
        let space = into.space();
        let room = space.len();
        match stream.read(space) {
            Ok(0) => return Ok(Received::Closed),
            Ok(count) => {
                into.filled(count);
                if count < room {
                    return Ok(Received::Everything);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Ok(Received::Everything);
            }
            Err(error) if is_not_yet(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Received::Enough)
}
