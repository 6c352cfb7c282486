//! The command line: what to do, and the options said there, not yet followed.

use super::options::{Entry, ValueKind};
use super::{ConfigError, Said, nearest};
use lexopt::Arg::{Long, Short, Value};
use std::ffi::OsString;

/// What the program is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    Run,
    List { json: bool },
    Check,
    SelfTest,
    Version,
    Help,
}

/// Who has read of the image's setup may type `lancam setup`.
const ELSEWHERE: &str =
    "setup is a program of its own, lancam-setup, and only on the SD card's image";

/// A command line, taken apart.
pub(super) struct Arguments {
    pub(super) verb: Verb,
    /// The options, each once.
    pub(super) said: Vec<Said>,
    /// How often `-v`, less how often `-q`.
    pub(super) verbosity: i8,
}

impl Arguments {
    pub(super) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, ConfigError> {
        let wrong = |error: lexopt::Error| {
            ConfigError::Usage(format!("{error}; lancam --help lists what works"))
        };
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut this = Self { verb: Verb::Run, said: Vec::new(), verbosity: 0 };
        let mut first = true;
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Value(word) if first && word == "run" => {}
                Value(word) if first && word == "list" => this.verb = Verb::List { json: false },
                Value(word) if first && word == "check" => this.verb = Verb::Check,
                Value(word) if first && word == "selftest" => this.verb = Verb::SelfTest,
                Value(word) if first && word == "setup" => {
                    return Err(ConfigError::Usage(ELSEWHERE.into()));
                }
                Long("json") if matches!(this.verb, Verb::List { .. }) => {
                    this.verb = Verb::List { json: true };
                }
                Long("help") | Short('h') => return Ok(Self { verb: Verb::Help, ..this }),
                Long("version") | Short('V') => return Ok(Self { verb: Verb::Version, ..this }),
                Short('v') => this.verbosity = this.verbosity.saturating_add(1),
                Short('q') => this.verbosity = this.verbosity.saturating_sub(1),
                Long(name) => {
                    let Some(entry) = Entry::named(name) else {
                        return Err(ConfigError::Usage(no_option(name)));
                    };
                    let value = match entry.kind {
                        ValueKind::Switch => {
                            parser.optional_value().unwrap_or_else(|| "yes".into())
                        }
                        _ => parser.value().map_err(wrong)?,
                    };
                    let value = value.into_string().map_err(|_| {
                        ConfigError::Usage(format!("--{} needs text in UTF-8", entry.name))
                    })?;
                    this.say(entry, value)?;
                }
                other => return Err(wrong(other.unexpected())),
            }
            first = false;
        }
        Ok(this)
    }

    /// Lists and controls may be given several times; of anything else one value would be lost without a word.
    fn say(&mut self, entry: &'static Entry, value: String) -> Result<(), ConfigError> {
        let naming = format!("--{} {value:?}", entry.name);
        let Some(said) = self.said.iter_mut().find(|said| std::ptr::eq(said.entry, entry)) else {
            self.said.push(Said { entry, values: vec![value], naming, place: None });
            return Ok(());
        };
        match entry.kind {
            ValueKind::List(_) | ValueKind::Controls => {
                said.naming = format!("{} {naming}", said.naming);
                said.values.push(value);
                Ok(())
            }
            _ if said.values == [value] => Ok(()),
            _ => {
                let text = format!("{} and {naming} contradict each other: give one", said.naming);
                Err(ConfigError::Usage(text))
            }
        }
    }
}

fn no_option(name: &str) -> String {
    let meant = nearest::option(name);
    let meant = meant.map(|meant| format!(" (--{meant}?)")).unwrap_or_default();
    format!("--{name} is no option{meant}; lancam --help lists what works")
}
