//! Finds the lines of a text by byte positions.

use std::ops::Range;

/// The number of the line that contains byte `at`, counted from 1.
pub fn line_number(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

/// The line that contains byte `at`.
pub(crate) fn line_at(text: &str, at: usize) -> &str {
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let start =
        bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let end =
        bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |len| at + len);
    text.get(start..end).unwrap_or_default()
}

/// The line that contains byte `at`, or if that is blank, the last line before it that is not.
pub(crate) fn line_around(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let said = |byte: &u8| !byte.is_ascii_whitespace();
    let end_of_line = |from: usize| {
        bytes[from..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |len| from + len)
    };
    let start_of_line = |from: usize| {
        bytes[..from].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1)
    };
    let line = start_of_line(at)..end_of_line(at);
    if bytes[line.clone()].iter().any(said) {
        return line;
    }
    match bytes[..line.start].iter().rposition(said) {
        Some(last) => start_of_line(last)..end_of_line(last),
        None => line,
    }
}

/// Blanks lines without changing any position.
pub(crate) fn blank(text: &mut String, lines: Range<usize>) {
    let blanked: String =
        text[lines.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(lines, &blanked);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_any_byte_of_it() {
        let text = "a\n“b”\r\nc";
        assert_eq!(line_at(text, 0), "a");
        assert_eq!((2..9).map(|at| line_at(text, at)).collect::<Vec<_>>(), ["“b”\r"; 7]);
        assert_eq!(line_at(text, 100), "c");
    }
}
