//! examples/native_viewer.py, the native protocol in two pages of Python, does what a viewer should do.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::delaying_proxy::delaying;
use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::impostor::{Impostor, Pairs};
use crate::tools::native_client::look;
use crate::tools::served_camera::ServedCamera;
use crate::tools::skip::skip;
use lancam::camera::access::folder::Folder;
use lancam::camera::access::identity::{Identity, Names};
use lancam::image::pixels::Size;
use lancam::wire::native::header::Header;
use lancam::wire::native::message::{Message, StatusCode};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/native_viewer.py");
const SIZE: Size = Size::new(320, 180);

/// Watches this many frames on a port of loopback. `None` if Python is not installed, which counts as a skip.
fn watch(port: u16, frames: usize, save: &Path) -> Option<Output> {
    let folder = save.parent().expect("a folder");
    python(port, folder, &["--frames", &frames.to_string(), "--save", &save.to_string_lossy()], "")
}

/// Runs the example, whose key file lies in this folder, and types this.
fn python(port: u16, folder: &Path, arguments: &[&str], typed: &str) -> Option<Output> {
    let mut command = Command::new("python3");
    command.args(["-W", "error", EXAMPLE, "127.0.0.1", "--port", &port.to_string()]);
    command.args(arguments).current_dir(folder).stdin(Stdio::piped());
    let mut running = match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(running) => running,
        Err(error) => {
            skip("python3", &error.to_string());
            return None;
        }
    };
    let mut input = running.stdin.take().expect("piped");
    // It ends without reading when something is wrong.
    let _ = writeln!(input, "{typed}");
    Some(running.wait_with_output().expect("it ends"))
}

/// The key file of the camera at this port, since several may be on one machine.
fn key_file(port: u16) -> String {
    format!("127.0.0.1-{port}.key")
}

/// The number, the age in ms and the uncertainty of each frame that it printed.
fn told(output: &Output) -> Vec<(u64, f64, f64)> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.strip_prefix("frame ")?.split([' ', ':']).collect();
        // Before the answer to the first ping.
        if line.ends_with(" bytes, of unknown age") {
            return Some((words[0].parse().ok()?, f64::NAN, f64::INFINITY));
        }
        // A line is: frame 36: 8383 bytes, 1.4 ms old, give or take 0.2 ms
        let [number, _, _, _, age, _, _, _, _, _, uncertainty, _] = words[..] else {
            panic!("{line}")
        };
        let number_of = |word: &str| word.parse::<f64>().expect("a number");
        Some((number.parse().expect("a number"), number_of(age), number_of(uncertainty)))
    });
    lines.collect()
}

#[test]
fn it_is_two_pages() {
    let lines = fs::read_to_string(EXAMPLE).expect("readable").lines().count();
    assert!(lines <= 120, "{lines} lines");
}

#[test]
fn an_address_with_a_port_is_taken_and_a_wrong_one_is_told_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let run = |address: &str| {
        let mut command = Command::new("python3");
        command.args([EXAMPLE, address, "--frames", "1"]).current_dir(folder.path());
        command.output().map_err(|error| skip("python3", &error.to_string())).ok()
    };
    // A router's page, and a program that waits for more.
    let page = FakeServer::on(0, |mut stream| {
        let _count = stream.read(&mut [0; 4096])?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    });
    let silent = FakeServer::on(0, |mut stream| stream.read_to_end(&mut Vec::new()).map(|_| ()));
    for (address, expected) in [
        (
            closed.to_string(),
            format!("cannot connect to 127.0.0.1, port {}: Connection refused", closed.port()),
        ),
        ("127.0.0.1:99999".into(), "cannot connect to 127.0.0.1, port 99999: ".into()),
        (format!("127.0.0.1:{}", page.port()), "no lancam answers there: b'HTTP/1.1 400'".into()),
        (
            format!("127.0.0.1:{}", silent.port()),
            format!("nothing has come from 127.0.0.1, port {}, for 10 s", silent.port()),
        ),
    ] {
        let Some(output) = run(&address) else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{address}: {said}");
        assert!(!output.status.success(), "{address}");
    }
    let camera = CameraProcess::start(&["--source", "test:320x180@50"]);
    let output = run(&format!("127.0.0.1:{}", camera.port())).expect("it was there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(" bytes, of unknown age"), "{text}");
}

