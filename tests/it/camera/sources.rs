//! Files, pipes and patterns as sources: rewritten, cut off, silent, or of the wrong kind; and the camera's
//! reports of its health.

use crate::tools::camera_process::{CameraProcess, PATIENCE, run_to_end, signal, wait};
use crate::tools::http_client::{Answer, HttpClient, get};
use crate::tools::jpeg_tools::encoded;
use crate::tools::native_client::{NativeClient, Said, look};
use lancam::image::pixels::{Chroma, Size};
use lancam::wire::native::message::StatusCode;
use nix::sys::stat::Mode;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const SIZE: Size = Size::new(64, 48);

fn jpeg() -> Vec<u8> {
    encoded(SIZE, Chroma::Yuv420, 80)
}

/// A JPEG without its end marker.
fn bare() -> Vec<u8> {
    let mut jpeg = jpeg();
    jpeg.truncate(jpeg.len() - 2);
    jpeg
}

/// A JPEG of a kind that the decoder does not support. `change` edits its frame header, from the marker on.
fn undecodable(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut jpeg = jpeg();
    let at = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("SOF0");
    change(&mut jpeg[at..]);
    jpeg
}

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mjpeg");
    fs::write(&path, bytes).expect("writes");
    (folder, path)
}

fn playing(path: &Path, arguments: &[&str]) -> CameraProcess {
    CameraProcess::start(&[&["--source", path.to_str().expect("UTF-8")], arguments].concat())
}

/// A camera that reads what the test writes.
fn piped() -> (CameraProcess, ChildStdin) {
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "-"]);
    command.stdin(Stdio::piped());
    let mut camera = CameraProcess::spawn(&mut command);
    let pipe = camera.child.stdin.take().expect("piped");
    (camera, pipe)
}

/// Waits until `/healthz` answers with this code and a text that contains `text`.
fn health(camera: &CameraProcess, code: u16, text: &str) -> Answer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = get(camera.port(), "/healthz");
        if answer.code == code && answer.text().contains(text) {
            return answer;
        }
        let heard = answer.text();
        assert!(Instant::now() < deadline, "{} {heard}, not {code} {text}", answer.code);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Writes pictures until `enough` says so.
fn feed(pipe: &mut impl Write, jpeg: &[u8], enough: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !enough() {
        pipe.write_all(jpeg).expect("it reads");
        assert!(Instant::now() < deadline, "not enough");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_live(port: u16) -> bool {
    get(port, "/healthz").text().contains("live")
}

/// The processor time that it has used, in seconds.
fn processor_time(camera: &CameraProcess) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", camera.child.id())).expect("it lives");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("a name").split(' ').collect();
    let ticks: u32 = fields[11..13].iter().map(|it| it.parse::<u32>().expect("a number")).sum();
    f64::from(ticks) / 100.0
}

#[test]
fn a_clip_that_is_emptied_removed_or_replaced_while_it_plays_is_told_and_played_again() {
    let (_folder, path) = file(&jpeg().repeat(3));
    let camera = playing(&path, &["--fps", "50"]);
    health(&camera, 200, "live");
    for (trouble, what) in [
        ("emptied", "JPEG"),
        ("without a picture", "no JPEG"),
        ("removed", "there is no file"),
        ("a directory", "directory"),
    ] {
        match trouble {
            "emptied" => fs::write(&path, "").expect("writes"),
            "without a picture" => fs::write(&path, "text").expect("writes"),
            "removed" => fs::remove_file(&path).expect("removes"),
            _ => {
                fs::remove_file(&path).expect("removes");
                fs::create_dir(&path).expect("makes");
            }
        }
        health(&camera, 503, if trouble == "emptied" { "" } else { what });
        if path.is_dir() {
            fs::remove_dir(&path).expect("removes");
        }
        // Writes the new file beside the old one and renames it, as careful programs do.
        let new = path.with_extension("new");
        fs::write(&new, jpeg().repeat(2)).expect("writes");
        fs::rename(&new, &path).expect("moves");
        health(&camera, 200, "live");
    }
    fs::write(&path, "").expect("writes");
    health(&camera, 503, "");
    let before = processor_time(&camera);
    std::thread::sleep(Duration::from_secs(1));
    let used = processor_time(&camera) - before;
    assert!(used < 0.5, "{used} s of processor time in 1 s with nothing to do");
    assert!(camera.terminate().success());
}

#[test]
fn a_pipe_with_a_name_needs_no_writer_to_start_and_takes_one_after_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO");
    let camera = playing(&path, &[]);
    health(&camera, 503, "no program writes");
    let port = camera.port();
    for _ in 0..2 {
        let mut writer = File::options().write(true).open(&path).expect("opens");
        feed(&mut writer, &jpeg(), || is_live(camera.port()));
        std::thread::scope(|threads| {
            let still = threads.spawn(|| get(port, "/snapshot").code);
            feed(&mut writer, &jpeg(), || still.is_finished());
            assert_eq!(still.join().expect("no panic"), 200);
        });
        drop(writer);
        health(&camera, 503, "no program writes");
    }
    let before = processor_time(&camera);
    std::thread::sleep(Duration::from_secs(1));
    assert!(processor_time(&camera) - before < 0.5, "it waits without turning");
    assert!(camera.terminate().success());
}

