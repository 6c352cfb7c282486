//! The camera's code: 60 random bits as twelve letters that people type.

use crate::crypto;

/// Crockford's base 32: digits and letters without I, L, O and U, which look like others or make words.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How many letters a code has. Each stands for 5 bits.
pub const LEN: usize = 12;

/// How many letters stand between two dashes.
const GROUP: usize = 4;

/// A code. Everybody who knows it may pair with the camera.
///
/// It has no `Display`, and its `Debug` shows nothing, so that it gets into no log by mistake.
#[derive(Clone)]
pub struct Code([u8; LEN]);

/// Why a text is no code. The text itself is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotACode {
    /// It has a letter that no code has.
    #[error("a code has no {0:?}; it looks like K7QM-2XPD-9HRT")]
    Letter(char),
    /// It has too few letters or too many.
    #[error("a code has 12 letters and digits, such as K7QM-2XPD-9HRT; this has {0}")]
    Length(usize),
}

impl Code {
    /// The code of these random bits; the four highest are not used.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        let bits = u64::from_le_bytes(bytes);
        Self(std::array::from_fn(|at| {
            let [five, ..] = (bits >> (5 * at)).to_le_bytes();
            LETTERS[usize::from(five & 31)]
        }))
    }

    /// Reads a code as people type it: in any case, with or without dashes and spaces, O for 0, I and L for 1.
    ///
    /// # Errors
    /// When it has another letter, or not twelve of them.
    pub fn parse(text: &str) -> Result<Self, NotACode> {
        let mut letters = [0; LEN];
        let mut len = 0;
        for typed in text.chars().filter(|letter| !is_between(*letter)) {
            let letter = meant(typed).ok_or(NotACode::Letter(typed))?;
            if let Some(place) = letters.get_mut(len) {
                *place = letter;
            }
            len += 1;
        }
        if len == LEN { Ok(Self(letters)) } else { Err(NotACode::Length(len)) }
    }

    /// The letters in a part of a code; `None` if it has another letter.
    pub fn letters_in(part: &str) -> Option<Vec<u8>> {
        part.chars().filter(|letter| !is_between(*letter)).map(meant).collect()
    }

    /// The twelve letters, without dashes.
    pub fn letters(&self) -> &[u8; LEN] {
        &self.0
    }

    /// The code as people read it: `K7QM-2XPD-9HRT`.
    pub fn shown(&self) -> String {
        let groups: Vec<_> = self.0.chunks(GROUP).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }

    /// Whether it is the same code. The time that this takes tells nothing about it.
    pub fn is(&self, other: &Self) -> bool {
        crypto::same(&self.0, &other.0)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.is(other)
    }
}

impl Eq for Code {}

impl std::fmt::Debug for Code {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Code(…)")
    }
}

/// Whether this stands between the letters of a code. Programs that lay out text turn a dash into another.
fn is_between(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The letter of the code that was meant.
fn meant(typed: char) -> Option<u8> {
    let letter = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        letter => letter,
    };
    LETTERS.iter().copied().find(|&it| char::from(it) == letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_shown_and_as_people_type_it() {
        let code = Code::parse("K7QM-2XPD-9HRT").expect("a code");
        assert_eq!(code.shown(), "K7QM-2XPD-9HRT");
        for typed in ["k7qm2xpd9hrt", " K7QM 2XPD 9HRT\n", "k7qm–2xpd—9hrt", "K-7-Q-M-2XPD9HRT-"]
        {
            assert!(Code::parse(typed).expect(typed).is(&code), "{typed}");
            assert_eq!(Code::letters_in(typed).as_deref(), Some(&code.letters()[..]));
        }
        assert_eq!(Code::letters_in("-9h_"), None);
        let zeros = Code::parse("oOo0-iIl1-LL00").expect("a code");
        assert_eq!(zeros.shown(), "0000-1111-1100");
        assert!(!zeros.is(&code));
    }

    #[test]
    fn what_is_no_code_is_refused_without_being_shown() {
        for (text, error) in [
            ("", NotACode::Length(0)),
            ("ABCD-EFGH-JKM", NotACode::Length(11)),
            ("ABCD-EFGH-JKMNN", NotACode::Length(13)),
            ("ABCD-EFGH-JKMU", NotACode::Letter('U')),
            ("ABCD_EFGH_JKMN", NotACode::Letter('_')),
            ("ABCD-EFGH-JKM\u{ff34}", NotACode::Letter('\u{ff34}')),
        ] {
            let found = Code::parse(text).expect_err(text);
            assert_eq!(found, error);
            assert!(!found.to_string().contains("ABCD"), "{found}");
        }
        assert_eq!(Code::parse(&"1".repeat(100_000)).err(), Some(NotACode::Length(100_000)));
        assert_eq!(format!("{:?}", Code::parse("K7QM-2XPD-9HRT")), "Ok(Code(…))");
    }

    #[test]
    fn every_random_bit_counts() {
        let of = |bits: u64| Code::from_random(bits.to_le_bytes()).shown();
        assert_eq!(of(0), "0000-0000-0000");
        assert_eq!(of(u64::MAX), "ZZZZ-ZZZZ-ZZZZ");
        assert_eq!(of(0b11111_00000_00001), "10Z0-0000-0000");
        let codes: std::collections::BTreeSet<_> = (0..60).map(|bit| of(1 << bit)).collect();
        assert_eq!(codes.len(), 60);
        assert_eq!(of(1 << 60), of(0));
    }
}
