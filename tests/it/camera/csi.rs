//! Ribbon cameras, with a stand-in for rpicam-vid: both picture formats for every viewer, the program's
//! options, and that it runs only while somebody watches.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::{HttpClient, get};
use crate::tools::native_client::{NativeClient, Said, look};
use crate::tools::png_file;
use crate::tools::rpicam::Rpicam;
use crate::tools::skip::skip;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::image::stamp::Stamp;
use lancam::wire::native::message::Message;
use lancam::wire::packet::FrameFacts;
use lancam::wire::pickle::BgrArray;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

const SMALL: [&str; 4] = ["--size", "320x180", "--fps", "60"];
const FORMATS: [&str; 2] = ["yuv420", "mjpeg"];

/// 75 % bars as full-range RGB.
const BARS: [[u8; 3]; 8] = [
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
    [0, 0, 0],
];

fn camera(rpicam: &Rpicam, arguments: &[&str]) -> CameraProcess {
    rpicam.camera(&[&SMALL[..], arguments].concat())
}

/// The colours in the middle of each bar, from left to right.
fn bars(picture: &Picture) -> Vec<[u8; 3]> {
    let Size { width, height } = picture.size();
    (0..8).map(|bar| picture.rgb(width * (2 * bar + 1) / 16, height / 3)).collect()
}

#[track_caller]
fn assert_near(found: &[[u8; 3]], expected: &[[u8; 3]]) {
    let far = |(found, expected): (&[u8; 3], &[u8; 3])| {
        found.iter().zip(expected).any(|(found, expected)| found.abs_diff(*expected) > 12)
    };
    assert!(!found.iter().zip(expected).any(far), "{found:?} instead of {expected:?}");
}

/// The next frame whose picture satisfies `is_so`.
fn frame_where(viewer: &mut NativeClient, is_so: impl Fn(&Picture) -> bool) -> FrameFacts {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (facts, jpeg) = viewer.frame();
        if is_so(&look(&jpeg).0) {
            return facts;
        }
        assert!(Instant::now() < deadline, "no such picture");
    }
}

#[test]
fn three_hundred_pictures_come_in_rising_order_and_right_colours_in_either_format() {
    for format in FORMATS {
        let rpicam = Rpicam::new();
        let camera = camera(&rpicam, &["--csi-format", format]);
        let mut viewer = NativeClient::connect(camera.port());
        let mut last = (0, None);
        for _ in 0..300 {
            let (facts, jpeg) = viewer.frame();
            assert_eq!(facts.size, Size::new(320, 180));
            let (picture, stamp) = look(&jpeg);
            let stamp = stamp.expect("a number in the picture");
            assert!(facts.sequence > last.0, "{format}: {} after {}", facts.sequence, last.0);
            assert!(
                Some(stamp.sequence) > last.1,
                "{format}: {} after {:?}",
                stamp.sequence,
                last.1
            );
            last = (facts.sequence, Some(stamp.sequence));
            assert_near(&bars(&picture), &BARS);
        }
        let starts = rpicam.starts();
        assert_eq!(starts.len(), 1, "{starts:?}");
        assert!(starts[0].arguments.contains(&format!("--codec={format}")), "{starts:?}");
    }
}

#[test]
fn lancam_view_shows_a_ribbon_camera_in_either_format() {
    let folder = tempfile::tempdir().expect("a folder");
    for format in FORMATS {
        let last = folder.path().join(format).with_extension("png");
        let rpicam = Rpicam::new();
        let camera = camera(&rpicam, &["--csi-format", format]);
        let address = format!("127.0.0.1:{}", camera.port());
        let save = last.to_str().expect("UTF-8");
        let options = ["--headless", "--json", "-v", "--frames", "100", "--save", save, &address];
        let output = Viewer::start(&options).finish();
        assert!(output.status.success(), "{}", output.log.join("\n"));
        let sequences = output.sequences();
        assert_eq!(sequences.len(), 100);
        assert!(sequences.is_sorted_by(|a, b| a < b), "{format}: {sequences:?}");
        // On a busy machine the link looks narrow, and the camera sends half the size.
        let picture = png_file::read(&last);
        assert_eq!(picture.size().width * 9, picture.size().height * 16);
        assert_near(&bars(&picture), &BARS);
    }
}

