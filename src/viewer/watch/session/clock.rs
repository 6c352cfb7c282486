//! The camera's clock as the viewer knows it: when to send pings, and how old pictures are.

use crate::image::frame::Micros;
use crate::viewer::arrival::Age;
use crate::wire::native::clock::{ClockMatch, Exchange};
use std::time::{Duration, Instant};

/// Sends pings to the camera, one at a time, and computes ages from the answers.
#[derive(Debug)]
pub(super) struct CameraClock {
    /// The zero of the viewer's clock.
    started: Instant,
    matched: ClockMatch,
    /// The ping that is under way. Its token is the time when it was sent.
    asked: Option<(Micros, Moment)>,
    answers: u32,
    due: Instant,
    turn: Moment,
}

/// When a ping is sent. Each moment has its own kind of delay, so the moments take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Right before a frame's acknowledgement. Nothing else is under way, and the answer leaves before the next frame. But
    /// the answer may come while this frame is being decoded, and then it is read late.
    BeforeAck,
    /// After a frame was decoded. The viewer is waiting for the answer, but it may be stuck behind a frame that is being
    /// sent.
    AfterDecoding,
    /// While nothing arrives.
    Idle,
}

/// The result of a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// The shortest recent round trip.
    pub(super) round_trip: Duration,
    /// When the ping was sent.
    pub(super) asked: Moment,
}

/// The number of pings sent without a pause at first, so that ages are known from the beginning.
const BURST: u32 = 8;

/// The time between pings after that. Two clocks drift by at most 0.1 ms in it.
const INTERVAL: Duration = Duration::from_secs(1);

impl CameraClock {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            started: now,
            matched: ClockMatch::default(),
            asked: None,
            answers: 0,
            due: now,
            turn: Moment::BeforeAck,
        }
    }

    /// A moment by the viewer's clock.
    pub(super) fn micros(&self, at: Instant) -> Micros {
        let since = at.saturating_duration_since(self.started);
        Micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }

    /// The token of a ping to send now, at `moment`. `None` if none is due, or another moment has its turn.
    pub(super) fn ask_if_due(&mut self, moment: Moment, now: Instant) -> Option<u64> {
        let is_its_turn = moment == Moment::Idle || moment == self.turn;
        (now >= self.due && is_its_turn).then(|| self.ask(moment, now)).flatten()
    }

    /// The token of a ping to send now, due or not. `None` while another is under way.
    pub(super) fn ask(&mut self, moment: Moment, now: Instant) -> Option<u64> {
        if self.asked.is_some() {
            return None;
        }
        let now_here = self.micros(now);
        self.asked = Some((now_here, moment));
        self.due = now + INTERVAL;
        self.turn = match moment {
            Moment::BeforeAck => Moment::AfterDecoding,
            Moment::AfterDecoding | Moment::Idle => Moment::BeforeAck,
        };
        Some(now_here.0)
    }

    /// Takes the camera's answer, which arrived at `heard`. `None` if nobody asked for it, or its times are impossible.
    pub(super) fn answered(
        &mut self,
        token: u64,
        received_at: Micros,
        answered_at: Micros,
        heard: Instant,
    ) -> Option<Answer> {
        let (asked_at, asked) = self.asked.take_if(|(asked_at, _)| asked_at.0 == token)?;
        let heard_at = self.micros(heard);
        self.answers = self.answers.saturating_add(1);
        if self.answers < BURST {
            self.due = heard;
        }
        self.matched.learn(&Exchange { asked_at, received_at, answered_at, heard_at })?;
        Some(Answer { round_trip: self.matched.matched(heard_at)?.round_trip, asked })
    }

    /// The age at `now` of a frame captured at `captured_at`. `None` before the camera has answered a ping.
    pub(super) fn age(&self, captured_at: Micros, now: Instant) -> Option<Age> {
        let now_here = self.micros(now);
        let matched = self.matched.matched(now_here)?;
        Some(Age {
            age: matched.age(captured_at, now_here),
            at: now,
            uncertainty: matched.uncertainty,
            round_trip: matched.round_trip,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Answers a ping. The camera's clock is 1000 s ahead, and each way takes 1 ms.
    fn answer(clock: &mut CameraClock, token: u64, asked: Instant) -> Option<Duration> {
        let there = Micros(token + 1_000_001_000);
        clock.answered(token, there, there, asked + 2 * MS).map(|answer| answer.round_trip)
    }

    #[test]
    fn pings_follow_each_other_at_first_and_then_take_turns_once_a_second() {
        let start = Instant::now();
        let mut clock = CameraClock::new(start);
        let mut now = start;
        for turn in 0..BURST {
            let moment = match turn {
                0 => Moment::Idle,
                odd if odd % 2 == 1 => Moment::BeforeAck,
                _ => Moment::AfterDecoding,
            };
            let token = clock.ask_if_due(moment, now).expect("due");
            assert_eq!(clock.ask_if_due(Moment::Idle, now), None, "one at a time");
            assert_eq!(answer(&mut clock, token, now), Some(2 * MS));
            now += 2 * MS;
        }
        assert_eq!(clock.ask_if_due(Moment::Idle, now), None, "not due");
        now += INTERVAL;
        for moment in [Moment::AfterDecoding, Moment::BeforeAck, Moment::AfterDecoding] {
            let other = match moment {
                Moment::BeforeAck => Moment::AfterDecoding,
                _ => Moment::BeforeAck,
            };
            assert_eq!(clock.ask_if_due(other, now), None, "not its turn");
            let token = clock.ask_if_due(moment, now).expect("due");
            answer(&mut clock, token, now);
            now += INTERVAL;
        }
    }

    #[test]
    fn ages_are_known_from_the_first_answer_on() {
        let start = Instant::now();
        let mut clock = CameraClock::new(start);
        assert_eq!(clock.age(Micros(0), start), None);
        let token = clock.ask(Moment::Idle, start).expect("none on its way");
        assert_eq!(answer(&mut clock, token + 1, start), None, "an answer to no question");
        assert_eq!(answer(&mut clock, token, start), Some(2 * MS));
        assert_eq!(answer(&mut clock, token, start), None, "the same again");
        let age = clock.age(Micros(1_000_000_000), start + 30 * MS).expect("answered");
        assert!(age.age.abs_diff(30 * MS) < MS / 10, "{age:?}");
        assert!(age.uncertainty.abs_diff(MS) < MS / 10, "{age:?}");
    }
}
