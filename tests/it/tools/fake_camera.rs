//! A server for viewers that does what a test tells it: a small camera, or a faulty one.

use lancam::clock;
use lancam::image::frame::Micros;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::image::stamp::Stamp;
use lancam::net::socket;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::Message;
use lancam::wire::native::write::frame_prefix;
use lancam::wire::native::{MAX_REQUEST, VERSION};
use lancam::wire::packet::{Codec, FrameFacts};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Listens until it is dropped. Then all its connections are closed too.
pub struct FakeServer {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    acceptor: Option<JoinHandle<()>>,
}

/// A port on which nothing listens until a [`FakeServer`] does. No other test gets it in the meantime.
pub struct ReservedPort(socket2::Socket);

impl ReservedPort {
    pub fn new() -> io::Result<Self> {
        let port = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        // If both have this option, a server may listen on a port that is only bound here.
        port.set_reuse_address(true)?;
        port.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        Ok(Self(port))
    }

    pub fn address(&self) -> SocketAddr {
        let address = self.0.local_addr().ok().and_then(|address| address.as_socket());
        address.expect("bound to an address of IPv4")
    }
}

/// A camera that lets everybody watch, as far as it says: it greets, and sends nothing else.
pub fn as_an_open_camera(mut stream: TcpStream) -> io::Result<()> {
    let mut welcome = Vec::new();
    Message::Welcome { version: VERSION, name: "Garage", id: "" }.write_to(&mut welcome);
    let mut some = [0; 4096];
    while stream.read(&mut some)? > 0 {
        stream.write_all(&welcome)?;
    }
    Ok(())
}

impl FakeServer {
    /// Listens on `port` of loopback (0 for a free one), and gives each connection to `serve` on a thread of its own.
    pub fn on<S>(port: u16, serve: S) -> Self
    where
        S: Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::at((Ipv4Addr::LOCALHOST, port).into(), serve)
    }

    /// The same at another address.
    pub fn at<S>(address: SocketAddr, serve: S) -> Self
    where
        S: Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    {
        Self::over(socket::listen(address).expect("a free port"), serve)
    }

    /// The same over this listener.
    pub fn over<S>(listener: TcpListener, serve: S) -> Self
    where
        S: Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    {
        let address = listener.local_addr().expect("bound");
        let stopped = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let acceptor = {
            let (stopped, connections) = (Arc::clone(&stopped), Arc::clone(&connections));
            let serve = Arc::new(serve);
            thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    let connection = stream.try_clone().expect("a descriptor");
                    connections
                        .lock()
                        .expect("no panic")
                        .push(connection.try_clone().expect("another"));
                    let serve = Arc::clone(&serve);
                    thread::spawn(move || {
                        // A viewer that leaves makes this an error, which is ignored.
                        drop(serve(stream));
                        drop(connection.shutdown(Shutdown::Both));
                    });
                }
            })
        };
        Self { address, stopped, connections, acceptor: Some(acceptor) }
    }

    /// The address to give to a viewer.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then frees the port.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().expect("the acceptor does not panic");
        }
        for stream in self.connections.lock().expect("no panic").drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

/// A lancam camera's end of one connection, after the greetings.
pub struct FakeCamera {
    stream: TcpStream,
    decoder: Decoder,
    /// The viewer's greeting.
    pub hello: String,
    /// How far its clock is ahead of this machine's. Without a clock it answers no pings.
    ahead: Option<Duration>,
}

impl FakeCamera {
    /// Listens to a viewer, and says nothing.
    pub fn meet(stream: TcpStream) -> io::Result<Self> {
        // As a camera does: small messages are sent at once.
        stream.set_nodelay(true)?;
        let decoder = Decoder::new(MAX_REQUEST);
        Ok(Self { stream, decoder, hello: String::new(), ahead: None })
    }

    /// Greets the viewer as a camera called `name`.
    pub fn greet(stream: TcpStream, name: &str) -> io::Result<Self> {
        Self::greet_as(stream, name, "")
    }

    /// The same, with this id.
    pub fn greet_as(stream: TcpStream, name: &str, id: &str) -> io::Result<Self> {
        let mut camera = Self::meet(stream)?;
        camera.hello = camera.wait_for(|message| match message {
            Message::Hello { .. } => Some(format!("{message:?}")),
            _ => None,
        })?;
        camera.send(&Message::Welcome { version: VERSION, name, id })?;
        Ok(camera)
    }

    /// Answers pings from now on, with a clock that is this far ahead of this machine's.
    pub fn with_clock(self, ahead: Duration) -> Self {
        Self { ahead: Some(ahead), ..self }
    }

    /// The time on its clock.
    pub fn now(&self) -> Micros {
        let ahead = u64::try_from(self.ahead.unwrap_or_default().as_micros()).expect("hours");
        Micros(clock::now().0 + ahead)
    }

    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    pub fn send(&mut self, message: &Message<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        message.write_to(&mut bytes);
        self.stream.write_all(&bytes)
    }

