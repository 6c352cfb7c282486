//! Viewers that only count. They run on one thread in a process of their own, so that their cost is not measured as the
//! sender's.

use lancam::clock;
use lancam::image::frame::Micros;
use lancam::net::tls::handshake::{Accepts, Client};
use lancam::net::tls::stream::Secured;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::{Message, Secret, Wishes};
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The protocol of a sender and its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    /// lancam's own, with an acknowledgement for each frame.
    Native,
    /// `multipart/x-mixed-replace`.
    Http,
    /// The bytes of [`Native`](Self::Native) in both directions, without lancam's rules.
    Acknowledged,
    /// The same, without acknowledgements.
    Plain,
    /// [`Native`](Self::Native) inside TLS.
    Tls,
    /// [`Acknowledged`](Self::Acknowledged), and the writer seals each frame for each viewer with ring's bare call.
    Sealed,
}

impl Speech {
    pub(crate) const ALL: [Self; 6] =
        [Self::Native, Self::Http, Self::Acknowledged, Self::Plain, Self::Tls, Self::Sealed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Http => "http",
            Self::Acknowledged => "acknowledged",
            Self::Plain => "plain",
            Self::Tls => "tls",
            Self::Sealed => "sealed",
        }
    }

    /// # Panics
    /// When no protocol has this name.
    pub(crate) fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|speech| speech.name() == name).expect("a name of ours")
    }
}

/// Frames older than this are for warming up, and are not counted.
pub(crate) const LONG_AGO: Duration = Duration::from_secs(60);

/// Viewers in a process of their own.
pub(crate) struct Readers(Child);

/// The results of the viewers.
#[derive(Debug, Default)]
pub(crate) struct Got {
    /// The number of frames: of the viewer with the fewest, of the middle one, and of the one with the most.
    pub(crate) frames: [u32; 3],
    /// The ages when the last byte was read, in microseconds: median, 99th percentile, maximum.
    pub(crate) ages: [u64; 3],
}

impl Readers {
    pub(crate) fn start(port: u16, speech: Speech, count: usize) -> io::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args(["reader", &port.to_string(), speech.name(), &count.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self(child))
    }

    /// Waits until the sender has closed all connections or has ended.
    pub(crate) fn got(self) -> io::Result<Got> {
        let output = self.0.wait_with_output()?;
        let text = String::from_utf8(output.stdout).map_err(io::Error::other)?;
        let mut numbers = text.split_whitespace().map_while(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().ok_or_else(|| io::Error::other("no figures of readers"));
        let mut got = Got::default();
        for count in &mut got.frames {
            *count = u32::try_from(next()?).map_err(io::Error::other)?;
        }
        for age in &mut got.ages {
            *age = next()?;
        }
        Ok(got)
    }
}

/// The process: connects this many viewers, reads frames until the sender leaves, and prints the results.
pub(crate) fn run(port: u16, speech: Speech, count: usize) -> io::Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut viewers = Vec::new();
    for id in 0..count {
        let viewer = Viewer::connect(port, speech)?;
        epoll.add(&viewer.stream, EpollEvent::new(EpollFlags::EPOLLIN, id as u64))?;
        viewers.push(viewer);
    }
    let mut ages = Vec::new();
    let mut open = count;
    let mut events = [EpollEvent::empty(); 64];
    while open > 0 {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            let viewer = &mut viewers[usize::try_from(event.data()).expect("one of those")];
            // If the sender closes before it has read an acknowledgement, the connection is reset.
            if !viewer.read(&mut ages).unwrap_or(false) {
                epoll.delete(&viewer.stream)?;
                open -= 1;
            }
        }
    }
    let mut frames: Vec<u32> = viewers.iter().map(|viewer| viewer.frames).collect();
    frames.sort_unstable();
    ages.sort_unstable();
    println!("{} {} {}", frames[0], frames[count / 2], frames[count - 1]);
    let part = |percent: usize| ages.get(ages.len() * percent / 100).or(ages.last()).unwrap_or(&0);
    println!("{} {} {}", part(50), part(99), part(100));
    Ok(())
}

struct Viewer {
    stream: TcpStream,
    speech: Speech,
    decoder: Decoder,
    multipart: Multipart,
    secured: Option<Secured>,
    out: Vec<u8>,
    frames: u32,
}

/// How many sealed bytes one call receives.
const ROOM: usize = 256 << 10;

