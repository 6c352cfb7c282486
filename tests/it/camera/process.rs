//! How the programs behave in a shell: full and closed outputs, ignored signals, a second start.

use crate::tools::camera_process::{CameraProcess, PATIENCE, run_to_end, signal, wait};
use crate::tools::http_client::HttpClient;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// Both programs, as a shell starts them.
const PROGRAMS: [&str; 2] = [env!("CARGO_BIN_EXE_lancam"), env!("CARGO_BIN_EXE_lancam-view")];

fn shell(script: &str, program: &str) -> Output {
    let mut command = Command::new("bash");
    command.args(["-c", script, program]).env("LANCAM_CONFIG", "").env("NO_SUCH_PLACE", "");
    command.stdin(Stdio::null()).output().expect("bash runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_cannot_be_written_ends_with_1_and_a_reason() {
    for program in PROGRAMS {
        for argument in ["--help", "--version"] {
            let output = shell(&format!("\"$0\" {argument} >/dev/full"), program);
            assert_eq!(output.status.code(), Some(1), "{program} {argument}: {}", told(&output));
            assert!(told(&output).contains("No space left on device"), "{}", told(&output));
        }
    }
    for arguments in ["list", "list --json", "selftest", "check"] {
        let output = shell(&format!("\"$0\" {arguments} >/dev/full"), PROGRAMS[0]);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {}", told(&output));
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for program in PROGRAMS {
        for argument in ["--help", "--version"] {
            // The reader exits before anything is written.
            let script = format!("(sleep 0.2; \"$0\" {argument}; echo \"ended $?\" >&2) | true");
            let output = shell(&script, program);
            assert_eq!(told(&output).trim(), "ended 0", "{program} {argument}");
        }
    }
}

#[test]
fn nobody_who_hears_complaints_is_no_reason_to_crash() {
    for program in PROGRAMS {
        for place in ["2>/dev/full", "2>&-", "2> >(true)"] {
            let output = shell(&format!("\"$0\" --no-such-option {place}"), program);
            assert_eq!(output.status.code(), Some(2), "{program} {place}");
        }
    }
    let script = "LANCAM_NO_SUCH=1 \"$0\" check 2>/dev/full >/dev/null";
    assert_eq!(shell(script, PROGRAMS[0]).status.code(), Some(0));
}

#[test]
fn a_camera_goes_on_when_its_outputs_are_full() {
    let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").expect("opens"));
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut child = CameraProcess::command(&["--source", "test:64x48", "--listen", &address])
        .stdout(full())
        .stderr(full())
        .spawn()
        .expect("lancam starts");
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(Instant::now() < deadline, "it does not listen");
        assert!(child.try_wait().expect("a child of ours").is_none(), "it has ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    signal(&child, "TERM");
    assert!(wait(&mut child).success());
}

/// Both ends of a pipe that has no room left.
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = nix::unistd::pipe().expect("a pipe");
    let set = |flags| fcntl(&writer, FcntlArg::F_SETFL(flags)).expect("sets its flags");
    set(OFlag::O_NONBLOCK);
    while nix::unistd::write(&writer, &[b'x'; 4096]).is_ok() {}
    set(OFlag::empty());
    (reader, writer)
}

#[test]
fn outputs_that_nobody_reads_hold_no_camera_and_no_viewer_up() {
    let (_reader, full) = full_pipe();
    let output = || Stdio::from(full.try_clone().expect("a descriptor"));
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let arguments = ["-v", "--source", "test:64x48@20", "--listen", &listen];
    let mut camera = CameraProcess::command(&arguments);
    let mut camera = camera.stdout(output()).stderr(output()).spawn().expect("it starts");
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(&listen).is_err() {
        assert!(Instant::now() < deadline, "it does not listen");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let picture = folder.path().join("picture.png");
    let mut viewer = Command::new(PROGRAMS[1]);
    viewer.args(["--headless", "-v", "--frames", "5", "--save"]).arg(&picture).arg(&listen);
    let viewer = viewer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output()).spawn();
    assert!(wait(&mut viewer.expect("it starts")).success());
    assert!(picture.exists());
    signal(&camera, "TERM");
    assert!(wait(&mut camera).success());
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    listener.local_addr().expect("bound").port()
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let arguments = ["--source", "test:64x48", "--listen", "127.0.0.1:0"];
    for ignored in ["HUP", "INT"] {
        let script = format!("trap '' {ignored}; exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        command.args(["-c", &script, PROGRAMS[0]]).args(arguments);
        command.env("LANCAM_ANNOUNCE", "off").env("LANCAM_CONFIG", "");
        let camera = CameraProcess::spawn(&mut command);
        for _ in 0..3 {
            signal(&camera.child, ignored);
        }
        // All signals are delivered by now, and it still answers.
        HttpClient::connect(camera.port()).ask("GET", "/healthz", "Host: localhost\r\n");
        assert!(camera.terminate().success(), "{ignored} ignored, TERM not");
    }
}

#[test]
fn a_second_start_says_that_lancam_runs_already_and_names_the_process() {
    let first = CameraProcess::start(&["--source", "test:64x48"]);
    let address = format!("127.0.0.1:{}", first.port());
    let (code, text) =
        run_to_end(&mut CameraProcess::command(&["--source", "test:64x48", "--listen", &address]));
    assert_eq!(code, Some(69), "{text}");
    let process = format!("lancam is running already (process {})", first.child.id());
    assert!(text.contains(&process), "{text}");
}

#[test]
fn a_port_that_another_program_has_names_that_program() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = other.local_addr().expect("bound").to_string();
    let (code, text) = run_to_end(&mut CameraProcess::command(&["--listen", &address]));
    assert_eq!(code, Some(69), "{text}");
    assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
    assert!(!text.contains("running already"), "{text}");
}
