//! The rule by which a viewer on a narrow link is sent less: a pure function of what was sent and when it arrived.
//!
//! All viewers share one ladder: quality 80, 60, 40, then half the size. So those on narrow links meet on the
//! same rungs, and share encodes. A viewer goes down as soon as its link carries no whole frame in the time that
//! one is made; and up again when a frame of the higher rung would have arrived in time for a while.

use crate::image::frame::Micros;
use std::fmt;
use std::time::Duration;

/// What a viewer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Rung {
    /// What it asked for.
    #[default]
    Asked,
    /// Quality 60 at most.
    Quality60,
    /// Quality 40 at most.
    Quality40,
    /// Half the width and height, at a quality of 60 at most.
    HalfSize,
}

impl Rung {
    /// From the top.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Quality60, Self::Quality40, Self::HalfSize];

    /// The quality that is not to be exceeded; 100 where there is no limit.
    pub const fn most_quality(self) -> u8 {
        match self {
            Self::Asked => 100,
            Self::Quality60 | Self::HalfSize => 60,
            Self::Quality40 => 40,
        }
    }

    /// Its place in what is known of each.
    const fn index(self) -> usize {
        match self {
            Self::Asked => 0,
            Self::Quality60 => 1,
            Self::Quality40 => 2,
            Self::HalfSize => 3,
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Asked => "all that was asked for",
            Self::Quality60 => "quality 60",
            Self::Quality40 => "quality 40",
            Self::HalfSize => "half the size",
        })
    }
}

/// Bytes of a frame on each rung, as a part of those at the top, until frames have told: libjpeg-turbo, 720p of a
/// room, asked for at quality 80.
const USUAL_WEIGHTS: [f64; 4] = [1.0, 0.66, 0.5, 0.22];

/// What a viewer asked for, as far as it decides where it may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// A ceiling: rungs that would not be below it are none.
    pub quality: u8,
    /// Whether the picture may become smaller.
    pub lowest: Lowest,
}

/// The lowest rung that a viewer may stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lowest {
    /// It asked for a size, or cannot be told of another: the size never changes.
    Quality40,
    /// It takes what size it gets.
    HalfSize,
}

/// A frame that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// When its first byte was handed to the kernel.
    pub sent_at: Micros,
    /// When it was known to be there.
    pub at: Micros,
    /// How much it was.
    pub bytes: usize,
    /// How long the link was busy with it.
    pub took: Duration,
}

/// One viewer's place on the ladder.
#[derive(Debug)]
pub struct Ladder {
    rung: Rung,
    asked: Asked,
    weights: [f64; 4],
    /// Smoothed, on this rung.
    usual: Option<Usual>,
    /// The rung before this one and its frames, until a frame of this one has told how it compares.
    before: Option<(Rung, f64)>,
    moved_at: Micros,
    /// Frames in a row that took longer than there was time for.
    late: u32,
    /// Since when a higher rung would have been fast enough.
    well_since: Option<Micros>,
    /// When it last went up.
    went_up_at: Option<Micros>,
    /// How long it must be well before it goes up; doubled when that was wrong.
    caution: Duration,
    /// There was no place where it wanted to go; until then it stays.
    stays_until: Micros,
}

/// What frames on a rung are like.
#[derive(Debug, Clone, Copy)]
struct Usual {
    took: f64,
    bytes: f64,
}

/// Part of the frame interval that a frame may take to arrive before it is too slow: the next one is skipped then.
const FULL: f64 = 1.0;

/// Part of the frame interval that a frame is to take on the rung that is chosen, so that wavering fits in.
const COMFORTABLE: f64 = 0.75;

/// So many late frames in a row are no accident.
const LATE_FRAMES: u32 = 3;

/// How much the newest frame counts.
const NEWEST: f64 = 0.3;

/// How long a link must have been well at first, and at most.
const FIRST_CAUTION: Duration = Duration::from_millis(1500);
const MOST_CAUTION: Duration = Duration::from_secs(30);

/// Going down so soon after going up shows that going up was wrong.
const TOO_SOON: Duration = Duration::from_secs(4);

/// After it was told that there is no place, a viewer asks no sooner than this.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// No frame of a lower rung is taken to be larger than this part of one on the next higher rung.
const AT_MOST: f64 = 0.95;

impl Ladder {
    /// At the top.
    pub fn new(asked: Asked) -> Self {
        Self {
            rung: Rung::Asked,
            asked,
            weights: USUAL_WEIGHTS,
            usual: None,
            before: None,
            moved_at: Micros(0),
            late: 0,
            well_since: None,
            went_up_at: None,
            caution: FIRST_CAUTION,
            stays_until: Micros(0),
        }
    }

