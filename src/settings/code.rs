//! The camera's code where its owner, or `make flash`, has written it into `lancam.toml`.

use super::moved;
use crate::wire::access::code::Code;
use std::fmt;
use std::ops::Range;

/// What stands on a new card where a code may be written. `make flash` looks for it.
pub const BLANK: &str = "____-____-____";

/// The value of `device.code`, and its position in the file.
#[derive(Clone, PartialEq, Eq)]
pub struct WrittenCode {
    text: String,
    /// The position of the text, without quotes.
    pub at: Range<usize>,
}

impl WrittenCode {
    /// Whether it is a code, or what stands in the place of one.
    ///
    /// # Errors
    /// What is expected.
    pub fn check(&self) -> Result<(), &'static str> {
        match self.is_moved() || self.code().is_some() {
            true => Ok(()),
            false => Err("a code of 12 letters and digits, such as K7QM-2XPD-9HRT"),
        }
    }

    /// The value at this position.
    pub fn new(text: &str, at: Range<usize>) -> Self {
        Self { text: text.into(), at }
    }

    /// The code; `None` if there is none any more, or not yet.
    pub fn code(&self) -> Option<Code> {
        Code::parse(&self.text).ok()
    }

    /// Whether the whole code was moved to the camera.
    pub fn is_moved(&self) -> bool {
        moved::is_text(&self.text)
    }

    /// Whether this is `kept` with a part overwritten: a power cut may come between two sectors of a file. A part of such a
    /// text may look like another code.
    pub fn is_half_moved(&self, kept: &Code) -> bool {
        let moved = moved::text(self.text.len());
        let is_so = |cut: usize| {
            let (begins, ends) = (self.text.get(..cut)?, self.text.get(cut..)?);
            let (moved_first, moved_last) = (begins == &moved[..cut], ends == &moved[cut..]);
            let kept = kept.letters();
            let is_first = moved_first && kept.ends_with(&Code::letters_in(ends)?);
            Some(is_first || moved_last && kept.starts_with(&Code::letters_in(begins)?))
        };
        (1..self.text.len()).any(|cut| is_so(cut).unwrap_or(false))
    }
}

/// Whether this line, a comment too, may set a code.
pub(crate) fn may_set_one(line: &str) -> bool {
    let key = line.split_once(['=', ':']).map(|(key, _)| key.trim().to_ascii_lowercase());
    key.is_some_and(|key| key.ends_with("code"))
}

impl fmt::Debug for WrittenCode {
    /// A secret must not appear in any log.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "WrittenCode(…, {:?})", self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> WrittenCode {
        WrittenCode::new(text, 0..text.len())
    }

    #[test]
    fn a_code_and_what_stands_in_its_place_are_told_apart_and_others_are_refused() {
        for typed in ["K7QM-2XPD-9HRT", "k7qm 2xpd 9hrt", "k7qm2xpd9hrt"] {
            let code = written(typed);
            assert_eq!((code.check(), code.is_moved()), (Ok(()), false), "{typed}");
            assert_eq!(code.code().expect(typed).shown(), "K7QM-2XPD-9HRT");
            let moved = written(&moved::text(typed.len()));
            assert_eq!((moved.check(), moved.is_moved()), (Ok(()), true), "{moved:?}");
            assert!(moved.code().is_none());
        }
        for wrong in ["", "K7QM-2XPD-9HR", "K7QM-2XPD-9HRU", "K7QM-____-____", "12345678"] {
            assert!(written(wrong).check().is_err(), "{wrong}");
        }
        assert!(!format!("{:?}", written("K7QM-2XPD-9HRT")).contains("K7QM"));
    }

    #[test]
    fn a_code_that_is_overwritten_in_part_is_known_wherever_it_is_cut() {
        let kept = Code::parse("K7QM-2XPD-9HRT").expect("a code");
        for typed in ["K7QM-2XPD-9HRT", "k7qm2xpd9hrt", "k 7 q m 2 x p d 9 h r t"] {
            let moved = moved::text(typed.len());
            for cut in 1..typed.len() {
                for half in [
                    format!("{}{}", &moved[..cut], &typed[cut..]),
                    format!("{}{}", &typed[..cut], &moved[cut..]),
                ] {
                    assert!(written(&half).is_half_moved(&kept), "{half}");
                }
            }
            assert!(!written(typed).is_half_moved(&kept), "{typed}");
        }
        // Three letters of the notice and nine of the code look like a code.
        assert!(written("movM-2XPD-9HRT").code().is_some());
        for other in ["0000-0000-0000", "M0VE-2XPD-9HRX", "K7QM-2XPD-9HRX"] {
            assert!(!written(other).is_half_moved(&kept), "{other}");
        }
    }
}
