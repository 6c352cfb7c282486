//! Hashes, message authentication, slow key derivation and random numbers, all from ring.

pub mod aead;
pub mod p256;

use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256};
use ring::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use ring::rand::{SecureRandom, SystemRandom};
use std::num::NonZeroU32;

/// The length of a SHA-256 hash, and of all that is made from one.
pub const HASH_LEN: usize = 32;

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; HASH_LEN] {
    whole(digest(&SHA256, bytes).as_ref())
}

/// Bytes that nobody can guess.
///
/// # Errors
/// When the system gives none. Nothing secret may be made then.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// The system gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this system gives no random numbers, so no secret can be made")]
pub struct NoRandomness;

/// PBKDF2-HMAC-SHA256: a hash of `secret` that takes `iterations` times as long as one HMAC.
pub fn stretch(secret: &[u8], salt: &[u8], iterations: NonZeroU32) -> [u8; HASH_LEN] {
    let mut stretched = [0; HASH_LEN];
    derive(PBKDF2_HMAC_SHA256, iterations, salt, secret, &mut stretched);
    stretched
}

/// A key of HMAC-SHA256. It shows nothing of itself in logs.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// The key with these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, bytes))
    }

    /// The HMAC of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; HASH_LEN] {
        whole(hmac::sign(&self.0, message).as_ref())
    }

    /// Whether `tag` is the HMAC of `message`. The time that this takes tells nothing about the right one.
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("MacKey(…)")
    }
}

/// Whether two secrets are the same. The time that this takes tells nothing about where they differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    // ring compares HMACs in constant time, and offers no other comparison.
    let key = MacKey::new(&[]);
    key.verify(one, &key.sign(other))
}

fn whole(hash: &[u8]) -> [u8; HASH_LEN] {
    hash.try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn hashes_are_those_of_their_standards() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(b"abc")), abc);
        // RFC 4231, section 4.3.
        let key = MacKey::new(b"Jefe");
        let tag = key.sign(b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&tag), expected);
        assert!(key.verify(b"what do ya want for nothing?", &tag));
        assert!(!key.verify(b"what do ya want for nothing!", &tag));
        assert!(!key.verify(b"what do ya want for nothing?", &tag[..31]));
        // RFC 7914, section 11.
        let iterations = NonZeroU32::new(80_000).expect("not 0");
        let expected = "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56";
        assert_eq!(hex(&stretch(b"Password", b"NaCl", iterations)), expected);
    }

    #[test]
    fn random_bytes_differ_each_time() {
        assert_ne!(random::<32>(), random::<32>());
        assert_eq!(random::<7>().expect("randomness").len(), 7);
    }

    #[test]
    fn secrets_are_the_same_only_if_every_byte_is() {
        assert!(same(b"K7QM", b"K7QM") && same(b"", b""));
        assert!(!same(b"K7QM", b"K7QN") && !same(b"K7QM", b"K7Q") && !same(b"", b"K"));
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", MacKey::new(b"secret")), "MacKey(…)");
    }
}
