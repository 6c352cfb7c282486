//! Recordings on bad disks: full, slow, too small for a file, or not a disk at all.

use crate::tools::alone::is_alone;
use crate::tools::camera_process::PATIENCE;
use crate::tools::fake_camera::{FakeServer, Pattern, jpeg_facts};
use crate::tools::matroska_reader::read;
use crate::tools::mounting::in_namespaces;
use crate::tools::recording::{
    SIZE, assert_ffmpeg_finds, assert_seamless, camera, folder, frames, greet, record, recordings,
};
use crate::tools::until::wait_until;
use crate::tools::viewer_process::{Output, Viewer};
use lancam::image::pixels::Size;
use lancam::viewer::keep::recorder::intake::Intake;
use lancam::viewer::keep::recorder::{Phase, Plan};
use lancam::wire::packet::FrameFacts;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn wherever_a_file_has_to_end_there_are_whole_files_or_none() {
    if is_alone(module_path!(), "wherever_a_file_has_to_end_there_are_whole_files_or_none") {
        record_under_every_limit();
    }
}

/// Tries every limit for the length of a file, from one byte to the room for three frames.
fn record_under_every_limit() {
    // As in the program, a file that becomes too long must be an error and not a signal.
    SigSet::from_iter([Signal::SIGXFSZ]).thread_block().expect("held back");
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).expect("a limit");
    let sent = frames(4, Size::new(32, 32));
    let most = 600 + sent.iter().take(3).map(|(_, jpeg)| jpeg.len() + 40).sum::<usize>();
    let (mut none, mut files) = (0, 0);
    for limit in 1..=most {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.mkv");
        let mut intake = Intake::default();
        let recorder = intake.recorder();
        let soon = || Instant::now() + PATIENCE;
        setrlimit(Resource::RLIMIT_FSIZE, limit as u64, hard).expect("below the hard one");
        recorder.start_for_sure(Plan::file(&path), soon()).expect("a new file");
        for (facts, jpeg) in &sent {
            intake.take(facts, None, jpeg, &Arc::from("cam"));
        }
        let state = recorder.finish(soon()).expect("it was on");
        let recordings = recordings(folder.path());
        assert!(
            recordings.iter().all(|(_, recording)| recording.is_closed && recording.rest == 0),
            "{limit}"
        );
        match &state.phase {
            Phase::Done => assert_seamless(&recordings, &sent),
            Phase::Failed(why) => {
                assert!(why.contains("Nothing was recorded"), "{limit}: {why}");
                assert!(recordings.is_empty(), "{limit}");
                none += 1;
            }
            phase => panic!("{limit}: {phase:?}"),
        }
        files += recordings.len();
        recorder.start_for_sure(Plan::file(&path), soon()).map_or_else(
            |error| assert!(error.contains("exists") && !recordings.is_empty(), "{limit}: {error}"),
            |()| drop(recorder.finish(soon())),
        );
    }
    setrlimit(Resource::RLIMIT_FSIZE, hard, hard).expect("as it was");
    assert!(none > 300 && files > most, "{none} without a file, {files} files");
    println!("every limit up to {most} bytes: {none} without a file, {files} files");
}

#[test]
fn a_file_that_can_be_no_longer_is_followed_by_the_next() {
    let (folder, path) = folder();
    let sent = frames(40, SIZE);
    let server = camera(sent.clone());
    let mut command = Command::new("sh");
    // The limit is in blocks of 512 bytes. Exceeding it sends a signal, which would end the program by
    // default.
    command.args(["-c", "ulimit -f 60; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_lancam-view")]);
    command.args(["--headless", "--json", "--seconds", "1", "--record"]).arg(&path);
    command.arg(server.address()).env_remove("RUST_LOG");
    let output = Viewer::spawn(&mut command).finish();
    assert_eq!(output.status.code(), Some(0), "{}", output.log.join("\n"));
    assert_eq!(output.figure("recorded"), 40.0, "{}", output.stdout);
    let recordings = recordings(folder.path());
    assert!(recordings.len() > 2, "{} files", recordings.len());
    assert_seamless(&recordings, &sent);
    for (name, recording) in &recordings {
        assert!(recording.is_closed, "{name}");
        assert_ffmpeg_finds(&folder.path().join(name), recording);
    }
    assert!(
        recordings[1..].iter().all(|(_, recording)| !recording.cues.is_empty()),
        "there was room for those"
    );
}

