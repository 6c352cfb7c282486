//! The camera program as a command: exit codes, and errors that say what is expected.

use crate::tools::camera_process::{CameraProcess, run_to_end};
use std::net::TcpListener;
use std::process::{Command, Stdio};

fn ends(arguments: &[&str]) -> (Option<i32>, String) {
    run_to_end(&mut CameraProcess::command(arguments))
}

#[test]
fn wrong_options_end_with_2_and_one_line_that_says_what_is_expected() {
    for (arguments, expected) in [
        (&["--nonsense"][..], "--help"),
        (&["view"], "unknown command \"view\"; did you mean \"lancam-view\"?"),
        (&["lst"], "unknown command \"lst\"; did you mean \"lancam list\"?"),
        (&["--verbose"], "unknown option \"--verbose\"; did you mean \"-v\"?"),
        (&["--fps", "5", "list"], "the command goes first. Type: lancam list"),
        (&["--size", "0x0"], "sides 1 to 65500"),
        (&["--size", "100000x100000"], "1280x720"),
        (&["--width", "0"], "65500"),
        (&["--source", "test:1x"], "test:1280x720"),
        (&["--listen", "nowhere"], "ADDRESS:PORT"),
        (
            &["--name", "Garage", "--name", "Door"],
            "--name is given twice, as \"Garage\" and \"Door\"",
        ),
        (&["--name", "  "], "--name must be 1 to 63 bytes of text on one line, not \"  \""),
        (&["setup"], "lancam-setup, and only on lancam's SD card"),
        (&["--width", "640", "--fps", "5", "--width=320"], "give it once"),
    ] {
        let (code, text) = ends(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {text}");
        assert!(text.contains(expected) && text.trim_end().lines().count() == 1, "{text}");
    }
}

#[test]
fn an_option_that_makes_no_difference_is_told() {
    for (arguments, told) in [
        (&["list", "--source", "test"][..], "lancam list ignores --source"),
        (&["check", "--stretch", "--width", "640"], "both width and height"),
    ] {
        let (code, text) = ends(arguments);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(told), "{arguments:?}: {text}");
    }
}

#[test]
fn help_and_version_are_on_standard_output() {
    let words = [
        ("--help", "--source"),
        ("help", "--source"),
        ("--version", env!("CARGO_PKG_VERSION")),
        ("version", env!("CARGO_PKG_VERSION")),
        ("-V", env!("CARGO_PKG_VERSION")),
    ];
    for (option, word) in words {
        let output = CameraProcess::command(&[option]).output().expect("runs");
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(word));
    }
}

#[test]
fn list_writes_a_log_for_those_who_ask_for_it() {
    let looked = "looked at each /dev/video*: ";
    let (code, quiet) = ends(&["list"]);
    assert_eq!(code, Some(0), "{quiet}");
    assert!(!quiet.contains(looked), "{quiet}");
    assert!(ends(&["list", "-v"]).1.contains(looked));
    let (_, asked) = run_to_end(CameraProcess::command(&["list"]).env("RUST_LOG", "debug"));
    assert!(asked.contains(looked), "{asked}");
}

#[test]
fn the_self_test_is_one_block_within_ten_seconds_even_without_a_camera() {
    let started = std::time::Instant::now();
    let output = CameraProcess::command(&["selftest"]).output().expect("runs");
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    for what in ["lancam ", "board ", "kernel ", "watchdog ", "network ", "cameras ", "measured "] {
        assert!(text.lines().any(|line| line.starts_with(what)), "{what}: {text}");
    }
}

#[test]
fn a_busy_port_that_was_named_ends_with_69_and_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = taken.local_addr().expect("bound").to_string();
    let (code, text) = ends(&["--source", "test:64x48", "--listen", &address]);
    assert_eq!(code, Some(69), "{text}");
    assert!(text.contains(&address) && text.contains("port 0"), "{text}");
}

#[test]
fn a_source_that_can_never_work_ends_with_69_and_says_what_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let no_jpeg = folder.path().join("notes.txt");
    std::fs::write(&no_jpeg, "no JPEG in here".repeat(1000)).expect("writes");
    let missing = folder.path().join("missing.mjpeg");
    for (source, expected) in [
        (missing.to_str().expect("UTF-8"), "test"),
        ("tset", "unknown source \"tset\"; did you mean \"test\"?"),
        ("Webcam", "unknown source \"Webcam\"; did you mean \"auto\"?"),
        (no_jpeg.to_str().expect("UTF-8"), "ffmpeg"),
        (folder.path().to_str().expect("UTF-8"), "test"),
        ("-", "rpicam-vid"),
    ] {
        let (code, text) = ends(&["--listen", "127.0.0.1:0", "--source", source]);
        assert_eq!(code, Some(69), "{source}: {text}");
        assert!(text.contains(expected), "{source}: {text}");
    }
}

#[test]
fn nothing_is_announced_for_a_file_that_is_not_there() {
    let arguments = ["--listen", "127.0.0.1:0", "--source", "/nowhere/clip.mjpeg"];
    let output = CameraProcess::command(&arguments).output().expect("runs");
    assert_eq!(output.status.code(), Some(69));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn signals_end_it_well_and_a_closed_standard_output_does_not_stop_it() {
    for name in ["TERM", "INT", "HUP"] {
        let mut camera = CameraProcess::start(&["--source", "test:64x48"]);
        crate::tools::camera_process::signal(&camera.child, name);
        assert!(crate::tools::camera_process::wait(&mut camera.child).success(), "{name}");
    }
    // `lancam | head -3` must go on streaming.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let mut child = Command::new(env!("CARGO_BIN_EXE_lancam"))
        .args(["--source", "test:64x48", "--listen", &port.to_string(), "--announce", "off"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let deadline = std::time::Instant::now() + crate::tools::camera_process::PATIENCE;
    while std::net::TcpStream::connect(port).is_err() {
        assert!(std::time::Instant::now() < deadline, "not listening");
    }
    crate::tools::native_client::NativeClient::connect(port.port()).frame();
    let _ = child.kill();
    let _ = child.wait();
}
