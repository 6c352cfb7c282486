//! Numbers with a fraction, as people type them.

/// Parses `7.5` or, as in much of Europe, `7,5`.
pub fn parse(text: &str) -> Option<f64> {
    text.trim().replace(',', ".").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_may_be_written_behind_a_comma() {
        for (text, number) in [
            ("7", Some(7.0)),
            ("7.5", Some(7.5)),
            (" 7,5 ", Some(7.5)),
            ("23,976", Some(23.976)),
            ("1,2,3", None),
            ("", None),
        ] {
            assert_eq!(parse(text), number, "{text}");
        }
    }
}
