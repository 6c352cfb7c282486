//! Recordings by the whole program: what they contain, and what a kill leaves of them.

use crate::tools::allocations;
use crate::tools::camera_process::PATIENCE;
use crate::tools::fake_camera::{FakeServer, jpeg_facts};
use crate::tools::matroska_reader::read;
use crate::tools::recording::{
    Frame, SIZE, assert_ffmpeg_finds, assert_holds, camera, duration, ffprobe, folder, frames,
    greet, record, ticks,
};
use crate::tools::skip::skip;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::viewer::keep::recorder::intake::Intake;
use lancam::viewer::keep::recorder::lasting::Moment;
use lancam::viewer::keep::recorder::{Phase, Plan};
use lancam::wire::packet::{Codec, FrameFacts};
use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

#[test]
fn every_frame_is_in_the_file_as_it_was_sent_and_when_it_was_taken() {
    let (_folder, path) = folder();
    let frames = frames(100, SIZE);
    let output = record(&camera(frames.clone()), &path, &["--seconds", "1"]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    assert_eq!(output.figure("recorded"), 100.0, "{}", output.stdout);
    assert_eq!(output.figure("record_dropped"), 0.0);
    let recording = read(&fs::read(&path).expect("recorded"));
    assert_holds(&recording, &frames);
    assert_eq!((recording.codec.as_str(), recording.size), ("V_MJPEG", (160, 96)));
    assert_eq!(recording.title, "Küche");
    assert!(recording.is_closed, "{recording:?}");
    assert_eq!(recording.duration, duration(&frames));
    let times: Vec<_> =
        recording.cues.iter().map(|(time, cluster)| (time / 10_000, time == cluster)).collect();
    assert_eq!(times, [(0, true), (1, true), (2, true), (3, true)], "a place a second");
    assert_ffmpeg_finds(&path, &recording);
    let rate = ffprobe(&path, "stream=avg_frame_rate,r_frame_rate");
    assert!(rate.is_none_or(|rate| rate == ["30/1", "30/1"]));
}

#[test]
fn a_recording_that_was_killed_has_every_frame_that_was_written() {
    let (_folder, path) = folder();
    let frames = frames(400, SIZE);
    let server = camera(frames.clone());
    let (address, name) = (server.address(), path.to_str().expect("UTF-8"));
    let viewer = Viewer::start(&["--headless", "--seconds", "60", "--record", name, &address]);
    // Kills the viewer in the middle of the recording.
    wait_until("some frames", || {
        let recording = fs::read(&path).map(|file| read(&file)).unwrap_or_default();
        (recording.frames.len() > 70).then_some(())
    });
    // Dropping it sends SIGKILL.
    drop(viewer);
    let recording = read(&fs::read(&path).expect("recorded"));
    let count = recording.frames.len();
    println!("{count} frames and {} bytes of the next", recording.rest);
    assert_holds(&recording, &frames[..count]);
    assert!(!recording.is_closed && recording.cues.is_empty(), "it had no time for that");
    // If it was killed after a frame and before it wrote the duration, the duration is that of the frames
    // before.
    let durations = [count, count - 1].map(|count| duration(&frames[..count]));
    assert!(durations.contains(&recording.duration), "{} of {durations:?}", recording.duration);
    assert_ffmpeg_finds(&path, &recording);
}

#[test]
fn another_size_begins_another_file_and_none_is_overwritten() {
    let (folder, path) = folder();
    let small = Size::new(96, 64);
    let mut all = frames(20, SIZE);
    all.extend(frames(35, small).drain(20..));
    all.extend(frames(50, SIZE).drain(35..));
    // The camera states the wrong size, as some cameras do. The size in the JPEG counts.
    all.iter_mut().for_each(|(facts, _)| facts.size = SIZE);
    fs::write(folder.path().join("x-2.mkv"), b"dear").expect("written");
    let output = record(&camera(all.clone()), &path, &["--seconds", "1"]);
    assert_eq!(output.figure("recorded"), 50.0, "{}", output.log.join("\n"));
    for (name, part, size) in [
        ("x.mkv", &all[..20], (160, 96)),
        ("x-3.mkv", &all[20..35], (96, 64)),
        ("x-4.mkv", &all[35..], (160, 96)),
    ] {
        let path = folder.path().join(name);
        let recording = read(&fs::read(&path).expect("recorded"));
        assert_holds(&recording, part);
        assert_eq!(recording.size, size);
        assert!(recording.is_closed);
        assert_ffmpeg_finds(&path, &recording);
    }
    assert_eq!(fs::read(folder.path().join("x-2.mkv")).expect("there"), b"dear");
}

#[test]
fn a_camera_that_was_started_anew_goes_on_in_the_same_file_and_no_time_runs_back() {
    let (_folder, path) = folder();
    let count = AtomicU64::new(0);
    let server = FakeServer::on(0, move |stream| {
        let mut camera = greet(stream)?;
        let anew = count.fetch_add(1, Ordering::SeqCst);
        for (facts, payload) in frames(10, SIZE) {
            // After a restart its clock begins anew.
            let captured_at = Micros(facts.captured_at.0 - anew.min(1) * 49_999_000_000);
            camera.send_frame(&FrameFacts { captured_at, ..facts }, &payload)?;
        }
        match anew {
            0 => Ok(()),
            _ => camera.idle(Duration::from_secs(60)),
        }
    });
    let output = record(&server, &path, &["--seconds", "1.5"]);
    assert_eq!(output.figure("recorded"), 20.0, "{}", output.log.join("\n"));
    let recording = read(&fs::read(&path).expect("recorded"));
    let times: Vec<u64> = recording.frames.iter().map(|(time, _)| *time).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let expected = ticks(&frames(10, SIZE));
    assert_eq!(times[..10], expected);
    // The second part follows the camera's new clock, give or take a rounding.
    for (time, expected) in times[10..].iter().zip(&expected) {
        assert!((time - times[10]).abs_diff(*expected) <= 1, "{times:?}");
    }
    // It took about a quarter of a second to connect again.
    assert!((1000..15_000).contains(&(times[10] - times[9])), "{times:?}");
}

#[test]
fn pixels_that_were_never_a_jpeg_are_recorded_as_they_are() {
    let (_folder, path) = folder();
    let raw = |sequence: u64| {
        let facts = FrameFacts { codec: Codec::Bgr24, ..jpeg_facts(sequence, SIZE) };
        let shade = u8::try_from(sequence).expect("few");
        (FrameFacts { captured_at: Micros(0), ..facts }, vec![shade; SIZE.area() * 3])
    };
    let sent: Vec<Frame> = (1..=5).map(raw).collect();
    let output = record(&camera(sent.clone()), &path, &["--seconds", "0.5"]);
    assert_eq!(output.figure("recorded"), 5.0, "{}", output.log.join("\n"));
    let recording = read(&fs::read(&path).expect("recorded"));
    assert!(recording.frames.iter().zip(&sent).all(|((_, found), (_, sent))| found == sent));
    let entries = "stream=codec_name,pix_fmt,nb_read_packets";
    if let Some(said) = ffprobe(&path, entries) {
        assert_eq!(said, ["rawvideo", "bgr24", "5"]);
    }
}

#[test]
fn what_cannot_be_recorded_is_told_at_once() {
    let (folder, path) = folder();
    let server = camera(frames(3, SIZE));
    fs::write(&path, b"dear").expect("written");
    record(&server, &path, &[]).expect(1, "x.mkv exists already. Name another file");
    assert_eq!(fs::read(&path).expect("there"), b"dear");
    let nowhere = folder.path().join("nowhere/x.mkv");
    record(&server, &nowhere, &[]).expect(1, "cannot record into ");
    // Nothing came, so no file stays.
    let empty = folder.path().join("empty.mkv");
    let silent = FakeServer::on(0, |stream| greet(stream)?.idle(Duration::from_secs(60)));
    assert_eq!(record(&silent, &empty, &["--timeout", "0.3"]).status.code(), Some(3));
    assert!(!empty.exists());
}

#[test]
fn a_recorded_frame_costs_the_receiver_no_allocation() {
    let (_folder, path) = folder();
    let mut intake = Intake::default();
    let recorder = intake.recorder();
    let soon = || Instant::now() + PATIENCE;
    recorder.start_for_sure(Plan::file(&path), soon()).expect("a new file");
    let camera = Arc::from("cam");
    let mut allocated = 0;
    for (count, (facts, jpeg)) in (1..).zip(frames(200, SIZE)) {
        let mut take = || intake.take(&facts, None, &jpeg, &camera);
        let count_of_it = allocations::count(&mut take);
        allocated += if count > 20 { count_of_it } else { 0 };
        // Waits for the disk, so that no more frames wait than ever before.
        let deadline = soon();
        while recorder.state().expect("it is on").frames < count {
            assert!(Instant::now() < deadline, "frame {count} is not written");
            thread::yield_now();
        }
    }
    assert_eq!(allocated, 0);
    let state = recorder.finish(soon()).expect("it was on");
    assert_eq!((state.phase, state.frames, state.dropped), (Phase::Done, 200, 0));
    assert_eq!(state.bytes, fs::metadata(&path).expect("there").len());
}

#[test]
fn another_camera_begins_another_file() {
    let (folder, path) = folder();
    let mut intake = Intake::default();
    let recorder = intake.recorder();
    let soon = || Instant::now() + PATIENCE;
    recorder.start_for_sure(Plan::file(&path), soon()).expect("a new file");
    let all = frames(7, SIZE);
    for (number, (facts, jpeg)) in (1..).zip(&all) {
        if number == 4 {
            // The second call makes no difference, because no frame came in between.
            intake.begin_new_file();
            intake.begin_new_file();
        }
        let camera = Arc::from(if number < 4 { "Garage" } else { "Door" });
        intake.take(facts, None, jpeg, &camera);
    }
    assert_eq!(recorder.finish(soon()).map(|it| (it.frames, it.phase)), Some((7, Phase::Done)));
    for (name, part, title) in [("x.mkv", &all[..3], "Garage"), ("x-2.mkv", &all[3..], "Door")] {
        let recording = read(&fs::read(folder.path().join(name)).expect("recorded"));
        assert_eq!((recording.frames.len(), recording.title.as_str()), (part.len(), title));
        assert!(recording.frames.iter().zip(part).all(|((_, found), (_, sent))| found == sent));
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

#[test]
fn the_desktops_sleep_is_a_gap_in_the_recording_and_a_clock_that_is_set_is_none() {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let sent = frames(40, SIZE);
    let awake = Instant::now();
    // Ten frames in each case: as usual, after a sleep, after the calendar was set, and after a sleep in
    // which the camera restarted.
    let moments = [
        (hours(0), hours(0), 0_i64),
        (hours(8), hours(8), 0),
        (hours(8), hours(8) + hours(24), 0),
        (hours(11), hours(35), -49_000_000_000),
    ];
    let (_folder, path) = folder();
    let mut intake = Intake::default();
    let recorder = intake.recorder();
    let soon = || Instant::now() + PATIENCE;
    recorder.start_for_sure(Plan::file(&path), soon()).expect("a new file");
    for (number, (facts, jpeg)) in sent.iter().enumerate() {
        let (slept, calendar, anew) = moments[number / 10];
        let since = Duration::from_micros(33_333) * u32::try_from(number).expect("few");
        let now = Moment {
            // This clock stands still during a sleep.
            awake,
            lasting: hours(1) + since + slept,
            calendar: SystemTime::UNIX_EPOCH + hours(500_000) + since + calendar,
        };
        // The camera's clock went on.
        let captured = facts.captured_at.0 + u64::try_from(slept.as_micros()).expect("hours");
        let captured_at = Micros(captured.saturating_add_signed(anew));
        let facts = FrameFacts { captured_at, ..*facts };
        intake.take_at(&facts, None, jpeg, &Arc::from("cam"), now);
    }
    assert_eq!(recorder.finish(soon()).map(|it| it.frames), Some(40));
    let recording = read(&fs::read(&path).expect("recorded"));
    let second = 10_000;
    for (number, (time, _)) in recording.frames.iter().enumerate() {
        let slept = moments[number / 10].0.as_secs() * second;
        let expected = u64::try_from(number).expect("few") * second / 30 + slept;
        assert!(time.abs_diff(expected) < second / 10, "frame {number}: {time}, not {expected}");
    }
}

/// Runs the line of docs/VIEWER.md that makes an MP4 of a recording.
#[test]
fn the_manuals_line_makes_an_mp4_that_every_player_opens() {
    let manual = include_str!("../../../docs/VIEWER.md");
    let line = manual.lines().find(|line| line.starts_with("ffmpeg") && line.contains(".mp4"));
    let line = line.expect("a line");
    let (folder, path) = folder();
    // Many cameras send 4:2:2, so these pictures do too. H.264 has no odd sizes, viewers may ask for one.
    let size = Size::new(161, 97);
    let mut planes = lancam::image::planes::Planes::default();
    planes.reshape(size, lancam::image::pixels::Chroma::Yuv422);
    let mut encoder = lancam::image::jpeg::codec::Encoder::new(90).expect("an encoder");
    let mut jpeg = vec![0; 1 << 20];
    let len = encoder.encode(&planes, &mut jpeg).expect("encodes");
    jpeg.truncate(len);
    let sent = frames(30, size).into_iter().map(|(facts, _)| (facts, jpeg.clone())).collect();
    let output = record(&camera(sent), &path, &["--seconds", "0.5"]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    fs::rename(&path, folder.path().join("garage.mkv")).expect("renamed");
    let command = line.split('#').next().unwrap_or_default();
    let mut ffmpeg = Command::new("sh");
    ffmpeg.args(["-c", command]).current_dir(folder.path()).stdin(Stdio::null());
    let made = ffmpeg.output().expect("a shell");
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    if made.status.code() == Some(127) || said.contains("Unknown encoder") {
        return skip("an MP4 by the manual's line", "no ffmpeg with libx264");
    }
    assert!(made.status.success(), "{said}");
    let mp4 = folder.path().join("garage.mp4");
    let found = ffprobe(&mp4, "stream=codec_name,profile,pix_fmt,color_range,nb_read_packets");
    let Some(found) = found else { return };
    // From version 7 on, ffmpeg would keep JPEG's full range. Some players then show too much contrast.
    assert_eq!(found, ["h264", "High", "yuv420p", "tv", "30"]);
}
