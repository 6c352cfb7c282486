//! How a stream begins: with a picture, or with a notice of why there is none.

use super::super::answers;
use super::{Phase, Stream};
use crate::camera::roster::wish::Wish;
use crate::camera::session::link::outgoing::Outgoing;
use crate::camera::session::machine::{Input, Moment, Next, Order};
use crate::camera::session_end::SessionEnd;
use crate::camera::update::{StatusText, Update};
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::http::Refusal;
use crate::wire::ladder::Lowest;
use crate::wire::native::message::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for a camera that is being opened before the stream begins with a notice. Home
/// Assistant gives up after 10 s.
const FIRST_PICTURE: Duration = Duration::from_secs(4);

/// A stream that has not begun.
#[derive(Debug)]
pub(super) struct Beginning {
    /// The wish to subscribe to; taken once.
    wish: Option<Wish>,
    deadline: Micros,
    /// Whether a status says that no picture will come soon.
    is_hopeless: bool,
}

impl Beginning {
    pub(super) fn new(wish: Wish, now: Micros) -> Self {
        Self { wish: Some(wish), deadline: now.after(FIRST_PICTURE), is_hopeless: false }
    }
}

impl Stream {
    /// Waits for the first picture or notice. Refuses only a wish that cannot be granted: a camera
    /// that was unplugged may come back, and an `<img>` that was refused does not try again.
    pub(super) fn begin(
        &mut self,
        input: Input,
        out: &mut Outgoing,
        moment: &Moment,
    ) -> Result<Next, Refusal> {
        let Phase::Begins(beginning) = &mut self.phase else { return Ok(Next::Wait(None)) };
        Ok(match input {
            Input::Newest(Newest::Fresh { value: Update::Frame { packet, .. }, .. }) => {
                self.silence.picture(&packet);
                self.pending = Some(packet);
                self.run_from_here(out, moment)
            }
            Input::Newest(Newest::Fresh { value: Update::Status(status), .. }) => {
                return self.without_picture(status, moment.now);
            }
            Input::Newest(Newest::NotYet) => {
                if !beginning.is_hopeless && moment.now < beginning.deadline {
                    return Ok(Next::Wait(Some(beginning.deadline)));
                }
                Next::Order(Order::Draw(self.silence.notice(self.silence.wrong())))
            }
            Input::Newest(Newest::Closed) => Next::End(SessionEnd::Stopping),
            Input::Drawn(notice) => {
                self.pending = self.silence.drawn(notice);
                self.run_from_here(out, moment)
            }
            // The ladder may lower the quality to 40, but not the size: there is no way to tell a
            // browser that the size has changed.
            _ => match beginning.wish.take() {
                Some(wish) => Next::Order(Order::Watch(wish, Lowest::Quality40)),
                None => Next::Look,
            },
        })
    }

    fn without_picture(&mut self, status: Arc<StatusText>, now: Micros) -> Result<Next, Refusal> {
        let Phase::Begins(beginning) = &mut self.phase else { return Ok(Next::Look) };
        if let Some(next) = self.stand_ins.instead(&status) {
            return Ok(next);
        }
        if status.code == StatusCode::Full
            && let Some(refusal) = answers::reason_not_to_wait(&status)
        {
            return Err(refusal);
        }
        beginning.is_hopeless = status.code != StatusCode::Starting;
        self.silence.trouble(status, now);
        Ok(Next::Look)
    }

    /// The head and the first boundary leave together with the first frame.
    fn run_from_here(&mut self, out: &mut Outgoing, moment: &Moment) -> Next {
        self.phase = Phase::Runs;
        answers::stream_head(self.allow_origin.as_deref(), out);
        if let Some(messages) = out.messages() {
            messages.extend_from_slice(self.heads.first());
        }
        self.put_pending(out, moment);
        Next::Order(Order::Announce)
    }
}
