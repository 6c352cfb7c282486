//! One picture, and a fresh one: not what was left from before, nor what a camera sends before it has seen the light.

use super::stand_in::StandIns;
use super::{Asked, Connection, Content, SessionEnd, Step, answers};
use crate::camera::renditions::FRESH;
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::source::clock;
use crate::wire::http::Refusal;
use crate::wire::http::response::Status;
use crate::wire::native::message::{StatusCode, Wishes};
use crate::wire::packet::Packet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For one that has settled nobody waits longer, once there is one that was taken for this request.
const PATIENCE: Duration = Duration::from_secs(1);

/// A camera that was just opened has measured the light by then.
const SETTLING: Duration = Duration::from_secs(1);

/// It has sooner when so many JPEGs in a row are equally long, by this part of their length: what brightens, grows.
const STEADY_FRAMES: usize = 5;
const STEADY_PART: usize = 50;

impl Connection<'_> {
    /// Waits for a picture that was taken for this request, and sends it.
    pub(super) fn snapshot(&mut self, asked: &Asked, wishes: &Wishes) -> Step<()> {
        match self.picture(wishes)? {
            Err(end) => Ok(Err(end)),
            Ok(Err(refusal)) => self.refuse(asked, &refusal),
            Ok(Ok(packet)) => {
                let taken = clock::since_1970(packet.facts.captured_at);
                let (seconds, micros) = (taken.as_secs(), taken.subsec_micros());
                let stamp = format!("X-Timestamp: {seconds}.{micros:06}");
                self.tell(asked, Status::OK, Content::Picture(packet), &[&stamp])
            }
        }
    }

    fn picture(&mut self, wishes: &Wishes) -> Step<Result<Arc<Packet>, Refusal>> {
        let asked_at = clock::now();
        let since = Instant::now();
        let renditions = &self.camera.renditions;
        // One picture has no rate; a place of few frames would only let it wait.
        let wishes = Wishes { millifps: 0, ..*wishes };
        let mut watching = renditions.watch(answers::wish(self.camera, &wishes));
        let mut reader = watching.reader();
        self.waiter.listen_to(&mut reader)?;
        let mut stand_ins = StandIns::default();
        let mut light = Light::default();
        let mut candidate: Option<(Arc<Packet>, Instant)> = None;
        let longest = answers::first_picture(self.camera, &wishes);
        loop {
            match reader.newest() {
                Newest::Fresh { value: Update::Frame { packet, .. }, .. } => {
                    let started = renditions.metrics().first_frame_at();
                    let is_settled = light.is_settled(&packet, started);
                    // Never an older one, however long there has been none.
                    if asked_at.since(packet.facts.captured_at) > FRESH {
                        continue;
                    }
                    if is_settled {
                        return Ok(Ok(Ok(packet)));
                    }
                    let first = candidate.map_or_else(Instant::now, |(_, first)| first);
                    candidate = Some((packet, first));
                    continue;
                }
                Newest::Fresh { value: Update::Status(status), .. }
                    if status.code == StatusCode::Full && stand_ins.may_be_asked_for() =>
                {
                    watching.change(renditions.nearest(&watching.wish()));
                    reader = watching.reader();
                    self.waiter.listen_to(&mut reader)?;
                    continue;
                }
                Newest::Fresh { value: Update::Status(status), .. } => {
                    if let Some(refusal) = answers::reason_not_to_wait(&status) {
                        return Ok(Ok(Err(refusal)));
                    }
                    // Pictures from before are no longer true.
                    candidate = None;
                    continue;
                }
                Newest::NotYet => {}
                Newest::Closed => return Ok(Err(SessionEnd::Stopping)),
            }
            let deadline = match &candidate {
                Some((_, first)) => (*first + PATIENCE).min(since + longest),
                None => since + longest,
            };
            if Instant::now() >= deadline {
                return Ok(Ok(candidate
                    .map(|(packet, _)| packet)
                    .ok_or_else(|| answers::no_picture(longest))));
            }
            if let Err(end) = self.wait_for_a_picture(deadline)? {
                return Ok(Err(end));
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
