//! Writes JSON (RFC 8259).

use crate::plain::is_plain;
use std::fmt::{Display, Write};

/// An object that grows member by member.
#[derive(Debug, Default)]
pub struct Object(String);

impl Object {
    /// An object without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member that is a string.
    #[must_use]
    pub fn text(self, key: &str, text: &str) -> Self {
        self.json(key, quoted(text))
    }

    /// Adds a member that is JSON already: a number, a boolean, or what [`array()`] or
    /// [`Object::end`] returned.
    #[must_use]
    pub fn json(mut self, key: &str, value: impl Display) -> Self {
        let comma = if self.0.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{comma}{}:{value}", quoted(key));
        self
    }

    /// Adds such a member, or null.
    #[must_use]
    pub fn or_null(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.json(key, value),
            None => self.json(key, "null"),
        }
    }

    /// The complete object.
    pub fn end(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// A JSON string (RFC 8259, section 7). Escapes characters that are not [plain](is_plain): programs
/// read them unchanged, and a terminal does not interpret them.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if is_plain(letter) => quoted.push(letter),
            letter => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(quoted, "\\u{unit:04x}");
                }
            }
        }
    }
    quoted.push('"');
    quoted
}

/// A JSON array of what `json` returns for each item.
pub fn array<T>(items: &[T], json: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = items.iter().map(json).collect();
    format!("[{}]", items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_its_members_in_order() {
        let inner = Object::new().or_null("a", None::<u8>).or_null("b", Some(1.5)).end();
        let object = Object::new().text("t", "x\"y").json("n", true).json("o", inner).end();
        assert_eq!(object, r#"{"t":"x\"y","n":true,"o":{"a":null,"b":1.5}}"#);
        assert_eq!(Object::new().end(), "{}");
    }

    #[test]
    fn a_string_of_json_is_what_it_was_and_commands_nothing() {
        assert_eq!(quoted(r#"a"b\"#), r#""a\"b\\""#);
        assert_eq!(quoted("a\u{1}\u{9b}\u{202e}ü"), r#""a\u0001\u009b\u202eü""#);
        assert_eq!(quoted("\u{e0041}"), r#""\udb40\udc41""#);
        assert_eq!(array(&[1, 2], ToString::to_string), "[1,2]");
    }
}
