//! Sends an answer, and then waits for the next request or closes the connection.

use super::asked::Asked;
use super::{Http, InputSide, State, answers};
use crate::camera::metrics::Refused;
use crate::camera::session::link::outgoing::Outgoing;
use crate::camera::session::machine::{Next, Order, Standing};
use crate::camera::session_end::{GREETING_TIMEOUT, SessionEnd};
use crate::image::frame::Micros;
use crate::wire::http::Refusal;
use crate::wire::http::request::Afterwards;
use crate::wire::http::response::Status;
use std::time::Duration;

/// How long a client may take to read its last answer, and how many bytes are ignored that it still
/// sends.
pub(super) const LINGER_TIME: Duration = Duration::from_secs(1);
pub(super) const LINGER_BYTES: usize = 1 << 20;

/// How long the last bytes may take to leave when the program stops, so that no client delays its end for longer.
pub(super) const GOODBYE: Duration = Duration::from_millis(200);

impl Http<'_> {
    /// Refuses a request, with the reason.
    pub(super) fn refuse(&mut self, asked: &Asked, refusal: Refusal, out: &mut Outgoing) -> Next {
        answers::refuse(asked, &refusal, out);
        self.refusal = Some(refusal);
        self.answers(asked)
    }

    /// Refuses a stream, and closes the connection.
    pub(super) fn refuse_stream(
        &mut self,
        mut asked: Asked,
        refusal: &Refusal,
        end: SessionEnd,
        out: &mut Outgoing,
    ) -> Next {
        asked.afterwards = Afterwards::Close;
        answers::refuse(&asked, refusal, out);
        self.state = State::Answers(Some(end));
        Next::Order(Order::Unwatch)
    }

    /// Continues after an answer was written to `out`.
    pub(super) fn answers(&mut self, asked: &Asked) -> Next {
        self.answered += 1;
        self.state = State::Answers(match asked.afterwards {
            Afterwards::Stay => None,
            Afterwards::Close => {
                let answered = SessionEnd::Answered(self.answered);
                Some(self.refusal.take().map_or(answered, refused))
            }
        });
        Next::Wait(None)
    }

    /// Sends what was written, and closes the connection.
    pub(super) fn closes(&mut self, end: SessionEnd) -> Next {
        self.state = State::Answers(Some(end));
        Next::Wait(None)
    }

    pub(super) fn answer_leaves(
        &mut self,
        end: Option<SessionEnd>,
        out: &Outgoing,
        now: Micros,
    ) -> Next {
        if !out.is_empty() {
            if self.leaves_by.is_some_and(|by| now >= by) {
                return Next::End(SessionEnd::Stopping);
            }
            self.state = State::Answers(end);
            return Next::Wait(self.leaves_by);
        }
        match end {
            Some(end) => {
                self.state = State::Closes(end);
                Next::Order(Order::CloseSending)
            }
            None => {
                self.state = State::Asks(now.after(GREETING_TIMEOUT));
                Next::Order(Order::Stand(Standing::Waits))
            }
        }
    }

    /// Ends because the program stops. An answer that has begun is sent to its end, and who waits for one is told.
    pub(super) fn stop(&mut self, state: State, out: &mut Outgoing, now: Micros) {
        match state {
            State::Answers(_) if !out.is_empty() => {
                self.leaves_by = Some(now.after(GOODBYE));
                self.state = State::Answers(Some(SessionEnd::Stopping));
            }
            State::Streams(asked, mut stream) if stream.has_begun() => {
                stream.part_from(now);
                self.state = State::Streams(asked, stream);
            }
            State::Asked(asked)
            | State::Knocks(asked, _)
            | State::Reads(asked, ..)
            | State::LogsIn(asked)
            | State::Reports(asked, _)
            | State::Pictures(asked, _)
            | State::Sits(asked, _)
            | State::Streams(asked, _) => self.refuse_to_begin(asked, out, now),
            _ => self.state = State::Ends(SessionEnd::Stopping),
        }
    }

    /// Refuses a request because the program stops.
    pub(super) fn refuse_to_begin(&mut self, mut asked: Asked, out: &mut Outgoing, now: Micros) {
        asked.afterwards = Afterwards::Close;
        answers::refuse(&asked, &Refusal::new(Status::UNAVAILABLE, "lancam is stopping"), out);
        self.leaves_by = Some(now.after(GOODBYE));
        self.state = State::Answers(Some(SessionEnd::Stopping));
    }

    pub(super) fn linger(
        &mut self,
        end: SessionEnd,
        until: Micros,
        received: usize,
        now: Micros,
    ) -> Next {
        if self.input == InputSide::Ended || now >= until || received >= LINGER_BYTES {
            return Next::End(end);
        }
        self.state = State::Lingers { end, until, received };
        Next::Wait(Some(until))
    }
}

/// The end of a session that refused a request.
pub(super) fn refused(refusal: Refusal) -> SessionEnd {
    let why = match refusal.status {
        Status::UNAVAILABLE => Refused::NoPicture,
        Status::REQUEST_TIMEOUT => Refused::Silent,
        _ => Refused::BadRequest,
    };
    SessionEnd::Refused { why, text: refusal.text }
}
