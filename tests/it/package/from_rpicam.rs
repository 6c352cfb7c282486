//! Ribbon cameras once needed another unit. These tests check that the options set for it are carried over.

use crate::tools::program::succeeds;
use crate::tools::root_folder::RootFolder;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cross/deb/lancam/from-rpicam");
const UNITS: &str = "etc/systemd/system";

/// A machine's files, with such a unit enabled.
struct Machine(RootFolder);

impl Machine {
    fn with(cameras: &[&str]) -> Self {
        let machine = Self(RootFolder::empty());
        machine.0.write("etc/lancam/lancam.toml", "# as it came\n");
        for camera in cameras {
            for (wants, kind) in [("multi-user", "service"), ("sockets", "socket")] {
                let link = format!("{UNITS}/{wants}.target.wants/lancam-rpicam@{camera}.{kind}");
                let link = machine.0.path(&link);
                fs::create_dir_all(link.parent().expect("a folder")).expect("made");
                let unit = format!("/usr/lib/systemd/system/lancam-rpicam@.{kind}");
                symlink(unit, link).expect("a link");
            }
        }
        machine
    }

    /// Sets these options for rpicam-vid.
    fn sets(&self, options: &str) {
        let text = format!("[Service]\nEnvironment=\"RPICAM_OPTIONS={options}\"\n");
        self.0.write(&format!("{UNITS}/lancam-rpicam@0.service.d/override.conf"), &text);
    }

    /// Upgrades the machine, and lets `lancam` check the result. Returns the messages, and the lines of the
    /// new lancam.toml without comments.
    fn upgraded(&self, lancam: &Path) -> (String, Vec<String>) {
        let mut script = Command::new("sh");
        script.arg(SCRIPT).arg(self.0.root()).env("LANCAM", lancam);
        let said = String::from_utf8(succeeds(&mut script).stdout).expect("UTF-8");
        let toml = self.0.read("etc/lancam/lancam.toml");
        let is_set = |line: &&str| !line.is_empty() && !line.starts_with('#');
        (said, toml.lines().filter(is_set).map(str::to_owned).collect())
    }
}

const LANCAM: &str = env!("CARGO_BIN_EXE_lancam");

#[test]
fn options_of_rpicam_vid_become_lines_of_lancam_toml() {
    for (options, expected) in [
        (
            "--width 1920 --height 1080 --framerate 30",
            &["source = \"csi\"", "size = \"1920x1080\"", "fps = 30"][..],
        ),
        (
            "-t 0 -n --codec mjpeg --flush -o - --width=640 --height=480 --quality 70",
            &["source = \"csi\"", "size = \"640x480\"", "quality = 70"],
        ),
        ("--rotation 180 --hflip", &["source = \"csi\"", "rotate = 180", "flip = \"h\""]),
        ("--hflip --vflip", &["source = \"csi\"", "flip = \"hv\""]),
        (
            "--awb daylight --ev -0.5 --lens-position 2",
            &[
                "source = \"csi\"",
                "[csi]",
                "ev = \"-0.5\"",
                "awb = \"daylight\"",
                "lens-position = \"2\"",
            ],
        ),
        ("", &["source = \"csi\""]),
    ] {
        let machine = Machine::with(&["0"]);
        machine.sets(options);
        let (said, toml) = machine.upgraded(Path::new(LANCAM));
        assert_eq!(toml, expected, "{options}: {said}");
        assert!(!said.contains("left out") && !said.contains("comments"), "{options}: {said}");
        for name in ["multi-user.target.wants", "sockets.target.wants"] {
            let left = fs::read_dir(machine.0.path(&format!("{UNITS}/{name}"))).expect("a folder");
            assert_eq!(left.count(), 0, "{options}: {name}");
        }
        assert!(
            !machine.0.path(&format!("{UNITS}/lancam-rpicam@0.service.d")).exists(),
            "{options}"
        );
    }
}

