//! Viewers that are slow, stalled, silent or rude do not disturb the others and are disconnected in time.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::{HttpClient, HttpStream};
use crate::tools::interrupted::again;
use crate::tools::native_client::{NativeClient, Said, hello, look};
use crate::tools::paced_reader::{Pace, SIP, connect_narrowly};
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::wire::native::VERSION;
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[test]
fn slow_viewer_never_delays_another() {
    let camera = CameraProcess::start(&["--source", "test:640x360@50"]);
    let start = Instant::now();
    // Greets, takes its first frame, and never acknowledges or reads again. The camera disconnects it 4.5 s later.
    let mut stalled = NativeClient::connect(camera.port());
    while !matches!(stalled.hear(), Said::Frame { .. }) {}
    let mut healthy = NativeClient::connect(camera.port());
    let (first, _) = healthy.frame();
    let mut last = first.sequence;
    let mut frames = 0_u64;
    while start.elapsed() < Duration::from_millis(4000) {
        let (facts, _) = healthy.frame();
        assert!(facts.sequence > last);
        last = facts.sequence;
        frames += 1;
    }
    // If the stalled viewer delayed it, it would get one or two frames in this time. Undisturbed, it gets 200. The limit
    // of 20 tells these apart on a loaded machine too.
    println!("{frames} of {} while another takes nothing", last - first.sequence);
    assert!(frames >= 20, "{frames} of {}", last - first.sequence);
    let let_go = camera.line_with("connection ended");
    assert!(let_go.contains("took no data for 4.5 s"), "{let_go}");
}

#[test]
fn a_viewer_that_catches_up_gets_the_newest_frame_not_the_next() {
    let camera = CameraProcess::start(&["--source", "test:320x180@100"]);
    let mut viewer = NativeClient::connect(camera.port());
    let mut other = NativeClient::connect(camera.port());
    let (before, _) = viewer.frame();
    // The frame for the last acknowledgement already waits in the socket. After it comes the newest one.
    let newest = loop {
        let (facts, _) = other.frame();
        if facts.sequence > before.sequence + 30 {
            break facts.sequence;
        }
    };
    let (waiting, _) = viewer.frame();
    assert!(waiting.sequence <= before.sequence + 30, "at most one frame was on its way");
    let (fresh, _) = viewer.frame();
    // Each viewer has a slot of its own. A busy machine may stop the camera when it has filled one and not yet the other.
    assert!(fresh.sequence + 1 >= newest, "{} is older than {newest}", fresh.sequence);
}

#[test]
fn silence_garbage_and_half_greetings_end_within_their_time() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let closed_within = |mut client: NativeClient, limit: Duration| {
        let start = Instant::now();
        let mut sink = Vec::new();
        let read = client.stream.read_to_end(&mut sink);
        assert!(read.is_ok() || start.elapsed() < PATIENCE, "never closed");
        assert!(start.elapsed() < limit, "{:?}", start.elapsed());
        sink
    };
    let silent = NativeClient::connect_silently(camera.port());
    let mut half = NativeClient::connect_silently(camera.port());
    half.stream.write_all(b"LCAM\x01\x01\x00\x00").expect("writes");
    let mut stranger = NativeClient::connect_silently(camera.port());
    stranger.stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").expect("writes");
    assert_eq!(closed_within(stranger, Duration::from_secs(2)), b"");
    let mut browser = NativeClient::connect_silently(camera.port());
    browser.stream.write_all(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").expect("writes");
    assert!(closed_within(browser, Duration::from_secs(2)).starts_with(b"HTTP/1.1 421 "));
    // A greeting that claims 4 GiB, and bytes that are not a greeting.
    for bytes in [
        &b"LCAM\x01\x01\x00\x00\xFF\xFF\xFF\xFF"[..],
        b"LCAM\x01\x02\x00\x00\x08\x00\x00\x0012345678",
    ] {
        let mut liar = NativeClient::connect_silently(camera.port());
        liar.stream.write_all(bytes).expect("writes");
        assert!(matches!(liar.hear(), Said::Goodbye { .. }));
    }
    let limit = Duration::from_secs(5 + 5);
    closed_within(half, limit);
    closed_within(silent, limit);
    // Other viewers did not notice.
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    assert_eq!(VERSION, 1, "the greetings above are written in version 1");
}

