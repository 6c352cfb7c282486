//! Reads a table of a TOML file key by key. Keys that nobody asked for become remarks.

use super::code::{BLANK, WrittenCode};
use super::reading::{Reading, Weight};
use super::statements::{Statement, Value};
use super::wishes::{Addresses, Secret, Ssid};
use crate::nearest;
use crate::wording::unknown;
use std::ops::Range;

/// A table that is being read.
pub(crate) struct Table<'a> {
    pub(crate) name: &'a str,
    statements: &'a [Statement],
    /// The keys that were asked for.
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(name: &'a str, statements: &'a [Statement]) -> Self {
        Self { name, statements, asked: Vec::new() }
    }

    fn find(&mut self, key: &'static str) -> Option<&'a Statement> {
        self.asked.push(key);
        self.statements.iter().find(|statement| statement.key == key)
    }

    /// The position of a key, if it is there.
    pub(crate) fn has(&self, key: &str) -> Option<usize> {
        let found = self.statements.iter().find(|statement| statement.key == key)?;
        Some(found.key_at.start)
    }

    /// A key's name in complaints.
    fn called(&self, key: &str) -> String {
        format!("{} in [{}]", key, self.name)
    }

    /// A text, and its position without quotes.
    pub(crate) fn text(
        &mut self,
        key: &'static str,
        source: &str,
        reading: &mut Reading,
    ) -> Option<(&'a str, Range<usize>)> {
        let statement = self.find(key)?;
        match &statement.value {
            // An empty text was not filled in.
            Value::Text(text) if text.is_empty() => None,
            Value::Text(text) => Some((text, without_quotes(source, &statement.value_at))),
            _ => {
                let text = format!("{} must be text in quotes", self.called(key));
                reading.complain(statement.value_at.start, text);
                None
            }
        }
    }

    /// Several texts, each with its position.
    pub(crate) fn texts(
        &mut self,
        key: &'static str,
        reading: &mut Reading,
    ) -> Vec<(&'a str, usize)> {
        let Some(statement) = self.find(key) else { return Vec::new() };
        let at = statement.value_at.start;
        let values = match &statement.value {
            Value::List(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        let text = |value: &'a Value| match value {
            Value::Text(text) => Some((text.as_str(), at)),
            _ => None,
        };
        let texts: Option<Vec<_>> = values.iter().map(text).collect();
        texts.unwrap_or_else(|| {
            let what = self.called(key);
            let text = format!("{what} must be a list of texts, each in quotes");
            reading.complain(at, text);
            Vec::new()
        })
    }

    /// A boolean.
    pub(crate) fn truth(&mut self, key: &'static str, reading: &mut Reading) -> Option<bool> {
        let statement = self.find(key)?;
        match statement.value {
            Value::Truth(truth) => Some(truth),
            _ => {
                let text = format!("{} must be true or false", self.called(key));
                reading.complain(statement.value_at.start, text);
                None
            }
        }
    }

    /// A host name.
    pub(crate) fn name(&mut self, key: &'static str, source: &str, reading: &mut Reading) {
        if let Some((text, at)) = self.text(key, source, reading) {
            reading.name(at.start, &self.called(key), text);
        }
    }

    /// The camera's code.
    pub(crate) fn code(&mut self, key: &'static str, source: &str, reading: &mut Reading) {
        let Some((text, at)) = self.text(key, source, reading) else { return };
        if text == BLANK {
            return;
        }
        let written = WrittenCode::new(text, at);
        reading.accept(written.at.start, &self.called(key), written.check());
        // A power cut may have left a part of a code, and the rest of it must not stay there.
        reading.wishes.code = Some(written);
    }

    /// A country.
    pub(crate) fn country(&mut self, source: &str, reading: &mut Reading) {
        if let Some((text, at)) = self.text("country", source, reading) {
            reading.country(at.start, &self.called("country"), text);
        }
    }

    /// The lines of `authorized_keys`.
    pub(crate) fn keys(&mut self, reading: &mut Reading) {
        for (line, at) in self.texts("authorized_keys", reading) {
            reading.key(at, &self.called("authorized_keys"), line);
        }
    }

    /// A network's name.
    pub(crate) fn ssid(
        &mut self,
        key: &'static str,
        source: &str,
        reading: &mut Reading,
        parse: fn(&str) -> Result<Ssid, &'static str>,
    ) -> Option<Ssid> {
        let (text, at) = self.text(key, source, reading)?;
        reading.accept(at.start, &self.called(key), parse(text))
    }

    /// A network's password. `Some(None)` if it is not a valid one.
    pub(crate) fn secret(
        &mut self,
        key: &'static str,
        source: &str,
        reading: &mut Reading,
    ) -> Option<Option<(Secret, Range<usize>)>> {
        let is_there = self.has(key).is_some();
        let Some((text, at)) = self.text(key, source, reading) else {
            let is_empty = self.statements.iter().any(|statement| {
                statement.key == key && statement.value == Value::Text(String::new())
            });
            return (is_there && !is_empty).then_some(None);
        };
        let secret = reading.accept(at.start, &self.called(key), Secret::parse(text));
        Some(secret.zip(Some(at)))
    }

    /// `address`, `gateway` and `dns`.
    pub(crate) fn addresses(&mut self, reading: &mut Reading) -> Option<Addresses> {
        let mut addresses = Addresses::default();
        for (text, at) in self.texts("address", reading) {
            let address = Addresses::parse_own(text);
            addresses.own.extend(reading.accept(at, &self.called("address"), address));
        }
        for (key, list) in [("gateway", &mut addresses.gateways), ("dns", &mut addresses.dns)] {
            for (text, at) in self.texts(key, reading) {
                let address = Addresses::parse_other(text);
                list.extend(reading.accept(at, &format!("{key} in [{}]", self.name), address));
            }
        }
        (!addresses.own.is_empty()).then_some(addresses)
    }

    /// Ignores keys that make no difference here.
    pub(crate) fn skip(&mut self, keys: &[&'static str]) {
        self.asked.extend(keys);
    }

    /// Adds remarks about the keys that nobody asked for.
    pub(crate) fn end(self, weight: Weight, reading: &mut Reading) {
        for statement in self.statements {
            if self.asked.contains(&statement.key.as_str()) {
                continue;
            }
            let key: String =
                statement.key.chars().filter(|it| !it.is_control()).take(40).collect();
            let at = statement.key_at.start;
            match weight {
                Weight::Note => {
                    reading.note(at, format!("{} is not used here", self.called(&key)));
                }
                Weight::Complaint => {
                    let meant = nearest::of(&key, self.asked.iter().copied());
                    let otherwise = match &self.asked[..] {
                        [only] => format!("the only key there is {only}"),
                        known => format!("the keys there are {}", known.join(", ")),
                    };
                    let kind = format!("key in [{}]", self.name);
                    let text = unknown(&kind, &key, meant, &otherwise);
                    reading.complain(at, text);
                }
            }
        }
    }
}

/// The range without the quotes at both ends.
fn without_quotes(source: &str, at: &Range<usize>) -> Range<usize> {
    let written = source.get(at.clone()).unwrap_or_default();
    let quotes = |quote: &str| {
        let is_quoted = written.len() >= 2 * quote.len()
            && written.starts_with(quote)
            && written.ends_with(quote);
        is_quoted.then_some(quote.len())
    };
    let len = ["\"\"\"", "'''", "\"", "'"].into_iter().find_map(quotes).unwrap_or(0);
    at.start + len..at.end - len
}
