//! A reader of 5 Mbit/s: pictures that are as old as one of them takes to arrive, and not older.

use crate::camera_process::CameraProcess;
use crate::fake_camera::{FakeCamera, FakeServer};
use crate::native_client::{NativeClient, hello};
use crate::viewer_process::Viewer;
use lancam::image::frame::Micros;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::source::clock;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::Message;
use lancam::wire::native::write::frame_prefix;
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use lancam::wire::packet::{Codec, FrameFacts};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(1280, 720);
const FPS: u32 = 30;
const INTERVAL: Duration = Duration::from_micros(1_000_000 / FPS as u64);
/// 5 Mbit/s, in bytes.
const BYTES_A_SECOND: u32 = 5_000_000 / 8;
/// So much is read at once.
const SIP: usize = 2048;

/// A JPEG of 1280x720 and about 40 KB.
fn jpeg() -> Vec<u8> {
    jpeg_of(50, 46)
}

/// A JPEG of 1280x720 and about 40 KB: of this quality, with so many rows of noise.
pub fn jpeg_of(quality: u8, noisy_rows: usize) -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(SIZE, Chroma::Yuv420);
    let to = planes.split_mut();
    to.cb.fill(128);
    to.cr.fill(128);
    // Noise in a part of it, which no encoder makes small.
    let mut noise = 1_u32;
    for (at, pixel) in to.y.iter_mut().enumerate() {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, _, _, high] = noise.to_le_bytes();
        *pixel = if at / SIZE.width < noisy_rows { high } else { 100 };
    }
    let mut out = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
    let len = Encoder::new(quality).and_then(|mut encoder| encoder.encode(&planes, &mut out));
    out.truncate(len.expect("encodes"));
    assert!((36_000..44_000).contains(&out.len()), "{} bytes", out.len());
    out
}

/// Connects to a server here, with a receive buffer of 64 KiB.
pub fn connect_narrowly(port: u16) -> io::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_recv_buffer_size(64 << 10)?;
    socket.set_tcp_nodelay(true)?;
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    Ok(socket.into())
}

/// Keeps to a rate.
pub struct Pace {
    bytes_a_second: u32,
    since: Instant,
    taken: u32,
}

impl Pace {
    fn new() -> Self {
        Self::of(BYTES_A_SECOND)
    }

    pub fn of(bytes_a_second: u32) -> Self {
        Self { bytes_a_second, since: Instant::now(), taken: 0 }
    }

    /// Keeps to this rate from here on.
    pub fn change(&mut self, bytes_a_second: u32) {
        if bytes_a_second != self.bytes_a_second {
            *self = Self::of(bytes_a_second);
        }
    }

    /// Sleeps until so many bytes more are allowed; what was not read in time is not made up for.
    pub fn rest(&mut self, count: usize) {
        self.taken += u32::try_from(count).expect("a sip");
        let allowed_at = self.since + Duration::from_secs(1) * self.taken / self.bytes_a_second;
        let now = Instant::now();
        if allowed_at > now {
            thread::sleep(allowed_at - now);
        } else {
            *self = Self::of(self.bytes_a_second);
        }
    }
}

/// A link of that width to the camera at `port`, for a viewer.
fn narrow_link(port: u16) -> FakeServer {
    FakeServer::on(0, move |mut viewer| {
        let mut camera = connect_narrowly(port)?;
        viewer.set_nodelay(true)?;
        let (mut from, mut to) = (viewer.try_clone()?, camera.try_clone()?);
        thread::spawn(move || {
            // A viewer that leaves ends both.
            drop(io::copy(&mut from, &mut to));
            to.shutdown(Shutdown::Both)
        });
        let mut pace = Pace::new();
        let mut sip = [0; SIP];
        loop {
            let count = camera.read(&mut sip)?;
            if count == 0 {
                return Ok(());
            }
            pace.rest(count);
            viewer.write_all(&sip[..count])?;
        }
    })
}