/// Mounts a disk of this many KiB, runs a viewer that records there, and copies what is there at the end.
const ON_A_FULL_DISK: &str = r#"
    mount -t tmpfs -o size="$3"k small "$1" || exit
    "$VIEWER" --headless --json --seconds 1 --record "$1/x.mkv" "$4"
    code=$?
    cp -r "$1"/. "$2"
    exit $code
"#;

#[test]
fn a_disk_that_is_full_at_the_first_frame_leaves_no_file() {
    let large = frames(3, Size::new(640, 480));
    let mut changing = frames(3, SIZE);
    changing.extend(frames(6, Size::new(640, 480)).drain(3..));
    for (kib, sent, left) in [(4, large, 0), (12, changing, 1)] {
        let server = camera(sent.clone());
        let Some((output, kept)) = run_on_disk(ON_A_FULL_DISK, kib, &server) else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("the disk is full; make room"), "{said}");
        let told = if left == 0 { "Nothing was recorded" } else { "is kept" };
        assert!(said.contains(told), "{said}");
        let recordings = recordings(kept.path());
        assert_eq!(recordings.len(), left, "{said}");
        assert_seamless(&recordings, &sent[..left * 3]);
        assert!(recordings.iter().all(|(_, recording)| recording.is_closed));
    }
}

/// Runs a script with a disk of this many KiB. Returns its output and a folder with what it kept. `None` if
/// such a disk cannot be mounted here, which counts as a skip.
fn run_on_disk(
    script: &str,
    kib: u32,
    server: &FakeServer,
) -> Option<(std::process::Output, tempfile::TempDir)> {
    let (disk, kept) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
    let mut command = in_namespaces(script)?;
    command.arg(disk.path()).arg(kept.path()).args([&kib.to_string(), &server.address()]);
    command.env("VIEWER", env!("CARGO_BIN_EXE_lancam-view")).env_remove("RUST_LOG");
    Some((command.output().expect("unshare is there"), kept))
}

fn pipe(path: &Path) {
    let mkfifo = Command::new("mkfifo").arg(path).status();
    assert!(mkfifo.is_ok_and(|status| status.success()), "a pipe");
}

#[test]
fn a_pipe_that_nobody_reads_keeps_nobody_waiting() {
    let (_folder, path) = folder();
    pipe(&path);
    let server = camera(frames(30, SIZE));
    let started = Instant::now();
    let output = record(&server, &path, &["--seconds", "0.5"]);
    let took = started.elapsed();
    output.expect(1, "nobody has read from the pipe");
    assert_eq!((output.figure("frames") > 0.0, output.figure("recorded")), (true, 0.0));
    assert!(took < Duration::from_secs(6), "{took:?} for half a second");
}

#[test]
fn who_reads_a_pipe_later_gets_a_recording_that_begins_then() {
    let (_folder, path) = folder();
    pipe(&path);
    let (begin, is_read) = mpsc::channel();
    let is_read = std::sync::Mutex::new(is_read);
    let server = FakeServer::on(0, move |stream| {
        // The camera must answer pings. Otherwise the viewer closes the connection while no frames come.
        let mut camera = greet(stream)?.with_clock(Duration::ZERO);
        let all = frames(40, SIZE);
        for (facts, jpeg) in &all[..20] {
            camera.send_frame(facts, jpeg)?;
        }
        while is_read.lock().expect("no panic").try_recv().is_err() {
            camera.idle(Duration::from_millis(50))?;
        }
        // The viewer looks at the pipe ten times a second.
        camera.idle(Duration::from_secs(2))?;
        for (facts, jpeg) in &all[20..] {
            camera.send_frame(facts, jpeg)?;
        }
        camera.idle(Duration::from_secs(60))
    });
    let (address, name) = (server.address(), path.to_str().expect("UTF-8"));
    // Frames that come at the same time are all recorded, but not all of them are shown and counted.
    let arguments = ["-v", "--headless", "--json", "--seconds", "8", "--record", name, &address];
    let mut viewer = Viewer::start(&arguments);
    viewer.wait_for("recording begins when a program reads the pipe");
    viewer.wait_for("frame 20 of");
    let reader = {
        let path = path.clone();
        thread::spawn(move || fs::read(path).expect("read to its end"))
    };
    begin.send(()).expect("it waits");
    let output = viewer.finish();
    assert!(output.status.success(), "{}", output.log.join("\n"));
    let recording = read(&reader.join().expect("no panic"));
    assert_eq!(recording.frames.len(), 20, "{}", output.stdout);
    assert_eq!((output.figure("recorded"), output.figure("record_dropped")), (20.0, 0.0));
    assert!(recording.frames.iter().zip(&frames(40, SIZE)[20..]).all(|((_, a), (_, b))| a == b));
}

