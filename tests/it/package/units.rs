//! The units of systemd/: what systemd says of them, and that they keep to what the program does.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::skip::skip;
use crate::tools::systemd::is_news;
use lancam::camera::listen::Listen;
use lancam::image::pixels::{Chroma, Size};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const SERVICES: [&str; 2] = ["lancam.service", "lancam-rpicam@.service"];
const SOCKETS: [&str; 2] = ["lancam.socket", "lancam-rpicam@.socket"];

/// What a service ends in whose options are wrong.
const MISCONFIGURED: &str = "lancam-misconfigured.target";

/// What `systemd-analyze security` may say at most, in tenths.
const MOST_EXPOSED: u32 = 15;

fn unit(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The units in a folder, with programs that are there.
fn installed() -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let install = |name: &&str| {
        let text = unit(name)
            .replace("/usr/bin/lancam", env!("CARGO_BIN_EXE_lancam"))
            .replace("/usr/bin/bash", "/bin/sh");
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writes");
        path
    };
    let paths = SERVICES.iter().chain(&SOCKETS).chain([&MISCONFIGURED]).map(install).collect();
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
    // Of units that this machine has, nothing is asked here.
    let ours = said.lines().filter(|line| line.contains("lancam") && !is_news(line));
    let ours: Vec<_> = ours.collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn services_are_hardly_exposed() {
    for service in SERVICES {
        let (folder, _) = installed();
        let path = folder.path().join(service);
        let Some(output) = analyze(&["security", "--offline=true", "--no-pager"], &[path]) else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        let level = said.split("exposure level for").nth(1).and_then(|rest| rest.split(' ').nth(2));
        let level = level.and_then(|level| level.replace('.', "").parse::<u32>().ok());
        let level = level.unwrap_or_else(|| panic!("{service}: no figure in {said}"));
        assert!(level <= MOST_EXPOSED, "{service}: {said}");
    }
}

#[test]
fn sockets_are_at_the_usual_ports_and_services_are_handed_their_own() {
    for (service, socket) in SERVICES.into_iter().zip(SOCKETS) {
        let text = unit(socket);
        let ports: Vec<u16> = text
            .lines()
            .filter_map(|line| line.strip_prefix("ListenStream=[::]:")?.parse().ok())
            .collect();
        assert_eq!(ports, Listen::DEFAULT_PORTS, "{socket}");
        let socket = socket.replace('@', "@%i");
        assert!(unit(service).contains(&format!("\nSockets={socket}\n")), "{service}");
    }
}

#[test]
fn services_say_what_the_program_does() {
    for service in SERVICES {
        let text = unit(service);
        // Wrong options end with one of these, and are not tried again.
        for code in [2, 78] {
            let line = text.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
            let codes = line.unwrap_or_default();
            assert!(codes.split(' ').any(|it| it == code.to_string()), "{service}: {code}");
        }
        assert!(text.contains(&format!("\nOnFailure={MISCONFIGURED}\n")), "{service}");
        // By number, since a name is looked up when the service starts, and perhaps before the driver is there.
        assert!(text.contains("\nDeviceAllow=char-81 rw\n"), "{service}");
        for line in ["Type=notify", "NotifyAccess=main", "WatchdogSec=5s", "Restart=always"] {
            assert!(text.lines().any(|it| it == line), "{service}: {line}");
        }
        assert!(text.contains("/usr/bin/lancam"), "{service}");
    }
}

/// The value of a key.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

/// So much memory, as units say it.
fn bytes(value: &str) -> u64 {
    let (number, unit) = value.split_at(value.len() - 1);
    let shift = ["", "K", "M", "G"].iter().position(|it| *it == unit).expect("a unit");
    number.parse::<u64>().expect("a number") << (10 * shift)
}

/// What a line of /proc/PID/status says.
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
    // Each has had the beginning of a picture, and leaves the rest to its socket's memory.
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
    for service in SERVICES {
        let text = unit(service);
        let allowed = bytes(value(&text, "MemoryMax").expect("a limit"));
        assert!(memory * 4 <= allowed, "{service}: {memory} of {allowed} bytes");
        let allowed: u64 = value(&text, "TasksMax").expect("a limit").parse().expect("a number");
        assert!(tasks * 4 <= allowed, "{service}: {tasks} of {allowed} threads");
        // What a leak fills is the memory, not the card that holds the swap.
        assert_eq!(value(&text, "MemorySwapMax"), Some("0"), "{service}");
        assert_eq!(value(&text, "Restart"), Some("always"), "{service} comes back");
    }
    // In percent, for its boards have half a gigabyte or eight.
    let path = "cross/image/root/usr/lib/systemd/system/lancam.service.d/image.conf";
    let image = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path);
    let percent: u64 =
        value(&image, "MemoryMax").and_then(|it| it.strip_suffix('%')?.parse().ok()).expect("%");
    // Of 512 MB, the kernel leaves this to programs.
    let allowed = (420 << 20) * percent / 100;
    assert!(memory * 4 <= allowed, "{memory} of {allowed} bytes");
}

#[test]
fn wrong_options_close_every_socket() {
    // Either side may name the other; of the instances of a template only they themselves can.
    let conflicts = |name: &str, other: &str| {
        let text = unit(name);
        let line = text.lines().find_map(|line| line.strip_prefix("Conflicts="));
        line.is_some_and(|line| line.split(' ').any(|it| it == other))
    };
    for socket in SOCKETS {
        assert!(conflicts(MISCONFIGURED, socket) || conflicts(socket, MISCONFIGURED), "{socket}");
    }
}

/// rpicam-vid is a program that writes JPEGs here.
#[test]
fn what_rpicam_vid_writes_is_streamed_by_a_lancam_that_is_the_main_process() {
    let text = unit("lancam-rpicam@.service");
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a line");
    let script = line.split('\'').nth(1).expect("a script in quotes");
    let folder = tempfile::tempdir().expect("a folder");
    let jpeg = folder.path().join("picture.jpg");
    fs::write(&jpeg, crate::tools::jpeg_tools::encoded(Size::new(64, 48), Chroma::Yuv420, 80))
        .expect("writes");
    let (before, after) = script.split_once("exec /usr/bin/rpicam-vid").expect("it is named");
    let (options, _) = after.split_once(')').expect("its end");
    for option in
        ["--camera %i", "--nopreview", "--codec mjpeg", "--flush", "--timeout 0", "--output -"]
    {
        assert!(options.contains(option), "{options}");
    }
    let camera = "while cat \"$PICTURE\" 2>/dev/null; do sleep 0.05; done)";
    let before = before.replace(
        "/usr/bin/lancam",
        &format!("{} --listen 127.0.0.1:0", env!("CARGO_BIN_EXE_lancam")),
    );
    let plain = CameraProcess::command(&[]);
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{before}{camera}")]).env("PICTURE", &jpeg);
    for (variable, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    let camera = CameraProcess::spawn(&mut command);
    let (_, payload) = crate::tools::native_client::NativeClient::connect(camera.port()).frame();
    assert!(payload.starts_with(&[0xff, 0xd8]));
    // The shell has made way: signals, sockets and the watchdog reach lancam itself.
    let name = fs::read_to_string(format!("/proc/{}/comm", camera.child.id())).expect("readable");
    assert_eq!(name.trim_end(), "lancam");
    assert!(camera.terminate().success());
}
