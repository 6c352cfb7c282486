//! Who may watch a camera that others reach: the real program, its files, and `lancam pair` beside it.

use crate::tools::camera_process::{CameraProcess, PATIENCE, run_to_end, signal, wait};
use crate::tools::http_client::get;
use crate::tools::keyed_camera::{Keyed, command, pair, place};
use crate::tools::native_client::{NativeClient, Said, hello};
use crate::tools::skip::skip;
use crate::tools::terminal::Terminal;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::net::tls::handshake::{Accepts, Client};
use lancam::viewer::find::pairing::PairingError;
use lancam::wire::access::key::May;
use lancam::wire::native::VERSION;
use lancam::wire::native::message::{GoodbyeReason, Message, Secret, StatusCode};
use nix::unistd::geteuid;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const FILES: [&str; 3] = ["identity", "code", "keys"];

/// The goodbye of a camera.
fn goodbye(mut hear: impl FnMut() -> Said) -> (GoodbyeReason, String) {
    loop {
        match hear() {
            Said::Goodbye { reason, text } => return (reason, text),
            Said::Frame { .. } | Said::Welcome { .. } => panic!("it was let in"),
            Said::Closed => panic!("it was told nothing"),
            _ => {}
        }
    }
}

#[test]
fn a_camera_that_others_reach_lets_in_who_was_paired_and_nobody_else() {
    let camera = Keyed::new();
    let mut plain = NativeClient::connect(camera.camera.port());
    let (reason, text) = goodbye(|| plain.hear());
    assert_eq!(reason, GoodbyeReason::TlsWanted);
    assert!(text.contains("over TLS only"), "{text}");
    for key in ["", "desk", &"A".repeat(43)] {
        let mut stranger = camera.watch_with(key);
        let (reason, text) = goodbye(|| stranger.hear());
        assert!(reason == GoodbyeReason::NoKey && text.contains("air"), "{key}: {reason:?} {text}");
    }
    let wrong = camera.pair("K7QM-2XPD-9HRT", "thief").err();
    let Some(PairingError::Refused { reason, text }) = wrong else { panic!("{wrong:?}") };
    assert!(reason == GoodbyeReason::WrongCode && text.contains("the code is wrong"), "{text}");
    let paired = camera.pair(&camera.code(), "desk").expect("the code is right");
    assert_eq!(paired.may, May::Control);
    let mut viewer = camera.watch_with(&paired.key.text());
    assert!(viewer.frame() < viewer.frame());
    // Only a hash of the key is on the disk, and the day of its use soon is.
    let keys = wait_until("its use is written down", || {
        let keys = fs::read_to_string(camera.path("keys")).expect("there");
        (!keys.contains("\tnever\t")).then_some(keys)
    });
    assert!(keys.ends_with("\tdesk\n") && !keys.contains(&paired.key.text()), "{keys}");
}

#[test]
fn pairing_outside_of_tls_is_refused_with_words() {
    let camera = Keyed::new();
    let mut plain = NativeClient::connect_silently(camera.camera.port());
    plain.say(&Message::PairRequest { nonce: [1; 32], name: "desk" });
    let (reason, text) = goodbye(|| plain.hear());
    assert_eq!(
        (reason, text.as_str()),
        (GoodbyeReason::TlsWanted, "this camera pairs over TLS only")
    );
}

#[test]
fn the_line_to_type_has_the_code_on_a_terminal_and_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = place(&folder);
    // A file, a pipe or the journal may be read by others, and for long.
    let mut file = command(&folder, &[]);
    let camera = CameraProcess::spawn(&mut file);
    let line = camera.line_with("watch with: ");
    let code = fs::read_to_string(folder.path().join("state/code")).expect("there");
    let code = code.lines().next().expect("a code");
    let hint = format!("lancam pair --state {place} shows the code)");
    assert!(!line.contains(code) && line.contains(&hint), "{line}");
    assert_eq!(line.contains("(sudo "), geteuid().is_root(), "{line}");
    let (_, shown) = pair(&folder, &[]);
    assert!(shown.starts_with(&format!("code     {code}\n")), "{shown}");
    drop(camera);
    let Some(terminal) = Terminal::start(&command(&folder, &[])) else { return };
    terminal.wait_for(1, &format!(" --code {code}, or a browser: https://"));
}

