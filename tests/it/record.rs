//! Recordings by the whole program: what is in them, what is left of them after a kill, and what a bad disk does to them.

use crate::allocations;
use crate::camera_process::PATIENCE;
use crate::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::matroska_reader::{Film, read};
use crate::skip::skip;
use crate::viewer_process::{Output, Viewer};
use crate::x11::wait_until;
use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::viewer::recorder::Phase;
use lancam::viewer::recorder::intake::Intake;
use lancam::wire::native::message::Message;
use lancam::wire::packet::{Codec, FrameFacts};
use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(160, 96);

/// A frame as it is sent.
type Frame = (FrameFacts, Vec<u8>);

/// Frames at 30 in a second, by the camera's clock, with some jitter, and none alike.
fn frames(count: u64, size: Size) -> Vec<Frame> {
    let mut pattern = Pattern::new(size);
    let captured = |sequence| Micros(50_000_000_000 + sequence * 33_333 + sequence * 7919 % 1000);
    let frame = |sequence| {
        let facts = FrameFacts { captured_at: captured(sequence), ..jpeg_facts(sequence, size) };
        (facts, pattern.jpeg(sequence).to_vec())
    };
    (1..=count).map(frame).collect()
}

/// Sends these to each viewer, and then nothing.
fn camera(frames: Vec<Frame>) -> FakeServer {
    FakeServer::on(0, move |stream| {
        let mut camera = greet(stream)?;
        frames.iter().try_for_each(|(facts, payload)| camera.send_frame(facts, payload))?;
        camera.idle(Duration::from_secs(60))
    })
}

fn greet(stream: TcpStream) -> io::Result<FakeCamera> {
    let mut camera = FakeCamera::greet(stream, "Küche")?;
    let (codec, source) = (Codec::Jpeg, "made up");
    camera.send(&Message::Stream { codec, size: SIZE, millifps: 30_000, source })?;
    Ok(camera)
}

fn record(server: &FakeServer, path: &Path, more: &[&str]) -> Output {
    let (address, path) = (server.address(), path.to_str().expect("UTF-8"));
    let arguments = ["--headless", "--json", "--record", path, &address];
    Viewer::start(&[&arguments, more].concat()).finish()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mkv");
    (folder, path)
}

/// When each was taken after the first, in tenths of a millisecond.
fn ticks(frames: &[Frame]) -> Vec<u64> {
    let first = frames[0].0.captured_at;
    let tick = |(facts, _): &Frame| (facts.captured_at.0 - first.0) / 100;
    frames.iter().map(tick).collect()
}

/// The last lasts as long as the one before.
fn duration(frames: &[Frame]) -> u64 {
    let [.., before, last] = ticks(frames)[..] else { panic!("two frames") };
    last + (last - before)
}

#[track_caller]
fn assert_holds(film: &Film, frames: &[Frame]) {
    assert_eq!(film.frames.len(), frames.len());
    let times: Vec<u64> = film.frames.iter().map(|(time, _)| *time).collect();
    assert_eq!(times, ticks(frames));
    for ((time, found), (facts, sent)) in film.frames.iter().zip(frames) {
        assert!(found == sent, "frame {} at {time}", facts.sequence);
    }
}

/// What ffprobe says of `path`; `None`, said as a skip, where there is none.
fn ffprobe(path: &Path, entries: &str) -> Option<Vec<String>> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-count_packets", "-show_entries", entries]);
    command.args(["-of", "default=noprint_wrappers=1:nokey=1"]).arg(path).stdin(Stdio::null());
    match command.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let is_fine = said.lines().all(|line| line.ends_with("File ended prematurely"));
            assert!(output.status.success() && is_fine, "{said}");
            let text = String::from_utf8(output.stdout).expect("ASCII");
            Some(text.lines().map(str::to_owned).collect())
        }
        Err(error) => {
            skip("ffprobe", &error.to_string());
            None
        }
    }
}

