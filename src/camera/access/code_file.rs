//! The camera's code and its salt, and their text in the file `code`.

use crate::crypto::{NoRandomness, random};
use crate::hex;
use crate::wire::access::code::{Code, NotACode};
use crate::wire::access::proof::{ITERATIONS, NotAccepted, Prover, Salting};

/// A code, with all that is made of it once.
#[derive(Debug, Clone)]
pub(super) struct CameraCode {
    /// The code.
    pub(super) code: Code,
    /// How it is hashed.
    pub(super) salting: Salting,
    /// What checks proofs of it.
    pub(super) prover: Prover,
}

/// Why a text is not that of a code's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotACodeFile {
    /// The first line is no code.
    #[error("line 1: {0}")]
    Code(#[from] NotACode),
    /// The second line says not how the code is hashed.
    #[error("line 2: it is not \"salt\", 32 digits, \"iterations\" and a number")]
    Salting,
    /// It says so, and the number is too small or too large.
    #[error("line 2: {0}")]
    Iterations(#[from] NotAccepted),
    /// Something follows.
    #[error("line 3: the file has two lines")]
    TooLong,
}

impl CameraCode {
    /// A new code.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub(super) fn random() -> Result<Self, NoRandomness> {
        Self::of(Code::from_random(random()?))
    }

    /// This code with a new salt.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub(super) fn of(code: Code) -> Result<Self, NoRandomness> {
        let salting = Salting::new(random()?, ITERATIONS).expect("the number is accepted");
        Ok(Self::with(code, salting))
    }

    fn with(code: Code, salting: Salting) -> Self {
        let prover = Prover::new(&code, &salting);
        Self { code, salting, prover }
    }

    /// The text of the file: the code, and how it is hashed.
    pub(super) fn text(&self) -> String {
        let (code, salt) = (self.code.shown(), hex::text(self.salting.salt()));
        format!("{code}\nsalt {salt} iterations {}\n", self.salting.iterations())
    }
}

/// What the file `code` says.
#[derive(Debug, Clone)]
pub struct Written {
    code: Code,
    salting: Option<Salting>,
}

impl Written {
    /// Reads the text of the file. The second line may be missing: people and the card's setup write only the code.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> Result<Self, NotACodeFile> {
        let mut lines = text.lines();
        let code = Code::parse(lines.next().unwrap_or_default())?;
        let salting = lines.next().map(salting).transpose()?;
        match lines.next() {
            Some(_) => Err(NotACodeFile::TooLong),
            None => Ok(Self { code, salting }),
        }
    }

    /// The code, ready for use; and whether its salt is new, and so the file has to be written.
    ///
    /// # Errors
    /// When a salt is missing, and the system gives no random numbers.
    pub(super) fn ready(self) -> Result<(CameraCode, IsNew), NoRandomness> {
        match self.salting {
            Some(salting) => Ok((CameraCode::with(self.code, salting), IsNew::No)),
            None => Ok((CameraCode::of(self.code)?, IsNew::Yes)),
        }
    }
}

/// Whether something was not in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsNew {
    /// It has to be written.
    Yes,
    /// It is written already.
    No,
}

/// Reads `salt HEX iterations N`.
fn salting(line: &str) -> Result<Salting, NotACodeFile> {
    let words: Vec<&str> = line.split(' ').collect();
    let ["salt", salt, "iterations", iterations] = words[..] else {
        return Err(NotACodeFile::Salting);
    };
    let salt = hex::bytes(salt).ok_or(NotACodeFile::Salting)?;
    let is_number = iterations.bytes().all(|digit| digit.is_ascii_digit());
    let iterations = iterations.parse().ok().filter(|_| is_number);
    Ok(Salting::new(salt, iterations.ok_or(NotACodeFile::Salting)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::access::proof::{Exchange, Side};

    const TEXT: &str = "K7QM-2XPD-9HRT\nsalt 000102030405060708090a0b0c0d0e0f iterations 100000\n";

    #[test]
    fn a_code_is_written_with_its_salt_and_read_again() {
        let written = Written::parse(TEXT).expect("a code");
        let (code, is_new) = written.ready().expect("a salt");
        assert_eq!((code.text().as_str(), is_new), (TEXT, IsNew::No));
        assert_eq!(
            code.salting.salt(),
            &std::array::from_fn(|at| u8::try_from(at).expect("small"))
        );
        let exchange = Exchange { viewer_nonce: [1; 32], camera_nonce: [2; 32], pin: [3; 32] };
        let prover = Prover::new(&Code::parse("k7qm2xpd9hrt").expect("a code"), &code.salting);
        let proof = prover.proof(Side::Viewer, &exchange);
        assert!(code.prover.is_proof(Side::Viewer, &exchange, &proof));
    }

    #[test]
    fn a_code_that_a_person_wrote_gets_a_salt() {
        for text in ["k7qm2xpd9hrt", "k7qm 2xpd 9hrt\n", "K7QM-2XPD-9HRT\r\n"] {
            let (code, is_new) = Written::parse(text).expect(text).ready().expect("a salt");
            assert_eq!((code.code.shown().as_str(), is_new), ("K7QM-2XPD-9HRT", IsNew::Yes));
            assert!(Written::parse(&code.text()).is_ok());
        }
    }

    #[test]
    fn two_codes_are_never_the_same() {
        let [one, other] = [(); 2].map(|()| CameraCode::random().expect("randomness"));
        assert!(!one.code.is(&other.code));
        assert_ne!(one.salting.salt(), other.salting.salt());
    }

    #[test]
    fn a_file_that_was_cut_off_or_damaged_is_no_code() {
        for end in 0..TEXT.len() {
            let read = Written::parse(&TEXT[..end]);
            match end {
                // The code alone, with or without the end of its line; and all but the last end of a line.
                14 | 15 => assert!(read.is_ok_and(|it| it.salting.is_none()), "{end}"),
                // Without the last digits, the number is too small to be accepted.
                _ if end == TEXT.len() - 1 => assert!(read.is_ok()),
                _ => assert!(read.is_err(), "{end}"),
            }
        }
        for (from, to, error) in [
            ("salt ", "salt  ", NotACodeFile::Salting),
            ("salt ", "Salt ", NotACodeFile::Salting),
            ("0001", "+001", NotACodeFile::Salting),
            ("0001", "x001", NotACodeFile::Salting),
            ("0001", "00001", NotACodeFile::Salting),
            ("100000", "+100000", NotACodeFile::Salting),
            ("100000", "99999999999", NotACodeFile::Salting),
            ("100000", "1", NotACodeFile::Iterations(NotAccepted(1))),
            ("100000\n", "100000\n\n", NotACodeFile::TooLong),
            ("K7QM-2XPD-9HRT", "", NotACodeFile::Code(NotACode::Length(0))),
        ] {
            let damaged = TEXT.replacen(from, to, 1);
            assert_eq!(Written::parse(&damaged).err(), Some(error), "{from} {to}");
        }
    }
}
