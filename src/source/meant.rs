//! Which source somebody meant who named one that is not there.

use crate::nearest;
use std::path::Path;

/// The words that are no files.
const WORDS: [&str; 3] = ["auto", "csi", "test"];

/// What people call them.
const CALLED_ELSEWHERE: [(&str, &str); 12] = [
    ("usb", "auto"),
    ("webcam", "auto"),
    ("camera", "auto"),
    ("default", "auto"),
    ("any", "auto"),
    ("picam", "csi"),
    ("picamera", "csi"),
    ("rpicam", "csi"),
    ("libcamera", "csi"),
    ("pattern", "test"),
    ("stdin", "-"),
    ("pipe", "-"),
];

/// `test:640x480` for `tset:640x480`, `/dev/video0` for `vidoe0`. What has a folder or an ending is a file.
pub(super) fn source(path: &Path) -> Option<String> {
    let text = path.to_str().filter(|text| !text.contains(['/', '.']))?;
    let (word, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
    let lower = word.to_lowercase();
    if let Some(ours) = nearest::ours(&lower, &CALLED_ELSEWHERE) {
        return Some(ours.to_owned());
    }
    if let Some(meant) = nearest::of(&lower, WORDS) {
        return Some(format!("{meant}{rest}"));
    }
    let name = word.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let number = &word[name.len()..];
    nearest::of(name, ["video"])
        .filter(|_| !number.is_empty())
        .map(|it| format!("/dev/{it}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_understood_and_files_are_not() {
        for (written, meant) in [
            ("tset", Some("test")),
            ("Test", Some("test")),
            ("tset:640x480", Some("test:640x480")),
            ("CSI", Some("csi")),
            ("webcam", Some("auto")),
            ("vidoe0", Some("/dev/video0")),
            ("pipe", Some("-")),
            ("clip", None),
            ("test.mjpeg", None),
            ("./tset", None),
            ("", None),
            ("video", None),
        ] {
            assert_eq!(source(Path::new(written)).as_deref(), meant, "{written}");
        }
        for word in WORDS {
            assert!(super::super::SourceSpec::parse(word).is_ok(), "{word}");
        }
    }
}
