//! Recordings that are split into files by time and by length, with a limit for their number; and pictures
//! that keep their size while they are recorded.

use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::recording::{
    Frame, SIZE, assert_ffmpeg_finds, assert_seamless, camera, folder, frames, greet, record,
    recordings,
};
use crate::tools::stage::Stage;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::rate::Rate;
use lancam::wire::native::MAX_REQUEST;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::{Message, StatusCode, Wishes};
use lancam::wire::packet::{Codec, FrameFacts};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::cell::Cell;
use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// Records these frames, and checks that every file is complete and no frame is lost or repeated. Returns the
/// number of frames in each file.
#[track_caller]
fn record_seamlessly(sent: &[Frame], path: &Path, more: &[&str]) -> Vec<usize> {
    let folder = path.parent().expect("a folder");
    let more = [&["--seconds", "1"], more].concat();
    let output = record(&camera(sent.to_vec()), path, &more);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    assert_eq!(output.figure("recorded"), sent.len() as f64);
    let recordings = recordings(folder);
    assert_seamless(&recordings, sent);
    for (name, recording) in &recordings {
        assert!(name.starts_with("x_2") && name.ends_with(".mkv"), "{name}");
        assert!(
            recording.is_closed && !recording.cues.is_empty() && recording.frames[0].0 == 0,
            "{name}"
        );
        assert_ffmpeg_finds(&folder.join(name), recording);
    }
    recordings.iter().map(|(_, recording)| recording.frames.len()).collect()
}

#[test]
fn files_of_a_length_in_time_follow_each_other_without_a_seam() {
    let (_folder, path) = folder();
    // The frames are 33.3 ms apart.
    let counts = record_seamlessly(&frames(100, SIZE), &path, &["--record-every", "1s"]);
    assert_eq!(counts.len(), 4, "{counts:?}");
    assert!(counts[..3].iter().all(|count| (29..=31).contains(count)), "{counts:?}");
}

#[test]
fn files_of_a_length_in_bytes_follow_each_other_without_a_seam() {
    let (folder, path) = folder();
    let counts = record_seamlessly(&frames(100, SIZE), &path, &["--record-max", "30kB"]);
    assert!(counts.len() > 3, "{counts:?}");
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let len = entry.expect("readable").metadata().expect("there").len();
        assert!(len <= 30_000, "{len}");
    }
}

#[test]
fn files_of_a_few_frames_that_begin_in_the_same_millisecond_follow_each_other_too() {
    let (_folder, path) = folder();
    let counts = record_seamlessly(&frames(100, SIZE), &path, &["--record-max", "10kB"]);
    assert!(counts.len() > 15, "{counts:?}");
}

#[test]
fn the_newest_files_are_kept_and_nobody_elses_is_removed() {
    let (folder, path) = folder();
    let others = ["x.mkv", "x_2001-01-01_00-00-00.000.mkv", "x-2.mkv"];
    for other in others {
        fs::write(folder.path().join(other), b"dear").expect("written");
    }
    let sent = frames(200, SIZE);
    let more = ["--seconds", "1", "--record-every", "1s", "--record-keep", "2"];
    let output = record(&camera(sent.clone()), &path, &more);
    assert_eq!(output.figure("recorded"), 200.0, "{}", output.log.join("\n"));
    for other in others {
        let path = folder.path().join(other);
        assert_eq!(fs::read(&path).expect("there"), b"dear");
        fs::remove_file(path).expect("removed");
    }
    let recordings = recordings(folder.path());
    assert_eq!(recordings.len(), 2);
    let kept: usize = recordings.iter().map(|(_, recording)| recording.frames.len()).sum();
    assert_seamless(&recordings, &sent[200 - kept..]);
}

