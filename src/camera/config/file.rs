//! The configuration file: its text, its keys, and every mistake with its line.

use super::options::{Entry, InFile, ValueKind};
use super::{Config, Place, Problem, Said, nearest};
use crate::settings::lines::line_at;
use crate::settings::reading::{self, Remark, Weight};
use crate::settings::statements::{self, MAX_MISTAKES, Mistake, MistakeKind, Statement, Value};
use crate::settings::{device, quotes};
use nix::libc;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A hundred times what anybody would write.
const MAX_LEN: usize = 64 << 10;

/// A name that options and controls both have.
const CONTROL_TOO: &str = "rotate";

/// What the file at `path` says. What is wrong with it is left out, and added to `problems`.
pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> Vec<Said> {
    let mut reading = Reading { path, text: String::new(), problems, said: Vec::new() };
    match bytes(path) {
        Ok(bytes) => reading.text(bytes),
        Err(why) => reading.problem(None, why),
    }
    reading.said
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "; --config FILE names another",
            io::ErrorKind::PermissionDenied => "; readable for this user it would work",
            io::ErrorKind::IsADirectory => "; the file in it would work",
            _ => "",
        };
        format!("cannot be read: {error}{hint}")
    };
    // A pipe with nobody at its other end would be waited for.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_LEN).unwrap_or(u64::MAX) + 1;
    file.and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() > MAX_LEN {
        return Err(format!("is longer than {} kB, which no configuration is", MAX_LEN >> 10));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16 text; saved as UTF-8 it would work".into());
    }
    Ok(bytes)
}

struct Reading<'a> {
    path: &'a Path,
    text: String,
    problems: &'a mut Vec<Problem>,
    said: Vec<Said>,
}

impl Reading<'_> {
    fn text(&mut self, mut bytes: Vec<u8>) {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        for _ in 0..MAX_MISTAKES {
            let Err(error) = std::str::from_utf8(&bytes) else { break };
            let at = error.valid_up_to();
            let start = bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |it| it + 1);
            let end = bytes[at..]
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(bytes.len(), |it| at + it);
            let place = Place {
                file: self.path.into(),
                line: bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1,
                column: String::from_utf8_lossy(&bytes[start..at]).chars().count() + 1,
            };
            let text =
                format!("the byte 0x{:02x} is not UTF-8; saved as UTF-8 it would work", bytes[at]);
            self.problems.push(Problem { place: Some(place), text });
            bytes[start..end].fill(b' ');
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.text = text,
            Err(_) => return self.problem(None, "is not UTF-8, so nothing in it counts".into()),
        }
        let (statements, mistakes) = statements::read(&self.text);
        for mistake in mistakes {
            let curly = quotes::shown(line_at(&self.text, mistake.at));
            let text = curly.map_or_else(|| told(&mistake), |right| curly_quotes(&right));
            self.problem(Some(mistake.at), text);
        }
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: Statement) {
        let Statement { key, key_at, value, value_at } = &statement;
        if key == "controls" {
            return self.controls(statement);
        }
        if key == "csi" {
            return self.csi(statement);
        }
        if device::TABLES.contains(&key.as_str()) {
            return self.device(&statement);
        }
        let naming = self.naming(&statement);
        if let Some(right) = quotes::shown(&naming) {
            return self.problem(Some(value_at.start), curly_quotes(&right));
        }
        match Entry::named(key) {
            None if matches!(value, Value::Table(_)) => {
                let text = format!(
                    "there is no table [{key}]: keys at the top of the file, controls below [controls], and settings of a ribbon camera below [csi] would work"
                );
                self.problem(Some(key_at.start), text);
            }
            None => {
                let would_work = match nearest::option(key) {
                    Some(meant) => format!("{meant} would work"),
                    None => "lancam --help lists options, and controls of the camera stand below [controls]".into(),
                };
                self.problem(Some(key_at.start), format!("{key:?} is no option: {would_work}"));
            }
            Some(Entry { in_file: InFile::No(instead), .. }) => {
                let text = format!("{key} is not for this file: {instead} would work");
                self.problem(Some(key_at.start), text);
            }
            Some(entry) => match texts(entry, value) {
                Ok(values) => self.say(entry, values, naming, value_at.start),
                Err(would_work) => {
                    let text = format!("{naming} cannot be: {would_work} would work");
                    self.problem(Some(value_at.start), text);
                }
            },
        }
    }

    /// A table about the device: `lancam-setup` follows it. Its mistakes are told here too.
    fn device(&mut self, statement: &Statement) {
        let mut read = reading::Reading::default();
        device::read_table(statement, &self.text, &mut read);
        for Remark { weight, at, text } in read.remarks {
            if weight == Weight::Complaint {
                self.problem(at, text);
            }
        }
    }

    fn controls(&mut self, statement: Statement) {
        let set = Entry::named("set").expect("it is in the table");
        let Value::Table(controls) = statement.value else {
            let text =
                "controls is a table: a line [controls], and NAME = VALUE below it, would work";
            return self.problem(Some(statement.key_at.start), text.into());
        };
        for control in controls {
            let naming = self.naming(&control);
            if let Some(right) = quotes::shown(&naming) {
                self.problem(Some(control.value_at.start), curly_quotes(&right));
                continue;
            }
            let Statement { key, key_at, value, value_at } = control;
            if key != CONTROL_TOO && Entry::named(&key).is_some() {
                let text = format!(
                    "{key} is no control of a camera, but an option: above the line [controls] it would work"
                );
                self.problem(Some(key_at.start), text);
                continue;
            }
            self.named(set, &key, value, naming, value_at.start);
        }
    }

    /// The settings of a ribbon camera.
    fn csi(&mut self, statement: Statement) {
        let set = Entry::named("csi-option").expect("it is in the table");
        let Value::Table(settings) = statement.value else {
            let text = "csi is a table: a line [csi], and NAME = VALUE below it, would work";
            return self.problem(Some(statement.key_at.start), text.into());
        };
        for setting in settings {
            let naming = self.naming(&setting);
            if let Some(right) = quotes::shown(&naming) {
                self.problem(Some(setting.value_at.start), curly_quotes(&right));
                continue;
            }
            let Statement { key, value, value_at, .. } = setting;
            self.named(set, &key, value, naming, value_at.start);
        }
    }

    /// A name and its value, of which there are many for one option.
    fn named(&mut self, set: &'static Entry, key: &str, value: Value, naming: String, at: usize) {
        let value = match value {
            Value::Text(text) | Value::Number(text) => text,
            Value::Truth(truth) => u8::from(truth).to_string(),
            Value::List(_) | Value::Table(_) | Value::Other => {
                let text = format!(
                    "{naming} cannot be: a number, true, false, or text in quotes would work"
                );
                return self.problem(Some(at), text);
            }
        };
        self.say(set, vec![format!("{key}={value}")], naming, at);
    }

    fn say(&mut self, entry: &'static Entry, values: Vec<String>, naming: String, at: usize) {
        let place = Some(self.place(at));
        self.said.push(Said { entry, values, naming, place });
    }

    /// A statement as it is written, if that is short.
    fn naming(&self, statement: &Statement) -> String {
        const SHORT: usize = 60;
        let written =
            self.text.get(statement.key_at.start..statement.value_at.end).unwrap_or_default();
        let line: String = written
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|it| !it.is_control())
            .collect();
        match line.char_indices().nth(SHORT) {
            Some((end, _)) => format!("{} …", &line[..end]),
            None => line,
        }
    }

    fn problem(&mut self, at: Option<usize>, text: String) {
        let whole_file = Place { file: self.path.into(), line: 0, column: 0 };
        let place = Some(at.map_or(whole_file, |at| self.place(at)));
        self.problems.push(Problem { place, text });
    }

    fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            file: self.path.into(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
        }
    }
}

