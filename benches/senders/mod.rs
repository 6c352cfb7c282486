//! The senders: lancam's sessions, and a plain writer.

use crate::greetings::identity;
use crate::readers::{Got, Readers, Speech, long_ago};
use lancam::camera::connections::Connections;
use lancam::camera::context::{Camera, HttpRules};
use lancam::camera::encode::Coding;
use lancam::camera::listen::{self, Listen};
use lancam::camera::metrics::Metrics;
use lancam::camera::roster::Roster;
use lancam::camera::roster::wish::{Captured, Wish};
use lancam::camera::server;
use lancam::camera::update::{StatusText, StreamFacts, Update};
use lancam::clock;
use lancam::image::frame::Micros;
use lancam::image::pixels::{Chroma, PixelFormat, Size};
use lancam::image::size_wish::SizeWish;
use lancam::net::lan::Guests;
use lancam::net::socket::SendBuffer;
use lancam::rate::Rate;
use lancam::stop::Stop;
use lancam::wire::native::message::{Message, StatusCode};
use lancam::wire::native::write::frame_prefix;
use lancam::wire::packet::{Codec, FrameFacts, PacketPool};
use nix::sys::resource::{UsageWho, getrusage};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const FRAME_LEN: usize = 120_000;
pub(crate) const FRAMES: u32 = 90;
const INTERVAL: Duration = Duration::from_micros(33_333);
const SIZE: Size = Size::new(1280, 720);

/// Frames that are not counted, until buffers have grown to a frame's size.
const WARM_UP: u32 = 5;

/// The cost of a sender, and the results of its viewers.
pub(crate) struct Figures {
    /// CPU time for one frame to all viewers.
    pub(crate) cpu_micros: f64,
    /// The process's memory in KiB while all viewers watch.
    pub(crate) resident: u64,
    /// How much of it was added by the viewers.
    pub(crate) grown: u64,
    /// The most of a session's stack that was ever touched, in KiB.
    pub(crate) stack: u64,
    pub(crate) got: Got,
}

/// Marks the line with the figures, because sessions print lines too.
const MARK: &str = "figures: ";

impl Figures {
    pub(crate) fn to_line(&self) -> String {
        let Self { cpu_micros, resident, grown, stack, got } = self;
        let Got { frames: [few, some, many], ages: [p50, p99, oldest] } = got;
        format!(
            "{MARK}{cpu_micros} {resident} {grown} {stack} {few} {some} {many} {p50} {p99} {oldest}"
        )
    }

    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let (cpu, rest) = line.strip_prefix(MARK)?.split_once(' ')?;
        let numbers = rest.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
        let [resident, grown, stack, few, some, many, p50, p99, oldest] = numbers[..] else {
            return None;
        };
        let frames = [few, some, many].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let got = Got { frames, ages: [p50, p99, oldest] };
        Some(Self { cpu_micros: cpu.parse().ok()?, resident, grown, stack, got })
    }
}

/// Sends in this process.
pub(crate) fn run(speech: Speech, viewers: usize) -> io::Result<Figures> {
    match speech {
        Speech::Acknowledged | Speech::Plain | Speech::Sealed => plain(speech, viewers),
        Speech::Native | Speech::Http | Speech::Tls => sessions(speech, viewers),
    }
}

/// The most that the kernel holds for a viewer of such frames, including its own bookkeeping.
pub(crate) fn most_in_kernel() -> io::Result<usize> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let _viewer = TcpStream::connect(listener.local_addr()?)?;
    let (accepted, _) = listener.accept()?;
    let granted = SendBuffer::for_accepted(&accepted)?.make_room(&accepted, FRAME_LEN)?;
    granted.ok_or_else(|| io::Error::other("no room was made"))
}

/// The CPU time of this process in microseconds, user and system.
fn cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage");
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
    micros(usage.user_time()) + micros(usage.system_time())
}

