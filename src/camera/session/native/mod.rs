//! The native protocol: sends the newest frame whenever the viewer has credit, and answers its
//! messages in between.

mod controls;
mod greeting;
mod said;

use super::farewell::{self, goodbye};
use super::link::outgoing::{Counting, Outgoing};
use super::machine::{Input, Machine, Moment, Next, Order};
use crate::camera::metrics::Refused;
use crate::camera::roster::wish::Wish;
use crate::camera::session_end::SessionEnd;
use crate::camera::update::{StreamFacts, Update};
use crate::image::frame::Micros;
use crate::image::pixels::Size;
use crate::latest::Newest;
use crate::wire::ladder::Lowest;
use crate::wire::native::MAX_REQUEST;
use crate::wire::native::credit::{self, Arrival, Credit};
use crate::wire::native::decoder::Decoder;
use crate::wire::native::message::{GoodbyeReason, Message, Wishes};
use crate::wire::native::write::frame_prefix;
use crate::wire::packet::{Codec, Packet};
use greeting::{Greeting, Refusal, greeting};
use said::Said;
use std::sync::Arc;
use std::time::Duration;

/// The size of frame for which the send buffer has room before the first frame is known.
pub(super) const FIRST_ROOM: usize = 128 << 10;

/// No further answers are written while more than this is unsent.
const MAX_ANSWERS: usize = 16 << 10;

/// A viewer that sends more than this without taking the answers is disconnected.
const MAX_UNANSWERED: usize = 64 << 10;

/// The shortest time between two changes of wish, since each starts and ends threads.
const WISHES_APART: Duration = Duration::from_millis(100);

/// A session with a viewer that speaks the native protocol.
#[derive(Debug)]
pub struct Native<'a> {
    /// The camera's name.
    name: &'a str,
    /// Its id.
    id: &'a str,
    /// What a viewer without wishes gets.
    own: Wish,
    decoder: Decoder,
    input: InputSide,
    phase: Phase,
    /// The wish that is being fulfilled.
    wish: Wish,
    /// When that was subscribed to.
    wished_at: Micros,
    /// Newer wishes that wait for their time.
    wanted: Option<Wishes>,
    credit: Credit,
    /// How many frames it has acknowledged.
    acknowledged: u64,
    /// The last description of the stream that it got.
    described: Option<(Arc<StreamFacts>, Codec, Size)>,
    /// When the last bytes came: the arrival time of a ping among them.
    heard_at: Micros,
    /// The last frame that arrived.
    arrival: Option<Arrival>,
    controls: Controls,
}

/// Whether the viewer may still send something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputSide {
    Open,
    Ended,
}

/// Whether there may be answers about controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controls {
    /// The viewer has never asked.
    NotAsked,
    Asked,
}

/// The phase of a session.
#[derive(Debug)]
enum Phase {
    /// Waits for a complete greeting, until then.
    Greets(Micros),
    /// Waits to be let in.
    Knocks(Greeting),
    /// Waits for a seat.
    Sits(Greeting),
    Watches,
    /// Sends the goodbye in one write.
    Leaves(SessionEnd),
    /// The write was tried.
    Left(SessionEnd),
    Over,
}

impl<'a> Native<'a> {
    /// A session of a camera with this name and id, which sends `own` to viewers without wishes.
    /// The greeting must be complete by `deadline`.
    pub fn new(name: &'a str, id: &'a str, own: Wish, deadline: Micros) -> Self {
        Self {
            name,
            id,
            own,
            decoder: Decoder::new(MAX_REQUEST),
            input: InputSide::Open,
            phase: Phase::Greets(deadline),
            wish: own,
            wished_at: Micros::default(),
            wanted: None,
            credit: Credit::new(1),
            acknowledged: 0,
            described: None,
            heard_at: Micros::default(),
            arrival: None,
            controls: Controls::NotAsked,
        }
    }

    fn greet(&mut self, deadline: Micros, out: &mut Outgoing, now: Micros) -> Next {
        match greeting(&mut self.decoder) {
            Ok(Some(greeting)) => {
                let key = greeting.key.clone();
                self.phase = Phase::Knocks(greeting);
                return Next::Order(Order::Admit(key));
            }
            Ok(None) => {}
            Err(Refusal { reason, text }) => return self.refuse(reason, &text, out, now),
        }
        if self.input == InputSide::Ended {
            return Next::End(SessionEnd::ViewerLeft);
        }
        if self.room() == 0 {
            return self.refuse_questions(out, now);
        }
        if now >= deadline {
            return Next::End(SessionEnd::Silent);
        }
        Next::Wait(Some(deadline))
    }

    /// Gives a viewer a seat that was let in.
    fn sit(&mut self) -> Next {
        if let Phase::Knocks(greeting) = std::mem::replace(&mut self.phase, Phase::Over) {
            self.phase = Phase::Sits(greeting);
        }
        Next::Order(Order::Sit)
    }

