//! Tests that follow the advice of messages: what they say to write or type works.

use super::*;
use crate::wording::{TYPE, WRITE};

fn parse(file: &str, arguments: &[&str]) -> Result<Command, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lancam.toml");
    std::fs::write(&path, file).expect("writes");
    let environment = [("LANCAM_CONFIG".into(), path.into())];
    Command::parse(environment, arguments.iter().map(Into::into))
}

/// Checks a file of an open camera, which serves the tutorial's client too.
fn checked(file: &str) -> Result<(), String> {
    parse(file, &["check", "--access", "open"]).map(|_| ()).map_err(|error| error.to_string())
}

/// The rest of a message after `sign`.
fn advice<'a>(message: &'a str, sign: &str) -> Option<&'a str> {
    message.split_once(sign).map(|(_, advice)| advice)
}

#[test]
fn what_a_message_says_to_write_is_what_was_meant_and_is_good() {
    for (line, meant) in [
        ("name =", "name = \"Garage\""),
        ("quality =", "quality = 80"),
        ("listen =", "listen = [\"[::]:9999\", \"[::]:8080\"]"),
        ("name = Garage", "name = \"Garage\""),
        ("name = My camera # in the hall", "name = \"My camera\""),
        ("name = “Garage”", "name = \"Garage\""),
        ("name = ‘Garage’", "name = \"Garage\""),
        ("name = \"“Garage”\"", "name = \"Garage\""),
        ("name = \"Garage", "name = \"Garage\""),
        ("name: Garage", "name = \"Garage\""),
        ("name Garage", "name = \"Garage\""),
        ("listen = :8080", "listen = \":8080\""),
        ("listen = 127.0.0.1:8080", "listen = \"127.0.0.1:8080\""),
        ("listen = [“127.0.0.1:8080”]", "listen = [\"127.0.0.1:8080\"]"),
        ("pickle = yes", "pickle = true"),
        ("pickle = no", "pickle = false"),
        ("fps = 7,5", "fps = 7.5"),
        ("size = 640x480", "size = \"640x480\""),
        ("size = [640, 480]", "size = \"1280x720\""),
        ("rotate = [180]", "rotate = 180"),
        ("rotat = 90", "rotate = 90"),
        ("qualty = \"70\"", "quality = 70"),
        ("resolution = \"640x480\"", "size = \"640x480\""),
        ("resolution = 640x480", "size = \"640x480\""),
        ("port = 8080", "listen = \"8080\""),
        ("framerate = 15", "fps = 15"),
        ("framerate = fast", "fps = 30"),
        ("device = \"/dev/video0\"", "source = \"/dev/video0\""),
        ("; a comment", "# a comment"),
        ("// a comment", "# a comment"),
        ("[controls", "[controls]"),
    ] {
        let message = checked(line).expect_err(line);
        let advice = advice(&message, WRITE).unwrap_or_else(|| panic!("{line}: {message}"));
        assert_eq!(advice, meant, "{line}: {message}");
        assert_eq!(checked(advice), Ok(()), "{line}: {message}");
    }
}

#[test]
fn a_line_that_stands_at_a_wrong_place_is_told_where_it_belongs() {
    for (lines, says) in [
        ("[control]\nbrightness = 5", "unknown table \"[control]\"; did you mean \"[controls]\"?"),
        ("[Wifi]\nssid = \"x\"", "unknown table \"[Wifi]\"; did you mean \"[wifi]\"?"),
        ("[network]\nssid = \"x\"", "did you mean \"[wifi]\"?"),
        ("[x]\ny = 5", "unknown table \"[x]\"; options go at the top of the file"),
        (
            "ssid = \"x\"",
            "\"ssid\"; write it below a line [wifi]. That works on lancam's SD card only",
        ),
        ("code = \"K7QM-2XPD-9HRT\"", "\"code\"; write it below a line [device]. That works on"),
        ("code = \"K7QM-2XPD-9HRT\"", "On other systems, type: sudo lancam pair --new-code"),
        (
            "size = {width = 640, height = 480}",
            "size must be one value. Write: size = \"1280x720\"",
        ),
        ("name = {x = 5}", "name must be one value. Write: name = \"Garage\""),
        ("[size]\nwidth = 640", "size must be one value. Write: size = \"1280x720\""),
        ("[csi-option]\nx = 5", "write NAME = VALUE below a line [csi]"),
        ("[set]\ngain = 5", "write NAME = VALUE below a line [controls]"),
        ("password = \"x\"", "lancam has no passwords: viewers need the camera's code"),
        ("brightness = 5", "a camera's controls go below a line [controls]"),
    ] {
        let message = checked(lines).expect_err(lines);
        assert!(message.contains(says), "{lines}: {message}");
    }
}

