//! A listener on the wire: what it finds in the traffic of pairing and watching, and what that is good for.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::keyed_camera::{Keyed, pair};
use crate::tools::lan::{Lan, Machine};
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::tls_client::TlsClient;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use crate::tools::wire_listener::{Listener, sent_to};
use lancam::net::tls::handshake::{Accepts, Pin};
use lancam::wire::base64;
use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const SOURCE: [&str; 4] = ["--source", "test:640x360@25", "--name", "Garage"];

/// How long somebody listens.
const LISTENS: Duration = Duration::from_secs(60);

/// How many bytes of a picture are looked for at once.
const RUN: usize = 8;

/// The runs of bytes in the head of a JPEG: its markers and tables, which all pictures of a camera have in common. Runs of few
/// different bytes are left out: headers of packets have such ones too.
fn runs_of(jpeg: &[u8]) -> HashSet<&[u8]> {
    assert!(jpeg.starts_with(&[0xFF, 0xD8, 0xFF]));
    let is_telling = |run: &&[u8]| run.iter().collect::<HashSet<_>>().len() >= 5;
    jpeg[..600].windows(RUN).filter(is_telling).collect()
}

/// How many runs of bytes of a picture are in this traffic.
fn runs_in(heard: &[u8], runs: &HashSet<&[u8]>) -> usize {
    heard.windows(RUN).filter(|run| runs.contains(run)).count()
}

fn holds(heard: &[u8], text: &[u8]) -> bool {
    heard.windows(text.len()).any(|part| part == text)
}

/// One request inside TLS, and what comes until the camera closes or until `end`.
fn ask(camera: SocketAddr, pin: Pin, request: &str, end: Instant) -> Vec<u8> {
    let stream = TcpStream::connect(camera).expect("connects");
    let mut client = TlsClient::over(stream, Accepts::Only(pin)).expect("the camera");
    client.write(request.as_bytes());
    let (mut answer, mut some) = (Vec::new(), vec![0; 64 << 10]);
    while Instant::now() < end {
        match client.read(&mut some) {
            0 => break,
            count => answer.extend_from_slice(&some[..count]),
        }
    }
    answer
}

/// Logs in as a browser does, and watches with the cookie, the key in the address and in both headers. Returns the key.
fn browse(camera: SocketAddr, pin: Pin, code: &str, until: Instant) -> String {
    let head = |line: &str, more: &str| {
        let browser =
            "User-Agent: Mozilla/5.0 (X11; Linux) Firefox/128.0\r\nSec-Fetch-Site: same-origin\r\n";
        format!("{line} HTTP/1.1\r\nHost: {camera}\r\nConnection: close\r\n{browser}{more}\r\n")
    };
    let form = format!("code={code}");
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let more = format!("{kind}\r\nContent-Length: {}\r\n", form.len());
    let answer = ask(camera, pin, &(head("POST /login", &more) + &form), until);
    let answer = String::from_utf8(answer).expect("words");
    let cookie = answer.split("Set-Cookie: ").nth(1).and_then(|it| it.split(';').next());
    let cookie = cookie.unwrap_or_else(|| panic!("no cookie: {answer}"));
    let key = cookie.split_once('=').expect("a value").1.to_owned();
    let basic = base64::encode(format!("any:{key}").as_bytes());
    let (bearer, basic) =
        (format!("Authorization: Bearer {key}\r\n"), format!("Authorization: Basic {basic}\r\n"));
    let in_address = format!("GET /snapshot?key={key}");
    while Instant::now() + LISTENS / 10 < until {
        for (line, more) in [
            ("GET /stream", format!("Cookie: {cookie}\r\n")),
            (&in_address, String::new()),
            ("GET /stream", bearer.clone()),
            ("GET /snapshot", basic.clone()),
        ] {
            let soon = Instant::now() + LISTENS / 20;
            let answer = ask(camera, pin, &head(line, &more), soon);
            assert!(holds(&answer, &[0xFF, 0xD8, 0xFF]), "{line}: no picture");
        }
    }
    key
}

