//! The HTTP protocol: answers requests one after the other, until one asks for the live picture.

mod admission;
mod answers;
mod asked;
mod guard;
mod leaving;
mod rhythm;
mod snapshot;
mod stand_in;
mod stream;
#[cfg(test)]
mod tests;

use super::link::outgoing::Outgoing;
use super::machine::{Input, Machine, Moment, Next, Order, Report, Standing};
use crate::camera::context::HttpRules;
use crate::camera::page;
use crate::camera::roster::wish::Wish;
use crate::camera::session_end::{GREETING_TIMEOUT, SessionEnd};
use crate::image::frame::Micros;
use crate::rate::Rate;
use crate::wire::http::Refusal;
use crate::wire::http::request::{Afterwards, Method, Requests};
use crate::wire::http::resource::Resource;
use crate::wire::http::response::Status;
use crate::wire::native::message::Wishes;
use admission::Knock;
use asked::{Asked, Form};
pub use guard::Guard;
use leaving::{LINGER_BYTES, LINGER_TIME, refused};
use snapshot::{Progress, Snapshot};
use std::time::Duration;
use stream::Stream;

/// A client may send this many bytes ahead while it is being answered. The rest stays in the
/// socket.
const MAX_AHEAD: usize = 64 << 10;

/// How long, and for how many requests, a connection is kept open. Then other clients get their
/// turn.
const KEPT_FOR: Duration = Duration::from_secs(60);
const MOST_REQUESTS: u64 = 1000;

/// A session with a client that speaks HTTP.
#[derive(Debug)]
pub struct Http<'a> {
    /// The camera's name.
    name: &'a str,
    rules: &'a HttpRules,
    /// Where the camera wants keys.
    guard: Option<Guard>,
    /// The wish of a client that wishes for nothing.
    own: Wish,
    /// When the client connected.
    since: Micros,
    requests: Requests,
    input: InputSide,
    /// How many requests were answered.
    answered: u64,
    /// The refusal that was the last answer, if it was one.
    refusal: Option<Refusal>,
    /// When the last answer must have left, because the program is stopping.
    leaves_by: Option<Micros>,
    state: State,
}

/// Whether the client may still send something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputSide {
    Open,
    Ended,
}

/// The state of a session.
#[derive(Debug, Default)]
enum State {
    /// Waits for a complete request, until then.
    Asks(Micros),
    /// The request is complete; the connection is being marked as answered.
    Asked(Asked),
    /// Waits until its key was looked at.
    Knocks(Asked, Knock),
    /// Waits for a form, until then.
    Reads(Asked, Form, Micros),
    /// Waits until its code was looked at.
    LogsIn(Asked),
    /// Waits for a report on the camera.
    Reports(Asked, Report),
    /// Waits for a picture taken for this request.
    Pictures(Asked, Snapshot),
    /// Waits for a seat.
    Sits(Asked, Wishes),
    Streams(Asked, Box<Stream>),
    /// Sends an answer. Then comes the end, or the next request.
    Answers(Option<SessionEnd>),
    /// The answer has been sent.
    Closes(SessionEnd),
    /// Waits until the client has read its last answer. Closing a socket with unread bytes in it
    /// would reset the connection and discard the answer.
    Lingers {
        end: SessionEnd,
        until: Micros,
        received: usize,
    },
    Ends(SessionEnd),
    /// Only while one state is replaced by the next.
    #[default]
    Between,
}

impl<'a> Http<'a> {
    /// A session of a camera with this name, which answers by these rules and sends `own` to
    /// clients without wishes. The first request must be complete by `deadline`.
    pub fn new(
        name: &'a str,
        rules: &'a HttpRules,
        own: Wish,
        deadline: Micros,
        now: Micros,
    ) -> Self {
        Self {
            name,
            rules,
            guard: None,
            own,
            since: now,
            requests: Requests::default(),
            input: InputSide::Open,
            answered: 0,
            refusal: None,
            leaves_by: None,
            state: State::Asks(deadline),
        }
    }

    /// The same for a camera that wants keys.
    #[must_use]
    pub fn guarded(self, guard: Guard) -> Self {
        Self { guard: Some(guard), ..self }
    }

