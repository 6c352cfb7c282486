//! A small HTTP client for tests, as strict as the strictest client known.

use crate::tools::camera_process::PATIENCE;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

/// A connection to a camera on loopback.
pub struct HttpClient {
    pub tcp: TcpStream,
    reader: BufReader<TcpStream>,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    /// The status line and all headers, unchanged.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("text")
    }

    /// When the picture was taken, in seconds since 1970.
    pub fn timestamp(&self) -> f64 {
        self.header("X-Timestamp").and_then(|at| at.parse().ok()).expect("a time")
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

impl HttpClient {
    pub fn connect(port: u16) -> Self {
        Self::connect_to((Ipv4Addr::LOCALHOST, port).into())
    }

    /// Connects to a camera anywhere.
    pub fn connect_to(camera: SocketAddr) -> Self {
        let tcp = TcpStream::connect(camera).expect("connects");
        tcp.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        let reader = BufReader::new(tcp.try_clone().expect("another handle"));
        Self { tcp, reader }
    }

    /// Sends these bytes.
    pub fn say(&mut self, bytes: &str) {
        self.tcp.write_all(bytes.as_bytes()).expect("the camera takes it");
    }

    /// Sends a request with these headers, each ending with CR LF, and reads the whole response.
    pub fn ask(&mut self, method: &str, target: &str, headers: &str) -> Answer {
        self.say(&format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"));
        self.answer(method)
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, "")
    }

    /// Reads the response to a request with this method.
    pub fn answer(&mut self, method: &str) -> Answer {
        let head = head(&mut self.reader);
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let len = header(&head, "Content-Length").map(|len| len.parse().expect("a number"));
        let mut body = vec![0; len.filter(|_| method != "HEAD").unwrap_or(0)];
        self.reader.read_exact(&mut body).expect("the whole body");
        Answer { code, head, body }
    }

    /// Everything else until the camera closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.reader.read_to_end(&mut rest);
        rest
    }

    /// Requests the live picture.
    pub fn stream(self, target: &str) -> HttpStream {
        self.stream_with(target, "")
    }

    /// The same with more headers.
    pub fn stream_with(mut self, target: &str, headers: &str) -> HttpStream {
        self.say(&format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"));
        let head = head(&mut self.reader);
        assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
        HttpStream { client: self, head }
    }
}

/// A live picture.
pub struct HttpStream {
    pub client: HttpClient,
    pub head: String,
}

/// One picture of a stream.
pub struct Part {
    pub timestamp: f64,
    pub jpeg: Vec<u8>,
}

impl HttpStream {
    /// The next picture.
    pub fn part(&mut self) -> Part {
        part(&mut self.client.reader)
    }
}

/// Reads the next picture by go2rtc's rules: a line that begins with `--`, headers, the body with the length they give, an
/// empty line.
pub fn part(reader: &mut impl BufRead) -> Part {
    let mut boundary = String::new();
    reader.read_line(&mut boundary).expect("a line");
    assert_eq!(boundary, "--frame\r\n");
    let head = head(reader);
    assert!(head.lines().all(|line| line.len() < 128), "ffmpeg's longest: {head}");
    assert_eq!(header(&head, "Content-Type"), Some("image/jpeg"));
    let len = header(&head, "Content-Length").and_then(|len| len.parse().ok()).expect("a length");
    let mut jpeg = vec![0; len];
    reader.read_exact(&mut jpeg).expect("the whole picture");
    let mut end = [0; 2];
    reader.read_exact(&mut end).expect("the end of the part");
    assert_eq!(&end, b"\r\n");
    let timestamp = header(&head, "X-Timestamp").and_then(|at| at.parse().ok()).expect("a time");
    Part { timestamp, jpeg }
}

/// Reads up to the empty line. Every line ends with CR LF.
fn head(reader: &mut impl BufRead) -> String {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line of text");
        assert!(line.ends_with("\r\n"), "{line:?} after {head:?}");
        if line == "\r\n" {
            return head;
        }
        head.push_str(&line);
    }
}

/// Makes one request on a connection of its own.
pub fn get(port: u16, target: &str) -> Answer {
    HttpClient::connect(port).get(target)
}

/// The value of this metric in the text of `/metrics`.
pub fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name}"))
}
