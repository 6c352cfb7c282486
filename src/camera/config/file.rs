//! Reads the configuration file: its text and its keys, and every mistake with its line.

use super::options::{Entry, InFile, ValueKind};
use super::{Place, Problem, Said, advice};
use crate::settings::lines::line_at;
use crate::settings::reading::{self, Remark, Weight};
use crate::settings::statements::{self, MAX_MISTAKES, Statement, Value};
use crate::settings::{device, quotes};
use crate::source::CsiSetting;
use crate::wording::{curly_quotes, is_a_table, must_be, reason};
use nix::libc;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The greatest length: a hundred times what anybody would write.
const MAX_LEN: usize = 64 << 10;

/// A name that an option and a control share.
const CONTROL_TOO: &str = "rotate";

/// Reads the file at `path`. Leaves out what is wrong, and adds it to `problems`.
pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> Vec<Said> {
    let mut reading = Reading { path, text: String::new(), problems, said: Vec::new() };
    match bytes(path) {
        Ok(bytes) => reading.text(bytes),
        Err(why) => reading.problem(None, why),
    }
    reading.said
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "this file does not exist. Name another one by --config".into(),
        io::ErrorKind::PermissionDenied => "this user may not read this file".to_owned(),
        io::ErrorKind::IsADirectory => "this is a folder. Name the file in it by --config".into(),
        _ => format!("cannot be read: {}", reason(&error)),
    };
    // Without O_NONBLOCK, opening a FIFO would wait for its writer.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_LEN).unwrap_or(u64::MAX) + 1;
    file.and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() > MAX_LEN {
        return Err(format!("is too long for a configuration: the limit is {} kB", MAX_LEN >> 10));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16 text; save it as UTF-8".into());
    }
    Ok(bytes)
}

struct Reading<'a> {
    path: &'a Path,
    text: String,
    problems: &'a mut Vec<Problem>,
    said: Vec<Said>,
}

/// The tables whose lines are each one value of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SettingsTable {
    /// Controls of any camera.
    Controls,
    /// Settings of a ribbon camera.
    Csi,
}

impl SettingsTable {
    fn named(key: &str) -> Option<Self> {
        match key {
            "controls" => Some(Self::Controls),
            "csi" => Some(Self::Csi),
            _ => None,
        }
    }