/// The line that a camera with these options and variables says to type, without `sudo`.
fn line_to_type(folder: &TempDir, options: &[&str], variables: &[(&str, &str)]) -> String {
    let all = ["--listen", "0.0.0.0:0", "--access", "keys", "--source", "test:64x48@25"];
    let mut command = CameraProcess::command(&[&all[..], options].concat());
    command.env("PATH", folder.path()).env_remove("LANCAM_STATE").envs(variables.iter().copied());
    let camera = CameraProcess::spawn(command.current_dir(folder.path()));
    let line = camera.line_with("watch with: ");
    let (_, hint) = line.rsplit_once(" (").expect("a hint");
    let typed = hint.strip_suffix(" shows the code)").expect("what to type");
    typed.strip_prefix("sudo ").unwrap_or(typed).to_owned()
}

/// Options, variables, and the state folder that they mean.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn the_line_to_type_works_in_any_folder_whatever_the_state_folder_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (own, of_unit) = (inside("a b"), inside("porch"));
    let of_two = format!("{of_unit}:{own}");
    let cases: [Case<'_>; 5] = [
        (&["--state", "a b"], &[], &own),
        (&["--state", "./a b/"], &[], &own),
        (&["--state", &own], &[("STATE_DIRECTORY", &of_unit)], &own),
        (&[], &[("STATE_DIRECTORY", &of_unit)], &of_unit),
        (&[], &[("STATE_DIRECTORY", &of_two)], &of_unit),
    ];
    for (options, variables, place) in cases {
        let typed = line_to_type(&folder, options, variables);
        // In another folder, without the unit's variables. No folder of programs has lancam.
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("exec {typed}")]).current_dir("/");
        shell.env("PATH", folder.path()).env_remove("STATE_DIRECTORY");
        let shown = shell.output().expect("it runs");
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let code = fs::read_to_string(format!("{place}/code")).expect("there");
        let code = code.lines().next().expect("a code");
        assert!(shown.starts_with(&format!("code     {code}\n")), "{typed}: {shown}");
    }
}

