//! The live picture over HTTP: whose reader cannot say what has arrived, so the kernel is asked.
//!
//! A frame is begun only when nothing of the last is unsent and at most about one is unacknowledged: less would cost a
//! round trip for each frame on Wi-Fi. What lies in the reader's own receive buffer, nobody here can see or bound.

mod ends;

use super::rhythm::Rhythm;
use super::{Asked, Connection, Happened, Received, answers, refused};
use crate::camera::connections::Seat;
use crate::camera::metrics::Transport;
use crate::camera::session::outgoing::Rest;
use crate::camera::session::silence::{Filling, Silence};
use crate::camera::session::stall::{STALLED, StallClock};
use crate::camera::session::view::{Step, View};
use crate::camera::session::{Refused, SessionEnd};
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::net::socket;
use crate::source::clock;
use crate::wire::http::Refusal;
use crate::wire::http::multipart::{CONTENT_TYPE, Heads, PartHead};
use crate::wire::http::request::{Afterwards, Version};
use crate::wire::http::response::{Head, Status};
use crate::wire::ladder::{Lowest, Transfer};
use crate::wire::native::message::Wishes;
use crate::wire::packet::Packet;
use ends::NoPicture;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// While a viewer takes nothing, the kernel is asked so often whether it did.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What may be unacknowledged besides the last frame: heads, and what TCP puts around bytes in memory.
const SLACK: usize = 8 << 10;

/// Viewers that paint a picture only when another follows wait no longer for that. Cameras are rarely so slow.
const PAUSE: Duration = Duration::from_millis(300);

/// Sends pictures until one of the two ends.
pub(super) fn serve(
    connection: &mut Connection<'_>,
    asked: &Asked,
    wishes: &Wishes,
) -> io::Result<SessionEnd> {
    let camera = connection.camera;
    let place = connection.place;
    let seat = match place.sit() {
        Ok(seat) => seat,
        Err(crowd) => {
            let text = crowd.to_string();
            let refusal = Refusal::new(Status::UNAVAILABLE, text.clone());
            let end = SessionEnd::Refused { why: Refused::TooMany, text };
            return refuse(connection, asked, &refusal, end);
        }
    };
    let metrics = camera.renditions.metrics();
    let _viewer = metrics.viewer(Transport::Http);
    let wish = answers::wish(camera, wishes);
    // Nobody can tell a browser that the size is another.
    let view = View::new(&camera.renditions, wish, Lowest::Quality40, &connection.waiter)?;
    let silence = Silence::new(camera, &wish);
    let mut stream = Stream {
        connection,
        view,
        pending: None,
        again: None,
        silence,
        last_len: 0,
        handed_over: None,
        transfers: Transfers::default(),
        rhythm: Rhythm::default(),
        heads: asked.heads,
        ebb: Ebb::NotAwaited,
        stall: StallClock::default(),
        seat,
    };
    match stream.first_picture()? {
        Ok(()) => {}
        Err(NoPicture::Refused(refusal)) => {
            let end = refused(refusal.clone());
            return refuse(stream.connection, asked, &refusal, end);
        }
        Err(NoPicture::Ended(end)) => return Ok(end),
    }
    stream.connection.guest.watches();
    stream.begin(asked)?;
    let end = stream.run()?;
    if matches!(end, SessionEnd::Stopping) {
        stream.say_goodbye()?;
    }
    Ok(end)
}

fn refuse(
    connection: &mut Connection<'_>,
    asked: &Asked,
    refusal: &Refusal,
    end: SessionEnd,
) -> io::Result<SessionEnd> {
    Ok(connection.refuse_stream(asked, refusal)?.map_or_else(|end| end, |()| end))
}

/// Whether the last frame has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ebb {
    /// Nobody has asked, or it had.
    NotAwaited,
    /// The socket will say; so many bytes were unacknowledged when it was looked at last.
    Awaited { unacknowledged: usize },
}

