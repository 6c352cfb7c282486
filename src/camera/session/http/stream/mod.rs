//! The live picture over HTTP: whose reader cannot say what has arrived, so that each frame waits for the last to leave.

mod begin;
mod pace;
mod part;

use super::asked::Asked;
use crate::camera::roster::wish::Wish;
use crate::camera::session::deaf::Deaf;
use crate::camera::session::link::outgoing::Outgoing;
use crate::camera::session::machine::{Ebbed, Input, Moment, Next, Order, Standing, Step};
use crate::camera::session::silence::{Filling, Silence};
use crate::camera::session_end::SessionEnd;
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::http::Refusal;
use crate::wire::http::multipart::{Heads, PartHead};
use crate::wire::packet::Packet;
use begin::Beginning;
use pace::Pace;
use part::Parting;
use std::sync::Arc;
use std::time::Duration;

/// Viewers that paint a picture only when another follows wait no longer for that. Cameras are rarely so slow.
const PAUSE: Duration = Duration::from_millis(300);

/// Pictures until one of the two ends.
#[derive(Debug)]
pub(super) struct Stream {
    heads: Heads,
    allow_origin: Option<String>,
    phase: Phase,
    /// The newest frame, until the last one has left.
    pending: Option<Arc<Packet>>,
    /// The last one, and when it is to be sent again unless another comes ([`Heads::ExactTwice`]).
    again: Option<(Arc<Packet>, Micros)>,
    /// What fills the time without pictures.
    silence: Silence,
    /// The last picture's bytes, with all that went along.
    last_len: usize,
    pace: Pace,
    ebb: Ebb,
    deaf: Deaf,
    /// What is still to be said of its connection.
    standing: Option<Standing>,
}

/// How far a stream is.
#[derive(Debug)]
enum Phase {
    Begins(Beginning),
    Runs,
    Parts(Parting),
}

/// Whether the last frame has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ebb {
    /// Nobody has asked, or it had.
    NotAwaited,
    /// That is what is waited for.
    Awaited,
    /// It has just now; the newest frame is to be looked for once more.
    Late,
}

impl Stream {
    /// Of somebody with this wish, who is given a seat.
    pub(super) fn new(asked: &Asked, wish: Wish, now: Micros) -> Self {
        Self {
            heads: asked.heads,
            allow_origin: asked.allow_origin.clone(),
            phase: Phase::Begins(Beginning::new(wish, now)),
            pending: None,
            again: None,
            silence: Silence::new(wish, now),
            last_len: 0,
            pace: Pace::default(),
            ebb: Ebb::NotAwaited,
            deaf: Deaf::default(),
            standing: None,
        }
    }

    pub(super) fn room(&self) -> usize {
        self.deaf.room()
    }

    pub(super) fn received(&mut self, count: usize) {
        self.deaf.received(count);
    }

    /// One that has closed its sending side may still read (RFC 9112, section 9.6), or may have gone: the next write will
    /// tell, and until then its seat is anybody's.
    pub(super) fn input_ended(&mut self) {
        self.standing = Some(Standing::MayHaveGone);
    }

    /// What is to be done next.
    ///
    /// # Errors
    /// When it cannot begin.
    pub(super) fn next(
        &mut self,
        input: Input,
        out: &mut Outgoing,
        moment: &Moment,
    ) -> Result<Next, Refusal> {
        if let Input::Awake = input
            && !matches!(self.phase, Phase::Parts(_))
        {
            if let Err(talkative) = self.deaf.check() {
                return Ok(Next::End(SessionEnd::bad_request(talkative.to_string())));
            }
            if let Some(standing) = self.standing.take() {
                return Ok(Next::Order(Order::Stand(standing)));
            }
        }
        match self.phase {
            Phase::Begins(_) => self.begin(input, out, moment),
            Phase::Runs => Ok(self.run(input, out, moment)),
            Phase::Parts(_) => Ok(self.part(input, out, moment)),
        }
    }