    /// Sends bytes unchanged.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends a frame and waits until the viewer has acknowledged it.
    pub fn send_frame(&mut self, facts: &FrameFacts, payload: &[u8]) -> io::Result<()> {
        self.stream.write_all(&frame_prefix(facts, payload.len()))?;
        self.stream.write_all(payload)?;
        self.wait_for(|message| match message {
            Message::Ack { sequence } if sequence == facts.sequence => Some(()),
            _ => None,
        })
    }

    /// The same. `hear` gets all other messages that arrive meanwhile.
    pub fn send_frame_and_hear(
        &mut self,
        facts: &FrameFacts,
        payload: &[u8],
        hear: impl Fn(&Message<'_>),
    ) -> io::Result<()> {
        self.stream.write_all(&frame_prefix(facts, payload.len()))?;
        self.stream.write_all(payload)?;
        self.wait_for(|message| {
            hear(&message);
            matches!(message, Message::Ack { sequence } if sequence == facts.sequence).then_some(())
        })
    }

    /// Reads messages until `wanted` returns something.
    pub fn wait_for<T>(&mut self, wanted: impl Fn(Message<'_>) -> Option<T>) -> io::Result<T> {
        loop {
            if let Some(found) = self.heard(&wanted)? {
                return Ok(found);
            }
            match self.stream.read(self.decoder.space())? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.decoder.filled(count),
            }
        }
    }

    /// Only answers pings for this time.
    pub fn idle(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        loop {
            self.heard(|_| None::<()>)?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.stream.set_read_timeout(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(self.decoder.space()) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.decoder.filled(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers pings, and passes the other messages that have arrived to `wanted`.
    fn heard<T>(&mut self, wanted: impl Fn(Message<'_>) -> Option<T>) -> io::Result<Option<T>> {
        let received_at = self.now();
        while let Some(message) = self.decoder.next_message().map_err(io::Error::other)? {
            if let (Message::Ping { token }, Some(_)) = (message, self.ahead) {
                let sent_at = self.now();
                self.send(&Message::Pong { token, received_at, sent_at })?;
            } else if let Some(found) = wanted(message) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Streams the pattern at `fps` under the name "fake", numbered from 1, until the viewer leaves.
pub fn stream_pattern(stream: TcpStream, size: Size, fps: u32) -> io::Result<()> {
    let mut camera = FakeCamera::greet(stream, "fake")?;
    let mut pattern = Pattern::new(size);
    for sequence in 1.. {
        let jpeg = pattern.jpeg(sequence);
        camera.send_frame(&jpeg_facts(sequence, size), jpeg)?;
        thread::sleep(Duration::from_secs(1) / fps);
    }
    Ok(())
}

pub fn jpeg_facts(sequence: u64, size: Size) -> FrameFacts {
    FrameFacts { sequence, captured_at: Micros(sequence), codec: Codec::Jpeg, size }
}

/// Red above, blue below, a grey bar that moves to the right, and a [`Stamp`].
pub struct Pattern {
    planes: Planes,
    encoder: Encoder,
    jpeg: Vec<u8>,
}

impl Pattern {
    pub fn new(size: Size) -> Self {
        let mut planes = Planes::default();
        planes.reshape(size, Chroma::Yuv420);
        let room = Encoder::max_len(size, Chroma::Yuv420).expect("small enough");
        Self { planes, encoder: Encoder::new(90).expect("an encoder"), jpeg: vec![0; room] }
    }

    /// Frame `sequence` as a JPEG.
    pub fn jpeg(&mut self, sequence: u64) -> &[u8] {
        self.draw(sequence);
        let len = self.encoder.encode(&self.planes, &mut self.jpeg).expect("encodes");
        &self.jpeg[..len]
    }

    fn draw(&mut self, sequence: u64) {
        let size = self.planes.size();
        let chroma = Chroma::Yuv420.chroma_size(size).width;
        let to = self.planes.split_mut();
        let halves = [(to.y, RED.0, BLUE.0), (to.cb, RED.1, BLUE.1), (to.cr, RED.2, BLUE.2)];
        for (plane, above, below) in halves {
            let (upper, lower) = plane.split_at_mut(plane.len() / 2);
            upper.fill(above);
            lower.fill(below);
        }
        let to = self.planes.split_mut();
        let place = usize::try_from(sequence).expect("64 bits") * 4 % (chroma - 8);
        for row in to.y.chunks_exact_mut(chroma * 2) {
            row[place * 2..place * 2 + 16].fill(128);
        }
        for row in to.cb.chunks_exact_mut(chroma).chain(to.cr.chunks_exact_mut(chroma)) {
            row[place..place + 8].fill(128);
        }
        let number = u32::try_from(sequence).expect("a short test");
        let stamp = Stamp { sequence: number, made_at: Micros(sequence) };
        stamp.draw(size, |columns, rows, white| {
            for y in rows {
                to.y[y * chroma * 2..][columns.clone()].fill(if white { 255 } else { 0 });
                to.cb[y / 2 * chroma..][columns.start / 2..columns.end / 2].fill(128);
                to.cr[y / 2 * chroma..][columns.start / 2..columns.end / 2].fill(128);
            }
        });
    }
}

/// Y, Cb, Cr of full-range BT.601.
const RED: (u8, u8, u8) = (76, 85, 255);
const BLUE: (u8, u8, u8) = (29, 255, 107);
