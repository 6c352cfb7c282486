//! What rude, broken and hostile clients do to a camera. Each uses its own connections.

use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::{hello, hello_wishing};
use lancam::image::frame::Micros;
use lancam::rate::Rate;
use lancam::wire::native::VERSION;
use lancam::wire::native::message::{Message, StatusCode, Wishes};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A hostile machine on the LAN.
pub struct Neighbour {
    pub address: Ipv4Addr,
    pub camera: SocketAddr,
    /// Picks one of several ways to be rude.
    pub round: usize,
}

impl Neighbour {
    fn connect(&self) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((self.address, 0)).into()).expect("an address of ours");
        socket.connect_timeout(&self.camera.into(), PATIENCE).expect("connects");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// Sends something, reads at most `limit` bytes of the answer, and leaves.
    fn says(&self, said: &[u8], limit: u64) -> Vec<u8> {
        read(&self.connect(), said, limit)
    }

    /// Sends something, closes the sending side, and reads the answer.
    fn says_all(&self, said: &[u8], limit: u64) -> Vec<u8> {
        let mut stream = self.connect();
        // The camera may have closed the connection already.
        let _ = stream.write_all(said).and_then(|()| stream.shutdown(Shutdown::Write));
        read(&stream, &[], limit)
    }

    fn asks(&self, target: &str, headers: &str, limit: u64) -> Vec<u8> {
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.camera);
        self.says_all(head.as_bytes(), limit)
    }

    /// Greets, sends all of this, and leaves after `limit` bytes.
    fn greets(&self, messages: &[Message<'_>], limit: u64) {
        let mut said = bytes(&[hello(VERSION, VERSION)]);
        said.extend(bytes(messages));
        self.says(&said, limit);
    }

    fn one_of<'a, T: ?Sized>(&self, all: &[&'a T]) -> &'a T {
        all[self.round % all.len()]
    }
}

/// The camera may close the connection at any time.
fn read(mut stream: &TcpStream, said: &[u8], limit: u64) -> Vec<u8> {
    let mut answer = Vec::new();
    if stream.write_all(said).is_ok() {
        let _ = stream.take(limit).read_to_end(&mut answer);
    }
    answer
}

