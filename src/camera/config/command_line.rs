//! Parses the command line: the command and the options, not applied yet.

use super::options::{Entry, ValueKind};
use super::pair::{self, PairOrder, Typed};
use super::{ConfigError, Said, meant};
use crate::one_dash::{Found, OneDash};
use crate::wording::{TYPE, given_twice, needs_a_value, shell_word, unknown};
use lexopt::Arg::{Long, Short, Value};
use std::ffi::{OsStr, OsString};
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
        let (mut first, mut dashes) = (true, OneDash::default());
        loop {
            if let Some(found) = dashes.next(&mut parser, meant::is_long) {
                match told(&found) {
                    Some(verb) => this.verb = verb,
                    None => return Err(one_dash(&found)),
                }
                break;
            }
            let Some(argument) = parser.next().map_err(wrong)? else { break };
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
                    Some(entry) => {
                        let called = format!("--{name}");
                        this.option(entry, called, &mut parser)?;
                    }
                    None if name == "host" => {
                        let value = parser.value().ok().and_then(|value| value.into_string().ok());
                        return Err(host(value.as_deref()));
                    }
                    None => return Err(no_option(&format!("--{name}"))),
                },
                Short(letter) => this.letter(letter, &mut parser)?,
                Value(file) if this.verb == Verb::Check => return Err(checked_file(&file)),
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
        let (mut typed, mut dashes) = (Typed::default(), OneDash::default());
        loop {
            if let Some(found) = dashes.next(parser, pair::is_long) {
                let (typed, meant) = (format!("-{}", found.name), format!("--{}", found.name));
                return told(&found).ok_or_else(|| no_option_of_pair(&typed, Some(&meant)));
            }
            let Some(argument) = parser.next().map_err(wrong)? else { break };
            match argument {
                Long("help") | Short('h') => return Ok(Verb::Help),
                Long("version") | Short('V') => return Ok(Verb::Version),
                Short('v') => self.verbosity = self.verbosity.saturating_add(1),
                Short('q') => self.verbosity = self.verbosity.saturating_sub(1),
                Long(name) if pair::SHARED.contains(&name) => {
                    let entry = Entry::named(name).expect("it is in the table");
                    let called = format!("--{name}");
                    self.option(entry, called, parser)?;
                }
                Long(name) => {
                    let name = name.to_owned();
                    let value = match Typed::takes_value(&name) {
                        true => value(parser, &format!("--{name}"), pair::placeholder(&name))?,
                        false => String::new(),
                    };
                    if !typed.take(&name, &value).map_err(usage)? {
                        let meant = pair::meant(&name);
                        return Err(no_option_of_pair(&format!("--{name}"), meant.as_deref()));
                    }
                }
                Value(word) if word == "help" || word == "version" => {
                    let option = word.to_string_lossy().into_owned();
                    return Err(no_option(&option));
                }
                Value(word) => {
                    let word = word.to_string_lossy().into_owned();
                    typed.take_word(&word, || next_word(parser)).map_err(usage)?;
                }
                other @ Short(_) => return Err(wrong(other.unexpected())),
            }
        }
        let said =
            self.said.iter().flat_map(|said| said.values.iter().map(move |it| (said.entry, it)));
        let shared = said.map(|(entry, it)| format!(" --{} {}", entry.name, shell_word(it)));
        typed.order(&shared.collect::<String>()).map(Verb::Pair).map_err(usage)
    }

    /// Parses an option of one letter.
    fn letter(&mut self, letter: char, parser: &mut lexopt::Parser) -> Result<(), ConfigError> {
        let called = format!("-{letter}");
        match meant::typed_letter(letter) {
            Some(entry) => self.option(entry, called, parser),
            None => Err(no_option(&called)),
        }
    }

    /// Parses the value of an option. `called`: the option as it was typed.
    fn option(
        &mut self,
        entry: &'static Entry,
        called: String,
        parser: &mut lexopt::Parser,
    ) -> Result<(), ConfigError> {
        let value = match entry.kind {
            ValueKind::Switch => parser.optional_value().unwrap_or_else(|| "yes".into()),
            _ => parser.value().map_err(|_| usage(needs_a_value(&called, entry.value)))?,
        };
        let not_text = |_| usage(format!("the value of {called} is not UTF-8"));
        let value = value.into_string().map_err(not_text)?;
        self.say(entry, called, value)
    }

    /// Adds an option. Lists and controls may be given several times. Of other options, one of two
    /// values would be lost without notice.
    fn say(
        &mut self,
        entry: &'static Entry,
        called: String,
        value: String,
    ) -> Result<(), ConfigError> {
        let Some(said) = self.said.iter_mut().find(|said| std::ptr::eq(said.entry, entry)) else {
            self.said.push(Said { entry, values: vec![value], called, place: None });
            return Ok(());
        };
        match entry.kind {
            ValueKind::List(_) | ValueKind::Controls => said.values.push(value),
            _ if said.values == [value.as_str()] => {}
            _ => {
                let first = said.values.join(" ");
                return Err(usage(given_twice(&called, Some([&first, &value]))));
            }
        }
        Ok(())
    }
}

