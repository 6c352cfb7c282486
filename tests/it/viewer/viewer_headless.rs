//! The viewer without a window, against good and bad servers.

use crate::tools::fake_camera::{
    FakeCamera, FakeServer, Pattern, ReservedPort, jpeg_facts, stream_pattern,
};
use crate::tools::png_file;
use crate::tools::viewer_process::{Output, Viewer};
use lancam::image::pixels::Size;
use lancam::image::stamp::Stamp;
use lancam::rate::Rate;
use lancam::wire::native::header::Header;
use lancam::wire::native::message::{GoodbyeReason, Message, MessageKind, StatusCode};
use lancam::wire::native::write::frame_prefix;
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use lancam::wire::packet::{Codec, FrameFacts};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};

const SIZE: Size = Size::new(320, 180);

fn headless(server: &FakeServer, more: &[&str]) -> Output {
    watch(&server.address(), more)
}

fn watch(address: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["--headless", "--json", address];
    arguments.extend(more);
    Viewer::start(&arguments).finish()
}

/// Waits until the viewer has closed the connection.
fn until_closed(mut stream: &TcpStream) -> io::Result<()> {
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

#[test]
fn frames_come_in_rising_order_and_the_last_one_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let png = folder.path().join("last.png");
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 100));
    let path = png.to_str().expect("UTF-8");
    let output = headless(&server, &["-v", "--frames", "30", "--save", path]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    assert_eq!(output.figure("frames"), 30.0);
    assert_eq!(output.figure("disordered"), 0.0);
    assert_eq!(output.figure("corrupt"), 0.0);
    assert!(output.figure("fps") > 5.0, "{}", output.stdout);
    assert!(output.figure("bytes") > 30_000.0, "{}", output.stdout);
    assert!(output.figure("decode_ms") > 0.0, "{}", output.stdout);
    assert!(output.stdout.contains("\"size\":\"320x180\",\"codec\":\"jpeg\"}"));
    let sequences = output.sequences();
    assert_eq!(sequences.len(), 30);
    assert!(sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");

    let picture = png_file::read(&png);
    assert_eq!(picture.size(), SIZE);
    let stamp = Stamp::read(SIZE, |x, y| picture.rgb(x, y)[1]).expect("a stamp");
    assert_eq!(Some(&u64::from(stamp.sequence)), sequences.last());
    // Every row crosses the grey bar somewhere. The rest is red in the upper half and blue in the lower.
    for (y, colour) in [(20, [254, 0, 0]), (120, [0, 0, 254])] {
        let is_colour = |&x: &usize| {
            picture.rgb(x, y).iter().zip(colour).all(|(&a, b): (&u8, u8)| a.abs_diff(b) < 12)
        };
        let count = (0..SIZE.width).filter(is_colour).count();
        assert!(count > SIZE.width * 8 / 10, "row {y}: {count}");
    }
}

#[test]
fn it_ends_after_so_many_seconds() {
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 100));
    let output = headless(&server, &["--seconds", "0.5"]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    assert!(output.figure("frames") > 2.0, "{}", output.stdout);
}

#[test]
fn raw_frames_are_shown_and_gaps_counted_and_broken_frames_passed_over() {
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "raw")?;
        let facts = |sequence| FrameFacts { codec: Codec::Bgr24, ..jpeg_facts(sequence, SIZE) };
        let green = [0, 255, 0].repeat(SIZE.area());
        camera.send_frame(&facts(1), &green)?;
        camera.send_frame(&facts(5), &green)?;
        camera.send_frame(&jpeg_facts(6, SIZE), b"\xFF\xD8 no more of it")?;
        camera.send_frame(&facts(8), &green)?;
        until_closed(&camera.into_stream())
    });
    let folder = tempfile::tempdir().expect("a folder");
    let png = folder.path().join("last.png");
    let path = png.to_str().expect("UTF-8");
    let output = headless(&server, &["--seconds", "1", "--save", path]);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    // The first two may not have reached the screen. They count as skipped.
    assert_eq!(output.figure("frames") + output.figure("skipped"), 3.0 + 4.0, "{}", output.stdout);
    assert_eq!(output.figure("corrupt"), 1.0);
    assert!(output.stdout.contains("\"codec\":\"bgr24\"}"), "{}", output.stdout);
    assert_eq!(png_file::read(&png).rgb(0, 0), [0, 255, 0]);
}

#[test]
fn pings_are_answered_and_wishes_sent() {
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        assert!(camera.hello.contains("width: 320, height: 0, quality: 50, rate: Rate(12500)"));
        assert!(camera.hello.contains("credit: 1"), "{}", camera.hello);
        camera.send(&Message::Ping { token: 77 })?;
        camera.wait_for(|message| match message {
            Message::Pong { token: 77, .. } => Some(()),
            _ => None,
        })?;
        let jpeg = Pattern::new(SIZE).jpeg(1).to_vec();
        camera.send_frame(&jpeg_facts(1, SIZE), &jpeg)?;
        until_closed(&camera.into_stream())
    });
    let wishes = ["--width", "320", "--quality", "50", "--fps", "12.5", "--frames", "1"];
    assert!(headless(&server, &wishes).status.success());
}

