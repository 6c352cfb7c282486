//! A session in HTTP: answers requests one after the other, until one of them is for the live picture.

mod answers;
mod rhythm;
mod snapshot;
mod stand_in;
mod stream;

use super::outgoing::{Outgoing, Rest};
use super::receive::{Deaf, Received, receive};
use super::stall::{STALLED, StallClock};
use super::waiter::{Happened, Waiter};
use super::{Camera, GREETING_TIMEOUT, Refused, SessionEnd, Viewer, is_not_yet};
use crate::camera::connections::Connection as Place;
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

/// A connection is used again for so long, and for so many requests: then others have their turn.
const KEPT_FOR: Duration = Duration::from_secs(60);
const MOST_REQUESTS: u64 = 1000;

/// Serves a client whose first bytes were `first`, and whose first request must be whole by `deadline`.
pub(super) fn serve(viewer: Viewer<'_>, first: &[u8], deadline: Instant) -> io::Result<SessionEnd> {
    let Viewer { connection: place, camera, guest, waiter } = viewer;
    let stream = place.stream();
    let mut requests = Requests::default();
    requests.push(first);
    let mut connection = Connection {
        stream,
        place,
        camera,
        guest,
        requests,
        send_buffer: SendBuffer::for_accepted(stream)?,
        waiter,
        deaf: Deaf::default(),
        refusal: None,
        outgoing: Outgoing::counted(camera.renditions.metrics(), Transport::Http),
    };
    connection.run(deadline)
}

/// One client.
struct Connection<'a> {
    stream: &'a TcpStream,
    /// Its place among all connections.
    place: &'a Place,
    camera: &'a Camera,
    guest: &'a Guest,
    requests: Requests,
    send_buffer: SendBuffer,
    waiter: Waiter,
    /// What a client says that only has to listen.
    deaf: Deaf,
    /// What the last answer said no to.
    refusal: Option<Refusal>,
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
        let start = Instant::now();
        loop {
            let mut asked = match self.next_asked(deadline, answered)? {
                Ok(asked) => asked,
                Err(end) => return Ok(end),
            };
            self.place.is_answered();
            if start.elapsed() >= KEPT_FOR || answered + 1 >= MOST_REQUESTS {
                asked.afterwards = Afterwards::Close;
            }
            let afterwards = asked.afterwards;
            if let (Ok(Resource::Stream(wishes)), Method::Get) = (&asked.resource, asked.method) {
                return stream::serve(self, &asked, wishes);
            }
            self.refusal = None;
            if let Err(end) = self.answer(&asked)? {
                return Ok(end);
            }
            answered += 1;
            if afterwards == Afterwards::Close {
                self.close()?;
                return Ok(self.refusal.take().map_or(SessionEnd::Answered(answered), refused));
            }
            let now = Instant::now();
            self.place.waits(now);
            deadline = now + GREETING_TIMEOUT;
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
            if self.waiter.input_has_ended() {
                if waits {
                    let text = "the request ends before the empty line that ends its headers";
                    return Ok(Ok(Asked::refused(Refusal::new(Status::BAD_REQUEST, text))));
                }
                return Ok(Err(match answered {
                    0 => SessionEnd::ViewerLeft,
                    answered => SessionEnd::Answered(answered),
                }));
            }
            let happened = self.waiter.wait(Some(deadline))?;
            if happened.stop {
                return Ok(Err(SessionEnd::Stopping));
            }
            if happened.readable {
                self.receive()?;
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
        receive(self.stream, &self.waiter, &mut self.requests, MAX_AHEAD)
    }

    /// Sleeps while a picture is awaited. What the client asks meanwhile is read, and its turn comes; one that has closed its
    /// sending side may still wait for the answer (RFC 9112, section 9.6).
    fn wait_for_a_picture(&mut self, deadline: Instant) -> Step<()> {
        let happened = if self.requests.waiting() < MAX_AHEAD {
            self.waiter.wait(Some(deadline))?
        } else {
            self.waiter.wait_to_write(Some(deadline))?
        };
        if happened.stop {
            return Ok(Err(SessionEnd::Stopping));
        }
        if happened.readable {
            self.receive()?;
        }
        if happened.gone {
            return Ok(Err(SessionEnd::ViewerLeft));
        }
        Ok(Ok(()))
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
        let mut stall = StallClock::default();
        loop {
            let written = self.outgoing.write_to(self.stream)?;
            if written.rest == Rest::Nothing {
                return Ok(Ok(()));
            }
            let now = Instant::now();
            stall.owes(true, now);
            // The answer is all that it waits for, pictures or not.
            if written.bytes > 0 {
                stall.progressed(now);
            }
            if stall.is_over(now) {
                return Ok(Err(SessionEnd::TooSlow(STALLED)));
            }
            // The next request may come meanwhile; its turn comes.
            let Happened { stop, .. } = self.waiter.wait_to_write(stall.deadline())?;
            if stop {
                return Ok(Err(SessionEnd::Stopping));
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
                    if self.waiter.wait_to_write(Some(deadline))?.stop {
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

/// The end of a client that was told no.
fn refused(refusal: Refusal) -> SessionEnd {
    let why = match refusal.status {
        Status::UNAVAILABLE => Refused::NoPicture,
        Status::REQUEST_TIMEOUT => Refused::Silent,
        _ => Refused::BadRequest,
    };
    SessionEnd::Refused { why, text: refusal.text }
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
        heads: Heads::for_client(request.user_agent, request.reader),
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