    /// Parses the next request and begins to answer it.
    fn listen(&mut self, deadline: Micros, now: Micros) -> Next {
        match self.requests.next_request() {
            Ok(Some(request)) => {
                let asked = Asked::of(&request, self.rules, self.guard.as_ref());
                return self.begin(asked, now);
            }
            Ok(None) => {}
            // After an invalid request, the start of the next one is unknown.
            Err(refusal) => return self.begin(Asked::refused(refusal), now),
        }
        let is_begun = self.requests.waiting() > 0;
        if self.input == InputSide::Ended {
            if is_begun {
                let text = "the request is cut short: an empty line must end its headers";
                return self.begin(Asked::refused(Refusal::new(Status::BAD_REQUEST, text)), now);
            }
            return Next::End(self.answered_or(SessionEnd::ViewerLeft));
        }
        if now < deadline {
            self.state = State::Asks(deadline);
            return Next::Wait(Some(deadline));
        }
        if is_begun {
            let text = format!("no complete request came within {} s", GREETING_TIMEOUT.as_secs());
            return self.begin(Asked::refused(Refusal::new(Status::REQUEST_TIMEOUT, text)), now);
        }
        Next::End(self.answered_or(SessionEnd::Silent))
    }

    fn answered_or(&self, end: SessionEnd) -> SessionEnd {
        if self.answered > 0 { SessionEnd::Answered(self.answered) } else { end }
    }

    fn begin(&mut self, mut asked: Asked, now: Micros) -> Next {
        if now.since(self.since) >= KEPT_FOR || self.answered + 1 >= MOST_REQUESTS {
            asked.afterwards = Afterwards::Close;
        }
        self.refusal = None;
        self.state = State::Asked(asked);
        Next::Order(Order::Stand(Standing::Answered))
    }

    fn answer(&mut self, mut asked: Asked, out: &mut Outgoing, moment: &Moment) -> Next {
        match asked.client.take() {
            Some(client) => self.knock(asked, client, out, moment),
            None => self.serve(asked, out, moment),
        }
    }

    /// Answers a client that may have an answer.
    fn serve(&mut self, asked: Asked, out: &mut Outgoing, moment: &Moment) -> Next {
        let resource = match &asked.resource {
            Err(refusal) => {
                let refusal = refusal.clone();
                return self.refuse(&asked, refusal, out);
            }
            Ok(_) if asked.method == Method::Options => {
                answers::options(&asked, self.guard.as_ref(), out);
                return self.answers(&asked);
            }
            Ok(resource) => resource,
        };
        let is_head = asked.method == Method::Head;
        match resource {
            Resource::Page => {
                let cookie = self.guard.as_ref().zip(asked.keeps.as_ref());
                let cookie = cookie.map(|(guard, key)| guard.set_cookie(&key.0));
                answers::page(&asked, &self.page(), cookie.as_deref(), out);
                self.answers(&asked)
            }
            Resource::Login => self.log_in(asked, out, moment.now),
            Resource::State => self.report(asked, Report::State),
            Resource::Metrics => self.report(asked, Report::Metrics),
            Resource::Health => self.report(asked, Report::Health),
            // A HEAD request for a picture does not start the camera.
            Resource::Stream(_) | Resource::Snapshot(_) if is_head => {
                self.report(asked, Report::Health)
            }
            Resource::Stream(wishes) => {
                let wishes = *wishes;
                self.state = State::Sits(asked, wishes);
                Next::Order(Order::Sit)
            }
            Resource::Snapshot(wishes) => {
                // A single picture has no rate. A rate in the wish would only delay it.
                let wish = self.own.with(&Wishes { rate: Rate::NONE, ..*wishes });
                self.picture(asked, Snapshot::new(wish, moment.now), Input::Awake, out, moment)
            }
        }
    }

    fn page(&self) -> String {
        match &self.guard {
            Some(guard) => page::html_for_keys(self.name, guard.pair_command),
            None => page::html(self.name),
        }
    }

    fn report(&mut self, asked: Asked, kind: Report) -> Next {
        self.state = State::Reports(asked, kind);
        Next::Order(Order::Report(kind))
    }

    fn reported(&mut self, asked: Asked, kind: Report, input: Input, out: &mut Outgoing) -> Next {
        let Input::Reported(report) = input else { return self.report(asked, kind) };
        self.refusal = answers::report(&asked, kind, &report, out);
        self.answers(&asked)
    }

    fn picture(
        &mut self,
        asked: Asked,
        mut snapshot: Snapshot,
        input: Input,
        out: &mut Outgoing,
        moment: &Moment,
    ) -> Next {
        match snapshot.next(input, moment) {
            Progress::Next(next) => {
                self.state = State::Pictures(asked, snapshot);
                return next;
            }
            Progress::Picture(packet) => {
                let taken = moment.since_1970(packet.facts.captured_at);
                answers::picture(&asked, packet, taken, out);
                self.answers(&asked);
            }
            Progress::No(refusal) => drop(self.refuse(&asked, refusal, out)),
            Progress::Stopping => self.refuse_to_begin(asked, out, moment.now),
        }
        Next::Order(Order::Unwatch)
    }