    fn run(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next {
        match input {
            Input::Newest(newest) => self.take(newest, out, moment),
            Input::Drawn(notice) => {
                self.pending = self.silence.drawn(notice);
                self.wait_for_ebb()
            }
            Input::Current(packet) => {
                self.pending = packet;
                self.wait_for_ebb()
            }
            Input::Ebbed(ebbed) => self.ebbed(ebbed, out, moment),
            Input::Arrived(step) => self.stepped(step, out, moment),
            _ if !out.is_empty() || self.ebb == Ebb::Awaited => Next::Wait(None),
            _ if self.pending.is_some() => self.wait_for_ebb(),
            _ => Next::Look,
        }
    }

    /// Asks whether the last frame has left, if another is to be sent.
    fn wait_for_ebb(&mut self) -> Next {
        if self.pending.is_none() {
            return Next::Wait(Some(self.deadline()));
        }
        self.ebb = Ebb::Awaited;
        Next::Order(Order::Ebb(self.last_len))
    }

    fn take(&mut self, newest: Newest<Update>, out: &mut Outgoing, moment: &Moment) -> Next {
        match newest {
            Newest::Fresh { value: Update::Frame { packet, .. }, skipped } => {
                self.pace.rhythm.saw(packet.facts.captured_at, skipped, moment.now);
                self.silence.picture(&packet);
                out.note_skipped(u64::from(self.pending.replace(packet).is_some()));
            }
            Newest::Fresh { value: Update::Status(status), .. } => {
                self.pending = None;
                self.again = None;
                self.silence.trouble(status, moment.now);
                return Next::Look;
            }
            Newest::NotYet => {}
            Newest::Closed => {
                self.part_from(moment.now);
                return self.part(Input::Awake, out, moment);
            }
        }
        if self.ebb == Ebb::Late {
            return self.go_on(out, moment);
        }
        if self.pending.is_none() {
            self.pending = self.is_due_again(moment.now);
        }
        match self.pending.is_none().then(|| self.silence.filling(moment)).flatten() {
            Some(Filling::Notice(notice)) => Next::Order(Order::Draw(notice)),
            Some(Filling::NewestAgain) => Next::Order(Order::Current),
            None => self.wait_for_ebb(),
        }
    }

    /// The last frame has left.
    fn ebbed(&mut self, ebbed: Ebbed, out: &mut Outgoing, moment: &Moment) -> Next {
        self.ebb = match ebbed {
            Ebbed::InTime(_) => Ebb::NotAwaited,
            Ebbed::Late => Ebb::Late,
        };
        match self.pace.arrived(ebbed, moment.now) {
            Some(transfer) => Next::Order(Order::Arrived(transfer)),
            None => self.stepped(Step::Stays, out, moment),
        }
    }

    /// The ladder has learnt of it.
    fn stepped(&mut self, step: Step, out: &mut Outgoing, moment: &Moment) -> Next {
        if step == Step::Goes {
            self.pace.begins_anew();
            // The next to be sent is of the other kind.
            out.note_skipped(u64::from(self.pending.take().is_some()));
        }
        // Late, a younger one may be there. And only a place that was looked at wakes who sleeps.
        if self.ebb == Ebb::Late || self.pending.is_none() {
            return Next::Look;
        }
        self.put_pending(out, moment);
        Next::Wait(None)
    }

    /// The newest may go now. Unless a younger one is due, that is: what the reader still has to read lasts until then.
    fn go_on(&mut self, out: &mut Outgoing, moment: &Moment) -> Next {
        self.ebb = Ebb::NotAwaited;
        let rhythm = &self.pace.rhythm;
        let is_late =
            |packet: &mut Arc<Packet>| rhythm.is_younger_due(packet.facts.captured_at, moment.now);
        if self.pending.take_if(is_late).is_some() {
            out.note_skipped(1);
        }
        if self.pending.is_none() {
            return Next::Look;
        }
        self.put_pending(out, moment);
        Next::Wait(None)
    }

    /// The last frame, if it is time to send that again.
    fn is_due_again(&self, now: Micros) -> Option<Arc<Packet>> {
        let (packet, at) = self.again.as_ref()?;
        (now >= *at).then(|| Arc::clone(packet))
    }

    /// When something is to be sent though nothing comes.
    fn deadline(&self) -> Micros {
        let due = self.silence.due();
        self.again.as_ref().map_or(due, |(_, at)| due.min(*at))
    }

    /// Puts the pending frame on its way.
    fn put_pending(&mut self, out: &mut Outgoing, moment: &Moment) {
        let Some(packet) = self.pending.take() else { return };
        let again = self.again.take().is_some_and(|(last, _)| Arc::ptr_eq(&last, &packet));
        // Whoever a browser's proxy is, the browser is to show a notice before the next one comes.
        let twice = match self.heads {
            Heads::Exact => self.silence.is_notice(&packet),
            Heads::ExactTwice => true,
            Heads::Ahead => false,
        };
        if twice && !again {
            self.again = Some((Arc::clone(&packet), moment.now.after(PAUSE)));
        }
        self.put(packet, self.heads.next(), out, moment);
        self.pace.handed_over(moment.now, self.last_len);
    }

    /// Puts this picture on its way, and this behind it.
    fn put(
        &mut self,
        packet: Arc<Packet>,
        suffix: &'static [u8],
        out: &mut Outgoing,
        moment: &Moment,
    ) {
        let len = packet.payload().len();
        let head = match self.heads {
            Heads::Exact | Heads::ExactTwice => {
                Some(PartHead::new(len, moment.since_1970(packet.facts.captured_at)))
            }
            Heads::Ahead => None,
        };
        let prefix = head.as_ref().map_or(&[][..], PartHead::as_bytes);
        self.last_len = prefix.len() + len + suffix.len();
        let counting = self.silence.sends(&packet, moment.now);
        out.put(prefix, packet, suffix, counting);
    }
}