/// Calls `tick` for each frame at 30 fps. Returns the CPU time per frame.
fn paced(mut tick: impl FnMut(u64, Micros)) -> f64 {
    for warm_up in 1..=WARM_UP {
        tick(u64::from(warm_up), long_ago());
        thread::sleep(INTERVAL);
    }
    let before = cpu();
    let start = Instant::now();
    for frame in 1..=FRAMES {
        thread::sleep((start + INTERVAL * frame).saturating_duration_since(Instant::now()));
        tick(u64::from(WARM_UP + frame), clock::now());
    }
    // Data still being sent belongs to these frames.
    thread::sleep(INTERVAL);
    (cpu() - before) / f64::from(FRAMES)
}

fn facts(sequence: u64, captured_at: Micros) -> FrameFacts {
    FrameFacts { sequence, captured_at, codec: Codec::Jpeg, size: SIZE }
}

fn sessions(speech: Speech, viewers: usize) -> io::Result<Figures> {
    let stop = Stop::new()?;
    let coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
    let tls = if speech == Speech::Tls { Some(identity()?.server().clone()) } else { None };
    let metrics = Arc::new(Metrics::new(clock::now()));
    let camera = Camera {
        name: "bench".into(),
        id: String::new(),
        roster: Roster::new(Wish::own(coding, SizeWish::default()), 1, &metrics)?,
        metrics,
        notices: Arc::default(),
        tls,
        tutorial: None,
        http: HttpRules::default(),
        controls: None,
        access: None,
        connections: Connections::new(viewers),
        stop: stop.clone(),
    };
    let address: SocketAddr = ([127, 0, 0, 1], 0).into();
    let listeners = listen::listen(&Listen::At(vec![address]), &[]).map_err(io::Error::other)?;
    let port = listeners[0].local_addr()?.port();
    let acceptors = server::start(listeners, &camera, &Guests::Anyone)?;
    let picture = vec![0xA5; FRAME_LEN];
    let stream = Arc::new(StreamFacts {
        source: String::new(),
        told: String::new(),
        rate: Rate(30_000),
        size: SIZE,
    });
    let starting = StatusText { code: StatusCode::Starting, text: String::new() };
    let captured = Captured { format: PixelFormat::Jpeg, size: SIZE };
    let roster = &camera.roster;
    roster.begin(captured, &stream, Update::Status(Arc::new(starting)));
    let mut pool = PacketPool::default();
    let mut publish = |sequence, captured_at| {
        let mut packet = pool.take(facts(sequence, captured_at));
        let content = PacketPool::open(&mut packet);
        // Filled once, because only sending is measured. Copying from the camera is another stage.
        if content.payload().is_empty() {
            content.storage(FRAME_LEN)[..FRAME_LEN].copy_from_slice(&picture);
            content.set_len(FRAME_LEN);
        }
        pool.remember(&packet);
        roster.plan().publish_as_captured(&packet, &stream);
    };
    publish(0, long_ago());
    let before = memory::resident();
    let readers = Readers::start(port, speech, viewers)?;
    while roster.viewers() < viewers {
        thread::sleep(Duration::from_millis(5));
    }
    let cpu_micros = paced(publish);
    let resident = memory::resident();
    let stack = memory::largest_stack();
    stop.request();
    for acceptor in acceptors {
        let _ = acceptor.join();
    }
    let got = readers.got()?;
    Ok(Figures { cpu_micros, resident, grown: resident.saturating_sub(before), stack, got })
}

/// The newest frame's number and time. The number is 0 before the first frame and the maximum at the end.
#[derive(Default)]
struct Slot {
    newest: Mutex<(u64, Micros)>,
    changed: Condvar,
}

impl Slot {
    fn publish(&self, sequence: u64, captured_at: Micros) {
        *self.newest.lock().expect("no panic") = (sequence, captured_at);
        self.changed.notify_all();
    }

    fn newer_than(&self, last: u64) -> (u64, Micros) {
        let newest = self.newest.lock().expect("no panic");
        *self.changed.wait_while(newest, |newest| newest.0 == last).expect("no panic")
    }
}

