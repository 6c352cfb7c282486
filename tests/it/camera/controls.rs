//! Viewers list and set a camera's controls over loopback, if the camera allows it.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::get;
use crate::tools::native_client::{NativeClient, Said, look};
use lancam::viewer::find::address::CameraAddress;
use lancam::viewer::watch::controls::{Controls, Remote, State};
use lancam::viewer::watch::receiver::{Protocol, Receiver, Wanted};
use lancam::wire::native::message::{Message, StatusCode, Wishes};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const BRIGHTNESS: u32 = 0x0098_0900;
const EFFECT: u32 = 0x0098_091f;
const AUTOMATIC: u32 = 0x0098_0920;

fn pattern(options: &[&str]) -> CameraProcess {
    CameraProcess::start(&[&["--source", "test:320x180@60"], options].concat())
}

/// Asks for all controls. Each becomes a line.
fn list(viewer: &mut NativeClient) -> Vec<String> {
    viewer.say(&Message::ListControls);
    let Said::ControlList { count, .. } = viewer.hear_of_controls() else { panic!("no list") };
    (0..count)
        .map(|_| match viewer.hear_of_controls() {
            Said::Control { name, value, reason, .. } => format!("{name} {value} {reason}"),
            Said::MenuItem { value, name, .. } => format!("- {value} {name}"),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn set(viewer: &mut NativeClient, id: u32, value: i64) -> Said {
    viewer.say(&Message::SetControl { id, value });
    viewer.hear_of_controls()
}

/// The green of the second bar.
fn bar(viewer: &mut NativeClient) -> u8 {
    look(&viewer.frame().1).0.rgb(60, 150)[1]
}

/// Takes frames until their bar satisfies `is_so`.
fn wait_for_bar(viewer: &mut NativeClient, is_so: impl Fn(u8) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so(bar(viewer)) {
        assert!(Instant::now() < deadline, "the picture stays as it was");
    }
}

#[test]
fn a_picture_follows_what_a_viewer_sets_and_others_are_told() {
    let camera = pattern(&["--control", "lan"]);
    let mut viewer = NativeClient::connect(camera.port());
    let mut other = NativeClient::connect(camera.port());
    // The camera has a list only after it opened its source.
    let before = bar(&mut viewer);
    other.frame();
    let expected = [
        "Brightness 128 ",
        "Color Effects 0 ",
        "- 0 None",
        "- 1 Black & White",
        "- 3 Negative",
        "Brightness, Automatic 0 ",
    ];
    assert_eq!(list(&mut viewer), expected);
    assert_eq!(list(&mut other), expected);
    let brighter = |value| Said::Control {
        id: BRIGHTNESS,
        value,
        name: "Brightness".into(),
        reason: String::new(),
    };
    assert_eq!(set(&mut viewer, BRIGHTNESS, 168), brighter(168));
    wait_for_bar(&mut viewer, |green| green > before + 30);
    assert_eq!(other.hear_of_controls(), brighter(168));

    // The viewer also hears how one control affects another.
    let Said::Control { id: AUTOMATIC, value: 1, .. } = set(&mut viewer, AUTOMATIC, 1) else {
        panic!("not granted");
    };
    let Said::Control { id: BRIGHTNESS, reason, .. } = viewer.hear_of_controls() else {
        panic!("not told");
    };
    assert!(reason.contains("automatic"), "{reason}");
    wait_for_bar(&mut viewer, |green| green.abs_diff(before) < 5);
}

#[test]
fn what_cannot_be_set_is_refused_with_the_range_and_the_picture_goes_on() {
    let camera = pattern(&["--control", "lan"]);
    let mut viewer = NativeClient::connect(camera.port());
    // The source may not be open before the first frame.
    viewer.frame();
    for (id, value, expected) in [
        (BRIGHTNESS, 256, "Brightness=256: it must be 0 to 255"),
        (BRIGHTNESS, i64::MIN, "Brightness=-9223372036854775808: it must be 0 to 255"),
        (EFFECT, 2, "Color Effects=2: it must be 0 (None), 1 (Black & White) or 3 (Negative)"),
        (0, 0, "control 0x00000000: the test pattern has no such control"),
        (u32::MAX, i64::MAX, "control 0xffffffff: the test pattern has no such control"),
    ] {
        let refused = set(&mut viewer, id, value);
        assert_eq!(refused, Said::Status { code: StatusCode::Refused, text: expected.into() });
        if [BRIGHTNESS, EFFECT].contains(&id) {
            let Said::Control { id: told, .. } = viewer.hear_of_controls() else {
                panic!("the control as it is");
            };
            assert_eq!(told, id);
        }
    }
    viewer.frame();
}

#[test]
fn a_camera_that_allows_nothing_says_what_would() {
    for options in [&[][..], &["--control", "off"]] {
        let camera = pattern(options);
        let mut viewer = NativeClient::connect(camera.port());
        viewer.say(&Message::ListControls);
        let list = viewer.hear_of_controls();
        for refused in [list, set(&mut viewer, BRIGHTNESS, 1)] {
            let Said::Status { code: StatusCode::Refused, text } = refused else {
                panic!("{refused:?}");
            };
            assert!(text.contains("--control lan"), "{text}");
        }
        viewer.frame();
    }
}

#[test]
fn a_misspelt_control_of_the_file_is_told_on_the_page_and_goes_with_the_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lancam.toml");
    let start = |setting: &str| {
        std::fs::write(&file, format!("[controls]\n{setting}\n")).expect("written");
        CameraProcess::start(&[
            "--source",
            "test:320x180@60",
            "--config",
            file.to_str().expect("text"),
        ])
    };
    let state = |camera: &CameraProcess| get(camera.port(), "/state").text().to_owned();
    let camera = start("brightnes = 9");
    let deadline = Instant::now() + PATIENCE;
    while !state(&camera).contains("brightnes") {
        assert!(Instant::now() < deadline, "{}", state(&camera));
    }
    assert!(get(camera.port(), "/metrics").text().contains("\nlancam_config_errors 1\n"));
    drop(camera);

    let camera = start("brightness = 9");
    NativeClient::connect(camera.port()).frame();
    assert!(state(&camera).contains("\"config_errors\":[]"), "{}", state(&camera));
}

#[test]
fn a_slider_dragged_at_once_through_all_values_ends_at_its_last_and_delays_no_frame() {
    let camera = pattern(&["--control", "lan"]);
    let mut viewer = NativeClient::connect(camera.port());
    let (first, _) = viewer.frame();
    let mut last = first.sequence;
    // Sends a hundred values for each frame that it takes.
    for frame in 0..20 {
        for value in 0..100 {
            viewer.say(&Message::SetControl { id: BRIGHTNESS, value: 100 + (value + frame) % 100 });
        }
        last = viewer.frame().0.sequence;
    }
    viewer.say(&Message::SetControl { id: BRIGHTNESS, value: 77 });
    let deadline = Instant::now() + PATIENCE;
    while !matches!(viewer.hear_of_controls(), Said::Control { value: 77, .. }) {
        assert!(Instant::now() < deadline, "the last value does not count");
    }
    let taken = last - first.sequence;
    assert!(taken < 200, "20 frames were taken while {taken} were made");
}

/// A setting stays although the camera is switched off in between.
#[test]
fn what_a_viewer_set_outlasts_the_rest_of_the_camera() {
    let camera = pattern(&["--control", "lan", "--idle-stop", "0.05"]);
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    set(&mut viewer, EFFECT, 3);
    drop(viewer);
    // This gives the camera time to switch off. The result must be the same if it did not.
    thread::sleep(Duration::from_millis(200));
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    assert!(list(&mut viewer).contains(&"Color Effects 3 ".to_owned()));
}

#[test]
fn a_source_without_controls_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("clip.mjpeg");
    std::fs::write(&clip, crate::tools::jpeg_tools::tiny(lancam::image::pixels::Chroma::Yuv420))
        .expect("writes");
    let clip = clip.to_str().expect("UTF-8");
    let camera = CameraProcess::start(&["--source", clip, "--control", "lan"]);
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    viewer.say(&Message::ListControls);
    let Said::ControlList { count: 0, reason } = viewer.hear_of_controls() else {
        panic!("an empty list");
    };
    assert!(reason.contains("has no controls"), "{reason}");
}

/// A receiver with a remote that watches `port` until the test ends.
fn remote(port: u16) -> Remote {
    let camera = CameraAddress::parse(&format!("127.0.0.1:{port}")).expect("an address");
    let protocol = Protocol::Native(Wishes::default());
    let receiver = Receiver::new(Wanted::at(camera), protocol, lancam::latest::Latest::new());
    let receiver = receiver.expect("a decoder");
    let remote = receiver.remote();
    thread::spawn(move || receiver.run());
    remote
}

fn wait_for(remote: &Remote, is_so: impl Fn(&Controls) -> bool) -> Arc<Controls> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let controls = remote.controls();
        if is_so(&controls) {
            return controls;
        }
        assert!(Instant::now() < deadline, "{controls:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_viewer_lists_and_sets_and_asks_again_when_the_camera_is_back() {
    let camera = pattern(&["--control", "lan"]);
    let port = camera.port();
    let remote = remote(port);
    assert_eq!(remote.controls().state, State::Closed);
    remote.open();
    let listed = |controls: &Controls| controls.state == State::Listed;
    let value = |controls: &Controls| controls.all.first().map(|control| control.value);
    let controls = wait_for(&remote, listed);
    assert_eq!((controls.all.len(), controls.all[1].items.len()), (3, 3));
    for value in 0..=200 {
        remote.set(BRIGHTNESS, value);
    }
    assert_eq!(value(&remote.controls()), Some(200), "shown at once");
    remote.set(EFFECT, 2);
    let controls = wait_for(&remote, |controls| controls.complaint.is_some());
    assert!(controls.complaint.as_deref().is_some_and(|text| text.contains("it must be")));
    wait_for(&remote, |controls| controls.all[1].value == 0);
    let mut other = NativeClient::connect(port);
    assert!(list(&mut other).contains(&"Brightness 200 ".to_owned()));
    drop(other);

    assert!(camera.terminate().success());
    wait_for(&remote, |controls| controls.state == State::Disconnected);
    let listen = format!("127.0.0.1:{port}");
    let again = CameraProcess::spawn(&mut CameraProcess::command(&[
        "--source",
        "test:320x180",
        "--control",
        "off",
        "--listen",
        &listen,
    ]));
    let controls = wait_for(&remote, |it| matches!(it.state, State::Refused(_)));
    let State::Refused(reason) = &controls.state else { panic!("waited for") };
    assert!(reason.contains("--control lan"), "{reason}");
    drop(again);
}