#[test]
fn what_lancam_pair_says_to_type_leads_to_the_camera_that_started_with_this_folder() {
    let camera = Keyed::with(&["--name", "Garage"]);
    let port = camera.camera.port();
    let (_, shown) = pair(&camera.folder, &[]);
    let line = |begin: &str| shown.lines().find(|line| line.starts_with(begin)).expect(begin);
    assert!(line("viewer").contains(&format!(":{port} --code ")), "{shown}");
    assert!(line("browser").ends_with(&format!(":{port}/")), "{shown}");
    let mode = fs::metadata(camera.path("whereabouts")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn lancam_pair_shows_who_may_watch_the_camera_of_this_folder_and_not_that_of_the_file() {
    let camera = Keyed::with(&["--name", "Garage"]);
    let open = camera.folder.path().join("open.toml");
    fs::write(&open, "access = \"open\"\nname = \"Door\"\n").expect("written");
    let open = open.to_str().expect("UTF-8").to_owned();
    let place = place(&camera.folder);
    let shown_beside = |access: &str| {
        let words = ["pair", "--config", &open, "--state", &place];
        let shown = CameraProcess::command(&words).env("LANCAM_ACCESS", access).output();
        String::from_utf8(shown.expect("it runs").stdout).expect("text")
    };
    let shown = shown_beside("open");
    assert!(shown.contains(" --code ") && shown.contains("browser  https://"), "{shown}");
    assert!(!shown.contains("everybody on the LAN may watch"), "{shown}");
    // Something is tried on this machine alone, and ends again.
    let tried = ["--listen", "127.0.0.1:0", "--state", &place, "--source", "test:64x48@25"];
    let tried = CameraProcess::spawn(&mut CameraProcess::command(&tried));
    assert!(tried.port() != 0 && tried.terminate().success());
    assert_eq!(shown_beside("open"), shown);
    // The same camera is opened, and gets another name.
    let Keyed { camera, folder: _kept } = camera;
    assert!(camera.terminate().success());
    let options = ["--listen", "0.0.0.0:0", "--state", &place, "--name", "Shed"];
    let options = [&options[..], &["--source", "test:64x48@25"]].concat();
    let again = CameraProcess::spawn(&mut CameraProcess::command(&options));
    let port = again.port();
    let shown = shown_beside("keys");
    assert!(!shown.contains(" --code "), "{shown}");
    assert!(shown.contains("browser  http://") && shown.contains(&format!(":{port}/")), "{shown}");
    assert!(shown.contains("everybody on the LAN may watch at http://"), "{shown}");
}

#[test]
fn a_second_start_keeps_identity_code_and_keys_which_nobody_else_reads() {
    let camera = Keyed::new();
    let (pin, code, key) = (camera.pin(), camera.code(), camera.paired("desk"));
    for file in FILES {
        let mode = fs::metadata(camera.path(file)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let Keyed { camera, folder } = camera;
    assert!(camera.terminate().success());
    let again = Keyed { camera: CameraProcess::spawn(&mut command(&folder, &[])), folder };
    assert_eq!((again.pin(), again.code()), (pin, code));
    again.watch_with(&key).frame();
}

#[test]
fn revoking_a_key_ends_its_session_within_a_second_and_no_other() {
    let camera = Keyed::new();
    let (desk, tablet) = (camera.paired("desk"), camera.paired("tablet"));
    let (mut revoked, mut other) = (camera.watch_with(&desk), camera.watch_with(&tablet));
    revoked.frame();
    other.frame();
    let (code, said) = pair(&camera.folder, &["--revoke", "desk"]);
    assert_eq!(code, Some(0), "{said}");
    let began = Instant::now();
    let (reason, text) = loop {
        match revoked.hear() {
            Said::Goodbye { reason, text } => break (reason, text),
            Said::Closed => panic!("it was told nothing"),
            _ => {}
        }
    };
    // The goal is a second.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(reason == GoodbyeReason::NoKey && text.contains("revoked"), "{reason:?} {text}");
    camera.camera.line_with("its key \"desk\" was revoked");
    let mut again = camera.watch_with(&desk);
    assert_eq!(goodbye(|| again.hear()).0, GoodbyeReason::NoKey);
    assert!(other.frame() < other.frame());
    let (code, said) = pair(&camera.folder, &["--revoke", "desk"]);
    assert!(code == Some(1) && said.contains("no key is called \"desk\""), "{said}");
}

#[test]
fn revoking_a_key_ends_a_stream_over_http_within_a_second_too() {
    let camera = Keyed::new();
    let key = camera.made(&["--name", "HA"]);
    let mut stream = camera.connect();
    let request =
        format!("GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n");
    stream.write(request.as_bytes());
    let (mut said, mut some) = (Vec::new(), vec![0; 4096]);
    // The second picture begins.
    while said.windows(3).filter(|it| *it == b"\xff\xd8\xff").count() < 2 {
        let count = stream.read(&mut some);
        said.extend_from_slice(&some[..count]);
        assert!(count > 0, "{}", String::from_utf8_lossy(&said));
    }
    let (code, said) = pair(&camera.folder, &["--revoke", "HA"]);
    assert_eq!(code, Some(0), "{said}");
    let began = Instant::now();
    while stream.read(&mut some) > 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "pictures still come");
    }
    let took = began.elapsed();
    println!("the stream ended {took:.0?} after the key was revoked");
    // The goal is a second.
    assert!(took < Duration::from_secs(5), "{took:?}");
    camera.camera.line_with("its key \"HA\" was revoked");
}

#[test]
fn a_key_that_is_to_allow_something_else_ends_its_session_and_then_counts_as_it_stands() {
    let camera = Keyed::with(&["--control", "lan"]);
    let desk = camera.made(&["--name", "desk", "--may", "control"]);
    let mut viewer = camera.watch_with(&desk);
    viewer.frame();
    let keys = fs::read_to_string(camera.path("keys")).expect("there");
    let less = keys.replace("\tcontrol\t", "\twatch\t");
    assert_ne!(less, keys);
    fs::write(camera.path("keys"), less).expect("ours");
    let (reason, text) = loop {
        match viewer.hear() {
            Said::Goodbye { reason, text } => break (reason, text),
            Said::Closed => panic!("it was told nothing"),
            _ => {}
        }
    };
    assert!(reason == GoodbyeReason::Stopping && text.contains("changed"), "{reason:?} {text}");
    camera.watch_with(&desk).frame();
}

#[test]
fn a_key_is_in_use_for_as_long_as_its_viewer_watches() {
    const LONG_AGO: &str = "2001-02-03";
    let camera = Keyed::new();
    let mut viewer = camera.watch_with(&camera.paired("wall"));
    viewer.frame();
    let last_used = || {
        let keys = fs::read_to_string(camera.path("keys")).expect("there");
        let line = keys.lines().last().expect("a key");
        line.split('\t').nth(4).expect("a day").to_owned()
    };
    let set_back = || {
        let keys = fs::read_to_string(camera.path("keys")).expect("there");
        let day = last_used();
        let (before, after) = keys.rsplit_once(&day).expect("it is there");
        fs::write(camera.path("keys"), format!("{before}{LONG_AGO}{after}")).expect("ours");
    };
    wait_until("its use is written down", || (last_used() != "never").then_some(()));
    // As if it had connected long ago.
    set_back();
    wait_until("it is used today", || (last_used() != LONG_AGO).then_some(()));
    drop(viewer);
    wait_until("it is not used any more", || {
        set_back();
        std::thread::sleep(Duration::from_secs(1));
        (last_used() == LONG_AGO).then_some(())
    });
}

#[test]
fn a_new_code_makes_the_old_one_wrong_and_leaves_keys_alone() {
    let camera = Keyed::new();
    let (old, key) = (camera.code(), camera.paired("desk"));
    let (code, said) = pair(&camera.folder, &["--new-code"]);
    assert!(code == Some(0) && !said.contains(&old) && said.contains(&camera.code()), "{said}");
    // A wrong code is answered once a second, so it is tried until the running camera has noticed.
    let refused = wait_until("the old code is wrong", || camera.pair(&old, "late").err());
    let is_wrong = matches!(&refused, PairingError::Refused { reason, .. } if *reason == GoodbyeReason::WrongCode);
    assert!(is_wrong, "{refused}");
    camera.watch_with(&key).frame();
    camera.paired("new");
}

#[test]
fn a_key_for_watching_sets_no_controls() {
    let camera = Keyed::with(&["--control", "lan"]);
    let answer = |words: &[&str]| {
        let mut viewer = camera.welcomed(&camera.made(words));
        let mut bytes = Vec::new();
        Message::ListControls.write_to(&mut bytes);
        viewer.write(&bytes);
        loop {
            match viewer.hear() {
                Said::Status { code: StatusCode::Refused, text } => return text,
                Said::ControlList { .. } => return "a list".to_owned(),
                Said::Closed => panic!("the camera has closed the connection"),
                _ => {}
            }
        }
    };
    let refused = answer(&["--name", "HA"]);
    assert!(refused.contains("allows to watch only"), "{refused}");
    assert_eq!(answer(&["--name", "owner", "--may", "control"]), "a list");
    let (_, list) = pair(&camera.folder, &["--list"]);
    assert!(list.contains("HA") && list.contains("owner"), "{list}");
}

#[test]
fn keys_for_plain_programs_are_accepted_without_tls_only_where_that_is_switched_on() {
    let greet = |camera: &Keyed, key: &str| {
        let mut client = NativeClient::connect_silently(camera.camera.port());
        let mut greeting = hello(VERSION, VERSION);
        if let Message::Hello { key: shown, .. } = &mut greeting {
            *shown = Secret(key);
        }
        client.say(&greeting);
        client
    };
    let camera = Keyed::with(&["--plain", "keys"]);
    let (plain, sealed) =
        (camera.made(&["--name", "tv", "--plain"]), camera.made(&["--name", "HA"]));
    camera.welcomed(&sealed);
    greet(&camera, &plain).frame();
    let mut refused = greet(&camera, &sealed);
    assert_eq!(goodbye(|| refused.hear()).0, GoodbyeReason::TlsWanted);
    let mut refused = greet(&camera, "");
    assert_eq!(goodbye(|| refused.hear()).0, GoodbyeReason::NoKey);
    let Keyed { camera, folder } = camera;
    assert!(camera.terminate().success());
    let off = Keyed { camera: CameraProcess::spawn(&mut command(&folder, &[])), folder };
    let mut refused = greet(&off, &plain);
    assert_eq!(goodbye(|| refused.hear()).0, GoodbyeReason::TlsWanted);
    off.watch_with(&plain).frame();
}

#[test]
fn a_damaged_file_keeps_the_camera_from_starting_and_never_opens_it() {
    let Keyed { camera, folder } = Keyed::new();
    assert!(camera.terminate().success());
    pair(&folder, &["--name", "HA"]);
    for file in FILES {
        let path = folder.path().join("state").join(file);
        let whole = fs::read(&path).expect("there");
        for (damaged, mode, why) in [
            (&whole[..whole.len() / 2], 0o600, "is damaged"),
            (&whole[..], 0o644, "is open to other users"),
        ] {
            fs::write(&path, damaged).expect("ours");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
            let (code, said) = run_to_end(&mut command(&folder, &[]));
            let expected = format!("{} {why}", path.display());
            assert!(code == Some(78) && said.contains(&expected), "{file}: {code:?} {said}");
            let (code, said) = pair(&folder, &[]);
            assert!(code == Some(78) && said.contains(&expected), "{file}: {code:?} {said}");
        }
        fs::write(&path, whole).expect("ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
    }
    drop(CameraProcess::spawn(&mut command(&folder, &[])));
}

#[test]
fn only_this_machine_reaches_loopback_so_a_listener_there_is_open_beside_a_closed_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let alone = CameraProcess::start(&[
        "--access",
        "keys",
        "--state",
        &place(&folder),
        "--source",
        "test:64x48",
        "--pickle",
    ]);
    NativeClient::connect(alone.port()).frame();
    assert!(!folder.path().join("state").exists(), "it needs no files");
    drop(alone);
    let camera = CameraProcess::spawn(&mut command(&folder, &["--listen", "127.0.0.1:0"]));
    let open = camera.line_with("LISTENING AT: tcp://127.0.0.1:");
    let open = open.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    NativeClient::connect(open).frame();
    // From loopback to the other listener: a key like everybody.
    let mut refused = NativeClient::connect(camera.port());
    assert_eq!(goodbye(|| refused.hear()).0, GoodbyeReason::TlsWanted);
}

#[test]
fn an_open_camera_says_so_loudly_and_needs_no_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let place = place(&folder);
    let options = ["--listen", "0.0.0.0:0", "--access", "open", "--state", &place];
    let mut command = CameraProcess::command(&[&options, &["--source", "test:64x48"][..]].concat());
    let file = fs::File::create(&log).expect("created");
    let camera = CameraProcess::spawn_with(&mut command, Stdio::from(file));
    NativeClient::connect(camera.port()).frame();
    let state = get(camera.port(), "/state");
    assert!(state.text().contains("\"access\":\"open\""), "{}", state.text());
    let said = wait_until("the log", || {
        let said = fs::read_to_string(&log).expect("there");
        said.contains("everybody on the LAN can watch this camera").then_some(said)
    });
    assert!(said.contains("WARN"), "{said}");
    assert!(!folder.path().join("state").exists());
}

#[test]
fn an_open_camera_answers_tls_with_an_alert_that_clients_show() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let mut hello = Vec::new();
    let client = Client::new(Accepts::Any).and_then(|client| client.begin());
    let mut client = client.expect("rustls");
    client.advance(&mut Vec::new(), &mut hello).expect("it begins");
    for cut in [1, 5, 100, hello.len()] {
        let mut stream = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        let (first, second) = hello.split_at(cut);
        stream.write_all(first).and_then(|()| stream.write_all(second)).expect("it listens");
        let mut alert = Vec::new();
        stream.read_to_end(&mut alert).expect("it ends in order");
        // Fatal: handshake failure.
        assert_eq!(alert, [21, 3, 3, 0, 2, 2, 40], "cut at {cut}");
    }
    let said = camera.line_with("connection ended: ");
    assert!(said.contains("use http:// in place of https://"), "{said}");
    let address = format!("127.0.0.1:{}", camera.port());
    let arguments = ["--headless", "--timeout", "20", "--code", "K7QM-2XPD-9HRT", &address];
    let output = Viewer::start(&arguments).finish();
    output.expect(3, "it does not encrypt (does not speak TLS 1.3 as lancam does");
    let Some(curl) = curl(&format!("https://{address}/snapshot")) else { return };
    assert!(curl.contains("alert handshake failure"), "{curl}");
}

