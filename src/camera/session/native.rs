//! A session in the native protocol: at most one frame in flight, always the newest.

use super::controls::{Controls, Listening, Question};
use super::farewell::goodbye;
use super::greeting::{Greeting, Refusal, greeting};
use super::outgoing::{Outgoing, Rest};
use super::receive::{self, Received};
use super::stall::{STALLED, StallClock};
use super::view::View;
use super::waiter::Waiter;
use super::{Refused, SessionEnd, Viewer};
use crate::camera::metrics::Transport;
use crate::camera::renditions::Renditions;
use crate::camera::update::{StreamFacts, Update};
use crate::image::frame::Micros;
use crate::image::pixels::Size;
use crate::latest::Newest;
use crate::net::socket::{self, SendBuffer};
use crate::source::clock;
use crate::wire::ladder::{Lowest, Transfer};
use crate::wire::native::WireError;
use crate::wire::native::credit::{self, Arrival, Credit};
use crate::wire::native::decoder::Decoder;
use crate::wire::native::message::{GoodbyeReason, Message, Wishes};
use crate::wire::native::write::frame_prefix;
use crate::wire::packet::{Codec, Packet};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest frame that room is made for before the first one is seen.
const FIRST_ROOM: usize = 128 << 10;

/// Answers beyond this wait until these have been taken.
const MAX_ANSWERS: usize = 16 << 10;

/// A viewer that asks more than this while it takes no answer is let go.
const MAX_UNANSWERED: usize = 64 << 10;

/// The least round trip changes seldom, and its own memory is of minutes.
const ASK_KERNEL_EVERY: Duration = Duration::from_secs(1);

/// Wishes that follow others sooner than this wait so long: each costs threads that come and go.
const WISHES_APART: Duration = Duration::from_millis(100);

/// Serves a viewer whose first bytes, in `decoder`, began like a greeting that must be whole by `deadline`.
pub(super) fn serve(
    viewer: Viewer<'_>,
    mut decoder: Decoder,
    deadline: Instant,
) -> io::Result<SessionEnd> {
    let Viewer { connection, camera, guest, waiter } = viewer;
    let stream = connection.stream();
    let mut send_buffer = SendBuffer::for_accepted(stream)?;
    send_buffer.make_room(stream, FIRST_ROOM)?;
    let metrics = camera.renditions.metrics();
    let mut outgoing = Outgoing::counted(metrics, Transport::Native);
    let Greeting { version, credit, wishes } = loop {
        match greeting(&mut decoder) {
            Ok(Some(greeting)) => break greeting,
            Ok(None) => {}
            Err(Refusal { reason, text }) => return Ok(refuse(stream, reason, &text)),
        }
        let happened = waiter.wait(Some(deadline))?;
        if happened.stop {
            return Ok(SessionEnd::Stopping);
        }
        if Instant::now() >= deadline {
            return Ok(SessionEnd::Silent);
        }
        if happened.readable {
            match receive(stream, &waiter, &mut decoder)? {
                Ok(Received::Closed) => return Ok(SessionEnd::ViewerLeft),
                Ok(_) => {}
                Err(error) => return Ok(error.into()),
            }
        }
    };
    let _seat = match connection.sit() {
        Ok(seat) => seat,
        Err(crowd) => return Ok(refuse(stream, GoodbyeReason::Full, &crowd.to_string())),
    };
    guest.watches();
    let _viewer = metrics.viewer(Transport::Native);
    // Before the welcome: whoever is welcomed watches already.
    let wish = camera.renditions.own().with(&wishes);
    let view = View::new(&camera.renditions, wish, lowest(&wishes), &waiter)?;
    if let Some(messages) = outgoing.messages() {
        Message::Welcome { version, name: &camera.name, id: &camera.id }.write_to(messages);
    }
    let session = Session {
        stream,
        decoder,
        renditions: &camera.renditions,
        view,
        viewed_since: Instant::now(),
        wanted: None,
        outgoing,
        credit,
        send_buffer,
        described: None,
        stall: StallClock::default(),
        heard_at: clock::now(),
        arrival: None,
        path: Path::new(),
        controls: Controls::new(camera.desk.clone()),
    };
    session.run(&waiter)
}

