//! Parses received bytes, in reads of any length, into requests.

use super::Refusal;
use super::fields::{Fields, lines};
use super::status::Status;
use crate::wire::FirstBytes;
use crate::wire::receive_buffer::ReceiveBuffer;

/// The longest head of a request, in bytes. Browsers send the cookies of every service on the same
/// host, whatever its port. Other servers accept 32 kB of them.
pub const MAX_HEAD: usize = 32 << 10;

/// The most header lines.
const MAX_LINES: usize = 100;

/// How many bytes of something wrong are shown.
const SHOWN: usize = 40;

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The resource.
    Get,
    /// The head of the answer to GET.
    Head,
    /// The allowed methods.
    Options,
    /// A form. Only a camera that wants keys takes one.
    Post,
    /// Any other method; none of them is allowed.
    Other,
}

/// The version of HTTP, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 1.0: one request per connection, unless the client asks otherwise.
    Http10,
    /// 1.1: many requests per connection.
    Http11,
}

/// What follows the head of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// So many bytes.
    Length(usize),
    /// Bytes whose number the head does not say, or says in different ways.
    Unknown,
}

/// Who reads an answer, by the `Accept` header. Browsers name pictures or pages there if they show
/// the answer themselves, and `*/*` if a script of the page reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reader {
    /// A program, or a script in a browser.
    #[default]
    Program,
    /// The browser's own window, or an `<img>` in it.
    Window,
}

/// Whether the connection stays open after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// It stays open for the next request.
    Stay,
    /// It is closed.
    Close,
}

/// The head of a request, borrowed from the receive buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// What is wanted.
    pub method: Method,
    /// The path and query, as received.
    pub target: &'a str,
    /// Which HTTP.
    pub version: Version,
    /// The host name by which the client calls the camera; optional in HTTP/1.0.
    pub host: Option<&'a str>,
    /// The origin of the page that asks, if a browser states it.
    pub origin: Option<&'a str>,
    /// The program that asks.
    pub user_agent: &'a str,
    /// Who reads the answer.
    pub reader: Reader,
    /// Whether the client wants the connection to stay open.
    pub afterwards: Afterwards,
    /// What follows; nothing but for methods that have a body.
    pub body: Body,
    /// All header fields.
    pub fields: Fields<'a>,
}

/// Collects bytes and returns requests that borrow from its buffer.
#[derive(Debug, Default)]
pub struct Requests {
    buffer: ReceiveBuffer,
    /// How many of the waiting bytes were searched for the end of a head.
    searched: usize,
}

impl Requests {
    /// Room for more bytes; never empty. Receive into it, then call [`filled`](Self::filled).
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.space(0)
    }

    /// Notes that `count` bytes were received into [`space`](Self::space).
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub fn filled(&mut self, count: usize) {
        self.buffer.filled(count);
    }

    /// Appends bytes that were received elsewhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.push(bytes);
    }

    /// How many bytes are not part of a parsed request yet.
    pub fn waiting(&self) -> usize {
        self.buffer.waiting().len()
    }

    /// The next whole request; `None` if more bytes are needed.
    ///
    /// # Errors
    /// When the bytes are not a valid request. The connection cannot be used any more.
    pub fn next_request(&mut self) -> Result<Option<Request<'_>>, Refusal> {
        // Some clients send an empty line after a body that they should not have sent.
        let empty = self.buffer.waiting().iter().take_while(|byte| b"\r\n".contains(byte)).count();
        if empty > 0 {
            self.buffer.take(empty);
            self.searched = 0;
        }
        let waiting = self.buffer.waiting();
        let within = &waiting[..waiting.len().min(MAX_HEAD)];
        let Some(len) = head_len(within, self.searched) else {
            self.searched = within.len();
            if waiting.len() >= MAX_HEAD {
                return Err(too_long(within));
            }
            return Ok(None);
        };
        self.searched = 0;
        parse(self.buffer.take(len)).map(Some)
    }

    /// The body behind the last request, of this length; `None` if more bytes are needed.
    pub fn body(&mut self, len: usize) -> Option<&[u8]> {
        (self.waiting() >= len).then(|| self.buffer.take(len))
    }
}

/// The end of the empty line that ends a head, if it is in `bytes`. The first `searched` bytes have
/// none.
fn head_len(bytes: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(3);
    let ends = |at: usize| {
        let rest = &bytes[at..];
        [&b"\n\n"[..], b"\n\r\n"].into_iter().find(|end| rest.starts_with(end)).map(<[u8]>::len)
    };
    (from..bytes.len()).find_map(|at| ends(at).map(|len| at + len))
}

