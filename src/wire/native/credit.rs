//! Limits how many frames are on their way to a viewer: as few as maintain its frame rate.

use crate::image::frame::Micros;
use crate::rate::Rate;
use std::time::Duration;

/// The frames that were sent and not acknowledged, and the viewer's credit for them.
///
/// With a credit of one, a frame is sent only when the last one has arrived. So no old picture ever
/// waits in a buffer between the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    allowed: usize,
    on_their_way: [Option<Sent>; MAX],
    /// When a frame was last acknowledged.
    acknowledged_at: Option<Micros>,
}

/// A frame on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Its sequence number.
    pub sequence: u64,
    /// When it was captured.
    pub captured_at: Micros,
    /// Its length in bytes.
    pub bytes: usize,
    /// When its first byte was handed to the kernel.
    pub at: Micros,
}

/// The result of an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// How many frames it acknowledges that were on their way.
    pub frames: usize,
    /// The frame that it names.
    pub arrival: Option<Arrival>,
}

/// The age of a frame on its arrival at the viewer. The camera knows it without a ping: the frame
/// arrived after it was sent, and before its acknowledgement arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// The age at the middle of those two times.
    pub age: Duration,
    /// The greatest error of that.
    pub uncertainty: Duration,
    /// The frame.
    pub sent: Sent,
    /// When its acknowledgement arrived.
    pub at: Micros,
    /// When the acknowledgement of the frame before arrived, if there was one.
    pub previous_at: Option<Micros>,
}

impl Arrival {
    /// How long the path was busy with the frame, if the smallest message takes `round_trip` there
    /// and back.
    ///
    /// If the frame was sent behind another one, the path was busy with both. Then this is at most
    /// the time between the two acknowledgements.
    pub fn transfer(&self, round_trip: Duration) -> Duration {
        let alone = self.at.since(self.sent.at).saturating_sub(round_trip);
        match self.previous_at {
            Some(previous_at) => alone.min(self.at.since(previous_at)),
            None => alone,
        }
    }
}

/// The greatest credit that counts; more would only make pictures older.
pub const MAX_CREDIT: u8 = 4;
/// The same as a length.
const MAX: usize = MAX_CREDIT as usize;

impl Credit {
    /// The credit that a viewer asked for in its greeting, limited to 1 to 4.
    pub fn new(asked: u8) -> Self {
        let mut credit = Self { allowed: 1, on_their_way: [None; MAX], acknowledged_at: None };
        credit.allow(asked);
        credit
    }

    /// Changes the credit to what the viewer asks for, limited to 1 to 4.
    pub fn allow(&mut self, asked: u8) {
        self.allowed = usize::from(asked).clamp(1, MAX);
    }

    /// Whether another frame may be sent.
    pub fn allows(&self) -> bool {
        self.count() < self.allowed
    }

    /// Notes a frame that is being sent.
    pub fn sent(&mut self, frame: Sent) {
        if let Some(free) = self.on_their_way.iter_mut().find(|place| place.is_none()) {
            *free = Some(frame);
        }
    }

    /// Notes that all frames up to `sequence` have arrived. Repeated or unknown numbers change
    /// nothing.
    pub fn acknowledged(&mut self, sequence: u64, now: Micros) -> Acknowledged {
        let before = self.count();
        let named = self.on_their_way.iter().flatten().find(|sent| sent.sequence == sequence);
        let arrival = named.map(|sent| {
            let sent_old = sent.at.since(sent.captured_at);
            let uncertainty = now.since(sent.at) / 2;
            Arrival {
                age: sent_old + uncertainty,
                uncertainty,
                sent: *sent,
                at: now,
                previous_at: self.acknowledged_at,
            }
        });
        if arrival.is_some() {
            self.acknowledged_at = Some(now);
        }
        for place in &mut self.on_their_way {
            *place = place.filter(|sent| sent.sequence > sequence);
        }
        Acknowledged { frames: before - self.count(), arrival }
    }

    fn count(&self) -> usize {
        self.on_their_way.iter().flatten().count()
    }
}

