//! A session in the native protocol: at most one frame in flight, always the newest.

use super::outgoing::{Outgoing, Progress};
use super::receive::{self, Received};
use super::waiter::Waiter;
use super::{Camera, STALLED, SessionEnd};
use crate::camera::metrics::Transport;
use crate::camera::renditions::{Renditions, Watching};
use crate::camera::update::{StreamFacts, Update};
use crate::image::frame::Micros;
use crate::image::pixels::Size;
use crate::latest::{Newest, Reader};
use crate::net::socket::SendBuffer;
use crate::source::clock;
use crate::wire::native::WireError;
use crate::wire::native::credit::{Arrival, Credit};
use crate::wire::native::decoder::Decoder;
use crate::wire::native::message::{GoodbyeReason, Message, StatusCode, Wishes};
use crate::wire::native::version::{MIN_VERSION, NoCommonVersion, VERSION, common_version};
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

/// Wishes that follow others sooner than this wait so long: each costs threads that come and go.
const WISHES_APART: Duration = Duration::from_millis(100);

/// Serves a viewer whose first bytes, in `decoder`, began like a greeting that must be whole by `deadline`.
pub(super) fn serve(
    stream: &TcpStream,
    mut decoder: Decoder,
    camera: &Camera,
    deadline: Instant,
) -> io::Result<SessionEnd> {
    let mut send_buffer = SendBuffer::for_accepted(stream)?;
    send_buffer.make_room(stream, FIRST_ROOM)?;
    let waiter = Waiter::new(stream, &camera.stop)?;
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
        if let Received::Closed = receive(stream, &mut decoder)? {
            return Ok(SessionEnd::ViewerLeft);
        }
    };
    let Some(_seat) = camera.seats.take() else {
        let text = format!(
            "{} viewers are watching already, and no more are let in",
            camera.seats.count()
        );
        return Ok(refuse(stream, GoodbyeReason::Full, &text));
    };
    let _viewer = metrics.viewer(Transport::Native);
    // Before the welcome: whoever is welcomed watches already.
    let view = View::new(&camera.renditions, &wishes, &waiter)?;
    if let Some(messages) = outgoing.messages() {
        Message::Welcome { version, name: &camera.name }.write_to(messages);
    }
    let session = Session {
        stream,
        decoder,
        renditions: &camera.renditions,
        view,
        wanted: None,
        outgoing,
        credit,
        send_buffer,
        described: None,
        newest: None,
        last_progress: Instant::now(),
        heard_at: clock::now(),
        arrival: None,
    };
    session.run(&waiter)
}

/// What a viewer's greeting says.
struct Greeting {
    version: u8,
    credit: Credit,
    wishes: Wishes,
}

/// Why a viewer cannot be served.
struct Refusal {
    reason: GoodbyeReason,
    text: String,
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self { reason: GoodbyeReason::BadMessage, text: error.to_string() }
    }
}

impl From<NoCommonVersion> for Refusal {
    fn from(error: NoCommonVersion) -> Self {
        Self { reason: GoodbyeReason::Version, text: error.to_string() }
    }
}

/// The viewer's greeting; `None` while it is not whole.
fn greeting(decoder: &mut Decoder) -> Result<Option<Greeting>, Refusal> {
    let Some(message) = decoder.next_message()? else { return Ok(None) };
    let Message::Hello { min_version, max_version, credit, wishes, program } = message else {
        let text = "the first message of a viewer is its greeting".into();
        return Err(Refusal { reason: GoodbyeReason::BadMessage, text });
    };
    log::debug!("viewer is {program}");
    let version = common_version(min_version, max_version)?;
    Ok(Some(Greeting { version, credit: Credit::new(credit), wishes }))
}

/// Says goodbye as far as one write goes: a stranger gets no more of our time.
fn refuse(stream: &TcpStream, reason: GoodbyeReason, text: &str) -> SessionEnd {
    let mut outgoing = Outgoing::new();
    if let Some(messages) = outgoing.messages() {
        goodbye(reason, text).write_to(messages);
    }
    // Whether it arrives or not, the session ends, and the log says why.
    let _ = outgoing.write_to(stream);
    SessionEnd::Refused(text.into())
}

