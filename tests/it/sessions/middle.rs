//! A machine on the way between viewers and a camera, in network namespaces: it answers on the viewer's cable for the camera,
//! at the camera's address and port. What it passes on, pretends and plays again gets it nothing.

use crate::tools::fake_camera::{FakeServer, as_an_open_camera};
use crate::tools::keyed_camera::{Keyed, pair};
use crate::tools::lan::{Lan, Machine};
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::relay::Relay;
use crate::tools::skip::skip;
use crate::tools::tls_client::{TlsClient, greeting};
use crate::tools::viewer_process::{Output, Viewer};
use lancam::net::tls::handshake::Accepts;
use lancam::wire::native::message::GoodbyeReason;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/native_viewer.py");

/// A camera, a machine on the way to it, and two desks: one that was paired before that machine began, and a new one.
struct Scene {
    lan: Lan,
    camera: Keyed,
    paired: tempfile::TempDir,
    new: tempfile::TempDir,
}

impl Scene {
    /// The viewers of the first desk pair while packets are only passed on. Then the machine takes the camera's place.
    fn begin() -> Option<Self> {
        let lan = Lan::with_a_machine_between()?;
        let camera = Keyed::on(&lan, &["--name", "Garage"]);
        let [paired, new] = [0, 1].map(|_| tempfile::tempdir().expect("a folder"));
        let scene = Self { lan, camera, paired, new };
        let code = scene.camera.code();
        let output = scene.view(scene.paired.path(), &["--code", &code]);
        assert!(output.status.success(), "{}", output.log.join("\n"));
        let (said, watched) = scene.python(scene.paired.path(), &["--pair"], &code)?;
        assert!(watched, "{said}");
        scene.lan.take_the_cameras_place();
        Some(scene)
    }

    /// `lancam-view` at the desk that remembers things in this folder.
    fn view(&self, desk: &Path, more: &[&str]) -> Output {
        let address = self.camera.on_lan().to_string();
        let usual = ["--headless", "--json", "--timeout", "20", "--frames", "3", &address];
        let viewer = Viewer::start_in(&self.lan, &[&usual, more].concat(), |command| {
            command.env("XDG_STATE_HOME", desk);
        });
        viewer.finish()
    }

    /// The example in Python, which has its key in this folder; `typed` is its input. What it says, and whether it succeeds.
    fn python(&self, desk: &Path, more: &[&str], typed: &str) -> Option<(String, bool)> {
        let (address, port) = (Lan::CAMERA.to_string(), self.camera.camera.port().to_string());
        let mut command = Command::new("python3");
        command.args([EXAMPLE, &address, "--port", &port, "--frames", "3", "--key-file"]);
        command.arg(desk.join("key")).args(more);
        let mut command = self.lan.on(Machine::Desk, &command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut python = match command.spawn() {
            Ok(python) => python,
            Err(error) => {
                skip("python3", &error.to_string());
                return None;
            }
        };
        // It ends without reading when something is wrong.
        let _ = writeln!(python.stdin.take().expect("piped"), "{typed}");
        let output = python.wait_with_output().expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("UTF-8");
        assert!(!said.contains("Traceback"), "{said}");
        Some((said, output.status.success()))
    }

    /// How many keys the camera has given.
    fn keys(&self) -> usize {
        let (_, list) = pair(&self.camera.folder, &["--list"]);
        list.lines().count() - 1
    }

    /// Passes on what viewers say, with a certificate of its own.
    fn relay(&self) -> Relay {
        let listener = self.lan.listen_in_the_cameras_place(self.camera.camera.port());
        let camera = self.camera.on_lan();
        let relay = self.lan.inside(Machine::Between, move || Relay::at(listener, camera));
        relay.join().expect("no panic")
    }

    /// Answers viewers itself.
    fn pretend(&self, serve: fn(TcpStream) -> std::io::Result<()>) -> FakeServer {
        let listener = self.lan.listen_in_the_cameras_place(self.camera.camera.port());
        let server = self.lan.inside(Machine::Between, move || FakeServer::over(listener, serve));
        server.join().expect("no panic")
    }

    /// Ends what was begun in the camera's place: it is woken by a viewer's connection.
    fn end<T: Send + 'static>(&self, what: T) {
        self.lan.inside(Machine::Desk, move || drop(what)).join().expect("no panic");
    }
}

