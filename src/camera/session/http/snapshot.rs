//! One picture, and a fresh one: not what was left from before, nor what a camera sends before it has seen the light.

use super::answers;
use super::stand_in::StandIns;
use crate::camera::roster::FRESH;
use crate::camera::roster::wish::Wish;
use crate::camera::session::machine::{Input, Moment, Next, Order};
use crate::camera::session_end::SessionEnd;
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::http::Refusal;
use crate::wire::http::response::Status;
use crate::wire::ladder::Lowest;
use crate::wire::native::message::StatusCode;
use crate::wire::packet::Packet;
use std::sync::Arc;
use std::time::Duration;

/// For one that has settled nobody waits longer, once there is one that was taken for this request.
const PATIENCE: Duration = Duration::from_secs(1);

/// A camera that was just opened has measured the light by then.
const SETTLING: Duration = Duration::from_secs(1);

/// It has sooner when so many JPEGs in a row are equally long, by this part of their length: what brightens, grows.
const STEADY_FRAMES: usize = 5;
const STEADY_PART: usize = 50;

/// How long somebody waits for a picture. A camera that rested must be opened, and one that sends few pictures has
/// its time for the next; Home Assistant gives up after 10 s, OctoPrint after 5 s, and leave by themselves.
const LEAST_WAIT: Duration = Duration::from_secs(8);
const MARGIN: Duration = Duration::from_secs(2);

/// A picture that was asked for.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// What is to be subscribed to, once.
    wish: Option<Wish>,
    asked_at: Micros,
    light: Light,
    /// The newest that could be sent, and when the first came.
    candidate: Option<(Arc<Packet>, Micros)>,
    stand_ins: StandIns,
}

/// How far it is.
pub(super) enum Progress {
    /// There is none yet.
    Next(Next),
    /// This is it.
    Picture(Arc<Packet>),
    /// There will be none.
    No(Refusal),
}

impl Snapshot {
    /// Of somebody with this wish, whose rate is of no account: a place of few frames would only let it wait.
    pub(super) fn new(wish: Wish, now: Micros) -> Self {
        Self {
            wish: Some(wish),
            asked_at: now,
            light: Light::default(),
            candidate: None,
            stand_ins: StandIns::default(),
        }
    }

    pub(super) fn next(&mut self, input: Input, moment: &Moment) -> Progress {
        match input {
            Input::Newest(Newest::Fresh { value: Update::Frame { packet, .. }, .. }) => {
                self.consider(packet, moment)
            }
            Input::Newest(Newest::Fresh { value: Update::Status(status), .. }) => {
                if status.code == StatusCode::Full && self.stand_ins.may_be_asked_for() {
                    return Progress::Next(Next::Order(Order::StandIn(Lowest::Quality40)));
                }
                if let Some(refusal) = answers::reason_not_to_wait(&status) {
                    return Progress::No(refusal);
                }
                // Pictures from before are no longer true.
                self.candidate = None;
                Progress::Next(Next::Look)
            }
            Input::Newest(Newest::NotYet) => self.wait(moment),
            Input::Newest(Newest::Closed) => Progress::Next(Next::End(SessionEnd::Stopping)),
            _ => Progress::Next(match self.wish.take() {
                Some(wish) => Next::Order(Order::Watch(wish, Lowest::Quality40)),
                None => Next::Look,
            }),
        }
    }

    fn consider(&mut self, packet: Arc<Packet>, moment: &Moment) -> Progress {
        let is_settled = self.light.is_settled(&packet, moment.first_frame_at);
        // Never an older one, however long there has been none.
        if self.asked_at.since(packet.facts.captured_at) > FRESH {
            return Progress::Next(Next::Look);
        }
        if is_settled {
            return Progress::Picture(packet);
        }
        let first = self.candidate.as_ref().map_or(moment.now, |(_, first)| *first);
        self.candidate = Some((packet, first));
        Progress::Next(Next::Look)
    }

    fn wait(&mut self, moment: &Moment) -> Progress {
        let longest = LEAST_WAIT.max(moment.measured * 2 + MARGIN);
        let last = self.asked_at.after(longest);
        let deadline = match &self.candidate {
            Some((_, first)) => first.after(PATIENCE).min(last),
            None => last,
        };
        if moment.now < deadline {
            return Progress::Next(Next::Wait(Some(deadline)));
        }
        match self.candidate.take() {
            Some((packet, _)) => Progress::Picture(packet),
            None => {
                let text = format!("the camera has sent no picture for {} s", longest.as_secs());
                Progress::No(Refusal::new(Status::UNAVAILABLE, text))
            }
        }
    }
}

/// What a camera makes of the light, by its pictures' lengths.
#[derive(Debug, Default)]
struct Light {
    lengths: [usize; STEADY_FRAMES],
    frames: usize,
}

impl Light {
    /// Whether this picture, of a source that sends since `started`, is as bright as it will be.
    fn is_settled(&mut self, packet: &Packet, started: Micros) -> bool {
        self.lengths[self.frames % STEADY_FRAMES] = packet.payload().len();
        self.frames += 1;
        packet.facts.captured_at.since(started) >= SETTLING || self.is_steady()
    }

    fn is_steady(&self) -> bool {
        let longest = self.lengths.iter().max().copied().unwrap_or(0);
        let shortest = self.lengths.iter().min().copied().unwrap_or(0);
        self.frames >= STEADY_FRAMES && longest - shortest <= longest / STEADY_PART
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_grow_are_not_settled_and_those_that_stay_are() {
        let steady_after = |lengths: &[usize]| {
            let mut light = Light::default();
            lengths.iter().position(|&len| {
                light.lengths[light.frames % STEADY_FRAMES] = len;
                light.frames += 1;
                light.is_steady()
            })
        };
        assert_eq!(steady_after(&[100; 4]), None);
        assert_eq!(steady_after(&[1000, 1010, 1005, 1001, 1009]), Some(4));
        let brightening: Vec<usize> = (0..30).map(|frame| 1000 + 20 * frame).collect();
        assert_eq!(steady_after(&brightening), None);
        assert_eq!(steady_after(&[100, 500, 900, 1000, 1000, 1000, 1000, 1000]), Some(7));
    }
}
