//! Authenticated encryption in place, with the ciphers of TLS 1.3.

use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

/// How many bytes a sealed text is longer than the open one.
pub const TAG_LEN: usize = 16;

/// The length of a nonce. No two texts may be sealed with the same key and nonce.
pub const NONCE_LEN: usize = 12;

/// How to encrypt and authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES with 128 bits in Galois/Counter mode.
    Aes128Gcm,
    /// AES with 256 bits in Galois/Counter mode.
    Aes256Gcm,
    /// The fastest one where the processor knows no AES: on each Pi before the 5.
    ChaCha20Poly1305,
}

impl Cipher {
    fn algorithm(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes128Gcm => &aead::AES_128_GCM,
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }
}

/// A key that seals and opens. It shows nothing of itself in logs.
pub struct AeadKey(LessSafeKey);

impl AeadKey {
    /// The key with these bytes; `None` if the cipher wants another number of them.
    pub fn new(cipher: Cipher, bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(cipher.algorithm(), bytes).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Encrypts `text` in place and returns its tag, which also covers `beside`; `None` if the text is too long for the
    /// cipher (64 GiB).
    pub fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        beside: &[u8],
        text: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(beside), text).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Decrypts `sealed`, a text and its tag, in place and returns the text; `None` if a single bit of it or of `beside`
    /// is not as it was sealed.
    pub fn open<'a>(
        &self,
        nonce: [u8; NONCE_LEN],
        beside: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place(nonce, Aad::from(beside), sealed).ok()
    }
}

impl std::fmt::Debug for AeadKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("AeadKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIPHERS: [(Cipher, usize); 3] =
        [(Cipher::Aes128Gcm, 16), (Cipher::Aes256Gcm, 32), (Cipher::ChaCha20Poly1305, 32)];

    #[test]
    fn what_was_sealed_opens_and_nothing_else_does() {
        for (cipher, len) in CIPHERS {
            let key = AeadKey::new(cipher, &vec![7; len]).expect("the right length");
            let mut sealed = b"a picture".to_vec();
            let tag = key.seal([1; NONCE_LEN], b"head", &mut sealed).expect("short");
            sealed.extend(tag);
            assert!(!sealed.starts_with(b"a picture"));
            let opened = |nonce: u8, beside: &[u8], change: Option<usize>| {
                let mut sealed = sealed.clone();
                if let Some(at) = change {
                    sealed[at] ^= 1;
                }
                key.open([nonce; NONCE_LEN], beside, &mut sealed).map(|text| text.to_vec())
            };
            assert_eq!(opened(1, b"head", None).as_deref(), Some(&b"a picture"[..]));
            assert_eq!(opened(2, b"head", None), None, "another nonce");
            assert_eq!(opened(1, b"heat", None), None, "another head");
            for at in 0..sealed.len() {
                assert_eq!(opened(1, b"head", Some(at)), None, "changed at {at}");
            }
        }
    }

    #[test]
    fn a_key_of_a_wrong_length_is_refused_and_none_shows_itself() {
        for (cipher, len) in CIPHERS {
            assert!(AeadKey::new(cipher, &vec![7; len - 1]).is_none());
        }
        let key = AeadKey::new(Cipher::Aes128Gcm, &[7; 16]).expect("the right length");
        assert_eq!(format!("{key:?}"), "AeadKey(…)");
    }
}
