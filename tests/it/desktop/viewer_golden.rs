//! The whole window: driven with keys and mouse, and compared with pictures that a person has checked.
//!
//! `LANCAM_BLESS=1` takes tests/golden/viewer anew. Look at the new pictures.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::clipboard;
use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, ReservedPort, jpeg_facts};
use crate::tools::golden::{Differences, Golden, Part};
use crate::tools::lan::{Lan, Machine};
use crate::tools::png_file;
use crate::tools::stage::Stage;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::image::pixels::Size;
use lancam::wire::native::message::{Message, StatusCode};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

/// The size of the window, in the middle of the screen.
const WINDOW: Size = Size::new(1280, 720);
/// All golden pictures, and the parts of each that change.
const GOLDENS: [Golden; 20] = [
    Golden { name: "single", moving: &[] },
    Golden {
        name: "figures",
        // The camera's port, the graph, the values on the right. The graph's line shows the interval.
        moving: &[part(24, 52, 200, 18), part(24, 112, 286, 64), part(150, 182, 158, 114)],
    },
    Golden { name: "help", moving: &[] },
    Golden { name: "controls", moving: &[] },
    // The seconds.
    Golden { name: "paused", moving: &[part(1216, 16, 44, 18)] },
    Golden { name: "recording", moving: &[part(1226, 16, 34, 18)] },
    // The camera's port, and a time of day.
    Golden { name: "lost", moving: &[part(370, 340, 540, 40), part(560, 382, 160, 22)] },
    Golden { name: "grid", moving: &[part(900, 556, 120, 20)] },
    Golden { name: "grid-first", moving: &[part(900, 556, 120, 20)] },
    Golden { name: "picker", moving: &[] },
    Golden { name: "list", moving: &[] },
    Golden { name: "list-first", moving: &[] },
    Golden { name: "list-several", moving: &[] },
    Golden { name: "list-typed", moving: &[] },
    Golden { name: "menu", moving: &[] },
    Golden { name: "list-code", moving: &[] },
    Golden { name: "list-paired", moving: &[] },
    Golden { name: "code", moving: &[] },
    // The first bytes of the camera's certificate.
    Golden { name: "code-refused", moving: &[part(380, 404, 520, 60)] },
    // The picture of the other camera, and how long the first one has waited.
    Golden { name: "grid-code", moving: &[part(640, 0, 640, 720), part(200, 386, 240, 24)] },
];

const fn part(x: usize, y: usize, width: usize, height: usize) -> Part {
    Part { x, y, width, height }
}

fn golden(name: &str) -> (&'static Golden, PathBuf) {
    let golden = GOLDENS.iter().find(|golden| golden.name == name).expect("it is listed");
    (golden, folder().join(format!("{name}.png")))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/viewer")
}

/// The bytes of all recordings.
fn recorded(stage: &Stage) -> u64 {
    let lengths = stage.recordings().into_iter().map(|path| path.metadata().map(|file| file.len()));
    lengths.filter_map(Result::ok).sum()
}

/// How the window differs from a golden picture.
fn differences(stage: &Stage, name: &str) -> Differences {
    let (golden, file) = golden(name);
    golden.differences(&png_file::read(&file), &stage.window(WINDOW))
}

/// Waits until the window looks like the golden picture of this name.
#[track_caller]
fn expect(stage: &Stage, name: &str) {
    let (golden, file) = golden(name);
    if std::env::var_os("LANCAM_BLESS").is_some() {
        thread::sleep(Duration::from_secs(5));
        png_file::write(&file, &stage.window(WINDOW));
        return;
    }
    let picture = png_file::read(&file);
    let mut seen = stage.window(WINDOW);
    let mut differences = golden.differences(&picture, &seen);
    let deadline = Instant::now() + PATIENCE;
    while !differences.0.is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(50));
        seen = stage.window(WINDOW);
        differences = golden.differences(&picture, &seen);
    }
    if !differences.0.is_empty() {
        let actual = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        png_file::write(&actual, &seen);
        panic!("{differences} between {} and {}", file.display(), actual.display());
    }
}

