//! A session in HTTP: answers requests one after the other, until one of them is for the live picture.

mod answers;
mod rhythm;
mod snapshot;
mod stream;

use super::outgoing::{Outgoing, Progress};
use super::receive::{Received, receive};
use super::waiter::{Happened, Waiter};
use super::{Camera, GREETING_TIMEOUT, STALLED, SessionEnd, is_not_yet};
use crate::camera::guestbook::Guest;
use crate::camera::metrics::Transport;
use crate::net::socket::SendBuffer;
use crate::wire::http::Refusal;
use crate::wire::http::host;
use crate::wire::http::multipart::Heads;
use crate::wire::http::request::{Afterwards, Method, Request, Requests, Version};
use crate::wire::http::resource::Resource;
use crate::wire::http::response::{Head, Status};
use crate::wire::packet::Packet;
use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a client that was refused may take to read why, and how much of what it still sends is passed over.
const LAST_WORDS: Duration = Duration::from_secs(1);
const LAST_BYTES: usize = 1 << 20;

/// A client that asks for this much more while it is being answered is let go.
const MAX_AHEAD: usize = 64 << 10;

/// Serves a client whose first bytes were `first`, and whose first request must be whole by `deadline`.
pub(super) fn serve(
    stream: &TcpStream,
    first: &[u8],
    camera: &Camera,
    guest: &Guest,
    deadline: Instant,
) -> io::Result<SessionEnd> {
    let mut requests = Requests::default();
    requests.push(first);
    let mut connection = Connection {
        stream,
        camera,
        guest,
        requests,
        send_buffer: SendBuffer::for_accepted(stream)?,
        waiter: Waiter::new(stream, &camera.stop)?,
        outgoing: Outgoing::counted(camera.renditions.metrics(), Transport::Http),
    };
    connection.run(deadline)
}

/// One client.
struct Connection<'a> {
    stream: &'a TcpStream,
    camera: &'a Camera,
    guest: &'a Guest,
    requests: Requests,
    send_buffer: SendBuffer,
    waiter: Waiter,
    outgoing: Outgoing,
}

/// What a client has asked for, and how it is to be told.
#[derive(Debug)]
struct Asked {
    method: Method,
    resource: Result<Resource, Refusal>,
    version: Version,
    afterwards: Afterwards,
    /// How parts of a stream begin.
    heads: Heads,
    /// Whose pages may read the answer.
    allow_origin: Option<String>,
}

/// What follows an answer's head.
enum Content<'a> {
    Text(&'static str, &'a str),
    Picture(Arc<Packet>),
}

/// A step of a session that may be its end.
type Step<T> = io::Result<Result<T, SessionEnd>>;

