//! A viewer and a camera that wants a key: pairing, what is remembered, and those who answer in the camera's place.

use crate::tools::camera_process::{CameraProcess, PATIENCE, run_to_end};
use crate::tools::fake_camera::{FakeCamera, FakeServer, as_an_open_camera};
use crate::tools::impostor::{Impostor, Pairs};
use crate::tools::relay::Relay;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::{Output, Viewer};
use lancam::latest::Doorbell;
use lancam::viewer::find::address::CameraAddress;
use lancam::viewer::keep::keyring::Keyring;
use lancam::viewer::watch::channel::Channel;
use lancam::viewer::watch::news::NoticeKind;
use lancam::viewer::watch::receiver::{Dialogue, Wanted};
use lancam::wire::access::code::Code;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A camera that wants a key, with its state in a folder of its own. It listens at all addresses, since at loopback alone it
/// would be open.
struct Garage {
    process: CameraProcess,
    code: String,
}

impl Garage {
    fn start(state: &Path, name: &str, port: u16) -> Self {
        let listen = format!("0.0.0.0:{port}");
        let state = state.to_str().expect("UTF-8");
        let options = ["--source", "test:320x180@25", "--name", name, "--access", "keys"];
        let place = ["--listen", &listen, "--state", state];
        let options = [&options[..], &place].concat();
        let process = CameraProcess::spawn(&mut CameraProcess::command(&options));
        let said = pair_command(state, &[]).output().expect("lancam runs");
        let said = String::from_utf8(said.stdout).expect("UTF-8");
        let code = said.split_whitespace().skip_while(|word| *word != "code").nth(1);
        Self { process, code: code.unwrap_or_else(|| panic!("no code in {said}")).to_owned() }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.process.port())
    }
}

/// `lancam pair` with these words.
fn pair_command(state: &str, words: &[&str]) -> Command {
    let mut command = CameraProcess::command(&[&["pair", "--state", state], words].concat());
    command.env("LANCAM_ACCESS", "keys");
    command
}

/// Takes the first key of the list back.
fn revoke_the_first(state: &Path) {
    let state = state.to_str().expect("UTF-8");
    let list = pair_command(state, &["--list"]).output().expect("lancam runs");
    let list = String::from_utf8(list.stdout).expect("UTF-8");
    let name = list.lines().nth(1).and_then(|line| line.split_whitespace().next());
    let revoke = ["--revoke", name.expect("a key")];
    let (code, said) = run_to_end(&mut pair_command(state, &revoke));
    assert_eq!(code, Some(0), "{said}");
}

/// Where viewers of one test remember what they have paired.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn paired(&self) -> PathBuf {
        self.0.path().join("lancam/paired")
    }

    fn start(&self, arguments: &[&str]) -> Viewer {
        let headless = ["--headless", "--json", "--timeout", "20"];
        Viewer::start_with(&[&headless, arguments].concat(), |command| {
            command.env("XDG_STATE_HOME", self.0.path());
        })
    }

    /// Watches five frames, or says why not.
    fn watch(&self, arguments: &[&str]) -> Output {
        self.start(&[&["--frames", "5"], arguments].concat()).finish()
    }

    fn pair(&self, camera: &Garage) {
        let output = self.watch(&["--code", &camera.code, &camera.address()]);
        assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
    }

    /// Makes a key for the camera of this state folder, and waits until it lets a viewer in that knows nothing else.
    fn key_file(&self, state: &Path, camera: &Garage) -> String {
        let file = self.0.path().join("wall.key");
        let made = pair_command(state.to_str().expect("UTF-8"), &["--name", "wall"]).output();
        fs::write(&file, made.expect("lancam runs").stdout).expect("written");
        let file = file.to_str().expect("UTF-8").to_owned();
        let other = Self::new();
        wait_until("that the camera takes the new key", || {
            let output = other.watch(&["--key-file", &file, &camera.address()]);
            output.status.success().then_some(())
        });
        assert!(!other.paired().exists(), "nothing is remembered");
        file
    }

    fn key(&self) -> String {
        let text = fs::read_to_string(self.paired()).expect("there");
        let key = text.lines().find_map(|line| line.strip_prefix("key = "));
        key.expect("a key").to_owned()
    }
}

const A_CODE: &str = "K7QM-2XPD-9HRT";
const WANTS_A_CODE: &str = "wants a code. To see it, type sudo lancam pair on the camera's machine, or look at the camera's screen";
const NOT_THE_PAIRED: &str = "This is not the Garage that you paired: it shows another certificate";