/// What curl says of an address; `None`, reported as a skip, if there is no curl.
fn curl(address: &str) -> Option<String> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--insecure", "--max-time", "20", address]);
    match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => {
            skip("curl", &error.to_string());
            None
        }
    }
}

#[test]
fn the_tutorials_client_is_not_served_where_a_key_is_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = run_to_end(&mut command(&folder, &["--pickle"]));
    assert!(code == Some(2) && said.contains("Type: lancam --pickle --access open"), "{said}");
}

#[test]
fn half_open_handshakes_and_wrong_keys_cost_a_paired_viewer_nothing() {
    let camera = Keyed::with(&["--max-viewers", "4"]);
    let key = camera.paired("desk");
    let mut viewer = camera.watch_with(&key);
    let mut half_open = Vec::new();
    for number in 0..300_u32 {
        let from = Ipv4Addr::new(127, 0, 9, u8::try_from(number % 50).expect("small") + 2);
        let mut stream = connect_from(from, camera.camera.port());
        let _ = stream.write_all(&[0x16, 3, 1, 2, 0, 1]);
        half_open.push(stream);
        if number % 10 == 0 {
            viewer.frame();
        }
    }
    let mut stranger = camera.watch_with(&"A".repeat(43));
    assert_eq!(goodbye(|| stranger.hear()).0, GoodbyeReason::NoKey);
    // The same address has shown a key, so its next handshake begins at once.
    camera.watch_with(&key).frame();
    assert!(viewer.frame() < viewer.frame());
}