/// Reads no faster than [`BYTES_A_SECOND`], with a receive buffer of 64 KiB, and acknowledges each frame when it has come.
struct PacedReader {
    stream: TcpStream,
    decoder: Decoder,
    pace: Pace,
}

impl PacedReader {
    fn connect(port: u16) -> io::Result<Self> {
        let stream = connect_narrowly(port)?;
        let decoder = Decoder::new(MAX_PAYLOAD);
        let mut reader = Self { stream, decoder, pace: Pace::new() };
        reader.say(&hello(VERSION, VERSION))?;
        Ok(reader)
    }

    fn say(&mut self, message: &Message<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        message.write_to(&mut bytes);
        self.stream.write_all(&bytes)
    }

    /// The age of the next frame when its last byte has come.
    fn next_age(&mut self) -> io::Result<Duration> {
        loop {
            while let Some(message) = self.decoder.next_message().map_err(io::Error::other)? {
                if let Message::Frame { facts, .. } = message {
                    self.say(&Message::Ack { sequence: facts.sequence })?;
                    return Ok(clock::now().since(facts.captured_at));
                }
            }
            let space = self.decoder.space();
            let sip = space.len().min(SIP);
            match self.stream.read(&mut space[..sip])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => {
                    self.decoder.filled(count);
                    self.pace.rest(count);
                }
            }
        }
    }

    /// The 95th percentile of the ages of `time`.
    fn p95(mut self, time: Duration) -> io::Result<Duration> {
        let end = Instant::now() + time;
        let mut ages = Vec::new();
        while Instant::now() < end {
            ages.push(self.next_age()?);
        }
        ages.sort_unstable();
        let p95 = ages[ages.len() * 95 / 100];
        println!("{} frames, {:?} at p50, {p95:?} at p95", ages.len(), ages[ages.len() / 2]);
        Ok(p95)
    }
}

/// The newest frame, each time the socket has room for one: no credit, and buffers as the system makes them.
fn plain_server(jpeg: Vec<u8>) -> FakeServer {
    FakeServer::on(0, move |stream| {
        let mut stream = FakeCamera::greet(stream, "plain")?.into_stream();
        let mut reader = stream.try_clone()?;
        thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
        let started = clock::now();
        let mut last = 0;
        loop {
            let interval = INTERVAL.as_micros();
            let sequence = clock::now().since(started).as_micros() / interval;
            let sequence = u64::try_from(sequence).expect("short");
            if sequence == last {
                thread::sleep(INTERVAL / 10);
                continue;
            }
            last = sequence;
            let captured_at =
                Micros(started.0 + sequence * u64::try_from(interval).expect("short"));
            let facts = FrameFacts { sequence, captured_at, codec: Codec::Jpeg, size: SIZE };
            stream.write_all(&frame_prefix(&facts, jpeg.len()))?;
            stream.write_all(&jpeg)?;
        }
    })
}

/// What may be the age of such frames at such a reader, at p95: one's transfer, an interval, and 50 ms.
fn bound(jpeg: &[u8]) -> Duration {
    let len = u32::try_from(jpeg.len()).expect("small");
    Duration::from_secs(1) * len / BYTES_A_SECOND + INTERVAL + Duration::from_millis(50)
}

/// A camera that sends this, again and again, untouched.
fn camera(jpeg: &[u8]) -> CameraProcess {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mjpeg");
    std::fs::write(&path, jpeg).expect("writes");
    let source = path.to_str().expect("UTF-8");
    let camera = CameraProcess::start(&["--source", source, "--fps", &FPS.to_string()]);
    // It is open once it has sent a frame, and needs no name any more.
    NativeClient::connect(camera.port()).frame();
    camera
}