#[test]
fn a_viewer_that_asks_and_never_listens_is_let_go_before_it_costs_memory() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let mut rude = NativeClient::connect(camera.port());
    let mut ping = Vec::new();
    lancam::wire::native::message::Message::Ping { token: 7 }.write_to(&mut ping);
    let pings = ping.repeat(1000);
    rude.stream.set_write_timeout(Some(PATIENCE)).expect("sets a timeout");
    let start = Instant::now();
    let error = loop {
        match rude.stream.write_all(&pings) {
            Ok(()) => assert!(start.elapsed() < PATIENCE, "still listened to"),
            Err(error) => break error,
        }
    };
    // The camera must close the connection. A write that only blocks would end by its own timeout.
    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "neither heard nor let go");
    NativeClient::connect(camera.port()).frame();
}

/// The resident memory of a process, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says so");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// A viewer of one of the two protocols.
enum Viewer {
    Native(NativeClient),
    Http(HttpStream),
}

impl Viewer {
    fn native(port: u16) -> Self {
        Self::Native(NativeClient::connect(port))
    }

    fn http(port: u16) -> Self {
        Self::Http(HttpClient::connect(port).stream("/stream"))
    }

    /// The same with a small buffer in the viewer's kernel.
    fn narrow_http(port: u16) -> Self {
        let client = HttpClient::connect(port);
        setsockopt(&client.tcp, sockopt::RcvBuf, &4096).expect("sets its buffer");
        Self::Http(client.stream("/stream"))
    }

    /// The next frame's number.
    fn next(&mut self) -> u64 {
        match self {
            Self::Native(client) => client.frame().0.sequence,
            Self::Http(stream) => look(&stream.part().jpeg).1.expect("a stamp").sequence.into(),
        }
    }
}

/// One viewer takes nothing, seven take everything. Prints the results. Returns the smallest share of frames
/// that a healthy viewer got in that time, or 0 if the stalled one was closed too late.
fn one_stalls(camera: &CameraProcess, connect: fn(u16) -> Viewer) -> f64 {
    let port = camera.port();
    let mut stalled = connect(port);
    stalled.next();
    let since = Instant::now();
    let healthy: Vec<_> = (0..7)
        .map(|number| {
            thread::spawn(move || {
                let mut viewer =
                    if number % 2 == 0 { Viewer::native(port) } else { Viewer::http(port) };
                let first = viewer.next();
                let (mut frames, mut last) = (0_u64, first);
                while since.elapsed() < Duration::from_millis(4800) {
                    last = viewer.next();
                    frames += 1;
                }
                frames as f64 / (last - first) as f64
            })
        })
        .collect();
    let ended = loop {
        let line = camera.line_with("connection ended");
        if line.contains("took no data for 4.5 s") {
            break since.elapsed();
        }
    };
    let parts: Vec<f64> =
        healthy.into_iter().map(|viewer| viewer.join().expect("no panic")).collect();
    println!("{parts:.3?} of the frames; the stalled one was let go after {ended:.2?}");
    // The stalled viewer must be closed after 4.5 s, and in at least one attempt within 5 s.
    assert!(ended > Duration::from_secs(4), "{ended:?}");
    assert!(ended < Duration::from_millis(5500), "{ended:?}");
    let is_in_time = ended <= Duration::from_secs(5);
    parts.into_iter().fold(if is_in_time { 1.0 } else { 0.0 }, f64::min)
}

