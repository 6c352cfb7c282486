//! The live picture over HTTP. Its reader cannot acknowledge frames, so each frame waits until the
//! last one has left.

mod begin;
mod pace;
mod part;

use super::asked::Asked;
use super::stand_in::StandIns;
use crate::camera::roster::wish::Wish;
use crate::camera::session::input_limit::InputLimit;
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

/// Some viewers paint a picture only when the next one has begun. They wait no longer than this for
/// it; few cameras are slower.
const PAUSE: Duration = Duration::from_millis(300);

/// Sends pictures until the client leaves or the program stops.
#[derive(Debug)]
pub(super) struct Stream {
    heads: Heads,
    allow_origin: Option<String>,
    phase: Phase,
    /// The newest frame, until the last one has left.
    pending: Option<Arc<Packet>>,
    /// The last picture, and when to send it again if no other comes ([`Heads::ExactTwice`]).
    again: Option<(Arc<Packet>, Micros)>,
    /// What to send while there are no pictures.
    silence: Silence,
    /// The wishes that were given up since the last picture.
    stand_ins: StandIns,
    /// The bytes of the last picture, including prefix and suffix.
    last_len: usize,
    pace: Pace,
    ebb: Ebb,
    input_limit: InputLimit,
    /// A change of the connection's standing that is not reported yet.
    standing: Option<Standing>,
}

/// The phase of a stream.
#[derive(Debug)]
enum Phase {
    Begins(Beginning),
    Runs,
    Parts(Parting),
}

/// Whether the last frame has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ebb {
    /// It had left when it was asked, or nobody has asked.
    NotAwaited,
    /// Waiting for it to leave.
    Awaited,
    /// It has left just now, late. Look for a newer frame before sending one.
    Late,
}

impl Stream {
    /// A stream for a client that gets a seat.
    pub(super) fn new(asked: &Asked, wish: Wish, now: Micros) -> Self {
        Self {
            heads: asked.heads,
            allow_origin: asked.allow_origin.clone(),
            phase: Phase::Begins(Beginning::new(wish, now)),
            pending: None,
            again: None,
            silence: Silence::new(wish, now),
            stand_ins: StandIns::default(),
            last_len: 0,
            pace: Pace::default(),
            ebb: Ebb::NotAwaited,
            input_limit: InputLimit::default(),
            standing: None,
        }
    }

    pub(super) fn room(&self) -> usize {
        self.input_limit.room()
    }

    pub(super) fn received(&mut self, count: usize) {
        self.input_limit.received(count);
    }

    /// Notes that the client has closed its sending side. It may still read (RFC 9112, section 9.6)
    /// or may be gone. The next write will show which; until then another viewer may take its seat.
    pub(super) fn input_ended(&mut self) {
        self.standing = Some(Standing::MayHaveGone);
    }

    /// What to do next.
    ///
    /// # Errors
    /// When the stream cannot begin.
    pub(super) fn next(
        &mut self,
        input: Input,
        out: &mut Outgoing,
        moment: &Moment,
    ) -> Result<Next, Refusal> {
        if let Input::Awake = input
            && !matches!(self.phase, Phase::Parts(_))
        {
            if let Err(error) = self.input_limit.check() {
                return Ok(Next::End(SessionEnd::bad_request(error.to_string())));
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

    /// Asks whether the last frame has left, if there is another to send.
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
                self.stand_ins = StandIns::default();
                out.note_skipped(u64::from(self.pending.replace(packet).is_some()));
            }
            Newest::Fresh { value: Update::Status(status), .. } => {
                self.pending = None;
                self.again = None;
                // Pictures of another shape may come to more forms than may be sent.
                if let Some(next) = self.stand_ins.instead(&status) {
                    return next;
                }
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

    /// The ladder has taken the transfer into account.
    fn stepped(&mut self, step: Step, out: &mut Outgoing, moment: &Moment) -> Next {
        if step == Step::Goes {
            self.pace.begins_anew();
            // The next frame will have the new form.
            out.note_skipped(u64::from(self.pending.take().is_some()));
        }
        // After a late frame there may be a younger one. Also, the slot wakes this thread only
        // after it was found empty.
        if self.ebb == Ebb::Late || self.pending.is_none() {
            return Next::Look;
        }
        self.put_pending(out, moment);
        Next::Wait(None)
    }

    /// Sends the newest frame, unless a younger one is due: the reader still has data to read until
    /// that comes.
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

    /// The last picture, if it is time to send it again.
    fn is_due_again(&self, now: Micros) -> Option<Arc<Packet>> {
        let (packet, at) = self.again.as_ref()?;
        (now >= *at).then(|| Arc::clone(packet))
    }

    /// When to send something even if no picture comes.
    fn deadline(&self) -> Micros {
        let due = self.silence.due();
        self.again.as_ref().map_or(due, |(_, at)| due.min(*at))
    }

    /// Puts the pending frame into `out`.
    fn put_pending(&mut self, out: &mut Outgoing, moment: &Moment) {
        let Some(packet) = self.pending.take() else { return };
        let again = self.again.take().is_some_and(|(last, _)| Arc::ptr_eq(&last, &packet));
        // An `Exact` client may be a proxy with a browser behind it. A browser should show a notice
        // before the next picture comes, so a notice is sent twice.
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

    /// Puts a picture into `out`, followed by `suffix`.
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