/// How many frames must be on their way, from 1 to 4, so that the round trip costs a viewer no more
/// than a fifth of its frame rate.
///
/// With one frame on its way, a frame is sent every `transfer + round_trip`. More frames help only
/// if that is long compared with the pace. The pace is set by the slowest of three: the camera (the
/// interval between its frames), the path (`transfer`) and the viewer (`decoding`). If one of these
/// limits the rate, another frame would only wait behind the first one and grow old.
pub fn frames_needed(
    round_trip: Duration,
    transfer: Duration,
    interval: Duration,
    decoding: Duration,
) -> u8 {
    let pace = interval.max(transfer).max(decoding).as_secs_f64();
    let cycle = (transfer + round_trip).as_secs_f64();
    let enough = |frames: &u8| cycle <= pace * (f64::from(*frames) + TOLERANCE);
    (1..MAX_CREDIT).find(enough).unwrap_or(MAX_CREDIT)
}

/// How much slower than the pace frames may become, as a fraction of it, before another one is
/// allowed.
const TOLERANCE: f64 = 0.25;

/// Calculates the credit that a viewer should ask for, from its measurements.
#[derive(Debug, Clone)]
pub struct Appetite {
    interval: Duration,
    transfer: Duration,
    decoding: Duration,
    /// The credit that is wanted.
    credit: u8,
    /// The credit that the camera was told.
    told: u8,
    /// How many answers come until the empty path is measured next.
    answers_left: usize,
    look: Look,
}

/// With several frames on their way, the answer to a ping may wait behind one. Then it is the
/// frames that make the round trip long, which in turn makes them seem necessary. So now and then
/// all frames are allowed to arrive, and the round trip of the empty path is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    NotNow,
    /// This many frames are still on their way.
    Emptying(u8),
    /// No frame is on its way: the next ping measures the empty path.
    Empty,
}

/// For a camera that does not state its rate.
const USUAL_INTERVAL: Duration = Duration::from_millis(33);

/// Every other ping is sent right before an acknowledgement. So the empty path is measured again
/// just before the minimum forgets the last such round trip.
const ANSWERS_BETWEEN_LOOKS: usize = super::clock::REMEMBERED / 2;

impl Appetite {
    /// The state of a viewer that greets with a credit of one.
    pub fn new() -> Self {
        Self {
            interval: USUAL_INTERVAL,
            transfer: Duration::ZERO,
            decoding: Duration::ZERO,
            credit: 1,
            told: 1,
            answers_left: ANSWERS_BETWEEN_LOOKS,
            look: Look::NotNow,
        }
    }

    /// Notes the camera's frame rate, if it states one.
    pub fn rate(&mut self, rate: Rate) {
        self.interval = rate.interval().unwrap_or(USUAL_INTERVAL);
    }

    /// Notes that a frame has arrived, and how long after its first bytes.
    pub fn frame_arrived(&mut self, transfer: Duration) {
        self.transfer = smooth(self.transfer, transfer);
        self.look = match self.look {
            Look::Emptying(0 | 1) => Look::Empty,
            Look::Emptying(left) => Look::Emptying(left - 1),
            other => other,
        };
    }

    /// Notes how long it took to decode a frame.
    pub fn frame_decoded(&mut self, took: Duration) {
        self.decoding = smooth(self.decoding, took);
    }

    /// Whether to send a ping now, before the next acknowledgement, even if none is due.
    pub fn wants_ping(&self) -> bool {
        self.look == Look::Empty
    }

    /// Notes the answer to a ping that was sent right before an acknowledgement, and the least
    /// recent round trip. Other pings do not count: only at this moment is nothing on its way if
    /// the credit is one.
    pub fn ping_answered(&mut self, least_round_trip: Duration) {
        self.answers_left = self.answers_left.saturating_sub(1);
        if self.answers_left == 0 && self.credit > 1 {
            self.answers_left = ANSWERS_BETWEEN_LOOKS;
            self.look = Look::Emptying(self.credit);
            self.credit = 1;
        } else if !matches!(self.look, Look::Emptying(_)) {
            self.look = Look::NotNow;
            self.credit =
                frames_needed(least_round_trip, self.transfer, self.interval, self.decoding);
        }
    }

    /// The credit to tell the camera, if it has changed.
    pub fn news(&mut self) -> Option<u8> {
        let is_news = self.credit != self.told;
        self.told = self.credit;
        is_news.then_some(self.credit)
    }
}

impl Default for Appetite {
    fn default() -> Self {
        Self::new()
    }
}

