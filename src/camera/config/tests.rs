//! Tests of how options are read from everywhere, and of the messages about wrong ones.

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
        &["run", "--access", "open", "--quality", "60", "--source=test:64x48", "--format", "mjpg"],
    );
    let Ok(Command::Run(config)) = command else { panic!("{command:?}") };
    assert_eq!((config.quality, config.size.width, config.pickle), (60, Some(640), true));
    assert_eq!(config.source, SourceSpec::Test { size: Size::new(64, 48), rate: Rate(30_000) });
    assert_eq!(config.capture.format, Some(PixelFormat::Jpeg));
    assert_eq!(parse(&[], &["list", "--json"]), Ok(Command::List { json: true, verbosity: 0 }));
    assert_eq!(parse(&[], &["list", "-v"]), Ok(Command::List { json: false, verbosity: 1 }));
    assert_eq!(parse(&[], &["selftest", "-vv"]), Ok(Command::SelfTest { verbosity: 2 }));
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
    let config = |more: &[&str]| config(&[&["--pickle", "--access", "open"], more].concat());
    assert_eq!(config(&[]).pickle_size().width, Some(320));
    assert_eq!(config(&["--width", "160"]).pickle_size().width, Some(160));
}

#[test]
fn the_tutorials_client_is_not_served_where_a_key_is_needed() {
    let error = parse(&[], &["--pickle", "--listen", "8080"]).expect_err("others reach it");
    assert!(error.to_string().ends_with("Type: lancam --pickle --access open"), "{error}");
    assert!(config(&["--pickle", "--access", "open"]).pickle);
    assert!(config(&["--pickle", "--listen", "127.0.0.1:8080", "--listen", "[::1]:1"]).pickle);
    assert!(config(&["--pickle", "--listen", "[::ffff:127.0.0.1]:8080"]).pickle);
    let error = parse(&[("LANCAM_PICKLE", "1")], &["check"]).expect_err("others reach it");
    assert!(error.to_string().ends_with("Write: access = \"open\""), "{error}");
    // A camera that has to start does without it.
    match parse(&[("LANCAM_PICKLE", "1"), ("LANCAM_CONFIG_ERRORS", "defaults")], &[]) {
        Ok(Command::Run(config)) => assert!(!config.pickle && config.problems.len() == 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pair_has_names_of_its_own_and_shares_the_folder() {
    let command = parse(
        &[("LANCAM_NAME", "Garage")],
        &["pair", "--name", "HA", "--plain", "--state", "/s", "-v"],
    );
    let Ok(Command::Pair { order, config }) = command else { panic!("{command:?}") };
    assert!(matches!(order, PairOrder::Make { name, .. } if name == "HA"));
    assert_eq!((config.name.as_deref(), config.plain), (Some("Garage"), Plain::Off));
    assert_eq!((config.state, config.verbosity), (Some("/s".into()), 1));
    assert_eq!(parse(&[], &["pair", "--help"]), Ok(Command::Help));
}

#[test]
fn a_wrong_option_is_told_with_what_is_expected() {
    for (arguments, expected) in [
        (&["--size", "0x10"][..], "such as 1280x720"),
        (&["--size", "100000x10"], "1 to 65500"),
        (&["--size", "10000x10000"], "67 million"),
        (&["--width", "0"], "--width must be 1 to 65500 pixels, not 0"),
        (&["--height", "100000"], "65500"),
        (&["--fps", "NaN"], "--fps must be 0.01 to 1000 frames per second, not \"NaN\""),
        (&["--quality", "101"], "--quality must be 1 to 100, not 101"),
        (&["--format", "H264"], "not video; use auto or MJPG"),
        (&["--format", "JPG9"], "lancam list"),
        (&["--listen", "nowhere"], "PORT or ADDRESS:PORT"),
        (&["--listen", "99999"], "PORT or ADDRESS:PORT"),
        (&["--listen", "192.168.1.4"], "such as 192.168.1.4:8080"),
        (&["--allow", "home"], "any"),
        (&["--http-name", "http://cam.fritz.box:8080/"], "type the name alone: cam.fritz.box"),
        (&["--http-name", "*.fritz.box"], "for each name"),
        (&["--cors", "octopi.local"], "http://octopi.local:5000"),
        (&["--cors", "http://octopi.local/x"], "without a path"),
        (&["--cors", "http://a\r\nX: y"], "without a path"),
        (&["--source", "test:9"], "test:1280x720"),
        (&["--source", "test:0x0"], "sides 1 to 65500"),
        (&["--source", "test:1x65535"], "sides 1 to 65500"),
        (&["--source", "test:9000x9000"], "at most 67 million pixels"),
        (&["--max-viewers", "0"], "10000"),
        (&["--encode-threads", "0"], "1 to 64"),
        (&["--announce", "maybe"], "on or off"),
        (&["--control", "on"], "off or lan"),
        (&["--access", "all"], "--access must be keys or open, not \"all\""),
        (&["--plain", "on"], "off or keys"),
        (&["--state", ""], "a folder"),
        (&["--pickle"], "--pickle needs access open"),
        (&["pair", "--nmae", "HA"], "did you mean \"--name\"?"),
        (&["pair", "--may", "all"], "watch or control"),
        (&["--set", "brightness"], "NAME=VALUE"),
        (&["--set", "=5"], "NAME=VALUE"),
        (&["--idle-stop", "-1"], "0 for never"),
        (&["--idle-stop", "inf"], "0 for never"),
        (&["--width", "5", "--width", "6"], "--width is given twice"),
        (&["--nonsense"], "--help"),
        (&["nonsense"], "--help"),
        (&["-x"], "--help"),
        (&["--json"], "lancam list"),
    ] {
        let error = parse(&[], arguments).expect_err("wrong").to_string();
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn what_newcomers_type_wrongly_is_answered_with_what_to_type() {
    for (arguments, expected) in [
        (&["--prot", "8080"][..], "unknown option \"--prot\"; did you mean \"--port\"?"),
        (&["--rot", "90"], "did you mean \"--rotate\"?"),
        (&["--host", "localhost"], "Type: lancam --listen 127.0.0.1:8080"),
        (&["--host", "::1"], "Type: lancam --listen '[::1]:8080'"),
        (&["--List"], "unknown option \"--List\"; did you mean \"lancam list\"?"),
        (&["-list"], "unknown option \"-list\"; did you mean \"lancam list\"?"),
        (&["-size", "640x480"], "unknown option \"-size\"; did you mean \"--size\"?"),
        (&["-port", "8080"], "unknown option \"-port\"; did you mean \"--port\"?"),
        (&["--port", "abc"], "--port must be PORT or ADDRESS:PORT"),
        (&["-r", "vga"], "-r must be WIDTHxHEIGHT"),
        (&["--port"], "--port needs a value: --port ADDR:PORT"),
        (&["-p"], "-p needs a value: -p ADDR:PORT"),
        (&["--size"], "--size needs a value: --size WxH"),
        (&["pair", "--revoke"], "--revoke needs a value: --revoke NAME"),
        (&["--size", "640", "480"], "unexpected word \"480\""),
        (&["stop"], "did you mean \"sudo systemctl stop lancam.socket lancam.service\"?"),
        (&["status"], "did you mean \"systemctl status lancam\"?"),
        (&["check", "lancam.toml"], "Type: lancam check --config lancam.toml"),
        (&["--password", "x"], "did you mean \"lancam pair\"?"),
        (&["--record", "x.mkv"], "did you mean \"lancam-view --record\"?"),
        (&["pair", "--new"], "did you mean \"--new-code\"?"),
        (&["pair", "revoke", "HA"], "Type: lancam pair --revoke HA"),
        (&["pair", "list"], "Type: lancam pair --list"),
        (&["pair", "HA"], "Type: lancam pair --name HA"),
        (&["--name", "  "], "--name must be 1 to 63 bytes of text on one line, not \"  \""),
        (&["--source", ""], "--source must be auto, a camera such as /dev/video0"),
        (&["--width", "640x480"], "--width must be 1 to 65500 pixels, not \"640x480\""),
    ] {
        let error = parse(&[], arguments).expect_err("wrong").to_string();
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_file_whose_name_has_blanks_can_be_typed_as_it_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("my clip.mjpeg");
    std::fs::write(&clip, "").expect("written");
    let clip = clip.to_str().expect("text");
    let error = parse(&[], &[clip]).expect_err("no option").to_string();
    assert!(error.ends_with(&format!("Type: lancam --source '{clip}'")), "{error}");
}

#[test]
fn a_long_option_with_one_dash_is_never_taken_for_its_first_letter() {
    for entry in &OPTIONS {
        let meant = format!("did you mean \"--{}\"?", entry.name);
        for typed in [format!("-{}", entry.name), format!("-{}=5", entry.name)] {
            let said = parse(&[], &[&typed, "5"]).expect_err(&typed).to_string();
            assert!(said.ends_with(&meant), "{typed}: {said}");
        }
    }
    for (arguments, expected) in [
        (&["-verbose"][..], "did you mean \"-v\"?"),
        (&["-quiet"], "did you mean \"-q\"?"),
        (&["-host", "localhost"], "Type: lancam --listen 127.0.0.1:8080"),
        (&["check", "-config", "x"], "did you mean \"--config\"?"),
        (
            &["pair", "-name", "HA"],
            "unknown option of lancam pair \"-name\"; did you mean \"--name\"?",
        ),
        (&["pair", "-state=/x"], "did you mean \"--state\"?"),
    ] {
        let said = parse(&[], arguments).expect_err("refused").to_string();
        assert!(said.ends_with(expected), "{arguments:?}: {said}");
    }
    for arguments in [&["-help"][..], &["pair", "-help"]] {
        assert!(matches!(parse(&[], arguments), Ok(Command::Help)), "{arguments:?}");
    }
    for arguments in [&["-version"][..], &["pair", "-version"]] {
        assert!(matches!(parse(&[], arguments), Ok(Command::Version)), "{arguments:?}");
    }
    // Values are passed over.
    assert_eq!(config(&["--name", "-size"]).name.as_deref(), Some("-size"));
    let command = parse(&[], &["pair", "--name", "-list"]);
    assert!(matches!(command, Ok(Command::Pair { .. })), "{command:?}");
}

#[test]
fn what_other_programs_taught_people_to_type_works() {
    let same = [
        (&["--port", "8080"][..], &["--listen", "[::]:8080"][..]),
        (&["-p", "8080"], &["--listen", ":8080"]),
        (&["-p8080"], &["--listen", "*:8080"]),
        (&["--listen", "8080"], &["--listen", "[::]:8080"]),
        (&["--listen", "localhost:8080"], &["--listen", "127.0.0.1:8080"]),
        (&["--device", "/dev/video1"], &["--source", "/dev/video1"]),
        (&["-d", "1"], &["--source", "/dev/video1"]),
        (&["--resolution", "640x480"], &["--size", "640x480"]),
        (&["-r", "640x480"], &["--size", "640x480"]),
        (&["--framerate", "15"], &["--fps", "15"]),
        (&["--size", "1280×720"], &["--size", "1280x720"]),
        (&["--fps", "7,5"], &["--fps", "7.5"]),
        (&["--source", "test:64×48@7,5"], &["--source", "test:64x48@7.5"]),
    ];
    for (theirs, ours) in same {
        assert_eq!(config(theirs), config(ours), "{theirs:?}");
    }
    for help in ["help", "--help", "-h"] {
        assert_eq!(parse(&[], &[help]), Ok(Command::Help));
    }
    for version in ["version", "--version", "-V"] {
        assert_eq!(parse(&[], &[version]), Ok(Command::Version));
    }
}

#[test]
fn what_makes_no_difference_is_said() {
    assert_eq!(config(&["--stretch", "--width", "5", "--height", "5"]).remarks(), [""; 0]);
    for alone in [&["--stretch"][..], &["--stretch", "--width", "5"]] {
        let remarks = config(alone).remarks();
        assert!(remarks.len() == 1 && remarks[0].contains("both width and height"), "{remarks:?}");
    }
    for asked in [["--fps", "7.5"], ["--size", "640x480"]] {
        let remarks = config(&["--source", "test", asked[0], asked[1]]).remarks();
        assert!(remarks.len() == 1 && remarks[0].contains("test:640x480@15"), "{remarks:?}");
        assert_eq!(config(&asked).remarks(), [""; 0]);
    }
    let remarks = config(&["--plain", "keys", "--access", "open"]).remarks();
    assert!(remarks.len() == 1 && remarks[0].contains("everybody on the LAN"), "{remarks:?}");
    assert_eq!(config(&["--plain", "keys"]).remarks(), [""; 0]);
}

#[test]
fn every_option_is_in_the_help_and_no_line_is_wider_than_a_screen() {
    let help = help::text();
    for entry in &OPTIONS {
        assert!(help.contains(&format!("  --{} ", entry.name)), "{}", entry.name);
        assert!(!entry.help.is_empty(), "{}", entry.name);
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}

#[test]
fn the_examples_of_the_help_can_be_typed() {
    let help = help::text();
    let examples = help.lines().filter_map(|line| line.strip_prefix("  lancam"));
    let examples: Vec<_> = examples.map(|it| it.split("   ").next().unwrap_or_default()).collect();
    assert!(examples.len() > 3, "{help}");
    for example in examples {
        let words: Vec<_> = example.split_whitespace().collect();
        assert!(matches!(parse(&[], &words), Ok(Command::Run(_))), "{example}");
    }
}