#[test]
fn a_viewer_pairs_once_by_the_code_and_is_let_in_from_then_on() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    let output = desk.watch(&[&camera.address()]);
    output.expect(3, WANTS_A_CODE);
    assert_eq!(output.figure("frames"), 0.0);
    assert!(!desk.paired().exists());

    desk.pair(&camera);
    let about = fs::metadata(desk.paired()).expect("it is remembered");
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    let output = desk.watch(&[&camera.address()]);
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
    assert!(output.figure("frames") >= 5.0);

    // What `lancam pair` prints is a file for --key-file as it is.
    desk.key_file(state.path(), &camera);

    let forget = ["--forget", &camera.address()];
    let output = Viewer::start_with(&forget, |command| {
        command.env("XDG_STATE_HOME", desk.0.path());
    });
    let output = output.finish();
    assert_eq!(output.stdout.trim(), "forgotten: Garage");
    output.expect(
        0,
        "still accepts the key of this viewer. To take that key back, type on the camera's machine: sudo lancam pair",
    );
    desk.watch(&[&camera.address()]).expect(3, WANTS_A_CODE);
}

#[test]
fn a_wrong_code_is_told_and_pairs_nobody() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    let output = desk.watch(&["--code", "0000-0000-0000", &camera.address()]);
    output.expect(3, "the code is wrong");
    assert!(!desk.paired().exists());
}

#[test]
fn a_code_is_not_seen_in_the_list_of_processes() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    let mut viewer = desk.start(&["--seconds", "600", "--code", &camera.code, &camera.address()]);
    viewer.wait_for("paired with Garage");
    let arguments = fs::read(format!("/proc/{}/cmdline", viewer.id())).expect("it runs");
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    assert!(arguments.contains(&camera.address()), "{arguments}");
    assert!(!arguments.contains(&camera.code) && !arguments.contains("--code"), "{arguments}");
    let environment = fs::metadata(format!("/proc/{}/environ", viewer.id())).expect("it runs");
    assert_eq!(environment.permissions().mode() & 0o077, 0, "others cannot read it");
}

#[test]
fn a_key_that_was_revoked_ends_what_is_watched_with_it() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    let mut viewer =
        desk.start(&["-v", "--seconds", "600", "--code", &camera.code, &camera.address()]);
    viewer.wait_for("] frame ");
    revoke_the_first(state.path());
    viewer.finish().expect(1, "does not accept the key of this viewer any more");
}

#[test]
fn a_code_that_was_not_needed_does_not_undo_that_a_key_is_revoked() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    desk.pair(&camera);
    let mut viewer =
        desk.start(&["-v", "--seconds", "600", "--code", &camera.code, &camera.address()]);
    viewer.wait_for("] frame ");
    revoke_the_first(state.path());
    viewer.finish().expect(1, "does not accept the key of this viewer any more");
}

#[test]
fn a_given_key_that_was_revoked_is_said_to_be_the_one_that_was_given() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    let file = desk.key_file(state.path(), &camera);
    revoke_the_first(state.path());
    let mut viewer =
        desk.start(&["-v", "--seconds", "600", "--key-file", &file, &camera.address()]);
    viewer.wait_for("does not accept the given key. To make another one");
}

#[test]
fn a_key_file_that_others_may_read_is_taken_with_a_warning_and_what_to_type() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    let file = desk.key_file(state.path(), &camera);
    for (mode, is_open) in [(0o600, false), (0o400, false), (0o644, true), (0o640, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("it is ours");
        let output = desk.watch(&["--key-file", &file, &camera.address()]);
        let log = output.log.join("\n");
        assert!(output.status.success(), "{log}");
        let warning = format!(
            "{file} is open to other users of this machine (mode {mode:o}), who can watch with its key. Type: chmod 600 {file}"
        );
        assert_eq!(log.contains(&warning), is_open, "{log}");
        let about = fs::metadata(&file).expect("there");
        assert_eq!(about.permissions().mode() & 0o777, mode, "it is left as it is");
    }
}

#[test]
fn a_given_key_counts_beside_the_pairing_with_what_the_camera_was_before() {
    let desk = Desk::new();
    let states = [0, 1].map(|_| tempfile::tempdir().expect("a folder"));
    let camera = Garage::start(states[0].path(), "Garage", 0);
    desk.pair(&camera);
    let port = camera.process.port();
    drop(camera);
    let camera = Garage::start(states[1].path(), "Garage", port);
    let file = desk.key_file(states[1].path(), &camera);
    let output = desk.watch(&["--key-file", &file, &camera.address()]);
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
}