#[test]
fn a_program_that_opens_the_pipe_for_each_picture_is_not_missed_between_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO");
    let log = folder.path().join("log");
    let source = path.to_str().expect("UTF-8");
    let arguments = ["--listen", "127.0.0.1:0", "--source", source, "--fps", "0.5"];
    let mut command = CameraProcess::command(&arguments);
    let camera = CameraProcess::spawn_with(&mut command, File::create(&log).expect("new").into());
    let stop = AtomicBool::new(false);
    let port = camera.port();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            // It ends at some time, even if the test fails before that.
            for _ in 0..20 {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let mut writer = File::options().write(true).open(&path).expect("opens");
                writer.write_all(&jpeg()).expect("it reads");
                drop(writer);
                std::thread::sleep(Duration::from_millis(1200));
            }
        });
        health(&camera, 200, "live");
        let until = Instant::now() + Duration::from_secs(7);
        let mut texts = Vec::new();
        while Instant::now() < until {
            texts.push(get(port, "/healthz").text().to_owned());
            std::thread::sleep(Duration::from_millis(100));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(texts.iter().all(|text| text.contains("live")), "{texts:?}");
    });
    health(&camera, 503, "no program writes");
    assert!(camera.terminate().success());
    let log = fs::read_to_string(&log).expect("there");
    assert!(log.matches("no program writes").count() <= 2, "{log}");
    assert!(!log.contains("has ended"), "{log}");
}

#[test]
fn a_pipe_with_a_name_that_is_made_anew_or_becomes_a_file_is_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    let make = || nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO");
    // A blocking open would wait for a reader for ever if the test fails.
    let writer = || {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let nonblocking = nix::libc::O_NONBLOCK;
            match File::options().write(true).custom_flags(nonblocking).open(&path) {
                Ok(writer) => return writer,
                Err(error) => assert!(Instant::now() < deadline, "nobody reads: {error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    make();
    let camera = playing(&path, &["--fps", "10"]);
    let live = || is_live(camera.port());
    feed(&mut writer(), &jpeg(), live);
    // Replaces the pipe while no program has it open for writing.
    health(&camera, 503, "no program writes");
    fs::remove_file(&path).expect("removes");
    make();
    let mut old = writer();
    feed(&mut old, &jpeg(), live);
    // Replaces the pipe while a program still has the old one open for writing.
    fs::remove_file(&path).expect("removes");
    make();
    feed(&mut writer(), &jpeg(), live);
    drop(old);
    // Replaces the pipe by a file. It must be played at its rate, and not as fast as lancam can read it.
    health(&camera, 503, "no program writes");
    let held = writer();
    fs::remove_file(&path).expect("removes");
    fs::write(&path, jpeg().repeat(3)).expect("writes");
    drop(held);
    health(&camera, 200, "live");
    let before = processor_time(&camera);
    std::thread::sleep(Duration::from_secs(1));
    let used = processor_time(&camera) - before;
    assert!(used < 0.3, "{used} s of processor time in 1 s for 10 small pictures");
    assert!(camera.terminate().success());
}

#[test]
fn what_the_shell_hands_over_works_as_standard_input_does() {
    let (_folder, path) = file(&jpeg());
    for source in ["/dev/stdin <", "- <", "/dev/fd/0 <", "/dev/fd/7 7<", ""] {
        // lancam replaces the shell. When lancam ends, the loop ends.
        let script = format!(
            "exec {} --listen 127.0.0.1:0 --source {source} <(while cat '{}'; do sleep 0.02; done 2>/dev/null)",
            env!("CARGO_BIN_EXE_lancam"),
            path.display()
        );
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &script]).env("LANCAM_ANNOUNCE", "off").env("LANCAM_CONFIG", "");
        let camera = CameraProcess::spawn(&mut command);
        health(&camera, 200, "live");
        assert_eq!(get(camera.port(), "/snapshot").code, 200, "{source}");
    }
}

