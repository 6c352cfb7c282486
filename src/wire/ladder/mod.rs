//! Decides when a viewer on a narrow link gets less: a pure function of what was sent and when it
//! arrived.
//!
//! All viewers use the same ladder: what was asked for, quality 60, quality 40, half the size. So
//! viewers on narrow links meet on the same rungs and share encodes. A viewer goes down when its
//! link can no longer carry a whole frame in the time between two frames. It goes up again when a
//! frame of a higher rung would have arrived in time for a while.

#[cfg(test)]
mod tests;

use crate::image::frame::Micros;
use std::fmt;
use std::time::Duration;

/// A rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Rung {
    /// What the viewer asked for.
    #[default]
    Asked,
    /// Quality 60 at most.
    Quality60,
    /// Quality 40 at most.
    Quality40,
    /// Half the width and height, at quality 60 at most.
    HalfSize,
}

impl Rung {
    /// All rungs, from the top.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Quality60, Self::Quality40, Self::HalfSize];

    /// The highest quality on this rung; 100 if there is no limit.
    pub const fn most_quality(self) -> u8 {
        match self {
            Self::Asked => 100,
            Self::Quality60 | Self::HalfSize => 60,
            Self::Quality40 => 40,
        }
    }

    /// Its index in arrays of rungs.
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

/// The length of a frame on each rung, relative to the top, until frames have shown it. Measured
/// with libjpeg-turbo on 720p pictures of a room, asked for at quality 80.
const USUAL_WEIGHTS: [f64; 4] = [1.0, 0.66, 0.5, 0.22];

/// What a viewer asked for, as far as it limits the rungs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The quality that was asked for. A rung that is not below it is not used.
    pub quality: u8,
    /// The lowest rung that may be used.
    pub lowest: Lowest,
}

/// The lowest rung that a viewer may be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lowest {
    /// The size never changes: the viewer asked for a size, or cannot be told of another one.
    Quality40,
    /// The size may change.
    HalfSize,
}

/// A frame that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// When its first byte was handed to the kernel.
    pub sent_at: Micros,
    /// When its arrival became known.
    pub at: Micros,
    /// Its length in bytes.
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
    /// Smoothed measurements on this rung.
    usual: Option<Usual>,
    /// The last rung and the usual length of its frames, until the first frame of this rung shows
    /// how it compares.
    before: Option<(Rung, f64)>,
    moved_at: Micros,
    /// The number of successive frames that took too long.
    late: u32,
    /// Since when a higher rung would have been fast enough.
    well_since: Option<Micros>,
    /// When it last went up.
    went_up_at: Option<Micros>,
    /// How long a higher rung must be fast enough before it goes up. Doubled if going up was wrong.
    caution: Duration,
    /// There was no free rendition for the rung that it wanted; it does not ask again before this
    /// time.
    stays_until: Micros,
}

/// The usual frame on a rung.
#[derive(Debug, Clone, Copy)]
struct Usual {
    took: f64,
    bytes: f64,
}

/// The fraction of the frame interval that a frame may take to arrive. If it takes longer, the next
/// frame is skipped.
const FULL: f64 = 1.0;

/// The fraction of the frame interval that a frame should take on the chosen rung, which leaves
/// room for variation.
const COMFORTABLE: f64 = 0.75;

/// After this many successive late frames the link is too slow.
const LATE_FRAMES: u32 = 3;

/// The weight of the newest frame in the smoothed values.
const NEWEST: f64 = 0.3;

/// How long a higher rung must have been fast enough: at first, and at most.
const FIRST_CAUTION: Duration = Duration::from_millis(1500);
const MOST_CAUTION: Duration = Duration::from_secs(30);

/// Going down within this time after going up shows that going up was wrong.
const TOO_SOON: Duration = Duration::from_secs(4);

/// How long a viewer waits before it asks again for a rendition that it could not get.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// A frame of a lower rung is taken to be at most this fraction of one on the rung above.
const AT_MOST: f64 = 0.95;

impl Ladder {
    /// A ladder at the top.
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

    /// The current rung.
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// Notes a frame that arrived, when a new one is made every `interval`. Returns the rung that
    /// would be right now, if it differs. The caller asks for it, and then calls
    /// [`moved`](Self::moved) or [`stays`](Self::stays).
    pub fn arrived(&mut self, transfer: Transfer, interval: Duration) -> Option<Rung> {
        // A frame that was on its way when the rung changed belongs to the old one.
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

    /// Notes that the viewer gets frames of this rung from `now` on.
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

    /// Notes that there was no free rendition for that rung.
    pub fn stays(&mut self, now: Micros) {
        self.late = 0;
        self.stays_until = Micros(now.0 + u64::try_from(ASK_AGAIN.as_micros()).unwrap_or(u64::MAX));
    }

    fn note(&mut self, took: f64, bytes: usize) {
        #[allow(clippy::cast_precision_loss)] // The length of a picture fits a f64 exactly.
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

    /// A lower rung has shorter frames, whatever a single frame seemed to show.
    fn put_in_order(&mut self) {
        for index in 1..self.weights.len() {
            let most = self.weights[index - 1] * AT_MOST;
            self.weights[index] = self.weights[index].min(most);
        }
    }

    /// The highest of the lower rungs on which a frame that took this long would arrive
    /// comfortably, or the lowest.
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

    /// The length of a frame on `rung`, relative to this rung.
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