fn plain(speech: Speech, viewers: usize) -> io::Result<Figures> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let slot = Arc::new(Slot::default());
    let picture: Arc<Vec<u8>> = Arc::new(vec![0xA5; FRAME_LEN]);
    let before = memory::resident();
    let readers = Readers::start(port, speech, viewers)?;
    let writers: Vec<_> = (0..viewers)
        .map(|_| {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            let (slot, picture) = (Arc::clone(&slot), Arc::clone(&picture));
            Ok(thread::spawn(move || write(stream, speech, &slot, &picture)))
        })
        .collect::<io::Result<_>>()?;
    let cpu_micros = paced(|sequence, captured_at| slot.publish(sequence, captured_at));
    let resident = memory::resident();
    let stack = memory::largest_stack();
    slot.publish(u64::MAX, Micros(0));
    for writer in writers {
        let _ = writer.join();
    }
    let got = readers.got()?;
    Ok(Figures { cpu_micros, resident, grown: resident.saturating_sub(before), stack, got })
}

/// Writes each new frame.
fn write(mut stream: TcpStream, speech: Speech, slot: &Slot, picture: &[u8]) {
    let mut last = 0;
    let mut seal = BareSeal::new();
    let mut acknowledgement = Vec::new();
    Message::Ack { sequence: 0 }.write_to(&mut acknowledgement);
    loop {
        let (sequence, captured_at) = slot.newer_than(last);
        if sequence == u64::MAX {
            return;
        }
        last = sequence;
        let picture = if speech == Speech::Sealed { seal.seal(picture) } else { picture };
        let prefix = frame_prefix(&facts(sequence, captured_at), picture.len());
        let parts = [IoSlice::new(&prefix), IoSlice::new(picture)];
        let written = stream.write_vectored(&parts).expect("the reader reads");
        // A blocking socket takes everything, unless a signal arrives.
        let rest = written.saturating_sub(prefix.len());
        stream.write_all(&picture[rest..]).expect("the reader reads");
        if speech != Speech::Plain {
            stream.read_exact(&mut acknowledgement).expect("the reader acknowledges");
        }
    }
}

/// Seals as TLS does, with the library's call alone: 16 KiB at a time, into one buffer.
struct BareSeal {
    key: LessSafeKey,
    count: u64,
    sealed: Vec<u8>,
}

impl BareSeal {
    fn new() -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).expect("32 bytes");
        Self { key: LessSafeKey::new(key), count: 0, sealed: Vec::new() }
    }

    fn seal(&mut self, picture: &[u8]) -> &[u8] {
        self.sealed.clear();
        for part in picture.chunks(16 << 10) {
            let start = self.sealed.len();
            self.sealed.extend_from_slice(part);
            self.count += 1;
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&self.count.to_be_bytes());
            let nonce = Nonce::assume_unique_for_key(nonce);
            let text = &mut self.sealed[start..];
            let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from([0; 5]), text);
            self.sealed.extend_from_slice(tag.expect("a short text").as_ref());
        }
        &self.sealed
    }
}

mod memory {
    //! Reads this process's memory from /proc.

    /// The resident memory in KiB.
    pub(super) fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
        status.lines().find_map(|line| kib(line, "VmRSS:")).expect("Linux says so")
    }

    /// The most that any thread but the main one has touched of its stack, in KiB.
    pub(super) fn largest_stack() -> u64 {
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("Linux has it");
        let mut largest = 0;
        let (mut is_behind_guard, mut is_guard) = (false, false);
        for line in maps.lines() {
            let is_head = line.split(' ').next().is_some_and(|range| range.contains('-'));
            if is_head {
                // A stack is the mapping above a guard page.
                is_behind_guard = is_guard && line.contains(" rw-p ");
                is_guard = line.contains(" ---p ");
            } else if is_behind_guard && let Some(touched) = kib(line, "Rss:") {
                largest = largest.max(touched);
            } else if is_guard && let Some(len) = kib(line, "Size:") {
                is_guard = len <= 64;
            }
        }
        largest
    }

    fn kib(line: &str, name: &str) -> Option<u64> {
        line.strip_prefix(name)?.split_whitespace().next()?.parse().ok()
    }
}
