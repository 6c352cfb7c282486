//! The units of systemd/: systemd accepts them, and they fit what the program does.

use crate::tools::appliance::file_of_the_image;
use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::skip::skip;
use crate::tools::systemd::is_news;
use lancam::camera::listen::Listen;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const SERVICE: &str = "lancam.service";
const SOCKET: &str = "lancam.socket";

/// The target that a service with wrong options starts.
const MISCONFIGURED: &str = "lancam-misconfigured.target";

/// The highest rating that `systemd-analyze security` may give, in tenths.
const MOST_EXPOSED: u32 = 13;

fn unit(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The units in a folder. The programs that they name exist.
fn installed() -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let install = |name: &str| {
        let text = unit(name).replace("/usr/bin/lancam", env!("CARGO_BIN_EXE_lancam"));
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writes");
        path
    };
    let paths = [SERVICE, SOCKET, MISCONFIGURED].map(install).to_vec();
    (folder, paths)
}

fn analyze(arguments: &[&str], paths: &[PathBuf]) -> Option<Output> {
    match Command::new("systemd-analyze").args(arguments).args(paths).output() {
        Ok(output) => Some(output),
        Err(error) => {
            skip("systemd-analyze", &error.to_string());
            None
        }
    }
}

#[test]
fn systemd_finds_nothing_wrong() {
    let (_folder, paths) = installed();
    let Some(output) = analyze(&["verify", "--man=no"], &paths) else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    // Messages about this machine's own units do not matter here.
    let ours = said.lines().filter(|line| line.contains("lancam") && !is_news(line));
    let ours: Vec<_> = ours.collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn the_service_is_hardly_exposed() {
    let (folder, _) = installed();
    let path = folder.path().join(SERVICE);
    let Some(output) = analyze(&["security", "--offline=true", "--no-pager"], &[path]) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let level = said.split("exposure level for").nth(1).and_then(|rest| rest.split(' ').nth(2));
    let level = level.and_then(|level| level.replace('.', "").parse::<u32>().ok());
    let level = level.unwrap_or_else(|| panic!("no figure in {said}"));
    assert!(level <= MOST_EXPOSED, "{said}");
}

#[test]
fn sockets_are_at_the_usual_ports_and_the_service_is_handed_them() {
    let ports: Vec<u16> = unit(SOCKET)
        .lines()
        .filter_map(|line| line.strip_prefix("ListenStream=[::]:")?.parse().ok())
        .collect();
    assert_eq!(ports, Listen::DEFAULT_PORTS);
    assert!(unit(SERVICE).contains(&format!("\nSockets={SOCKET}\n")));
}

#[test]
fn the_service_says_what_the_program_does() {
    let text = unit(SERVICE);
    // The exit codes for wrong options. systemd does not start the service again after them.
    for code in [2, 78] {
        let line = text.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
        let codes = line.unwrap_or_default();
        assert!(codes.split(' ').any(|it| it == code.to_string()), "{code}");
    }
    assert!(text.contains(&format!("\nOnFailure={MISCONFIGURED}\n")));
    for line in ["Type=notify", "NotifyAccess=main", "WatchdogSec=5s", "Restart=always"] {
        assert!(text.lines().any(|it| it == line), "{line}");
    }
    assert!(text.contains("/usr/bin/lancam"));
}

#[test]
fn the_service_may_open_cameras_and_what_rpicam_vid_needs_and_no_other_device() {
    let text = unit(SERVICE);
    let allowed: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("DeviceAllow=")).collect();
    // Cameras are allowed by number, because systemd looks up a name when the service starts, and the driver
    // may not be loaded then. Media devices have no fixed number, so their module is loaded before.
    assert_eq!(allowed, ["char-81 rw", "char-media rw", "char-dma_heap rw", "char-vchiq rw"]);
    for line in ["DevicePolicy=closed", "Wants=modprobe@mc.service", "After=modprobe@mc.service"] {
        assert!(text.lines().any(|it| it == line), "{line}");
    }
}

/// The value of a key.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

/// An amount of memory as units write it.
fn bytes(value: &str) -> u64 {
    let (number, unit) = value.split_at(value.len() - 1);
    let shift = ["", "K", "M", "G"].iter().position(|it| *it == unit).expect("a unit");
    number.parse::<u64>().expect("a number") << (10 * shift)
}

/// A figure from /proc/PID/status.
fn status(process: u32, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("the kernel says it");
    line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().expect("a number")
}

#[test]
fn a_full_house_needs_a_quarter_of_what_units_allow_at_most() {
    let camera = CameraProcess::start(&["--source", "test:1920x1080@30"]);
    let viewers: Vec<_> = (0..64)
        .map(|number| {
            let width = ["", "?width=1600", "?width=1280", "?width=640"][number % 4];
            let mut viewer = TcpStream::connect(("127.0.0.1", camera.port())).expect("it listens");
            viewer.set_read_timeout(Some(PATIENCE)).expect("set");
            write!(viewer, "GET /stream{width} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
            viewer
        })
        .collect();
    // Each viewer reads only the beginning of a picture. The rest stays in its socket's memory.
    for mut viewer in &viewers {
        let mut had = Vec::new();
        while !had.windows(3).any(|bytes| bytes == [0xff, 0xd8, 0xff]) {
            let mut bytes = [0; 1024];
            let count = viewer.read(&mut bytes).expect("a picture in time");
            assert!(count > 0, "{}", String::from_utf8_lossy(&had));
            had.extend(&bytes[..count]);
        }
    }
    let (memory, tasks) =
        (status(camera.child.id(), "VmHWM") << 10, status(camera.child.id(), "Threads"));
    println!("{} MiB, {tasks} threads", memory >> 20);
    assert!(tasks > 64, "all are here: {tasks}");
    let text = unit(SERVICE);
    let allowed = bytes(value(&text, "MemoryMax").expect("a limit"));
    assert!(memory * 4 <= allowed, "{memory} of {allowed} bytes");
    let allowed: u64 = value(&text, "TasksMax").expect("a limit").parse().expect("a number");
    assert!(tasks * 4 <= allowed, "{tasks} of {allowed} threads");
    // A leak must fill the memory, and not the swap on the card.
    assert_eq!(value(&text, "MemorySwapMax"), Some("0"));
    assert_eq!(value(&text, "Restart"), Some("always"), "it comes back");
    // In percent, because its boards have between half a gigabyte and eight.
    let path = file_of_the_image("usr/lib/systemd/system/lancam.service.d/image.conf");
    let image = fs::read_to_string(path).expect("it is there");
    let percent: u64 =
        value(&image, "MemoryMax").and_then(|it| it.strip_suffix('%')?.parse().ok()).expect("%");
    // The part of 512 MB that the kernel leaves to programs.
    let allowed = (420 << 20) * percent / 100;
    assert!(memory * 4 <= allowed, "{memory} of {allowed} bytes");
}

#[test]
fn wrong_options_close_the_sockets() {
    let text = unit(MISCONFIGURED);
    let line = text.lines().find_map(|line| line.strip_prefix("Conflicts=")).unwrap_or_default();
    assert!(line.split(' ').any(|it| it == SOCKET), "{line}");
}
