//! Finds the option or the command that was probably meant by an unknown word.

use super::options::{Entry, OPTIONS};
use crate::nearest;

/// The commands of lancam, as typed.
pub(super) const COMMANDS: [&str; 7] =
    ["run", "list", "check", "selftest", "pair", "version", "help"];

/// Options that only the command line has.
const ONLY_TYPED: [&str; 3] = ["help", "version", "json"];

/// Names that other camera programs have for our options. The command line accepts them; the file
/// has one name for each option.
const CALLED_ELSEWHERE: [(&str, &str); 8] = [
    ("port", "listen"),
    ("host", "listen"),
    ("device", "source"),
    ("input", "source"),
    ("resolution", "size"),
    ("framerate", "fps"),
    ("frame-rate", "fps"),
    ("desired-fps", "fps"),
];

/// What other programs call our options that have only a letter, our commands, and what `lancam-view` does.
const SPELLED_OUT: [(&str, &str); 14] = [
    ("verbose", "-v"),
    ("debug", "-v"),
    ("quiet", "-q"),
    ("silent", "-q"),
    ("code", "lancam pair"),
    ("key", "lancam pair"),
    ("password", "lancam pair"),
    ("user", "lancam pair"),
    ("auth", "lancam pair"),
    ("record", "lancam-view --record"),
    ("save", "lancam-view --save"),
    ("snapshot", "lancam-view --save"),
    ("fullscreen", "lancam-view --fullscreen"),
    ("headless", "lancam-view --headless"),
];

/// What people type for our commands, and for the viewer.
const OTHER_COMMANDS: [(&str, &str); 22] = [
    ("view", "lancam-view"),
    ("viewer", "lancam-view"),
    ("watch", "lancam-view"),
    ("show", "lancam-view"),
    ("start", "lancam run"),
    ("serve", "lancam run"),
    ("stream", "lancam run"),
    ("ls", "lancam list"),
    ("cameras", "lancam list"),
    ("devices", "lancam list"),
    ("validate", "lancam check"),
    ("self-test", "lancam selftest"),
    ("code", "lancam pair"),
    ("key", "lancam pair"),
    ("keys", "lancam pair"),
    ("login", "lancam pair"),
    // Of the service that the package installs.
    ("stop", "sudo systemctl stop lancam.socket lancam.service"),
    ("restart", "sudo systemctl restart lancam"),
    ("status", "systemctl status lancam"),
    ("log", "journalctl -u lancam"),
    ("logs", "journalctl -u lancam"),
    ("record", "lancam-view --record"),
];

/// Options of one letter that other camera programs have.
const LETTERS: [(char, &str); 3] = [('p', "listen"), ('d', "source"), ('r', "size")];

/// The option for `--name`.
pub(super) fn typed(name: &str) -> Option<&'static Entry> {
    Entry::named(name).or_else(|| Entry::named(elsewhere(name).filter(|_| name != "host")?))
}

/// The option for `-letter`.
pub(super) fn typed_letter(letter: char) -> Option<&'static Entry> {
    let (_, name) = LETTERS.iter().find(|(known, _)| *known == letter)?;
    Entry::named(name)
}

fn elsewhere(name: &str) -> Option<&'static str> {
    nearest::ours(name, &CALLED_ELSEWHERE)
}

/// The option that `name` means or, otherwise, is nearest to.
pub(super) fn option(name: &str) -> Option<&'static str> {
    let name = name.replace('_', "-");
    elsewhere(&name).or_else(|| nearest::of(&name, OPTIONS.iter().map(|entry| entry.name)))
}

/// What was meant on the command line by a name without its dashes: an option, with its dashes, or a command.
pub(super) fn option_typed(name: &str) -> Option<String> {
    let name = &*name.to_lowercase();
    if let Some(ours) = nearest::ours(name, &SPELLED_OUT) {
        return Some(ours.to_owned());
    }
    if COMMANDS.contains(&name) && !ONLY_TYPED.contains(&name) {
        return Some(format!("lancam {name}"));
    }
    let name = &*name.replace('_', "-");
    let elsewhere = CALLED_ELSEWHERE.iter().map(|(theirs, _)| *theirs);
    let long = match typed(name) {
        // With one dash.
        Some(_) => Some(name),
        None => nearest::of(name, OPTIONS.iter().map(|entry| entry.name))
            .or_else(|| nearest::of(name, ONLY_TYPED))
            .or_else(|| nearest::of(name, elsewhere)),
    };
    Some(format!("--{}", long?))
}

/// Whether this is the name of an option or a command, or a word for one, so that `-name` is one with a dash too few.
pub(super) fn is_long(name: &str) -> bool {
    let is_option = Entry::named(name).is_some() || ONLY_TYPED.contains(&name);
    is_option
        || COMMANDS.contains(&name)
        || elsewhere(name).or(nearest::ours(name, &SPELLED_OUT)).is_some()
}

/// The command that `word` means or is nearest to, with its program.
pub(super) fn command(word: &str) -> Option<String> {
    match nearest::ours(word, &OTHER_COMMANDS) {
        Some(ours) => Some(ours.to_owned()),
        None => nearest::of(word, COMMANDS).map(|meant| format!("lancam {meant}")),
    }
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
            ("resolution", "size"),
            ("port", "listen"),
        ] {
            assert_eq!(option(written), Some(meant), "{written}");
        }
        for stranger in ["brightness", "x", "", "password", &"x".repeat(100_000)] {
            assert_eq!(option(stranger), None, "{stranger:.20}");
        }
        for (written, meant) in
            [("hlep", "--help"), ("verbose", "-v"), ("prot", "--port"), ("Pair", "lancam pair")]
        {
            assert_eq!(option_typed(written).as_deref(), Some(meant), "{written}");
        }
        for (written, meant) in [
            ("lst", Some("lancam list")),
            ("chekc", Some("lancam check")),
            ("view", Some("lancam-view")),
            ("stream", Some("lancam run")),
            ("x", None),
        ] {
            assert_eq!(command(written).as_deref(), meant, "{written}");
        }
    }

    #[test]
    fn every_word_of_other_programs_leads_to_an_option_that_exists() {
        for (theirs, ours) in CALLED_ELSEWHERE {
            assert!(Entry::named(ours).is_some() && Entry::named(theirs).is_none(), "{theirs}");
        }
        for (letter, ours) in LETTERS {
            assert_eq!(typed_letter(letter).map(|entry| entry.name), Some(ours));
        }
    }
}