#[test]
fn a_camera_that_has_no_room_is_not_taken_for_another_one() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    desk.pair(&camera);
    let port = camera.process.port();
    drop(camera);
    // TLS's alert "internal error", as lancam sends it to whom it refuses.
    let full = FakeServer::on(port, |mut stream| stream.write_all(&[21, 3, 3, 0, 2, 2, 80]));
    let mut viewer = desk.start(&["-v", "--frames", "5", &full.address()]);
    viewer.wait_for("It may have too many connections at the moment");
    drop(full);
    let _camera = Garage::start(state.path(), "Garage", port);
    let output = viewer.finish();
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
}

#[test]
fn a_recording_goes_on_after_its_camera_has_hung() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    desk.pair(&camera);
    let film = desk.0.path().join("garage.mkv");
    let film = film.to_str().expect("UTF-8");
    let record = ["-v", "--seconds", "600", "--record", film, &camera.address()];
    let mut viewer = desk.start(&record);
    viewer.wait_for("] frame ");
    camera.process.signal("STOP");
    viewer.wait_for("did not finish the TLS handshake in time");
    camera.process.signal("CONT");
    viewer.wait_for("connected to Garage");
    viewer.wait_for("] frame ");
}

#[test]
fn a_machine_in_between_is_noticed_in_pairing_and_after_it() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    let relay = Relay::to(0, camera.process.port());
    let output = desk.watch(&["--code", &camera.code, &relay.address()]);
    output.expect(3, "another machine answers in the camera's place");
    assert!(!desk.paired().exists());

    desk.pair(&camera);
    let (port, key) = (camera.process.port(), desk.key());
    drop(camera);
    let camera = Garage::start(state.path(), "Garage", 0);
    let between = Relay::to(port, camera.process.port());
    let output = desk.watch(&[&between.address()]);
    output.expect(3, NOT_THE_PAIRED);
    assert_eq!(output.figure("frames"), 0.0);
    let heard = relay.heard();
    assert!(!heard.is_empty(), "it was in between");
    assert!(!heard.windows(key.len()).any(|part| part == key.as_bytes()), "it has heard the key");
    assert_eq!(between.heard(), b"", "a viewer that is paired says nothing to it");
    // The camera itself is let in again, wherever it is now.
    let output = desk.watch(&[&camera.address()]);
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
}

#[test]
fn a_camera_that_was_set_up_anew_is_refused_until_it_is_paired_again() {
    let desk = Desk::new();
    let states = [0, 1].map(|_| tempfile::tempdir().expect("a folder"));
    let camera = Garage::start(states[0].path(), "Garage", 0);
    desk.pair(&camera);
    let port = camera.process.port();
    drop(camera);
    let camera = Garage::start(states[1].path(), "Garage", port);
    desk.watch(&[&camera.address()]).expect(3, NOT_THE_PAIRED);
    desk.pair(&camera);
    let output = desk.watch(&[&camera.address()]);
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
}

#[test]
fn who_does_not_encrypt_is_not_taken_for_a_camera_that_was_paired() {
    let (state, desk) = (tempfile::tempdir().expect("a folder"), Desk::new());
    let camera = Garage::start(state.path(), "Garage", 0);
    desk.pair(&camera);
    let port = camera.process.port();
    drop(camera);
    let _open = FakeServer::on(port, |stream| {
        FakeCamera::greet(stream, "Garage").map(|mut camera| drop(camera.idle(PATIENCE)))
    });
    let output = desk.watch(&[&format!("127.0.0.1:{port}")]);
    output.expect(3, "This is not the Garage that you paired: it does not encrypt");
}

#[test]
fn who_does_not_encrypt_is_not_shown_to_a_viewer_that_has_a_code() {
    let desk = Desk::new();
    let open = FakeServer::on(0, as_an_open_camera);
    let why = "it does not encrypt (sent what is not TLS). If it lets everybody watch";
    shows_nobody_with_a_code(&desk, &open.address(), why);
}

#[test]
fn who_encrypts_and_asks_for_no_key_is_not_shown_to_a_viewer_that_has_a_code() {
    let (desk, impostor) = (Desk::new(), Impostor::that(Pairs::Never));
    shows_nobody_with_a_code(&desk, &impostor.address(), "no code is needed");
}

