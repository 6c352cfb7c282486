//! The lines of docs/INTEGRATIONS.md for a camera that wants a key are run as they are written: with their key they bring
//! pictures, and with another one or none words and nothing of a picture.

use super::integrations::{PICTURES, Program, is_installed, of_row};
use crate::tools::camera_process::{CameraProcess, signal, wait};
use crate::tools::native_client::look;
use crate::tools::screen_stamp::stamp_on;
use crate::tools::skip::skip;
use crate::tools::until::wait_until;
use crate::tools::x11::Xvfb;
use lancam::net::lan::own_addresses;
use std::fs;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::process::{Command, ExitStatus, Stdio};

/// How a JPEG begins.
const JPEG: [u8; 3] = [0xFF, 0xD8, 0xFF];

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
        Self::with(&[], &[])
    }

    /// The same with more options of `lancam`, and of `lancam pair`.
    fn with(more: &[&str], of_key: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let of_keys = ["--access", "keys", "--state", state.to_str().expect("UTF-8")];
        let source = ["--source", "test:640x360@25", "--name", "Garage", "--listen", "[::]:0"];
        let mut command = CameraProcess::command(&[&of_keys[..], &source, more].concat());
        let camera = CameraProcess::spawn(&mut command);
        let Some(address) = own_addresses().into_iter().find(IpAddr::is_ipv4) else {
            skip("a key", "this machine has no network");
            return None;
        };
        let pair = [&["pair", "--name", "test", "--state", of_keys[3]], of_key].concat();
        let output = CameraProcess::command(&pair).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let key = said.lines().find_map(|line| line.strip_prefix("key ")).expect("a key");
        let identity = fs::read_to_string(state.join("identity")).expect("made");
        let end = "-----END CERTIFICATE-----\n";
        let (certificate, _) = identity.split_once(end).expect("a certificate");
        let file = folder.path().join("camera.pem");
        fs::write(file, format!("{certificate}{end}")).expect("written");
        let (address, key) = (address.to_string(), key.trim().to_owned());
        Some(Self { camera, folder, address, key })
    }

    /// The row's line with the right key.
    fn line(&self, row: &str) -> String {
        self.line_with(row, &self.key)
    }

    fn line_with(&self, row: &str, key: &str) -> String {
        let camera = format!("{}:{}", self.address, self.camera.port());
        of_row(row).replace("CAMERA:8080", &camera).replace("KEY", key)
    }

    /// The row's line with another key, and without one.
    fn wrong_lines(&self, row: &str) -> [String; 2] {
        let without = self.line_with(row, "KEY");
        let without = without.replace("?key=KEY", "");
        let without = without.replace(" -H \"Authorization: Bearer KEY\"", "");
        assert!(!without.contains("KEY"), "{without}");
        [self.line_with(row, &"A".repeat(43)), without]
    }

    /// How a program with this line ends, and all that it says.
    fn refused(&self, line: &str, screen: Option<&Xvfb>) -> (ExitStatus, String) {
        let mut program = Program::start_with(line, self.folder.path(), screen, Stdio::piped);
        let (mut said, mut complaints) = (Vec::new(), Vec::new());
        let (out, err) = (program.0.stdout.as_mut(), program.0.stderr.as_mut());
        out.expect("piped").read_to_end(&mut said).expect("it ends");
        err.expect("piped").read_to_end(&mut complaints).expect("it ends");
        said.extend(complaints);
        assert!(!said.windows(JPEG.len()).any(|it| it == JPEG), "{line}: something of a picture");
        (wait(&mut program.0), String::from_utf8_lossy(&said).into_owned())
    }
}