#[test]
fn every_golden_picture_is_told_from_every_other() {
    let mut listed: Vec<String> = GOLDENS.iter().map(|golden| golden.name.to_owned()).collect();
    let files = std::fs::read_dir(folder()).expect("the folder");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8"));
    let mut there: Vec<String> =
        names.map(|name| name.trim_end_matches(".png").to_owned()).collect();
    listed.sort();
    there.sort();
    assert_eq!(there, listed, "the files, and what is compared");
    for one in &GOLDENS {
        let expected = png_file::read(&golden(one.name).1);
        assert_eq!(one.differences(&expected, &expected), Differences::default(), "{}", one.name);
        for other in GOLDENS.iter().filter(|other| other.name != one.name) {
            let differences = one.differences(&expected, &png_file::read(&golden(other.name).1));
            let (one, other) = (one.name, other.name);
            assert!(!differences.0.is_empty(), "{other} would be taken for {one}");
        }
    }
}

/// The number in the picture of a camera that stands still.
const STILL: u64 = 40;
/// A number in which all bits are different.
const OTHER: u64 = 0xFFFF_FFFF ^ STILL;

/// A camera that sends a picture with this number ten times a second.
fn still(stream: TcpStream, name: &str, number: &AtomicU64) -> io::Result<()> {
    let size = Size::new(1280, 720);
    let mut camera = FakeCamera::greet(stream, name)?;
    let mut pattern = Pattern::new(size);
    for sequence in 1.. {
        let jpeg = pattern.jpeg(number.load(Ordering::SeqCst));
        camera.send_frame(&jpeg_facts(sequence, size), jpeg)?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn server(name: &'static str) -> FakeServer {
    FakeServer::on(0, move |stream| still(stream, name, &AtomicU64::new(STILL)))
}

#[test]
fn one_camera_with_figures_help_controls_paused_and_recording() {
    let Some(stage) = Stage::new() else { return };
    let reserved = ReservedPort::new().expect("a free port");
    let number = Arc::new(AtomicU64::new(STILL));
    let open = || {
        let number = Arc::clone(&number);
        FakeServer::on(reserved.address().port(), move |stream| still(stream, "Küche", &number))
    };
    let camera = open();
    let viewer = stage.open(&[&camera.address()]);
    stage.wait_for_title("Küche");
    stage.point((700, 800));
    expect(&stage, "single");
    for (keys, name, back) in [
        (&["i"], "figures", &["i"]),
        (&["question"], "help", &["Escape"]),
        (&["c"], "controls", &["c"]),
        (&["space"], "paused", &["space"]),
        (&["r"], "recording", &["r"]),
    ] {
        stage.press(keys);
        expect(&stage, name);
        if name == "paused" {
            // The window must not show pictures that come during the pause.
            number.store(OTHER, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(1));
            assert_eq!(differences(&stage, "paused"), Differences::default());
            stage.press(back);
            let is_other = || (differences(&stage, "single").0.len() > 20).then_some(());
            wait_until("what came meanwhile", is_other);
            number.store(STILL, Ordering::SeqCst);
        } else {
            if name == "recording" {
                // A recording without a frame would be removed.
                wait_until("a recorded frame", || (recorded(&stage) > 1000).then_some(()));
            }
            stage.press(back);
        }
        // The message about the recording disappears by itself.
        expect(&stage, "single");
        assert_eq!(stage.recordings().len(), usize::from(name == "recording"), "{name}");
    }
    stage.screen.xdotool(&["mousemove", "400", "300", "click", "3"]).expect("clicked");
    stage.point((450, 420));
    expect(&stage, "menu");
    stage.press(&["Escape"]);
    stage.point((700, 800));
    drop(camera);
    stage.wait_for_title("not connected");
    expect(&stage, "lost");
    let _back = open();
    expect(&stage, "single");
    stage.leave(viewer);
}

#[test]
fn a_grid_of_four_with_one_camera_gone() {
    let Some(stage) = Stage::new() else { return };
    let cameras = ["Küche", "Garage", "Door"].map(server);
    let fourth = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "Workshop")?;
        let size = Size::new(1280, 720);
        camera.send_frame(&jpeg_facts(1, size), Pattern::new(size).jpeg(40))?;
        let text = "no camera: /dev/video0 has been unplugged";
        camera.send(&Message::Status { code: StatusCode::CameraLost, text })?;
        camera.wait_for(|_| None::<()>)
    });
    let mut addresses: Vec<String> = cameras.iter().map(FakeServer::address).collect();
    addresses.push(fourth.address());
    let viewer = stage.open(&addresses.iter().map(String::as_str).collect::<Vec<_>>());
    stage.wait_for_title("3 cameras, 1 without a picture");
    expect(&stage, "grid-first");
    stage.click((1000, 200));
    expect(&stage, "grid");
    stage.press(&["Return"]);
    stage.wait_for_title("Garage");
    stage.press(&["Tab"]);
    stage.wait_for_title("Door");
    // A double click consists of two clicks. It brings the grid back.
    stage.click((700, 450));
    stage.click((700, 450));
    stage.wait_for_title("3 cameras");
    stage.leave(viewer);
}

