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
use lancam::net::lan::own_addresses;
use std::fs::Permissions;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const DOCUMENT: &str = include_str!("../../../docs/INTEGRATIONS.md");

/// How many different pictures must be seen.
const PICTURES: usize = 30;

fn camera() -> CameraProcess {
    CameraProcess::start(&["--source", "test:640x360@25", "--name", "Garage"])
}

/// The line of this row in the document's tables.
#[track_caller]
fn of_row(row: &str) -> &'static str {
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

fn is_installed(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let is_so = found.is_ok_and(|found| found.status.success());
    if !is_so {
        skip(program, "it is not installed");
    }
    is_so
}

/// Another project's program. Dropping this ends it.
struct Program(Child);

impl Program {
    /// Runs `line` in `folder`, which is also its home. As root it becomes nobody for VLC, which refuses to
    /// run as root.
    fn start(line: &str, folder: &Path, screen: Option<&Xvfb>) -> Self {
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
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
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

/// A camera that wants a key, and what a program needs to watch it.
struct Keyed {
    camera: CameraProcess,
    /// Has the certificate in `camera.pem`, as the document says.
    folder: tempfile::TempDir,
    /// Its address, as its certificate has it.
    address: String,
    key: String,
}

impl Keyed {
    /// `None` if this machine has no network, which counts as a skip.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let of_keys = ["--access", "keys", "--state", state.to_str().expect("UTF-8")];
        let source = ["--source", "test:640x360@25", "--name", "Garage", "--listen", "[::]:0"];
        let mut command = CameraProcess::command(&[&of_keys[..], &source].concat());
        let camera = CameraProcess::spawn(&mut command);
        let Some(address) = own_addresses().into_iter().find(IpAddr::is_ipv4) else {
            skip("a key", "this machine has no network");
            return None;
        };
        let pair = ["pair", "--name", "test", "--state", of_keys[3]];
        let output = CameraProcess::command(&pair).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let key = said.lines().find_map(|line| line.strip_prefix("key ")).expect("a key");
        let identity = std::fs::read_to_string(state.join("identity")).expect("made");
        let end = "-----END CERTIFICATE-----\n";
        let (certificate, _) = identity.split_once(end).expect("a certificate");
        let file = folder.path().join("camera.pem");
        std::fs::write(file, format!("{certificate}{end}")).expect("written");
        let (address, key) = (address.to_string(), key.trim().to_owned());
        Some(Self { camera, folder, address, key })
    }

    fn line(&self, row: &str, key: &str) -> String {
        let camera = format!("{}:{}", self.address, self.camera.port());
        of_row(row).replace("CAMERA:8080", &camera).replace("KEY", key)
    }
}

#[test]
fn curls_line_with_a_key_saves_a_picture_and_without_it_words() {
    let Some(keyed) = Keyed::start().filter(|_| is_installed("curl")) else { return };
    let picture = keyed.folder.path().join("picture.jpg");
    let line = keyed.line("curl with a key", &keyed.key);
    assert!(wait(&mut Program::start(&line, keyed.folder.path(), None).0).success(), "{line}");
    assert!(look(&std::fs::read(&picture).expect("saved")).1.is_some());
    let line = keyed.line("curl with a key", &"A".repeat(43));
    assert!(wait(&mut Program::start(&line, keyed.folder.path(), None).0).success(), "{line}");
    let answer = std::fs::read(&picture).expect("saved");
    assert!(!answer.windows(2).any(|bytes| bytes == [0xff, 0xd8]), "nothing of a picture");
    let words = String::from_utf8(answer).expect("words");
    assert!(words.contains("key"), "{words}");
    // Another certificate is refused before the key is shown.
    std::fs::write(keyed.folder.path().join("camera.pem"), "").expect("written");
    let line = keyed.line("curl with a key", &keyed.key);
    assert!(!wait(&mut Program::start(&line, keyed.folder.path(), None).0).success(), "{line}");
}

/// Runs a player's line with the key until its window shows pictures, and with another key, which shows none.
fn is_shown_with_a_key(row: &str) {
    let Some(keyed) = Keyed::start() else { return };
    let line = keyed.line(row, &keyed.key);
    if !is_installed(line.split(' ').next().expect("a program")) {
        return;
    }
    let screen = match Xvfb::start() {
        Ok(screen) => screen,
        Err(why) => return skip(row, &why),
    };
    // First with a wrong key: the player ends, and the screen has stayed empty.
    let wrong = keyed.line(row, &"A".repeat(43));
    let mut refused = Program::start(&wrong, keyed.folder.path(), Some(&screen));
    wait(&mut refused.0);
    assert!(stamp_on(&screen.screenshot()).is_none(), "{wrong}");
    let _player = Program::start(&line, keyed.folder.path(), Some(&screen));
    let mut numbers: Vec<u32> = Vec::new();
    while numbers.len() < PICTURES {
        let stamp = wait_until("another picture on the screen", || {
            stamp_on(&screen.screenshot()).filter(|stamp| numbers.last() != Some(&stamp.sequence))
        });
        numbers.push(stamp.sequence);
    }
    assert!(numbers.is_sorted_by(|one, next| one < next), "{line}: {numbers:?}");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn ffplays_line_with_a_key_shows_the_picture() {
    is_shown_with_a_key("ffplay with a key");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn mpvs_line_with_a_key_shows_the_picture() {
    is_shown_with_a_key("mpv with a key");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn gstreamers_line_with_a_key_shows_the_picture() {
    is_shown_with_a_key("GStreamer with a key");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn ffmpegs_line_with_a_key_records_pictures_and_with_another_none() {
    let row = "ffmpeg with a key, recording without encoding";
    let Some(keyed) = Keyed::start().filter(|_| is_installed("ffmpeg")) else { return };
    let film = keyed.folder.path().join("camera.mkv");
    let wrong = keyed.line(row, &"A".repeat(43));
    let mut refused = Program::start(&wrong, keyed.folder.path(), None);
    assert!(!wait(&mut refused.0).success() && !film.exists(), "{wrong}");
    let line = keyed.line(row, &keyed.key);
    let mut recorder = Program::start(&line, keyed.folder.path(), None);
    wait_until("half a megabyte", || {
        (std::fs::metadata(&film).ok()?.len() >= 500_000).then_some(())
    });
    signal(&recorder.0, "INT");
    wait(&mut recorder.0);
    let mut pictures = Command::new("ffmpeg");
    pictures.args(["-v", "error", "-i", "camera.mkv", "-c", "copy", "%d.jpg"]);
    assert!(pictures.current_dir(keyed.folder.path()).status().expect("runs").success());
    let first = std::fs::read(keyed.folder.path().join("1.jpg")).expect("a picture");
    assert!(look(&first).1.is_some());
}

#[test]
fn pythons_line_with_a_code_pairs_and_watches() {
    let Some(keyed) = Keyed::start().filter(|_| is_installed("python3")) else { return };
    let line = of_row("Python, native protocol, with a code").replace("CAMERA", &keyed.address);
    let code = std::fs::read_to_string(keyed.folder.path().join("state/code")).expect("made");
    let key_file = keyed.folder.path().join("key");
    let mut python = Command::new("sh");
    python.current_dir(env!("CARGO_MANIFEST_DIR")).arg("-c");
    let port = keyed.camera.port();
    python.arg(format!("exec {line} --port {port} --frames 5 --key-file {}", key_file.display()));
    let mut python = python.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut input = python.stdin.take().expect("piped");
    writeln!(input, "{}", code.lines().next().expect("a code")).expect("it reads");
    let output = python.wait_with_output().expect("it ends");
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
