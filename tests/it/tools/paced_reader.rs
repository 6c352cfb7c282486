//! Readers that take at most 5 Mbit/s, and a plain server that does nothing about it.

use crate::tools::fake_camera::{FakeCamera, FakeServer};
use crate::tools::native_client::hello;
use lancam::clock;
use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::wire::http::multipart::{CONTENT_TYPE, FIRST_BOUNDARY, NEXT_BOUNDARY, PartHead};
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::Message;
use lancam::wire::native::write::frame_prefix;
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use lancam::wire::packet::{Codec, FrameFacts};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

pub const SIZE: Size = Size::new(1280, 720);
pub const FPS: u32 = 30;
pub const INTERVAL: Duration = Duration::from_micros(1_000_000 / FPS as u64);
/// 5 Mbit/s, in bytes.
pub const BYTES_A_SECOND: u32 = 5_000_000 / 8;
/// The bytes read at once.
pub const SIP: usize = 2048;

/// Connects to a server on loopback, with a receive buffer of 64 KiB.
pub fn connect_narrowly(port: u16) -> io::Result<TcpStream> {
    connect_narrowly_to((Ipv4Addr::LOCALHOST, port).into())
}

fn connect_narrowly_to(to: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_recv_buffer_size(64 << 10)?;
    socket.set_tcp_nodelay(true)?;
    socket.connect(&to.into())?;
    Ok(socket.into())
}

/// Limits a rate.
pub struct Pace {
    bytes_a_second: u32,
    since: Instant,
    taken: u32,
}

impl Pace {
    pub fn of(bytes_a_second: u32) -> Self {
        Self { bytes_a_second, since: Instant::now(), taken: 0 }
    }

    /// Uses this rate from now on.
    pub fn change(&mut self, bytes_a_second: u32) {
        if bytes_a_second != self.bytes_a_second {
            *self = Self::of(bytes_a_second);
        }
    }

    /// Sleeps until `count` more bytes are allowed. Time that was lost is not made up for.
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

/// The protocol of reader and camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Native,
    Http,
}

/// What limits the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrow {
    /// It reads slowly.
    Reading,
    /// The link is slow. The reader takes what arrives.
    Link,
}

/// A socket that is read in small pieces.
struct Sips {
    stream: TcpStream,
    pace: Option<Pace>,
}

impl Read for Sips {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let sip = into.len().min(SIP);
        let count = self.stream.read(&mut into[..sip])?;
        if let Some(pace) = &mut self.pace {
            pace.rest(count);
        }
        Ok(count)
    }
}

/// Measures each frame's age when its last byte arrives. A native reader then acknowledges it.
pub struct PacedReader {
    incoming: BufReader<Sips>,
    outgoing: TcpStream,
    protocol: Protocol,
    decoder: Decoder,
    body: Vec<u8>,
}

/// Ages of frames.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    pub frames: usize,
    pub p50: Duration,
    pub p95: Duration,
}

impl PacedReader {
    pub fn connect(to: SocketAddr, protocol: Protocol, narrow: Narrow) -> io::Result<Self> {
        let stream = connect_narrowly_to(to)?;
        let mut outgoing = stream.try_clone()?;
        let mut greeting = Vec::new();
        match protocol {
            Protocol::Native => hello(VERSION, VERSION).write_to(&mut greeting),
            Protocol::Http => {
                write!(greeting, "GET /stream HTTP/1.1\r\nHost: {}\r\n\r\n", to.ip())?;
            }
        }
        outgoing.write_all(&greeting)?;
        let pace = (narrow == Narrow::Reading).then(|| Pace::of(BYTES_A_SECOND));
        let incoming = BufReader::with_capacity(SIP, Sips { stream, pace });
        let decoder = Decoder::new(MAX_PAYLOAD);
        Ok(Self { incoming, outgoing, protocol, decoder, body: Vec::new() })
    }

    fn next_age(&mut self) -> io::Result<Duration> {
        match self.protocol {
            Protocol::Native => self.next_native(),
            Protocol::Http => self.next_http(),
        }
    }

    fn next_native(&mut self) -> io::Result<Duration> {
        loop {
            while let Some(message) = self.decoder.next_message().map_err(io::Error::other)? {
                if let Message::Frame { facts, .. } = message {
                    let age = clock::now().since(facts.captured_at);
                    let mut bytes = Vec::new();
                    Message::Ack { sequence: facts.sequence }.write_to(&mut bytes);
                    self.outgoing.write_all(&bytes)?;
                    return Ok(age);
                }
            }
            match self.incoming.read(self.decoder.space())? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.decoder.filled(count),
            }
        }
    }

    /// By the time in the headers before each picture.
    fn next_http(&mut self) -> io::Result<Duration> {
        let (mut len, mut taken_at) = (None, 0.0);
        loop {
            let mut line = String::new();
            if self.incoming.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                len = value.trim().parse().ok();
            } else if let Some(value) = line.strip_prefix("X-Timestamp: ") {
                taken_at = value.trim().parse().map_err(io::Error::other)?;
            }
            // Other empty lines are the end of the response's headers, and of a part.
            if let ("\r\n", Some(len)) = (line.as_str(), len) {
                self.body.resize(len, 0);
                self.incoming.read_exact(&mut self.body)?;
                let now = clock::since_1970(clock::now());
                return Ok(now.saturating_sub(Duration::from_secs_f64(taken_at)));
            }
        }
    }

    /// The ages of all frames within `time`.
    pub fn ages(mut self, time: Duration) -> io::Result<Ages> {
        let end = Instant::now() + time;
        let mut ages = Vec::new();
        while Instant::now() < end {
            ages.push(self.next_age()?);
        }
        ages.sort_unstable();
        let (p50, p95) = (ages[ages.len() / 2], ages[ages.len() * 95 / 100]);
        Ok(Ages { frames: ages.len(), p50, p95 })
    }
}

/// Sends the newest frame whenever the socket has room. Uses no credit, does not ask the kernel, and leaves buffers at the
/// system's size.
pub fn plain_server(at: IpAddr, protocol: Protocol, jpeg: Vec<u8>) -> FakeServer {
    FakeServer::at((at, 0).into(), move |mut stream| {
        if protocol == Protocol::Native {
            stream = FakeCamera::greet(stream, "plain")?.into_stream();
        } else {
            let head = format!("HTTP/1.0 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            stream.write_all(FIRST_BOUNDARY)?;
        }
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
            match protocol {
                Protocol::Native => stream.write_all(&frame_prefix(&facts, jpeg.len()))?,
                Protocol::Http => {
                    let head = PartHead::new(jpeg.len(), clock::since_1970(captured_at));
                    stream.write_all(head.as_bytes())?;
                }
            }
            stream.write_all(&jpeg)?;
            if protocol == Protocol::Http {
                stream.write_all(NEXT_BOUNDARY)?;
            }
        }
    })
}
