//! What `lancam pair` was asked for: one thing to do with the code or the keys.

use crate::camera::access::keys::Sealing;
use crate::nearest;
use crate::wire::access::code::Code;
use crate::wire::access::key::May;
use crate::wording::{TYPE, must_be, shell_word};
use std::fmt;

/// What to do with the code or the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairOrder {
    /// Show the code, and what to type on another computer.
    Show,
    /// Make a key.
    Make {
        /// Its name.
        name: String,
        /// What it allows.
        may: May,
        /// Whether it is accepted without TLS.
        sealing: Sealing,
    },
    /// List the keys.
    List,
    /// Revoke the key with this name.
    Revoke(String),
    /// Replace the code.
    NewCode,
}

/// As it is typed behind `lancam pair`, with a space before each word.
impl fmt::Display for PairOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Show => Ok(()),
            Self::Make { name, may, sealing } => {
                write!(f, " --name {}", shell_word(name))?;
                if *may == May::Control {
                    write!(f, " --may {}", may.word())?;
                }
                match sealing {
                    Sealing::TlsOnly => Ok(()),
                    Sealing::PlainToo => f.write_str(" --plain"),
                }
            }
            Self::List => f.write_str(" --list"),
            Self::Revoke(name) => write!(f, " --revoke {}", shell_word(name)),
            Self::NewCode => f.write_str(" --new-code"),
        }
    }
}

/// The options of `lancam pair` alone, and those of the whole program that it takes too.
const OPTIONS: [&str; 6] = ["name", "may", "plain", "list", "revoke", "new-code"];
pub(super) const SHARED: [&str; 2] = ["state", "config"];

/// What was typed so far.
#[derive(Debug, Default)]
pub(super) struct Typed {
    name: Option<String>,
    may: Option<May>,
    sealing: Option<Sealing>,
    /// One of those that stand alone, with its option.
    alone: Option<(&'static str, PairOrder)>,
    /// What was wrong with the first word that is not an option. The rest is what it means.
    wrong: Option<&'static str>,
}

/// What stands for the value of an option in messages.
pub(super) fn placeholder(option: &str) -> &'static str {
    if option == "may" { "watch|control" } else { "NAME" }
}

const OPTION_WITH_DASHES: &str = "an option of lancam pair begins with two dashes";
const NAME_BEHIND_OPTION: &str = "write the name of a new key behind --name";
const ALONE: &str = "lancam pair alone shows the code, and where to type it";

/// Whether this is the code, or a word for it. A person who types that wants to see the code, and does not name a key.
fn is_the_code(word: &str) -> bool {
    // Names have twelve letters too.
    let is_code =
        word.contains(|letter: char| letter.is_ascii_digit()) && Code::parse(word).is_ok();
    is_code || ["code", "show"].contains(&word)
}

/// The option of `lancam pair` that is nearest to this one, with its dashes.
pub(super) fn meant(option: &str) -> Option<String> {
    nearest::of(option, OPTIONS.into_iter().chain(SHARED)).map(|name| format!("--{name}"))
}

/// Whether this is the name of an option of `lancam pair`.
pub(super) fn is_long(name: &str) -> bool {
    OPTIONS.iter().chain(&SHARED).chain(&["help", "version"]).any(|option| *option == name)
}

impl Typed {
    /// Whether this is an option that a value follows.
    pub(super) fn takes_value(option: &str) -> bool {
        ["name", "may", "revoke"].contains(&option)
    }

