//! Options from the file, the environment and the command line: which one wins, and how mistakes are
//! reported. With `LANCAM_BLESS=1` it writes docs/CONFIGURATION.md, systemd/lancam.toml and the card's
//! lancam.toml anew.

use crate::tools::camera_process::{CameraProcess, run_to_end};
use lancam::camera::config::options::{Entry, InFile, OPTIONS, Section, ValueKind};
use lancam::camera::config::{Command, Config, ConfigError};
use lancam::source::CsiSetting;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file with this text, and the temporary folder that holds it.
fn file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lancam.toml");
    fs::write(&path, text).expect("writes");
    (folder, path)
}

fn parse(
    file: &str,
    environment: &[(String, &str)],
    arguments: &[String],
) -> Result<Command, ConfigError> {
    let (_folder, path) = self::file(file);
    let mut all: Vec<_> =
        environment.iter().map(|(name, value)| (name.into(), (*value).into())).collect();
    all.push(("LANCAM_CONFIG".into(), path.into()));
    Command::parse(all, arguments.iter().map(Into::into))
}

fn config(file: &str, environment: &[(String, &str)], arguments: &[String]) -> Config {
    match parse(file, environment, arguments) {
        Ok(Command::Run(config)) => *config,
        other => panic!("{file:?} {environment:?} {arguments:?}: {other:?}"),
    }
}

/// Three values of an option, for its file, its environment and its command line. They differ if the option
/// has three values.
fn three(name: &str) -> [&'static str; 3] {
    match name {
        "source" => ["/dev/video7", "test:64x48", "clip.mjpeg"],
        "size" => ["640x480", "320x240", "1x1"],
        "fps" => ["7", "8.5", "9"],
        "format" => ["YUYV", "MJPG", "NV12"],
        "set" => ["gain=1", "gain=2", "gain=3"],
        "csi-format" => ["yuv420", "mjpeg", "yuv420"],
        "csi-option" => ["ev=1", "ev=2", "ev=3"],
        "csi-program" => ["/a", "/b", "/c"],
        "rotate" => ["90", "180", "270"],
        "flip" => ["h", "v", "hv"],
        "raw" => ["off", "black", "gamma"],
        "camera-memory" => ["uncached", "cached", "auto"],
        "idle-stop" => ["1", "2.5", "0"],
        "width" | "height" => ["100", "200", "300"],
        "quality" => ["10", "20", "30"],
        "chroma" => ["422", "420", "422"],
        "listen" => ["127.0.0.1:1", "[::1]:2", "127.0.0.1:3"],
        "allow" => ["203.0.113.1", "203.0.113.0/24", "any"],
        "name" => ["a", "b", "c"],
        "http-name" => ["a.example", "b.example", "c"],
        "access" => ["open", "keys", "open"],
        "plain" => ["keys", "off", "keys"],
        "state" => ["/a", "/b", "/c"],
        "announce" => ["off", "on", "off"],
        "cors" => ["http://a", "http://b", "*"],
        "max-viewers" | "encode-threads" => ["1", "2", "3"],
        "log" => ["debug", "warn", "error"],
        "stretch" | "pickle" => ["true", "false", "true"],
        "control" => ["lan", "off", "lan"],
        "config-errors" => ["defaults", "stop", "defaults"],
        _ => panic!("give three values for --{name}"),
    }
}

/// The line `entry = value` of the file.
fn statement(entry: &Entry, value: &str) -> String {
    match entry.kind {
        ValueKind::Switch | ValueKind::Number => format!("{} = {value}\n", entry.name),
        ValueKind::Text => format!("{} = {value:?}\n", entry.name),
        ValueKind::List(_) => format!("{} = [{value:?}]\n", entry.name),
        ValueKind::Controls => {
            let (control, value) = value.split_once('=').expect("NAME=VALUE");
            let table = if entry.name == "set" { "controls" } else { "csi" };
            format!("[{table}]\n{control} = {value}\n")
        }
    }
}

#[test]
fn the_command_line_beats_the_environment_and_that_the_file_for_each_option() {
    for entry in OPTIONS.iter().filter(|entry| entry.name != "config") {
        let name = entry.name;
        let [low, middle, high] = three(name);
        // Nobody needs a key on loopback, so the tutorial's client is served there.
        let more = if name == "pickle" { "listen = \"127.0.0.1:0\"\n" } else { "" };
        let config = |file: &str, environment: &[(String, &str)], arguments: &[String]| {
            config(&format!("{more}{file}"), environment, arguments)
        };
        let (file, environment) = (statement(entry, low), [(entry.variable(), middle)]);
        let flag = [format!("--{name}={high}")];
        let alone =
            [config(&file, &[], &[]), config("", &environment, &[]), config("", &[], &flag)];
        assert!(alone[0] != alone[1], "--{name}");
        assert_ne!(alone[0], config("", &[], &[]), "--{name}: not read from the file");
        assert_eq!(config(&file, &environment, &[]), alone[1], "--{name}: environment over file");
        assert_eq!(config(&file, &environment, &flag), alone[2], "--{name}: flag over both");
        assert_eq!(config(&file, &[], &flag), alone[2], "--{name}: flag over file");
    }
}

