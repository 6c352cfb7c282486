//! Recordings whose viewer gets a signal: complete files, figures, exit codes.

use crate::tools::fake_camera::{FakeServer, Pattern, jpeg_facts};
use crate::tools::matroska_reader::read;
use crate::tools::recording::{SIZE, assert_ffmpeg_finds, folder, greet};
use crate::tools::until::wait_until;
use crate::tools::viewer_process::{Output, Viewer};
use lancam::image::frame::Micros;
use lancam::wire::packet::FrameFacts;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Sends 50 frames a second until the viewer leaves.
fn camera() -> FakeServer {
    FakeServer::on(0, |stream| {
        let mut camera = greet(stream)?;
        let mut pattern = Pattern::new(SIZE);
        for sequence in 1.. {
            let facts = jpeg_facts(sequence, SIZE);
            let facts = FrameFacts { captured_at: Micros(sequence * 20_000), ..facts };
            camera.send_frame(&facts, pattern.jpeg(sequence))?;
            camera.idle(Duration::from_millis(20))?;
        }
        Ok(())
    })
}

fn send(viewer: &Viewer, signal: Signal) {
    let id = i32::try_from(viewer.id()).expect("a process");
    kill(Pid::from_raw(id), signal).expect("it runs");
}

fn frames_in(path: &Path) -> usize {
    fs::read(path).map(|file| read(&file).frames.len()).unwrap_or_default()
}

/// Waits for this many more frames in the file.
fn wait_for_frames(path: &Path, count: usize) {
    let before = frames_in(path);
    wait_until("frames in the file", || (frames_in(path) >= before + count).then_some(()));
}

#[track_caller]
fn assert_whole(path: &Path, output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
    let recording = read(&fs::read(path).expect("recorded"));
    assert!(recording.is_closed && recording.rest == 0 && !recording.cues.is_empty());
    assert_eq!(output.figure("recorded"), recording.frames.len() as f64, "{}", output.stdout);
    assert!(recording.duration > 0);
    assert_ffmpeg_finds(path, &recording);
}

#[test]
fn a_viewer_that_is_asked_to_end_finishes_the_file_and_prints_the_figures() {
    let server = camera();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let (_folder, path) = folder();
        let name = path.to_str().expect("UTF-8");
        // Without --seconds it records until it gets a signal.
        let viewer = Viewer::start(&["--headless", "--json", "--record", name, &server.address()]);
        wait_for_frames(&path, 60);
        send(&viewer, signal);
        assert_whole(&path, &viewer.finish());
    }
}

#[test]
fn a_viewer_that_is_ended_before_the_first_picture_says_so() {
    let (_folder, path) = folder();
    let silent = FakeServer::on(0, |stream| greet(stream)?.idle(Duration::from_secs(60)));
    let name = path.to_str().expect("UTF-8");
    let mut viewer = Viewer::start(&["--headless", "--record", name, &silent.address()]);
    viewer.wait_for("connected to");
    send(&viewer, Signal::SIGTERM);
    let output = viewer.finish();
    output.expect(3, "ended before the first picture came");
    assert_eq!(output.stdout, "", "there are no figures of nothing");
    assert!(!path.exists());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (_folder, path) = folder();
    let mkfifo = Command::new("mkfifo").arg(&path).status();
    assert!(mkfifo.is_ok_and(|status| status.success()), "a pipe");
    // This opens the pipe but reads nothing, so the viewer has to wait at the end.
    let mut reader = Command::new("sh");
    reader.args(["-c", "exec sleep 60 <\"$1\"", "sh"]).arg(&path).stdin(Stdio::null());
    let mut reader = reader.spawn().expect("a shell");
    let server = FakeServer::on(0, |stream| {
        let mut camera = greet(stream)?;
        let jpeg = Pattern::new(SIZE).jpeg(1).to_vec();
        // More than fits into a pipe.
        for sequence in 1..=200 {
            camera.send_frame(&jpeg_facts(sequence, SIZE), &jpeg)?;
        }
        camera.idle(Duration::from_secs(60))
    });
    let name = path.to_str().expect("UTF-8");
    let arguments = ["-v", "--headless", "--record", name, &server.address()];
    let mut viewer = Viewer::start(&arguments);
    viewer.wait_for("frame 200 of");
    send(&viewer, Signal::SIGTERM);
    viewer.wait_for("SIGTERM: the viewer is ending; a second SIGTERM ends it at once");
    send(&viewer, Signal::SIGTERM);
    let output = viewer.finish();
    assert_eq!(output.status.signal(), Some(Signal::SIGTERM as i32), "{}", output.log.join("\n"));
    reader.kill().expect("it runs");
    reader.wait().expect("it has ended");
}

#[test]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    let (_folder, path) = folder();
    let server = camera();
    let name = path.to_str().expect("UTF-8");
    let arguments = ["--headless", "--json", "--record", name, &server.address()];
    // nohup ignores these signals, and so does a shell for programs in the background.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_lancam-view")]);
    command.args(arguments).env_remove("RUST_LOG");
    let viewer = Viewer::spawn(&mut command);
    wait_for_frames(&path, 10);
    send(&viewer, Signal::SIGHUP);
    send(&viewer, Signal::SIGINT);
    wait_for_frames(&path, 50);
    send(&viewer, Signal::SIGTERM);
    assert_whole(&path, &viewer.finish());
}
