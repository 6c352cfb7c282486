//! The rule by which a viewer on a narrow link is sent less: a pure function of what was sent and when it arrived.
//!
//! All viewers share one ladder: quality 80, 60, 40, then half the size. So those on narrow links meet on the
//! same rungs, and share encodes. A viewer goes down as soon as its link carries no whole frame in the time that
//! one is made; and up again when a frame of the higher rung would have arrived in time for a while.

#[cfg(test)]
mod tests;

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
