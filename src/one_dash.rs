//! Long options that were typed with one dash: `-size 640x480`. The parser would take the first letter for an option.

/// Finds such options among the words of one command line.
#[derive(Debug, Default)]
pub struct OneDash {
    /// Whether `--` was typed. Behind it are no options.
    is_over: bool,
}

/// A long option that was typed with one dash.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name, without the dash.
    pub name: String,
    /// The text behind `=`, or else the next word, which may be something else.
    pub value: Option<String>,
}

impl OneDash {
    /// Takes the next word off the parser if it is such an option. Values of options are never looked at, because the parser takes
    /// them itself.
    pub fn next(
        &mut self,
        parser: &mut lexopt::Parser,
        is_long: impl Fn(&str) -> bool,
    ) -> Option<Found> {
        let mut words = parser.try_raw_args()?;
        let word = words.peek()?.to_str()?;
        self.is_over |= word == "--";
        let word = word.strip_prefix('-').filter(|_| !self.is_over)?;
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        if name.chars().count() < 2 || !is_long(name) {
            return None;
        }
        let (name, value) = (name.to_owned(), value.map(str::to_owned));
        words.next();
        let value = value.or_else(|| words.next()?.into_string().ok());
        Some(Found { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in place of the first word.
    fn first(line: &str) -> Option<Found> {
        let mut parser = lexopt::Parser::from_args(line.split(' '));
        OneDash::default().next(&mut parser, |name| ["size", "s"].contains(&name))
    }

    #[test]
    fn a_long_option_with_one_dash_is_found_with_its_value() {
        let found = |value: &str| {
            let value = Some(value).filter(|it| !it.is_empty()).map(str::to_owned);
            Some(Found { name: "size".into(), value })
        };
        assert_eq!(first("-size 640x480"), found("640x480"));
        assert_eq!(first("-size=640x480 pi"), found("640x480"));
        assert_eq!(first("-size"), found(""));
        for other in ["--size 640x480", "-s", "-s=5", "-x", "-", "size", "-1"] {
            assert_eq!(first(other), None, "{other}");
        }
    }

    #[test]
    fn behind_two_dashes_are_no_options() {
        let mut parser = lexopt::Parser::from_args(["--", "-size"]);
        let mut dashes = OneDash::default();
        assert_eq!(dashes.next(&mut parser, |_| true), None);
        assert_eq!(parser.next().ok().flatten(), Some(lexopt::Arg::Value("-size".into())));
        let mut parser = lexopt::Parser::from_args(["a", "--", "b", "-size"]);
        let mut dashes = OneDash::default();
        for _ in 0..2 {
            assert_eq!(dashes.next(&mut parser, |_| true), None);
            assert!(parser.next().is_ok_and(|it| it.is_some()));
        }
        assert_eq!(dashes.next(&mut parser, |_| true), None);
    }
}