#[test]
fn a_directory_a_socket_and_a_device_are_called_what_they_are_before_anybody_is_invited() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    for (source, code, what) in [
        (folder.path().to_str().expect("UTF-8"), 69, "is a directory"),
        (socket.to_str().expect("UTF-8"), 69, "is a socket"),
        ("/dev/null", 69, "not a camera"),
        ("/dev/zero", 69, "not a camera"),
        ("webcam", 69, "did you mean \"auto\""),
        ("no-camera-of-mine", 69, "lancam list shows them"),
        ("rtsp://camera/stream", 2, "not network streams"),
        ("http://camera:8080/?action=stream", 2, "not network streams"),
    ] {
        let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", source]);
        let output = command.stdin(Stdio::null()).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{source}: {text}");
        assert!(text.contains(what), "{source}: {text}");
        assert!(output.stdout.is_empty(), "{source}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

/// A read of the kernel's log blocks until the next line.
#[test]
fn a_file_that_keeps_its_readers_waiting_is_no_clip() {
    let folder = tempfile::tempdir().expect("a folder");
    // Only root may open it, so the test only checks that the program ends.
    let link = folder.path().join("clip.mjpeg");
    std::os::unix::fs::symlink("/proc/kmsg", &link).expect("a link");
    let source = link.to_str().expect("UTF-8");
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", source]);
    let (code, text) = run_to_end(&mut command);
    assert_eq!(code, Some(69), "{text}");
}

#[test]
fn a_still_is_of_now_or_there_is_none_whichever_way_it_is_asked_for() {
    let (camera, mut pipe) = piped();
    let port = camera.port();
    feed(&mut pipe, &jpeg(), || is_live(port));
    let mut stream = std::thread::scope(|threads| {
        let stream = threads.spawn(|| HttpClient::connect(port).stream("/stream"));
        feed(&mut pipe, &jpeg(), || stream.is_finished());
        stream.join().expect("no panic")
    });
    for _ in 0..10 {
        pipe.write_all(&jpeg()).expect("it reads");
        stream.part();
    }
    // No more pictures come from the pipe, while a viewer still has the last one.
    let began_at = Instant::now();
    for target in ["/snapshot", "/?action=snapshot", "/snapshot?width=32", "/snapshot.jpg?fps=1"] {
        let asked_at = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let answer = get(port, target);
        if answer.code == 200 {
            let age = asked_at.as_secs_f64() - answer.timestamp();
            assert!(age < 0.5, "{target}: {age} s old, after {:?}", began_at.elapsed());
        } else {
            assert_eq!(answer.code, 503, "{target}");
            assert!(answer.text().contains("no picture"), "{target}: {}", answer.text());
        }
    }
    health(&camera, 503, "no picture for");
    let mut viewer = NativeClient::connect(port);
    let told = loop {
        match viewer.hear() {
            Said::Status { code, text } => break (code, text),
            Said::Frame { .. } => panic!("an old picture"),
            _ => {}
        }
    };
    assert_eq!(told.0, StatusCode::CameraLost);
    assert!(told.1.contains("standard input has sent no picture for"), "{told:?}");
    // A stream begins with a notice that was drawn just now.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let words = HttpClient::connect(port).stream("/stream").part();
    assert!(words.timestamp > now - 10.0 && words.jpeg != jpeg(), "an old picture");
    // When the camera goes on, stills come again.
    feed(&mut pipe, &jpeg(), || is_live(port));
    std::thread::scope(|threads| {
        let still = threads.spawn(|| get(port, "/snapshot").code);
        feed(&mut pipe, &jpeg(), || still.is_finished());
        assert_eq!(still.join().expect("no panic"), 200);
    });
}

#[test]
fn a_camera_whose_jpegs_nobody_can_show_is_not_well_and_says_why() {
    let cases: [(&str, Vec<u8>); 4] = [
        ("decode", undecodable(|header| header[4] = 12)),
        ("decode", undecodable(|header| header[1] = 0xC9)),
        ("decode", undecodable(|header| header[1] = 0xC3)),
        ("contradicts", undecodable(|header| header[5..9].fill(0xFF))),
    ];
    for (why, jpeg) in cases {
        let (_folder, path) = file(&jpeg.repeat(2));
        let camera = playing(&path, &[]);
        health(&camera, 503, why);
        let state = get(camera.port(), "/state");
        assert!(state.text().contains("{\"ok\":false,"), "{}", state.text());
        assert_eq!(get(camera.port(), "/snapshot").code, 503);
        // A stream shows the reason only as a picture.
        let drawn = HttpClient::connect(camera.port()).stream("/stream").part();
        assert!(drawn.jpeg.starts_with(&[0xFF, 0xD8]) && drawn.jpeg != jpeg, "{why}");
        let (piped, mut pipe) = piped();
        for _ in 0..30 {
            pipe.write_all(&jpeg).expect("it reads");
            std::thread::sleep(Duration::from_millis(5));
        }
        health(&piped, 503, why);
    }
}

#[test]
fn a_clip_that_becomes_usable_is_well_again() {
    let broken = undecodable(|header| header[4] = 12);
    let (_folder, path) = file(&broken.repeat(2));
    let camera = playing(&path, &["--fps", "50"]);
    health(&camera, 503, "decode");
    fs::write(&path, jpeg()).expect("writes");
    health(&camera, 200, "live");
    assert_eq!(get(camera.port(), "/snapshot").code, 200);
}

#[test]
fn a_picture_that_only_renditions_cannot_use_makes_the_camera_unwell_while_they_are_watched() {
    // Red, green and blue, which Adobe's segment announces. Browsers show such a picture, but lancam cannot
    // make planes of it.
    let jpeg = encoded(SIZE, Chroma::Yuv444, 80);
    let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0";
    let rgb = [&jpeg[..2], adobe, &jpeg[20..]].concat();
    let (_folder, path) = file(&rgb);
    let camera = playing(&path, &["--fps", "50"]);
    health(&camera, 200, "live");
    let mut small = HttpClient::connect(camera.port());
    small.say("GET /stream?width=32 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    health(&camera, 503, "cannot send");
    drop(small);
    health(&camera, 200, "live");
}

#[test]
fn a_picture_longer_than_the_wire_carries_is_told() {
    let mut long = bare();
    long.resize(17 << 20, 0x55);
    long.extend([0xFF, 0xD9]);
    let (_folder, path) = file(&[&jpeg()[..], &long].concat());
    let (camera, mut pipe) = piped();
    for _ in 0..2 {
        pipe.write_all(&long).expect("it reads");
    }
    health(&camera, 503, "16 MiB");
    let clip = playing(&path, &["--fps", "50"]);
    health(&clip, 200, "live");
}

#[test]
fn jpegs_without_end_markers_are_shown_from_files_and_pipes() {
    for count in [1, 5] {
        let (_folder, path) = file(&bare().repeat(count));
        let camera = playing(&path, &["--fps", "20"]);
        let still = get(camera.port(), "/snapshot");
        assert_eq!(still.code, 200, "{count} in the file: {}", still.text());
        assert!(still.body.ends_with(&[0xFF, 0xD9]));
        assert_eq!(look(&still.body).0.size(), SIZE);
    }
    let (camera, mut pipe) = piped();
    let port = camera.port();
    feed(&mut pipe, &bare(), || is_live(port));
    let mut stream = std::thread::scope(|threads| {
        let stream = threads.spawn(|| HttpClient::connect(port).stream("/stream"));
        feed(&mut pipe, &bare(), || stream.is_finished());
        stream.join().expect("no panic")
    });
    stream.part();
    // lancam sends it at once, and does not wait for the next one, which may never come.
    pipe.write_all(&bare()).expect("it reads");
    assert!(stream.part().jpeg.ends_with(&[0xFF, 0xD9]));
}

#[test]
fn a_cut_jpeg_among_whole_ones_is_left_out() {
    let cut = &jpeg()[..jpeg().len() - 40];
    let thumbnail = [b"\xFF\xE1\0\x0CEx\xFF\xD8\xFF\xD9\0\0\0\0", &jpeg()[2..]].concat();
    let with_thumbnail = [&jpeg()[..2], &thumbnail].concat();
    let whole = [&jpeg()[..], b"junk", &with_thumbnail].concat().repeat(7);
    let stream = [cut, &whole].concat();
    let (_folder, path) = file(&stream.repeat(3));
    let camera = playing(&path, &["--fps", "50"]);
    let mut viewer = NativeClient::connect(camera.port());
    for _ in 0..20 {
        let (_, payload) = viewer.frame();
        assert!(payload.len() >= jpeg().len() - 2, "{} bytes are a cut one", payload.len());
    }
}

#[test]
fn something_else_in_the_pipe_is_called_by_its_name() {
    for (bytes, name) in [
        (&b"\0\0\0\x01\x67\x42\xC0\x1E\xFF\xD8\x12\x34"[..], "looks like H.264"),
        (b"\x89PNG\r\n\x1a\n0000", "looks like PNG"),
        (b"ERROR: *** no cameras available ***\n", "no cameras available"),
        (b"<!DOCTYPE html><html></html>", "looks like HTML"),
        (b"\x1F\x8B\x08\0\0\0\0\0", "looks like gzip"),
    ] {
        let (camera, mut pipe) = piped();
        pipe.write_all(bytes).expect("it reads");
        let answer = health(&camera, 503, name);
        let told = format!("{} bytes came from standard input, without a JPEG", bytes.len());
        assert!(answer.text().starts_with(&told), "{}", answer.text());
        // When it ends, the program says so too.
        drop(pipe);
        let mut camera = camera;
        assert_eq!(wait(&mut camera.child).code(), Some(69));
    }
    let mut nothing = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "-"]);
    let (code, text) = run_to_end(&mut nothing);
    assert_eq!(code, Some(69), "{text}");
    assert!(text.contains("it was empty"), "{text}");
}

#[test]
fn an_endless_stream_of_something_else_takes_no_memory_and_one_line_of_log() {
    let mut command =
        CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "/dev/stdin"]);
    let log = tempfile::NamedTempFile::new().expect("a file");
    command.stdin(File::open("/dev/zero").expect("opens"));
    let camera = CameraProcess::spawn_with(&mut command, log.reopen().expect("opens").into());
    health(&camera, 503, "nothing but zeros");
    std::thread::sleep(Duration::from_secs(2));
    let status = fs::read_to_string(format!("/proc/{}/status", camera.child.id()));
    let status = status.expect("it lives");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kilobytes < 100_000, "{kilobytes} kB");
    assert!(camera.terminate().success());
    let said = fs::read_to_string(log.path()).expect("reads");
    assert_eq!(said.matches("without a JPEG").count(), 1, "{said}");
}

