//! Tests of the command line.

use super::*;
use crate::rate::Rate;
use crate::viewer::keep::recorder::Naming;
use crate::wire::native::message::Wishes;
use std::time::Duration;

fn parse_line(line: &str) -> Result<Request, String> {
    let arguments = line.split_whitespace().map(OsString::from);
    parse(arguments).map_err(|error| error.to_string())
}

fn config(line: &str) -> Config {
    match parse_line(line) {
        Ok(Request::Watch(config)) => *config,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_camera_is_enough() {
    let config = config("pi.local");
    assert_eq!(config.cameras, [CameraAddress { host: "pi.local".into(), port: None }]);
    assert_eq!(config.protocol, Protocol::Native(Wishes::default()));
    assert_eq!(config.output, Output::Window);
}

#[test]
fn a_window_may_open_on_all_of_the_screen() {
    assert_eq!(config("pi").opening, Opening::Window);
    assert_eq!(config("--fullscreen").opening, Opening::FullScreen);
}

#[test]
fn none_is_enough_too_and_several_make_a_grid() {
    assert_eq!(config("").cameras, []);
    assert_eq!(config("--headless").cameras, []);
    assert_eq!(config("a b:7 [::1]").cameras.len(), 3);
}

#[test]
fn cameras_are_listed_for_people_or_for_programs() {
    let list = |report, verbosity| Ok(Request::List { report, verbosity });
    assert_eq!(parse_line("--list"), list(Report::Text, 0));
    assert_eq!(parse_line("-v --json --list"), list(Report::Json, 1));
}

#[test]
fn headless_ends_after_ten_seconds_unless_told_otherwise() {
    let headless = |line| match config(line).output {
        Output::Headless(headless) => headless,
        Output::Window => panic!("{line}"),
    };
    let plain = headless("--headless pi");
    assert_eq!(plain.limit, Limit::Elapsed(Duration::from_secs(10)));
    let both = |timeout| Timeout { first: timeout, next: Some(timeout) };
    assert_eq!((plain.timeout, plain.report), (both(Duration::from_secs(10)), Report::Text));
    let comma = headless("--headless pi --seconds 7,5");
    assert_eq!(comma.limit, Limit::Elapsed(Duration::from_millis(7500)), "as in much of Europe");
    let told = headless("--headless pi --frames 5 --timeout=0.5 --save a.png --json");
    assert_eq!(told.limit, Limit::Pictures(5));
    let timeout = both(Duration::from_millis(500));
    assert_eq!((told.timeout, told.report), (timeout, Report::Json));
    assert_eq!(told.save, Some("a.png".into()));
    let endless = headless("--headless pi --record x.mkv");
    let timeout = Timeout { first: Duration::from_secs(10), next: None };
    assert_eq!((endless.limit, endless.timeout), (Limit::Never, timeout));
    let told = headless("--headless pi --record x.mkv --seconds 5 --timeout 10");
    assert_eq!((told.limit, told.timeout), (Limit::Elapsed(Duration::from_secs(5)), plain.timeout));
}

#[test]
fn recordings_are_cut_and_named() {
    let plan = config("a b --record x.mkv --record-every 10min --record-max 2GiB --record-keep 6");
    let rotation = Rotation { every: Some(Duration::from_secs(600)), max: Some(2 << 30), keep: 6 };
    assert_eq!(plan.rotation, rotation);
    let record = Plan { path: "x.mkv".into(), naming: Naming::WithCamera, rotation };
    assert_eq!(plan.record, Some(record));
    assert_eq!(config("a --record x.mkv").record, Some(Plan::file("x.mkv".as_ref())));
    assert_eq!(config("a --record-every 1h").record, None, "it is for the key");
}

#[test]
fn a_server_of_pickles_is_named_behind_its_option() {
    let config = config("--headless --pickle pi:1234");
    assert_eq!((config.protocol, config.cameras[0].port), (Protocol::Pickle, Some(1234)));
}

#[test]
fn wishes_are_passed_on() {
    let protocol = config("pi --width 640 --height 360 --quality 70 --fps 12.5").protocol;
    let wishes = Wishes { width: 640, height: 360, quality: 70, rate: Rate(12_500) };
    assert_eq!(protocol, Protocol::Native(wishes));
}

#[test]
fn what_makes_no_sense_is_answered_in_one_line_with_what_would() {
    for (line, answer) in [
        ("a b --headless", "--headless goes with one camera, not with a and b; start one"),
        ("front door --headless", "A name with a space needs quotes"),
        ("--size 320x240 pi", "Type: lancam-view --width 320 --height 240 pi"),
        ("pi --size 320x240", "Type: lancam-view --width 320 --height 240 pi"),
        ("--resolution vga", "Type: lancam-view --width 640 --height 480 Garage"),
        (
            "--control lan pi",
            "--control is an option of lancam, the program on the camera's machine",
        ),
        ("--forget", "--forget needs a value: --forget CAMERA"),
        ("192.168.1.300", "is not an IP address: that is four numbers from 0 to 255"),
        ("pi --hedless", "unknown option \"--hedless\"; did you mean \"--headless\"?"),
        ("pi --full-screen", "did you mean \"--fullscreen\"?"),
        ("pi --sead", "unknown option \"--sead\"; lancam-view --help lists the options"),
        ("pi -x", "unknown option \"-x\"; lancam-view --help lists the options"),
        ("pi --screenshot", "unknown option \"--screenshot\"; did you mean \"--save\"?"),
        ("--verbose pi", "did you mean \"-v\"?"),
        ("-l", "unknown option \"-l\"; did you mean \"--list\"?"),
        ("--host pi", "named without an option. Type: lancam-view pi"),
        ("--host=pi", "named without an option. Type: lancam-view pi"),
        ("--ip 192.168.1.7 --port 8080", "Type: lancam-view 192.168.1.7"),
        ("-p 8080", "Type: lancam-view 192.168.1.20:8080"),
        ("-p 8080 Garage", "Type: lancam-view Garage:8080"),
        ("--record x.mkv -p 8080 --width 5 --fullscreen Garage", "Type: lancam-view Garage:8080"),
        ("fe80::1%eth0 -p8080", "Type: lancam-view '[fe80::1%eth0]:8080'"),
        ("-port 8080 Garage", "Type: lancam-view Garage:8080"),
        ("list", "unknown command \"list\"; did you mean \"lancam-view --list\"?"),
        ("list --json", "For a camera called list, type lancam-view list.local"),
        ("--list --fullscreen", "use --list or --fullscreen, not both"),
        ("pi --headless --fullscreen", "use --headless or --fullscreen, not both"),
        ("rtsp://pi:8554/x", "lancam does not speak RTSP"),
        ("pi --save", "--save needs a value: --save FILE"),
        ("pi --save x.png", "works only together with --headless"),
        ("pi --headless --save x.gif", "ends in .png"),
        ("pi --headless --save png", "ends in .png"),
        ("--headless --pickle pi --save x.JPEG", "sends no JPEGs"),
        ("pi --frames 3", "works only together with --headless"),
        ("pi --headless --frames 0", "must be 1 or more, not 0"),
        ("pi --headless --frames -1", "must be 1 or more, not -1"),
        ("pi --headless --seconds nan", "must be a number of seconds above 0"),
        ("pi --headless --seconds 1e300", "must be a number of seconds above 0"),
        ("pi --headless --seconds 1 --frames 1", "not both"),
        ("pi --pickle other", "--pickle goes with one camera"),
        ("--pickle pi --width 9", "does not go with --width"),
        ("pi --width 0", "must be 1 to 65535"),
        ("pi --width 100000", "must be 1 to 65535"),
        ("pi --quality 101", "must be 1 to 100"),
        ("pi --fps 0", "must be 0.001 to 1000"),
        ("pi:99999", "HOST:PORT"),
        ("--list pi", "not both"),
        ("--list --headless", "not both"),
        ("--list --frames 3", "use --list or --frames, not both"),
        ("--list --width 5", "use --list or --width, not both"),
        ("--list --pickle pi:1234", "use --list or --pickle, not both"),
        ("--forget X --record y.mkv", "use --forget or --record, not both"),
        ("--forget X --json", "use --forget or --json, not both"),
        ("--forget X --list", "use --forget or --list, not both"),
        ("pi --json", "works only together with --headless"),
        ("pi --record x.avi", "ends in .mkv, not \"x.avi\""),
        ("pi --record mkv", "ends in .mkv, not \"mkv\""),
        ("--list --record x.mkv", "not both"),
        ("--list --record-max 1GB", "not both"),
        ("pi --record x.mkv --record-every 10", "unit (s, min, h, d), such as 10min, not 10"),
        ("pi --record x.mkv --record-max 2G", "such as 2GiB, not \"2G\""),
        ("pi --record x.mkv --record-keep 0", "must be 1 or more, not 0"),
        ("pi --record x.mkv --record-keep 3", "only together with --record-every or --record-max"),
        ("pi --headless --record-every 1h", "--record-every works only together with --record"),
        ("a b --headless --record x.mkv", "--headless goes with one camera"),
        ("pi --record a.mkv --record b.mkv", "--record is given twice; give it once"),
        ("pi --headless --save a.png --save=b.png", "--save is given twice"),
        ("pi --width 320 --fps 5 --width 640", "--width is given twice"),
        ("pi --code K7QM", "--code: a code has 12 letters and digits, such as K7QM-2XPD-9HRT"),
        ("pi --code K7QM-2XPD-9HRU", "--code: a code has no 'U'"),
        ("a b --code K7QM-2XPD-9HRT", "--code goes with one camera, not with a and b"),
        ("a b --key-file key", "--key-file goes with one camera"),
        ("a --key-file key --code K7QM-2XPD-9HRT", "use --code or --key-file, not both"),
        ("--pickle a --code K7QM-2XPD-9HRT", "use --pickle or --code, not both"),
        ("--list --code K7QM-2XPD-9HRT", "use --list or --code, not both"),
        ("--forget a b", "--forget goes with one camera, not with a and b"),
        ("pi --record /dev/stdout", "file or pipe that ends in .mkv, not \"/dev/stdout\""),
    ] {
        let error = parse_line(line).expect_err(line);
        assert!(error.contains(answer), "{line}: {error}");
        assert!(!error.contains('\n'), "{line}: {error}");
    }
}

#[test]
fn a_long_option_with_one_dash_is_never_taken_for_its_first_letter() {
    assert!(matches!(parse_line("-help"), Ok(Request::Help)));
    assert!(matches!(parse_line("-version"), Ok(Request::Version)));
    for option in OPTIONS.iter().filter(|it| !["help", "version"].contains(it)) {
        let error = parse_line(&format!("-{option} 5 pi")).expect_err(option);
        let expected = format!("unknown option \"-{option}\"; did you mean \"--{option}\"?");
        assert_eq!(error, expected);
    }
    for (line, answer) in [
        ("-quality=5 pi", "did you mean \"--quality\"?"),
        ("-verbose pi", "did you mean \"-v\"?"),
        ("-host=pi", "Type: lancam-view pi"),
        ("-port 8080", "Type: lancam-view 192.168.1.20:8080"),
    ] {
        let error = parse_line(line).expect_err(line);
        assert!(error.ends_with(answer), "{line}: {error}");
    }
    assert_eq!(config("-vv -- -list").cameras.len(), 1, "a camera may be called so");
    assert_eq!(config("--key-file -code pi").cameras.len(), 1, "values are passed over");
}

#[test]
fn an_option_without_its_value_is_shown_with_what_stands_for_it_in_the_help() {
    for (option, placeholder) in [
        ("--code", "CODE"),
        ("--record", "FILE.mkv"),
        ("--record-max", "LENGTH"),
        ("--width", "N"),
        ("--height", "N"),
        ("--quality", "1..100"),
        ("--seconds", "S"),
        ("--pickle", "HOST:PORT"),
    ] {
        let error = parse_line(option).expect_err(option);
        assert_eq!(error, format!("{option} needs a value: {option} {placeholder}"));
    }
}

#[test]
fn help_names_every_option_that_is_taken() {
    let text = help::text();
    for option in OPTIONS {
        assert!(text.contains(&format!("--{option}")), "{option}");
        let answer = parse_line(&format!("--{option}")).err().unwrap_or_default();
        assert!(!answer.contains("unknown"), "--{option} is taken: {answer}");
    }
    let named = text.split(|it: char| !it.is_ascii_lowercase() && it != '-');
    for option in named.filter_map(|word| word.strip_prefix("--")).filter(|it| !it.is_empty()) {
        assert!(OPTIONS.contains(&option), "{option}");
    }
    let long = text.lines().find(|line| line.chars().count() > 100);
    assert_eq!(long, None, "no line is longer than 100 columns");
    assert_eq!(parse_line("help"), Ok(Request::Help));
    assert_eq!(config("help garage").cameras.len(), 2, "a camera may be called so");
    assert_eq!(config("list garage").cameras.len(), 2, "a camera may be called so");
    assert_eq!(config("list.local").cameras.len(), 1);
    assert_eq!(parse_line("version"), Ok(Request::Version));
    assert_eq!(parse_line("-V"), Ok(Request::Version));
    assert_eq!(parse_line("--help"), Ok(Request::Help));
    assert_eq!(parse_line("pi --version"), Ok(Request::Version));
}