/// All that nobody else may read, as it would stand in the traffic: what it is, and its bytes.
fn secrets(code: &str, keys: &[&str]) -> Vec<(String, Vec<u8>)> {
    let letters = code.replace('-', "");
    let codes = [code, &letters, &code.to_lowercase(), &letters.to_lowercase()];
    let mut all: Vec<_> = codes.iter().map(|it| ("the code", it.as_bytes().to_vec())).collect();
    for key in keys {
        let raw = base64::decode(&(key.replace('-', "+").replace('_', "/") + "="));
        all.push(("the key's bytes", raw.expect("base64url")));
        all.push(("a key", key.as_bytes().to_vec()));
        // The password of Basic, at each place that it may have in base64.
        for before in ["", "x", "xx"] {
            let text = base64::encode(format!("{before}{key}").as_bytes());
            all.push(("a password", text.as_bytes()[4..48].to_vec()));
        }
    }
    for text in ["name of a key", "HTTP/1.", "GET /", "multipart/", "Authorization", "LCAM\x01"] {
        all.push((text, text.as_bytes().to_vec()));
    }
    all.into_iter().map(|(what, bytes)| (what.to_owned(), bytes)).collect()
}

#[test]
#[ignore = "minutes: make test-all"]
fn who_listens_for_a_minute_finds_no_picture_no_code_and_no_key() {
    let Some(lan) = Lan::new() else { return };
    let camera = Keyed::on(&lan, &SOURCE);
    let (to, pin, code) = (camera.on_lan(), camera.pin(), camera.code());
    let named = camera.made(&["--name", "name of a key"]);
    let listener = Listener::on(&lan, Machine::Desk);
    let until = Instant::now() + LISTENS;
    let desk = tempfile::tempdir().expect("a folder");
    let seconds = LISTENS.as_secs().to_string();
    let arguments = ["--headless", "--seconds", &seconds, "--code", &code, &to.to_string()];
    let viewer = Viewer::start_in(&lan, &arguments, |command| {
        command.env("XDG_STATE_HOME", desk.path());
    });
    let typed = code.clone();
    let browser = lan.inside(Machine::Desk, move || browse(to, pin, &typed, until));
    let watcher = named.clone();
    let other = lan.inside(Machine::Desk, move || {
        let request = format!("GET /stream?key={watcher} HTTP/1.1\r\nHost: {to}\r\n\r\n");
        ask(to, pin, &request, until)
    });
    let of_browser = browser.join().expect("it watches");
    let stream = other.join().expect("it watches");
    wait_until("the viewer ends", || (Instant::now() > until).then_some(()));
    let output = viewer.finish();
    assert!(output.status.success(), "{}", output.log.join("\n"));
    let paired = fs::read_to_string(desk.path().join("lancam/paired")).expect("it has paired");
    let paired = paired.lines().find_map(|line| line.strip_prefix("key = ")).expect("a key");

    let at = stream.windows(3).position(|it| it == [0xFF, 0xD8, 0xFF]).expect("a picture");
    let runs = runs_of(&stream[at..]);
    let heard = listener.heard();
    println!("{} MB in {} packets were heard", heard.len() / 1_000_000, listener.packets());
    assert!(heard.len() > stream.len(), "it has heard what was watched");
    assert_eq!(runs_in(&heard, &runs), 0, "bytes of a picture");
    for (what, bytes) in secrets(&code, &[&named, &of_browser, paired]) {
        assert!(!holds(&heard, &bytes), "{what}: {bytes:?}");
    }
    assert!(runs_in(&stream, &runs) > 100, "that is what would be found");
}

