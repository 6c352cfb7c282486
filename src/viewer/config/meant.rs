//! What somebody meant who wrote an option or a word that `lancam-view` does not know.

use super::given::WITH_VALUE;
use super::{OPTIONS, Request, UsageError};
use crate::image::pixels::Size;
use crate::nearest;
use crate::one_dash::Found;
use crate::viewer::find::address::CameraAddress;
use crate::wording::{TYPE, shell_word, unknown};

/// What other programs call our options.
const CALLED_ELSEWHERE: [(&str, &str); 19] = [
    ("framerate", "--fps"),
    ("frame-rate", "--fps"),
    ("duration", "--seconds"),
    ("time", "--seconds"),
    ("count", "--frames"),
    ("snapshot", "--save"),
    ("screenshot", "--save"),
    ("discover", "--list"),
    ("scan", "--list"),
    ("find", "--list"),
    ("cameras", "--list"),
    ("kiosk", "--fullscreen"),
    ("no-window", "--headless"),
    ("no-gui", "--headless"),
    ("nogui", "--headless"),
    ("verbose", "-v"),
    ("debug", "-v"),
    ("quiet", "-q"),
    ("silent", "-q"),
];

/// The options of one letter that other programs have.
const LETTERS: [(char, &str); 4] =
    [('f', "--fullscreen"), ('l', "--list"), ('r', "--record"), ('s', "--save")];

/// Other programs have an option for the camera ...
const FOR_THE_CAMERA: [&str; 9] =
    ["address", "camera", "connect", "device", "host", "input", "ip", "source", "url"];
/// ... one for its port ...
const FOR_THE_PORT: [&str; 2] = ["port", "p"];
/// ... and one for the size of the picture.
const FOR_THE_SIZE: [&str; 2] = ["resolution", "size"];
/// Options of the camera's program that people expect here.
const OF_LANCAM: [&str; 8] =
    ["access", "control", "flip", "format", "listen", "name", "rotate", "state"];

/// Where to look when nothing else can be said.
pub(super) const SEE_HELP: &str = "lancam-view --help lists the options";

/// What was typed beside an option that there is not.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// What stands behind it, which may be its value.
    pub value: Option<String>,
    /// The first camera.
    pub camera: Option<CameraAddress>,
}

impl Beside {
    /// Takes the rest of the line: the parser has what follows the option. `before`: the first camera before it.
    pub(super) fn new(parser: &mut lexopt::Parser, before: Option<&CameraAddress>) -> Self {
        let value = parser.value().ok().and_then(|value| value.into_string().ok());
        Self::with(value, parser, before)
    }

    /// The same if the value was taken already.
    fn with(
        value: Option<String>,
        parser: &mut lexopt::Parser,
        before: Option<&CameraAddress>,
    ) -> Self {
        let words = parser.raw_args().into_iter().flatten();
        let behind = camera_in(words.filter_map(|word| word.into_string().ok()));
        Self { value, camera: before.cloned().or(behind) }
    }

    fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The camera to show in an example.
    fn camera_or(&self, example: &str) -> CameraAddress {
        let example = || CameraAddress { host: example.to_owned(), port: None };
        self.camera.clone().unwrap_or_else(example)
    }
}

/// The first of these words that is a camera, and neither an option nor the value of one.
fn camera_in(mut words: impl Iterator<Item = String>) -> Option<CameraAddress> {
    loop {
        let word = words.next()?;
        match word.starts_with('-') {
            true if WITH_VALUE.contains(&word.as_str()) => drop(words.next()),
            true => {}
            false => return CameraAddress::parse(&word).ok(),
        }
    }
}