    /// Welcomes the viewer, and subscribes for it before anything is sent.
    fn welcome(&mut self, out: &mut Outgoing, now: Micros) -> Next {
        let Phase::Sits(greeting) = std::mem::replace(&mut self.phase, Phase::Watches) else {
            return Next::Wait(None);
        };
        let Greeting { version, credit, wishes, .. } = greeting;
        if let Some(messages) = out.messages() {
            Message::Welcome { version, name: self.name, id: self.id }.write_to(messages);
        }
        self.credit = credit;
        self.wish = self.own.with(&wishes);
        self.wished_at = now;
        Next::Order(Order::Watch(self.wish, lowest(&wishes)))
    }

    fn watch(&mut self, input: &Input, out: &mut Outgoing, moment: &Moment) -> Next {
        let now = moment.now;
        if let Some(next) = self.answer(input, out, now) {
            return next;
        }
        if self.input == InputSide::Ended && out.messages().is_none() {
            // The rest of a half-sent frame is of no use to a viewer that cannot acknowledge it.
            return Next::End(self.left());
        }
        if self.room() == 0 {
            return self.refuse_questions(out, now);
        }
        if let Some(order) = self.follow_wishes(now) {
            return Next::Order(order);
        }
        if out.messages().is_some() && self.credit.allows() { Next::Look } else { self.wait() }
    }

    /// Reads the viewer's messages. While a frame is half sent, they wait.
    fn answer(&mut self, input: &Input, out: &mut Outgoing, now: Micros) -> Option<Next> {
        // A viewer that asks faster than it takes answers has to wait.
        while let Some(messages) = out.messages().filter(|messages| messages.len() <= MAX_ANSWERS) {
            let is_asked = self.controls == Controls::Asked;
            if is_asked && !matches!(input, Input::Answer(None)) {
                return Some(Next::Order(Order::Answer));
            }
            match self.decoder.next_message() {
                Ok(Some(message)) => {
                    let said = Said::of(&message);
                    if let Some(order) = self.hear(said, messages, now) {
                        return Some(Next::Order(order));
                    }
                }
                // A viewer that sends no acknowledgements gets no more frames.
                Ok(None) if self.input == InputSide::Ended => return Some(Next::End(self.left())),
                Ok(None) => return None,
                Err(error) => {
                    return Some(self.refuse(
                        GoodbyeReason::BadMessage,
                        &error.to_string(),
                        out,
                        now,
                    ));
                }
            }
        }
        None
    }

    fn hear(&mut self, said: Said, messages: &mut Vec<u8>, now: Micros) -> Option<Order> {
        match said {
            Said::Ack(sequence) => {
                let acknowledged = self.credit.acknowledged(sequence, self.heard_at);
                // An acknowledgement of an unknown frame is no progress. Otherwise a viewer could
                // keep its seat for ever with it.
                self.acknowledged += u64::try_from(acknowledged.frames).unwrap_or(0);
                self.arrival = acknowledged.arrival.or(self.arrival);
                return acknowledged.arrival.map(Order::Acknowledged);
            }
            Said::Ping(token) => {
                // The pong leaves with the next write, which follows at once.
                Message::Pong { token, received_at: self.heard_at, sent_at: now }
                    .write_to(messages);
            }
            Said::Question(question) => {
                self.controls = Controls::Asked;
                return Some(Order::Ask(question));
            }
            Said::Wishes(wishes) => self.wanted = Some(wishes),
            Said::Credit(frames) => self.credit.allow(frames),
            Said::Other => {}
        }
        None
    }

    /// Subscribes to the newest wishes, if the last change is long enough ago.
    fn follow_wishes(&mut self, now: Micros) -> Option<Order> {
        if now < self.wished_at.after(WISHES_APART) {
            return None;
        }
        let wishes = self.wanted.take()?;
        let wish = self.own.with(&wishes);
        if wish == self.wish {
            return None;
        }
        self.wish = wish;
        self.wished_at = now;
        // Describe the stream again: its rate may have changed even if the frames have not.
        self.described = None;
        Some(Order::Watch(wish, lowest(&wishes)))
    }

    /// Nothing to do now.
    fn wait(&self) -> Next {
        Next::Wait(self.wanted.map(|_| self.wished_at.after(WISHES_APART)))
    }

    fn take(&mut self, update: Update, out: &mut Outgoing, now: Micros) -> Next {
        match update {
            Update::Frame { packet, stream } => {
                self.describe(&packet, stream, out);
                let facts = &packet.facts;
                let prefix = frame_prefix(facts, packet.payload().len());
                self.credit.sent(credit::Sent {
                    sequence: facts.sequence,
                    captured_at: facts.captured_at,
                    bytes: prefix.len() + packet.payload().len(),
                    at: now,
                });
                out.put(&prefix, packet, &[], Counting::Frame);
            }
            Update::Status(status) => {
                self.described = None;
                if let Some(messages) = out.messages() {
                    Message::Status { code: status.code, text: &status.text }.write_to(messages);
                }
            }
        }
        self.wait()
    }