fn usage(text: impl Into<String>) -> ConfigError {
    ConfigError::Usage(text.into())
}

/// The message for an argument where none belongs.
fn wrong(error: lexopt::Error) -> ConfigError {
    match error {
        lexopt::Error::UnexpectedArgument(word) => {
            usage(format!("unexpected word {word:?}; {SEE_HELP}"))
        }
        other => usage(format!("{other}; {SEE_HELP}")),
    }
}

/// The message for an option that does not exist, with its dashes.
fn no_option(called: &str) -> ConfigError {
    let meant = meant::option_typed(called.trim_start_matches('-'));
    // A letter is near to nothing.
    let meant = meant.filter(|_| called.chars().count() > 2);
    usage(unknown("option", called, meant.as_deref(), SEE_HELP))
}

/// What `-help` and `-version` are taken for: for what they mean, as always.
fn told(found: &Found) -> Option<Verb> {
    match &*found.name {
        "help" => Some(Verb::Help),
        "version" => Some(Verb::Version),
        _ => None,
    }
}

/// The message for a long option with one dash.
fn one_dash(found: &Found) -> ConfigError {
    match &*found.name {
        "host" => host(found.value.as_deref()),
        name => no_option(&format!("-{name}")),
    }
}

/// The message for an option that `lancam pair` does not have, with its dashes.
fn no_option_of_pair(called: &str, meant: Option<&str>) -> ConfigError {
    usage(unknown("option of lancam pair", called, meant, SEE_HELP))
}

/// The message for `lancam check FILE`.
fn checked_file(file: &OsStr) -> ConfigError {
    let file = shell_word(&file.to_string_lossy());
    usage(format!("the file to check is named by --config. {TYPE}lancam check --config {file}"))
}

/// The value behind an option of `lancam pair`.
fn value(
    parser: &mut lexopt::Parser,
    called: &str,
    placeholder: &str,
) -> Result<String, ConfigError> {
    let value = parser.value().map_err(|_| usage(needs_a_value(called, placeholder)))?;
    Ok(value.to_string_lossy().into_owned())
}

/// The next word, unless it is an option.
fn next_word(parser: &mut lexopt::Parser) -> Option<String> {
    let word = parser.try_raw_args()?.next_if(|word| !word.to_string_lossy().starts_with('-'))?;
    Some(word.to_string_lossy().into_owned())
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
        true => {
            format!("a source is named by --source. {TYPE}lancam --source {}", shell_word(word))
        }
        false => SEE_HELP.to_owned(),
    };
    unknown("command", word, meant.as_deref().filter(|_| !is_source), &otherwise)
}

/// The message for `--host`. Other programs have one option for the address and one for the port.
fn host(value: Option<&str>) -> ConfigError {
    let address = match value {
        Some("localhost") => Some([127, 0, 0, 1].into()),
        Some(text) => text.parse::<IpAddr>().ok(),
        None => None,
    };
    let address = SocketAddr::new(address.unwrap_or([0, 0, 0, 0].into()), 8080);
    usage(format!(
        "--listen takes the address and the port together. {TYPE}lancam --listen {}",
        shell_word(&address.to_string())
    ))
}