/// What to say of an option that there is not.
pub(super) fn long(name: &str, beside: &Beside) -> UsageError {
    let value = beside.value();
    if FOR_THE_CAMERA.contains(&name) {
        let camera = value.map_or_else(|| "Garage".to_owned(), shell_word);
        let text = format!("the camera is named without an option. {TYPE}lancam-view {camera}");
        return UsageError::Unknown(text);
    }
    if FOR_THE_PORT.contains(&name) {
        let port = value.and_then(|port| port.parse::<u16>().ok()).unwrap_or(9999);
        let camera = CameraAddress { port: Some(port), ..beside.camera_or("192.168.1.20") };
        let text = format!(
            "the port is written after the camera's address. {TYPE}lancam-view {}",
            shell_word(&camera.written())
        );
        return UsageError::Unknown(text);
    }
    if FOR_THE_SIZE.contains(&name) {
        let size = value.and_then(Size::parse).unwrap_or(Size::new(640, 480));
        let (width, height) = (size.width, size.height);
        let text = format!(
            "lancam-view has two options for the size. {TYPE}lancam-view --width {width} --height {height} {}",
            shell_word(&beside.camera_or("Garage").written())
        );
        return UsageError::Unknown(text);
    }
    if OF_LANCAM.contains(&name) {
        let text = format!("--{name} is an option of lancam, the program on the camera's machine");
        return UsageError::Unknown(text);
    }
    let meant = match nearest::ours(name, &CALLED_ELSEWHERE) {
        Some(ours) => Some(ours.to_owned()),
        None => nearest::of(name, OPTIONS).map(|meant| format!("--{meant}")),
    };
    UsageError::Unknown(unknown("option", &format!("--{name}"), meant.as_deref(), SEE_HELP))
}

/// Whether this is the name of an option, here or elsewhere, so that `-name` is one with a dash too few.
pub(super) fn is_long(name: &str) -> bool {
    let others = [&FOR_THE_CAMERA[..], &FOR_THE_PORT, &FOR_THE_SIZE, &OF_LANCAM];
    OPTIONS.contains(&name)
        || nearest::ours(name, &CALLED_ELSEWHERE).is_some()
        || others.iter().any(|names| names.contains(&name))
}

/// What a long option with one dash is taken for, or what to say of it.
pub(super) fn one_dash(
    found: Found,
    parser: &mut lexopt::Parser,
    before: Option<&CameraAddress>,
) -> Result<Request, UsageError> {
    match &*found.name {
        "help" => Ok(Request::Help),
        "version" => Ok(Request::Version),
        name if !OPTIONS.contains(&name) => {
            Err(long(name, &Beside::with(found.value, parser, before)))
        }
        name => {
            let (called, meant) = (format!("-{name}"), format!("--{name}"));
            Err(UsageError::Unknown(unknown("option", &called, Some(&meant), SEE_HELP)))
        }
    }
}

/// The same for an option of one letter.
pub(super) fn letter(letter: char, beside: &Beside) -> UsageError {
    if FOR_THE_PORT.contains(&letter.to_string().as_str()) {
        return long("port", beside);
    }
    let meant = LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, ours)| *ours);
    UsageError::Unknown(unknown("option", &format!("-{letter}"), meant, SEE_HELP))
}

/// What to say of `lancam-view list`, which is what people type who know `lancam list`; a camera may be called so.
pub(super) fn list() -> UsageError {
    let unknown = unknown("command", "list", Some("lancam-view --list"), "");
    let text = format!("{unknown} For a camera called list, type lancam-view list.local");
    UsageError::Unknown(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_other_programs_leads_to_an_option_that_exists() {
        let exists = |ours: &str| match ours.strip_prefix("--") {
            Some(long) => OPTIONS.contains(&long),
            None => ["-v", "-q"].contains(&ours),
        };
        for (theirs, ours) in CALLED_ELSEWHERE {
            assert!(exists(ours) && !OPTIONS.contains(&theirs), "{theirs}");
        }
        for (letter, ours) in LETTERS {
            assert!(exists(ours), "{letter}");
        }
    }

    #[test]
    fn a_camera_that_is_named_by_an_option_is_shown_without_it() {
        let beside = |value: Option<&str>| Beside { value: value.map(Into::into), camera: None };
        for (value, typed) in [
            (Some("pi:8080"), "lancam-view pi:8080"),
            (Some("Front door"), "lancam-view 'Front door'"),
            (Some("x'; rm -r /"), "lancam-view 'x'\\''; rm -r /'"),
            (None, "lancam-view Garage"),
        ] {
            let said = long("host", &beside(value)).to_string();
            assert!(said.ends_with(typed), "{said}");
        }
        assert!(long("port", &beside(Some("8080"))).to_string().ends_with(" 192.168.1.20:8080"));
        assert!(letter('p', &beside(Some("x"))).to_string().ends_with(" 192.168.1.20:9999"));
    }
}