/// Says goodbye as far as one write goes: a stranger gets no more of our time.
fn refuse(stream: &TcpStream, reason: GoodbyeReason, text: &str) -> SessionEnd {
    let mut outgoing = Outgoing::new();
    if let Some(messages) = outgoing.messages() {
        goodbye(reason, text).write_to(messages);
    }
    // Whether it arrives or not, the session ends, and the log says why.
    let _ = outgoing.write_to(stream);
    refused(reason, text)
}

fn refused(reason: GoodbyeReason, text: &str) -> SessionEnd {
    let why = match reason {
        GoodbyeReason::Full => Refused::TooMany,
        GoodbyeReason::TooSlow => Refused::TooSlow,
        _ => Refused::BadRequest,
    };
    SessionEnd::Refused { why, text: text.into() }
}

/// A viewer asks more than it takes answers to.
#[derive(Debug, thiserror::Error)]
#[error("it sent more than {} kB of questions before it took the answers", MAX_UNANSWERED / 1000)]
struct Unanswerable;

impl From<Unanswerable> for SessionEnd {
    fn from(error: Unanswerable) -> Self {
        refused(GoodbyeReason::BadMessage, &error.to_string())
    }
}

/// As [`receive::receive`], of a viewer that lets itself be answered.
fn receive(
    stream: &TcpStream,
    waiter: &Waiter,
    decoder: &mut Decoder,
) -> io::Result<Result<Received, Unanswerable>> {
    Ok(match receive::receive(stream, waiter, decoder, MAX_UNANSWERED)? {
        Received::Enough => Err(Unanswerable),
        received => Ok(received),
    })
}

#[derive(PartialEq, Eq)]
enum Answered {
    All,
    /// Messages are left for when the current write is done.
    NotAll,
}

enum Sent {
    /// What there was, or as much of it as the socket took.
    AllForNow,
    /// The camera has ended.
    LastEver,
}

/// How small a viewer's picture may become: one that it asked for in a size stays as it is.
fn lowest(wishes: &Wishes) -> Lowest {
    match (wishes.width, wishes.height) {
        (0, 0) => Lowest::HalfSize,
        _ => Lowest::Quality40,
    }
}

/// The way to the viewer.
struct Path {
    least_round_trip: Duration,
    /// When the kernel was last asked.
    asked_at: Option<Micros>,
}

impl Path {
    fn new() -> Self {
        Self { least_round_trip: Duration::ZERO, asked_at: None }
    }

    /// What the kernel knows, but not asked for each frame.
    fn least_round_trip(&mut self, stream: &TcpStream, now: Micros) -> io::Result<Duration> {
        if self.asked_at.is_none_or(|at| now.since(at) >= ASK_KERNEL_EVERY) {
            self.asked_at = Some(now);
            self.least_round_trip = socket::path(stream)?.least_round_trip;
        }
        Ok(self.least_round_trip)
    }
}

struct Session<'a> {
    stream: &'a TcpStream,
    decoder: Decoder,
    renditions: &'a Arc<Renditions>,
    view: View,
    /// When the viewer last said what it wants.
    viewed_since: Instant,
    /// Wishes that are not fulfilled yet.
    wanted: Option<Wishes>,
    outgoing: Outgoing,
    credit: Credit,
    send_buffer: SendBuffer,
    /// What the viewer was last told its frames are.
    described: Option<(Arc<StreamFacts>, Codec, Size)>,
    stall: StallClock,
    /// When bytes last came: a ping among them has arrived by then.
    heard_at: Micros,
    /// The frame that arrived last.
    arrival: Option<Arrival>,
    path: Path,
    controls: Controls,
}

