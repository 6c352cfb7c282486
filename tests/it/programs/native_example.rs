//! examples/native_viewer.py, the native protocol in one page of Python, does what a viewer should do.

use crate::tools::camera_process::CameraProcess;
use crate::tools::delaying_proxy::delaying;
use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::native_client::look;
use crate::tools::skip::skip;
use lancam::image::pixels::Size;
use lancam::wire::native::header::Header;
use lancam::wire::native::message::{Message, StatusCode};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/native_viewer.py");
const SIZE: Size = Size::new(320, 180);

/// Watches this many frames on a port of loopback. `None` if Python is not installed, which counts as a skip.
fn watch(port: u16, frames: usize, save: &Path) -> Option<Output> {
    let mut command = Command::new("python3");
    command.args(["-W", "error", EXAMPLE, "127.0.0.1", "--port", &port.to_string(), "--frames"]);
    match command.arg(frames.to_string()).arg("--save").arg(save).output() {
        Ok(output) => Some(output),
        Err(error) => {
            skip("python3", &error.to_string());
            None
        }
    }
}

/// The number, the age in ms and the uncertainty of each frame that it printed.
fn told(output: &Output) -> Vec<(u64, f64, f64)> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.strip_prefix("frame ")?.split([' ', ':']).collect();
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
fn it_is_one_page() {
    let lines = std::fs::read_to_string(EXAMPLE).expect("readable").lines().count();
    assert!(lines <= 60, "{lines} lines");
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
    let (picture, stamp) = look(&std::fs::read(&file).expect("saved"));
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