#[test]
fn all_that_is_wrong_is_told_with_its_line_and_what_is_expected() {
    for (text, place, expected) in [
        ("quality = 800", "1:11", "1 to 100"),
        ("\n\n  qualty = 80", "3:3", "did you mean \"quality\"? Write: quality = 80"),
        ("name = Garage", "1:8", "Write: name = \"Garage\""),
        ("size = 640", "1:8", "size must be WIDTHxHEIGHT, such as 1280x720"),
        ("pickle = yes", "1:10", "Write: pickle = true"),
        ("pickle = \"maybe\"", "1:10", "pickle must be true or false, not \"maybe\""),
        ("fps = nan", "1:7", "0.01"),
        ("allow = [\"10.0.0.0/8\", \"home\"]", "1:9", "\"home\""),
        ("listen = 99999", "1:10", "PORT or ADDRESS:PORT"),
        ("listen = [\"[::]:1\", [2]]", "1:10", "list of texts"),
        ("size = \"640x480\"\nsize = \"320x240\"", "2:1", "set twice"),
        ("set = \"gain=1\"", "1:1", "[controls]"),
        ("config = \"b.toml\"", "1:1", "everything in one file"),
        ("controls = 5", "1:1", "[controls]"),
        ("wifi.psk = secret", "1:12", "quotes around it"),
        ("[wifi]\nssid = \"a\"\npsk = \"short\"", "3:8", "8 to 63"),
        ("[device]\nname = \"a b\"", "2:9", "garage-2"),
        ("wifi = 5", "1:1", "is a table"),
        ("[camera]\nsize = \"640x480\"", "1:2", "unknown table \"[camera]\""),
        ("[controls]\nquality = 5", "2:1", "above the line [controls]"),
        ("[controls]\ngain = [1]", "2:8", "true, false"),
        ("[csi]\nawb = \"sunny\"", "2:7", "daylight"),
        ("[csi]\nev = 9", "2:6", "ev must be -8 to 8"),
        ("[csi]\nhdr = true", "2:7", "\"true\""),
        ("[csi]\nbrightness = true", "2:14", "-1 to 1"),
        ("[csi]\nlense = 1", "2:9", "[csi]"),
        ("[csi]\nAwb = \"auto\"\nawb = \"daylight\"", "3:1", "awb is set twice"),
        (
            "[csi]\nflicker-period = 0\nFlicker_Period = 0",
            "3:1",
            "set twice, above as flicker-period",
        ),
        ("csi = 1", "1:1", "[csi]"),
        ("csi-format = \"h264\"", "1:14", "auto, yuv420 or mjpeg"),
        ("[controls\ngain = 1", "1:10", "Write: [controls]"),
        ("name = \"x\nfps = 5", "1:10", "Write: name = \"x\""),
        ("quality 80", "1:9", "Write: quality = 80"),
        ("größe = 5", "1:3", "KEY = VALUE"),
        ("\u{feff}quality = 800", "1:11", "1 to 100"),
        ("name = \"Küche\"\nquality = 0 # \u{e4}", "2:11", "1 to 100"),
    ] {
        let error = parse(text, &[], &["check".into()]).expect_err(text);
        assert!(matches!(error, ConfigError::File(_)), "{text:?}: {error:?}");
        let error = error.to_string();
        let first = error.lines().next().unwrap_or_default();
        assert!(first.contains(&format!("lancam.toml:{place}: ")), "{text:?}: {error}");
        assert!(first.contains(expected), "{text:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{text:?}: {error}");
    }
}

#[test]
fn check_tells_every_mistake_and_ends_with_78() {
    let (_folder, path) = file("quality = 0\nwidht = 5\n\nfps = \"x\"\n[controls]\ngain = []\n");
    let path = path.to_str().expect("UTF-8");
    let (code, text) = run_to_end(&mut CameraProcess::command(&["check", "--config", path]));
    assert_eq!(code, Some(78), "{text}");
    for line in [1, 2, 4, 6] {
        assert!(text.contains(&format!("{path}:{line}:")), "{line}: {text}");
    }
    let (_folder, path) = file("quality = 5\n");
    let path = path.to_str().expect("UTF-8");
    assert_eq!(run_to_end(&mut CameraProcess::command(&["check", "--config", path])).0, Some(0));
    assert_eq!(run_to_end(&mut CameraProcess::command(&["check"])).0, Some(0), "no file is fine");
}

#[test]
fn a_wrong_file_stops_the_camera_with_78_before_it_listens() {
    let (folder, path) = file(b"name = \"x\xff\"\n");
    let not_text = path.to_str().expect("UTF-8");
    let utf16 = folder.path().join("notepad.toml");
    fs::write(&utf16, b"\xff\xfen\0a\0").expect("writes");
    let huge = folder.path().join("huge.toml");
    fs::write(&huge, "#\n".repeat(1 << 20)).expect("writes");
    let missing = folder.path().join("missing.toml");
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    for (path, what) in [
        (Path::new(not_text), "lancam.toml:1:10: the byte 0xff is not UTF-8"),
        (&utf16, "UTF-16"),
        (&huge, "the limit is 64 kB"),
        (&missing, "this file does not exist. Name another one by --config"),
        (folder.path(), "this is a folder. Name the file in it by --config"),
    ] {
        let path = path.to_str().expect("UTF-8");
        let (code, text) = run_to_end(&mut CameraProcess::command(&["--config", path]));
        assert_eq!(code, Some(78), "{path}: {text}");
        assert!(text.contains(what), "{path}: {text}");
    }
    // The FIFO has no writer. The program must not wait for one.
    let fifo = fifo.to_str().expect("UTF-8");
    assert_eq!(run_to_end(&mut CameraProcess::command(&["check", "--config", fifo])).0, Some(0));
}

