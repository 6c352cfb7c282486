//! Finds the option that somebody meant who wrote another name.

use super::options::OPTIONS;
use crate::nearest;

/// The option whose name is nearest to `name`, if one is near.
pub(super) fn option(name: &str) -> Option<&'static str> {
    nearest::of(&name.replace('_', "-"), OPTIONS.iter().map(|entry| entry.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_understood_and_strangers_are_not() {
        for (written, meant) in [
            ("qualty", "quality"),
            ("qaulity", "quality"),
            ("max_viewers", "max-viewers"),
            ("maxviewers", "max-viewers"),
            ("Rotate", "rotate"),
            ("listn", "listen"),
            ("fsp", "fps"),
        ] {
            assert_eq!(option(written), Some(meant), "{written}");
        }
        for stranger in ["brightness", "x", "", "password", &"x".repeat(100_000)] {
            assert_eq!(option(stranger), None, "{stranger:.20}");
        }
    }
}