    /// What the viewer is to be sent.
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// Takes note of a frame that arrived, where a new one is made every `interval`. Returns the rung that would
    /// be right now, when it is another: whoever asked then says [`moved`](Self::moved), or [`stays`](Self::stays).
    pub fn arrived(&mut self, transfer: Transfer, interval: Duration) -> Option<Rung> {
        // What was on its way when the rung changed tells of the old one.
        if transfer.sent_at < self.moved_at {
            return None;
        }
        let now = transfer.at;
        let interval = interval.as_secs_f64();
        let took = transfer.took.as_secs_f64();
        self.note(took, transfer.bytes);
        self.late = if took > interval * FULL { self.late.saturating_add(1) } else { 0 };
        let rung = if self.late >= LATE_FRAMES {
            self.lower(took, interval)
        } else {
            self.higher(interval, now)
        };
        rung.filter(|_| now >= self.stays_until)
    }

    /// It is sent that rung's frames from `now` on.
    pub fn moved(&mut self, rung: Rung, now: Micros) {
        if rung < self.rung {
            self.went_up_at = Some(now);
        } else if self.went_up_at.is_some_and(|at| now.since(at) < TOO_SOON) {
            self.caution = (self.caution * 2).min(MOST_CAUTION);
        }
        self.before = self.usual.take().map(|usual| (self.rung, usual.bytes));
        self.rung = rung;
        self.moved_at = now;
        self.late = 0;
        self.well_since = None;
    }

    /// There is no place there for now.
    pub fn stays(&mut self, now: Micros) {
        self.late = 0;
        self.stays_until = Micros(now.0 + u64::try_from(ASK_AGAIN.as_micros()).unwrap_or(u64::MAX));
    }

    fn note(&mut self, took: f64, bytes: usize) {
        #[allow(clippy::cast_precision_loss)] // Of a picture's length nothing is lost.
        let bytes = bytes as f64;
        if let Some((rung, before)) = self.before.take()
            && before > 0.0
        {
            self.weights[self.rung.index()] = self.weights[rung.index()] * bytes / before;
            self.put_in_order();
        }
        self.usual = Some(match self.usual {
            None => Usual { took, bytes },
            Some(Usual { took: so_far, bytes: usual }) => Usual {
                took: so_far + (took - so_far) * NEWEST,
                bytes: usual + (bytes - usual) * NEWEST,
            },
        });
    }

    /// A lower rung weighs less, whatever one frame seemed to say.
    fn put_in_order(&mut self) {
        for index in 1..self.weights.len() {
            let most = self.weights[index - 1] * AT_MOST;
            self.weights[index] = self.weights[index].min(most);
        }
    }

    /// The highest of the lower rungs on which a frame that took so long would be comfortable, or the lowest.
    fn lower(&mut self, took: f64, interval: f64) -> Option<Rung> {
        self.well_since = None;
        let lower = || Rung::ALL.into_iter().filter(|&rung| rung > self.rung && self.may_use(rung));
        let fits = |rung: &Rung| took * self.ratio(*rung) <= interval * COMFORTABLE;
        lower().find(fits).or_else(|| lower().next_back())
    }

    fn higher(&mut self, interval: f64, now: Micros) -> Option<Rung> {
        if self.went_up_at.is_some_and(|at| now.since(at) > MOST_CAUTION) {
            self.caution = FIRST_CAUTION;
        }
        let took = self.usual.map_or(0.0, |usual| usual.took);
        let fits = |rung: &Rung| {
            *rung < self.rung
                && self.may_use(*rung)
                && took * self.ratio(*rung) <= interval * COMFORTABLE
        };
        let Some(higher) = Rung::ALL.into_iter().find(fits) else {
            self.well_since = None;
            return None;
        };
        let since = *self.well_since.get_or_insert(now);
        (now.since(since) >= self.caution).then_some(higher)
    }

    /// Bytes of a frame there, as a part of those here.
    fn ratio(&self, rung: Rung) -> f64 {
        self.weights[rung.index()] / self.weights[self.rung.index()]
    }