#[test]
fn who_listens_to_an_open_camera_finds_pictures_and_keys_as_the_other_test_would() {
    let Some(lan) = Lan::new() else { return };
    let options = [&["--listen", "10.77.0.1:0"], &SOURCE[..]].concat();
    let camera =
        CameraProcess::spawn(&mut lan.on(Machine::Camera, &CameraProcess::command(&options)));
    let to = SocketAddr::new(Lan::CAMERA, camera.port());
    let listener = Listener::on(&lan, Machine::Desk);
    let key = "K".repeat(43);
    let request =
        format!("GET /snapshot?key={key} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n");
    let watches = lan.inside(Machine::Desk, move || {
        let mut native = NativeClient::over(TcpStream::connect(to).expect("connects"));
        native.say(&crate::tools::tls_client::greeting(""));
        let jpeg = native.frame().1;
        let mut http = TcpStream::connect(to).expect("connects");
        http.write_all(request.as_bytes()).expect("it listens");
        http.read_to_end(&mut Vec::new()).expect("it answers");
        jpeg
    });
    let jpeg = watches.join().expect("it watches");
    let heard = wait_until("that all was heard", || {
        let heard = listener.heard();
        holds(&heard, b"HTTP/1.1 200").then_some(heard)
    });
    assert!(runs_in(&heard, &runs_of(&jpeg)) > 100);
    assert!(holds(&heard, key.as_bytes()) && holds(&heard, b"LCAM\x01"));
}

#[test]
fn what_was_recorded_on_the_wire_is_no_use_when_it_is_played_again() {
    let Some(lan) = Lan::new() else { return };
    let camera = Keyed::on(&lan, &SOURCE);
    let (to, pin, code) = (camera.on_lan(), camera.pin(), camera.code());
    let listener = Listener::on(&lan, Machine::Desk);
    let viewer = lan.inside(Machine::Desk, move || {
        let connect = || {
            let stream = TcpStream::connect(to).expect("connects");
            TlsClient::over(stream, Accepts::Only(pin)).expect("the camera")
        };
        let key = connect().pair(&code, "desk", pin).expect("the code is right").key.text();
        let mut client = connect();
        client.greet_with(&key);
        client.frame();
    });
    viewer.join().expect("it watches");
    let (_, before) = pair(&camera.folder, &["--list"]);
    assert!(before.contains("desk"), "{before}");
    let recorded = wait_until("that both connections were heard", || {
        let recorded = sent_to(&listener, to);
        (recorded.len() == 2 && recorded.iter().all(|it| it.len() > 300)).then_some(recorded)
    });
    for bytes in recorded {
        let again = lan.inside(Machine::Desk, move || {
            let mut stream = TcpStream::connect(to).expect("connects");
            stream.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
            // The camera may have closed the connection before the end.
            drop(stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write)));
            let mut answer = Vec::new();
            drop(stream.read_to_end(&mut answer));
            answer
        });
        let answer = again.join().expect("no panic");
        // Its part of the handshake, and an alert; a picture has 10 kB at least.
        assert!((1..4000).contains(&answer.len()), "{} bytes", answer.len());
    }
    // Only the day of the key's use may have changed.
    let (_, after) = pair(&camera.folder, &["--list"]);
    assert_eq!(after.lines().count(), before.lines().count(), "another key was given: {after}");
}

#[test]
fn a_stolen_key_is_worth_nothing_once_it_was_revoked() {
    let Some(lan) = Lan::new() else { return };
    let camera = Keyed::on(&lan, &SOURCE);
    let (to, pin) = (camera.on_lan(), camera.pin());
    let key = camera.made(&["--name", "phone"]);
    // The thief has it, at an address of its own.
    let tries = |key: &str| {
        let key = key.to_owned();
        let thief = lan.inside(Machine::Desk, move || {
            let stream = TcpStream::connect(to).expect("connects");
            let mut native = TlsClient::over(stream, Accepts::Only(pin)).expect("the camera");
            native.greet_with(&key);
            let native = native.hear();
            let request = format!(
                "GET /snapshot?key={key} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n"
            );
            (native, ask(to, pin, &request, Instant::now() + PATIENCE))
        });
        thief.join().expect("no panic")
    };
    wait_until("the camera knows the key", || {
        matches!(tries(&key).0, Said::Welcome { .. }).then_some(())
    });
    let (code, said) = pair(&camera.folder, &["--revoke", "phone"]);
    assert_eq!(code, Some(0), "{said}");
    let answer = wait_until("the camera no longer knows it", || {
        let (native, answer) = tries(&key);
        matches!(native, Said::Goodbye { .. }).then_some(answer)
    });
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert!(text.starts_with("HTTP/1.1 401 ") && !holds(&answer, &[0xFF, 0xD8, 0xFF]), "{text}");
}