#[test]
fn it_watches_a_camera_and_knows_how_old_each_frame_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("last.jpg");
    let camera = CameraProcess::start(&["--source", "test:320x180@50", "--name", "Küche"]);
    let Some(output) = watch(camera.port(), 100, &file) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let frames = told(&output);
    assert_eq!(frames.len(), 100);
    assert!(frames.is_sorted_by(|one, next| one.0 < next.0), "{frames:?}");
    // The first frames come before the answer to the first ping.
    for (_, age, uncertainty) in &frames[10..] {
        assert!(*age >= -uncertainty && *uncertainty < 100.0, "{frames:?}");
    }
    // On a busy machine, Python itself is late now and then.
    let late = frames[10..].iter().filter(|(_, age, _)| *age > 500.0).count();
    assert!(late < 45, "{frames:?}");
    let (picture, stamp) = look(&fs::read(&file).expect("saved"));
    assert_eq!(picture.size(), SIZE);
    assert_eq!(stamp.map(|stamp| u64::from(stamp.sequence)), frames.last().map(|last| last.0));

    // With a delay of 50 ms in each direction, the ages must be 50 ms more.
    let each_way = Duration::from_millis(50);
    let path = delaying(camera.port(), each_way, each_way);
    let output = watch(path.port(), 20, &file).expect("it was there");
    let mut ages: Vec<f64> = told(&output)[5..].iter().map(|frame| frame.1).collect();
    ages.sort_by(f64::total_cmp);
    // A frame that waits for its turn is up to 20 ms old. A busy machine adds more.
    assert!((47.0..100.0).contains(&ages[ages.len() / 2]), "{ages:?}");
}

#[test]
fn it_answers_pings_passes_over_what_it_does_not_know_and_shows_what_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let camera = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        assert!(camera.hello.contains("native_viewer.py"), "{}", camera.hello);
        camera.send(&Message::Status { code: StatusCode::CameraLost, text: "it is gone" })?;
        // A message of version 9 and kind 99, with flags and 5 bytes.
        camera.send_raw(b"LCAM\x09\x63\xff\xff\x05\0\0\0hello")?;
        camera.send(&Message::Ping { token: 77 })?;
        let pong = camera.wait_for(|message| match message {
            Message::Pong { token, received_at, sent_at } => Some((token, received_at, sent_at)),
            _ => None,
        })?;
        assert!(pong.0 == 77 && pong.1 <= pong.2, "{pong:?}");
        camera.send_frame(&jpeg_facts(7, SIZE), Pattern::new(SIZE).jpeg(7))
    });
    let Some(output) = watch(camera.port(), 1, &folder.path().join("x")) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("fake\nit is gone\nframe 7: "), "{text}");
}

#[test]
fn nothing_that_a_stranger_says_is_obeyed_by_the_terminal() {
    const NAME: &str = "fake\u{1b}]0;title\u{7}\u{202e}\r\n";
    let folder = tempfile::tempdir().expect("a folder");
    let camera = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, NAME)?;
        camera.send_frame(&jpeg_facts(7, SIZE), Pattern::new(SIZE).jpeg(7))
    });
    let Some(output) = watch(camera.port(), 1, &folder.path().join("x")) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("fake?]0;title????\nframe 7: "), "{text:?}");
}