fn too_long(head: &[u8]) -> Refusal {
    if head.contains(&b'\n') {
        let text = format!(
            "the request's headers are longer than {MAX_HEAD} bytes; delete this host's cookies"
        );
        return Refusal::new(Status::HEADERS_TOO_LARGE, text);
    }
    let text =
        format!("the request's first line is longer than {MAX_HEAD} bytes; send a shorter one");
    Refusal::new(Status::TARGET_TOO_LONG, text)
}

fn bad(text: String) -> Refusal {
    Refusal::new(Status::BAD_REQUEST, text)
}

/// What was found, as short text.
fn shown(found: &[u8]) -> FirstBytes {
    FirstBytes(found[..found.len().min(SHOWN)].to_vec())
}

fn parse(head: &[u8]) -> Result<Request<'_>, Refusal> {
    let first_len = head.iter().position(|&byte| byte == b'\n').map_or(head.len(), |at| at + 1);
    let (first, rest) = head.split_at(first_len);
    let first = first.strip_suffix(b"\n").unwrap_or(first);
    let mut request = first_line(first.strip_suffix(b"\r").unwrap_or(first))?;
    let mut count = 0;
    for line in lines(rest) {
        count += 1;
        if count > MAX_LINES {
            let text = format!("the request has more than {MAX_LINES} headers; send fewer");
            return Err(Refusal::new(Status::HEADERS_TOO_LARGE, text));
        }
        let (name, value) = header(line)?;
        note(&mut request, name, value)?;
    }
    request.fields = Fields::new(rest);
    request.body = body(request.fields);
    if request.version == Version::Http11 && request.host.is_none() {
        return Err(bad("an HTTP/1.1 request must have a Host header".into()));
    }
    let has_body = matches!(request.method, Method::Post | Method::Other);
    if request.body != Body::None && !has_body {
        return Err(bad("a request must not have a body; send GET without one".into()));
    }
    Ok(request)
}

/// `GET /stream HTTP/1.1`
fn first_line(line: &[u8]) -> Result<Request<'_>, Refusal> {
    // There may be a key behind a question mark, and what is shown gets into the log.
    let until = || line.iter().position(|&byte| byte == b'?').map_or(line.len(), |at| at + 1);
    let wrong = || {
        let found = shown(&line[..until()]);
        bad(format!("the first line must be like GET / HTTP/1.1, not {found}"))
    };
    let text = str::from_utf8(line).map_err(|_| wrong())?;
    let mut words = text.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(wrong());
    };
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "OPTIONS" => Method::Options,
        "POST" => Method::Post,
        _ if is_token(method.as_bytes()) => Method::Other,
        _ => return Err(wrong()),
    };
    let version = match version {
        "HTTP/1.0" => Version::Http10,
        "HTTP/1.1" => Version::Http11,
        _ if version.starts_with("HTTP/") => {
            let text = format!(
                "the version must be HTTP/1.1 or HTTP/1.0, not {}",
                shown(version.as_bytes())
            );
            return Err(Refusal::new(Status::VERSION_NOT_SUPPORTED, text));
        }
        _ => return Err(wrong()),
    };
    if target.is_empty() || target.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(wrong());
    }
    let (host, target) = host_and_path(target);
    let afterwards = match version {
        Version::Http10 => Afterwards::Close,
        Version::Http11 => Afterwards::Stay,
    };
    Ok(Request {
        method,
        target,
        version,
        host,
        origin: None,
        user_agent: "",
        reader: Reader::default(),
        afterwards,
        body: Body::default(),
        fields: Fields::default(),
    })
}

/// The host in a target and what follows it. Clients of a proxy send the whole address.
fn host_and_path(target: &str) -> (Option<&str>, &str) {
    let Some(rest) = without_scheme(target) else { return (None, target) };
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    (Some(host), if path.is_empty() { "/" } else { path })
}

/// What follows `http://` or `https://`, ignoring case.
fn without_scheme(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(rest)
}

/// `Name: value`
fn header(line: &[u8]) -> Result<(&[u8], &str), Refusal> {
    // The value may be a key, and what is shown gets into the log.
    let until = || line.iter().position(|byte| b": \t".contains(byte)).unwrap_or(line.len());
    let wrong = || bad(format!("a header must be NAME: VALUE, not {}", shown(&line[..until()])));
    let colon = line.iter().position(|&byte| byte == b':').ok_or_else(wrong)?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    if !is_token(name) || value.iter().any(|&byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(wrong());
    }
    // The headers that matter are ASCII; nobody reads the others.
    Ok((name, str::from_utf8(value).unwrap_or_default()))
}

