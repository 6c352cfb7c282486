//! Cameras on a LAN are found without any address. Two other programs also read what lancam announces.

use crate::tools::camera_process::{CameraProcess, PATIENCE, signal, wait};
use crate::tools::jpeg_tools::grey_jpegs;
use crate::tools::lan::{Lan, Machine};
use crate::tools::program::python_with;
use crate::tools::skip::skip;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const GARAGE: [&str; 4] = ["--source", "test:320x240@10", "--name", "Garage"];

/// A camera on the LAN's camera machine. It announces itself.
pub fn camera(lan: &Lan, options: &[&str]) -> CameraProcess {
    let arguments = [&["--announce", "on"], options].concat();
    let command = CameraProcess::command(&arguments);
    CameraProcess::spawn(&mut lan.on(Machine::Camera, &command))
}

/// The output and the exit code of `lancam-view` on this machine.
pub fn view(lan: &Lan, machine: Machine, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lancam-view"));
    command.args(arguments).env_remove("RUST_LOG");
    let output = lan.on(machine, &command).stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The lines of `--list` as soon as `is_so` is true for them.
#[track_caller]
pub fn listed(lan: &Lan, machine: Machine, is_so: impl Fn(&[&str]) -> bool) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (_, stdout, _) = view(lan, machine, &["--list"]);
        let lines: Vec<&str> = stdout.lines().collect();
        if is_so(&lines) {
            return lines.into_iter().map(str::to_owned).collect();
        }
        assert!(Instant::now() < deadline, "{stdout}");
    }
}

/// Columns of `--list` are separated by two or more blanks, and names contain at most one.
pub fn columns(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect()
}

#[test]
fn two_cameras_of_one_name_are_both_found_and_told_apart_and_one_that_stops_is_gone() {
    let Some(lan) = Lan::new() else { return };
    let anywhere = [&GARAGE[..], &["--listen", "[::]:0"]].concat();
    let (first, second) = (camera(&lan, &anywhere), camera(&lan, &anywhere));
    let both_places = [first.port(), second.port()].map(|port| format!("10.77.0.1:{port}"));
    for machine in [Machine::Desk, Machine::Camera] {
        // At first, the second camera may still be finding out that its name is taken.
        let lines =
            listed(&lan, machine, |lines| lines.len() == 2 && lines[1].starts_with("Garage (2)"));
        let lines: Vec<_> = lines.iter().map(|line| columns(line)).collect();
        assert_eq!([lines[0][0], lines[1][0]], ["Garage", "Garage (2)"]);
        let mut places = [lines[0][1], lines[1][1]];
        // Both started at the same time, so either may have got the name.
        if places[0] != both_places[0] {
            places.reverse();
        }
        assert_eq!(places, both_places.each_ref().map(String::as_str));
        for line in &lines {
            assert_eq!(line[2..], ["320x240", "10 fps"]);
        }
    }
    let started = Instant::now();
    let (code, json, _) = view(&lan, Machine::Desk, &["--list", "--json"]);
    let took = started.elapsed();
    assert_eq!(code, Some(0));
    assert_eq!(json.matches("\"size\":\"320x240\",\"fps\":10,").count(), 2, "{json}");
    // It listens for 0.9 s. The goal is one second. A machine that is busy with other tests gets five times
    // as long.
    assert!(took < Duration::from_secs(5), "{took:?}");

    let (code, _, stderr) = view(&lan, Machine::Desk, &["--headless", "--frames", "1"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("several") && stderr.contains(&both_places[1]), "{stderr}");

    let stopping = Instant::now();
    assert!(second.terminate().success());
    let (_, left, _) = view(&lan, Machine::Desk, &["--list"]);
    let gone_after = stopping.elapsed();
    assert_eq!(left.lines().count(), 1, "{left}");
    assert!(left.contains(&both_places[0]), "{left}");
    assert!(gone_after < Duration::from_secs(10), "{gone_after:?}");
    println!("listed in {took:?}, gone after {gone_after:?} with a list's own 0.9 s");

    // If there is only one camera, no name is needed.
    let (code, _, stderr) = view(&lan, Machine::Desk, &["--headless", "--frames", "3"]);
    assert_eq!(code, Some(0), "{stderr}");
}

/// The announced facts change while the camera asks whether its name is free. It must not take its own
/// packets for those of another camera.
#[test]
fn a_camera_whose_first_picture_comes_while_it_claims_its_name_keeps_it() {
    let Some(lan) = Lan::new() else { return };
    let options = ["--source", "-", "--name", "Garage", "--announce", "on"];
    let command = CameraProcess::command(&[&options[..], &["--listen", "0.0.0.0:0"]].concat());
    let mut command = lan.on(Machine::Camera, &command);
    let mut camera = CameraProcess::spawn_with(command.stdin(Stdio::piped()), Stdio::piped());
    let log = BufReader::new(camera.child.stderr.take().expect("piped"));
    let mut log = log.lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("announced on the LAN as Garage,")));
    let mut pipe = camera.child.stdin.take().expect("piped");
    pipe.write_all(&grey_jpegs(&[100])).expect("the camera reads");
    let lines = listed(&lan, Machine::Desk, |lines| lines.len() == 1 && lines[0].contains('x'));
    assert_eq!(columns(&lines[0])[0], "Garage");
}

