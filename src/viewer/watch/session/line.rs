//! A connection's bytes: as they are, or inside TLS.

use super::{Received, receive};
use crate::net::tls::handshake::{Accepts, Client, Pin};
use crate::net::tls::stream::{GreetingError, Secured};
use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a handshake may take. A Pi Zero needs 0.1 s for its part.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How many sealed bytes are received at once: a usual frame.
const ROOM: usize = 128 << 10;

/// A connection.
#[derive(Debug)]
pub(in crate::viewer::watch) struct Line<'a> {
    stream: &'a TcpStream,
    secured: Option<Secured>,
}

impl<'a> Line<'a> {
    /// Without TLS.
    pub(in crate::viewer::watch) fn plain(stream: &'a TcpStream) -> Self {
        Self { stream, secured: None }
    }

    /// With TLS. Every certificate is accepted: [`seen`](Self::seen) tells whose it is.
    pub(in crate::viewer::watch) fn sealed(stream: &'a TcpStream) -> Result<Self, GreetingError> {
        let handshake = Client::new(Accepts::Any)?.begin()?;
        let until = Instant::now() + HANDSHAKE;
        let secured = Secured::greet(handshake, stream, Vec::new(), ROOM, until)?;
        Ok(Self { stream, secured: Some(secured) })
    }

    /// The hash of the certificate that the camera has shown, whose private key it has; `None` without TLS.
    pub(in crate::viewer::watch) fn seen(&self) -> Option<Pin> {
        self.secured.as_ref().and_then(Secured::seen)
    }

    /// Sets how long one call waits for bytes.
    pub(super) fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(patience))
    }

    /// Sets how long one call waits until bytes can be sent.
    pub(super) fn set_write_patience(&self, patience: Duration) -> io::Result<()> {
        self.stream.set_write_timeout(Some(patience))
    }

    /// Waits for bytes, at most for the patience that was set. 0 bytes are those of a record that is not whole yet.
    pub(super) fn receive(&mut self, space: &mut [u8]) -> io::Result<Received> {
        let Some(secured) = &mut self.secured else { return receive(self.stream, space) };
        match secured.read(self.stream, space) {
            Ok(0) => Ok(Received::End),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => Ok(Received::Bytes(0)),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(Received::NothingYet),
                _ => Err(error),
            },
        }
    }

    /// Sends all of `bytes`.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.secured {
            Some(secured) => secured.write_all(self.stream, bytes),
            None => {
                let mut stream = self.stream;
                stream.write_all(bytes)
            }
        }
    }
}