fn goodbye(reason: GoodbyeReason, text: &str) -> Message<'_> {
    Message::Goodbye { reason, min_version: MIN_VERSION, max_version: VERSION, text }
}

/// As [`receive::receive`], of a viewer that lets itself be answered.
fn receive(stream: &TcpStream, decoder: &mut Decoder) -> io::Result<Received> {
    match receive::receive(stream, decoder, MAX_UNANSWERED)? {
        Received::Enough => Err(io::Error::other("the viewer asks more than it lets us answer")),
        received => Ok(received),
    }
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

/// What the viewer watches, and since when.
struct View {
    /// Before the place it reads from, which it may be the last to leave.
    reader: Reader<Update>,
    watching: Watching,
    since: Instant,
}

impl View {
    fn new(renditions: &Arc<Renditions>, wishes: &Wishes, waiter: &Waiter) -> io::Result<Self> {
        let watching = renditions.watch(renditions.own().with(wishes));
        let mut reader = watching.reader();
        waiter.listen_to(&mut reader)?;
        Ok(Self { reader, watching, since: Instant::now() })
    }
}

struct Session<'a> {
    stream: &'a TcpStream,
    decoder: Decoder,
    renditions: &'a Arc<Renditions>,
    view: View,
    /// Wishes that are not fulfilled yet.
    wanted: Option<Wishes>,
    outgoing: Outgoing,
    credit: Credit,
    send_buffer: SendBuffer,
    /// What the viewer was last told its frames are.
    described: Option<(Arc<StreamFacts>, Codec, Size)>,
    /// The newest frame that was sent, and whose.
    newest: Option<(Arc<StreamFacts>, u64)>,
    last_progress: Instant,
    /// When bytes last came: a ping among them has arrived by then.
    heard_at: Micros,
    /// How old a frame was when it last arrived.
    arrival: Option<Arrival>,
}