#[test]
fn curls_line_saves_a_picture_and_without_its_key_words() {
    let row = "curl with a key";
    let Some(keyed) = Keyed::start().filter(|_| is_installed("curl")) else { return };
    let picture = keyed.folder.path().join("picture.jpg");
    let line = keyed.line(row);
    assert!(wait(&mut Program::start(&line, keyed.folder.path(), None).0).success(), "{line}");
    assert!(look(&fs::read(&picture).expect("saved")).1.is_some());
    let words = ["this camera does not know that key", "this camera wants a key. On its machine, "];
    for (line, begin) in keyed.wrong_lines(row).iter().zip(words) {
        assert!(keyed.refused(line, None).0.success());
        let words = String::from_utf8(fs::read(&picture).expect("saved")).expect("words");
        assert!(words.starts_with(begin), "{words}");
    }
    // Another certificate is refused before the key is shown.
    fs::write(keyed.folder.path().join("camera.pem"), "").expect("written");
    assert!(!wait(&mut Program::start(&line, keyed.folder.path(), None).0).success(), "{line}");
}

#[test]
fn curls_line_knows_a_camera_by_its_name_at_an_address_that_its_certificate_does_not_have() {
    let Some(keyed) = Keyed::start().filter(|_| is_installed("curl")) else { return };
    let run = |line: &str| wait(&mut Program::start(line, keyed.folder.path(), None).0).success();
    let here = |row: &str| {
        let port = keyed.camera.port().to_string();
        let line = of_row(row).replace("CAMERA", "127.0.0.1").replace("ADDRESS", "127.0.0.1");
        line.replace("8080", &port).replace("NAME", "garage").replace("KEY", &keyed.key)
    };
    let by_address = here("curl with a key");
    assert!(!run(&by_address), "the certificate has {by_address}");
    let by_name = here("curl by an address");
    assert!(run(&by_name), "{by_name}");
    let picture = fs::read(keyed.folder.path().join("picture.jpg")).expect("saved");
    assert!(look(&picture).1.is_some());
}

/// Reads the numbers of different pictures on a screen.
fn numbers_on(screen: &Xvfb) -> Vec<u32> {
    let mut numbers: Vec<u32> = Vec::new();
    while numbers.len() < PICTURES {
        let stamp = wait_until("another picture on the screen", || {
            stamp_on(&screen.screenshot()).filter(|stamp| numbers.last() != Some(&stamp.sequence))
        });
        numbers.push(stamp.sequence);
    }
    numbers
}

