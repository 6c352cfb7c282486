//! Handles curly quotes, which word processors and phones insert where a file needs straight ones.

use super::code::may_set_one;
use crate::plain::printable;

/// All quotes of European languages, double and single.
const CURLY: [char; 14] = ['“', '”', '„', '‟', '«', '»', '‘', '’', '‚', '‛', '‹', '›', '″', '＂'];

/// Removes the curly quotes around a value; `None` if it has none. One of the two may be straight.
pub(crate) fn without(value: &str) -> Option<&str> {
    let value = value.trim();
    let is_curly = |letter: char| CURLY.contains(&letter);
    let is_straight = |letter: char| letter == '"' || letter == '\'';
    let is_quote = |letter: char| is_curly(letter) || is_straight(letter);
    if value.starts_with(is_straight) && value.ends_with(is_straight) {
        let inside = value.trim_matches(is_straight).trim();
        let is_around = inside.starts_with(is_curly) && inside.ends_with(is_curly);
        return is_around.then(|| without(inside)).flatten();
    }
    let inside = value.trim_matches(is_quote);
    // A single one at an end is an apostrophe: Thomas’
    let is_around = value.starts_with(is_quote) && value.ends_with(is_quote);
    (is_around && !inside.is_empty()).then_some(inside)
}

/// The value at the beginning of `rest`, without a comment after it.
fn value(rest: &str) -> &str {
    let rest = rest.split(" #").next().unwrap_or(rest);
    rest.trim().trim_end_matches([',', ';'])
}

/// The line `KEY = VALUE` (or `KEY: VALUE`) with straight quotes, if VALUE has curly ones.
pub(crate) fn straight(line: &str) -> Option<String> {
    let line = line.trim();
    let sign = line.find(['=', ':'])? + 1;
    let rest = &line[sign..];
    let key = &line[..line.len() - rest.trim_start().len()];
    let written = value(rest);
    let Some(list) = written.strip_prefix('[') else {
        return Some(format!("{key}\"{}\"", without(written)?));
    };
    let parts: Vec<_> = list.trim_end_matches(']').split(',').map(str::trim).collect();
    if !parts.iter().any(|part| without(part).is_some()) {
        return None;
    }
    let quoted = |part: &&str| format!("\"{}\"", without(part).unwrap_or(part.trim_matches('"')));
    let parts = parts.iter().filter(|part| !part.is_empty()).map(quoted).collect::<Vec<_>>();
    Some(format!("{key}[{}]", parts.join(", ")))
}

/// The same for a message, without a password.
pub(crate) fn shown(line: &str) -> Option<String> {
    let right = printable(&straight(line)?);
    let sign = right.find(['=', ':']).unwrap_or(0) + 1;
    let key = right[..sign].to_ascii_lowercase();
    let words = ["psk", "pass", "key", "secret"];
    let is_secret = words.iter().any(|word| key.contains(word)) || may_set_one(&key);
    Some(if is_secret { format!("{} \"…\"", &right[..sign]) } else { right })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_with_straight_quotes_is_shown() {
        for (line, right) in [
            ("name = “Garage”", "name = \"Garage\""),
            ("name=„Garage“", "name=\"Garage\""),
            ("name = ‘Garage’ # mine", "name = \"Garage\""),
            ("name = «Garage»\r", "name = \"Garage\""),
            ("name = ”Garage”", "name = \"Garage\""),
            ("name = \"Garage”", "name = \"Garage\""),
            ("name = “Bob’s camera”", "name = \"Bob’s camera\""),
            ("name = \"“Garage”\"", "name = \"Garage\""),
            ("listen = [“[::]:8080”, \"[::]:80\"]", "listen = [\"[::]:8080\", \"[::]:80\"]"),
            ("hostname: “garage”", "hostname: \"garage\""),
        ] {
            assert_eq!(straight(line).as_deref(), Some(right), "{line}");
        }
        for line in [
            "name = Bob’s camera",
            "name = \"Thomas’\"",
            "name = Thomas’",
            "name = \"a “b” c\"",
            "“",
            "x = “”",
            "name = \"Garage\"",
            "= ",
            "",
        ] {
            assert_eq!(straight(line), None, "{line}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        for line in [
            "wifi.psk = “geheimgeheim”",
            "psk=„geheimgeheim“",
            "password: “geheimgeheim”",
            "\"PASS\": “geheim:geheim”",
        ] {
            let shown = shown(line).expect("curly quotes");
            assert!(!shown.contains("geheim") && shown.ends_with("\"…\""), "{shown}");
        }
    }
}