/// Two cameras that a viewer finds on this network.
fn garage_and_kitchen(lan: &Lan) -> [CameraProcess; 2] {
    [("Garage", "0.0.0.0:9101"), ("Küche", "0.0.0.0:9102")].map(|(name, listen)| {
        let source = "test:640x360@10";
        let options = ["--source", source, "--name", name, "--announce", "on", "--listen", listen];
        CameraProcess::spawn(&mut lan.on(Machine::Camera, &CameraProcess::command(&options)))
    })
}

#[test]
fn a_camera_is_chosen_from_a_list_with_keys_and_mouse_and_remembered() {
    let (Some(stage), Some(lan)) = (Stage::new(), Lan::new()) else { return };
    let _cameras = garage_and_kitchen(&lan);
    let open = || Viewer::start_in(&lan, &[], |command| stage.dress_to_remember(command));
    let wait_for_pictures = |name: &str| stage.wait_for_title(&format!("{name} — 640×360"));
    let viewer = open();
    expect(&stage, "picker");
    stage.press(&["Down", "Return"]);
    stage.wait_for_title("Küche — 640×360");

    // Opens the list, goes back from it, and then chooses the other camera.
    stage.press(&["l"]);
    expect(&stage, "list");
    stage.press(&["Escape"]);
    wait_for_pictures("Küche");
    stage.press(&["BackSpace"]);
    expect(&stage, "list");
    stage.press(&["Up", "Return"]);
    stage.wait_for_title("Garage — 640×360");
    stage.press(&["l"]);
    expect(&stage, "list-first");
    stage.press(&["Down", "Return"]);
    stage.wait_for_title("Küche — 640×360");
    stage.leave(viewer);

    // The camera that was watched last opens without a question.
    let viewer = open();
    stage.wait_for_title("Küche — 640×360");
    stage.leave(viewer);

    // Without a memory the list opens. The mouse chooses.
    std::fs::remove_dir_all(stage.home.path().join("lancam")).expect("it was remembered");
    let viewer = open();
    expect(&stage, "picker");
    stage.point((700, 400));
    let own = stage.geometry();
    // Many people click twice. That chooses once, and does not switch to full screen as it does over a
    // picture.
    let twice = ["click", "--repeat", "2", "--delay", "80", "1"];
    stage.screen.xdotool(&twice).expect("clicked");
    wait_for_pictures("Garage");
    assert_eq!(stage.geometry(), own);
    stage.leave(viewer);
}