    /// Describes the stream to the viewer, if the description has changed.
    fn describe(&mut self, packet: &Packet, stream: Arc<StreamFacts>, out: &mut Outgoing) {
        let facts = &packet.facts;
        let same = self.described.as_ref().is_some_and(|(told, codec, size)| {
            Arc::ptr_eq(told, &stream) && (*codec, *size) == (facts.codec, facts.size)
        });
        if same {
            return;
        }
        if let Some(messages) = out.messages() {
            Message::Stream {
                codec: facts.codec,
                size: facts.size,
                rate: stream.rate.lower(self.wish.rate),
                source: &stream.told,
            }
            .write_to(messages);
        }
        self.described = Some((stream, facts.codec, facts.size));
    }

    /// Logs the age of the last frame, and returns the end.
    fn left(&self) -> SessionEnd {
        if let Some(Arrival { age, uncertainty, .. }) = self.arrival {
            log::debug!("its last frame arrived {age:.1?} old, give or take {uncertainty:.1?}");
        }
        SessionEnd::ViewerLeft
    }

    fn refuse_questions(&mut self, out: &mut Outgoing, now: Micros) -> Next {
        let kilobytes = MAX_UNANSWERED / 1000;
        let text = format!(
            "the viewer asked more than {kilobytes} kB of questions without taking the answers"
        );
        self.refuse(GoodbyeReason::BadMessage, &text, out, now)
    }

    fn refuse(
        &mut self,
        reason: GoodbyeReason,
        text: &str,
        out: &mut Outgoing,
        now: Micros,
    ) -> Next {
        let why = match reason {
            GoodbyeReason::Full => Refused::TooMany,
            GoodbyeReason::NoKey | GoodbyeReason::TlsWanted => Refused::NoKey,
            _ => Refused::BadRequest,
        };
        self.leave(SessionEnd::Refused { why, text: text.into() }, reason, text, out);
        self.over(now)
    }

    /// Says goodbye if no frame is half sent. One attempt to write is enough.
    fn leave(&mut self, end: SessionEnd, reason: GoodbyeReason, text: &str, out: &mut Outgoing) {
        if let Some(messages) = out.messages() {
            goodbye(reason, text).write_to(messages);
        }
        self.phase = Phase::Leaves(end);
    }

    /// Ends the session after one write.
    fn over(&mut self, now: Micros) -> Next {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Leaves(end) => {
                self.phase = Phase::Left(end);
                Next::Wait(Some(now))
            }
            Phase::Left(end) => Next::End(end),
            _ => Next::End(SessionEnd::ViewerLeft),
        }
    }
}

/// How small the ladder may make this viewer's picture: a size that the viewer asked for is kept.
fn lowest(wishes: &Wishes) -> Lowest {
    match (wishes.width, wishes.height) {
        (0, 0) => Lowest::HalfSize,
        _ => Lowest::Quality40,
    }
}

impl Machine for Native<'_> {
    fn room(&self) -> usize {
        MAX_UNANSWERED.saturating_sub(self.decoder.received().len())
    }

    fn received(&mut self, bytes: &[u8], now: Micros) {
        self.decoder.push(bytes);
        self.heard_at = now;
    }

    fn input_ended(&mut self) {
        self.input = InputSide::Ended;
    }

    fn next(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next {
        let now = moment.now;
        match (&self.phase, input) {
            (&Phase::Greets(deadline), _) => self.greet(deadline, out, now),
            (Phase::Knocks(_), Input::Admitted(Err(why))) => {
                let Refusal { reason, text } = why.into();
                self.refuse(reason, &text, out, now)
            }
            (Phase::Knocks(_), Input::Admitted(Ok(_))) => self.sit(),
            (Phase::Knocks(greeting), _) => Next::Order(Order::Admit(greeting.key.clone())),
            (Phase::Sits(_), Input::Seated(Ok(()))) => Next::Order(Order::Announce),
            (Phase::Sits(_), Input::Seated(Err(crowd))) => {
                self.refuse(GoodbyeReason::Full, &crowd.to_string(), out, now)
            }
            (Phase::Sits(_), _) => self.welcome(out, now),
            (Phase::Watches, Input::Newest(newest)) => match newest {
                Newest::Fresh { value, .. } => self.take(value, out, now),
                Newest::NotYet => self.wait(),
                Newest::Closed => {
                    self.end(SessionEnd::Stopping, out, now);
                    self.over(now)
                }
            },
            (Phase::Watches, Input::Answer(Some(answer))) => {
                if let Some(messages) = out.messages() {
                    controls::write(&answer, messages);
                }
                self.watch(&Input::Awake, out, moment)
            }
            (Phase::Watches, input) => self.watch(&input, out, moment),
            (Phase::Leaves(_) | Phase::Left(_) | Phase::Over, _) => self.over(now),
        }
    }

    fn end(&mut self, why: SessionEnd, out: &mut Outgoing, _now: Micros) {
        let told = farewell::of_a_viewer(&why).filter(|_| matches!(self.phase, Phase::Watches));
        match (&self.phase, told) {
            (Phase::Leaves(_) | Phase::Left(_) | Phase::Over, _) => {}
            (_, Some((reason, text))) => self.leave(why, reason, &text, out),
            (_, None) => self.phase = Phase::Left(why),
        }
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    fn owes_acknowledgement(&self) -> bool {
        !self.credit.allows()
    }
}