    /// The option that each line stands for.
    fn option(self) -> &'static Entry {
        let name = match self {
            Self::Controls => "set",
            Self::Csi => "csi-option",
        };
        Entry::named(name).expect("it is in the table")
    }
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
            let text = format!("the byte 0x{:02x} is not UTF-8; save the file as UTF-8", bytes[at]);
            self.problems.push(Problem { place: Some(place), text });
            bytes[start..end].fill(b' ');
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.text = text,
            Err(_) => {
                return self.problem(
                    None,
                    "is not UTF-8, so all of it is ignored; save it as UTF-8".into(),
                );
            }
        }
        let (statements, mistakes) = statements::read(&self.text);
        for mistake in mistakes {
            let text = advice::about(&mistake, line_at(&self.text, mistake.at));
            self.problem(Some(mistake.at), text);
        }
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: Statement) {
        let Statement { key, key_at, value, value_at } = &statement;
        if let Some(table) = SettingsTable::named(key) {
            return self.settings(table, statement);
        }
        // In other programs `device` is the source.
        let is_table = matches!(value, Value::Table(_));
        let is_source = key == "device" && !is_table;
        if device::TABLES.contains(&key.as_str()) && !is_source {
            return self.device(&statement);
        }
        let written = self.written(&statement);
        if let Some(right) = quotes::shown(&format!("{key} = {written}")) {
            return self.problem(Some(value_at.start), curly_quotes(&right));
        }
        match Entry::named(key) {
            // [control] is meant as [controls], though control is an option.
            entry if is_table && (entry.is_none() || advice::meant_table(key).is_some()) => {
                self.problem(Some(key_at.start), advice::unknown_table(key));
            }
            None => self.problem(Some(key_at.start), advice::unknown_key(key, &written)),
            Some(Entry { in_file: InFile::No(instead), .. }) => {
                let text = format!("{key} does not work in this file; write {instead}");
                self.problem(Some(key_at.start), text);
            }
            Some(entry) => match texts(entry, value) {
                Some(values) => self.say(entry, values, key.clone(), value_at.start),
                None => {
                    // What is in a table is no value.
                    let written = if is_table { "" } else { &written };
                    self.problem(Some(value_at.start), advice::wrong_kind(entry, written));
                }
            },
        }
    }

    /// Checks a table about the device, which `lancam-setup` applies. Its mistakes are reported
    /// here too.
    fn device(&mut self, statement: &Statement) {
        let mut read = reading::Reading::default();
        device::read_table(statement, &self.text, &mut read);
        for Remark { weight, at, text } in read.remarks {
            if weight == Weight::Complaint {
                self.problem(at, text);
            }
        }
    }

    /// A table in which each line sets one thing of the camera.
    fn settings(&mut self, table: SettingsTable, statement: Statement) {
        let Value::Table(settings) = statement.value else {
            return self.problem(Some(statement.key_at.start), is_a_table(&statement.key));
        };
        let mut earlier: Vec<String> = Vec::new();
        for setting in settings {
            if table == SettingsTable::Csi {
                let name = CsiSetting::name(&setting.key);
                if let Some(first) = earlier.iter().find(|it| CsiSetting::name(it) == name) {
                    let text = advice::twice(&setting.key, first);
                    self.problem(Some(setting.key_at.start), text);
                    continue;
                }
                earlier.push(setting.key.clone());
            }
            let written = self.written(&setting);
            if let Some(right) = quotes::shown(&format!("{} = {written}", setting.key)) {
                self.problem(Some(setting.value_at.start), curly_quotes(&right));
                continue;
            }
            let Statement { key, key_at, value, value_at } = setting;
            let is_controls = table == SettingsTable::Controls;
            if is_controls && key != CONTROL_TOO && Entry::named(&key).is_some() {
                let text = format!("{key} is an option; move it above the line [controls]");
                self.problem(Some(key_at.start), text);
                continue;
            }
            let called = if is_controls { &key } else { "[csi]" };
            self.named(table, called, &key, value, &written, value_at.start);
        }
    }

    /// Adds a name and its value to the option of a table.
    fn named(
        &mut self,
        table: SettingsTable,
        called: &str,
        key: &str,
        value: Value,
        written: &str,
        at: usize,
    ) {
        let value = match value {
            Value::Text(text) | Value::Number(text) => text,
            // Some controls are switches. No setting of a ribbon camera is one.
            Value::Truth(truth) if table == SettingsTable::Csi => truth.to_string(),
            Value::Truth(truth) => u8::from(truth).to_string(),
            Value::List(_) | Value::Table(_) | Value::Other => {
                let expected = "a number, true, false, or text in quotes";
                return self.problem(Some(at), must_be(key, expected, written));
            }
        };
        self.say(table.option(), vec![format!("{key}={value}")], called.to_owned(), at);
    }

    fn say(&mut self, entry: &'static Entry, values: Vec<String>, called: String, at: usize) {
        let place = Some(self.place(at));
        self.said.push(Said { entry, values, called, place });
    }

    /// A value as written in the file, up to the end of its line.
    fn written(&self, statement: &Statement) -> String {
        let written = self.text.get(statement.value_at.clone()).unwrap_or_default();
        written.lines().next().unwrap_or_default().trim_end().to_owned()
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

/// A value of the file in the form that the command line takes; `None` if there is none. Quotes
/// make no difference.
fn texts(entry: &Entry, value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Truth(truth) => Some(truth.to_string()),
        Value::List(_) | Value::Table(_) | Value::Other => None,
    };
    match (entry.kind, value) {
        (ValueKind::List(_), Value::List(values)) => values.iter().map(text).collect(),
        _ => Some(vec![text(value)?]),
    }
}