#[test]
fn what_stood_in_lancam_toml_gives_way_to_what_was_in_effect() {
    let machine = Machine::with(&["0"]);
    machine.0.write(
        "etc/lancam/lancam.toml",
        "source = \"/dev/video9\"\nquality = 60\nfps=5\n[controls]\nbrightness = 3\n",
    );
    let (_, toml) = machine.upgraded(Path::new(LANCAM));
    let expected = [
        "source = \"csi\"",
        "size = \"1280x720\"",
        "fps = 30",
        "quality = 60",
        "[controls]",
        "brightness = 3",
    ];
    assert_eq!(toml, expected, "what the unit set by itself, and what it left alone");
}

#[test]
fn what_nobody_can_take_over_is_said() {
    let machine = Machine::with(&["0", "1"]);
    machine.sets("--width 640 --height 480 --post-process-file x.json --mirror \\");
    machine.0.write(
        &format!("{UNITS}/lancam-rpicam@0.service.d/other.conf"),
        "[Service]\nEnvironment='LANCAM_NAME=My garage'\nNice=5\n",
    );
    let ports = "[Socket]\nListenStream=\nListenStream=[::]:10000\n";
    machine.0.write(&format!("{UNITS}/lancam-rpicam@0.socket.d/ports.conf"), ports);
    let (said, _) = machine.upgraded(Path::new(LANCAM));
    for part in ["--post-process-file x.json", "other.conf", "lancam-rpicam@1 is switched off"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let of_lancam = machine.0.read(&format!("{UNITS}/lancam.service.d/from-rpicam.conf"));
    assert_eq!(of_lancam, "[Service]\nEnvironment=\"LANCAM_NAME=My garage\"\n");
    assert_eq!(machine.0.read(&format!("{UNITS}/lancam.socket.d/from-rpicam.conf")), ports);
    assert!(
        machine.0.path(&format!("{UNITS}/lancam-rpicam@0.service.d/other.conf")).exists(),
        "its owner may want to read it"
    );
}

#[test]
fn what_lancam_would_not_start_with_stands_there_as_a_comment_and_the_rest_counts() {
    for (options, expected, comment) in [
        (
            "--width 70000 --height 9 --framerate 20",
            &["source = \"csi\"", "fps = 20"][..],
            "#size = \"70000x9\"",
        ),
        (
            "--width 1920 --height 1080 --metering matrix --awb normal --brightness 2 --ev -1",
            &[
                "source = \"csi\"",
                "size = \"1920x1080\"",
                "[controls]",
                "gain = 3",
                "[csi]",
                "ev = \"-1\"",
                "metering = \"matrix\"",
                "awb = \"normal\"",
            ],
            "#brightness = \"2\"",
        ),
    ] {
        let machine = Machine::with(&["0"]);
        machine.sets(options);
        if options.contains("--ev") {
            machine.0.write("etc/lancam/lancam.toml", "[controls]\ngain = 3\n");
        }
        let (said, toml) = machine.upgraded(Path::new(LANCAM));
        assert_eq!(toml, expected, "{options}: {said}");
        let whole = machine.0.read("etc/lancam/lancam.toml");
        assert!(whole.contains(&format!("\n{comment}\n")), "{options}: {whole}");
        assert!(said.contains("only comments") && said.contains("lancam.toml:"), "{said}");
    }
}

#[test]
fn a_mistake_that_stood_in_lancam_toml_before_costs_no_setting_of_the_unit() {
    let machine = Machine::with(&["0"]);
    machine.sets("--width 640 --height 480 --ev -1");
    machine.0.write("etc/lancam/lancam.toml", "max-viewers = \"many\"\n");
    let (said, toml) = machine.upgraded(Path::new(LANCAM));
    let expected = [
        "source = \"csi\"",
        "size = \"640x480\"",
        "max-viewers = \"many\"",
        "[csi]",
        "ev = \"-1\"",
    ];
    assert_eq!(toml, expected, "{said}");
}

#[test]
fn where_no_such_unit_was_switched_on_nothing_is_done() {
    let machine = Machine::with(&[]);
    machine.sets("--width 640 --height 480");
    let output =
        Command::new("sh").arg(SCRIPT).arg(machine.0.root()).output().expect("sh is there");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert_eq!(machine.0.read("etc/lancam/lancam.toml"), "# as it came\n");
    let mode = fs::metadata(SCRIPT).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "dpkg runs it");
}