    fn sit(
        &mut self,
        asked: Asked,
        wishes: Wishes,
        input: &Input,
        out: &mut Outgoing,
        moment: &Moment,
    ) -> Next {
        match input {
            Input::Seated(Ok(())) => {
                let mut stream = Box::new(Stream::new(&asked, self.own.with(&wishes), moment.now));
                // The client may have closed its sending side right behind the request.
                if self.input == InputSide::Ended {
                    stream.input_ended();
                }
                self.stream(asked, stream, Input::Awake, out, moment)
            }
            Input::Seated(Err(crowd)) => {
                let refusal = Refusal::new(Status::UNAVAILABLE, crowd.to_string());
                self.refuse_stream(asked, &refusal, SessionEnd::crowded(*crowd), out)
            }
            _ => {
                self.state = State::Sits(asked, wishes);
                Next::Order(Order::Sit)
            }
        }
    }

    fn stream(
        &mut self,
        asked: Asked,
        mut stream: Box<Stream>,
        input: Input,
        out: &mut Outgoing,
        moment: &Moment,
    ) -> Next {
        match stream.next(input, out, moment) {
            Ok(Next::End(SessionEnd::Stopping)) if !stream.has_begun() => {
                self.refuse_to_begin(asked, out, moment.now);
                Next::Order(Order::Unwatch)
            }
            Ok(next) => {
                self.state = State::Streams(asked, stream);
                next
            }
            Err(refusal) => {
                let end = refused(refusal.clone());
                self.refuse_stream(asked, &refusal, end, out)
            }
        }
    }
}

impl Machine for Http<'_> {
    fn room(&self) -> usize {
        match &self.state {
            State::Streams(_, stream) => stream.room(),
            State::Lingers { received, .. } => LINGER_BYTES.saturating_sub(*received),
            // A request longer than this is refused, so there is no need to take more.
            _ => MAX_AHEAD.saturating_sub(self.requests.waiting()),
        }
    }

    fn received(&mut self, bytes: &[u8], _now: Micros) {
        match &mut self.state {
            State::Streams(_, stream) => stream.received(bytes.len()),
            State::Lingers { received, .. } => *received += bytes.len(),
            _ => self.requests.push(bytes),
        }
    }

    fn input_ended(&mut self) {
        self.input = InputSide::Ended;
        if let State::Streams(_, stream) = &mut self.state {
            stream.input_ended();
        }
    }

    fn next(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next {
        let now = moment.now;
        match std::mem::take(&mut self.state) {
            State::Asks(deadline) => self.listen(deadline, now),
            State::Asked(asked) => self.answer(asked, out, moment),
            State::Knocks(asked, knock) => self.judged(asked, knock, &input, out, moment),
            State::Reads(asked, form, deadline) => self.read(asked, form, deadline, out, now),
            State::LogsIn(asked) => self.logged_in(&asked, input, out),
            State::Reports(asked, kind) => self.reported(asked, kind, input, out),
            State::Pictures(asked, snapshot) => self.picture(asked, snapshot, input, out, moment),
            State::Sits(asked, wishes) => self.sit(asked, wishes, &input, out, moment),
            State::Streams(asked, stream) => self.stream(asked, stream, input, out, moment),
            State::Answers(end) => self.answer_leaves(end, out, now),
            State::Closes(end) => {
                let until = now.after(LINGER_TIME);
                let until = self.leaves_by.map_or(until, |by| by.min(until));
                self.linger(end, until, 0, now)
            }
            State::Lingers { end, until, received } => self.linger(end, until, received, now),
            State::Ends(end) => Next::End(end),
            State::Between => Next::End(SessionEnd::ViewerLeft),
        }
    }

    fn end(&mut self, why: SessionEnd, out: &mut Outgoing, now: Micros) {
        let is_stopping = matches!(why, SessionEnd::Stopping);
        self.state = match std::mem::take(&mut self.state) {
            // The client has been told everything.
            State::Closes(end) | State::Lingers { end, .. } | State::Ends(end) => State::Ends(end),
            state if is_stopping => return self.stop(state, out, now),
            _ => State::Ends(why),
        };
    }
}