#[test]
fn the_tutorials_client_gets_a_ribbon_camera_in_either_format() {
    for format in FORMATS {
        let rpicam = Rpicam::new();
        let camera = camera(&rpicam, &["--csi-format", format, "--pickle"]);
        let mut client = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
        client.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        let mut numbers = Vec::new();
        for _ in 0..100 {
            let mut length = [0; 8];
            client.read_exact(&mut length).expect("a length");
            let mut pickle = vec![0; usize::try_from(u64::from_le_bytes(length)).expect("small")];
            client.read_exact(&mut pickle).expect("a pickle");
            let mut scratch = Vec::new();
            let BgrArray { size, pixels } =
                BgrArray::parse(&pickle, &mut scratch).expect("an array");
            assert_eq!(size, Size::new(320, 180));
            let rgb = |x: usize, y: usize| {
                let bgr = &pixels[(y * size.width + x) * 3..][..3];
                [bgr[2], bgr[1], bgr[0]]
            };
            let bars: Vec<_> = (0..8).map(|bar| rgb(size.width * (2 * bar + 1) / 16, 60)).collect();
            assert_near(&bars, &BARS);
            let stamp = Stamp::read(size, |x, y| rgb(x, y)[1]).expect("a number in the picture");
            numbers.push(stamp.sequence);
        }
        assert!(numbers.is_sorted(), "{format}: {numbers:?}");
        assert!(numbers[0] < numbers[99], "{format}: {numbers:?}");
    }
}

#[test]
fn colours_of_limited_range_are_right_too() {
    let rpicam = Rpicam::with_fault("limited");
    let camera = camera(&rpicam, &["--csi-format", "yuv420"]);
    let (_, jpeg) = NativeClient::connect(camera.port()).frame();
    let (picture, stamp) = look(&jpeg);
    assert!(stamp.is_some());
    assert_near(&bars(&picture), &BARS);
}

#[test]
fn another_size_than_was_asked_for_is_taken_as_it_comes() {
    for format in FORMATS {
        let rpicam = Rpicam::with_fault("smaller");
        let camera = camera(&rpicam, &["--csi-format", format]);
        let (facts, jpeg) = NativeClient::connect(camera.port()).frame();
        assert_eq!(facts.size, Size::new(576, 324), "{format}");
        assert_near(&bars(&look(&jpeg).0), &BARS);
    }
}

#[test]
fn a_size_whose_rows_have_padding_comes_as_jpegs_and_is_said_to() {
    let rpicam = Rpicam::with_fault("unaligned");
    let camera = camera(&rpicam, &["--csi-format", "yuv420"]);
    let (facts, jpeg) = NativeClient::connect(camera.port()).frame();
    assert_eq!(facts.size, Size::new(584, 324));
    assert_near(&bars(&look(&jpeg).0), &BARS);
    let state = get(camera.port(), "/state");
    assert!(state.text().contains("584x324 MJPG"), "{}", state.text());
}

#[test]
fn another_size_is_known_whatever_libcamera_is_to_log() {
    for (variable, value) in
        [("LIBCAMERA_LOG_LEVELS", "*:ERROR"), ("LIBCAMERA_LOG_FILE", "/dev/null")]
    {
        let rpicam = Rpicam::with_fault("smaller");
        let mut command = rpicam.command(&[&SMALL[..], &["--csi-format", "yuv420"]].concat());
        let camera = CameraProcess::spawn(command.env(variable, value));
        let (facts, jpeg) = NativeClient::connect(camera.port()).frame();
        assert_eq!(facts.size, Size::new(576, 324), "{variable}");
        assert_near(&bars(&look(&jpeg).0), &BARS);
    }
}

#[test]
fn the_camera_turns_the_picture_itself_where_it_can() {
    let reversed: Vec<_> = BARS.iter().rev().copied().collect();
    for (arguments, asked, bars_are) in [
        (["--rotate", "180"], "--rotation=180", &reversed),
        (["--flip", "h"], "--hflip", &reversed),
        (["--flip", "v"], "--vflip", &BARS.to_vec()),
    ] {
        for format in FORMATS {
            let rpicam = Rpicam::new();
            let camera = camera(&rpicam, &[&["--csi-format", format][..], &arguments].concat());
            let (_, jpeg) = NativeClient::connect(camera.port()).frame();
            let (picture, stamp) = look(&jpeg);
            assert_near(&bars(&picture), bars_are);
            assert_eq!(stamp, None, "{arguments:?}: it is at another edge, or the other way round");
            let start = rpicam.starts().remove(0);
            assert!(start.arguments.iter().any(|it| it == asked), "{start:?}");
        }
    }
    let rpicam = Rpicam::new();
    let camera = camera(&rpicam, &["--rotate", "90"]);
    let (facts, _) = NativeClient::connect(camera.port()).frame();
    assert_eq!(facts.size, Size::new(180, 320), "lancam turns it");
    let start = rpicam.starts().remove(0);
    assert!(!start.arguments.iter().any(|it| it.contains("flip") || it.contains("rotation")));
}

#[test]
fn what_viewers_are_sent_is_made_as_the_options_say() {
    let rpicam = Rpicam::new();
    let options = [
        "--width",
        "192",
        "--quality",
        "30",
        "--csi-option",
        "ev=-1",
        "--csi-option",
        "awb=cloudy",
    ];
    let camera = camera(&rpicam, &options);
    let (facts, small) = NativeClient::connect(camera.port()).frame();
    assert_eq!(facts.size, Size::new(192, 108));
    let snapshot = get(camera.port(), "/snapshot?width=192&quality=95");
    assert_eq!(snapshot.code, 200);
    assert!(snapshot.body.len() > small.len(), "the quality counts");
    let start = rpicam.starts().remove(0);
    for asked in ["--ev=-1", "--awb=cloudy", "--width=320", "--height=180", "--framerate=60"] {
        assert!(start.arguments.iter().any(|it| it == asked), "{asked}: {start:?}");
    }
}