/// Sends 50 frames of this size a second, and passes on the wishes that arrive.
fn wished(size: Size, name: &'static str) -> (FakeServer, mpsc::Receiver<Wishes>) {
    let (sender, wishes) = mpsc::channel();
    let sender = Mutex::new(sender);
    let server = FakeServer::on(0, move |stream| {
        let mut camera = FakeCamera::greet(stream, name)?;
        let mut pattern = Pattern::new(size);
        for sequence in 1.. {
            let facts = jpeg_facts(sequence, size);
            let facts = FrameFacts { captured_at: Micros(sequence * 20_000), ..facts };
            let sender = sender.lock().expect("no panic").clone();
            camera.send_frame_and_hear(&facts, pattern.jpeg(sequence), |message| {
                if let Message::Wishes(wishes) = message {
                    // The send fails if the test has ended.
                    let _ = sender.send(*wishes);
                }
            })?;
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    });
    (server, wishes)
}

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_size_is_held_while_it_is_recorded() {
    let (_folder, path) = folder();
    let (server, wishes) = wished(SIZE, "fake");
    let more = ["--seconds", "1", "--quality", "70"];
    let output = record(&server, &path, &more);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    let held = Wishes { width: 160, height: 96, quality: 70, rate: Rate::NONE };
    assert_eq!(wishes.recv_timeout(PATIENCE), Ok(held));
    assert!(wishes.try_recv().is_err(), "once is enough");
}

#[test]
fn a_camera_that_was_unplugged_leaves_no_size_to_the_one_in_its_place() {
    let (_folder, path) = folder();
    let (sender, wishes) = mpsc::channel();
    let sender = Mutex::new(sender);
    let larger = Size::new(320, 192);
    let server = FakeServer::on(0, move |stream| {
        let mut camera = greet(stream)?;
        let sender = sender.lock().expect("no panic").clone();
        let tell = |wishes: Wishes| {
            // The send fails if the test has ended.
            let _ = sender.send(wishes);
        };
        let mut sequence = 0;
        for size in [SIZE, larger] {
            let mut pattern = Pattern::new(size);
            let is_held = Cell::new(false);
            while !is_held.get() {
                sequence += 1;
                let facts = jpeg_facts(sequence, size);
                let facts = FrameFacts { captured_at: Micros(sequence * 20_000), ..facts };
                camera.send_frame_and_hear(&facts, pattern.jpeg(sequence), |message| {
                    if let Message::Wishes(wishes) = message {
                        is_held.set(true);
                        tell(*wishes);
                    }
                })?;
                thread::sleep(Duration::from_millis(20));
            }
            // The same camera is late for a moment, and keeps its size.
            let (code, text) = (StatusCode::CameraLost, "the camera gave no frame");
            camera.send(&Message::Status { code, text })?;
            sequence += 1;
            camera.send_frame(&jpeg_facts(sequence, size), pattern.jpeg(sequence))?;
            // It is unplugged, or replaced without a word.
            let (code, text) = (StatusCode::NoCamera, "there is no camera");
            let (codec, rate) = (Codec::Jpeg, Rate(30_000));
            camera.send(&match size == larger {
                false => Message::Status { code, text },
                true => Message::Stream { codec, size, rate, source: "another one" },
            })?;
            tell(camera.wait_for(|message| match message {
                Message::Wishes(wishes) => Some(wishes),
                _ => None,
            })?);
        }
        camera.idle(PATIENCE)
    });
    let name = path.to_str().expect("UTF-8");
    let viewer = Viewer::start(&["--headless", "--record", name, &server.address()]);
    for (width, height) in [(160, 96), (0, 0), (320, 192), (0, 0)] {
        let expected = Wishes { width, height, ..Wishes::default() };
        assert_eq!(wishes.recv_timeout(PATIENCE), Ok(expected));
    }
    end(viewer);
}

#[test]
fn a_connection_begins_without_the_size_of_the_one_before() {
    let (_folder, path) = folder();
    let (sender, hellos) = mpsc::channel();
    let sender = Mutex::new(sender);
    let server = FakeServer::on(0, move |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        // The send fails if the test has ended.
        let _ = sender.lock().expect("no panic").send(camera.hello.clone());
        let mut pattern = Pattern::new(SIZE);
        let is_held = Cell::new(false);
        for sequence in 1.. {
            let facts = jpeg_facts(sequence, SIZE);
            let facts = FrameFacts { captured_at: Micros(sequence * 20_000), ..facts };
            camera.send_frame_and_hear(&facts, pattern.jpeg(sequence), |message| {
                let is_wish = matches!(message, Message::Wishes(wishes) if wishes.width == 160);
                is_held.set(is_held.get() || is_wish);
            })?;
            // The camera is started anew, perhaps with another size.
            if is_held.get() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    });
    let name = path.to_str().expect("UTF-8");
    let viewer = Viewer::start(&["--headless", "--record", name, &server.address()]);
    for connection in ["the first", "the second"] {
        let hello = hellos.recv_timeout(PATIENCE).expect(connection);
        assert!(hello.contains("width: 0"), "{connection}: {hello}");
    }
    end(viewer);
}

/// A camera whose viewer has asked for the size that it records, and that closes the connection then.
fn until_the_size_is_held(stream: TcpStream) -> io::Result<()> {
    let mut camera = FakeCamera::greet(stream, "fake")?;
    let mut pattern = Pattern::new(SIZE);
    let is_held = Cell::new(false);
    for sequence in (1..).take_while(|_| !is_held.get()) {
        let facts = jpeg_facts(sequence, SIZE);
        camera.send_frame_and_hear(&facts, pattern.jpeg(sequence), |message| {
            is_held.set(is_held.get() || matches!(message, Message::Wishes(_)));
        })?;
    }
    Ok(())
}

/// The version that both speak is not known before, so the camera could not read what is said.
#[test]
fn nothing_is_said_between_the_greeting_and_the_welcome_though_a_recording_runs() {
    let (_folder, path) = folder();
    let (sender, said) = mpsc::channel();
    let sender = Mutex::new(sender);
    let is_first = AtomicBool::new(true);
    let server = FakeServer::on(0, move |mut stream| {
        if is_first.swap(false, Ordering::SeqCst) {
            return until_the_size_is_held(stream);
        }
        stream.set_read_timeout(Some(Duration::from_millis(300)))?;
        let (mut bytes, mut decoder) = (Vec::new(), Decoder::new(MAX_REQUEST));
        // The time passes.
        let _ = stream.read_to_end(&mut bytes);
        decoder.push(&bytes);
        let mut said = Vec::new();
        while let Some(message) = decoder.next_message().map_err(io::Error::other)? {
            said.push(format!("{message:?}"));
        }
        // The send fails if the test has ended.
        let _ = sender.lock().expect("no panic").send(said);
        Ok(())
    });
    let name = path.to_str().expect("UTF-8");
    let viewer = Viewer::start(&["--headless", "--record", name, &server.address()]);
    let said = said.recv_timeout(PATIENCE).expect("a second connection");
    assert!(matches!(&said[..], [greeting] if greeting.starts_with("Hello")), "{said:?}");
    end(viewer);
}

#[test]
fn a_size_that_somebody_wishes_for_is_theirs() {
    let (_folder, path) = folder();
    let (server, wishes) = wished(SIZE, "fake");
    let output = record(&server, &path, &["--seconds", "1", "--width", "320"]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    assert!(wishes.try_recv().is_err());
}

fn end(viewer: Viewer) -> Vec<String> {
    let id = i32::try_from(viewer.id()).expect("a process");
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("it runs");
    let output = viewer.finish();
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
    output.log
}

#[test]
fn the_key_cuts_files_too_and_gives_the_size_back_at_the_end() {
    let Some(stage) = Stage::new() else { return };
    let (server, wishes) = wished(Size::new(640, 360), "fake");
    let viewer = stage.open(&["--record-every", "1s", &server.address()]);
    stage.wait_for_title("fake");
    stage.press(&["r"]);
    wait_until("three files", || (stage.recordings().len() >= 3).then_some(()));
    let held = Wishes { width: 640, height: 360, ..Wishes::default() };
    assert_eq!(wishes.recv_timeout(PATIENCE), Ok(held));
    stage.press(&["r"]);
    assert_eq!(wishes.recv_timeout(PATIENCE), Ok(Wishes::default()), "it is given back");
    end(viewer);
    for (name, recording) in recordings(&stage.home.path().join("Videos")) {
        assert!(
            name.starts_with("fake_2") && recording.is_closed && !recording.frames.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn each_of_several_cameras_has_a_file_with_its_name_and_a_signal_finishes_them() {
    let Some(stage) = Stage::new() else { return };
    let (folder, path) = folder();
    let cameras = [wished(SIZE, "Garage"), wished(Size::new(96, 64), "Front/door")];
    let addresses = cameras.each_ref().map(|(server, _)| server.address());
    let name = path.to_str().expect("UTF-8");
    let arguments = ["--record", name, &addresses[0], &addresses[1]];
    let viewer = stage.open(&arguments);
    let files = ["x_Garage.mkv", "x_Front_door.mkv"].map(|name| folder.path().join(name));
    let is_long = |path: &Path| fs::metadata(path).is_ok_and(|it| it.len() > 50_000);
    wait_until("frames of both", || files.iter().all(|path| is_long(path)).then_some(()));
    end(viewer);
    for (path, (title, size)) in files.iter().zip([("Garage", (160, 96)), ("Front/door", (96, 64))])
    {
        let recording = crate::tools::matroska_reader::read(&fs::read(path).expect("recorded"));
        assert_eq!((recording.title.as_str(), recording.size), (title, size));
        assert!(recording.is_closed && !recording.cues.is_empty());
        assert_ffmpeg_finds(path, &recording);
    }
}

#[test]
fn a_camera_that_changes_its_size_more_than_a_hundred_times_is_recorded_on() {
    let (folder, path) = folder();
    let mut sent = Vec::new();
    for (number, (facts, jpeg)) in (0_u64..).zip(frames(240, SIZE)) {
        // In four and a half hours the size changes 119 times.
        let captured_at = Micros(facts.captured_at.0 + number * 70_000_000);
        let is_small = number / 2 % 2 == 1;
        let small = || Pattern::new(Size::new(96, 64)).jpeg(number + 1).to_vec();
        sent.push((FrameFacts { captured_at, ..facts }, if is_small { small() } else { jpeg }));
    }
    let output = record(&camera(sent), &path, &["--seconds", "2"]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    // All frames came within a second. A hundred changes are allowed, and then no more.
    let (recorded, dropped) = (output.figure("recorded"), output.figure("record_dropped"));
    assert_eq!(recorded + dropped, 240.0, "{}", output.stdout);
    let recordings = recordings(folder.path());
    assert_eq!(recordings.len(), 101);
    assert!(recordings.iter().all(|(_, recording)| recording.is_closed));
    assert!(recordings.iter().any(|(name, _)| name == "x-100.mkv"), "numbers go on");
}