/// ffmpeg and its kin find the same in a file as was sent.
fn assert_ffmpeg_finds(path: &Path, film: &Film) {
    let Some(said) = ffprobe(path, "stream=codec_name,nb_read_packets:format=duration") else {
        return;
    };
    let seconds = format!("{:.6}", film.duration as f64 / 10_000.0);
    assert_eq!(said, ["mjpeg", &film.frames.len().to_string(), &seconds]);
    let times = ffprobe(path, "packet=pts_time").expect("it was there");
    let expected: Vec<_> =
        film.frames.iter().map(|(time, _)| format!("{:.6}", *time as f64 / 10_000.0)).collect();
    // Behind the packets it counts them.
    assert_eq!(times[..expected.len()], expected);

    let folder = tempfile::tempdir().expect("a folder");
    let pattern = folder.path().join("%d.jpg");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(path).args(["-c", "copy"]).arg(&pattern);
    let Ok(output) = ffmpeg.stdin(Stdio::null()).output() else { return skip("ffmpeg", "none") };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (number, (_, sent)) in (1..).zip(&film.frames) {
        let jpeg = fs::read(folder.path().join(format!("{number}.jpg"))).expect("a JPEG");
        assert!(jpeg == *sent, "frame {number} comes out as it was sent");
    }
    assert!(!folder.path().join(format!("{}.jpg", film.frames.len() + 1)).exists());
}

