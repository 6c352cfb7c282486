//! Both sides of a handshake: what a camera shows, what a viewer accepts, and with which ciphers.

use super::error::{HandshakeError, Pin};
use super::provider::{SCHEME, SIGNATURES, provider};
use super::steps::{Connection, Handshake};
use crate::crypto::sha256;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{
    CertificateDer, IpAddr, Ipv4Addr, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use rustls::server::{NoServerSessionStorage, UnbufferedServerConnection};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, ServerConfig,
    SignatureScheme,
};
use std::sync::Arc;

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
    /// Each. Who it is must be found out inside the connection, by the certificate that was [seen](super::Established::seen).
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
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { accepts }))
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

/// Compares certificates by their hash, and lets nobody in who has the certificate without its key.
#[derive(Debug)]
struct Verifier {
    accepts: Accepts,
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
        verify_tls13_signature(message, certificate, signature, &SIGNATURES)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }
}
