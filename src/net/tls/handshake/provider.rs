//! The cryptography that rustls gets: three ciphers, two curves for keys, and signatures with P-256 alone.
//!
//! rustls's own list would bring RSA, P-384 and Ed25519 into the camera's program, where nothing needs them.

use crate::crypto::p256::{PrivateKey, verifies};
use crate::crypto::{HASH_LEN, random};
use rustls::crypto::ring::{cipher_suite, kx_group};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm,
    SubjectPublicKeyInfoDer, alg_id,
};
use rustls::sign::{Signer, SigningKey, public_key_to_spki};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use std::sync::Arc;

/// The one kind of signature that cameras make and viewers accept.
pub(super) const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

pub(super) const SIGNATURES: WebPkiSupportedAlgorithms =
    WebPkiSupportedAlgorithms { all: &[&P256], mapping: &[(SCHEME, &[&P256])] };

pub(super) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &System,
        key_provider: &P256,
    }
}

/// The system's random numbers.
#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        for part in bytes.chunks_mut(HASH_LEN) {
            let fresh: [u8; HASH_LEN] = random().map_err(|_| GetRandomFailed)?;
            part.copy_from_slice(&fresh[..part.len()]);
        }
        Ok(())
    }
}

/// Signatures with the elliptic curve P-256.
#[derive(Debug)]
struct P256;

impl SignatureVerificationAlgorithm for P256 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        if verifies(public_key, message, signature) { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

impl KeyProvider for P256 {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        let PrivateKeyDer::Pkcs8(key) = &key else {
            return Err(Error::General("the private key is not in PKCS #8".into()));
        };
        let key = PrivateKey::from_pkcs8(key.secret_pkcs8_der());
        let key =
            key.ok_or_else(|| Error::General("the private key is not one for P-256".into()))?;
        Ok(Arc::new(CameraKey(Arc::new(key))))
    }
}

/// The key that signs for a camera.
#[derive(Debug)]
struct CameraKey(Arc<PrivateKey>);

impl SigningKey for CameraKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SCHEME).then(|| Box::new(Self(Arc::clone(&self.0))) as _)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(public_key_to_spki(&alg_id::ECDSA_P256, self.0.public_key()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for CameraKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(message).map_err(|_| Error::FailedToGetRandomBytes)
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::PrivatePkcs8KeyDer;

    fn key_of(pkcs8: &[u8]) -> Result<Arc<dyn SigningKey>, Error> {
        P256.load_private_key(PrivatePkcs8KeyDer::from(pkcs8.to_vec()).into())
    }

    #[test]
    fn what_it_signs_it_verifies_and_nothing_else() {
        let made = PrivateKey::new().expect("randomness");
        let key = key_of(made.pkcs8()).expect("a key");
        assert!(key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).is_none());
        let signer = key.choose_scheme(&[SignatureScheme::ED25519, SCHEME]).expect("it is offered");
        let signature = signer.sign(b"a message").expect("randomness");
        let verify = |message, signature| {
            P256.verify_signature(made.public_key(), message, signature).is_ok()
        };
        assert!(verify(b"a message", &signature));
        assert!(!verify(b"a massage", &signature) && !verify(b"a message", &signature[1..]));
        assert!(P256.verify_signature(&[4; 65], b"a message", &signature).is_err());
        assert!(key_of(&made.pkcs8()[1..]).is_err());
    }

    #[test]
    fn random_bytes_of_any_length_differ_each_time() {
        for length in [16, 31, 32, 33, 100] {
            let mut made = [vec![0; length], vec![0; length]];
            for bytes in &mut made {
                System.fill(bytes).expect("randomness");
                assert!(!bytes.ends_with(&[0; 8]), "{bytes:?}");
            }
            assert_ne!(made[0], made[1]);
        }
    }
}