#[test]
fn it_ends_at_what_no_camera_says_and_does_not_wait_for_what_is_too_much() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases: [(&[u8], &str); 6] = [
        (b"HTTP/1.1 400 Bad Request\r\n", "no lancam"),
        // A frame of 16 MiB and one byte.
        (b"LCAM\x01\x42\0\0\x01\0\0\x01", "no lancam"),
        (b"LCAM\x01\x42\x01\0\x18\0\0\0........................", "another version"),
        (b"LCAM\x02\x42\0\0\x18\0\0\0........................", "another version"),
        // 8 bytes of a frame, whose fields alone need 24.
        (b"LCAM\x01\x42\0\0\x08\0\0\0........", "24 bytes"),
        (b"LCAM\x01\x42\0\0\x18\0\0\0.....", "cut off"),
    ];
    assert_eq!(Header::LEN, 12);
    for (bytes, says) in cases {
        let camera = FakeServer::on(0, move |stream| {
            let mut camera = FakeCamera::greet(stream, "fake")?;
            camera.send_raw(bytes)?;
            if says == "cut off" {
                return Ok(());
            }
            // Waits until the viewer ends by itself.
            camera.wait_for(|_| None::<()>)
        });
        let Some(output) = watch(camera.port(), 1, &folder.path().join("x")) else { return };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(says), "{says}: {stderr}");
    }
}

/// What it printed, and whether it succeeded.
fn said(output: &Output) -> (String, bool) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

#[test]
fn it_pairs_once_and_then_watches_inside_tls_by_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let camera = ServedCamera::with_keys();
    let access = camera.access();
    let run =
        |arguments: &[&str], typed: &str| python(camera.port, folder.path(), arguments, typed);
    let Some(output) = run(&["--frames", "3"], "") else { return };
    let (text, watched) = said(&output);
    assert!(!watched && !text.contains("frame "), "{text}");
    assert!(text.lines().next().is_some_and(|line| line.contains("TLS")), "in words: {text}");

    let code = access.code().shown();
    let file = folder.path().join(key_file(camera.port));
    for (typed, what) in [("0000-0000-0000", "the code is wrong"), ("hello", "the code is wrong")] {
        let (text, watched) = said(&run(&["--pair", "--frames", "3"], typed).expect("Python"));
        assert!(!watched && text.contains(what) && !text.contains("frame "), "{text}");
        assert!(!text.contains("Traceback") && !file.exists());
    }
    let typed = code.to_lowercase().replace('-', " ");
    let (text, watched) = said(&run(&["--pair", "--frames", "20"], &typed).expect("Python"));
    assert!(watched && text.matches("frame ").count() == 20 && !text.contains(&code), "{text}");
    let kept = fs::read_to_string(&file).expect("written");
    let pin: String = camera.pin.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(kept.starts_with(&format!("{pin} ")) && kept.trim().len() == 64 + 1 + 43, "{kept}");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(access.keys()[0].name, "native_viewer.py");

    let (text, watched) = said(&run(&["--frames", "20"], "").expect("Python"));
    assert!(watched && text.matches("frame ").count() == 20, "{text}");

    assert!(access.revoke("native_viewer.py").expect("written"));
    let (text, watched) = said(&run(&["--frames", "3"], "").expect("Python"));
    assert!(!watched && text.contains("does not know that key"), "{text}");
    assert!(!text.contains("frame ") && !text.contains("Traceback"), "{text}");
}

#[test]
fn it_shows_its_key_to_nobody_who_does_not_encrypt() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = format!("{} {}\n", "a".repeat(64), "K".repeat(43));
    let (said, heard) = channel();
    let camera = FakeServer::on(0, move |mut stream| {
        let mut some = [0; 4096];
        let count = stream.read(&mut some)?;
        let _ = said.send(some[..count].to_vec());
        stream.write_all(b"LCAM\x01\x40\0\0\x0c\0\0\0\x01\x01\0\0\x06\0Garage")
    });
    fs::write(folder.path().join(key_file(camera.port())), kept).expect("written");
    let Some(output) = python(camera.port(), folder.path(), &["--frames", "1"], "") else { return };
    let (text, watched) = self::said(&output);
    assert!(!watched && !text.contains("Traceback"), "{text}");
    assert!(text.starts_with("127.0.0.1 does not encrypt, so it is not the camera"), "{text}");
    let heard = heard.recv_timeout(PATIENCE).expect("it was asked");
    assert!(!heard.windows(10).any(|it| it == b"KKKKKKKKKK"), "the key");
}

