//! The lines of docs/INTEGRATIONS.md are run exactly as they are written, and the tests look at their
//! pictures.

use crate::tools::camera_process::{CameraProcess, PATIENCE, signal, wait};
use crate::tools::http_client::{HttpClient, get};
use crate::tools::native_client::look;
use crate::tools::screen_stamp::stamp_on;
use crate::tools::skip::skip;
use crate::tools::until::wait_until;
use crate::tools::x11::Xvfb;
use lancam::clock;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const DOCUMENT: &str = include_str!("../../../docs/INTEGRATIONS.md");

/// How many different pictures must be seen.
pub(super) const PICTURES: usize = 30;

fn camera() -> CameraProcess {
    CameraProcess::start(&["--source", "test:640x360@25", "--name", "Garage"])
}

/// The line of this row in the document's tables.
#[track_caller]
pub(super) fn of_row(row: &str) -> &'static str {
    let start = format!("| {row} |");
    let line = DOCUMENT.lines().find(|line| line.starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("no row {start}"));
    let (_, after) = line.split_once('`').expect("a line to copy");
    after.split_once('`').expect("its end").0
}

/// The same with `camera` as the camera.
#[track_caller]
pub fn line(row: &str, camera: &CameraProcess) -> String {
    of_row(row).replace("CAMERA:8080", &format!("127.0.0.1:{}", camera.port()))
}

pub(super) fn is_installed(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let is_so = found.is_ok_and(|found| found.status.success());
    if !is_so {
        skip(program, "it is not installed");
    }
    is_so
}

/// Another project's program. Dropping this ends it.
pub(super) struct Program(pub(super) Child);

impl Program {
    /// Runs `line` in `folder`, which is also its home. As root it becomes nobody for VLC, which refuses to
    /// run as root.
    pub(super) fn start(line: &str, folder: &Path, screen: Option<&Xvfb>) -> Self {
        Self::start_with(line, folder, screen, Stdio::null)
    }

    /// The same, with its outputs going there.
    pub(super) fn start_with(
        line: &str,
        folder: &Path,
        screen: Option<&Xvfb>,
        output: fn() -> Stdio,
    ) -> Self {
        let mut command = Command::new("sh");
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0);
        if line.starts_with("cvlc ") && is_root {
            std::fs::set_permissions(folder, Permissions::from_mode(0o777)).expect("ours");
            command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh"]);
        }
        command.args(["-c", &format!("exec {line}")]).current_dir(folder).env("HOME", folder);
        command.env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY");
        if let Some(screen) = screen {
            command.env("DISPLAY", screen.display());
        }
        command.stdin(Stdio::null()).stdout(output()).stderr(output());
        Self(command.spawn().expect("it starts"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a player's command on a virtual screen of its own, and reads the number in its picture until that has
/// changed often enough.
fn is_shown(row: &str) {
    let camera = camera();
    // VLC's graphical interface is a large package, so `cvlc` runs. This screen has OpenGL only in software,
    // with which VLC would show four frames a second and drop none.
    let line = line(row, &camera).replace("vlc ", "cvlc --vout xcb_x11 ");
    if !is_installed(line.split(' ').next().expect("a program")) {
        return;
    }
    let screen = match Xvfb::start() {
        Ok(screen) => screen,
        Err(why) => return skip(row, &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let _player = Program::start(&line, folder.path(), Some(&screen));
    let (mut numbers, mut ages): (Vec<u32>, Vec<Duration>) = Default::default();
    while numbers.len() < PICTURES {
        let stamp = wait_until("another picture on the screen", || {
            stamp_on(&screen.screenshot()).filter(|stamp| numbers.last() != Some(&stamp.sequence))
        });
        numbers.push(stamp.sequence);
        ages.push(clock::now().since(stamp.made_at));
    }
    ages.sort();
    println!("{line}: half of the pictures at most {:.0?} old on the screen", ages[PICTURES / 2]);
    assert!(numbers.is_sorted_by(|one, next| one < next), "{line}: {numbers:?}");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn ffplays_line_shows_the_picture() {
    is_shown("ffplay");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn vlcs_line_shows_the_picture() {
    is_shown("VLC");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn mpvs_line_shows_the_picture() {
    is_shown("mpv");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn gstreamers_line_shows_the_picture() {
    is_shown("GStreamer");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn ffmpegs_line_records_every_picture() {
    let camera = camera();
    let line = line("ffmpeg, recording without encoding", &camera);
    if !is_installed("ffmpeg") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut recorder = Program::start(&line, folder.path(), None);
    let sent = "lancam_frames_sent_total{transport=\"http\"} ";
    wait_until("100 frames", || {
        let metrics = get(camera.port(), "/metrics");
        let sent = metrics.text().lines().find_map(|line| line.strip_prefix(sent))?;
        (sent.parse::<u32>().expect("a number") >= 100).then_some(())
    });
    signal(&recorder.0, "INT");
    wait(&mut recorder.0);
    let mut pictures = Command::new("ffmpeg");
    pictures.args(["-v", "error", "-i", "camera.mkv", "-c", "copy", "%d.jpg"]);
    let output = pictures.current_dir(folder.path()).output().expect("ffmpeg runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let numbers: Vec<u32> = (1..)
        .map_while(|index| std::fs::read(folder.path().join(format!("{index}.jpg"))).ok())
        .map(|jpeg| look(&jpeg).1.expect("a stamp").sequence)
        .collect();
    assert!(numbers.len() >= 95, "{} of 100 frames", numbers.len());
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

#[test]
fn curls_line_saves_a_picture() {
    let camera = camera();
    let line = line("curl", &camera);
    if !is_installed("curl") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    assert!(wait(&mut Program::start(&line, folder.path(), None).0).success());
    let jpeg = std::fs::read(folder.path().join("picture.jpg")).expect("saved");
    assert!(look(&jpeg).1.is_some());
}

#[test]
fn pythons_line_reads_native_frames() {
    let camera = camera();
    let line = line("Python, native protocol", &camera).replace("CAMERA", "127.0.0.1");
    let mut python = Command::new("sh");
    python.current_dir(env!("CARGO_MANIFEST_DIR")).args(["-c"]);
    python.arg(format!("exec {line} --port {} --frames 5", camera.port()));
    if !is_installed("python3") {
        return;
    }
    let output = python.output().expect("sh runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Not every program in the document can run here. But every address in it must serve what the document says.
#[test]
fn every_address_in_the_document_gives_what_it_is_said_to_give() {
    let camera = camera();
    let mut asked = 0;
    for after in DOCUMENT.split("http://CAMERA:8080").skip(1) {
        let end = after.find(['`', '"', ' ', ';', '<']).expect("an end");
        let path = &after[..end];
        if path.contains("action=stream") || path.starts_with("/stream") {
            let start = Instant::now();
            let part = HttpClient::connect(camera.port()).stream(path).part();
            assert!(look(&part.jpeg).1.is_some() && start.elapsed() < PATIENCE, "{path}");
        } else {
            let answer = get(camera.port(), path);
            let kind = answer.header("Content-Type").expect("a type");
            let is_picture = path.contains("snapshot");
            assert!(answer.code == 200 && is_picture == (kind == "image/jpeg"), "{path}: {kind}");
        }
        asked += 1;
    }
    assert!(asked >= 15, "{asked} addresses");
}
