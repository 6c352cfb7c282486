//! How a stream ends, so that those who watch begin again by themselves.

use super::{Ebb, Phase, Stream};
use crate::camera::notices::Trouble;
use crate::camera::session::link::outgoing::Outgoing;
use crate::camera::session::machine::{Input, Moment, Next, Order};
use crate::camera::session_end::SessionEnd;
use crate::image::frame::Micros;
use crate::wire::http::multipart::Heads;
use crate::wire::packet::Packet;
use std::sync::Arc;
use std::time::Duration;

/// For the last picture. Nobody waits longer for this program to end because of one viewer.
const GOODBYE: Duration = Duration::from_millis(200);

/// A stream that ends.
#[derive(Debug)]
pub(super) struct Parting {
    until: Micros,
    last: Last,
}

/// The last picture.
#[derive(Debug)]
enum Last {
    /// It is still to be had.
    NotAsked,
    /// It is sent so often, with this behind it.
    Sent { packet: Arc<Packet>, suffix: &'static [u8], times: usize },
    /// It has left, or there is none.
    Done,
}

impl Stream {
    /// The program ends.
    pub(in super::super) fn end(&mut self, now: Micros) -> Option<SessionEnd> {
        match self.phase {
            Phase::Begins(_) => Some(SessionEnd::Stopping),
            Phase::Runs => {
                self.part_from(now);
                None
            }
            Phase::Parts(_) => None,
        }
    }

    pub(super) fn part_from(&mut self, now: Micros) {
        self.ebb = Ebb::NotAwaited;
        self.phase = Phase::Parts(Parting { until: now.after(GOODBYE), last: Last::NotAsked });
    }

    /// Ends the stream so that those who watch know it.
    ///
    /// Programs get the newest picture once more, with no boundary behind it: ffmpeg and mpv reconnect where a stream ends, and
    /// take what comes then for a part's head if a boundary was the last they saw. Browsers get a notice: to the pages they
    /// show nobody tells that a stream has ended, and its last picture would stand there as if it were live.
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
