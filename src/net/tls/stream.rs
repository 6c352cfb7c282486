//! TLS over a blocking socket: the handshake within a deadline, then one side's bytes.

use super::handshake::{Established, Handshake, HandshakeError, Pin, Progress};
use super::inbox::{Inbox, Next};
use super::records::Gather;
use super::traffic::Traffic;
use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What one call receives during a handshake.
const PIECE: usize = 4 << 10;

/// One end of an encrypted connection. It does not own the socket.
#[derive(Debug)]
pub struct Secured {
    traffic: Traffic,
    inbox: Inbox,
    /// Records to send. They are kept, so that the memory is.
    sending: Vec<u8>,
    has_ended: bool,
    seen: Option<Pin>,
}

/// Why there is no encrypted connection.
#[derive(Debug, thiserror::Error)]
pub enum GreetingError {
    /// The other side is not who it should be, or does not speak TLS.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// It took too long.
    #[error("did not finish the TLS handshake in time")]
    Late,
    /// It closed the connection.
    #[error("closed the connection during the TLS handshake")]
    Left,
    /// The connection broke.
    #[error("broke off the connection during the TLS handshake: {0}")]
    Broken(#[from] io::Error),
}

impl Secured {
    /// Does the handshake, of which `received` has come already. `room` is how many bytes may be received at once.
    ///
    /// # Errors
    /// When the other side is not who it should be, breaks off, or is not done by then.
    pub fn greet(
        mut handshake: Handshake,
        stream: &TcpStream,
        mut received: Vec<u8>,
        room: usize,
        until: Instant,
    ) -> Result<Self, GreetingError> {
        let mut sending = Vec::new();
        loop {
            let progress = handshake.advance(&mut received, &mut sending);
            let sent = send_until(stream, &sending, until);
            sending.clear();
            match progress? {
                Progress::Over => {
                    sent?;
                    return Ok(Self::new(handshake.finish()?, received, room));
                }
                Progress::Waits => sent?,
            }
            receive_until(stream, &mut received, until)?;
        }
    }

    /// Goes on after a handshake; `received` came behind it.
    pub fn new(established: Established, received: Vec<u8>, room: usize) -> Self {
        let seen = established.seen();
        let traffic = Traffic::new(established);
        let inbox = Inbox::new(received, room);
        Self { traffic, inbox, sending: Vec::new(), has_ended: false, seen }
    }

    /// The hash of the certificate that the other side has shown; a camera sees none.
    pub fn seen(&self) -> Option<Pin> {
        self.seen
    }

    /// What a link needs to go on.
    pub fn into_parts(self) -> (Traffic, Inbox) {
        (self.traffic, self.inbox)
    }

    /// Receives data: makes at most one call. 0 means that the other side sends no more.
    ///
    /// # Errors
    /// `Interrupted` when that call brought no whole record, the socket's errors, and `InvalidData` when the other side
    /// breaks the rules of TLS. An end that TLS does not announce counts as an end.
    pub fn read(&mut self, mut stream: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        let mut has_received = false;
        loop {
            match self.inbox.take(into) {
                0 if self.has_ended || into.is_empty() => return Ok(0),
                0 => {}
                count => return Ok(count),
            }
            match self.inbox.open(&mut self.traffic)? {
                Next::Opened => {}
                Next::Closed => self.has_ended = true,
                Next::Partial if has_received => return Err(io::ErrorKind::Interrupted.into()),
                Next::Partial => {
                    let count = stream.read(self.inbox.space()?)?;
                    self.inbox.filled(count);
                    self.has_ended = count == 0;
                    has_received = true;
                }
            }
        }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// Those of the socket. After one, nothing more can be sent.
    pub fn write_all(&mut self, mut stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        let parts = [IoSlice::new(bytes)];
        let mut from = Gather::new(&parts);
        self.sending.clear();
        self.traffic.prepare(&mut self.sending)?;
        while !from.is_empty() {
            self.traffic.seal(&mut from, &mut self.sending)?;
        }
        stream.write_all(&self.sending)
    }

    /// Says that nothing more is sent.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn close(&mut self, mut stream: &TcpStream) -> io::Result<()> {
        self.sending.clear();
        self.traffic.close(&mut self.sending)?;
        stream.write_all(&self.sending)
    }
}

fn send_until(mut stream: &TcpStream, bytes: &[u8], until: Instant) -> Result<(), GreetingError> {
    if bytes.is_empty() {
        return Ok(());
    }
    stream.set_write_timeout(Some(left(until)?))?;
    stream
        .write_all(bytes)
        .map_err(|error| if is_late(&error) { GreetingError::Late } else { error.into() })
}

fn receive_until(
    mut stream: &TcpStream,
    received: &mut Vec<u8>,
    until: Instant,
) -> Result<(), GreetingError> {
    let mut piece = [0; PIECE];
    loop {
        stream.set_read_timeout(Some(left(until)?))?;
        match stream.read(&mut piece) {
            Ok(0) => return Err(GreetingError::Left),
            Ok(count) => {
                received.extend_from_slice(&piece[..count]);
                return Ok(());
            }
            Err(error) if is_late(&error) || error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// How much time is left; never zero, which sockets take for no limit.
fn left(until: Instant) -> Result<Duration, GreetingError> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(GreetingError::Late) } else { Ok(left.max(Duration::from_millis(1))) }
}

/// Linux returns the first, Windows the second.
fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