/// The first round is for what is set up once. If the machine was busy, there are further attempts.
fn costs_nothing(connect: fn(u16) -> Viewer) {
    let camera = CameraProcess::start(&["--source", "test:320x180@15"]);
    let mut best = one_stalls(&camera, connect);
    let before = resident(camera.child.id());
    for _ in 0..3 {
        best = best.max(one_stalls(&camera, connect));
        let after = resident(camera.child.id());
        println!("{before} KiB before, {after} KiB after");
        assert!(after < before + 2048, "{before} KiB became {after} KiB");
        if best >= 0.99 {
            return;
        }
    }
    panic!("never all seven had 99 % of the frames and the stalled one was gone in 5 s: {best:.3}");
}

#[test]
fn a_stalled_native_viewer_costs_seven_healthy_ones_nothing_and_the_camera_no_memory() {
    costs_nothing(Viewer::native);
}

#[test]
fn a_stalled_reader_over_http_costs_seven_healthy_ones_nothing_and_the_camera_no_memory() {
    costs_nothing(Viewer::narrow_http);
}

/// A JPEG full of noise, of nearly two bytes a pixel.
fn noise_jpeg(size: Size) -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(size, Chroma::Yuv420);
    let to = planes.split_mut();
    let mut noise = 1_u32;
    for sample in to.y.iter_mut().chain(to.cb).chain(to.cr) {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = noise.to_le_bytes()[3];
    }
    let mut out = vec![0; Encoder::max_len(size, Chroma::Yuv420).expect("a size")];
    let len = Encoder::new(100).and_then(|mut encoder| encoder.encode(&planes, &mut out));
    out.truncate(len.expect("encodes"));
    out
}

/// A camera that sends this again and again, untouched, and the folder of its clip.
fn camera_of(jpeg: &[u8]) -> (CameraProcess, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("clip.mjpeg");
    std::fs::write(&clip, jpeg).expect("writes");
    let source = clip.to_str().expect("UTF-8");
    (CameraProcess::start(&["--source", source, "--fps", "2"]), folder)
}

#[test]
fn a_steady_reader_of_100_kb_a_second_gets_the_whole_of_a_large_answer() {
    let jpeg = noise_jpeg(Size::new(2560, 1920));
    println!("{} bytes", jpeg.len());
    assert!(jpeg.len() > 8_000_000, "{} bytes", jpeg.len());
    let (camera, _folder) = camera_of(&jpeg);
    let mut stream = connect_narrowly(camera.port()).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.write_all(b"GET /snapshot HTTP/1.0\r\n\r\n").expect("asks");
    let mut pace = Pace::of(100_000);
    let (start, mut answer, mut sip) = (Instant::now(), Vec::new(), [0; SIP]);
    loop {
        let count = again(|| stream.read(&mut sip)).expect("is not cut off");
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&sip[..count]);
        // In this time, a viewer that takes nothing would have been closed twice.
        if start.elapsed() < Duration::from_secs(10) {
            pace.rest(count);
        }
    }
    assert!(answer.ends_with(&jpeg), "{} bytes came of {}", answer.len(), jpeg.len());
}

#[test]
fn a_steady_native_viewer_gets_a_frame_that_takes_longer_than_a_stall() {
    // The kernel takes all of it at once, so nothing more is written while the viewer takes it.
    let jpeg = noise_jpeg(Size::new(512, 384));
    let (camera, _folder) = camera_of(&jpeg);
    let mut stream = connect_narrowly(camera.port()).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut greeting = Vec::new();
    hello(VERSION, VERSION).write_to(&mut greeting);
    stream.write_all(&greeting).expect("greets");
    let rate = u32::try_from(jpeg.len() / 7).expect("small");
    println!("{} bytes, {rate} a second", jpeg.len());
    let mut pace = Pace::of(rate);
    let (mut all, mut sip) = (Vec::new(), [0; SIP]);
    while !all.ends_with(&jpeg) {
        let count = again(|| stream.read(&mut sip)).expect("is not cut off");
        assert!(count > 0, "let go after {} bytes", all.len());
        all.extend_from_slice(&sip[..count]);
        pace.rest(count);
    }
}