    fn may_use(&self, rung: Rung) -> bool {
        match rung {
            Rung::Asked => true,
            Rung::Quality60 | Rung::Quality40 => rung.most_quality() < self.asked.quality,
            Rung::HalfSize => self.asked.lowest == Lowest::HalfSize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_micros(33_333);

    /// Bytes of a frame at the top.
    const FRAME: u32 = 40_000;

    /// The usual weights, in hundredths.
    const USUAL: [u32; 4] = [100, 66, 50, 22];

    /// A picture of other content than the usual weights were measured with.
    const OTHER: [u32; 4] = [100, 55, 40, 30];

    fn micros(seconds: f64) -> Micros {
        Micros(Duration::from_secs_f64(seconds).as_micros().try_into().expect("a short test"))
    }

    /// What became of one frame.
    #[derive(Debug, Clone, Copy)]
    struct Came {
        at: f64,
        age: f64,
        rung: Rung,
    }

    /// A link, a camera that makes a frame each interval, a viewer that acknowledges: one frame on its way at a time.
    #[derive(Debug)]
    struct Simulated {
        ladder: Ladder,
        weights: [u32; 4],
        now: f64,
        round_trip: f64,
        came: Vec<Came>,
        /// Where there is a place.
        places: Vec<Rung>,
        refused: usize,
    }

    impl Simulated {
        fn new(quality: u8, lowest: Lowest, round_trip: f64) -> Self {
            Self {
                ladder: Ladder::new(Asked { quality, lowest }),
                weights: USUAL,
                now: 0.0,
                round_trip,
                came: Vec::new(),
                places: Rung::ALL.to_vec(),
                refused: 0,
            }
        }

        fn usual(round_trip: f64) -> Self {
            Self::new(80, Lowest::HalfSize, round_trip)
        }

        /// Until `end`, over a link of so many bits a second at each time.
        fn run(&mut self, end: f64, rate: impl Fn(f64) -> f64) {
            let interval = INTERVAL.as_secs_f64();
            while self.now < end {
                // The newest frame is sent as soon as there is one that was not sent.
                let made_at = (self.now / interval).ceil() * interval;
                let sent_at = self.now.max(made_at);
                let bytes = FRAME / 100 * self.weights[self.ladder.rung().index()];
                let (mut left, mut at) = (f64::from(bytes) * 8.0, sent_at);
                while left > 0.0 {
                    let step = 0.001;
                    left -= rate(at) * step;
                    at += step;
                }
                self.now = at + self.round_trip;
                let age = self.now - made_at;
                self.came.push(Came { at: self.now, age, rung: self.ladder.rung() });
                let transfer = Transfer {
                    sent_at: micros(sent_at),
                    at: micros(self.now),
                    bytes: usize::try_from(bytes).expect("small"),
                    took: Duration::from_secs_f64(at - sent_at),
                };
                match self.ladder.arrived(transfer, INTERVAL) {
                    Some(rung) if self.places.contains(&rung) => {
                        self.ladder.moved(rung, micros(self.now));
                    }
                    Some(_) => {
                        self.refused += 1;
                        self.ladder.stays(micros(self.now));
                    }
                    None => {}
                }
            }
        }

        fn between(&self, from: f64, to: f64) -> Vec<Came> {
            self.came.iter().copied().filter(|it| it.at >= from && it.at < to).collect()
        }

        fn fps(&self, from: f64, to: f64) -> f64 {
            self.between(from, to).len() as f64 / (to - from)
        }

        fn is_always(&self, rung: Rung, from: f64, to: f64) -> bool {
            self.between(from, to).iter().all(|it| it.rung == rung)
        }

        fn oldest(&self, from: f64, to: f64) -> f64 {
            self.between(from, to).iter().map(|it| it.age).fold(0.0, f64::max)
        }

        fn changes(&self) -> usize {
            self.came.windows(2).filter(|pair| pair[0].rung != pair[1].rung).count()
        }
    }

    /// 20, then 4, then again 20 Mbit/s.
    fn step(at: f64) -> f64 {
        if (10.0..25.0).contains(&at) { 4e6 } else { 20e6 }
    }

    #[test]
    fn a_wide_link_stays_at_the_top() {
        let mut link = Simulated::usual(0.002);
        link.run(30.0, |_| 20e6);
        assert!(link.is_always(Rung::Asked, 0.0, 30.0));
        assert!(link.came.len() > 880);
    }

    #[test]
    fn a_link_that_narrows_and_recovers_is_followed_down_in_a_second_and_up_in_five() {
        for weights in [USUAL, OTHER] {
            let mut link = Simulated::usual(0.002);
            link.weights = weights;
            link.run(40.0, step);
            let fps = link.fps(11.0, 25.0);
            assert!(fps >= 24.0, "{fps} frames a second");
            // One frame's transfer, one interval and 50 ms.
            let oldest = link.oldest(11.0, 25.0);
            assert!(oldest <= 0.080 + 0.033 + 0.050, "{oldest}");
            assert!(link.is_always(Rung::Asked, 30.0, 40.0), "quality is back");
            assert!(link.came.len() > 1100);
        }
    }

    #[test]
    fn a_link_of_5_mbit_keeps_the_rate_on_a_lower_rung() {
        let mut link = Simulated::usual(0.010);
        link.run(30.0, |_| 5e6);
        assert!(link.fps(2.0, 30.0) >= 24.0, "{}", link.fps(2.0, 30.0));
    }

    #[test]
    fn a_rung_that_turned_out_too_high_is_tried_ever_more_rarely() {
        let mut link = Simulated::usual(0.002);
        // The next rung up would be comfortable by the usual weights, and is not with this picture.
        link.weights = [100, 90, 85, 22];
        link.run(120.0, |_| 8e6);
        assert!(link.changes() <= 12, "{} changes in two minutes", link.changes());
        assert!(link.fps(2.0, 120.0) >= 24.0, "{}", link.fps(2.0, 120.0));
    }

    #[test]
    fn a_wavering_link_is_not_followed_at_every_turn() {
        let mut link = Simulated::usual(0.002);
        link.run(60.0, |at| 8e6 + 5e6 * (at * 3.0).sin());
        assert!(link.changes() <= 12, "{} changes in a minute", link.changes());
        assert!(link.fps(5.0, 60.0) >= 24.0);
    }

    #[test]
    fn a_stall_of_a_second_is_survived_and_forgotten() {
        let mut link = Simulated::usual(0.002);
        link.run(20.0, |at| if (5.0..6.0).contains(&at) { 1e3 } else { 20e6 });
        assert!(link.is_always(Rung::Asked, 11.0, 20.0));
    }

    #[test]
    fn a_size_that_was_asked_for_never_changes() {
        let mut link = Simulated::new(80, Lowest::Quality40, 0.002);
        link.run(20.0, |_| 1e6);
        assert!(link.came.iter().all(|it| it.rung <= Rung::Quality40));
        assert!(link.is_always(Rung::Quality40, 5.0, 20.0));
        // Thinned instead: each frame that comes is new.
        assert!(link.oldest(2.0, 20.0) < 0.16 + 0.033 + 0.050);
    }

    #[test]
    fn an_asked_quality_is_a_ceiling() {
        for (quality, rungs) in [
            (90, &[Rung::Asked, Rung::Quality60, Rung::Quality40][..]),
            (60, &[Rung::Asked, Rung::Quality40]),
            (40, &[Rung::Asked]),
            (5, &[Rung::Asked]),
        ] {
            let mut link = Simulated::new(quality, Lowest::Quality40, 0.002);
            link.run(20.0, |at| (12e6 - at * 1e6).max(1e6));
            link.run(60.0, |at| (at - 20.0) * 1e6);
            let stood = |rung| link.came.iter().any(|it| it.rung == rung);
            let stood: Vec<_> = Rung::ALL.into_iter().filter(|&rung| stood(rung)).collect();
            assert_eq!(stood, rungs, "quality {quality}");
            assert!(link.is_always(Rung::Asked, 55.0, 60.0));
        }
    }

    #[test]
    fn a_long_way_is_no_reason_to_send_less() {
        let mut link = Simulated::usual(0.060);
        link.run(20.0, |_| 100e6);
        assert!(link.is_always(Rung::Asked, 0.0, 20.0));
    }

    #[test]
    fn where_there_is_no_place_it_stays_and_asks_now_and_then() {
        let mut link = Simulated::usual(0.002);
        link.places = vec![Rung::Asked];
        link.run(20.0, |_| 4e6);
        assert!(link.is_always(Rung::Asked, 0.0, 20.0));
        assert!((5..=10).contains(&link.refused), "asked {} times", link.refused);
        assert!(link.oldest(0.0, 20.0) < 0.080 + 0.033 + 0.050);
        link.places = Rung::ALL.to_vec();
        link.run(30.0, |_| 4e6);
        assert!(link.is_always(Rung::HalfSize, 24.0, 30.0));
    }

    #[test]
    fn frames_that_left_before_the_change_do_not_count() {
        let mut ladder = Ladder::new(Asked { quality: 80, lowest: Lowest::HalfSize });
        ladder.moved(Rung::HalfSize, micros(10.0));
        for late in 0..10 {
            let transfer = Transfer {
                sent_at: micros(9.9),
                at: micros(10.1 + f64::from(late)),
                bytes: 1_000_000,
                took: Duration::from_secs(1),
            };
            assert_eq!(ladder.arrived(transfer, INTERVAL), None);
        }
    }
}