#[test]
fn a_camera_without_a_picture_says_why() {
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        camera.send(&Message::Status {
            code: StatusCode::NoCamera,
            text: "no camera is plugged in",
        })?;
        until_closed(&camera.into_stream())
    });
    headless(&server, &["--timeout", "1"]).expect(3, "no picture for 1 s: no camera is plugged in");
}

#[test]
fn why_there_was_no_picture_is_logged_before_the_pictures() {
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        camera.send(&Message::Status { code: StatusCode::Starting, text: "it was off" })?;
        let (codec, rate) = (Codec::Jpeg, Rate(30_000));
        camera.send(&Message::Stream { codec, size: SIZE, rate, source: "it sends" })?;
        camera.send_frame(&jpeg_facts(1, SIZE), Pattern::new(SIZE).jpeg(1))?;
        until_closed(&camera.into_stream())
    });
    let log = headless(&server, &["--frames", "1"]).log;
    let line = |text: &str| log.iter().position(|line| line.contains(text)).expect(text);
    assert!(line("it was off") < line("it sends"), "{log:?}");
}

#[test]
fn a_web_server_is_told_apart() {
    let server = FakeServer::on(0, |mut stream| {
        stream.read_exact(&mut [0; 12])?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    });
    headless(&server, &[]).expect(3, "is a web server, not lancam");
}

#[test]
fn a_web_server_that_waits_for_the_end_of_the_request_is_told_apart() {
    let server = FakeServer::on(0, |mut stream| {
        BufReader::new(&stream).read_until(b'\n', &mut Vec::new())?;
        stream.write_all(b"<!DOCTYPE HTML>\n<title>Error</title>")
    });
    headless(&server, &[]).expect(3, "is a web server, not lancam");
}

#[test]
fn an_ssh_server_is_told_apart() {
    let server = FakeServer::on(0, |mut stream| {
        stream.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")?;
        until_closed(&stream)
    });
    headless(&server, &[]).expect(3, "is an SSH server, not lancam");
}

#[test]
fn the_tutorials_server_gets_the_option_that_watches_it() {
    let server = FakeServer::on(0, |mut stream| {
        // A length of 8 bytes, and then a pickle of protocol 3.
        stream.write_all(b"\xA3\xA3\x02\0\0\0\0\0\x80\x03cnumpy.core.multiarray\n")?;
        until_closed(&stream)
    });
    headless(&server, &[]).expect(3, "watch it with --pickle");
}

#[test]
fn silence_is_told_apart() {
    let server = FakeServer::on(0, |stream| until_closed(&stream));
    headless(&server, &[]).expect(3, "sent nothing for 2 s");
}

#[test]
fn a_server_that_hangs_up_is_told_apart() {
    let server = FakeServer::on(0, |mut stream| stream.read_exact(&mut [0; 12]));
    headless(&server, &[]).expect(3, "closed the connection at once");
}

#[test]
fn a_payload_over_the_cap_is_refused_before_it_arrives() {
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        let header = Header {
            version: VERSION,
            kind: MessageKind::Frame as u8,
            flags: 0,
            payload_len: MAX_PAYLOAD + 1,
        };
        camera.send_raw(&header.to_bytes())?;
        until_closed(&camera.into_stream())
    });
    headless(&server, &[]).expect(1, "a message of 16777217 bytes is over the limit of 16777216");
}

#[test]
fn a_frame_cut_short_is_told() {
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        camera.send_raw(&frame_prefix(&jpeg_facts(1, SIZE), 1000))?;
        camera.send_raw(&[0; 500])
    });
    let output = headless(&server, &["--timeout", "1"]);
    // The viewer connects again after each one. The log contains the reason of each, and the last reason ends
    // the viewer.
    assert_eq!(output.status.code(), Some(3), "{}", output.log.join("\n"));
    let last = output.log.last().expect("a reason");
    assert!(last.starts_with("lancam-view: no picture for 1 s: "), "{last}");
    assert!(last.contains("closed the connection in the middle of a frame"), "{last}");
}

#[test]
fn a_version_from_the_future_says_who_must_update() {
    let server = FakeServer::on(0, |mut stream| {
        stream.read_exact(&mut [0; 12])?;
        let mut bytes = Vec::new();
        let reason = GoodbyeReason::Version;
        Message::Goodbye { reason, min_version: 2, max_version: 3, text: "" }.write_to(&mut bytes);
        // Writes the camera's own version into the header.
        bytes[4] = 3;
        stream.write_all(&bytes)?;
        until_closed(&stream)
    });
    headless(&server, &[]).expect(1, "update lancam-view on this machine");
}

#[test]
fn a_name_that_does_not_resolve_is_told() {
    // Every resolver refuses a name with an empty label at once.
    watch("no..name", &["--timeout", "1"]).expect(3, "cannot find no..name");
}

