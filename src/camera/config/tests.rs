//! How options are read from everywhere, and what is said of wrong ones.

use super::*;
use crate::camera::help;
use crate::image::pixels::{PixelFormat, Size};
use crate::rate::Rate;

fn parse(environment: &[(&str, &str)], arguments: &[&str]) -> Result<Command, ConfigError> {
    let environment: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Command::parse(environment, arguments.iter().map(Into::into))
}

fn config(arguments: &[&str]) -> Config {
    match parse(&[], arguments) {
        Ok(Command::Run(config)) => *config,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn options_are_read_and_the_command_line_wins() {
    let command = parse(
        &[("LANCAM_QUALITY", "50"), ("LANCAM_WIDTH", "640"), ("LANCAM_PICKLE", "1"), ("HOME", "/")],
        &["run", "--quality", "60", "--source=test:64x48", "--format", "mjpg"],
    );
    let Ok(Command::Run(config)) = command else { panic!("{command:?}") };
    assert_eq!((config.quality, config.size.width, config.pickle), (60, Some(640), true));
    assert_eq!(config.source, SourceSpec::Test { size: Size::new(64, 48), rate: Rate(30_000) });
    assert_eq!(config.capture.format, Some(PixelFormat::Jpeg));
    assert_eq!(parse(&[], &["list", "--json"]), Ok(Command::List { json: true }));
}

#[test]
fn every_format_that_is_listed_can_be_named_as_it_is_listed() {
    for (code, format) in PixelFormat::KNOWN {
        let found = config(&["--format", &code.to_string()]).capture.format;
        assert_eq!(found, Some(format), "{code}");
    }
}

#[test]
fn addresses_on_the_command_line_replace_those_of_the_environment() {
    let command = parse(
        &[("LANCAM_LISTEN", "[::]:1, 0.0.0.0:2")],
        &["--listen", "127.0.0.1:0", "--listen", "[::1]:0"],
    );
    let Ok(Command::Run(config)) = command else { panic!("{command:?}") };
    let addresses = ["127.0.0.1:0", "[::1]:0"].map(|text| text.parse().expect("an address"));
    assert_eq!(config.listen, Listen::At(addresses.to_vec()));
}

#[test]
fn controls_are_set_in_the_order_of_their_last_mention() {
    let command = parse(
        &[("LANCAM_SET", "brightness=1, gain=2,hue=3")],
        &["--set", "Brightness=4", "--set", "gain=a,b"],
    );
    let Ok(Command::Run(config)) = command else { panic!("{command:?}") };
    let settings: Vec<String> = config.settings.iter().map(ToString::to_string).collect();
    assert_eq!(settings, ["hue=3", "Brightness=4", "gain=a,b"]);
}

#[test]
fn the_camera_rests_after_a_minute_or_when_it_is_told_to() {
    let idle_stop = |arguments: &[&str]| config(arguments).idle_stop;
    assert_eq!(idle_stop(&[]), Some(Duration::from_secs(60)));
    assert_eq!(idle_stop(&["--idle-stop", "0.5"]), Some(Duration::from_millis(500)));
    assert_eq!(idle_stop(&["--idle-stop", "0"]), None);
}

#[test]
fn the_tutorials_client_gets_the_tutorials_width_unless_told_otherwise() {
    assert_eq!(config(&["--pickle"]).pickle_size().width, Some(320));
    assert_eq!(config(&["--pickle", "--width", "160"]).pickle_size().width, Some(160));
}

#[test]
fn a_wrong_option_is_told_with_what_would_work() {
    for (arguments, would_work) in [
        (&["--size", "0x10"][..], "1280x720"),
        (&["--size", "100000x10"], "1280x720"),
        (&["--width", "0"], "65535"),
        (&["--height", "100000"], "65535"),
        (&["--fps", "NaN"], "0.01"),
        (&["--quality", "101"], "100"),
        (&["--format", "H264"], "YUYV"),
        (&["--listen", "9999"], "ADDRESS:PORT"),
        (&["--allow", "home"], "any"),
        (&["--http-name", "http://cam.fritz.box:8080/"], "type the name alone: cam.fritz.box"),
        (&["--http-name", "*.fritz.box"], "for each name"),
        (&["--cors", "octopi.local"], "http://octopi.local:5000"),
        (&["--cors", "http://octopi.local/x"], "without a path"),
        (&["--cors", "http://a\r\nX: y"], "without a path"),
        (&["--source", "test:9"], "640x360"),
        (&["--max-viewers", "0"], "10000"),
        (&["--announce", "maybe"], "on or off"),
        (&["--control", "on"], "off or lan"),
        (&["--set", "brightness"], "NAME=VALUE"),
        (&["--set", "=5"], "NAME=VALUE"),
        (&["--idle-stop", "-1"], "0 for never"),
        (&["--idle-stop", "inf"], "0 for never"),
        (&["--nonsense"], "--help"),
        (&["nonsense"], "--help"),
        (&["--size"], "--help"),
        (&["--json"], "--help"),
    ] {
        let error = parse(&[], arguments).expect_err("wrong").to_string();
        assert!(error.contains(would_work), "{arguments:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn every_option_is_in_the_help() {
    let help = help::text();
    for entry in &OPTIONS {
        assert!(help.contains(&format!("  --{} ", entry.name)), "{}", entry.name);
        assert!(!entry.help.is_empty(), "{}", entry.name);
    }
    assert!(help.lines().all(|line| line.len() <= 128), "{help}");
}
