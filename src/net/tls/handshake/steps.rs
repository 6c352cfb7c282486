//! The steps of a handshake: bytes in, bytes out, and keys at its end.

use super::error::{HandshakeError, Pin};
use crate::crypto::aead::{AeadKey, Cipher};
use crate::crypto::sha256;
use crate::net::tls::records::{Keys, MOST_SEALED, Side, record_len};
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::kernel::KernelConnection;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{ConnectionTrafficSecrets, Error};

/// The most bytes of a handshake that may wait to be read. Browsers send some 2 kB, a camera less than 1 kB.
const MOST_WAITING: usize = MOST_SEALED + 1024;

/// How far a handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It waits for bytes of the peer.
    Waits,
    /// It is over: [finish](Handshake::finish) it.
    Over,
}

/// A handshake under way.
pub struct Handshake {
    connection: Connection,
    /// How many of the first bytes that came have been shown to rustls, and are still needed.
    shown: usize,
    has_failed: bool,
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Handshake(…)")
    }
}

/// rustls's state of it.
pub(super) enum Connection {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// What rustls wants done.
enum Step {
    /// Call it again.
    Again,
    Blocked,
    Over,
    Failed(Error),
}

impl Handshake {
    pub(super) fn of(connection: Connection) -> Self {
        Self { connection, shown: 0, has_failed: false }
    }

    /// Reads what has come, and appends what must be sent to `outgoing`, even if it fails. Takes what it has read out of
    /// `incoming`; once the handshake is over, records of the traffic are left there.
    ///
    /// # Errors
    /// When the peer is not who it should be, or does not speak TLS 1.3. What is in `outgoing` then tells the peer. The
    /// handshake has failed, and stays so.
    pub fn advance(
        &mut self,
        incoming: &mut Vec<u8>,
        outgoing: &mut Vec<u8>,
    ) -> Result<Progress, HandshakeError> {
        if self.has_failed {
            return Err(HandshakeError::Surplus);
        }
        let progress = self.read(incoming, outgoing);
        self.has_failed = progress.is_err();
        progress
    }

    fn read(
        &mut self,
        incoming: &mut Vec<u8>,
        outgoing: &mut Vec<u8>,
    ) -> Result<Progress, HandshakeError> {
        loop {
            match self.step(incoming, outgoing) {
                Step::Again => {}
                Step::Over if self.shown == 0 => return Ok(Progress::Over),
                Step::Over => return Err(HandshakeError::Surplus),
                Step::Failed(error) => {
                    // This writes the alert, if there is one. rustls may not be called any more after that.
                    self.step(incoming, outgoing);
                    return Err(error.into());
                }
                // One record at a time, so that rustls reads none of the traffic's.
                Step::Blocked if self.shown > MOST_WAITING => return Err(HandshakeError::TooLong),
                Step::Blocked => match next_record(&incoming[self.shown..])? {
                    Some(len) => self.shown += len,
                    None => return Ok(Progress::Waits),
                },
            }
        }
    }

    fn step(&mut self, incoming: &mut Vec<u8>, outgoing: &mut Vec<u8>) -> Step {
        let (discard, step) = self.connection.step(&mut incoming[..self.shown], outgoing);
        incoming.drain(..discard);
        self.shown -= discard;
        step
    }