#[test]
fn auto_takes_a_ribbon_camera_where_there_is_no_other() {
    if Path::new("/dev/video0").exists() {
        return skip("auto", "this machine has a camera of its own");
    }
    let rpicam = Rpicam::new();
    let program = rpicam.path();
    let named = ["--csi-program", program.to_str().expect("UTF-8")];
    let camera = CameraProcess::start(&[&named[..], &SMALL].concat());
    let (facts, _) = NativeClient::connect(camera.port()).frame();
    assert_eq!(facts.size, Size::new(320, 180));
    let address = format!("127.0.0.1:{}", camera.port());
    let output =
        Viewer::start(&["-v", "--headless", "--json", "--frames", "20", &address]).finish();
    assert!(output.status.success(), "{}", output.log.join("\n"));
    let sequences = output.sequences();
    assert!(sequences.len() == 20 && sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");
}

#[test]
fn browsers_get_a_ribbon_camera_part_by_part_in_either_format() {
    for format in FORMATS {
        let rpicam = Rpicam::new();
        let camera = camera(&rpicam, &["--csi-format", format]);
        let mut stream = HttpClient::connect(camera.port()).stream("/stream");
        let mut last = None;
        for _ in 0..60 {
            let (picture, stamp) = look(&stream.part().jpeg);
            assert_near(&bars(&picture), &BARS);
            let number = stamp.map(|stamp| stamp.sequence);
            assert!(number > last, "{format}: {number:?} after {last:?}");
            last = number;
        }
    }
}

#[test]
fn there_is_a_child_only_while_somebody_watches() {
    let rpicam = Rpicam::new();
    let camera = camera(&rpicam, &["--idle-stop", "0.2"]);
    let state = || get(camera.port(), "/state").text().to_owned();
    wait_until("rest", || state().contains("\"resting\"").then_some(()));
    assert_eq!(rpicam.starts(), [], "nobody has watched");
    for time in 1..=3 {
        let mut viewer = NativeClient::connect(camera.port());
        viewer.frame();
        assert_eq!(rpicam.running().len(), 1);
        assert_eq!(rpicam.starts().len(), time);
        drop(viewer);
        wait_until("its end", || rpicam.running().is_empty().then_some(()));
        wait_until("rest", || state().contains("\"resting\"").then_some(()));
    }
    assert!(camera.terminate().success());
}

#[test]
fn what_a_viewer_sets_restarts_the_child_once_for_values_dragged_in_a_row() {
    const BRIGHTNESS: u32 = 0x0098_0900;
    let rpicam = Rpicam::new();
    let camera = camera(&rpicam, &["--control", "lan", "--csi-format", "yuv420"]);
    let mut viewer = NativeClient::connect(camera.port());
    let (_, before) = viewer.frame();
    assert_near(&bars(&look(&before).0), &BARS);
    let began_at = Instant::now();
    for value in 1..=10 {
        viewer.say(&Message::SetControl { id: BRIGHTNESS, value: value * 10 });
    }
    loop {
        let said = viewer.hear_of_controls();
        assert!(matches!(said, Said::Control { .. }), "{said:?}");
        if matches!(said, Said::Control { value: 100, .. }) {
            break;
        }
    }
    frame_where(&mut viewer, |picture| picture.rgb(310, 60)[0] > 50);
    let gap = began_at.elapsed();
    println!("the picture was back {gap:?} after the first of ten values (goal 1.5 s)");
    assert!(gap < Duration::from_millis(7500), "{gap:?}");
    let starts = rpicam.starts();
    assert_eq!(starts.len(), 2, "{starts:?}");
    assert!(starts[1].arguments.contains(&"--brightness=1".into()), "{starts:?}");
    assert_eq!(rpicam.running(), [starts[1].process]);
}

#[test]
fn a_value_that_a_viewer_drags_slowly_restarts_the_child_few_times() {
    const BRIGHTNESS: u32 = 0x0098_0900;
    let rpicam = Rpicam::new();
    let camera = camera(&rpicam, &["--control", "lan", "--csi-format", "yuv420"]);
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    for value in 1..=12 {
        viewer.say(&Message::SetControl { id: BRIGHTNESS, value: value * 5 });
        let said = viewer.hear_of_controls();
        assert!(matches!(said, Said::Control { .. }), "{said:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
    let last = wait_until("the last value", || {
        let last = rpicam.starts().pop()?;
        last.arguments.contains(&"--brightness=0.6".into()).then_some(last)
    });
    let starts = rpicam.starts();
    // One at first, and two or three for 3.6 s of changes. A busy machine makes one of it now and then.
    assert!(starts.len() <= 6, "{} starts", starts.len());
    assert_eq!(rpicam.running(), [last.process]);
}