/// A frame that the kernel has.
#[derive(Debug, Clone, Copy)]
struct HandedOver {
    at: Micros,
    bytes: usize,
}

/// How long the last frames took. A reader makes room in lumps: several frames leave at once, and then one has to wait for all
/// of them.
#[derive(Debug, Default)]
struct Transfers {
    last: [Duration; 8],
    next: usize,
}

impl Transfers {
    fn mean_with(&mut self, took: Duration) -> Duration {
        self.last[self.next] = took;
        self.next = (self.next + 1) % self.last.len();
        self.last.iter().sum::<Duration>() / 8
    }
}

struct Stream<'a, 'c> {
    connection: &'a mut Connection<'c>,
    view: View,
    /// The newest frame, until the last one has left.
    pending: Option<Arc<Packet>>,
    /// The last one, and when it is to be sent again unless another comes ([`Heads::ExactTwice`]).
    again: Option<(Arc<Packet>, Instant)>,
    /// What fills the time without pictures.
    silence: Silence,
    last_len: usize,
    /// The last frame, until it is known how long it took.
    handed_over: Option<HandedOver>,
    transfers: Transfers,
    rhythm: Rhythm,
    heads: Heads,
    ebb: Ebb,
    stall: StallClock,
    seat: Seat<'c>,
}

/// What a stream does next.
enum Next {
    /// It sleeps until something happens.
    Sleep,
    Stop,
}

impl Stream<'_, '_> {
    /// Head and first boundary leave with the first frame.
    fn begin(&mut self, asked: &Asked) -> io::Result<()> {
        self.connection.put_head(&Head {
            status: Status::OK,
            // The end of the connection is the end of the stream: that is 1.0.
            version: Version::Http10,
            afterwards: Afterwards::Close,
            content_type: Some(CONTENT_TYPE),
            content_len: None,
            allow_origin: asked.allow_origin.as_deref(),
            more: &[answers::NO_BUFFERING],
        });
        if let Some(messages) = self.connection.outgoing.messages() {
            messages.extend_from_slice(self.heads.first());
        }
        self.put_pending()
    }

    fn run(&mut self) -> io::Result<SessionEnd> {
        loop {
            if let Next::Stop = self.send()? {
                return Ok(SessionEnd::Stopping);
            }
            self.stall.owes(self.owes(), Instant::now());
            let happened = self.connection.waiter.wait(self.deadline())?;
            if happened.stop {
                return Ok(SessionEnd::Stopping);
            }
            if let Err(end) = self.listen(happened)? {
                return Ok(end);
            }
            if happened.writable {
                self.end_of_ebb()?;
            } else if self.is_stalled(Instant::now())? {
                return Ok(SessionEnd::TooSlow(STALLED));
            }
        }
    }

    /// Passes over what the client says. One that has closed its sending side may still read (RFC 9112, section 9.6), or may
    /// have gone: the next write will tell, and until then its seat is anybody's.
    fn listen(&mut self, happened: Happened) -> io::Result<Result<(), SessionEnd>> {
        if happened.gone {
            return Ok(Err(SessionEnd::ViewerLeft));
        }
        if happened.readable {
            let Connection { deaf, stream, waiter, .. } = &mut *self.connection;
            match deaf.receive(stream, waiter)? {
                Ok(Received::Closed) => self.seat.may_be_empty(Instant::now()),
                Ok(Received::Everything | Received::Enough) => {}
                Err(error) => return Ok(Err(error.into())),
            }
        }
        Ok(Ok(()))
    }

    /// Whether the viewer has something to take.
    fn owes(&self) -> bool {
        self.ebb != Ebb::NotAwaited || !self.connection.outgoing.is_empty()
    }

