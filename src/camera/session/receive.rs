//! Receives what a viewer says, as edge-triggered waiting demands.

use super::is_not_yet;
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