/// Without a frame and without a key, for this reason.
#[track_caller]
fn shows_nobody_with_a_code(desk: &Desk, address: &str, why: &str) {
    let output = desk.watch(&["--code", A_CODE, address]);
    output.expect(3, why);
    assert_eq!(output.figure("frames"), 0.0);
    assert!(!desk.paired().exists());
}

#[test]
fn a_code_is_proved_to_an_impostor_once_and_then_nobody_is_shown_without_a_key() {
    let impostors = [Pairs::Never, Pairs::ThenCloses, Pairs::ThenAsksAgain].map(Impostor::that);
    let doorbell = Doorbell::new();
    let mut channels = impostors.each_ref().map(|impostor| {
        let address = CameraAddress::parse(&impostor.address()).expect("an address");
        let dialogue = Dialogue { code: Code::parse(A_CODE).ok(), ..Dialogue::default() };
        Channel::open(Wanted::at(address), dialogue, &doorbell).expect("a thread")
    });
    let mut look = || {
        doorbell.wait(Duration::from_millis(20));
        for channel in &mut channels {
            channel.update(Instant::now(), true);
            assert!(channel.arrival.is_none(), "a picture of an impostor");
        }
        let wants_code = |channel: &Channel| {
            channel.notice.as_ref().is_some_and(|standing| standing.notice.kind.wants_code())
        };
        channels.iter().all(wants_code).then_some(())
    };
    wait_until("all wait for another code", &mut look);
    // They try again after 10 s.
    let until = Instant::now() + Duration::from_secs(12);
    while Instant::now() < until {
        look();
    }
    assert_eq!(impostors.map(|impostor| impostor.proofs()), [0, 1, 1]);
}

#[test]
fn a_paired_camera_that_takes_anothers_name_is_not_shown_in_its_place() {
    let desk = Desk::new();
    let states = [0, 1].map(|_| tempfile::tempdir().expect("a folder"));
    let garage = Garage::start(states[0].path(), "Garage", 0);
    let door = Garage::start(states[1].path(), "Door", 0);
    desk.pair(&garage);
    desk.pair(&door);
    let port = door.process.port();
    drop(door);
    let liar = Garage::start(states[1].path(), "Garage", port);
    let keyring = Arc::new(Keyring::load_from(&desk.paired()));
    let notice = refusal_of(&keyring, "Garage", &liar.address());
    assert!(notice.contains("This is not Garage but Door"), "{notice}");
    // Who asks for an address gets whichever camera is there. Its record does not become that of the other.
    let output = desk.watch(&[&liar.address()]);
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
    let remembered = fs::read_to_string(desk.paired()).expect("there");
    for name in ["name = Garage\n", "name = Door\n"] {
        assert_eq!(remembered.matches(name).count(), 1, "{remembered}");
    }
}

#[test]
fn a_viewer_that_wants_one_camera_shows_no_other_though_it_is_paired_with_both() {
    let desk = Desk::new();
    let states = [0, 1].map(|_| tempfile::tempdir().expect("a folder"));
    let garage = Garage::start(states[0].path(), "Garage", 0);
    let door = Garage::start(states[1].path(), "Door", 0);
    desk.pair(&garage);
    desk.pair(&door);
    let keyring = Arc::new(Keyring::load_from(&desk.paired()));
    refusal_of(&keyring, "Garage", &door.address());
}

/// Why a viewer that wants the paired camera of this name does not show the one at this address.
fn refusal_of(keyring: &Arc<Keyring>, name: &str, address: &str) -> String {
    let parsed = |text: &str| CameraAddress::parse(text).expect("a name or an address");
    let paired = keyring.meant_by(&Wanted::at(parsed(name))).expect("it is paired");
    let doorbell = Doorbell::new();
    let dialogue = Dialogue { keyring: Arc::clone(keyring), ..Dialogue::default() };
    let wanted = Wanted { identity: Some(paired.identity), address: parsed(address) };
    let mut channel = Channel::open(wanted, dialogue, &doorbell).expect("a thread");
    wait_until("that it is another one", || {
        doorbell.wait(Duration::from_millis(20));
        channel.update(Instant::now(), true);
        assert!(channel.arrival.is_none(), "a picture of another camera");
        let notice = &channel.notice.as_ref()?.notice;
        (notice.kind == NoticeKind::OtherCamera).then(|| notice.text.clone())
    })
}
