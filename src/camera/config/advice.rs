//! Messages about a wrong line of the file, with the line to write instead. Tests follow the
//! advice: it works as it stands.

use super::options::{Entry, InFile, ValueKind};
use super::{Config, meant};
use crate::decimal;
use crate::nearest;
use crate::plain::printable;
use crate::settings::code::may_set_one;
use crate::settings::statements::{MAX_MISTAKES, Mistake, MistakeKind};
use crate::settings::{device, quotes};
use crate::wording::{WRITE, curly_quotes, must_be, unknown};

/// Where to look for the options of the file.
const SEE: &str = "lancam --help lists the options; a camera's controls go below a line [controls]";
/// An example of a line.
const EXAMPLE: &str = "quality = 80";

/// What to say about a line that is not TOML.
pub(super) fn about(mistake: &Mistake, line: &str) -> String {
    let line = line.trim();
    if is_secret(mistake, line) {
        return secret(mistake, line);
    }
    if let Some(right) = quotes::shown(line) {
        return curly_quotes(&right);
    }
    match &mistake.kind {
        MistakeKind::Twice(key) => {
            format!("{} is set twice, and the first value is used; delete one", printable(key))
        }
        MistakeKind::TooMany => format!(
            "more than {MAX_MISTAKES} mistakes: this is not a configuration of lancam, and all of it is ignored"
        ),
        MistakeKind::NoQuotes(_) | MistakeKind::Syntax(_) => broken(mistake, line),
    }
}

/// What to say about a setting that stands in the file by two names.
pub(super) fn twice(key: &str, first: &str) -> String {
    let (key, first) = (printable(key), printable(first));
    format!("{key} is set twice, above as {first}, and the first value is used; delete one")
}

/// Other people may read logs and pages, so nothing of a password is shown.
fn is_secret(mistake: &Mistake, line: &str) -> bool {
    let is_device = |key: &str| device::TABLES.contains(&key);
    let key = mistake.key.as_deref().unwrap_or_default();
    let line = line.to_ascii_lowercase();
    let is_password = |word: &&str| key.contains(*word) || line.contains(*word);
    is_device(key) || may_set_one(&line) || ["psk", "pass"].iter().any(is_password)
}

fn secret(mistake: &Mistake, line: &str) -> String {
    let key = printable(line.split(['=', ':']).next().unwrap_or_default().trim());
    match mistake.kind {
        MistakeKind::Twice(_) => {
            format!("{key} is set twice, and the first value is used; delete one")
        }
        _ => format!("text needs straight quotes around it: {key} = \"...\""),
    }
}

/// What to say about a line that cannot be read.
fn broken(mistake: &Mistake, line: &str) -> String {
    if let Some(comment) = [";", "//"].iter().find_map(|sign| line.strip_prefix(sign)) {
        return format!("a comment begins with #. {WRITE}# {}", printable(comment.trim()));
    }
    if let Some(header) = line.strip_prefix('[').filter(|header| !header.contains(']')) {
        return format!("a bracket is missing. {WRITE}[{}]", printable(header.trim()));
    }
    let (key, value) = taken_apart(line);
    if let Some(entry) = Entry::named(key) {
        return match said_right(entry, value) {
            Said::Right(right) if value.is_empty() => {
                format!("{key} has no value. {WRITE}{right}")
            }
            Said::Right(right) => format!("this line cannot be read. {WRITE}{right}"),
            Said::Wrong(why) => why,
        };
    }
    let is_key = !key.is_empty() && !value.is_empty();
    if is_key && meant::option(key).is_some() {
        return unknown_key(key, value);
    }
    let why = match &mistake.kind {
        MistakeKind::Syntax(why) => format!(": {why}"),
        _ => String::new(),
    };
    format!("this line cannot be read{why}. A line is KEY = VALUE, such as {EXAMPLE}")
}

/// The key and the value of a line, whatever separates them, without a comment and without quotes.
fn taken_apart(line: &str) -> (&str, &str) {
    let line = line.split(" #").next().unwrap_or(line);
    let (key, value) = line
        .split_once('=')
        .or_else(|| line.split_once(": "))
        .or_else(|| line.split_once(char::is_whitespace))
        .unwrap_or((line, ""));
    let is_quote = |letter: char| letter == '"' || letter == '\'';
    (key.trim().trim_matches(is_quote), value.trim().trim_matches(is_quote).trim())
}