/// Garage, which wants a code, and that code.
fn locked_garage(lan: &Lan, state: &Path) -> (CameraProcess, String) {
    let state = state.to_str().expect("UTF-8");
    let (source, listen) = ("test:640x360@10", "0.0.0.0:9101");
    let options = ["--source", source, "--name", "Garage", "--announce", "on", "--listen", listen];
    let keys = ["--access", "keys", "--state", state];
    let command = CameraProcess::command(&[&options[..], &keys].concat());
    let camera = CameraProcess::spawn(&mut lan.on(Machine::Camera, &command));
    let mut pair = CameraProcess::command(&["pair", "--state", state]);
    let said = pair.env("LANCAM_ACCESS", "keys").output().expect("lancam runs");
    let said = String::from_utf8(said.stdout).expect("UTF-8");
    let code = said.split_whitespace().skip_while(|word| *word != "code").nth(1);
    (camera, code.unwrap_or_else(|| panic!("no code in {said}")).to_owned())
}

#[test]
fn a_camera_that_wants_a_code_is_asked_for_it_and_has_a_lock_from_then_on() {
    let (Some(stage), Some(lan)) = (Stage::new(), Lan::new()) else { return };
    let state = tempfile::tempdir().expect("a folder");
    let (_garage, code) = locked_garage(&lan, state.path());
    let listen = ["--listen", "0.0.0.0:9102"];
    let options = ["--source", "test:640x360@10", "--name", "Küche", "--announce", "on"];
    let command = CameraProcess::command(&[&options[..], &listen].concat());
    let _kitchen = CameraProcess::spawn(&mut lan.on(Machine::Camera, &command));

    let both = ["Garage", "Küche"];
    let viewer = Viewer::start_in(&lan, &both, |command| stage.dress_to_remember(command));
    stage.point((700, 800));
    stage.wait_for_title("1 camera, 1 without a picture");
    expect(&stage, "grid-code");
    stage.leave(viewer);

    let viewer = Viewer::start_in(&lan, &[], |command| stage.dress(command));
    expect(&stage, "list-code");
    stage.press(&["Return"]);
    expect(&stage, "code");
    stage.screen.xdotool(&["type", "--delay", "50", "0000-0000 0000"]).expect("typed");
    stage.press(&["Return"]);
    expect(&stage, "code-refused");
    let is_given = clipboard::copy(stage.screen.display(), &format!(" {code}\n"));
    stage.press(&["ctrl+v"]);
    is_given.recv_timeout(PATIENCE).expect("the viewer asks for it");
    stage.press(&["Return"]);
    stage.wait_for_title("Garage — 640×360");
    stage.press(&["l"]);
    expect(&stage, "list-paired");
    stage.press(&["Escape"]);
    stage.leave(viewer);
}

#[test]
fn several_are_chosen_from_the_list_and_remembered_and_another_is_typed() {
    let (Some(stage), Some(lan)) = (Stage::new(), Lan::new()) else { return };
    let _cameras = garage_and_kitchen(&lan);
    let open = || Viewer::start_in(&lan, &[], |command| stage.dress_to_remember(command));
    let viewer = open();
    stage.point((700, 800));
    expect(&stage, "picker");
    stage.press(&["space", "Down", "space"]);
    expect(&stage, "list-several");
    stage.press(&["Return"]);
    stage.wait_for_title("lancam — 2 cameras");
    // The viewer remembers cameras after their first picture. Only the title of an enlarged camera tells when
    // that came.
    stage.press(&["Return"]);
    stage.wait_for_title("— 640×360");
    stage.leave(viewer);

    // The same two cameras open without a question.
    let viewer = open();
    stage.wait_for_title("lancam — 2 cameras");
    stage.press(&["l", "slash"]);
    stage.screen.xdotool(&["type", "--delay", "50", "garage:910"]).expect("typed");
    expect(&stage, "list-typed");
    // A pasted text looks like a typed one. A text of two lines is not pasted.
    stage.press(&["Escape"]);
    for copied in ["q\nq", " garage:910\n"] {
        let is_given = clipboard::copy(stage.screen.display(), copied);
        stage.press(&["ctrl+v"]);
        is_given.recv_timeout(PATIENCE).expect("the viewer asks for it");
    }
    expect(&stage, "list-typed");
    // Now only the name is left. It opens in the selected camera's place, enlarged.
    stage.press(&["BackSpace", "BackSpace", "BackSpace", "BackSpace", "Return", "Return"]);
    stage.wait_for_title("Garage");
    stage.leave(viewer);
}