/// A running mean of about the last eight.
fn smooth(mean: Duration, new: Duration) -> Duration {
    if mean.is_zero() { new } else { (mean * 7 + new) / 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Micros = Micros(0);

    fn sent(sequence: u64, captured_at: Micros, at: Micros) -> Sent {
        Sent { sequence, captured_at, bytes: 0, at }
    }

    #[test]
    fn one_frame_at_a_time_with_a_credit_of_one() {
        let mut credit = Credit::new(1);
        assert!(credit.allows());
        credit.sent(sent(10, NEVER, NEVER));
        assert!(!credit.allows());
        assert_eq!(credit.acknowledged(9, NEVER).frames, 0);
        assert!(!credit.allows(), "an old acknowledgement");
        assert_eq!(credit.acknowledged(10, NEVER).frames, 1);
        assert!(credit.allows());
        assert_eq!(credit.acknowledged(10, NEVER).frames, 0);
        assert_eq!(credit.acknowledged(u64::MAX, NEVER).frames, 0);
        credit.sent(sent(11, NEVER, NEVER));
        assert!(!credit.allows(), "repeated acknowledgements buy nothing");
    }

    #[test]
    fn a_later_acknowledgement_covers_earlier_frames() {
        let mut credit = Credit::new(0xFF);
        for sequence in 1..=4 {
            assert!(credit.allows());
            credit.sent(sent(sequence, NEVER, NEVER));
        }
        assert!(!credit.allows(), "never more than four");
        assert_eq!(credit.acknowledged(3, NEVER).frames, 3);
        credit.sent(sent(5, NEVER, NEVER));
        credit.sent(sent(6, NEVER, NEVER));
        assert!(credit.allows());
    }

    #[test]
    fn less_credit_lets_what_is_on_its_way_arrive_first() {
        let mut credit = Credit::new(3);
        for sequence in 1..=3 {
            credit.sent(sent(sequence, NEVER, NEVER));
        }
        credit.allow(0);
        credit.acknowledged(2, NEVER);
        assert!(!credit.allows(), "0 counts as 1, and one is still on its way");
        credit.acknowledged(3, NEVER);
        assert!(credit.allows());
    }

    #[test]
    fn an_acknowledgement_tells_how_old_the_frame_arrived() {
        let mut credit = Credit::new(1);
        credit.sent(sent(7, Micros(1_000_000), Micros(1_030_000)));
        let ms = Duration::from_millis;
        let arrival = credit.acknowledged(7, Micros(1_050_000)).arrival.expect("it was sent");
        assert_eq!((arrival.age, arrival.uncertainty), (ms(40), ms(10)));
        assert_eq!(credit.acknowledged(7, Micros(1_060_000)).arrival, None);
    }

    #[test]
    fn a_transfer_is_what_a_frame_keeps_the_path_busy_without_the_round_trip() {
        let ms = Duration::from_millis;
        let at = |ms: u64| Micros(ms * 1000);
        let mut credit = Credit::new(2);
        credit.sent(sent(1, NEVER, at(100)));
        let alone = credit.acknowledged(1, at(150)).arrival.expect("it was sent");
        assert_eq!(alone.transfer(ms(20)), ms(30));
        assert_eq!(alone.transfer(ms(80)), ms(0), "a round trip that is no more the least");
        credit.sent(sent(2, NEVER, at(160)));
        credit.sent(sent(3, NEVER, at(170)));
        let first = credit.acknowledged(2, at(200)).arrival.expect("it was sent");
        assert_eq!(first.transfer(ms(20)), ms(20));
        let behind = credit.acknowledged(3, at(225)).arrival.expect("it was sent");
        assert_eq!(behind.transfer(ms(20)), ms(25), "not 35: it waited behind the other");
    }

    #[test]
    fn a_round_trip_asks_for_more_only_where_nothing_else_is_slower() {
        let ms = Duration::from_millis;
        let at_30_fps =
            |round_trip, transfer| frames_needed(ms(round_trip), ms(transfer), ms(33), ms(8));
        assert_eq!(at_30_fps(1, 3), 1, "a LAN");
        assert_eq!(at_30_fps(10, 8), 1, "Wi-Fi");
        assert_eq!(at_30_fps(60, 6), 2, "another town");
        assert_eq!(at_30_fps(250, 6), 4, "another continent");
        assert_eq!(at_30_fps(1, 64), 1, "5 Mbit/s");
        assert_eq!(at_30_fps(60, 64), 2, "5 Mbit/s from another town");
        assert_eq!(frames_needed(ms(60), ms(0), ms(33), ms(60)), 1, "a slow viewer");
        assert_eq!(frames_needed(ms(60), ms(6), ms(100), ms(8)), 1, "10 fps");
        assert_eq!(frames_needed(ms(0), ms(0), ms(0), ms(0)), 1);
    }
}
