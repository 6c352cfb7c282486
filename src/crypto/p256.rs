//! Signatures with the elliptic curve P-256 (ECDSA, SHA-256).

use super::NoRandomness;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};

/// A private key. It shows nothing of itself in logs.
pub struct PrivateKey {
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new() -> Result<Self, NoRandomness> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
        let pkcs8 = pkcs8.map_err(|_| NoRandomness)?;
        Self::from_pkcs8(pkcs8.as_ref()).ok_or(NoRandomness)
    }

    /// The key that these bytes describe (PKCS #8, RFC 5958); `None` if they describe none of this curve.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let random = SystemRandom::new();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &random).ok()?;
        Some(Self { pair, pkcs8: pkcs8.to_vec() })
    }

    /// The bytes that describe it, to be kept.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public key: an uncompressed point, 65 bytes.
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs `message`. The signature is as X.509 and TLS have it: two numbers in ASN.1.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        Ok(signature.map_err(|_| NoRandomness)?.as_ref().to_vec())
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("PrivateKey(…)")
    }
}

/// Whether the owner of this public key has made this signature of `message`.
pub fn verifies(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key);
    key.verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_signs_as_the_new_one_did() {
        let new = PrivateKey::new().expect("randomness");
        let kept = PrivateKey::from_pkcs8(new.pkcs8()).expect("it was kept");
        assert_eq!(kept.public_key(), new.public_key());
        assert_ne!(PrivateKey::new().expect("randomness").public_key(), new.public_key());
        let signature = kept.sign(b"a message").expect("randomness");
        assert!(verifies(new.public_key(), b"a message", &signature));
        assert!(!verifies(new.public_key(), b"a massage", &signature));
    }

    #[test]
    fn a_damaged_key_is_none_and_none_shows_itself() {
        let new = PrivateKey::new().expect("randomness");
        assert!(PrivateKey::from_pkcs8(&new.pkcs8()[1..]).is_none());
        assert!(PrivateKey::from_pkcs8(b"").is_none());
        assert_eq!(format!("{new:?}"), "PrivateKey(…)");
    }
}
