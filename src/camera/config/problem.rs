//! What is wrong with options: where, and what is expected instead.

use crate::wording::must_be;
use std::fmt;
use std::path::PathBuf;

/// A mistake in the configuration: where, what, and what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its place in the file; `None` for the environment.
    pub place: Option<Place>,
    /// One line, in words for people.
    pub text: String,
}

/// A place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// From 1; 0 for the file as a whole.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(Place { file, line: 0, .. }) => write!(out, "{}: ", file.display())?,
            Some(Place { file, line, column }) => {
                write!(out, "{}:{line}:{column}: ", file.display())?;
            }
            None => {}
        }
        out.write_str(&self.text)
    }
}

/// Why the options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A mistake on the command line or in the environment, with what is expected.
    #[error("{0}")]
    Usage(String),
    /// All mistakes in the file.
    #[error("{}", lines(.0))]
    File(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Why a value is wrong.
#[derive(Debug)]
pub(super) enum Wrong {
    /// What is expected instead.
    Expected(String),
    /// What is wrong and what to do, in a whole sentence.
    Because(String),
}

impl Wrong {
    /// The message in one line; `called` is the option as it was written.
    pub(super) fn about(self, called: &str, value: &str) -> String {
        match self {
            Self::Expected(what) => must_be(called, &what, value),
            Self::Because(why) => format!("{called}: {why}"),
        }
    }
}

impl ConfigError {
    pub(super) fn of(problems: Vec<Problem>) -> Self {
        let is_of_file = problems.iter().any(|problem| problem.place.is_some());
        if is_of_file { Self::File(problems) } else { Self::Usage(lines(&problems)) }
    }
}