fn bytes(messages: &[Message<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    messages.iter().for_each(|message| message.write_to(&mut bytes));
    bytes
}

const NAMES: [&str; 16] = [
    "evil.example",
    "Garage",
    "K\u{fc}che.local",
    "\u{7384}\u{95a2}.local",
    "garage-left.local:80:80",
    "st.-mary's.local",
    "a  b.local",
    "_x",
    "..",
    ".local",
    "[::1",
    "[fe80::1%25lan0]:8080",
    "10.77.0.1@evil.example",
    "\u{1f414}.lan",
    "x.local.evil.example",
    "",
];

const WISHES: [&str; 20] = [
    "width=-1",
    "width=0",
    "width=99999999999999999999",
    "width=1",
    "height=1",
    "width=65535&height=65535",
    "width=65536",
    "quality=0",
    "quality=101",
    "fps=0",
    "fps=1e9",
    "fps=NaN",
    "fps=0.000001",
    "width=%31%30",
    "width=100&width=200",
    "width=",
    "=&&&=",
    "%",
    "%zz&width=%",
    "action=stream&action=snapshot",
];

const TARGETS: [&str; 12] = [
    "//snapshot",
    "/snapshot///",
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "*",
    "http://evil.example/stream",
    "/snapshot#x",
    "/?action=",
    "/?action=stream",
    "/metrics/",
    "/state?x=\u{7384}",
    "snapshot",
];

const HEADS: [&[u8]; 18] = [
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /healthz\r\n\r\n",
    b"GET /healthz HTTP/1.1\nHost: x\n\n",
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    b"HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /snapshot HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nIf-None-Match: *\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\n\0: \0\r\n\r\n",
    b"\r\n\r\n\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n",
];

const OTHERS: [&[u8]; 8] = [
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"LCAX\x01\x01\x00\x00\xff\xff\xff\xff",
    b"LCAM\x01\x01\x00\x00\xff\xff\xff\xff",
    b"LCAM\xff\xff\xff\xff\x00\x00\x00\x00",
    b"RTSP/1.0 OPTIONS *\r\n\r\n",
    b"\x00\x00\x00\x00",
    b"L",
];

/// A way to be rude: its name, and the function that does it.
pub type Shape = (&'static str, fn(&Neighbour));

/// Over HTTP.
pub const HTTP: [Shape; 14] = [
    ("names", |it| {
        let head = format!("GET /snapshot HTTP/1.1\r\nHost: {}\r\n\r\n", it.one_of(&NAMES));
        it.says_all(head.as_bytes(), 1 << 20);
    }),
    ("wishes for a stream", |it| {
        it.asks(&format!("/stream?{}", it.one_of(&WISHES)), "", 400);
    }),
    ("wishes for a still", |it| {
        it.asks(&format!("/snapshot?{}", it.one_of(&WISHES)), "", 1 << 20);
    }),
    ("targets", |it| {
        it.asks(it.one_of(&TARGETS), "", 1000);
    }),
    ("a long target", |it| {
        it.asks(&format!("/{}", "a".repeat(it.round * 37 % 40_000)), "", 1000);
    }),
    ("heads", |it| {
        it.says_all(it.one_of(&HEADS), 4096);
    }),
    ("cookies", |it| {
        it.asks("/state", &format!("Cookie: {}\r\n", "c".repeat(it.round * 71 % 70_000)), 4096);
    }),
    ("many headers", |it| {
        it.asks("/healthz", &"X: y\r\n".repeat(it.round % 2000), 4096);
    }),
    ("many requests at once", |it| {
        let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", it.camera);
        it.says_all(head.repeat(30).as_bytes(), 1 << 20);
    }),
    ("a stream, and leaves", |it| {
        it.says(format!("GET /stream HTTP/1.1\r\nHost: {}\r\n\r\n", it.camera).as_bytes(), 5000);
    }),
    ("an odd size, and leaves", |it| {
        it.asks(&format!("/stream?width={}&quality=35", 100 + it.round % 200), "", 3000);
    }),
    ("a stream, and ends by a reset while a picture is on its way", |it| {
        let mut stream = it.connect();
        let _ = stream.write_all(b"GET /stream HTTP/1.0\r\n\r\n");
        let _ = stream.read(&mut [0; 500]);
        let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        setsockopt(&stream, sockopt::Linger, &linger).expect("set");
    }),
    ("another question while a picture is on its way", |it| {
        let mut stream = it.connect();
        let still = format!("GET /snapshot HTTP/1.1\r\nHost: {}\r\n\r\n", it.camera);
        let _ = stream.write_all(still.as_bytes());
        let _ = stream.read(&mut [0; 500]);
        let last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        read(&stream, last.as_bytes(), 1 << 20);
    }),
    ("a question in single bytes", |it| {
        let mut stream = it.connect();
        stream.set_nodelay(true).expect("set");
        let head = b"GET /healthz HTTP/1.0\r\n\r\n";
        let said = head.iter().try_for_each(|byte| stream.write_all(&[*byte]));
        drop(said.map(|()| read(&stream, &[], 1 << 20)));
    }),
];

/// In the native protocol, in the tutorial's, or in none.
pub const OTHERWISE: [Shape; 11] = [
    ("leaves at once", |it| drop(it.connect())),
    ("half a greeting", |it| {
        let greeting = bytes(&[hello(VERSION, VERSION)]);
        it.says(&greeting[..it.round % greeting.len()], 0);
    }),
    ("other protocols", |it| {
        it.says_all(it.one_of(&OTHERS), 4096);
    }),
    ("other versions", |it| {
        let odd = u8::try_from(it.round % 256).expect("it fits");
        it.says(&bytes(&[hello(odd, odd.wrapping_mul(7))]), 500);
    }),
    ("a greeting, and leaves with a picture on its way", |it| it.greets(&[], 2000)),
    ("pings", |it| it.greets(&[Message::Ping { token: u64::MAX }; 200], 100)),
    ("acknowledges what never came", |it| {
        let acks = [0, 1, u64::MAX, 7, 7, 1 << 40].map(|sequence| Message::Ack { sequence });
        it.greets(&acks, 3000);
    }),
    ("wishes for this and that", |it| {
        let wish = |at: usize| {
            let any =
                |by: usize| u16::try_from((it.round * by + at * 9973) % 65_536).expect("16 bits");
            let quality = u8::try_from(any(3) % 256).expect("8 bits");
            let rate = Rate(u32::from(any(5)) << (at % 17));
            Wishes { width: any(1), height: any(2), quality, rate }
        };
        let wishes: Vec<_> = (0..30).map(|at| Message::Wishes(wish(at))).collect();
        it.greets(&wishes, 2000);
        it.says(&bytes(&[hello_wishing(VERSION, VERSION, wish(99))]), 500);
    }),
    ("sets controls that there are not", |it| {
        let id = u32::try_from(it.round).expect("32 bits").wrapping_mul(2_654_435_761);
        let set = [Message::ListControls, Message::SetControl { id, value: i64::MIN }];
        it.greets(&set.repeat(50), 3000);
    }),
    ("says what only cameras say", |it| {
        let now = Micros(u64::MAX);
        let text = "no \u{1b}[2J picture\n";
        it.greets(
            &[
                Message::Pong { token: 1, received_at: now, sent_at: Micros(0) },
                Message::Status { code: StatusCode::CameraLost, text },
                Message::Welcome { version: 255, name: text, id: text },
                Message::Credit { frames: 255 },
                Message::Credit { frames: 0 },
            ],
            1000,
        );
    }),
    ("says nothing until pictures come, and then talks", |it| {
        let mut stream = it.connect();
        let _ = stream.read(&mut [0; 2000]);
        let said = (0..8).try_for_each(|_| stream.write_all(&[b'x'; 8000]));
        drop(said.map(|()| read(&stream, &[], 2000)));
    }),
];

/// Opens more connections than one address may have, sends a request on each, and closes them all.
pub fn crowds(it: &Neighbour) {
    let mut crowd: Vec<TcpStream> = (0..110).map(|_| it.connect()).collect();
    for stream in &mut crowd {
        stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        let _ = stream.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    // The camera has already closed some of them to make room for others.
    crowd.iter_mut().for_each(|stream| drop(stream.read(&mut [0; 500])));
}