impl Session<'_> {
    fn run(mut self, waiter: &Waiter) -> io::Result<SessionEnd> {
        loop {
            let arrived_before = self.arrival;
            let answered = match self.answer() {
                Ok(answered) => answered,
                Err(error) => return Ok(self.end(GoodbyeReason::BadMessage, &error.to_string())),
            };
            if self.arrival != arrived_before {
                self.follow_link(waiter)?;
            }
            self.follow_wishes(waiter, Instant::now())?;
            if self.controls.listen(waiter)? == Listening::FromNow {
                // An answer may have come before anybody listened.
                continue;
            }
            if let Sent::LastEver = self.send(waiter)? {
                return Ok(self.stopping());
            }
            if answered == Answered::NotAll && self.outgoing.is_empty() {
                continue;
            }
            let now = Instant::now();
            self.stall.owes(self.owes(), now);
            // Looked at after all that was heard, and whatever else happens: a viewer that only pings takes nothing.
            if self.stall.is_over(now) {
                self.end(GoodbyeReason::TooSlow, "nothing was taken for too long");
                return Ok(SessionEnd::TooSlow(STALLED));
            }
            let happened = waiter.wait(self.deadline())?;
            if happened.stop {
                return Ok(self.stopping());
            }
            if happened.readable {
                match receive(self.stream, waiter, &mut self.decoder)? {
                    // Without acknowledgements there is nothing more to send.
                    Ok(Received::Closed) => return Ok(self.left()),
                    Ok(_) => self.heard_at = clock::now(),
                    Err(error) => return Ok(error.into()),
                }
            }
        }
    }

    fn stopping(&self) -> SessionEnd {
        self.end(GoodbyeReason::Stopping, "the camera's lancam was stopped");
        SessionEnd::Stopping
    }

    /// Leaves in the log how the viewer fared.
    fn left(&self) -> SessionEnd {
        if let Some(Arrival { age, uncertainty, .. }) = self.arrival {
            log::debug!("its last frame arrived {age:.1?} old, give or take {uncertainty:.1?}");
        }
        SessionEnd::ViewerLeft
    }

    /// Says goodbye, unless it would stand in the middle of a frame.
    fn end(&self, reason: GoodbyeReason, text: &str) -> SessionEnd {
        if self.outgoing.is_empty() {
            return refuse(self.stream, reason, text);
        }
        refused(reason, text)
    }

    /// Whether the viewer has something to take or to acknowledge.
    fn owes(&self) -> bool {
        !self.outgoing.is_empty() || !self.credit.allows()
    }

    /// When something is to be done though nothing happens.
    fn deadline(&self) -> Option<Instant> {
        let wishes = self.wanted.map(|_| self.viewed_since + WISHES_APART);
        self.stall.deadline().into_iter().chain(wishes).min()
    }

    /// Changes to what the viewer wished for last, when the time has come.
    fn follow_wishes(&mut self, waiter: &Waiter, now: Instant) -> io::Result<()> {
        if now < self.viewed_since + WISHES_APART {
            return Ok(());
        }
        let Some(wishes) = self.wanted.take() else { return Ok(()) };
        let wish = self.renditions.own().with(&wishes);
        if wish == self.view.wish() {
            return Ok(());
        }
        self.viewed_since = now;
        // The rate may be another, whatever the frames are.
        self.described = None;
        self.view.change(wish, lowest(&wishes), waiter)
    }

    /// Sends less where the link carries no more, and more again when it does.
    fn follow_link(&mut self, waiter: &Waiter) -> io::Result<()> {
        let Some(arrival) = self.arrival else { return Ok(()) };
        // A frame that came in time, round trip and all, is no reason to ask the kernel.
        let is_in_time = arrival.transfer(Duration::ZERO) <= self.view.interval();
        let round_trip = if is_in_time && !self.view.is_lowered() {
            Duration::ZERO
        } else {
            self.path.least_round_trip(self.stream, arrival.at)?
        };
        let transfer = Transfer {
            sent_at: arrival.sent.at,
            at: arrival.at,
            bytes: arrival.sent.bytes,
            took: arrival.transfer(round_trip),
        };
        self.view.arrived(transfer, waiter)?;
        Ok(())
    }

    /// Reads what the viewer said. Answers wait their turn behind a frame that is half sent.
    fn answer(&mut self) -> Result<Answered, WireError> {
        while let Some(messages) = self.outgoing.messages() {
            // A viewer that asks faster than it takes answers is answered at its own pace.
            self.controls.answer(messages, MAX_ANSWERS);
            if messages.len() > MAX_ANSWERS || self.controls.is_crowded() {
                break;
            }
            let Some(message) = self.decoder.next_message()? else { return Ok(Answered::All) };
            match message {
                Message::Ack { sequence } => {
                    let acknowledged = self.credit.acknowledged(sequence, self.heard_at);
                    // An acknowledgement of nothing is no progress: it would hold the place for ever.
                    if acknowledged.frames > 0 {
                        self.stall.progressed(Instant::now());
                    }
                    self.renditions.metrics().arrived(acknowledged.arrival, self.heard_at);
                    self.arrival = acknowledged.arrival.or(self.arrival);
                }
                Message::Ping { token } => {
                    // It leaves with the next write, which is the next thing done.
                    let (received_at, sent_at) = (self.heard_at, clock::now());
                    Message::Pong { token, received_at, sent_at }.write_to(messages);
                }
                Message::ListControls => self.controls.ask(Question::List, messages),
                Message::SetControl { id, value } => {
                    self.controls.ask(Question::Set { id, value }, messages);
                }
                Message::Wishes(wishes) => self.wanted = Some(wishes),
                Message::Credit { frames } => self.credit.allow(frames),
                // The rest is the camera's part to say.
                _ => {}
            }
        }
        Ok(Answered::NotAll)
    }

    /// Sends what is due.
    fn send(&mut self, waiter: &Waiter) -> io::Result<Sent> {
        loop {
            let mut sent = Sent::AllForNow;
            if self.outgoing.messages().is_some() && self.credit.allows() {
                match self.view.newest(waiter)? {
                    Newest::Fresh { value, skipped } => {
                        self.outgoing.note_skipped(skipped);
                        self.take(value)?;
                    }
                    Newest::NotYet => {}
                    Newest::Closed => sent = Sent::LastEver,
                }
            }
            if self.outgoing.is_empty() {
                return Ok(sent);
            }
            let written = self.outgoing.write_to(self.stream)?;
            if written.of_frame > 0 {
                self.stall.progressed(Instant::now());
            }
            if written.rest == Rest::Some {
                return Ok(Sent::AllForNow);
            }
        }
    }

    fn take(&mut self, update: Update) -> io::Result<()> {
        match update {
            Update::Frame { packet, stream } => {
                self.describe(&packet, stream);
                self.send_buffer.make_room(self.stream, packet.payload().len())?;
                let facts = &packet.facts;
                let prefix = frame_prefix(facts, packet.payload().len());
                self.credit.sent(credit::Sent {
                    sequence: facts.sequence,
                    captured_at: facts.captured_at,
                    bytes: prefix.len() + packet.payload().len(),
                    at: clock::now(),
                });
                self.outgoing.put_frame(&prefix, packet, &[]);
            }
            Update::Status(status) => {
                self.described = None;
                if let Some(messages) = self.outgoing.messages() {
                    Message::Status { code: status.code, text: &status.text }.write_to(messages);
                }
            }
        }
        Ok(())
    }

    /// Tells the viewer what its frames are, when that has changed.
    fn describe(&mut self, packet: &Packet, stream: Arc<StreamFacts>) {
        let facts = &packet.facts;
        let same = self.described.as_ref().is_some_and(|(told, codec, size)| {
            Arc::ptr_eq(told, &stream) && (*codec, *size) == (facts.codec, facts.size)
        });
        if same {
            return;
        }
        if let Some(messages) = self.outgoing.messages() {
            Message::Stream {
                codec: facts.codec,
                size: facts.size,
                millifps: self.view.millifps(&stream),
                source: &stream.source,
            }
            .write_to(messages);
        }
        self.described = Some((stream, facts.codec, facts.size));
    }
}
