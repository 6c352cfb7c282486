//! Makes text from strangers safe to show.
//!
//! Names come from drivers, from the LAN and from other programs. They go to terminals, logs,
//! window titles and file names.

/// Whether a character only shows itself: it moves no cursor, ends no line, changes no reading
/// direction and is not invisible.
///
/// In a terminal or a list of files, other characters could make one name look like another
/// (Unicode Technical Report 36, section 2; UTS 55, section 2).
pub fn is_plain(letter: char) -> bool {
    !letter.is_control() && !FORMATS.iter().any(|range| range.contains(&letter))
}

/// Characters that are neither control characters in Unicode nor visible: general category Cf, line
/// and paragraph separators, blank letters.
const FORMATS: [std::ops::RangeInclusive<char>; 15] = [
    // Soft hyphen.
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    // Letters without a shape.
    '\u{115f}'..='\u{1160}',
    '\u{180b}'..='\u{180f}',
    // Zero-width spaces and joiners, and marks of direction.
    '\u{200b}'..='\u{200f}',
    // Line and paragraph separators, embeddings and overrides of direction.
    '\u{2028}'..='\u{202e}',
    // Word joiner, invisible operators, isolates of direction.
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    // Tags.
    '\u{e0000}'..='\u{e007f}',
];

/// `text` with `?` in place of each character that is not [plain](is_plain).
pub fn printable(text: &str) -> String {
    text.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).collect()
}

/// The text in a field of fixed length, up to its end or its first zero. The maker of the device
/// chose it, or somebody who pretends to be one. The kernel may cut it in the middle of a
/// character.
pub fn fixed_text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    printable(String::from_utf8_lossy(&field[..end]).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_kernel_cut_in_a_character_is_still_a_name() {
        assert_eq!(fixed_text(b"Caf\xC3\xA9 \xC3\0junk"), "Caf\u{e9} \u{fffd}");
        assert_eq!(fixed_text(b"no end"), "no end");
        assert_eq!(fixed_text(b"\0"), "");
    }

    #[test]
    fn a_name_cannot_command_a_terminal_nor_hide_in_it() {
        assert_eq!(printable("a\u{1b}[2J\nb\u{9b}2J\u{7f}"), "a?[2J?b?2J?");
        for hidden in [
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{200b}',
            '\u{200f}',
            '\u{2028}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            assert_eq!(printable(&format!("a{hidden}b")), "a?b", "{hidden:?}");
        }
        for harmless in
            ["Küche", "カメラ 1", "Гараж", "דלת", "🚪", "e\u{301}", "❤\u{fe0f}", "a\u{a0}b"]
        {
            assert_eq!(printable(harmless), harmless);
        }
    }
}