#[test]
fn a_port_where_nobody_listens_is_told() {
    let reserved = ReservedPort::new().expect("a free port");
    watch(&reserved.address().to_string(), &["--timeout", "1"]).expect(3, "nothing listens at");
}

#[test]
fn a_camera_that_leaves_for_good_ends_it_with_a_failure() {
    // The goodbye comes after the frame, so the camera waits until the frame has been seen.
    let frame_was_seen = Arc::new(Barrier::new(2));
    let may_leave = Arc::clone(&frame_was_seen);
    let server = FakeServer::on(0, move |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        let jpeg = Pattern::new(SIZE).jpeg(1).to_vec();
        camera.send_frame(&jpeg_facts(1, SIZE), &jpeg)?;
        may_leave.wait();
        let reason = GoodbyeReason::Stopping;
        camera.send(&Message::Goodbye { reason, min_version: 1, max_version: 1, text: "it stops" })
    });
    let mut viewer =
        Viewer::start(&["--headless", "-v", "--frames", "9", "--timeout", "1", &server.address()]);
    viewer.wait_for("frame 1 of");
    frame_was_seen.wait();
    viewer.wait_for("it stops");
    drop(server);
    viewer.finish().expect(1, "no picture for 1 s: nothing listens at");
}

#[test]
fn wrong_options_are_answered_in_one_line() {
    for (arguments, answer) in [
        (&["--list", "pi"][..], "not both"),
        (&["--sead", "pi"], "--help"),
        (&["--headless", "pi:0"], "HOST:PORT"),
        (&["--save", "a.png", "pi"], "only together with --headless"),
    ] {
        let output = Viewer::start(arguments).finish();
        output.expect(2, answer);
        assert_eq!((output.log.len(), output.stdout.as_str()), (1, ""));
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = Viewer::start(&["--help"]).finish();
    assert!(help.status.success() && help.stdout.contains("--headless"), "{}", help.stdout);
    let version = Viewer::start(&["--version"]).finish();
    assert!(version.stdout.starts_with("lancam-view 0."), "{}", version.stdout);
}

#[test]
fn a_picture_that_cannot_be_kept_is_a_failure() {
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 100));
    let output = headless(&server, &["--frames", "1", "--save", "/nowhere/at/all.png"]);
    output.expect(1, "there is no folder /nowhere/at");
}

#[test]
fn a_picture_is_saved_though_the_figures_cannot_be_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = env!("CARGO_BIN_EXE_lancam-view");
    for (number, (place, says)) in
        [(">/dev/full", "cannot write the output"), ("| true", "ended 0")].into_iter().enumerate()
    {
        let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 100));
        let picture = folder.path().join(format!("{number}.png"));
        // The reader exits before anything is written.
        let script = format!("(sleep 0.2; \"$0\" \"$@\"; echo \"ended $?\" >&2) {place}");
        let mut command = Command::new("bash");
        command.args(["-c", &script, program, "--headless", "--json", "--frames", "2"]);
        command.arg("--save").arg(&picture).arg(server.address());
        let output = command.stdin(Stdio::null()).output().expect("bash runs");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains(says), "{place}: {log}");
        assert_eq!(png_file::read(&picture).size(), SIZE, "{place}");
    }
}

#[test]
fn a_jpeg_is_saved_as_the_camera_sent_it_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("last.jpg");
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 100));
    let arguments = ["-v", "--frames", "3", "--save", path.to_str().expect("UTF-8")];
    let output = headless(&server, &arguments);
    assert!(output.status.success(), "{}", output.log.join("\n"));
    let saved = std::fs::read(&path).expect("it was saved");
    let last = *output.sequences().last().expect("some");
    assert!(saved == Pattern::new(SIZE).jpeg(last), "as it was sent");
    headless(&server, &arguments).expect(1, "exists already");
    assert!(std::fs::read(&path).expect("still there") == saved);
}

#[test]
fn a_picture_for_a_pipe_that_nobody_reads_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("picture.png");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 100));
    let arguments = ["--frames", "1", "--save", path.to_str().expect("UTF-8")];
    headless(&server, &arguments).expect(1, "nobody reads the pipe");
}

#[test]
fn a_server_that_writes_lengths_in_another_way_is_told_apart() {
    // The bytes of `struct.pack(">L", len(pickle)) + pickle`.
    let server = FakeServer::on(0, |mut stream| {
        stream.write_all(
            b"\x00\x0e\x10\xa3\x80\x04\x95\x98\x10\x0e\x00\x00\x00\x00\x00\x8c\x15numpy",
        )?;
        until_closed(&stream)
    });
    let output = Viewer::start(&["--headless", "--pickle", &server.address()]).finish();
    output.expect(3, "4 bytes, most significant first (struct format \">L\")");
}

#[test]
fn a_cameras_name_commands_no_terminal() {
    let server = FakeServer::on(0, |stream| {
        FakeCamera::greet(stream, "a\u{202e}b\u{200b}")?.wait_for(|_| None::<()>)
    });
    let mut viewer = Viewer::start(&["--headless", &server.address()]);
    viewer.wait_for("connected to a?b? at");
}
