//! How a stream ends, so that its viewers reconnect by themselves.

use super::{Ebb, Phase, Stream};
use crate::camera::notices::Trouble;
use crate::camera::session::http::leaving::GOODBYE;
use crate::camera::session::link::outgoing::Outgoing;
use crate::camera::session::machine::{Input, Moment, Next, Order};
use crate::camera::session_end::SessionEnd;
use crate::image::frame::Micros;
use crate::wire::http::multipart::Heads;
use crate::wire::packet::Packet;
use std::sync::Arc;

/// A stream that is ending.
#[derive(Debug)]
pub(super) struct Parting {
    until: Micros,
    last: Last,
}

/// The last picture.
#[derive(Debug)]
enum Last {
    /// It has not been asked for yet.
    NotAsked,
    /// It is still to be sent this many times, followed by `suffix`.
    Sent { packet: Arc<Packet>, suffix: &'static [u8], times: usize },
    /// It has left, or there is none.
    Done,
}

impl Stream {
    /// Whether anything was put out for the client.
    pub(in super::super) fn has_begun(&self) -> bool {
        !matches!(self.phase, Phase::Begins(_))
    }

    /// Begins to end the stream, unless it is ending.
    pub(in super::super) fn part_from(&mut self, now: Micros) {
        if matches!(self.phase, Phase::Parts(_)) {
            return;
        }
        self.ebb = Ebb::NotAwaited;
        self.phase = Phase::Parts(Parting { until: now.after(GOODBYE), last: Last::NotAsked });
    }

    /// Ends the stream in a way that its viewers notice.
    ///
    /// Programs get the newest picture once more, without a boundary after it. ffmpeg and mpv
    /// reconnect when a stream ends, and if a boundary was the last thing they saw, they take the
    /// new response for the head of a part. Browsers get a notice: they do not tell a page that a
    /// stream has ended, and would go on showing the last picture as if it were live.
    pub(super) fn part(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next {
        let Phase::Parts(Parting { until, last }) = &mut self.phase else {
            return Next::Wait(None);
        };
        let until = *until;
        if moment.now >= until {
            return Next::End(SessionEnd::Stopping);
        }
        if !out.is_empty() {
            return Next::Wait(Some(until));
        }
        match (&mut *last, input) {
            (Last::NotAsked, Input::Current(packet)) => {
                let packet = packet.or_else(|| self.silence.last_notice());
                *last = Last::of(packet, b"\r\n", 1);
            }
            (Last::NotAsked, Input::Drawn(notice)) => {
                let times = if self.heads == Heads::ExactTwice { 2 } else { 1 };
                *last = Last::of(self.silence.drawn(notice), self.heads.next(), times);
            }
            (Last::NotAsked, _) => {
                return Next::Order(match self.heads {
                    Heads::Exact => Order::Current,
                    Heads::ExactTwice | Heads::Ahead => {
                        Order::Draw(self.silence.notice(Trouble::Ending))
                    }
                });
            }
            _ => {}
        }
        match last {
            Last::Sent { packet, suffix, times: times @ 1.. } => {
                *times -= 1;
                let (packet, suffix) = (Arc::clone(packet), *suffix);
                self.put(packet, suffix, out, moment);
                Next::Wait(Some(until))
            }
            _ => Next::End(SessionEnd::Stopping),
        }
    }
}

impl Last {
    fn of(packet: Option<Arc<Packet>>, suffix: &'static [u8], times: usize) -> Self {
        packet.map_or(Self::Done, |packet| Self::Sent { packet, suffix, times })
    }
}
