//! Parses TOML into keys and values with their positions, in spite of mistakes. Only this file names `toml`.

use super::lines::{blank, line_around};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// `KEY = VALUE` with its position in bytes.
#[derive(Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) key: String,
    pub(crate) key_at: Range<usize>,
    pub(crate) value: Value,
    pub(crate) value_at: Range<usize>,
}

/// The value of a key.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    /// In decimal, however it was written.
    Number(String),
    Truth(bool),
    List(Vec<Value>),
    /// Further statements: below a line `[KEY]`, or in braces.
    Table(Vec<Statement>),
    /// A date.
    Other,
}

/// A mistake in the TOML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) at: usize,
    /// The key that it belongs to, if any.
    pub(crate) key: Option<String>,
    pub(crate) kind: MistakeKind,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MistakeKind {
    /// This text has no quotes around it.
    NoQuotes(String),
    /// This key or table is already set.
    Twice(String),
    /// Any other mistake, in the library's words.
    Syntax(String),
    /// Too many mistakes: the rest of the file is ignored.
    TooMany,
}

/// A file with more mistakes than this is not meant for lancam.
pub(crate) const MAX_MISTAKES: usize = 50;

/// The valid statements in their order, and the mistakes.
///
/// The parser continues after a mistake, but what it finds then may be wrong: `allow = ["192.0.2.1",` without its end takes
/// in all lines after it. So the line where the broken statement begins is blanked, and the rest is parsed again, until
/// there is no mistake left.
pub(crate) fn read(text: &str) -> (Vec<Statement>, Vec<Mistake>) {
    let mut left = text.to_owned();
    let mut mistakes: Vec<Mistake> = Vec::new();
    // Mistakes between the beginning of a broken statement and the place where it was noticed follow from it.
    let mut echoes: Vec<Range<usize>> = Vec::new();
    for _ in 0..2 * MAX_MISTAKES {
        let (table, errors) = DeTable::parse_recoverable(&left);
        let found = statements(table.into_inner());
        let Some(error) = errors.first() else { return (found, mistakes) };
        let span = error.span().unwrap_or(0..0);
        let at = span.start.min(left.len());
        let around = found.iter().find_map(|statement| statement.around(at));
        let begins_at = around.map_or(at, |statement| statement.key_at.start);
        let kind = kind(error.message(), left.get(span).unwrap_or_default());
        let broken = with_its_table(&left, line_around(&left, begins_at));
        if !echoes.iter().any(|echo| echo.contains(&at)) {
            let key = around.map(|statement| statement.key.clone());
            mistakes.push(Mistake { at, key, kind });
        }
        if mistakes.len() > MAX_MISTAKES {
            break;
        }
        let shows_until = around.map_or(at, |statement| statement.value_at.end.max(at));
        let shows_until = line_around(&left, shows_until).end.max(broken.end);
        echoes.push(broken.start..shows_until + 1);
        blank(&mut left, broken);
    }
    mistakes.push(Mistake { at: 0, key: None, kind: MistakeKind::TooMany });
    (Vec::new(), mistakes)
}

fn kind(message: &str, slice: &str) -> MistakeKind {
    if message.contains("must be quoted") {
        MistakeKind::NoQuotes(slice.to_owned())
    } else if message == "duplicate key" {
        MistakeKind::Twice(slice.to_owned())
    } else {
        MistakeKind::Syntax(message.to_owned())
    }
}

/// A broken `[TABLE]` line takes the lines below it with it, because those keys belong to no other table.
fn with_its_table(text: &str, line: Range<usize>) -> Range<usize> {
    if !text[line.clone()].trim_start().starts_with('[') {
        return line;
    }
    let mut end = line.end;
    for below in text[line.end..].split_inclusive('\n').skip(1) {
        if below.trim_start().starts_with('[') {
            return line.start..end;
        }
        end += below.len();
    }
    line.start..text.len()
}

impl Statement {
    /// The statement that contains byte `at` or ends there. (Statements below a line `[KEY]` are separate.)
    fn around(&self, at: usize) -> Option<&Self> {
        if (self.key_at.start..=self.value_at.end).contains(&at) {
            return Some(self);
        }
        let Value::Table(below) = &self.value else { return None };
        below.iter().find_map(|statement| statement.around(at))
    }
}

fn statements(table: DeTable<'_>) -> Vec<Statement> {
    let mut all: Vec<Statement> = table
        .into_iter()
        .map(|(key, value)| Statement {
            key_at: key.span(),
            value_at: value.span(),
            key: key.into_inner().into_owned(),
            value: value_of(value),
        })
        .collect();
    all.sort_by_key(|statement| statement.key_at.start);
    all
}

fn value_of(value: Spanned<DeValue<'_>>) -> Value {
    match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            let decimal = i64::from_str_radix(number.as_str(), number.radix());
            Value::Number(decimal.map_or_else(|_| number.as_str().to_owned(), |it| it.to_string()))
        }
        DeValue::Float(number) => Value::Number(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Value::Truth(truth),
        DeValue::Array(values) => Value::List(values.into_iter().map(value_of).collect()),
        DeValue::Table(table) => Value::Table(statements(table)),
        DeValue::Datetime(_) => Value::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> (Vec<String>, Vec<(usize, MistakeKind)>) {
        let (statements, mistakes) = read(text);
        let mistakes = mistakes.into_iter().map(|mistake| (mistake.at, mistake.kind)).collect();
        (statements.into_iter().map(|statement| statement.key).collect(), mistakes)
    }

    #[test]
    fn what_is_whole_is_read_around_what_is_broken() {
        for (text, whole) in [
            ("name = Garage\nquality = 70\n", &["quality"][..]),
            (
                "quality = 70\nallow = [\"10.0.0.0/8\",\nname = \"x\"\nrotate = 90\n",
                &["quality", "name", "rotate"],
            ),
            ("quality = 70\nname = \"x\nrotate = 90\n", &["quality", "rotate"]),
            ("quality 70\nrotate = 90\n= 5\nwidth =\nheight = 3\n", &["rotate", "height"]),
            ("quality = 70\nx = '''\nrotate = 90\n", &["quality", "rotate"]),
            ("x = { a = 1\nquality = 80\n", &["quality"]),
            ("fps = 25\n[controls\nrotate = 5\n", &["fps"]),
            ("fps = 25\n[controls\nrotate = 5\n[controls]\n", &["fps", "controls"]),
            ("quality = 70 rotate = 90\nfps = 25\n", &["fps"]),
            ("quality = 70\nquality = 80\n", &["quality"]),
        ] {
            let (keys, mistakes) = keys(text);
            assert_eq!(keys, whole, "{text:?}: {mistakes:?}");
            assert!(!mistakes.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_broken_list_is_one_mistake_and_its_other_lines_are_none() {
        let text = "allow = [\n  \"10.0.0.0/8\",\n  192.0.2.1,\n]\nrotate = 90\n";
        let (keys, mistakes) = keys(text);
        assert_eq!(keys, ["rotate"]);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    }

    #[test]
    fn nothing_is_left_of_a_file_that_is_no_configuration() {
        let (keys, mistakes) = keys(&"{{{\n".repeat(10_000));
        assert_eq!(keys, Vec::<String>::new());
        assert_eq!(mistakes.last().map(|(_, kind)| kind), Some(&MistakeKind::TooMany));
    }
}