#[test]
fn a_camera_is_watched_by_its_name_where_the_system_does_not_know_it() {
    let Some(lan) = Lan::new() else { return };
    let camera = camera(&lan, &[&GARAGE[..], &["--listen", "0.0.0.0:0"]].concat());
    listed(&lan, Machine::Desk, |lines| lines.len() == 1);
    // By the host's name with a port, and by the camera's name. Without a port, the camera's own port is
    // used.
    for address in [format!("garage.local:{}", camera.port()), "GARAGE.local".to_owned()] {
        let (code, _, stderr) =
            view(&lan, Machine::Desk, &["--headless", "--frames", "2", &address]);
        assert_eq!(code, Some(0), "{address}: {stderr}");
    }
    let nobody = ["--headless", "--timeout", "3", "nobody.local"];
    let (code, _, stderr) = view(&lan, Machine::Desk, &nobody);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("cannot find nobody.local"), "{stderr}");
}

#[test]
fn a_camera_for_this_machine_alone_is_announced_to_nobody() {
    let Some(lan) = Lan::new() else { return };
    let options = [&GARAGE[..], &["--listen", "127.0.0.1:0", "--announce", "on"]].concat();
    let mut command = lan.on(Machine::Camera, &CameraProcess::command(&options));
    let mut camera = CameraProcess::spawn_with(&mut command, Stdio::piped());
    let (code, _, _) = view(&lan, Machine::Camera, &["--list"]);
    assert_eq!(code, Some(1));
    let (code, stdout, stderr) = view(&lan, Machine::Desk, &["--list"]);
    assert_eq!((code, &*stdout), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("no camera answers"), "{stderr}");
    let (code, stdout, _) = view(&lan, Machine::Desk, &["--list", "--json"]);
    assert_eq!((code, &*stdout), (Some(1), "[]\n"));
    let (code, _, stderr) = view(&lan, Machine::Desk, &["--headless", "--frames", "1"]);
    assert_eq!(code, Some(3), "{stderr}");
    let mut stderr = camera.child.stderr.take().expect("piped");
    assert!(camera.terminate().success());
    let mut log = String::new();
    stderr.read_to_string(&mut log).expect("a log");
    assert!(!log.contains("announced"), "{log}");
}