impl Connection<'_> {
    fn run(&mut self, deadline: Instant) -> io::Result<SessionEnd> {
        let mut answered = 0;
        let mut deadline = deadline;
        loop {
            let asked = match self.next_asked(deadline, answered)? {
                Ok(asked) => asked,
                Err(end) => return Ok(end),
            };
            let refused = asked.resource.as_ref().err().map(|refusal| refusal.text.clone());
            let afterwards = asked.afterwards;
            if let (Ok(Resource::Stream(wishes)), Method::Get) = (&asked.resource, asked.method) {
                return stream::serve(self, &asked, wishes);
            }
            if let Err(end) = self.answer(&asked)? {
                return Ok(end);
            }
            answered += 1;
            if afterwards == Afterwards::Close {
                self.close()?;
                return Ok(refused.map_or(SessionEnd::Answered(answered), SessionEnd::Refused));
            }
            deadline = Instant::now() + GREETING_TIMEOUT;
        }
    }

    /// Waits for the next request, and decides what becomes of it.
    fn next_asked(&mut self, deadline: Instant, answered: u64) -> Step<Asked> {
        loop {
            match self.requests.next_request() {
                Ok(Some(request)) => return Ok(Ok(asked(&request, self.camera))),
                Ok(None) => {}
                // Where a request ends that is none, nobody knows.
                Err(refusal) => return Ok(Ok(Asked::refused(refusal))),
            }
            let waits = self.requests.waiting() > 0;
            let happened = self.waiter.wait(Some(deadline))?;
            if happened.stop {
                return Ok(Err(SessionEnd::Stopping));
            }
            if happened.readable && self.receive()? == Received::Closed {
                let left = if answered > 0 {
                    SessionEnd::Answered(answered)
                } else {
                    SessionEnd::ViewerLeft
                };
                return Ok(Err(left));
            }
            if Instant::now() >= deadline {
                if waits {
                    let text =
                        format!("no whole request came within {} s", GREETING_TIMEOUT.as_secs());
                    return Ok(Ok(Asked::refused(Refusal::new(Status::REQUEST_TIMEOUT, text))));
                }
                return Ok(Err(if answered > 0 {
                    SessionEnd::Answered(answered)
                } else {
                    SessionEnd::Silent
                }));
            }
        }
    }

    /// Receives what is there. More than any head is long waits for nobody: the next one is refused.
    fn receive(&mut self) -> io::Result<Received> {
        receive(self.stream, &mut self.requests, MAX_AHEAD)
    }

    /// Passes over what a client says that only has to listen.
    fn ignore(&self) -> io::Result<Received> {
        let mut sink = [0; 1024];
        let mut stream = self.stream;
        for _ in 0..MAX_AHEAD / sink.len() {
            match stream.read(&mut sink) {
                Ok(0) => return Ok(Received::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Received::Everything);
                }
                Err(error) if is_not_yet(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("it talks where it should listen"))
    }

    /// Writes a head, and its content unless only the head was asked for, and waits until the kernel has all of it.
    fn tell(
        &mut self,
        asked: &Asked,
        status: Status,
        content: Content<'_>,
        more: &[&str],
    ) -> Step<()> {
        let (content_type, len) = match &content {
            Content::Text(content_type, text) => (*content_type, text.len()),
            Content::Picture(packet) => ("image/jpeg", packet.payload().len()),
        };
        let head = Head {
            status,
            version: asked.version,
            afterwards: asked.afterwards,
            content_type: Some(content_type),
            content_len: Some(len),
            allow_origin: asked.allow_origin.as_deref(),
            more,
        };
        self.put_head(&head);
        if asked.method != Method::Head {
            match content {
                Content::Text(_, text) => {
                    if let Some(messages) = self.outgoing.messages() {
                        messages.extend_from_slice(text.as_bytes());
                    }
                }
                Content::Picture(packet) => {
                    self.send_buffer.make_room(self.stream, len)?;
                    self.outgoing.put_frame(&[], packet, &[]);
                }
            }
        }
        self.flush()
    }

    fn put_head(&mut self, head: &Head<'_>) {
        if let Some(messages) = self.outgoing.messages() {
            head.write_to(messages);
        }
    }

    /// Waits until the kernel has everything.
    fn flush(&mut self) -> Step<()> {
        let mut last_progress = Instant::now();
        loop {
            match self.outgoing.write_to(self.stream)? {
                Progress::Done => return Ok(Ok(())),
                Progress::Partly { bytes } if bytes > 0 => last_progress = Instant::now(),
                Progress::Partly { .. } => {}
            }
            let Happened { stop, .. } = self.waiter.wait(Some(last_progress + STALLED))?;
            if stop {
                return Ok(Err(SessionEnd::Stopping));
            }
            if last_progress.elapsed() >= STALLED {
                return Ok(Err(SessionEnd::TooSlow(STALLED)));
            }
        }
    }

    /// Says that nothing more will come, and lets the client read the answer: closing a socket with unread bytes in it
    /// would take the answer back.
    fn close(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let deadline = Instant::now() + LAST_WORDS;
        let mut sink = [0; 4096];
        let mut bytes = 0;
        let mut stream = self.stream;
        while bytes < LAST_BYTES && Instant::now() < deadline {
            match stream.read(&mut sink) {
                Ok(0) => return Ok(()),
                Ok(count) => bytes += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.waiter.wait(Some(deadline))?.stop {
                        return Ok(());
                    }
                }
                Err(error) if is_not_yet(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Asked {
    /// For a client that cannot be asked anything more.
    fn refused(refusal: Refusal) -> Self {
        Self {
            method: Method::Get,
            resource: Err(refusal),
            version: Version::Http11,
            afterwards: Afterwards::Close,
            heads: Heads::Exact,
            allow_origin: None,
        }
    }
}

/// What a request comes to.
fn asked(request: &Request<'_>, camera: &Camera) -> Asked {
    let rules = &camera.http;
    let origin = match request.origin {
        _ if rules.origins.iter().any(|allowed| allowed == "*") => Some("*".to_owned()),
        Some(origin) => rules.origins.iter().find(|allowed| *allowed == origin).cloned(),
        None => None,
    };
    let mut asked = Asked {
        method: request.method,
        resource: Ok(Resource::Page),
        version: request.version,
        afterwards: request.afterwards,
        heads: Heads::for_user_agent(request.user_agent),
        allow_origin: origin,
    };
    asked.resource = match request.host {
        Some(host) if !host::is_ours(host, &rules.names) => Err(answers::foreign_host(host)),
        _ if request.method == Method::Other => {
            let text = "only GET, HEAD and OPTIONS work here";
            Err(Refusal::new(Status::METHOD_NOT_ALLOWED, text))
        }
        // What may be asked is the same everywhere.
        _ if request.method == Method::Options => Ok(Resource::Page),
        _ => Resource::parse(request.target),
    };
    let is_foreign =
        matches!(&asked.resource, Err(refusal) if refusal.status == Status::MISDIRECTED);
    if request.method == Method::Other || is_foreign {
        // The body of the one was not read, and the log tells of the other.
        asked.afterwards = Afterwards::Close;
    }
    asked
}