#[test]
fn what_people_write_into_the_file_is_taken_with_quotes_or_without() {
    for line in [
        "rotate = \"180\"",
        "quality = \"80\"",
        "name = 5",
        "listen = 8080",
        "listen = [8080, \"localhost:9999\"]",
        "pickle = \"yes\"",
        "pickle = 1",
        "announce = false",
        "chroma = \"422\"",
        "fps = \"7,5\"",
        "size = \"1280×720\"",
        "source = 0",
    ] {
        assert_eq!(checked(line), Ok(()), "{line}");
    }
}

#[test]
fn what_a_message_says_to_type_can_be_typed() {
    for arguments in [
        &["--host", "0.0.0.0"][..],
        &["--host", "localhost"],
        &["--host=192.168.1.4"],
        &["test"],
        &["test:64x48"],
        &["--source", "test:0x0"],
        &["--source", "test:640x480@fast"],
        &["--pickle"],
        &["pair", "--may", "control"],
        &["pair", "--plain"],
        &["pair", "revoke", "HA"],
        &["pair", "new-code"],
        &["pair", "HA"],
    ] {
        let message = parse("", arguments).expect_err("refused").to_string();
        let advice = advice(&message, TYPE).unwrap_or_else(|| panic!("{arguments:?}: {message}"));
        let words: Vec<&str> = advice.split(' ').skip(1).collect();
        assert!(parse("", &words).is_ok(), "{message}");
    }
}

#[test]
fn what_lancam_pair_says_to_type_is_the_order_that_was_meant_for_the_same_camera() {
    for (arguments, meant) in [
        (&["pair", "--state", "/x", "revoke", "HA"][..], &["--state", "/x", "--revoke", "HA"][..]),
        (&["pair", "revoke", "HA", "--state", "/x"], &["--state", "/x", "--revoke", "HA"]),
        (&["pair", "--state", "/x", "--plain"], &["--state", "/x", "--name", "HA", "--plain"]),
        (&["pair", "name", "--may", "control"], &["--name", "HA", "--may", "control"]),
        (&["pair", "HA", "--may", "control"], &["--name", "HA", "--may", "control"]),
        (&["pair", "--state", "/x", "code"], &["--state", "/x"]),
        (&["pair", "show"], &[]),
        (&["pair", "K7QM-2XPD-9HRT"], &[]),
        (&["pair", "new-code"], &["--new-code"]),
        (&["pair", "livingroomtv"], &["--name", "livingroomtv"]),
    ] {
        let message = parse("", arguments).expect_err("refused").to_string();
        let advice = advice(&message, TYPE).unwrap_or_else(|| panic!("{arguments:?}: {message}"));
        let words: Vec<&str> = advice.split(' ').skip(1).collect();
        let meant = [&["pair"], meant].concat();
        assert_eq!(parse("", &words), parse("", &meant), "{message}");
    }
    let two_words = parse("", &["pair", "Front", "door"]).expect_err("refused").to_string();
    assert!(two_words.ends_with("Type: lancam pair --name 'Front door'"), "{two_words}");
    let help = parse("", &["pair", "help"]).expect_err("refused").to_string();
    assert!(help.ends_with("did you mean \"--help\"?"), "{help}");
}

#[test]
fn a_word_that_a_message_asks_about_is_a_word_that_works() {
    for (arguments, meant) in [
        (&["--hlep"][..], "--help"),
        (&["--verison"], "--version"),
        (&["--qualty", "5"], "--quality"),
        (&["--max_viewers", "5"], "--max-viewers"),
        (&["lst"], "lancam list"),
        (&["chek"], "lancam check"),
        (&["slftest"], "lancam selftest"),
    ] {
        let message = parse("", arguments).expect_err("refused").to_string();
        assert!(message.ends_with(&format!("did you mean \"{meant}\"?")), "{message}");
        let words: Vec<&str> = meant.split(' ').skip(usize::from(meant.contains(' '))).collect();
        let corrected = [&words[..], &arguments[1..]].concat();
        assert!(parse("", &corrected).is_ok(), "{corrected:?}");
    }
}