    /// Sends what may be sent now.
    fn send(&mut self) -> io::Result<Next> {
        loop {
            if !self.connection.outgoing.is_empty() {
                let written = self.connection.outgoing.write_to(self.connection.stream)?;
                if written.of_frame > 0 {
                    self.stall.progressed(Instant::now());
                }
                if written.rest == Rest::Some {
                    return Ok(Next::Sleep);
                }
            }
            if self.ebb != Ebb::NotAwaited {
                return Ok(Next::Sleep);
            }
            if self.pending.is_none()
                && let Next::Stop = self.take_newest()?
            {
                return Ok(Next::Stop);
            }
            if self.pending.is_none() {
                self.pending = self.is_due_again(Instant::now()).or_else(|| self.filling());
            }
            if self.pending.is_none() {
                return Ok(Next::Sleep);
            }
            if self.has_ebbed()? {
                self.put_pending()?;
            } else if self.ebb != Ebb::NotAwaited {
                return Ok(Next::Sleep);
            }
            // Or frames come from another place now: only one that was asked wakes who sleeps.
        }
    }

    /// Looks for a newer frame than the one that is pending, if there is one.
    fn take_newest(&mut self) -> io::Result<Next> {
        loop {
            match self.view.newest(&self.connection.waiter)? {
                Newest::Fresh { value: Update::Frame { packet, .. }, skipped } => {
                    self.rhythm.saw(packet.facts.captured_at, skipped, clock::now());
                    self.silence.picture(&packet);
                    let replaced = u64::from(self.pending.replace(packet).is_some());
                    self.connection.outgoing.note_skipped(skipped + replaced);
                    return Ok(Next::Sleep);
                }
                Newest::Fresh { value: Update::Status(status), .. } => {
                    self.pending = None;
                    self.again = None;
                    self.silence.trouble(status);
                }
                Newest::NotYet => return Ok(Next::Sleep),
                Newest::Closed => return Ok(Next::Stop),
            }
        }
    }

    /// The last frame, if it is time to send that again.
    fn is_due_again(&self, now: Instant) -> Option<Arc<Packet>> {
        let (packet, at) = self.again.as_ref()?;
        (now >= *at).then(|| Arc::clone(packet))
    }

    /// What keeps a silent stream alive, if it is time for that.
    fn filling(&mut self) -> Option<Arc<Packet>> {
        let interval = self.view.interval();
        match self.silence.filling(self.connection.camera, interval)? {
            Filling::Notice(packet) => Some(packet),
            Filling::NewestAgain => self.view.current(),
        }
    }

    /// Whether the last frame has left; if not, the socket will tell when it has.
    fn has_ebbed(&mut self) -> io::Result<bool> {
        let connection = &*self.connection;
        let held = socket::held(connection.stream)?;
        let mark = self.last_len + SLACK;
        if held.unsent == 0 && held.unacknowledged <= mark {
            return self.in_time();
        }
        // Five more calls, for those who need the time anyway.
        connection.send_buffer.narrow(connection.stream, mark)?;
        connection.waiter.look_again(connection.stream)?;
        self.ebb = Ebb::Awaited { unacknowledged: held.unacknowledged };
        Ok(false)
    }