#[test]
fn what_is_in_the_table_means_what_the_table_says() {
    let untouched = config("", &[], &[]);
    for entry in &OPTIONS {
        let InFile::Key(example) = entry.in_file else { continue };
        let text = format!("{} = {example}\n", entry.name);
        let config = config(&text, &[], &[]);
        if entry.default == example.trim_matches('"') && entry.name != "fps" {
            assert_eq!(config, untouched, "{text}");
        }
    }
}

#[test]
fn the_page_and_the_file_to_begin_with_are_those_of_this_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wanted = [
        ("docs/CONFIGURATION.md", page()),
        ("systemd/lancam.toml", template()),
        ("cross/image/boot/lancam.toml", image_template()),
    ];
    for (name, wanted) in wanted {
        let path = root.join(name);
        if std::env::var_os("LANCAM_BLESS").is_some() {
            fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
            fs::write(&path, &wanted).expect("writes");
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, wanted, "LANCAM_BLESS=1 writes {name} anew");
    }
    for template in [template(), image_template()] {
        let all_set = template.replace("\n#", "\n").replace("AAAA...", "AAAA");
        let is_said = |line: &&str| line.contains(" = ") || line.starts_with('[');
        let all_set: Vec<_> = all_set.lines().filter(is_said).collect();
        config(&all_set.join("\n"), &[], &[]);
    }
}

#[test]
fn the_page_about_hardware_lists_every_setting_of_a_ribbon_camera() {
    let names = CsiSetting::parse("?=1").expect_err("there is none such");
    let (_, names) = names.split_once("the settings are ").expect("a list");
    let names: Vec<_> = names.split(", ").collect();
    assert!(names.len() > 10, "{names:?}");
    let page = include_str!("../../../docs/HARDWARE.md");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "docs/HARDWARE.md does not list {name}");
    }
}

/// cross/image/boot/lancam.toml: the same options, after those of `lancam-setup`.
fn image_template() -> String {
    let device = include_str!("../../data/image-lancam-head.toml");
    let (_, options) = template()
        .split_once("\n\n")
        .map(|it| (it.0.to_owned(), it.1.to_owned()))
        .expect("a first paragraph");
    device.to_owned() + &options
}

/// docs/CONFIGURATION.md.
fn page() -> String {
    let mut page = include_str!("../../data/configuration-head.md").to_owned();
    for section in Section::ALL {
        write!(
            page,
            "\n## {}\n\n| key | for example | when not set | |\n|---|---|---|---|\n",
            section.title()
        )
        .expect("a String takes all");
        for entry in OPTIONS.iter().filter(|entry| entry.section == section) {
            let (key, example) = match entry.in_file {
                InFile::Key(example) => (format!("`{}`", entry.name), format!("`{example}`")),
                InFile::No(instead) => (format!("(`--{}`)", entry.name), instead.to_owned()),
            };
            let help = entry.help.replace('|', "\\|").replace('*', "\\*");
            let default = match (entry.kind, entry.default) {
                (ValueKind::Switch, _) => "false",
                (_, default) => default,
            };
            writeln!(page, "| {key} | {example} | {default} | {help} |")
                .expect("a String takes all");
        }
    }
    page + include_str!("../../data/configuration-foot.md")
}

/// systemd/lancam.toml: every key, none of them set.
fn template() -> String {
    let mut text = String::from(
        "# lancam: the options of this camera. `lancam check` names mistakes, and\n\
         # `sudo systemctl restart lancam` applies changes. docs/CONFIGURATION.md tells more.\n",
    );
    for section in Section::ALL {
        write!(text, "\n# {}\n", section.title()).expect("a String takes all");
        for entry in OPTIONS.iter().filter(|entry| entry.section == section) {
            if let InFile::Key(example) = entry.in_file {
                for line in wrapped(entry.help) {
                    writeln!(text, "#  {line}").expect("a String takes all");
                }
                writeln!(text, "#{} = {example}", entry.name).expect("a String takes all");
            }
        }
    }
    text + "\n# Controls of a USB camera, as `lancam list` shows them. All options must stand above this line.\n\
            #[controls]\n#brightness = 128\n#power_line_frequency = \"50 Hz\"\n\
            \n# Settings of a ribbon camera, as docs/HARDWARE.md lists them. All options must stand above this line, too.\n\
            #[csi]\n#awb = \"daylight\"\n#flicker-period = \"50 Hz\"\n"
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("never empty");
        if line.len() + word.len() > 90 {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