#[test]
fn every_frame_is_in_the_file_as_it_was_sent_and_when_it_was_taken() {
    let (_folder, path) = folder();
    let frames = frames(100, SIZE);
    let output = record(&camera(frames.clone()), &path, &["--seconds", "1"]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    assert_eq!(output.figure("recorded"), 100.0, "{}", output.stdout);
    assert_eq!(output.figure("record_dropped"), 0.0);
    let film = read(&fs::read(&path).expect("recorded"));
    assert_holds(&film, &frames);
    assert_eq!((film.codec.as_str(), film.size), ("V_MJPEG", (160, 96)));
    assert_eq!(film.title, "Küche");
    assert!(film.is_closed, "{film:?}");
    assert_eq!(film.duration, duration(&frames));
    let times: Vec<_> =
        film.cues.iter().map(|(time, cluster)| (time / 10_000, time == cluster)).collect();
    assert_eq!(times, [(0, true), (1, true), (2, true), (3, true)], "a place a second");
    assert_ffmpeg_finds(&path, &film);
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
    // In the middle of it.
    wait_until("some frames", || {
        let film = fs::read(&path).map(|file| read(&file)).unwrap_or_default();
        (film.frames.len() > 70).then_some(())
    });
    // SIGKILL.
    drop(viewer);
    let film = read(&fs::read(&path).expect("recorded"));
    let count = film.frames.len();
    println!("{count} frames and {} bytes of the next", film.rest);
    assert_holds(&film, &frames[..count]);
    assert!(!film.is_closed && film.cues.is_empty(), "it had no time for that");
    // Killed between a frame and its duration, that is the one before's.
    let durations = [count, count - 1].map(|count| duration(&frames[..count]));
    assert!(durations.contains(&film.duration), "{} of {durations:?}", film.duration);
    assert_ffmpeg_finds(&path, &film);
}

#[test]
fn another_size_begins_another_file_and_none_is_overwritten() {
    let (folder, path) = folder();
    let small = Size::new(96, 64);
    let mut all = frames(20, SIZE);
    all.extend(frames(35, small).drain(20..));
    all.extend(frames(50, SIZE).drain(35..));
    // The camera lies about it, and cameras do: it is the JPEG that counts.
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
        let film = read(&fs::read(&path).expect("recorded"));
        assert_holds(&film, part);
        assert_eq!(film.size, size);
        assert!(film.is_closed);
        assert_ffmpeg_finds(&path, &film);
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
            // By its clock it has just been started.
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
    let film = read(&fs::read(&path).expect("recorded"));
    let times: Vec<u64> = film.frames.iter().map(|(time, _)| *time).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let expected = ticks(&frames(10, SIZE));
    assert_eq!(times[..10], expected);
    // By its own clock again, but for what a frame takes to arrive.
    for (time, expected) in times[10..].iter().zip(&expected) {
        assert!((time - times[10]).abs_diff(*expected) <= 1, "{times:?}");
    }
    // The camera was away for a quarter of a second.
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
    let film = read(&fs::read(&path).expect("recorded"));
    assert!(film.frames.iter().zip(&sent).all(|((_, found), (_, sent))| found == sent));
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
    record(&server, &path, &[]).expect(1, "x.mkv exists already, and nothing is overwritten");
    assert_eq!(fs::read(&path).expect("there"), b"dear");
    let nowhere = folder.path().join("nowhere/x.mkv");
    record(&server, &nowhere, &[]).expect(1, "cannot record into ");
    // Nothing came, so nothing stays.
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
    recorder.start_for_sure(&path, soon()).expect("a new file");
    let camera = Arc::from("cam");
    let mut allocated = 0;
    for (count, (facts, jpeg)) in (1..).zip(frames(200, SIZE)) {
        let mut take = || intake.take(&facts, None, &jpeg, &camera);
        let count_of_it = allocations::count(&mut take);
        allocated += if count > 20 { count_of_it } else { 0 };
        // The disk keeps up, so that no more of them wait than ever did.
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
    recorder.start_for_sure(&path, soon()).expect("a new file");
    let all = frames(7, SIZE);
    for (number, (facts, jpeg)) in (1..).zip(&all) {
        if number == 4 {
            // Twice is once: there was no frame in between.
            intake.begin_new_file();
            intake.begin_new_file();
        }
        let camera = Arc::from(if number < 4 { "Garage" } else { "Door" });
        intake.take(facts, None, jpeg, &camera);
    }
    assert_eq!(recorder.finish(soon()).map(|it| (it.frames, it.phase)), Some((7, Phase::Done)));
    for (name, part, title) in [("x.mkv", &all[..3], "Garage"), ("x-2.mkv", &all[3..], "Door")] {
        let film = read(&fs::read(folder.path().join(name)).expect("recorded"));
        assert_eq!((film.frames.len(), film.title.as_str()), (part.len(), title));
        assert!(film.frames.iter().zip(part).all(|((_, found), (_, sent))| found == sent));
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

/// Runs the viewer with a disk of so many KiB at `disk`, and copies what is on it to `kept` in the end.
const ON_A_SMALL_DISK: &str = r#"
    mount -t tmpfs -o size="$3"k small "$1" || exit 99
    "$VIEWER" --headless --json --seconds 1.5 --record "$1/x.mkv" "$4"
    code=$?
    cp "$1"/* "$2"
    exit $code
"#;

#[test]
fn a_full_disk_ends_the_recording_and_not_the_picture() {
    let server = FakeServer::on(0, |stream| {
        let mut camera = greet(stream)?;
        for (facts, payload) in frames(100, Size::new(320, 176)) {
            camera.send_frame(&facts, &payload)?;
            camera.idle(Duration::from_millis(10))?;
        }
        camera.idle(Duration::from_secs(60))
    });
    // With and without room for the end of the file.
    for kib in [40, 64, 84] {
        let (disk, kept) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK, "sh"]);
        command.arg(disk.path()).arg(kept.path()).args([&kib.to_string(), &server.address()]);
        command.env("VIEWER", env!("CARGO_BIN_EXE_lancam-view")).env_remove("RUST_LOG");
        let output = match command.stdin(Stdio::null()).output() {
            Ok(output) if output.status.code() != Some(99) => output,
            Ok(output) => {
                return skip("a disk of its own", &String::from_utf8_lossy(&output.stderr));
            }
            Err(error) => return skip("unshare", &error.to_string()),
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("No space left on device") && said.contains("kept"), "{said}");
        let stdout = String::from_utf8(output.stdout).expect("JSON");
        let output = Output { status: output.status, stdout, log: Vec::new() };
        let path = kept.path().join("x.mkv");
        let film = read(&fs::read(&path).expect("copied"));
        let count = film.frames.len();
        println!("{kib} KiB: {count} frames, closed: {}, {} bytes", film.is_closed, film.rest);
        assert_eq!(output.figure("recorded"), count as f64);
        let shown = output.figure("frames");
        assert!(count > 1 && shown > count as f64 + 10.0, "it goes on: {}", output.stdout);
        assert!(film.is_closed, "with or without cues");
        assert_ffmpeg_finds(&path, &film);
    }
}

/// A JPEG that says much besides its picture.
fn long_jpeg(jpeg: &[u8], segments: usize) -> Vec<u8> {
    let comment = [&[0xFF, 0xFE, 0xFF, 0xFF][..], &[b' '; 0xFFFD]].concat();
    [&jpeg[..2], &comment.repeat(segments), &jpeg[2..]].concat()
}

/// Ages on the screen, and the memory it took, while frames of half a megabyte are recorded into a pipe that nobody reads.
#[test]
fn a_disk_that_stands_still_costs_frames_of_the_file_and_no_age() {
    let (_folder, path) = folder();
    let mkfifo = Command::new("mkfifo").arg(&path).status();
    assert!(mkfifo.is_ok_and(|status| status.success()), "a pipe");
    let jpeg = long_jpeg(Pattern::new(SIZE).jpeg(1), 8);
    let len = jpeg.len();
    let (is_over, all_sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let server = {
        let (is_over, all_sent) = (Arc::clone(&is_over), Arc::clone(&all_sent));
        FakeServer::on(0, move |stream| {
            let mut camera = greet(stream)?.with_clock(Duration::ZERO);
            let mut sequence = 0;
            while !is_over.load(Ordering::SeqCst) {
                sequence += 1;
                let facts = FrameFacts { captured_at: camera.now(), ..jpeg_facts(sequence, SIZE) };
                camera.send_frame(&facts, &jpeg)?;
                all_sent.store(sequence, Ordering::SeqCst);
                camera.idle(Duration::from_millis(20))?;
            }
            camera.idle(Duration::from_secs(60))
        })
    };
    let (drain, begin) = mpsc::channel();
    let reader = {
        let path = path.clone();
        thread::spawn(move || {
            let mut pipe = fs::File::open(path).expect("a pipe");
            begin.recv().expect("no panic");
            let mut all = Vec::new();
            pipe.read_to_end(&mut all).expect("to its end");
            all
        })
    };
    let (address, name) = (server.address(), path.to_str().expect("UTF-8"));
    let arguments = ["--headless", "--json", "--seconds", "5", "--record", name, &address];
    let viewer = Viewer::start(&arguments);
    // More than the queue takes, be it by time or by memory.
    wait_until("3 s of frames", || (all_sent.load(Ordering::SeqCst) > 150).then_some(()));
    let status = fs::read_to_string(format!("/proc/{}/status", viewer.id())).expect("it runs");
    is_over.store(true, Ordering::SeqCst);
    drain.send(()).expect("it waits");
    let output = viewer.finish();
    assert!(output.status.success(), "{}", output.log.join("\n"));
    println!("{}", output.stdout);

    let sent = all_sent.load(Ordering::SeqCst) as f64;
    let (recorded, dropped) = (output.figure("recorded"), output.figure("record_dropped"));
    assert_eq!(recorded + dropped, sent, "{}", output.stdout);
    assert!(dropped > 10.0, "{}", output.stdout);
    let film = read(&reader.join().expect("no panic"));
    assert_eq!(film.frames.len() as f64, recorded);
    // A wait for the disk would be one of seconds.
    assert!(output.figure("max") < 500.0, "{}", output.stdout);
    assert!(output.figure("frames") > sent * 0.9, "{}", output.stdout);

    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux");
    let kib: usize = most.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("{kib} KiB, {} of them frames that wait", (32 << 10).min(150 * len / 1024));
    assert!(kib < (32 << 10) + 40_000, "{kib} KiB");
}