#[test]
fn a_camera_is_found_at_its_new_address() {
    let Some(lan) = Lan::new() else { return };
    let _camera = camera(&lan, &[&GARAGE[..], &["--listen", "[::]:0"]].concat());
    listed(&lan, Machine::Desk, |lines| lines.len() == 1 && lines[0].contains("10.77.0.1:"));
    lan.ip(Machine::Camera, &["addr", "add", "10.77.0.9/24", "dev", "lan0"]);
    lan.ip(Machine::Camera, &["addr", "del", "10.77.0.1/24", "dev", "lan0"]);
    // When the first address was deleted, the kernel also deleted the second one in its network.
    lan.ip(Machine::Camera, &["addr", "replace", "10.77.0.9/24", "dev", "lan0"]);
    let changed = Instant::now();
    let lines = listed(&lan, Machine::Desk, |lines| {
        lines.len() == 1 && lines[0].contains("10.77.0.9:") && !lines[0].contains("10.77.0.1:")
    });
    println!("{lines:?} after {:?}", changed.elapsed());
}

/// Another project's program. Dropping this ends it.
struct Witness(Child);

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Prints each service with its place and facts when it appears, and each that disappears.
const WITNESS: &str = "
import sys, time
from zeroconf import ServiceBrowser, Zeroconf
class Listener:
    def add_service(self, zc, kind, name):
        info = zc.get_service_info(kind, name, 5000)
        facts = sorted((k.decode(), (v or b'').decode()) for k, v in info.properties.items())
        facts = ' '.join(f'{k}={v}' for k, v in facts if k not in ('id', 'version'))
        print('+', name, ','.join(info.parsed_addresses()), info.port, facts, flush=True)
    def update_service(self, zc, kind, name):
        pass
    def remove_service(self, zc, kind, name):
        print('-', name, flush=True)
zc = Zeroconf(interfaces=['10.77.0.2'])
ServiceBrowser(zc, ['_lancam._tcp.local.', '_http._tcp.local.'], Listener())
print('listening', flush=True)
time.sleep(60)
";

