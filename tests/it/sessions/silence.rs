//! While there is no picture, streams continue with notices. When the program ends, streams end in a way that
//! lets players connect again.

use crate::tools::camera_process::{CameraProcess, PATIENCE, signal, wait};
use crate::tools::http_client::{HttpClient, HttpStream, Part, get};
use crate::tools::interrupted::again;
use crate::tools::jpeg_tools::encoded;
use crate::tools::native_client::look;
use lancam::image::jpeg::markers;
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Size};
use lancam::wire::pickle::decoder::Decoder;
use lancam::wire::pickle::{BgrArray, MAX_PICKLE};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{ChildStdin, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Home Assistant waits this long for the next bytes.
const SMALLEST_LIMIT: Duration = Duration::from_secs(10);

const MISSING: &str = "/dev/video-that-is-not-there";

/// The grey of the pictures from the pipe. Notices are mostly dark.
const BRIGHT: u8 = 240;

fn from_a_pipe(arguments: &[&str]) -> (CameraProcess, ChildStdin) {
    let all = [&["--listen", "127.0.0.1:0", "--source", "-"], arguments].concat();
    let mut camera = CameraProcess::spawn(CameraProcess::command(&all).stdin(Stdio::piped()));
    let pipe = camera.child.stdin.take().expect("piped");
    (camera, pipe)
}

/// Writes pictures until `until` is true.
fn write_pictures(pipe: &mut ChildStdin, until: &AtomicBool) {
    let picture = crate::tools::jpeg_tools::grey_jpegs(&[BRIGHT]);
    while !until.load(Ordering::Relaxed) {
        pipe.write_all(&picture).expect("the camera reads");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_bright(picture: &Picture) -> bool {
    let Size { width, height } = picture.size();
    let bright = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    bright.filter(|&(x, y)| picture.rgb(x, y)[1] > 200).count() * 2 > width * height
}

/// The next notice, and how long it took.
fn notice(stream: &mut HttpStream) -> (Part, Duration) {
    let start = Instant::now();
    loop {
        let part = stream.part();
        if !is_bright(&look(&part.jpeg).0) {
            return (part, start.elapsed());
        }
        assert!(start.elapsed() < PATIENCE, "bright pictures for ever");
    }
}

#[test]
fn a_stream_that_falls_silent_goes_on_with_pictures_of_words_and_then_with_the_cameras() {
    let (camera, mut pipe) = from_a_pipe(&[]);
    let begin = |pipe: &mut ChildStdin, streams: &mut Vec<HttpStream>| {
        let is_enough = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| write_pictures(pipe, &is_enough));
            if streams.is_empty() {
                let targets = ["/stream", "/?action=stream", "/stream?width=32"];
                let stream = |target| HttpClient::connect(camera.port()).stream(target);
                streams.extend(targets.map(stream));
            }
            for stream in streams {
                while !is_bright(&look(&stream.part().jpeg).0) {}
            }
            is_enough.store(true, Ordering::Relaxed);
        });
    };
    let mut streams = Vec::new();
    begin(&mut pipe, &mut streams);
    for (stream, width) in streams.iter_mut().zip([64, 64, 32]) {
        let (part, took) = notice(stream);
        assert!(took < SMALLEST_LIMIT, "{width}: {took:?}");
        let size = markers::picture_size(&part.jpeg).expect("a size");
        assert_eq!(size, Size::new(width, width * 3 / 4), "as large as the pictures were");
        let chroma = if width == 64 { Chroma::Yuv422 } else { Chroma::Yuv420 };
        assert_eq!(markers::chroma(&part.jpeg), Some(chroma), "and of the same layout");
        // A later notice, with another time.
        let (mut next, mut took) = notice(stream);
        while next.timestamp <= part.timestamp {
            let (after, more) = notice(stream);
            (next, took) = (after, took + more);
        }
        assert!(took < SMALLEST_LIMIT, "{width}: {took:?}");
    }
    begin(&mut pipe, &mut streams);
}

#[test]
fn notices_are_no_frames_in_the_metrics() {
    let camera = CameraProcess::start(&["--source", MISSING]);
    let mut stream = HttpClient::connect(camera.port()).stream("/stream");
    stream.part();
    stream.part();
    let metrics = get(camera.port(), "/metrics");
    let none = "\nlancam_frames_sent_total{transport=\"http\"} 0\n";
    assert!(metrics.text().contains(none), "{}", metrics.text());
}

#[test]
fn a_stream_that_begins_without_a_camera_says_so_and_a_still_is_refused() {
    let camera = CameraProcess::start(&["--source", MISSING, "--name", "Garage"]);
    for (target, width) in
        [("/stream", 640), ("/?action=stream&width=320", 320), ("/stream?width=4000", 640)]
    {
        let start = Instant::now();
        let part = HttpClient::connect(camera.port()).stream(target).part();
        assert!(start.elapsed() < SMALLEST_LIMIT, "{target}");
        let size = markers::picture_size(&part.jpeg).expect("a size");
        assert_eq!(size, Size::new(width, width * 9 / 16), "{target}");
        assert!(!is_bright(&look(&part.jpeg).0));
    }
    // For programs that look at the status alone.
    let head = HttpClient::connect(camera.port()).ask("HEAD", "/stream", "");
    assert_eq!(head.code, 503);
    assert_eq!(get(camera.port(), "/snapshot").code, 503);
}