/// Stores a header in the request, if it matters here.
fn note<'a>(request: &mut Request<'a>, name: &[u8], value: &'a str) -> Result<(), Refusal> {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    if is("host") {
        // This also refuses a header that differs from the host in the first line.
        if request.host.is_some_and(|host| host != value) {
            return Err(bad("the request names two different hosts; it must name one".into()));
        }
        request.host = Some(value);
    } else if is("origin") {
        request.origin = Some(value);
    } else if is("user-agent") {
        request.user_agent = value;
    } else if is("accept") {
        let names = |kind: &str| value.to_ascii_lowercase().contains(kind);
        if names("image/") || names("text/html") {
            request.reader = Reader::Window;
        }
    } else if is("connection") {
        for word in value.split(',').map(str::trim) {
            if word.eq_ignore_ascii_case("close") {
                request.afterwards = Afterwards::Close;
            } else if word.eq_ignore_ascii_case("keep-alive") && request.version == Version::Http10
            {
                request.afterwards = Afterwards::Stay;
            }
        }
    }
    Ok(())
}

/// What these fields say of the body. Two different lengths could be read in two ways (RFC 9112, section 6.3).
fn body(fields: Fields<'_>) -> Body {
    let mut lengths = fields.values("content-length");
    let first = lengths.next().unwrap_or(b"0");
    let is_ambiguous = lengths.any(|other| other != first);
    if is_ambiguous || fields.values("transfer-encoding").next().is_some() {
        return Body::Unknown;
    }
    if first == b"0" {
        return Body::None;
    }
    let digits = Some(first).filter(|first| first.iter().all(u8::is_ascii_digit));
    let len = digits.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
    len.map_or(Body::Unknown, Body::Length)
}

/// Whether `word` is a token by RFC 9110.
fn is_token(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|&byte| is_of_token(byte))
}