/// Runs a player's line with another key and without one, which ends with `words` and an empty screen, and with the right one until its window
/// has shown pictures.
fn is_shown(row: &str, words: &str) {
    let Some(keyed) = Keyed::start() else { return };
    let line = keyed.line(row);
    if !is_installed(line.split(' ').next().expect("a program")) {
        return;
    }
    let screen = match Xvfb::start() {
        Ok(screen) => screen,
        Err(why) => return skip(row, &why),
    };
    for wrong in keyed.wrong_lines(row) {
        let (_, said) = keyed.refused(&wrong, Some(&screen));
        assert!(said.contains(words), "{wrong}: {said}");
        assert!(stamp_on(&screen.screenshot()).is_none(), "{wrong}: a picture");
    }
    let _player = Program::start(&line, keyed.folder.path(), Some(&screen));
    let numbers = numbers_on(&screen);
    assert!(numbers.is_sorted_by(|one, next| one < next), "{line}: {numbers:?}");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn ffplays_line_shows_the_picture() {
    is_shown("ffplay with a key", "HTTP error 401 Unauthorized");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn mpvs_line_shows_the_picture() {
    is_shown("mpv with a key", "HTTP error 401 Unauthorized");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn gstreamers_line_shows_the_picture() {
    is_shown("GStreamer with a key", "Unauthorized (401)");
}

/// VLC stays and shows nothing when it is refused.
#[test]
#[ignore = "minutes: make test-all"] // to install
fn vlcs_line_shows_the_picture_without_tls_to_a_key_that_was_made_for_that() {
    let row = "VLC with a key";
    let Some(keyed) = Keyed::with(&["--plain", "keys"], &["--plain"]) else { return };
    if !is_installed("cvlc") {
        return;
    }
    let screen = match Xvfb::start() {
        Ok(screen) => screen,
        Err(why) => return skip(row, &why),
    };
    let vlc = |line: &str| {
        let line = line.replace("vlc ", "cvlc --vout xcb_x11 ");
        Program::start(&line, keyed.folder.path(), Some(&screen))
    };
    let words = ["this camera does not know that key", "this camera answers over TLS only"];
    for (line, words) in keyed.wrong_lines(row).iter().zip(words) {
        let refused = vlc(line);
        keyed.camera.line_with(words);
        assert!(stamp_on(&screen.screenshot()).is_none(), "{line}: a picture");
        drop(refused);
    }
    let _player = vlc(&keyed.line(row));
    let numbers = numbers_on(&screen);
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn ffmpegs_line_records_pictures_and_without_its_key_none() {
    let row = "ffmpeg with a key, recording without encoding";
    let Some(keyed) = Keyed::start().filter(|_| is_installed("ffmpeg")) else { return };
    let film = keyed.folder.path().join("camera.mkv");
    for line in keyed.wrong_lines(row) {
        let (status, said) = keyed.refused(&line, None);
        assert!(!status.success() && !film.exists(), "{line}: {said}");
        assert!(said.contains("HTTP error 401 Unauthorized"), "{line}: {said}");
    }
    let mut recorder = Program::start(&keyed.line(row), keyed.folder.path(), None);
    wait_until("half a megabyte", || (fs::metadata(&film).ok()?.len() >= 500_000).then_some(()));
    signal(&recorder.0, "INT");
    wait(&mut recorder.0);
    let mut pictures = Command::new("ffmpeg");
    pictures.args(["-v", "error", "-i", "camera.mkv", "-c", "copy", "%d.jpg"]);
    assert!(pictures.current_dir(keyed.folder.path()).status().expect("runs").success());
    let first = fs::read(keyed.folder.path().join("1.jpg")).expect("a picture");
    assert!(look(&first).1.is_some());
}

/// What stands around the line: the request with the header, and what is done with the answer.
const URLLIB: &str = r#"
import ssl, sys, urllib.error, urllib.request
request = urllib.request.Request("https://CAMERA:8080/snapshot", headers={"Authorization": "Bearer " + key for key in sys.argv[1:]})
try:
    answer = LINE
    open("picture.jpg", "wb").write(answer.read())
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code}: {error.read().decode()}")
"#;

#[test]
fn pythons_line_over_http_reads_a_picture_and_without_its_key_words() {
    let Some(keyed) = Keyed::start().filter(|_| is_installed("python3")) else { return };
    let camera = format!("{}:{}", keyed.address, keyed.camera.port());
    let script = URLLIB.replace("CAMERA:8080", &camera).replace("LINE", of_row("Python, HTTP"));
    let run = |key: &[&str]| {
        let mut python = Command::new("python3");
        python.args(["-c", &script]).args(key).current_dir(keyed.folder.path());
        let output = python.output().expect("it was there");
        (output.status.success(), String::from_utf8(output.stderr).expect("words"))
    };
    let picture = keyed.folder.path().join("picture.jpg");
    let wrong = "A".repeat(43);
    for (key, words) in [(&[&*wrong][..], "does not know that key"), (&[][..], "wants a key")] {
        let (is_read, said) = run(key);
        assert!(!is_read && !picture.exists(), "{said}");
        assert!(said.starts_with(&format!("401: this camera {words}")), "{said}");
    }
    let (is_read, said) = run(&[&keyed.key]);
    assert!(is_read, "{said}");
    assert!(look(&fs::read(&picture).expect("saved")).1.is_some());
}

#[test]
fn pythons_line_with_a_code_pairs_and_watches() {
    let Some(keyed) = Keyed::start().filter(|_| is_installed("python3")) else { return };
    let line = of_row("Python, native protocol, with a code").replace("CAMERA", &keyed.address);
    let code = fs::read_to_string(keyed.folder.path().join("state/code")).expect("made");
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