/// What to say about a key that is not an option.
pub(super) fn unknown_key(key: &str, written: &str) -> String {
    let meant = meant::option(key);
    let elsewhere = belongs_elsewhere(key);
    let text = unknown("option", key, meant, elsewhere.as_deref().unwrap_or(SEE));
    let entry = meant.and_then(Entry::named);
    let value = written.trim_matches(['"', '\'']);
    match entry.and_then(|entry| statement(entry, value).or_else(|| example(entry))) {
        Some(right) => format!("{text} {WRITE}{right}"),
        None => text,
    }
}

/// The table that `name` is nearly the name of.
pub(super) fn meant_table(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let tables = device::TABLES.into_iter().chain(["controls", "csi"]);
    match &*lower {
        "wlan" | "network" | "wireless" => Some("wifi"),
        _ => nearest::of(&lower, tables),
    }
}

/// What to say about an unknown table.
pub(super) fn unknown_table(name: &str) -> String {
    unknown(
        "table",
        &format!("[{name}]"),
        meant_table(name).map(|meant| format!("[{meant}]")).as_deref(),
        "options go at the top of the file, controls below a line [controls]",
    )
}

/// Where a key belongs that does not work at the top of the file, or what there is instead of it.
fn belongs_elsewhere(key: &str) -> Option<String> {
    let below =
        |table| format!("write it below a line [{table}]. That works on lancam's SD card only");
    Some(match &*key.to_lowercase() {
        "ssid" | "psk" | "country" => below("wifi"),
        "authorized_keys" => below("ssh"),
        "code" => below("device") + ". On other systems, type: sudo lancam pair --new-code",
        "password" | "user" | "username" | "auth" => {
            "lancam has no passwords: viewers need the camera's code, which lancam pair shows"
                .to_owned()
        }
        _ => return None,
    })
}

/// What to say about a value whose type is wrong for the option: a list, a table, a date.
pub(super) fn wrong_kind(entry: &Entry, written: &str) -> String {
    let value = written.trim_matches(['[', ']', ' ']).trim_matches(['"', '\'']);
    let right = Some(value).filter(|it| !it.is_empty()).and_then(|it| statement(entry, it));
    let right = right.or_else(|| example(entry)).unwrap_or_default();
    let kind = match entry.kind {
        ValueKind::List(_) => "a list of texts, each in quotes",
        _ => "one value",
    };
    format!("{} must be {kind}. {WRITE}{right}", entry.name)
}

enum Said {
    /// The right line.
    Right(String),
    /// What is wrong with the value.
    Wrong(String),
}

fn said_right(entry: &Entry, value: &str) -> Said {
    let right = match value {
        "" => example(entry),
        _ => statement(entry, value),
    };
    match right {
        Some(right) => Said::Right(right),
        None => {
            let wrong = (entry.set)(&mut Config::default(), value).err();
            let why = wrong.map(|wrong| wrong.about(entry.name, value));
            Said::Wrong(why.unwrap_or_else(|| must_be(entry.name, "one value", value)))
        }
    }
}

/// The line that sets an option to `value`, if that is a valid value.
fn statement(entry: &Entry, value: &str) -> Option<String> {
    let InFile::Key(_) = entry.in_file else { return None };
    (entry.set)(&mut Config::default(), value).ok()?;
    let name = entry.name;
    Some(match entry.kind {
        ValueKind::Number => {
            let number: f64 = decimal::parse(value)?;
            format!("{name} = {number}")
        }
        ValueKind::Switch => {
            let is_on = ["1", "true", "yes", "on"].contains(&value);
            format!("{name} = {is_on}")
        }
        ValueKind::Text | ValueKind::List(_) | ValueKind::Controls => {
            format!("{name} = \"{}\"", printable(value).replace('\\', "\\\\").replace('"', "\\\""))
        }
    })
}

/// The example from the table of options.
fn example(entry: &Entry) -> Option<String> {
    match entry.in_file {
        InFile::Key(example) => Some(format!("{} = {example}", entry.name)),
        InFile::No(_) => None,
    }
}
