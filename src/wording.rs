//! The sentences of messages: one function for each kind, so that they stay alike.
//!
//! A message says what is wrong, what is expected, and what to type. The text after [`WRITE`] can
//! be put into a file as it is, and the text after [`TYPE`] can be typed; tests do both.

use crate::plain::printable;
use std::fmt;
use std::path::{self, Path};

/// Begins the text to write into a file, which goes up to the end of the message.
pub const WRITE: &str = "Write: ";
/// Begins the text to type, which goes up to the end of the message.
pub const TYPE: &str = "Type: ";

/// `quality must be 1 to 100, not 800`.
pub fn must_be(what: &str, expected: &str, found: &str) -> String {
    format!("{what} must be {expected}, not {}", shown(found))
}

/// `unknown option "rotat"; did you mean "rotate"?` If no name is near, `otherwise` says where to
/// look.
pub fn unknown(kind: &str, name: &str, meant: Option<&str>, otherwise: &str) -> String {
    let name = shortened(name);
    match meant {
        Some(meant) => format!("unknown {kind} \"{name}\"; did you mean \"{meant}\"?"),
        None => format!("unknown {kind} \"{name}\"; {otherwise}"),
    }
}

/// `--size needs a value: --size WxH`.
pub fn needs_a_value(option: &str, placeholder: &str) -> String {
    format!("{option} needs a value: {option} {placeholder}")
}

/// `--name is given twice, as "A" and "B"; give it once`. Without the values where they may be secret.
pub fn given_twice(option: &str, values: Option<[&str; 2]>) -> String {
    let values = values.map(|[one, other]| format!(", as {one:?} and {other:?}"));
    format!("{option} is given twice{}; give it once", values.unwrap_or_default())
}

/// What the system says about an error, without its number: `Permission denied`.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The message about a line with curly quotes; `right` is the same line with straight ones.
pub fn curly_quotes(right: &str) -> String {
    format!("curly quotes do not work in this file. {WRITE}{right}")
}

/// The message about a value where a table of the configuration is expected.
pub fn is_a_table(name: &str) -> String {
    format!("{name} is a table: write a line [{name}], and KEY = VALUE below it")
}

/// A camera's name or address as a shell takes it in one piece.
pub fn shell_word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ":/.-_%".contains(letter);
    match text.chars().all(is_plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", printable(text).replace('\'', "'\\''")),
    }
}

/// A file or folder as a shell takes it in one piece, whatever folder it is in.
pub fn shell_path(path: &Path) -> String {
    let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    shell_word(&path.display().to_string())
}

/// `1 viewer`, `2 viewers`.
pub fn count(number: impl Copy + fmt::Display + PartialEq + From<u8>, noun: &str) -> String {
    let ending = if number == 1.into() { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// `one`, `one or two`, `one, two or three`.
pub fn either<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", first.join(", "), last.as_ref())
        }
    }
}

/// A value as it was given: numbers unchanged, anything else in quotes.
fn shown(value: &str) -> String {
    let is_number = !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    match shortened(value) {
        value if is_number => value,
        value => format!("\"{value}\""),
    }
}

/// A text that is safe to show, and short.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let text = printable(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_is_expected_and_what_was_found() {
        assert_eq!(must_be("quality", "1 to 100", "800"), "quality must be 1 to 100, not 800");
        assert_eq!(must_be("--size", "WxH", ""), "--size must be WxH, not \"\"");
        assert_eq!(
            unknown("option", "rotat", Some("rotate"), ""),
            "unknown option \"rotat\"; did you mean \"rotate\"?"
        );
        assert_eq!(
            unknown("option", "x\u{1b}", None, "lancam --help lists the options"),
            "unknown option \"x?\"; lancam --help lists the options"
        );
    }

    #[test]
    fn one_of_two_values_is_to_be_taken_away() {
        assert_eq!(
            given_twice("--name", Some(["A", "B"])),
            "--name is given twice, as \"A\" and \"B\"; give it once"
        );
        assert_eq!(given_twice("--code", None), "--code is given twice; give it once");
    }

    #[test]
    fn an_error_of_the_system_is_shown_without_its_number() {
        let error = std::io::Error::from_raw_os_error(13);
        assert_eq!(reason(&error), "Permission denied");
        assert_eq!(reason(&std::io::Error::other("a disk")), "a disk");
    }

    #[test]
    fn a_word_that_a_shell_would_read_itself_is_quoted() {
        for plain in ["garage.local:8080", "fe80::1%eth0", "/dev/video0", "--list"] {
            assert_eq!(shell_word(plain), plain);
        }
        // zsh takes brackets for a pattern of file names. If no file fits, it does not run the command.
        for shown in ["[2001:db8::4]:9999", "a b", "a&b", "x?y", "*", "~", "$HOME", ""] {
            assert_eq!(shell_word(shown), format!("'{shown}'"));
        }
        assert_eq!(shell_word("it's"), "'it'\\''s'");
    }

    #[test]
    fn a_path_can_be_typed_in_any_folder() {
        assert_eq!(shell_path(Path::new("/var/lib/lancam")), "/var/lib/lancam");
        assert_eq!(shell_path(Path::new("/a b/keys")), "'/a b/keys'");
        let here = shell_path(Path::new("keys"));
        assert!(here.trim_start_matches('\'').starts_with('/') && here.contains("/keys"), "{here}");
    }

    #[test]
    fn one_is_no_plural_and_a_long_value_is_cut() {
        let counts = [0_u64, 1, 2].map(|number| count(number, "viewer"));
        assert_eq!(counts, ["0 viewers", "1 viewer", "2 viewers"]);
        assert!(must_be("name", "short", &"é".repeat(10_000)).chars().count() < 100);
        assert_eq!(either(&["a", "b", "c"]), "a, b or c");
        assert_eq!((either(&["a"]), either::<&str>(&[])), ("a".into(), String::new()));
    }
}