    /// The last frame has left: the newest may go. Unless a younger one is due, that is: what the reader still has to read
    /// lasts until then.
    fn end_of_ebb(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.ebb, Ebb::NotAwaited) == Ebb::NotAwaited {
            return Ok(());
        }
        self.connection.send_buffer.widen(self.connection.stream)?;
        self.late()?;
        // Its end, if it has come, is told again when this has been sent.
        self.take_newest()?;
        let rhythm = &self.rhythm;
        let is_late = |packet: &mut Arc<Packet>| {
            rhythm.is_younger_due(packet.facts.captured_at, clock::now())
        };
        if self.pending.take_if(is_late).is_some() {
            self.connection.outgoing.note_skipped(1);
        }
        self.put_pending()
    }

    /// The last frame had left when the next one came. Returns whether that one may go.
    fn in_time(&mut self) -> io::Result<bool> {
        // How early it was matters only to those who might be sent more, and the kernel knows it.
        let took = match self.handed_over {
            Some(last) if self.view.is_lowered() => {
                socket::path(self.connection.stream)?.time_for(last.bytes)
            }
            _ => Duration::ZERO,
        };
        Ok(self.note(took)? == Step::Stays)
    }

    /// The last frame has left just now, when the next one had come already.
    fn late(&mut self) -> io::Result<()> {
        let took = self.handed_over.map_or(Duration::ZERO, |last| clock::now().since(last.at));
        self.note(took)?;
        Ok(())
    }

    fn note(&mut self, took: Duration) -> io::Result<Step> {
        let Some(HandedOver { at: sent_at, bytes }) = self.handed_over.take() else {
            return Ok(Step::Stays);
        };
        let took = self.transfers.mean_with(took);
        let transfer = Transfer { sent_at, at: clock::now(), bytes, took };
        let step = self.view.arrived(transfer, &self.connection.waiter)?;
        if step == Step::Goes {
            self.transfers = Transfers::default();
            // The next to be sent is of the other kind.
            let replaced = u64::from(self.pending.take().is_some());
            self.connection.outgoing.note_skipped(replaced);
        }
        Ok(step)
    }

    /// Puts the pending frame on its way.
    fn put_pending(&mut self) -> io::Result<()> {
        let Some(packet) = self.pending.take() else { return Ok(()) };
        let again = self.again.take().is_some_and(|(last, _)| Arc::ptr_eq(&last, &packet));
        // Whoever a browser's proxy is, the browser is to show a notice before the next one comes.
        let twice = match self.heads {
            Heads::Exact => self.silence.is_notice(&packet),
            Heads::ExactTwice => true,
            Heads::Ahead => false,
        };
        if twice && !again {
            self.again = Some((Arc::clone(&packet), Instant::now() + PAUSE));
        }
        self.put(packet, self.heads.next())?;
        self.handed_over = Some(HandedOver { at: clock::now(), bytes: self.last_len });
        Ok(())
    }

    /// Puts this picture on its way, and this behind it.
    fn put(&mut self, packet: Arc<Packet>, suffix: &'static [u8]) -> io::Result<()> {
        let len = packet.payload().len();
        let head = match self.heads {
            Heads::Exact | Heads::ExactTwice => {
                Some(PartHead::new(len, clock::since_1970(packet.facts.captured_at)))
            }
            Heads::Ahead => None,
        };
        let prefix = head.as_ref().map_or(&[][..], PartHead::as_bytes);
        self.last_len = prefix.len() + len + suffix.len();
        self.connection.send_buffer.make_room(self.connection.stream, self.last_len)?;
        let counting = self.silence.sends(&packet);
        self.connection.outgoing.put_picture(prefix, packet, suffix, counting);
        Ok(())
    }

    /// When something is to be done though nothing happens.
    fn deadline(&self) -> Option<Instant> {
        let look = match self.ebb {
            Ebb::Awaited { .. } => Some(Instant::now() + LOOK_EVERY),
            Ebb::NotAwaited if self.connection.outgoing.is_empty() => {
                let again = self.again.as_ref().map(|(_, at)| *at);
                Some(again.map_or(self.silence.due(), |again| again.min(self.silence.due())))
            }
            Ebb::NotAwaited => None,
        };
        look.into_iter().chain(self.stall.deadline()).min()
    }

    /// Whether the viewer has something to take and takes nothing.
    fn is_stalled(&mut self, now: Instant) -> io::Result<bool> {
        if let Ebb::Awaited { unacknowledged } = &mut self.ebb {
            let held = socket::held(self.connection.stream)?.unacknowledged;
            if std::mem::replace(unacknowledged, held) > held {
                self.stall.progressed(now);
            }
        }
        Ok(self.stall.is_over(now))
    }
}