/// Whether a token may have this byte (RFC 9110, section 5.6.2).
pub fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(head: &str) -> (u16, String) {
        let refusal = parse(head.as_bytes()).expect_err(head);
        (refusal.status.code, refusal.text)
    }

    #[test]
    fn what_matters_is_read_and_the_rest_is_passed_over() {
        const FIELDS: &[u8] = b"hOsT:  pi.local:8080 \r\nX: \xFF\r\nOrigin: http://a\r\n\
            User-Agent: b/1\r\nConnection: foo, Close\r\n\r\n";
        let head = [b"GET /stream?width=320 HTTP/1.1\r\n", FIELDS].concat();
        let request = parse(&head).expect("a request");
        assert_eq!(
            request,
            Request {
                fields: Fields::new(&head[head.len() - FIELDS.len()..]),
                body: Body::None,
                method: Method::Get,
                target: "/stream?width=320",
                version: Version::Http11,
                host: Some("pi.local:8080"),
                origin: Some("http://a"),
                user_agent: "b/1",
                reader: Reader::Program,
                afterwards: Afterwards::Close,
            }
        );
        let old = parse(b"HEAD / HTTP/1.0\nConnection: keep-alive\n\n").expect("a request");
        assert_eq!((old.method, old.host, old.afterwards), (Method::Head, None, Afterwards::Stay));
        let proxied = parse(b"GET http://pi:1/snapshot?x HTTP/1.1\r\nHost: pi:1\r\n\r\n");
        let proxied = proxied.expect("a request");
        assert_eq!((proxied.host, proxied.target), (Some("pi:1"), "/snapshot?x"));
        for (target, path) in
            [("HTTP://pi/stream", "/stream"), ("https://pi?x", "?x"), ("http://pi", "/")]
        {
            let head = format!("GET {target} HTTP/1.1\r\nHost: pi\r\n\r\n");
            let request = parse(head.as_bytes()).expect("a request");
            assert_eq!((request.host, request.target), (Some("pi"), path), "{target}");
        }
    }

    #[test]
    fn accept_tells_a_browsers_window_from_its_scripts() {
        for (accept, reader) in [
            ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", Reader::Window),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Reader::Window),
            ("IMAGE/*", Reader::Window),
            ("*/*", Reader::Program),
            ("", Reader::Program),
            ("application/json", Reader::Program),
        ] {
            let head = format!("GET / HTTP/1.0\r\naccept: {accept}\r\nX: y\r\n\r\n");
            assert_eq!(parse(head.as_bytes()).map(|it| it.reader), Ok(reader), "{accept}");
        }
        let none = parse(b"GET / HTTP/1.0\r\n\r\n").expect("a request");
        assert_eq!(none.reader, Reader::Program);
        let two = parse(b"GET / HTTP/1.0\r\nAccept: image/*\r\nAccept: */*\r\n\r\n");
        assert_eq!(two.expect("a request").reader, Reader::Window);
    }

    #[test]
    fn where_the_network_cuts_changes_nothing() {
        let stream = "\r\nGET /stream?x HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.0\n\n\
            OPTIONS /state HTTP/1.1\r\nHost: b:1\r\nConnection: close\r\n\r\nGET nonsense\r\n\r\n";
        let read = |pieces: &[&[u8]]| {
            let mut requests = Requests::default();
            let mut found = Vec::new();
            for piece in pieces {
                requests.push(piece);
                loop {
                    match requests.next_request() {
                        Ok(Some(request)) => found.push(format!("{request:?}")),
                        Ok(None) => break,
                        Err(refusal) => {
                            found.push(refusal.text);
                            return found;
                        }
                    }
                }
            }
            found
        };
        let whole = read(&[stream.as_bytes()]);
        assert_eq!(whole.len(), 4, "{whole:?}");
        for at in 0..=stream.len() {
            let (first, second) = stream.as_bytes().split_at(at);
            assert_eq!(read(&[first, second]), whole, "cut at {at}");
        }
        assert_eq!(read(&stream.as_bytes().chunks(1).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn what_is_no_request_is_told_why() {
        for (head, code, says) in [
            ("GET /\r\n\r\n", 400, "like GET / HTTP/1.1"),
            ("GET  / HTTP/1.1\r\n\r\n", 400, "like GET / HTTP/1.1"),
            ("G(T / HTTP/1.1\r\n\r\n", 400, "like GET / HTTP/1.1"),
            ("GET /\u{1} HTTP/1.1\r\n\r\n", 400, "like GET / HTTP/1.1"),
            ("GET / HTTP/2.0\r\n\r\n", 505, "must be HTTP/1.1"),
            ("GET / HTTP/1.1\r\n\r\n", 400, "Host"),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "two different hosts"),
            ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400, "two different hosts"),
            ("GET / HTTP/1.1\r\nHost a\r\n\r\n", 400, "NAME: VALUE"),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "NAME: VALUE"),
            ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400, "NAME: VALUE"),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 400, "body"),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "body"),
        ] {
            let (found, text) = refused(head);
            assert!(found == code && text.contains(says), "{head:?}: {found} {text}");
            assert!(!text.contains('\n'), "{text}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_LINES + 1));
        assert_eq!(refused(&many).0, 431);
        assert!(parse(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n").is_ok());
    }

    #[test]
    fn how_long_a_body_is_must_be_clear() {
        for (lines, body) in [
            ("", Body::None),
            ("Content-Length: 0\r\n", Body::None),
            ("Content-Length: 15\r\n", Body::Length(15)),
            ("Content-Length: 15\r\ncontent-length: 15\r\n", Body::Length(15)),
            ("Content-Length: 15\r\nContent-Length: 0\r\n", Body::Unknown),
            ("Content-Length: 0\r\nContent-Length: 15\r\n", Body::Unknown),
            ("Content-Length: 15, 15\r\n", Body::Unknown),
            ("Content-Length: +15\r\n", Body::Unknown),
            ("Content-Length: -1\r\n", Body::Unknown),
            ("Content-Length: 0x1\r\n", Body::Unknown),
            ("Content-Length:\r\n", Body::Unknown),
            ("Content-Length: 99999999999999999999999\r\n", Body::Unknown),
            ("Transfer-Encoding: chunked\r\n", Body::Unknown),
            ("Content-Length: 15\r\nTransfer-Encoding: chunked\r\n", Body::Unknown),
        ] {
            let head = format!("POST /login HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
            assert_eq!(parse(head.as_bytes()).map(|it| it.body), Ok(body), "{lines}");
        }
    }

    #[test]
    fn a_body_is_taken_when_it_is_whole_and_the_next_request_begins_behind_it() {
        let stream =
            b"POST /login HTTP/1.0\r\nContent-Length: 6\r\n\r\ncode=KGET / HTTP/1.0\r\n\r\n";
        for at in 0..=stream.len() {
            let mut requests = Requests::default();
            let (mut bodies, mut methods) = (Vec::new(), Vec::new());
            for piece in [&stream[..at], &stream[at..]] {
                requests.push(piece);
                if methods.is_empty() {
                    let request = requests.next_request().expect("a request");
                    methods.extend(request.map(|request| request.method));
                }
                if bodies.is_empty() && !methods.is_empty() {
                    bodies.extend(requests.body(6).map(<[u8]>::to_vec));
                }
            }
            assert_eq!((bodies, methods), (vec![b"code=K".to_vec()], vec![Method::Post]), "{at}");
            let next = requests.next_request().expect("a request").map(|request| request.method);
            assert_eq!(next, Some(Method::Get), "{at}");
        }
    }

    #[test]
    fn no_refusal_shows_a_key() {
        for head in [
            "GET /?key=SECRET extra HTTP/1.1\r\n\r\n",
            "GET /?%6Bey=SECRET HTTP/2.0\r\n\r\n",
            "GET /?key=SECRET\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nAuthorization : SECRET\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nAuthorization SECRET\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: SECRET\u{1}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n SECRET\r\n\r\n",
        ] {
            let (_, text) = refused(head);
            assert!(!text.contains("SECRET"), "{text}");
        }
    }
}
