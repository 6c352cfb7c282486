//! What one client holds to be let in: a key of 32 random bytes, and what the key allows.

use crate::crypto::{self, HASH_LEN};

/// The length of a key in bytes.
pub const KEY_LEN: usize = 32;

/// The length of a key as text.
pub const TEXT_LEN: usize = 43;

/// The letters of base64url (RFC 4648, section 5).
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A key. Its holder may do what it allows.
///
/// It has no `Display`, and its `Debug` shows nothing, so that it gets into no log by mistake.
#[derive(Clone)]
pub struct Key([u8; KEY_LEN]);

/// What a client shows as its key: any text. Its `Debug` shows nothing either.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ShownKey(pub String);

/// SHA-256 of a key. A key cannot be found from it, since all keys are random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHash(pub [u8; HASH_LEN]);

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum May {
    /// To watch.
    Watch,
    /// To watch, and to set the camera's controls where the camera allows that.
    Control,
}

impl Key {
    /// The key of these random bytes.
    pub fn from_random(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// Reads a key from its text: exactly the 43 letters that [`text`](Self::text) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: &[u8; TEXT_LEN] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; KEY_LEN];
        for (four, three) in letters.chunks(4).zip(bytes.chunks_mut(3)) {
            let bits = four.iter().try_fold(0, |bits: u32, letter| {
                let at = LETTERS.iter().position(|it| it == letter)?;
                Some(bits << 6 | u32::try_from(at).ok()?)
            })?;
            // Three letters are 18 bits, of which the last two are 0 where two bytes are meant.
            let bits = if four.len() == 4 { bits } else { bits << 6 };
            let [_, whole @ ..] = bits.to_be_bytes();
            let (kept, rest) = whole.split_at(three.len());
            if rest.iter().any(|&byte| byte != 0) {
                return None;
            }
            three.copy_from_slice(kept);
        }
        Some(Self(bytes))
    }

    /// The key as 43 letters of base64url, without padding.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(TEXT_LEN + 1);
        for three in self.0.chunks(3) {
            let [a, b, c] = std::array::from_fn(|at| three.get(at).copied().unwrap_or(0));
            let bits = u32::from_be_bytes([0, a, b, c]);
            for shift in [18, 12, 6, 0] {
                let [.., six] = (bits >> shift).to_be_bytes();
                text.push(char::from(LETTERS[usize::from(six & 63)]));
            }
        }
        // The last letter stands for no bit.
        text.truncate(TEXT_LEN);
        text
    }

    /// What the camera keeps of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash(crypto::sha256(&self.0))
    }
}

impl PartialEq for Key {
    /// The time that this takes tells nothing about it.
    fn eq(&self, other: &Self) -> bool {
        crypto::same(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key(…)")
    }
}

impl std::fmt::Debug for ShownKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ShownKey(…)")
    }
}

impl May {
    /// All that a key can allow.
    pub const ALL: [Self; 2] = [Self::Watch, Self::Control];

    /// Its word in files and options.
    pub fn word(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Control => "control",
        }
    }

    /// What this word allows.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|may| may.word() == word)
    }

    /// Its bits in messages: 1 to watch, 2 to control.
    pub fn bits(self) -> u8 {
        match self {
            Self::Watch => 1,
            Self::Control => 3,
        }
    }

    /// What these bits allow. Every key allows to watch; unknown bits are of a newer camera.
    pub fn from_bits(bits: u8) -> Self {
        if bits & 2 == 0 { Self::Watch } else { Self::Control }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_base64url_and_read_again() {
        // What Python's base64.urlsafe_b64encode writes, without its padding.
        for (bytes, text) in [
            ([0; 32], "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ([0xFF; 32], "__________________________________________8"),
            (
                std::array::from_fn(|at| u8::try_from(at * 7 % 251).expect("small")),
                "AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK-2vcTL0tk",
            ),
        ] {
            let key = Key::from_random(bytes);
            assert_eq!(key.text(), text);
            assert_eq!(Key::parse(text).expect("a key").0, bytes);
        }
    }

    #[test]
    fn a_key_has_one_text() {
        let text = "AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK-2vcTL0tk";
        let other = |from: &str, to: &str| text.replacen(from, to, 1);
        for wrong in [
            String::new(),
            text[..42].to_owned(),
            format!("{text}="),
            other("-", "+"),
            other("AAc", "AA "),
            // The last letter with bits that no byte has.
            format!("{}l", &text[..42]),
            format!("{}é", &text[..41]),
        ] {
            assert!(Key::parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_key_shows_nothing_of_itself_and_is_known_by_its_hash() {
        let [one, other] = [1, 2].map(|byte| Key::from_random([byte; 32]));
        assert_eq!(format!("{one:?}"), "Key(…)");
        assert_eq!(one.hash(), Key::from_random([1; 32]).hash());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.hash().0, crypto::sha256(&[1; 32]));
    }

    #[test]
    fn what_a_key_allows_is_one_word_and_some_bits() {
        for may in May::ALL {
            assert_eq!((May::parse(may.word()), May::from_bits(may.bits())), (Some(may), may));
        }
        assert_eq!((May::from_bits(0), May::from_bits(0xF9)), (May::Watch, May::Watch));
        assert_eq!((May::from_bits(2), May::parse("all")), (May::Control, None));
    }
}
