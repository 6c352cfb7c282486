//! The handshakes of both sides, without sockets. Only this file names rustls.

use super::records::{Keys, MOST_SEALED, RecordError, Side, record_len};
use crate::crypto::aead::{AeadKey, Cipher};
use crate::crypto::{HASH_LEN, sha256};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConnectionData, Resumption, UnbufferedClientConnection};
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::kernel::KernelConnection;
use rustls::pki_types::{
    CertificateDer, IpAddr, Ipv4Addr, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use rustls::server::{NoServerSessionStorage, ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::version::TLS13;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ConnectionTrafficSecrets,
    DigitallySignedStruct, Error, OtherError, PeerIncompatible, ServerConfig, SignatureScheme,
};
use std::sync::Arc;

/// The hash of the certificate by which a camera is known: SHA-256 of its DER.
pub type Pin = [u8; HASH_LEN];

/// The most bytes of a handshake that may wait to be read. Browsers send some 2 kB, a camera less than 1 kB.
const MOST_WAITING: usize = MOST_SEALED + 1024;

/// The camera's side: its certificate and private key. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Server {
    config: Arc<ServerConfig>,
    pin: Pin,
}

impl Server {
    /// Shows `certificate` (DER), whose private key is `key` (PKCS #8).
    ///
    /// # Errors
    /// When they do not belong together, or one of them is damaged.
    pub fn new(certificate: &[u8], key: &[u8]) -> Result<Self, HandshakeError> {
        let chain = vec![CertificateDer::from(certificate.to_vec())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // Our order counts: no Pi before the 5 is fast with AES.
        config.ignore_client_order = true;
        // No tickets: each costs bytes and a key, and a handshake is seldom here.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.enable_secret_extraction = true;
        Ok(Self { config: Arc::new(config), pin: sha256(certificate) })
    }

    /// The hash of the certificate, as clients see it.
    pub fn pin(&self) -> Pin {
        self.pin
    }

    /// A handshake with one client.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn begin(&self) -> Result<Handshake, HandshakeError> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&self.config))?;
        Ok(Handshake::of(Connection::Server(connection)))
    }
}

/// Which certificate a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// That of the camera it was paired with.
    Only(Pin),
    /// Each. Who it is must be found out inside the connection, by the certificate that was [seen](Established::seen).
    Any,
}

/// The viewer's side. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Client(Arc<ClientConfig>);

impl Client {
    /// A client that accepts these certificates.
    ///
    /// # Errors
    /// Never with the ciphers that are listed here; rustls cannot know.
    pub fn new(accepts: Accepts) -> Result<Self, HandshakeError> {
        let provider = provider();
        let algorithms = provider.signature_verification_algorithms;
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { accepts, algorithms }))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        config.enable_secret_extraction = true;
        Ok(Self(Arc::new(config)))
    }

    /// A handshake with one camera.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn begin(&self) -> Result<Handshake, HandshakeError> {
        // Names count for nothing here, and this one is not sent.
        let nobody = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([0; 4])));
        let connection = UnbufferedClientConnection::new(Arc::clone(&self.0), nobody)?;
        Ok(Handshake::of(Connection::Client(connection)))
    }
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1],
        ..default_provider()
    }
}

/// Compares certificates by their hash, and lets nobody in who has the certificate without its key.
#[derive(Debug)]
struct Verifier {
    accepts: Accepts,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _more: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let seen = sha256(certificate);
        match self.accepts {
            Accepts::Only(pin) if pin != seen => {
                let other = OtherError(Arc::new(HandshakeError::OtherCertificate { seen }));
                Err(CertificateError::Other(other).into())
            }
            Accepts::Only(_) | Accepts::Any => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not used".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

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

enum Connection {
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
    fn of(connection: Connection) -> Self {
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
    pub(super) sealing: Side,
    pub(super) opening: Side,
    pub(super) schedule: Schedule,
    seen: Option<Pin>,
}

impl Established {
    /// The hash of the certificate that the other side has shown; a camera sees none.
    pub fn seen(&self) -> Option<Pin> {
        self.seen
    }
}

/// Makes the next keys, when one side wants new ones.
pub(super) enum Schedule {
    Server(KernelConnection<ServerConnectionData>),
    Client(KernelConnection<ClientConnectionData>),
}

impl Schedule {
    pub(super) fn next_sealing(&mut self) -> Result<Side, HandshakeError> {
        let (sequence, secrets) = match self {
            Self::Server(connection) => connection.update_tx_secret()?,
            Self::Client(connection) => connection.update_tx_secret()?,
        };
        Ok(Side::new(keys(secrets)?, sequence))
    }

    pub(super) fn next_opening(&mut self) -> Result<Side, HandshakeError> {
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

/// Why a handshake failed. The texts go on after the name of the other side.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The bytes are not TLS.
    #[error("sent what is not TLS")]
    NotTls,
    /// A message of the handshake is longer than any that is expected.
    #[error("sent a TLS handshake that is too long")]
    TooLong,
    /// A message goes on behind the end of the handshake.
    #[error("sent more than a TLS handshake")]
    Surplus,
    /// Another certificate than the one that was asked for.
    #[error("shows another certificate than the camera that was paired")]
    OtherCertificate {
        /// Its hash.
        seen: Pin,
    },
    /// The peer does not accept our certificate.
    #[error("does not accept this camera's certificate")]
    NotAccepted,
    /// It has no TLS 1.3, or none of our ciphers.
    #[error("does not speak TLS 1.3 as lancam does: {0}")]
    Incompatible(String),
    /// There is a cipher that was not asked for.
    #[error("agreed on a cipher that lancam does not know")]
    Cipher,
    /// A record is wrong.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Anything else that rustls says.
    #[error("failed in the TLS handshake: {0}")]
    Other(Error),
}

impl From<Error> for HandshakeError {
    fn from(error: Error) -> Self {
        use AlertDescription as Alert;
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                match inner.downcast_ref::<Self>() {
                    Some(Self::OtherCertificate { seen }) => Self::OtherCertificate { seen: *seen },
                    _ => Self::Other(CertificateError::Other(OtherError(inner)).into()),
                }
            }
            Error::AlertReceived(
                Alert::BadCertificate
                | Alert::CertificateUnknown
                | Alert::CertificateExpired
                | Alert::UnknownCA
                | Alert::UnsupportedCertificate
                | Alert::AccessDenied,
            ) => Self::NotAccepted,
            Error::AlertReceived(Alert::ProtocolVersion | Alert::HandshakeFailure) => {
                Self::Incompatible("it ended the handshake".into())
            }
            Error::PeerIncompatible(PeerIncompatible::SupportedVersionsExtensionRequired) => {
                Self::Incompatible("it offers older versions only".into())
            }
            Error::PeerIncompatible(why) => Self::Incompatible(format!("{why:?}")),
            error => Self::Other(error),
        }
    }
}