/// A machine in the middle: speaks TLS with a certificate of its own, and passes on all that is inside.
const RELAY: &str = r#"
import socket, ssl, sys, threading
own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
own.load_cert_chain(sys.argv[1])
any_camera = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
any_camera.check_hostname, any_camera.verify_mode = False, ssl.CERT_NONE
def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    source.close(), sink.close()
def relay(viewer):
    try:
        viewer = own.wrap_socket(viewer, server_side=True)
    except OSError:
        return
    camera = any_camera.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[2]))))
    threading.Thread(target=copy, args=(camera, viewer), daemon=True).start()
    copy(viewer, camera)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=relay, args=(listener.accept()[0],), daemon=True).start()
"#;

/// A running relay, and its port.
struct Relay(Child, u16);

impl Relay {
    fn before(camera: &ServedCamera, folder: &Path) -> Self {
        let folder = Folder::open(&folder.join("of the relay")).expect("made");
        let names = Names { name: "Garage", hosts: &[], addresses: &[] };
        Identity::open(&folder, names, Duration::ZERO).expect("made");
        let certificate = folder.path_of(lancam::camera::access::folder::Name::Identity);
        let mut python = Command::new("python3");
        python.args(["-c", RELAY]).arg(certificate).arg(camera.port.to_string());
        let mut python = python.stdout(Stdio::piped()).spawn().expect("it was there");
        let mut line = String::new();
        let mut said = BufReader::new(python.stdout.take().expect("piped"));
        said.read_line(&mut line).expect("it says its port");
        let port = line.trim().parse().expect("a port");
        Self(python, port)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_notices_a_machine_in_the_middle_in_pairing_and_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let camera = ServedCamera::with_keys();
    let access = camera.access();
    let pair = ["--pair", "--frames", "3"];
    let code = access.code().shown();
    let Some(output) = python(camera.port, folder.path(), &pair, &code) else { return };
    assert!(output.status.success(), "{}", said(&output).0);
    let keys = access.keys().len();

    let relay = Relay::before(&camera, folder.path());
    let kept = key_file(camera.port);
    let known = ["--frames", "3", "--key-file", &kept];
    let (text, watched) = said(&python(relay.1, folder.path(), &known, "").expect("Python"));
    assert!(!watched && text.contains("is not the camera that was paired"), "{text}");
    // The right code is no use either: its proof is about another certificate.
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("made");
    let (text, watched) = said(&python(relay.1, &elsewhere, &pair, &code).expect("Python"));
    assert!(!watched && text.contains("the code is wrong"), "{text}");
    assert_eq!(access.keys().len(), keys, "the relay has no key");
    // Without it, all works as before.
    let output = python(camera.port, folder.path(), &["--frames", "3"], "").expect("Python");
    assert!(output.status.success(), "{}", said(&output).0);
}

#[test]
fn it_proves_the_code_once_to_whoever_asks_twice() {
    let (folder, impostor) =
        (tempfile::tempdir().expect("a folder"), Impostor::that(Pairs::ThenAsksAgain));
    let pair = ["--pair", "--frames", "3"];
    let Some(output) = python(impostor.port(), folder.path(), &pair, "K7QM-2XPD-9HRT") else {
        return;
    };
    let (text, watched) = said(&output);
    assert!(!watched && text.contains("it asks twice"), "{text}");
    assert!(!text.contains("frame ") && !text.contains("Traceback"), "{text}");
    assert_eq!(impostor.proofs(), 1);
}