/// A paced reader at lancam and one at a plain server, at once; an attempt more where the machine was busy.
fn compare(time: Duration, attempts: u32) -> io::Result<()> {
    let jpeg = jpeg();
    let bound = bound(&jpeg);
    let camera = camera(&jpeg);
    let plain = plain_server(jpeg);
    for attempt in 1..=attempts {
        let there = PacedReader::connect(plain.port())?;
        let plain = thread::spawn(move || there.p95(time));
        let ours = PacedReader::connect(camera.port())?.p95(time)?;
        let plain = plain.join().expect("no panic")?;
        println!("lancam {ours:?}, at most {bound:?}; a plain server {plain:?}");
        assert!(plain >= bound * 10, "no test of anything: a plain server comes to {plain:?}");
        if ours <= bound {
            assert!(plain >= ours * 10);
            return Ok(());
        }
        assert!(attempt < attempts, "{ours:?} is over {bound:?}, each time");
    }
    Ok(())
}

#[test]
fn a_slow_reader_gets_young_pictures_and_from_a_plain_server_old_ones() -> io::Result<()> {
    compare(Duration::from_secs(8), 3)
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_slow_reader_gets_young_pictures_for_half_a_minute() -> io::Result<()> {
    compare(Duration::from_secs(30), 3)
}

#[test]
fn a_viewer_behind_a_narrow_link_shows_young_pictures_and_knows_it() {
    let jpeg = jpeg();
    let camera = camera(&jpeg);
    let link = narrow_link(camera.port());
    let bound = bound(&jpeg).as_secs_f64() * 1e3;
    for _ in 0..3 {
        let arguments = ["-v", "--headless", "--json", "--seconds", "6", &link.address()];
        let output = Viewer::start(&arguments).finish();
        print!("{}", output.stdout);
        let log = output.log.join("\n");
        assert!(!log.contains("on their way at once"), "more than one frame:\n{log}");
        // Pings pass where no frame is: the round trip is not that of frames.
        let is_certain = output.figure("age_uncertainty_ms") < 10.0;
        if is_certain && output.figure("p95") <= bound && output.figure("fps") > 14.0 {
            return;
        }
    }
    panic!("never, in three attempts, within {bound} ms");
}

/// Memory of a process, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says so");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// One viewer takes nothing, seven take all; for how long each part of it lasts. Returns the least part of the frames that a
/// healthy one got meanwhile.
fn one_stalls(camera: &CameraProcess) -> f64 {
    let stalls = || {
        let mut stalled = NativeClient::connect(camera.port());
        stalled.frame();
        (stalled, Instant::now())
    };
    let (_stalled, since) = stalls();
    let port = camera.port();
    let healthy: Vec<_> = (0..7)
        .map(|_| {
            thread::spawn(move || {
                let mut viewer = NativeClient::connect(port);
                let (first, _) = viewer.frame();
                let (mut frames, mut last) = (0_u64, first.sequence);
                while since.elapsed() < Duration::from_millis(4500) {
                    last = viewer.frame().0.sequence;
                    frames += 1;
                }
                frames as f64 / (last - first.sequence) as f64
            })
        })
        .collect();
    let parts: Vec<f64> =
        healthy.into_iter().map(|viewer| viewer.join().expect("no panic")).collect();
    let ended = loop {
        let line = camera.line_with("CONNECTION ENDED");
        if line.contains("took nothing for 5 s") {
            break since.elapsed();
        }
    };
    println!("{parts:.3?} of the frames; the stalled one was let go after {ended:?}");
    assert!(ended < Duration::from_secs(6), "{ended:?}");
    parts.into_iter().fold(1.0, f64::min)
}

#[test]
fn one_stalled_viewer_costs_seven_healthy_ones_nothing_and_the_camera_no_memory() {
    let camera = CameraProcess::start(&["--source", "test:320x180@15"]);
    // A first round, for whatever is set up once.
    let mut best = one_stalls(&camera);
    let before = resident(camera.child.id());
    for _ in 0..3 {
        best = best.max(one_stalls(&camera));
        let after = resident(camera.child.id());
        println!("{before} KiB before, {after} KiB after");
        assert!(after < before + 2048, "{before} KiB became {after} KiB");
        if best >= 0.99 {
            return;
        }
    }
    panic!("never all seven had 99 % of the frames, at best {best:.3}");
}
