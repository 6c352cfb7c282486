//! Why a handshake failed, in words.

use crate::crypto::HASH_LEN;
use crate::net::tls::records::RecordError;
use rustls::{AlertDescription, CertificateError, Error, OtherError, PeerIncompatible};

/// The hash of the certificate by which a camera is known: SHA-256 of its DER.
pub type Pin = [u8; HASH_LEN];

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
    /// The peer takes no connection from here.
    #[error("does not let this machine connect")]
    Denied,
    /// The peer has too many connections, as far as it says.
    #[error("ended the TLS handshake. It may have too many connections at the moment")]
    Busy,
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

impl HandshakeError {
    /// Whether the peer speaks TLS as lancam does, and only refuses this connection.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Denied | Self::Busy)
    }
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
                | Alert::UnsupportedCertificate,
            ) => Self::NotAccepted,
            Error::AlertReceived(Alert::AccessDenied) => Self::Denied,
            Error::AlertReceived(Alert::InternalError) => Self::Busy,
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