    /// Takes an option with its value, which is empty if it has none. Returns whether there is such an option.
    ///
    /// # Errors
    /// What is wrong, and what is expected.
    pub(super) fn take(&mut self, option: &str, value: &str) -> Result<bool, String> {
        match option {
            "name" => self.name = Some(name("--name", value)?),
            "may" => {
                let wrong = || must_be("--may", "watch or control", value);
                self.may = Some(May::parse(value).ok_or_else(wrong)?);
            }
            "plain" => self.sealing = Some(Sealing::PlainToo),
            "list" => self.alone("--list", PairOrder::List)?,
            "new-code" => self.alone("--new-code", PairOrder::NewCode)?,
            "revoke" => self.alone("--revoke", PairOrder::Revoke(name("--revoke", value)?))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes a word that is not an option as what it means: an option without its dashes, or the name of a key. `next` takes the
    /// word behind it, unless that is an option.
    ///
    /// # Errors
    /// What is wrong, and what is expected.
    pub(super) fn take_word(
        &mut self,
        word: &str,
        next: impl FnOnce() -> Option<String>,
    ) -> Result<(), String> {
        let option = &*word.to_lowercase();
        if OPTIONS.contains(&option) {
            self.wrong.get_or_insert(OPTION_WITH_DASHES);
            let example = if option == "may" { May::Watch.word() } else { "HA" };
            let value = Self::takes_value(option).then(next).flatten();
            return self.take(option, value.as_deref().unwrap_or(example)).map(|_| ());
        }
        if is_the_code(option) {
            self.wrong.get_or_insert(ALONE);
            return Ok(());
        }
        self.wrong.get_or_insert(NAME_BEHIND_OPTION);
        // Another word of a name without quotes.
        let name = match &self.name {
            Some(begin) => format!("{begin} {word}"),
            None => word.to_owned(),
        };
        self.take("name", &name).map(|_| ())
    }

    fn alone(&mut self, option: &'static str, order: PairOrder) -> Result<(), String> {
        match self.alone.replace((option, order)) {
            Some((other, _)) => Err(both(other, option)),
            None => Ok(()),
        }
    }

    /// What all that means. `shared`: the options of the whole program that were typed too, with a space before each word.
    ///
    /// # Errors
    /// When the options do not go together, or there was a word that is not an option.
    pub(super) fn order(self, shared: &str) -> Result<PairOrder, String> {
        let wrong = self.wrong;
        let order = self.meant(shared)?;
        match wrong {
            Some(why) => Err(format!("{why}. {TYPE}lancam pair{shared}{order}")),
            None => Ok(order),
        }
    }

    fn meant(self, shared: &str) -> Result<PairOrder, String> {
        let Self { name, may, sealing, alone, wrong: _ } = self;
        let of_a_key =
            [(name.is_some(), "--name"), (may.is_some(), "--may"), (sealing.is_some(), "--plain")];
        let of_a_key = of_a_key.into_iter().find_map(|(is_there, it)| is_there.then_some(it));
        match (alone, of_a_key, name) {
            (Some((alone, _)), Some(option), _) => Err(both(alone, option)),
            (Some((_, order)), None, _) => Ok(order),
            (None, None, _) => Ok(PairOrder::Show),
            (None, Some(_), Some(name)) => Ok(PairOrder::Make {
                name,
                may: may.unwrap_or(May::Watch),
                sealing: sealing.unwrap_or(Sealing::TlsOnly),
            }),
            (None, Some(option), None) => {
                let key = PairOrder::Make {
                    name: "HA".to_owned(),
                    may: may.unwrap_or(May::Watch),
                    sealing: sealing.unwrap_or(Sealing::TlsOnly),
                };
                Err(format!("{option} needs the name of a new key. {TYPE}lancam pair{shared}{key}"))
            }
        }
    }
}

fn both(one: &str, other: &str) -> String {
    format!("lancam pair does one thing at a time: give {one} or {other}")
}

fn name(option: &str, value: &str) -> Result<String, String> {
    match value.trim() {
        "" => Err(must_be(option, "the name of a key, such as HA", value)),
        name => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<PairOrder, String> {
        let mut typed = Typed::default();
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let option = word.trim_start_matches('-');
            let value = if Typed::takes_value(option) { words.next() } else { None };
            assert!(typed.take(option, value.unwrap_or_default())?, "{word}");
        }
        typed.order("")
    }

    fn key(may: May, sealing: Sealing) -> PairOrder {
        PairOrder::Make { name: "HA".into(), may, sealing }
    }

    #[test]
    fn each_use_of_pair_is_understood() {
        for (line, order) in [
            ("", PairOrder::Show),
            ("--name HA", key(May::Watch, Sealing::TlsOnly)),
            ("--may control --name HA", key(May::Control, Sealing::TlsOnly)),
            ("--plain --name HA --may watch", key(May::Watch, Sealing::PlainToo)),
            ("--list", PairOrder::List),
            ("--revoke HA", PairOrder::Revoke("HA".into())),
            ("--new-code", PairOrder::NewCode),
        ] {
            assert_eq!(parsed(&order.to_string()).as_ref(), Ok(&order), "{line}");
            assert_eq!(parsed(line), Ok(order), "{line}");
        }
        assert_eq!(Typed::default().take("quality", "80"), Ok(false));
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        for (line, text) in [
            ("--list --new-code", "one thing at a time: give --list or --new-code"),
            ("--revoke HA --plain", "one thing at a time: give --revoke or --plain"),
            ("--may control", "Type: lancam pair --name HA --may control"),
            ("--plain", "Type: lancam pair --name HA --plain"),
            ("--may all --name HA", "--may must be watch or control, not \"all\""),
            ("--revoke", "--revoke must be the name of a key, such as HA, not \"\""),
        ] {
            let error = parsed(line).expect_err(line);
            assert!(error.contains(text), "{line}: {error}");
        }
        assert_eq!(meant("lst").as_deref(), Some("--list"));
        assert_eq!(meant("sate").as_deref(), Some("--state"));
    }
}