#[test]
fn a_slow_clip_is_waited_for_and_well_between_its_pictures() {
    let (_folder, path) = file(&jpeg());
    let camera = playing(&path, &["--fps", "0.2"]);
    health(&camera, 200, "live");
    for _ in 0..2 {
        let asked_at = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let answer = get(camera.port(), "/snapshot");
        assert_eq!(answer.code, 200, "{}", answer.text());
        assert!(answer.timestamp() > asked_at.as_secs_f64() - 0.5, "taken for this request");
        health(&camera, 200, "live");
    }
}

#[test]
fn the_sequence_of_a_clip_and_a_pattern_rises_when_they_are_opened_again() {
    let (_folder, path) = file(&jpeg());
    for source in [path.to_str().expect("UTF-8"), "test:64x48@50"] {
        let camera =
            CameraProcess::start(&["--source", source, "--fps", "50", "--idle-stop", "0.1"]);
        let mut last = 0;
        for _ in 0..2 {
            let mut viewer = NativeClient::connect(camera.port());
            for _ in 0..5 {
                let sequence = viewer.frame().0.sequence;
                assert!(sequence > last, "{source}: {sequence} after {last}");
                last = sequence;
            }
            drop(viewer);
            health(&camera, 200, "is off until somebody watches");
        }
    }
}

#[test]
fn a_source_that_gives_nothing_usable_rests_while_nobody_watches_and_is_no_better_for_it() {
    let broken = undecodable(|header| header[4] = 12);
    let (_folder, path) = file(&broken);
    let log = tempfile::NamedTempFile::new().expect("a file");
    let arguments = ["--listen", "127.0.0.1:0", "--idle-stop", "0.5", "--fps", "50", "--source"];
    let mut command =
        CameraProcess::command(&[&arguments[..], &[path.to_str().expect("UTF-8")]].concat());
    let camera = CameraProcess::spawn_with(&mut command, log.reopen().expect("opens").into());
    let deadline = Instant::now() + PATIENCE;
    let rests = || {
        fs::read_to_string(log.path()).expect("reads").contains("no pictures, and nobody watches")
    };
    while !rests() {
        assert!(Instant::now() < deadline, "it does not rest");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(get(camera.port(), "/healthz").code, 503);
    // The next viewer makes lancam find out that the file is good again.
    fs::write(&path, jpeg()).expect("writes");
    NativeClient::connect(camera.port()).frame();
    health(&camera, 200, "");
    let mut camera = camera;
    signal(&camera.child, "TERM");
    assert!(wait(&mut camera.child).success());
}
