//! The age of a ribbon camera's pictures, compared with the time of exposure that is drawn in them.

use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::{NativeClient, Said, look};
use crate::tools::rpicam::{DELAY, Rpicam};
use lancam::image::frame::Micros;
use lancam::wire::native::message::Message;
use std::time::{Duration, Instant};

/// How far a frame's time may be from the truth.
const NEAR: Duration = Duration::from_millis(3);

/// The errors in the times of this many frames, sorted.
fn errors(fault: &str, format: &str, frames: usize) -> Vec<Duration> {
    let rpicam = Rpicam::with_fault(fault);
    let camera = rpicam.camera(&["--size", "320x180", "--fps", "30", "--csi-format", format]);
    let mut viewer = NativeClient::connect(camera.port());
    let mut errors: Vec<Duration> = (0..frames)
        .map(|_| {
            let (facts, jpeg) = viewer.frame();
            let stamp = look(&jpeg).1.expect("a time in the picture");
            distance(facts.captured_at, stamp.made_at)
        })
        .collect();
    errors.sort();
    errors
}

fn distance(one: Micros, other: Micros) -> Duration {
    one.since(other).max(other.since(one))
}

#[track_caller]
fn are_near(errors: &[Duration], what: &str) {
    let p99 = errors[errors.len() * 99 / 100];
    println!("{what}: p50 {:?}, p99 {p99:?}, worst {:?}", errors[errors.len() / 2], errors.last());
    assert!(p99 <= NEAR, "{what}: {p99:?}");
}

#[test]
fn a_picture_is_as_old_as_its_camera_says() {
    for format in ["yuv420", "mjpeg"] {
        are_near(&errors("", format, 60), format);
    }
}

#[test]
#[ignore = "minutes: make test-all"]
fn times_that_are_lost_or_late_shift_no_others() {
    for fault in ["", "lines-lost", "lines-late"] {
        for format in ["yuv420", "mjpeg"] {
            are_near(&errors(fault, format, 600), &format!("{format} {fault}"));
        }
    }
}

#[test]
fn lost_times_shift_no_others() {
    are_near(&errors("lines-lost", "yuv420", 100), "lines-lost");
}

#[test]
fn frames_that_the_program_leaves_out_shift_no_times() {
    are_near(&errors("leaves-out", "yuv420", 100), "leaves-out");
}

#[test]
fn a_camera_that_is_slower_than_it_was_asked_to_be_has_right_times() {
    are_near(&errors("half-the-rate", "yuv420", 60), "half-the-rate");
}

#[test]
fn viewers_are_told_when_the_camera_begins_to_tell_times() {
    let rpicam = Rpicam::with_fault("first-lines-lost");
    let camera = rpicam.camera(&["--size", "320x180", "--fps", "30", "--csi-format", "yuv420"]);
    let mut viewer = NativeClient::connect(camera.port());
    for counts_from_arrival in [true, false] {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "not told: {counts_from_arrival}");
            match viewer.hear() {
                Said::Stream { source, .. }
                    if source.contains("older than shown") == counts_from_arrival =>
                {
                    break;
                }
                Said::Frame { facts, .. } => viewer.say(&Message::Ack { sequence: facts.sequence }),
                Said::Closed => panic!("closed"),
                _ => {}
            }
        }
    }
    assert_eq!(rpicam.starts().len(), 1, "the camera stayed open");
}

#[test]
fn a_program_too_old_to_tell_times_still_gives_pictures_whose_age_is_a_lower_bound() {
    let rpicam = Rpicam::with_fault("old");
    let camera = rpicam.camera(&["--size", "320x180"]);
    let mut viewer = NativeClient::connect(camera.port());
    let mut source = String::new();
    let (facts, jpeg) = loop {
        match viewer.hear() {
            Said::Stream { source: said, .. } => source = said,
            Said::Frame { facts, payload } => break (facts, payload),
            Said::Closed => panic!("closed"),
            _ => {}
        }
    };
    assert!(source.contains("older than shown"), "{source}");
    let made_at = look(&jpeg).1.expect("a time in the picture").made_at;
    assert!(facts.captured_at.since(made_at) >= DELAY, "it counts from the arrival");
    assert_eq!(rpicam.starts().len(), 2, "the first one was refused an option");
}