/// A connection from another address of loopback.
fn connect_from(from: Ipv4Addr, port: u16) -> TcpStream {
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    socket.bind(&SocketAddr::from((from, 0)).into()).expect("loopback is ours");
    socket.connect_timeout(&to.into(), PATIENCE).expect("connects");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    stream
}

#[test]
fn of_sixty_handshakes_that_one_address_begins_at_once_few_are_answered() {
    let camera = Keyed::new();
    let (mut hello, client) = (Vec::new(), Client::new(Accepts::Any).expect("ciphers"));
    client.begin().expect("begins").advance(&mut Vec::new(), &mut hello).expect("a greeting");
    let began = Instant::now();
    let from = Ipv4Addr::new(127, 0, 9, 9);
    let mut all: Vec<_> = (0..60).map(|_| connect_from(from, camera.camera.port())).collect();
    for stream in &mut all {
        stream.write_all(&hello).expect("it listens");
    }
    // A handshake begins with a handshake record; what is refused ends or gets an alert.
    let is_answered = |stream: &mut TcpStream| {
        let mut first = [0];
        stream.read(&mut first).is_ok_and(|read| read == 1 && first == [0x16])
    };
    let answered = all.iter_mut().map(is_answered).filter(|answered| *answered).count();
    // 20 at once and 5 a second, and a second's more that wait for their turn.
    let most = 20 + 5 * (usize::try_from(began.elapsed().as_secs()).expect("short") + 2);
    assert!((20..=most).contains(&answered), "{answered} answers, more than {most}");
}

#[test]
fn a_stop_ends_a_closed_camera_at_once() {
    let Keyed { mut camera, folder } = Keyed::new();
    signal(&camera.child, "TERM");
    let began = Instant::now();
    assert!(wait(&mut camera.child).success());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(folder);
}
