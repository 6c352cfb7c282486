//! A link becomes slow and fast again while the camera encodes: pictures stay young and frequent, and become
//! good again.

use crate::sessions::paced::jpeg_of;
use crate::tools::camera_process::CameraProcess;
use crate::tools::interrupted::again;
use crate::tools::native_client::{NativeClient, hello_wishing, look};
use crate::tools::paced_reader::{Pace, connect_narrowly};
use lancam::clock;
use lancam::image::pixels::Size;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::{Message, Wishes};
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(1280, 720);
const INTERVAL: Duration = Duration::from_micros(33_333);

/// 20 and 4 Mbit/s, in bytes per second.
const WIDE: u32 = 20_000_000 / 8;
const NARROW: u32 = 4_000_000 / 8;

/// The times at which the link becomes slow, becomes fast again, and the test ends.
const NARROWS: Duration = Duration::from_secs(3);
const WIDENS: Duration = Duration::from_secs(8);
const END: Duration = Duration::from_secs(15);

/// The arrival of a frame.
struct Came {
    at: Duration,
    age: Duration,
    bytes: usize,
    size: Size,
}

/// Reads frames through a link that changes its speed, and acknowledges each frame.
fn watch(port: u16, wishes: Wishes) -> io::Result<Vec<Came>> {
    let mut stream = connect_narrowly(port)?;
    let say = |message: &Message<'_>, stream: &mut std::net::TcpStream| {
        let mut bytes = Vec::new();
        message.write_to(&mut bytes);
        stream.write_all(&bytes)
    };
    say(&hello_wishing(VERSION, VERSION, wishes), &mut stream)?;
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    let mut pace = Pace::of(WIDE);
    let (started, mut came) = (Instant::now(), Vec::new());
    while started.elapsed() < END {
        let is_narrow = (NARROWS..WIDENS).contains(&started.elapsed());
        pace.change(if is_narrow { NARROW } else { WIDE });
        while let Some(message) = decoder.next_message().map_err(io::Error::other)? {
            if let Message::Frame { facts, payload } = message {
                let (age, size) = (clock::now().since(facts.captured_at), facts.size);
                came.push(Came { at: started.elapsed(), age, bytes: payload.len(), size });
                say(&Message::Ack { sequence: facts.sequence }, &mut stream)?;
            }
        }
        let space = decoder.space();
        let sip = space.len().min(2048);
        match again(|| stream.read(&mut space[..sip]))? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                decoder.filled(count);
                pace.rest(count);
            }
        }
    }
    Ok(came)
}

/// The figures of one part of the test.
struct Part {
    fps: f64,
    p95: Duration,
    bytes: usize,
    sizes: Vec<Size>,
}

fn part(came: &[Came], from: Duration, to: Duration) -> Part {
    let here: Vec<_> = came.iter().filter(|it| it.at >= from && it.at < to).collect();
    let mut ages: Vec<_> = here.iter().map(|it| it.age).collect();
    ages.sort_unstable();
    let mut sizes: Vec<_> = here.iter().map(|it| it.size).collect();
    sizes.dedup();
    let bytes: usize = here.iter().map(|it| it.bytes).sum();
    let part = Part {
        fps: here.len() as f64 / (to - from).as_secs_f64(),
        p95: ages.get(ages.len() * 95 / 100).copied().unwrap_or(END),
        bytes: bytes / here.len().max(1),
        sizes,
    };
    let sizes: Vec<_> = part.sizes.iter().map(ToString::to_string).collect();
    println!(
        "{from:?} to {to:?}: {:.1} fps, age {:?} at p95, {} bytes a frame, {}",
        part.fps,
        part.p95,
        part.bytes,
        sizes.join(" ")
    );
    part
}

#[test]
fn a_viewer_on_a_link_that_narrows_is_sent_less_and_then_all_again() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("clip.mjpeg");
    std::fs::write(&path, jpeg_of(80, 30))?;
    let source = path.to_str().expect("UTF-8");
    let camera = CameraProcess::start(&["--source", source, "--fps", "30"]);
    NativeClient::connect(camera.port()).frame();
    let second = Duration::from_secs(1);
    // The camera encodes because the viewer asks for a quality.
    let wishes = Wishes { quality: 80, ..Wishes::default() };
    for attempt in 1..=3 {
        let came = watch(camera.port(), wishes)?;
        let wide = part(&came, second, NARROWS);
        let narrow = part(&came, NARROWS + second, WIDENS);
        let again = part(&came, WIDENS + 5 * second, END);
        assert_eq!(wide.sizes, [SIZE]);
        assert!(wide.bytes > 30_000);
        let transfer = Duration::from_secs(1) * 40_000 / NARROW;
        let is_bounded = narrow.p95 <= transfer + INTERVAL + Duration::from_millis(50);
        let is_good = again.sizes == [SIZE] && again.bytes * 10 > wide.bytes * 9;
        if is_bounded && narrow.fps >= 24.0 && is_good && again.fps >= 24.0 {
            return Ok(());
        }
        println!("attempt {attempt}: bounded {is_bounded}, good again {is_good}");
    }
    panic!("never, in three attempts");
}

/// The lengths of the pictures that arrive over HTTP in this time, and the last picture.
fn lengths(
    stream: &mut std::net::TcpStream,
    bytes_a_second: u32,
    time: Duration,
) -> io::Result<(Vec<usize>, Vec<u8>)> {
    let mut pace = Pace::of(bytes_a_second);
    let (started, mut bytes, mut sip) = (Instant::now(), Vec::new(), [0; 2048]);
    while started.elapsed() < time {
        let count = again(|| stream.read(&mut sip))?;
        assert!(count > 0, "the stream has ended");
        bytes.extend_from_slice(&sip[..count]);
        pace.rest(count);
    }
    let key = b"Content-Length: ";
    let mut last = Vec::new();
    let mut lengths = Vec::new();
    for (at, _) in bytes.windows(key.len()).enumerate().filter(|(_, window)| *window == key) {
        let rest = &bytes[at + key.len()..];
        let head_end = rest.windows(4).position(|window| window == b"\r\n\r\n");
        let line_end = rest.iter().position(|&byte| byte == b'\r');
        let (Some(head_end), Some(line_end)) = (head_end, line_end) else { break };
        let len =
            std::str::from_utf8(&rest[..line_end]).expect("digits").parse().expect("a number");
        let Some(picture) = rest.get(head_end + 4..head_end + 4 + len) else { break };
        lengths.push(len);
        last = picture.to_vec();
    }
    Ok((lengths, last))
}

#[test]
fn over_http_the_quality_follows_the_link_and_the_size_never_does() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("clip.mjpeg");
    std::fs::write(&path, jpeg_of(80, 30))?;
    let source = path.to_str().expect("UTF-8");
    let camera = CameraProcess::start(&["--source", source, "--fps", "30"]);
    let mut stream = connect_narrowly(camera.port())?;
    stream.write_all(b"GET /stream?quality=80 HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let second = Duration::from_secs(1);
    let (wide, _) = lengths(&mut stream, WIDE, second)?;
    let (narrow, picture) = lengths(&mut stream, NARROW, 3 * second)?;
    let (again, _) = lengths(&mut stream, WIDE, 5 * second)?;
    println!("{wide:?}\n{narrow:?}\n{again:?}");
    let asked = *wide.last().expect("pictures");
    assert!(asked > 30_000);
    assert!(*narrow.last().expect("pictures") < asked * 8 / 10);
    assert_eq!(look(&picture).0.size(), SIZE);
    assert_eq!(*again.last().expect("pictures"), asked);
    Ok(())
}