/// A web server that does not encrypt.
fn as_a_web_server(mut stream: TcpStream) -> std::io::Result<()> {
    let _ = stream.read(&mut [0; 4096])?;
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_machine_in_between_that_passes_all_on_gets_no_key_and_shows_nothing() {
    let Some(scene) = Scene::begin() else { return };
    let (code, keys) = (scene.camera.code(), scene.keys());
    let relay = scene.relay();
    let output = scene.view(scene.paired.path(), &[]);
    output.expect(3, "This is not the Garage that you paired: it shows another certificate");
    assert_eq!(output.figure("frames"), 0.0);
    let (said, watched) = scene.python(scene.paired.path(), &[], "").expect("Python");
    assert!(!watched && said.contains("is not the camera that was paired"), "{said}");
    assert_eq!(relay.heard(), b"", "who is paired says nothing to it");

    let output = scene.view(scene.new.path(), &["--code", &code]);
    output.expect(3, "another machine answers in the camera's place");
    assert_eq!(output.figure("frames"), 0.0);
    let of_viewer = relay.heard();
    let (said, watched) = scene.python(scene.new.path(), &["--pair"], &code).expect("Python");
    assert!(!watched && said.contains("the code is wrong"), "{said}");
    let heard = relay.heard();
    assert!(!of_viewer.is_empty() && heard.len() > of_viewer.len(), "both have said something");
    let letters = code.replace('-', "");
    for text in [&code, &letters, &letters[..4], &letters[4..8], &letters[8..]] {
        assert!(!heard.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
    }
    // What it has heard, played again to the camera, is no use either.
    let (to, pin) = (scene.camera.on_lan(), scene.camera.pin());
    let replays = scene.lan.inside(Machine::Between, move || {
        let stream = TcpStream::connect(to).expect("connects");
        let mut camera = TlsClient::over(stream, Accepts::Only(pin)).expect("the camera");
        camera.write(&of_viewer);
        camera.read_to_end()
    });
    let answer = replays.join().expect("no panic");
    assert!(!answer.is_empty(), "it answers");
    assert_eq!(scene.keys(), keys, "nobody was given a key");
    scene.end(relay);

    scene.lan.give_the_cameras_place_back();
    let output = scene.view(scene.paired.path(), &[]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    let (said, watched) = scene.python(scene.paired.path(), &[], "").expect("Python");
    assert!(watched, "{said}");
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_machine_in_between_that_leaves_encryption_away_is_refused_by_viewers_and_by_the_camera() {
    let Some(scene) = Scene::begin() else { return };
    let code = scene.camera.code();
    for pretends in [as_an_open_camera, as_a_web_server] {
        let pretender = scene.pretend(pretends);
        let output = scene.view(scene.paired.path(), &[]);
        output.expect(3, "This is not the Garage that you paired: it does not encrypt");
        let output = scene.view(scene.new.path(), &["--code", &code]);
        output.expect(3, "it does not encrypt (sent what is not TLS)");
        assert_eq!(output.figure("frames"), 0.0);
        for (desk, more, typed) in
            [(&scene.paired, &[][..], ""), (&scene.new, &["--pair"], code.as_str())]
        {
            let (said, watched) = scene.python(desk.path(), more, typed).expect("Python");
            assert!(!watched && said.contains("does not encrypt"), "{said}");
        }
        scene.end(pretender);
    }
    // It cannot have the picture without TLS either, to pass it on.
    let to = scene.camera.on_lan();
    let asks = scene.lan.inside(Machine::Between, move || {
        let mut native = NativeClient::over(TcpStream::connect(to).expect("connects"));
        native.say(&greeting(""));
        let mut http = TcpStream::connect(to).expect("connects");
        let request = format!("GET /stream HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n");
        http.write_all(request.as_bytes()).expect("it listens");
        let mut answer = Vec::new();
        http.read_to_end(&mut answer).expect("it answers");
        (native.hear(), String::from_utf8(answer).expect("words"))
    });
    let (native, http) = asks.join().expect("no panic");
    let Said::Goodbye { reason, text } = native else { panic!("{native:?}") };
    assert!(reason == GoodbyeReason::TlsWanted && text.contains("TLS"), "{text}");
    assert!(http.starts_with("HTTP/1.1 403 ") && http.contains("over TLS only"), "{http}");
}