/// What a value of the file would be on the command line, or what would work instead of it.
fn texts(entry: &Entry, value: &Value) -> Result<Vec<String>, String> {
    let works = |text: &String| (entry.set)(&mut Config::default(), text).is_ok();
    match (entry.kind, value) {
        (ValueKind::Switch, Value::Truth(true)) => Ok(vec!["yes".into()]),
        (ValueKind::Switch, Value::Truth(false)) => Ok(vec!["no".into()]),
        (ValueKind::Switch, _) => Err("true or false, without quotes,".into()),
        (ValueKind::Number, Value::Number(number)) => Ok(vec![number.clone()]),
        (ValueKind::Number, Value::Text(text)) if works(text) => {
            Err(format!("{text}, without quotes,"))
        }
        (ValueKind::Number, _) => Err("a number".into()),
        (_, Value::Text(text)) => Ok(vec![text.clone()]),
        (ValueKind::List(_), Value::List(values)) => {
            let text = |value: &Value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            };
            let all: Option<Vec<_>> = values.iter().map(text).collect();
            all.ok_or_else(|| "a list of texts, each in quotes,".into())
        }
        (ValueKind::List(_), _) => Err("text in quotes, or a list of such in [ ],".into()),
        (ValueKind::Text | ValueKind::Controls, Value::Number(text)) if works(text) => {
            Err(format!("{text:?}"))
        }
        (ValueKind::Text | ValueKind::Controls, _) => Err("text in quotes".into()),
    }
}

/// What to say of a line with curly quotes, by the line with straight ones.
fn curly_quotes(right: &str) -> String {
    format!("this line has curly quotes. Write straight ones: {right}")
}

fn told(mistake: &Mistake) -> String {
    let kind = mistake.key.as_deref().and_then(Entry::named).map(|entry| entry.kind);
    match (&mistake.kind, &mistake.key) {
        (MistakeKind::NoQuotes(_), Some(key))
            if key.contains("psk") || device::TABLES.contains(&key.as_str()) =>
        {
            // Logs and pages are read by others.
            format!("text has quotes around it: {key} = \"…\" would work")
        }
        (MistakeKind::NoQuotes(_), Some(key)) if matches!(kind, Some(ValueKind::Switch)) => {
            format!("{key} is a switch: {key} = true or {key} = false would work")
        }
        (MistakeKind::NoQuotes(_), Some(key)) if matches!(kind, Some(ValueKind::Number)) => {
            format!("{key} is a number, and this is none")
        }
        (MistakeKind::NoQuotes(words), _) => {
            format!("text has quotes around it: \"{words}\" would work instead of {words}")
        }
        (MistakeKind::Twice(key), _) => {
            format!("{key} is here a second time, and the first one counts: one of them would work")
        }
        (MistakeKind::Syntax(what), Some(key)) => {
            format!(
                "{what} (in the value of {key}); KEY = VALUE would work, such as quality = 80 or name = \"Garage\""
            )
        }
        (MistakeKind::Syntax(what), None) => {
            format!("{what}; KEY = VALUE would work, such as quality = 80 or name = \"Garage\"")
        }
        (MistakeKind::TooMany, _) => {
            format!(
                "more than {MAX_MISTAKES} mistakes: this is no configuration of lancam, and nothing in it counts"
            )
        }
    }
}