    /// The keys that were agreed on.
    ///
    /// # Errors
    /// When the handshake is not over.
    pub fn finish(self) -> Result<Established, HandshakeError> {
        let (secrets, schedule, seen) = match self.connection {
            Connection::Server(connection) => {
                let (secrets, kernel) = connection.dangerous_into_kernel_connection()?;
                (secrets, Schedule::Server(kernel), None)
            }
            Connection::Client(connection) => {
                let seen = connection.peer_certificates().and_then(|chain| chain.first());
                let seen = seen.map(|certificate| sha256(certificate));
                let (secrets, kernel) = connection.dangerous_into_kernel_connection()?;
                (secrets, Schedule::Client(kernel), seen)
            }
        };
        let (sent, received) = (secrets.tx, secrets.rx);
        Ok(Established {
            sealing: Side::new(keys(sent.1)?, sent.0),
            opening: Side::new(keys(received.1)?, received.0),
            schedule,
            seen,
        })
    }
}

/// The length of the next record of a handshake, if all of it is there.
fn next_record(bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
    match *bytes {
        [kind, ..] if !(20..=23).contains(&kind) => return Err(HandshakeError::NotTls),
        [_, version, ..] if version != 3 => return Err(HandshakeError::NotTls),
        _ => {}
    }
    Ok(record_len(bytes)?.filter(|len| bytes.len() >= *len))
}

impl Connection {
    /// Lets rustls read the bytes that it is shown. Returns how many of them it needs no more.
    fn step(&mut self, shown: &mut [u8], outgoing: &mut Vec<u8>) -> (usize, Step) {
        match self {
            Self::Server(connection) => done(connection.process_tls_records(shown), outgoing),
            Self::Client(connection) => done(connection.process_tls_records(shown), outgoing),
        }
    }
}

fn done<Data>(status: UnbufferedStatus<'_, '_, Data>, outgoing: &mut Vec<u8>) -> (usize, Step) {
    let step = match status.state {
        Err(error) => Step::Failed(error),
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            let start = outgoing.len();
            if let Err(EncodeError::InsufficientSize(room)) = data.encode(&mut []) {
                outgoing.resize(start + room.required_size, 0);
                // It fits now: rustls has said how long it is.
                let written = data.encode(&mut outgoing[start..]).unwrap_or(0);
                outgoing.truncate(start + written);
            }
            Step::Again
        }
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Step::Again
        }
        Ok(ConnectionState::BlockedHandshake) => Step::Blocked,
        Ok(ConnectionState::WriteTraffic(_)) => Step::Over,
        // Data before the end of the handshake, or an end instead of one.
        Ok(_) => Step::Failed(Error::HandshakeNotComplete),
    };
    (status.discard, step)
}

/// A handshake's result.
#[derive(Debug)]
pub struct Established {
    pub(in crate::net::tls) sealing: Side,
    pub(in crate::net::tls) opening: Side,
    pub(in crate::net::tls) schedule: Schedule,
    seen: Option<Pin>,
}

impl Established {
    /// The hash of the certificate that the other side has shown; a camera sees none.
    pub fn seen(&self) -> Option<Pin> {
        self.seen
    }
}

/// Makes the next keys, when one side wants new ones.
pub(in crate::net::tls) enum Schedule {
    Server(KernelConnection<ServerConnectionData>),
    Client(KernelConnection<ClientConnectionData>),
}

impl Schedule {
    pub(in crate::net::tls) fn next_sealing(&mut self) -> Result<Side, HandshakeError> {
        let (sequence, secrets) = match self {
            Self::Server(connection) => connection.update_tx_secret()?,
            Self::Client(connection) => connection.update_tx_secret()?,
        };
        Ok(Side::new(keys(secrets)?, sequence))
    }

    pub(in crate::net::tls) fn next_opening(&mut self) -> Result<Side, HandshakeError> {
        let (sequence, secrets) = match self {
            Self::Server(connection) => connection.update_rx_secret()?,
            Self::Client(connection) => connection.update_rx_secret()?,
        };
        Ok(Side::new(keys(secrets)?, sequence))
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Schedule(…)")
    }
}

fn keys(secrets: ConnectionTrafficSecrets) -> Result<Keys, HandshakeError> {
    let (cipher, key, iv) = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (Cipher::Aes128Gcm, key, iv),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (Cipher::Aes256Gcm, key, iv),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => {
            (Cipher::ChaCha20Poly1305, key, iv)
        }
        _ => return Err(HandshakeError::Cipher),
    };
    let key = AeadKey::new(cipher, key.as_ref()).ok_or(HandshakeError::Cipher)?;
    let iv = iv.as_ref().try_into().map_err(|_| HandshakeError::Cipher)?;
    Ok(Keys { key, iv, cipher })
}