impl Session<'_> {
    fn run(mut self, waiter: &Waiter) -> io::Result<SessionEnd> {
        loop {
            let answered = match self.answer() {
                Ok(answered) => answered,
                Err(error) => return Ok(self.end(GoodbyeReason::BadMessage, &error.to_string())),
            };
            self.follow_wishes(waiter, Instant::now())?;
            if let Sent::LastEver = self.send()? {
                return Ok(self.stopping());
            }
            if answered == Answered::NotAll && self.outgoing.is_empty() {
                continue;
            }
            let happened = waiter.wait(self.deadline())?;
            if happened.stop {
                return Ok(self.stopping());
            }
            if happened.readable {
                if let Received::Closed = receive(self.stream, &mut self.decoder)? {
                    return Ok(self.left());
                }
                self.heard_at = clock::now();
            }
            if happened.deadline && self.is_stalled(Instant::now()) {
                self.end(GoodbyeReason::TooSlow, "nothing was taken for too long");
                return Ok(SessionEnd::TooSlow(STALLED));
            }
        }
    }

    fn stopping(&self) -> SessionEnd {
        self.end(GoodbyeReason::Stopping, "the camera's lancam was stopped");
        SessionEnd::Stopping
    }

    /// Leaves in the log how the viewer fared.
    fn left(&self) -> SessionEnd {
        if let Some(Arrival { age, uncertainty }) = self.arrival {
            log::debug!("its last frame arrived {age:.1?} old, give or take {uncertainty:.1?}");
        }
        SessionEnd::ViewerLeft
    }

    /// Says goodbye, unless it would stand in the middle of a frame.
    fn end(&self, reason: GoodbyeReason, text: &str) -> SessionEnd {
        if self.outgoing.is_empty() {
            return refuse(self.stream, reason, text);
        }
        SessionEnd::Refused(text.into())
    }

    /// Whether the viewer has something to take or to acknowledge.
    fn owes(&self) -> bool {
        !self.outgoing.is_empty() || !self.credit.allows()
    }

    /// When something is to be done though nothing happens.
    fn deadline(&self) -> Option<Instant> {
        let stalled = self.owes().then(|| self.last_progress + STALLED);
        let wishes = self.wanted.map(|_| self.view.since + WISHES_APART);
        stalled.into_iter().chain(wishes).min()
    }

    /// Changes to what the viewer wished for last, when the time has come.
    fn follow_wishes(&mut self, waiter: &Waiter, now: Instant) -> io::Result<()> {
        if now < self.view.since + WISHES_APART {
            return Ok(());
        }
        let Some(wishes) = self.wanted.take() else { return Ok(()) };
        let wish = self.renditions.own().with(&wishes);
        if wish == self.view.watching.wish() {
            return Ok(());
        }
        self.view.watching.change(wish);
        self.view.reader = self.view.watching.reader();
        self.view.since = now;
        // The rate may be another, whatever the frames are.
        self.described = None;
        waiter.listen_to(&mut self.view.reader)
    }

    fn is_stalled(&self, now: Instant) -> bool {
        self.owes() && now.saturating_duration_since(self.last_progress) >= STALLED
    }

    /// Reads what the viewer said. Answers wait their turn behind a frame that is half sent.
    fn answer(&mut self) -> Result<Answered, WireError> {
        while let Some(messages) = self.outgoing.messages() {
            // A viewer that asks faster than it takes answers is answered at its own pace.
            if messages.len() > MAX_ANSWERS {
                break;
            }
            let Some(message) = self.decoder.next_message()? else { return Ok(Answered::All) };
            match message {
                Message::Ack { sequence } => {
                    let acknowledged = self.credit.acknowledged(sequence, self.heard_at);
                    // An acknowledgement of nothing is no progress: it would hold the place for ever.
                    if acknowledged.frames > 0 {
                        self.last_progress = Instant::now();
                    }
                    self.renditions.metrics().arrived(acknowledged.arrival, self.heard_at);
                    self.arrival = acknowledged.arrival.or(self.arrival);
                }
                Message::Ping { token } => {
                    // It leaves with the next write, which is the next thing done.
                    let (received_at, sent_at) = (self.heard_at, clock::now());
                    Message::Pong { token, received_at, sent_at }.write_to(messages);
                }
                Message::ListControls | Message::SetControl { .. } => Message::Status {
                    code: StatusCode::Refused,
                    text: "this camera's controls cannot be changed from viewers",
                }
                .write_to(messages),
                Message::Wishes(wishes) => self.wanted = Some(wishes),
                Message::Credit { frames } => self.credit.allow(frames),
                // The rest is the camera's part to say.
                _ => {}
            }
        }
        Ok(Answered::NotAll)
    }

    /// Sends what is due.
    fn send(&mut self) -> io::Result<Sent> {
        loop {
            let mut sent = Sent::AllForNow;
            if self.outgoing.messages().is_some() && self.credit.allows() {
                match self.view.reader.newest() {
                    // The bell rings only after everything there is has been looked at.
                    Newest::Fresh { value, .. } if self.has_seen(&value) => continue,
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
            match self.outgoing.write_to(self.stream)? {
                Progress::Done => self.last_progress = Instant::now(),
                Progress::Partly { bytes } => {
                    if bytes > 0 {
                        self.last_progress = Instant::now();
                    }
                    return Ok(Sent::AllForNow);
                }
            }
        }
    }

    /// Whether this is no newer than a frame that was sent: what waits in a place that others watch in another form.
    fn has_seen(&self, update: &Update) -> bool {
        let (Update::Frame { packet, stream }, Some((of, newest))) = (update, &self.newest) else {
            return false;
        };
        Arc::ptr_eq(of, stream) && packet.facts.sequence <= *newest
    }

    fn take(&mut self, update: Update) -> io::Result<()> {
        match update {
            Update::Frame { packet, stream } => {
                self.newest = Some((Arc::clone(&stream), packet.facts.sequence));
                self.describe(&packet, stream);
                self.send_buffer.make_room(self.stream, packet.payload().len())?;
                let facts = &packet.facts;
                self.credit.sent(facts.sequence, facts.captured_at, clock::now());
                let prefix = frame_prefix(&packet.facts, packet.payload().len());
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
            let rates = [stream.millifps, self.view.watching.wish().millifps];
            let known = rates.into_iter().filter(|&millifps| millifps > 0);
            Message::Stream {
                codec: facts.codec,
                size: facts.size,
                millifps: known.min().unwrap_or(0),
                source: &stream.source,
            }
            .write_to(messages);
        }
        self.described = Some((stream, facts.codec, facts.size));
    }
}
