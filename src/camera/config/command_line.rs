//! Parses the command line: the command and the options, not applied yet.

use super::options::{Entry, ValueKind};
use super::pair::{self, PairOrder, Typed};
use super::{ConfigError, Said, meant};
use crate::wording::{TYPE, unknown};
use lexopt::Arg::{Long, Short, Value};
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// The command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    Run,
    List { json: bool },
    Check,
    SelfTest,
    Pair(PairOrder),
    Version,
    Help,
}

/// The hint when there is nothing better to say.
const SEE_HELP: &str = "lancam --help lists what works";
/// For people who have read about the image's setup and type `lancam setup`.
const SETUP: &str = "setup is a program of its own, lancam-setup, and only on lancam's SD card";

/// A parsed command line.
pub(super) struct Arguments {
    pub(super) verb: Verb,
    /// The options, each once.
    pub(super) said: Vec<Said>,
    /// The number of `-v` minus the number of `-q`.
    pub(super) verbosity: i8,
}

impl Arguments {
    pub(super) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, ConfigError> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut this = Self { verb: Verb::Run, said: Vec::new(), verbosity: 0 };
        let mut first = true;
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Value(word) if first && word == "pair" => {
                    this.verb = this.pair(&mut parser)?;
                    break;
                }
                Value(word) if first => this.verb = verb(&word.to_string_lossy())?,
                Long("json") => match &this.verb {
                    Verb::List { .. } => this.verb = Verb::List { json: true },
                    _ => return Err(usage("--json goes with lancam list alone")),
                },
                Long("help") | Short('h') => this.verb = Verb::Help,
                Long("version") | Short('V') => this.verb = Verb::Version,
                Short('v') => this.verbosity = this.verbosity.saturating_add(1),
                Short('q') => this.verbosity = this.verbosity.saturating_sub(1),
                Long(name) => match meant::typed(name) {
                    Some(entry) => this.option(entry, &mut parser)?,
                    None if name == "host" => return Err(host(parser.value().ok())),
                    None => {
                        let meant = meant::option_typed(name);
                        let name = format!("--{name}");
                        return Err(usage(unknown("option", &name, meant.as_deref(), SEE_HELP)));
                    }
                },
                Short(letter) => match meant::typed_letter(letter) {
                    Some(entry) => this.option(entry, &mut parser)?,
                    None => {
                        return Err(usage(unknown(
                            "option",
                            &format!("-{letter}"),
                            None,
                            SEE_HELP,
                        )));
                    }
                },
                Value(word) if meant::COMMANDS.iter().any(|it| word == *it) => {
                    let word = word.to_string_lossy();
                    let text = format!("the command goes first. {TYPE}lancam {word}");
                    return Err(usage(text));
                }
                other @ Value(_) => return Err(wrong(other.unexpected())),
            }
            if matches!(this.verb, Verb::Help | Verb::Version) {
                break;
            }
            first = false;
        }
        Ok(this)
    }

    /// Parses what follows `lancam pair`, whose `--name` and `--plain` are those of a key.
    fn pair(&mut self, parser: &mut lexopt::Parser) -> Result<Verb, ConfigError> {
        let mut typed = Typed::default();
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Long("help") | Short('h') => return Ok(Verb::Help),
                Long("version") | Short('V') => return Ok(Verb::Version),
                Short('v') => self.verbosity = self.verbosity.saturating_add(1),
                Short('q') => self.verbosity = self.verbosity.saturating_sub(1),
                Long(name) if pair::SHARED.contains(&name) => {
                    let entry = Entry::named(name).expect("it is in the table");
                    self.option(entry, parser)?;
                }
                Long(name) => {
                    let name = name.to_owned();
                    let value = match Typed::takes_value(&name) {
                        true => parser.value().map_err(wrong)?.to_string_lossy().into_owned(),
                        false => String::new(),
                    };
                    if !typed.take(&name, &value).map_err(usage)? {
                        let meant = pair::meant(&name);
                        let name = format!("--{name}");
                        let kind = "option of lancam pair";
                        return Err(usage(unknown(kind, &name, meant.as_deref(), SEE_HELP)));
                    }
                }
                other => return Err(wrong(other.unexpected())),
            }
        }
        typed.order().map(Verb::Pair).map_err(usage)
    }

    /// Parses the value of an option.
    fn option(
        &mut self,
        entry: &'static Entry,
        parser: &mut lexopt::Parser,
    ) -> Result<(), ConfigError> {
        let value = match entry.kind {
            ValueKind::Switch => parser.optional_value().unwrap_or_else(|| "yes".into()),
            _ => parser.value().map_err(wrong)?,
        };
        let not_text = |_| usage(format!("the value of --{} is not UTF-8", entry.name));
        self.say(entry, value.into_string().map_err(not_text)?)
    }

    /// Adds an option. Lists and controls may be given several times. Of other options, one of two
    /// values would be lost without notice.
    fn say(&mut self, entry: &'static Entry, value: String) -> Result<(), ConfigError> {
        let called = format!("--{}", entry.name);
        let Some(said) = self.said.iter_mut().find(|said| std::ptr::eq(said.entry, entry)) else {
            self.said.push(Said { entry, values: vec![value], called, place: None });
            return Ok(());
        };
        match entry.kind {
            ValueKind::List(_) | ValueKind::Controls => said.values.push(value),
            _ if said.values == [value.as_str()] => {}
            _ => {
                let first = said.values.join(" ");
                let text = format!("{called} is given twice, as {first:?} and {value:?}: give one");
                return Err(usage(text));
            }
        }
        Ok(())
    }
}

fn usage(text: impl Into<String>) -> ConfigError {
    ConfigError::Usage(text.into())
}

fn wrong(error: impl std::fmt::Display) -> ConfigError {
    usage(format!("{error}; {SEE_HELP}"))
}

/// The command called `word`.
fn verb(word: &str) -> Result<Verb, ConfigError> {
    Ok(match word {
        "run" => Verb::Run,
        "list" => Verb::List { json: false },
        "check" => Verb::Check,
        "selftest" => Verb::SelfTest,
        "version" => Verb::Version,
        "help" => Verb::Help,
        "setup" => return Err(usage(SETUP)),
        _ => return Err(usage(no_command(word))),
    })
}

/// The message for an unknown command. It may be a source without `--source`, which other programs
/// accept.
fn no_command(word: &str) -> String {
    let is_source = ["auto", "test", "-"].contains(&word)
        || word.starts_with("test:")
        || Path::new(word).exists();
    let meant = meant::command(word);
    let otherwise = match is_source {
        true => format!("a source is named by --source. {TYPE}lancam --source {word}"),
        false => SEE_HELP.to_owned(),
    };
    unknown("command", word, meant.as_deref().filter(|_| !is_source), &otherwise)
}

/// The message for `--host`. Other programs have one option for the address and one for the port.
fn host(value: Option<OsString>) -> ConfigError {
    let value = value.and_then(|value| value.into_string().ok());
    let address = match value.as_deref() {
        Some("localhost") => Some([127, 0, 0, 1].into()),
        Some(text) => text.parse::<IpAddr>().ok(),
        None => None,
    };
    let address = SocketAddr::new(address.unwrap_or([0, 0, 0, 0].into()), 8080);
    usage(format!(
        "--listen takes the address and the port together. {TYPE}lancam --listen {address}"
    ))
}