#[test]
fn other_programs_see_the_services_their_facts_and_their_end() {
    let Some(lan) = Lan::new() else { return };
    let Some(python) = python_with(&[("zeroconf", "0.148.0")]) else { return };
    let mut command = Command::new(python);
    command.args(["-c", WITNESS]);
    let mut witness = lan.on(Machine::Desk, &command);
    let witness = witness.stdout(Stdio::piped()).spawn().expect("python starts");
    let mut witness = Witness(witness);
    let stdout = BufReader::new(witness.0.stdout.take().expect("piped"));
    let (sender, lines) = std::sync::mpsc::channel();
    thread::spawn(move || {
        stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let next = || lines.recv_timeout(PATIENCE).expect("the witness sees something");
    assert_eq!(next(), "listening");

    let camera = camera(&lan, &[&GARAGE[..], &["--listen", "0.0.0.0:0"]].concat());
    let mut seen = [next(), next()];
    seen.sort();
    let facts = "name=Garage";
    let port = camera.port();
    let rest = "size=320x240 txtvers=1";
    assert_eq!(
        seen,
        [
            format!("+ Garage._http._tcp.local. 10.77.0.1 {port} fps=10 {facts} path=/ {rest}"),
            format!("+ Garage._lancam._tcp.local. 10.77.0.1 {port} fps=10 {facts} {rest}"),
        ]
    );
    let stopping = Instant::now();
    signal(&camera.child, "TERM");
    let mut gone = [next(), next()];
    let gone_after = stopping.elapsed();
    gone.sort();
    assert_eq!(gone, ["- Garage._http._tcp.local.", "- Garage._lancam._tcp.local."]);
    // The records would expire after two minutes. It must not take so long.
    assert!(gone_after < Duration::from_secs(10), "{gone_after:?}");
    println!("gone after {gone_after:?}");
}

/// avahi-daemon with its own bus, on the camera's machine.
struct Avahi {
    daemons: Vec<Witness>,
    bus: String,
    log: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Avahi {
    /// `None` if it is not installed, which counts as a skip.
    fn start(lan: &Lan, host_name: &str) -> Option<Self> {
        for program in ["avahi-daemon", "avahi-browse", "dbus-daemon"] {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
            if !found.is_ok_and(|found| found.status.success()) {
                skip("beside avahi", &format!("{program} is not installed"));
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().display().to_string();
        // avahi-daemon gives up root's rights, but still has to reach the bus.
        let open = Command::new("chmod").args(["755", &path]).status();
        assert!(open.expect("chmod runs").success());
        let log = folder.path().join("log");
        let bus = format!("unix:path={path}/bus");
        let configuration =
            format!("[server]\nhost-name={host_name}\nallow-interfaces=lan0\nuse-ipv6=yes\n");
        std::fs::write(folder.path().join("conf"), configuration).expect("written");
        // With its own /run, its lock file does not stop another avahi-daemon.
        let script = format!(
            "mount -t tmpfs none /run && exec avahi-daemon -f {path}/conf --no-rlimits --no-chroot \
             --no-drop-root 2>{path}/log"
        );
        let mut daemon = Command::new("dbus-daemon");
        daemon.args(["--system", "--nofork", "--nopidfile", "--address", &bus]);
        let mut avahi = Command::new("sh");
        avahi.args(["-c", &script]).env("DBUS_SYSTEM_BUS_ADDRESS", &bus);
        let mut daemons = Vec::new();
        for (command, is_up) in [(daemon, "bus"), (avahi, "log")] {
            let child = lan.on(Machine::Camera, &command).spawn().expect("it starts");
            daemons.push(Witness(child));
            let up = || match is_up {
                "bus" => folder.path().join("bus").exists(),
                _ => std::fs::read_to_string(&log).is_ok_and(|log| log.contains("complete")),
            };
            let deadline = Instant::now() + PATIENCE;
            while !up() {
                assert!(Instant::now() < deadline, "{:?}", std::fs::read_to_string(&log));
                thread::sleep(Duration::from_millis(5));
            }
        }
        Some(Self { daemons, bus, log, _folder: folder })
    }

    fn ask(&self, lan: &Lan, arguments: &[&str]) -> String {
        let (program, arguments) = arguments.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(arguments).env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus);
        let output = lan.on(Machine::Camera, &command).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("a log")
    }
}

#[test]
fn beside_avahi_both_answer_and_the_machine_keeps_its_name() {
    let Some(lan) = Lan::new() else { return };
    let host_name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("it has one");
    let host_name = host_name.trim();
    let Some(avahi) = Avahi::start(&lan, host_name) else { return };
    // Both take the machine's name.
    let options = ["--source", "test:320x240@10", "--listen", "[::]:0"];
    let mut camera = camera(&lan, &options);
    let lines = listed(&lan, Machine::Desk, |lines| lines.len() == 1);
    assert_eq!(columns(&lines[0])[0], host_name);
    for kind in ["_lancam._tcp", "_http._tcp"] {
        let seen =
            avahi.ask(&lan, &["avahi-browse", "--parsable", "--terminate", "--resolve", kind]);
        let resolved: Vec<_> = seen.lines().filter(|line| line.starts_with('=')).collect();
        assert!(!resolved.is_empty(), "{seen}");
        for line in resolved {
            assert!(line.contains(&format!(";{};", camera.port())), "{line}");
            assert!(line.contains("\"size=320x240\""), "{line}");
        }
    }
    // avahi answers for the machine's name, and the viewer hears it.
    let address = format!("{host_name}.local:{}", camera.port());
    let (code, _, stderr) = view(&lan, Machine::Desk, &["--headless", "--frames", "2", &address]);
    assert_eq!(code, Some(0), "{stderr}");
    signal(&camera.child, "TERM");
    assert!(wait(&mut camera.child).success());
    let log = avahi.log();
    assert!(!log.contains("conflict"), "{log}");
    assert_eq!(avahi.daemons.len(), 2);
}
