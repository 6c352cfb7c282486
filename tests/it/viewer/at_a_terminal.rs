//! A viewer without a window that somebody has started at a terminal: it asks for the code there.

use crate::tools::camera_process::PATIENCE;
use crate::tools::keyed_camera::Keyed;
use crate::tools::lan::{Lan, Machine};
use crate::tools::terminal::Terminal;
use crate::tools::viewer_process::Viewer;
use lancam::viewer::find::finder;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// `lancam-view` without a window, which remembers things in this folder.
fn command(desk: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lancam-view"));
    command.args(["--headless", "--timeout", "20"]).args(arguments);
    command.env("XDG_STATE_HOME", desk).env_remove("RUST_LOG");
    command
}

#[test]
fn it_asks_for_the_code_and_says_each_reason_once() {
    let camera = Keyed::with(&["--name", "Garage"]);
    let desk = tempfile::tempdir().expect("a folder");
    let address = format!("127.0.0.1:{}", camera.camera.port());
    let command = command(desk.path(), &["--frames", "5", &address]);
    let Some(mut terminal) = Terminal::start(&command) else { return };
    for (times, typed) in [(1, "hello"), (2, "0000-0000-0000"), (3, &camera.code())] {
        terminal.wait_for(times, "Code:");
        terminal.type_line(typed);
    }
    let (code, shown) = terminal.finish();
    assert_eq!(code, Some(0), "{shown}");
    for said in ["wants a code", "a code has 12 letters", "the code is wrong", "paired with Garage"]
    {
        assert_eq!(shown.matches(said).count(), 1, "{said}:\n{shown}");
    }
    assert_eq!(shown.matches("Code:").count(), 3, "{shown}");
}

/// How long a viewer looks for its camera here: it asks a stranger anew every 10 s.
const LOOKS: Duration = Duration::from_secs(25);

#[test]
#[ignore = "minutes: make test-all"]
fn it_asks_once_while_it_looks_for_a_camera_that_was_paired() {
    let Some(lan) = Lan::new() else { return };
    let desk = tempfile::tempdir().expect("a folder");
    let camera = Keyed::on(&lan, &["--name", "Garage"]);
    let (code, address) = (camera.code(), camera.on_lan().to_string());
    let pairs = ["--headless", "--frames", "1", "--code", &code, &address];
    let output = Viewer::start_in(&lan, &pairs, |command| {
        command.env("XDG_STATE_HOME", desk.path());
    });
    assert!(output.finish().status.success());
    drop(camera);
    // Garage was set up anew.
    let _camera = Keyed::on(&lan, &["--name", "Garage"]);
    let deadline = Instant::now() + PATIENCE;
    let found = || lan.inside(Machine::Desk, || finder::look().expect("it can ask").cameras.len());
    while found().join().expect("no panic") != 1 {
        assert!(Instant::now() < deadline, "it is not announced");
    }
    // Without a name, the only camera is opened, and wanted wherever it is.
    let command = lan.on(Machine::Desk, &command(desk.path(), &["--frames", "1"]));
    let Some(terminal) = Terminal::start(&command) else { return };
    terminal.wait_for(1, "Code:");
    let until = Instant::now() + LOOKS;
    while Instant::now() < until {
        thread::sleep(Duration::from_millis(100));
    }
    let shown = terminal.shown();
    assert_eq!(shown.matches("Code:").count(), 1, "{shown}");
    assert_eq!(shown.matches("it shows another certificate").count(), 1, "{shown}");
}