impl Viewer {
    fn connect(port: u16, speech: Speech) -> io::Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let mut out = Vec::new();
        match speech {
            Speech::Native | Speech::Tls => Message::Hello {
                min_version: VERSION,
                max_version: VERSION,
                credit: 1,
                wishes: Wishes::default(),
                program: "bench",
                key: Secret::default(),
            }
            .write_to(&mut out),
            Speech::Http => {
                out.extend_from_slice(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
            }
            Speech::Acknowledged | Speech::Plain | Speech::Sealed => {}
        }
        let mut secured = None;
        if speech == Speech::Tls {
            let client = Client::new(Accepts::Any).map_err(io::Error::other)?;
            let handshake = client.begin().map_err(io::Error::other)?;
            let until = Instant::now() + LONG_AGO;
            let greeted = Secured::greet(handshake, &stream, Vec::new(), ROOM, until);
            let mut greeted = greeted.map_err(io::Error::other)?;
            greeted.write_all(&stream, &out)?;
            // One turn opens all records that are there. No later one would be told of the last of them.
            stream.set_nonblocking(true)?;
            secured = Some(greeted);
        } else {
            stream.write_all(&out)?;
        }
        let decoder = Decoder::new(MAX_PAYLOAD);
        let multipart = Multipart::default();
        Ok(Self { stream, speech, decoder, multipart, secured, out, frames: 0 })
    }

    /// Reads what is there. `false` if the sender has closed the connection.
    fn read(&mut self, ages: &mut Vec<u64>) -> io::Result<bool> {
        if self.speech == Speech::Http {
            let frames = &mut self.frames;
            return self.multipart.read(&mut self.stream, |age| note(age, frames, ages));
        }
        let Some(mut secured) = self.secured.take() else {
            let count = self.stream.read(self.decoder.space())?;
            return self.take(count, ages, |mut stream, out| stream.write_all(out));
        };
        let outcome = loop {
            match secured.read(&self.stream, self.decoder.space()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(true),
                // A record is not whole.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
                Ok(count) => {
                    match self.take(count, ages, |stream, out| secured.write_all(stream, out)) {
                        Ok(true) => {}
                        outcome => break outcome,
                    }
                }
            }
        };
        self.secured = Some(secured);
        outcome
    }

    /// Takes what was read, and acknowledges frames where the sender waits for that.
    fn take(
        &mut self,
        count: usize,
        ages: &mut Vec<u64>,
        mut send: impl FnMut(&TcpStream, &[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        self.decoder.filled(count);
        while let Some(message) = self.decoder.next_message().map_err(io::Error::other)? {
            let Message::Frame { facts, .. } = message else { continue };
            note(clock::now().since(facts.captured_at), &mut self.frames, ages);
            if self.speech != Speech::Plain {
                self.out.clear();
                Message::Ack { sequence: facts.sequence }.write_to(&mut self.out);
                send(&self.stream, &self.out)?;
            }
        }
        Ok(count > 0)
    }
}

/// Notes a frame that does not belong to warming up.
fn note(age: Duration, frames: &mut u32, ages: &mut Vec<u64>) {
    if age < LONG_AGO {
        *frames += 1;
        ages.push(u64::try_from(age.as_micros()).expect("less than a minute"));
    }
}

/// Parses headers that end with an empty line, and the bodies after them, by their lengths.
#[derive(Default)]
struct Multipart {
    head: Vec<u8>,
    body: Vec<u8>,
    left: usize,
    taken_at: Duration,
}

impl Multipart {
    fn read(&mut self, stream: &mut TcpStream, mut note: impl FnMut(Duration)) -> io::Result<bool> {
        if self.left > 0 {
            self.body.resize(self.body.len().max(self.left), 0);
            let count = stream.read(&mut self.body[..self.left])?;
            self.left -= count;
            if self.left == 0 {
                note(clock::since_1970(clock::now()).saturating_sub(self.taken_at));
            }
            return Ok(count > 0);
        }
        // Few bytes, so that hardly any of a picture is read along with the headers.
        let mut bytes = [0; 128];
        let count = stream.read(&mut bytes)?;
        for (at, &byte) in bytes[..count].iter().enumerate() {
            self.head.push(byte);
            if self.head.ends_with(b"\r\n\r\n") {
                self.end_of_head(count - at - 1);
            }
            if self.left > 0 {
                break;
            }
        }
        Ok(count > 0)
    }

    /// Handles the end of the headers. `read` bytes of the body were read along with them.
    fn end_of_head(&mut self, read: usize) {
        let head = String::from_utf8_lossy(&self.head);
        let value = |name: &str| head.split_once(name)?.1.split("\r\n").next();
        if let Some(len) = value("Content-Length: ").and_then(|len| len.parse::<usize>().ok()) {
            self.left = len - read;
            let seconds = value("X-Timestamp: ").and_then(|at| at.parse().ok()).unwrap_or(0.0);
            self.taken_at = Duration::from_secs_f64(seconds);
        }
        self.head.clear();
    }
}

/// The capture time of frames for warming up.
pub(crate) fn long_ago() -> Micros {
    let ago = u64::try_from(LONG_AGO.as_micros()).expect("a minute");
    Micros(clock::now().0.saturating_sub(ago))
}
