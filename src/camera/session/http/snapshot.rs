//! One picture, taken after the request: not one from before, and not one from a camera whose
//! exposure has not settled.

use super::answers;
use super::stand_in::StandIns;
use crate::camera::roster::FRESH;
use crate::camera::roster::wish::Wish;
use crate::camera::session::machine::{Input, Moment, Next, Order};
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::http::Refusal;
use crate::wire::http::response::Status;
use crate::wire::ladder::Lowest;
use crate::wire::packet::Packet;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for a settled picture, once there is one that was taken for this request.
const PATIENCE: Duration = Duration::from_secs(1);

/// A camera's exposure has settled this long after it was opened.
const SETTLING: Duration = Duration::from_secs(1);

/// It has settled sooner if this many JPEGs in a row differ in length by at most this fraction: a
/// picture that gets brighter gets longer.
const STEADY_FRAMES: usize = 5;
const STEADY_PART: usize = 50;

/// How long a client waits for a picture. A camera that is off has to be opened, and one with a low
/// frame rate needs time for its next picture. Home Assistant gives up after 10 s, OctoPrint after
/// 5 s; they close the connection themselves.
const LEAST_WAIT: Duration = Duration::from_secs(8);
const MARGIN: Duration = Duration::from_secs(2);

/// A picture that was asked for.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The wish to subscribe to; taken once.
    wish: Option<Wish>,
    asked_at: Micros,
    light: Light,
    /// The newest picture that could be sent, and when the first such picture came.
    candidate: Option<(Arc<Packet>, Micros)>,
    stand_ins: StandIns,
}

/// What a snapshot needs next.
pub(super) enum Progress {
    /// There is no picture yet: do this.
    Next(Next),
    /// The picture.
    Picture(Arc<Packet>),
    /// There will be no picture.
    No(Refusal),
    /// There will be no picture, because the program stops.
    Stopping,
}

impl Snapshot {
    /// A snapshot for this wish, whose rate is ignored: it would only delay the picture.
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
                if let Some(next) = self.stand_ins.instead(&status) {
                    return Progress::Next(next);
                }
                if let Some(refusal) = answers::reason_not_to_wait(&status) {
                    return Progress::No(refusal);
                }
                // The status makes earlier pictures outdated.
                self.candidate = None;
                Progress::Next(Next::Look)
            }
            Input::Newest(Newest::NotYet) => self.wait(moment),
            Input::Newest(Newest::Closed) => Progress::Stopping,
            _ => Progress::Next(match self.wish.take() {
                Some(wish) => Next::Order(Order::Watch(wish, Lowest::Quality40)),
                None => Next::Look,
            }),
        }
    }

    fn consider(&mut self, packet: Arc<Packet>, moment: &Moment) -> Progress {
        let is_settled = self.light.is_settled(&packet, moment.first_frame_at);
        // Never send an older picture, however long there has been none.
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

/// Watches the length of the pictures, which shows whether the exposure has settled.
#[derive(Debug, Default)]
struct Light {
    lengths: [usize; STEADY_FRAMES],
    frames: usize,
}

impl Light {
    /// Whether the exposure has settled at this picture of a source that was opened at `started`.
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