#[test]
fn what_is_no_place_for_a_recording_is_refused_in_plain_words() {
    let (folder, path) = folder();
    let server = camera(frames(3, SIZE));
    let refused =
        |path: &Path, more: &[&str], why: &str| record(&server, path, more).expect(1, why);
    fs::create_dir(&path).expect("a folder");
    refused(&path, &[], "x.mkv is a folder. Name a file in it, such as ");
    refused(&path, &["--record-every", "1min"], "x.mkv is a folder");
    let missing = folder.path().join("no/such/y.mkv");
    refused(&missing, &[], "there is no folder ");
    refused(&missing, &["--record-max", "1GB"], "there is no folder ");
    let long = folder.path().join(format!("{}.mkv", "x".repeat(300)));
    refused(&long, &[], "the file's name is too long");
    let pipe_path = folder.path().join("pipe.mkv");
    pipe(&pipe_path);
    refused(&pipe_path, &["--record-every", "1min"], "is not a file. Leave out --record-every");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing was made");
}

/// Runs the viewer with a disk of this many KiB at `disk`, and copies its contents to `kept` at the end.
const ON_A_SMALL_DISK: &str = r#"
    mount -t tmpfs -o size="$3"k small "$1" || exit
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
    // With and without room for the index at the end of the file.
    for kib in [40, 64, 84] {
        let (disk, kept) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
        let Some(mut command) = in_namespaces(ON_A_SMALL_DISK) else { return };
        command.arg(disk.path()).arg(kept.path()).args([&kib.to_string(), &server.address()]);
        command.env("VIEWER", env!("CARGO_BIN_EXE_lancam-view")).env_remove("RUST_LOG");
        let output = command.output().expect("unshare is there");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("No space left on device") && said.contains("kept"), "{said}");
        let stdout = String::from_utf8(output.stdout).expect("JSON");
        let output = Output { status: output.status, stdout, log: Vec::new() };
        let path = kept.path().join("x.mkv");
        let recording = read(&fs::read(&path).expect("copied"));
        let count = recording.frames.len();
        println!(
            "{kib} KiB: {count} frames, closed: {}, {} bytes",
            recording.is_closed, recording.rest
        );
        assert_eq!(output.figure("recorded"), count as f64);
        let shown = output.figure("frames");
        assert!(count > 1 && shown > count as f64 + 10.0, "it goes on: {}", output.stdout);
        assert!(recording.is_closed, "with or without cues");
        assert_ffmpeg_finds(&path, &recording);
    }
}

/// A JPEG that is long because of comments in it.
fn long_jpeg(jpeg: &[u8], segments: usize) -> Vec<u8> {
    let comment = [&[0xFF, 0xFE, 0xFF, 0xFF][..], &[b' '; 0xFFFD]].concat();
    [&jpeg[..2], &comment.repeat(segments), &jpeg[2..]].concat()
}

/// Measures the ages on the screen and the memory while frames of half a megabyte are recorded into a pipe
/// that nobody reads.
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
    // This is more than the queue takes, in time and in memory.
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
    let recording = read(&reader.join().expect("no panic"));
    assert_eq!(recording.frames.len() as f64, recorded);
    // Waiting for the disk would take seconds.
    assert!(output.figure("max") < 500.0, "{}", output.stdout);
    assert!(output.figure("frames") > sent * 0.9, "{}", output.stdout);

    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux");
    let kib: usize = most.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("{kib} KiB, {} of them frames that wait", (32 << 10).min(150 * len / 1024));
    assert!(kib < (32 << 10) + 40_000, "{kib} KiB");
}