#[test]
fn the_tutorials_viewers_are_told_in_a_picture_too() {
    let camera = CameraProcess::start(&["--source", MISSING, "--pickle"]);
    let mut silent = TcpStream::connect(("127.0.0.1", camera.port())).expect("connects");
    silent.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
    let mut decoder = Decoder::new(MAX_PICKLE);
    loop {
        if let Some(pickle) = decoder.next_pickle().expect("a pickle") {
            let mut scratch = Vec::new();
            let array = BgrArray::parse(pickle, &mut scratch).expect("a picture");
            assert_eq!(array.size, Size::new(320, 180));
            assert!(array.pixels.iter().any(|&value| value > 200), "words");
            return;
        }
        let count = again(|| silent.read(decoder.space())).expect("bytes");
        assert!(count > 0, "closed");
        decoder.filled(count);
    }
}

#[test]
fn a_slow_stream_is_not_in_trouble_its_newest_picture_is_sent_again() {
    let camera = CameraProcess::start(&["--source", "test:320x180@10"]);
    let mut stream = HttpClient::connect(camera.port()).stream("/stream?fps=0.15");
    let mut last = None;
    let mut again = 0;
    for _ in 0..4 {
        let start = Instant::now();
        let part = stream.part();
        assert!(start.elapsed() < SMALLEST_LIMIT, "{:?}", start.elapsed());
        let stamp = look(&part.jpeg).1.expect("a picture of the camera's, not words");
        if last.replace(stamp.sequence) == Some(stamp.sequence) {
            again += 1;
        }
    }
    assert!((1..=2).contains(&again), "{again} of 4");
}

/// Everything after the last boundary, until the camera closes.
fn end_of(stream: &mut HttpStream) -> Vec<u8> {
    let rest = stream.client.rest();
    let boundary = b"--frame\r\n";
    let at = rest.windows(boundary.len()).rposition(|bytes| bytes == boundary).expect("a boundary");
    rest[at..].to_vec()
}

#[test]
fn a_stopped_camera_ends_its_streams_with_a_whole_picture_and_no_boundary() {
    let mut camera = CameraProcess::start(&["--source", "test:320x180@30"]);
    let mut stream = HttpClient::connect(camera.port()).stream("/stream");
    stream.part();
    signal(&camera.child, "TERM");
    let end = end_of(&mut stream);
    let head = end.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    let (picture, stamp) = look(&end[head..]);
    assert_eq!(picture.size(), Size::new(320, 180));
    assert!(
        stamp.is_some() && end.ends_with(b"\xFF\xD9\r\n"),
        "the newest picture, and nothing behind it"
    );
    assert!(wait(&mut camera.child).success());
}

#[test]
fn browsers_are_told_in_a_picture_that_the_camera_was_stopped() {
    let camera = CameraProcess::start(&["--source", "test:320x180@30"]);
    let chrome = "User-Agent: Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36\r\nAccept: image/*\r\n";
    let mut stream = HttpClient::connect(camera.port()).stream_with("/stream", chrome);
    signal(&camera.child, "TERM");
    let rest = stream.client.rest();
    let start = rest.windows(3).rposition(|bytes| bytes == [0xFF, 0xD8, 0xFF]).expect("a picture");
    let (picture, stamp) = look(&rest[start..]);
    assert!(stamp.is_none() && picture.size() == Size::new(320, 180), "words, not a picture");
}

#[test]
fn who_waits_for_a_picture_when_the_camera_is_stopped_is_told_so() {
    let (mut camera, pipe) = from_a_pipe(&[]);
    let mut client = HttpClient::connect(camera.port());
    // The second request is taken in the same moment as the first one is answered.
    let request = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    client.say(&[request("/state"), request("/snapshot")].concat());
    assert_eq!(client.answer("GET").code, 200);
    let mut idle = HttpClient::connect(camera.port());
    assert_eq!(idle.get("/state").code, 200);
    let start = Instant::now();
    signal(&camera.child, "TERM");
    let answer = client.answer("GET");
    assert_eq!((answer.code, answer.text()), (503, "lancam is stopping\n"));
    assert!(wait(&mut camera.child).success());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    drop((idle, pipe));
}

#[test]
fn a_picture_that_has_begun_to_leave_arrives_whole_though_the_camera_is_stopped() {
    let (mut camera, mut pipe) = from_a_pipe(&[]);
    // Longer than what a kernel takes for one connection, as most systems have it.
    let picture = encoded(Size::new(2400, 1800), Chroma::Yuv420, 98);
    assert!(picture.len() > 1 << 20, "{}", picture.len());
    let is_enough = AtomicBool::new(false);
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while !is_enough.load(Ordering::Relaxed) && start.elapsed() < PATIENCE {
                // The camera closes it as it ends.
                let _ = pipe.write_all(&picture);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let mut client = HttpClient::connect(camera.port());
        client.say("GET /snapshot HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        let mut answer = vec![0; 1000];
        client.tcp.read_exact(&mut answer).expect("it begins");
        is_enough.store(true, Ordering::Relaxed);
        signal(&camera.child, "TERM");
        client.tcp.read_to_end(&mut answer).expect("it goes on");
        answer
    });
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(answer.ends_with(&picture), "{} bytes", answer.len());
    assert!(wait(&mut camera.child).success());
}

#[test]
fn a_viewer_that_takes_nothing_does_not_hold_up_the_end() {
    let mut camera = CameraProcess::start(&["--source", "test:1280x720@30"]);
    let mut stalled = HttpClient::connect(camera.port()).stream("/stream");
    stalled.part();
    let full = Instant::now() + Duration::from_secs(1);
    let mut healthy = HttpClient::connect(camera.port()).stream("/stream");
    while Instant::now() < full {
        healthy.part();
    }
    let start = Instant::now();
    signal(&camera.child, "TERM");
    assert!(wait(&mut camera.child).success());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    drop(stalled);
}
