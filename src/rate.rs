//! Frame rates, in thousandths of frames per second as on the wire.

use crate::decimal;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A rate in frames per thousand seconds; see [`Rate::NONE`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u32);

impl Rate {
    /// No rate: it is unknown, or any rate is welcome.
    pub const NONE: Self = Self(0);

    /// Parses `30`, `29.97` or, as in much of Europe, `29,97`, if it is within `fps` frames per
    /// second. The range must begin at 0.001 or above.
    pub fn parse(text: &str, fps: RangeInclusive<f64>) -> Option<Self> {
        let rate = decimal::parse(text).filter(|rate| fps.contains(rate))?;
        Some(Self::rounded(rate * 1000.0))
    }

    /// The rate of frames with this interval; none for an interval of zero.
    pub fn of_interval(interval: Duration) -> Self {
        if interval.is_zero() {
            return Self::NONE;
        }
        Self::rounded(1e12 / interval.as_nanos() as f64)
    }

    /// The interval between frames; `None` for no rate.
    pub fn interval(self) -> Option<Duration> {
        Duration::from_secs(1000).checked_div(self.0)
    }

    /// Frames per second.
    pub fn fps(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// `None` for no rate.
    pub fn known(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }

    /// The lower of two rates, or the only known one.
    pub fn lower(self, other: Self) -> Self {
        [self, other].into_iter().filter_map(Self::known).min().unwrap_or_default()
    }

    fn rounded(millifps: f64) -> Self {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // Never negative; too large values saturate. There is no other conversion from floats.
        Self(millifps.round() as u32)
    }
}

/// With as few decimals as necessary: `30`, `29.97`.
impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0 / 1000)?;
        // Without zeros at the end, and without allocating.
        match self.0 % 1000 {
            0 => Ok(()),
            rest if rest % 100 == 0 => write!(out, ".{}", rest / 100),
            rest if rest % 10 == 0 => write!(out, ".{:02}", rest / 10),
            rest => write!(out, ".{rest:03}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_it_is_written() {
        for (rate, text) in
            [(30_000, "30"), (29_970, "29.97"), (7_500, "7.5"), (23_976, "23.976"), (1, "0.001")]
        {
            assert_eq!(Rate(rate).to_string(), text);
            assert_eq!(Rate::parse(text, 0.001..=1000.0), Some(Rate(rate)));
        }
        assert_eq!(Rate(0).to_string(), "0");
        for text in ["0", "0.0004", "1001", "-1", "NaN", "inf", "", "x"] {
            assert_eq!(Rate::parse(text, 0.001..=1000.0), None, "{text}");
        }
    }

    #[test]
    fn a_rate_and_the_time_between_its_frames_are_one() {
        for (nanos, rate) in [(33_333_333, 30_000), (33_367_000, 29_970), (2_000_000_000, 500)] {
            assert_eq!(Rate::of_interval(Duration::from_nanos(nanos)), Rate(rate));
        }
        assert_eq!(Rate(500).interval(), Some(Duration::from_secs(2)));
        assert_eq!(Rate::of_interval(Duration::ZERO), Rate::NONE);
        assert_eq!(Rate::NONE.interval(), None);
        assert_eq!(Rate::of_interval(Duration::from_nanos(1)), Rate(u32::MAX));
    }

    #[test]
    fn no_rate_is_never_the_lower_one() {
        assert_eq!(Rate(5000).lower(Rate(7500)), Rate(5000));
        assert_eq!(Rate::NONE.lower(Rate(7500)), Rate(7500));
        assert_eq!(Rate(5000).lower(Rate::NONE), Rate(5000));
        assert_eq!(Rate::NONE.lower(Rate::NONE), Rate::NONE);
    }
}
