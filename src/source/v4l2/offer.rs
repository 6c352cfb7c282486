//! Reads what a camera offers: formats, sizes and rates, as its driver enumerates them.

use super::ioctl::{self, DriverIntervals, DriverSizes, FormatDescription};
use super::node::Node;
use crate::image::pixels::{FourCc, PixelFormat, Size};
use crate::rate::Rate;
use std::fmt;
use std::time::Duration;
use v4l::Fraction;
use v4l::device::Handle;

/// A pixel format and its sizes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    pub(super) fourcc: FourCc,
    /// The driver's name for it: `Motion-JPEG`.
    pub(super) description: String,
    /// Empty if the driver enumerates none.
    pub(super) sizes: Vec<SizeOffer>,
}

/// A size, or a range of sizes, and its rates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SizeOffer {
    pub(super) extent: Extent,
    /// Empty if the driver enumerates none. For a range: the rates of one size in it.
    pub(super) rates: Vec<RateOffer>,
}

/// A size or a range of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// This size.
    Exactly(Size),
    /// All from `smallest` to `largest` in steps.
    Between { smallest: Size, largest: Size, step: Size },
}

/// A rate or a range of rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum RateOffer {
    /// This rate.
    Exactly(Interval),
    /// All rates from `fastest` to `slowest`; a driver rounds to its own steps.
    Between { fastest: Interval, slowest: Interval },
}

/// The time from frame to frame in the form that drivers use: a fraction of a second, neither part
/// 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    numerator: u32,
    denominator: u32,
}

/// The formats that a camera offers, with the sizes and rates of those that are `of_interest`,
/// since a driver may have thousands. For a range of sizes, the rates are those of the size nearest
/// to `near`.
pub(super) fn offers(node: &Node, near: Size, of_interest: impl Fn(FourCc) -> bool) -> Vec<Offer> {
    let offer = |FormatDescription { fourcc, description }| {
        let sizes = || size_offers(&node.handle(), fourcc, near);
        let sizes = if of_interest(fourcc) { sizes() } else { Vec::new() };
        Offer { fourcc, description, sizes }
    };
    ioctl::formats(&node.handle(), node.interface()).into_iter().map(offer).collect()
}

/// Why frames of a format cannot be used; `None` if they can.
pub(super) fn why_not(fourcc: FourCc) -> Option<&'static str> {
    if PixelFormat::from_fourcc(fourcc).is_some() {
        None
    } else if IN_PIECES.contains(&&fourcc.0) {
        Some("in several pieces of memory, which lancam cannot read")
    } else {
        Some("lancam cannot read it")
    }
}

/// The formats whose planes are in separate pieces of memory ("V4L2_PIX_FMT_NV12M" and similar).
const IN_PIECES: [&[u8; 4]; 10] =
    [b"NM12", b"NM21", b"NM16", b"NM61", b"YM12", b"YM21", b"YM16", b"YM61", b"YM24", b"YM42"];

fn size_offers(handle: &Handle, fourcc: FourCc, near: Size) -> Vec<SizeOffer> {
    // A driver need not enumerate sizes. Then S_FMT finds one.
    let extents = ioctl::frame_sizes(handle, fourcc).into_iter().filter_map(Extent::parse);
    let with_rates = |extent: Extent| {
        let rates = rate_offers(handle, fourcc, extent.nearest(near));
        SizeOffer { extent, rates }
    };
    extents.map(with_rates).collect()
}

fn rate_offers(handle: &Handle, fourcc: FourCc, size: Size) -> Vec<RateOffer> {
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let intervals = ioctl::frame_intervals(handle, fourcc, side(size.width), side(size.height));
    intervals.into_iter().filter_map(RateOffer::parse).collect()
}

impl Extent {
    fn parse(sizes: DriverSizes) -> Option<Self> {
        match sizes {
            DriverSizes::Exactly { width, height } => plausible(width, height).map(Self::Exactly),
            DriverSizes::Between { smallest, largest, step } => Some(Self::Between {
                smallest: plausible(smallest.0.max(1), smallest.1.max(1))?,
                largest: plausible(
                    largest.0.max(smallest.0).min(MAX_SIDE),
                    largest.1.max(smallest.1).min(MAX_SIDE),
                )?,
                step: plausible(step.0.max(1), step.1.max(1))?,
            }),
        }
    }

    /// The size nearest to `wanted`.
    pub(super) fn nearest(self, wanted: Size) -> Size {
        match self {
            Self::Exactly(size) => size,
            Self::Between { smallest, largest, step } => {
                let side = |wanted: usize, smallest: usize, largest: usize, step: usize| {
                    let inside = wanted.clamp(smallest, largest);
                    inside - (inside - smallest) % step
                };
                Size::new(
                    side(wanted.width, smallest.width, largest.width, step.width),
                    side(wanted.height, smallest.height, largest.height, step.height),
                )
            }
        }
    }

    /// The size nearest to `wanted`, ignoring the steps.
    pub(super) fn inside(self, wanted: Size) -> Size {
        match self {
            Self::Exactly(size) => size,
            Self::Between { smallest, largest, .. } => Size::new(
                wanted.width.clamp(smallest.width, largest.width),
                wanted.height.clamp(smallest.height, largest.height),
            ),
        }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(size) => size.fmt(out),
            Self::Between { smallest, largest, .. } if smallest == largest => smallest.fmt(out),
            Self::Between { smallest, largest, step } => {
                write!(out, "{smallest} to {largest}")?;
                if *step == Size::new(1, 1) { Ok(()) } else { write!(out, " by {step}") }
            }
        }
    }
}

impl RateOffer {
    fn parse(intervals: DriverIntervals) -> Option<Self> {
        let parse =
            |(numerator, denominator)| Interval::parse(Fraction::new(numerator, denominator));
        match intervals {
            DriverIntervals::Exactly(interval) => parse(interval).map(Self::Exactly),
            DriverIntervals::Between { shortest, longest } => {
                Some(Self::Between { fastest: parse(shortest)?, slowest: parse(longest)? })
            }
        }
    }

    /// The interval nearest to `wanted`.
    pub(super) fn nearest(self, wanted: Interval) -> Interval {
        match self {
            Self::Exactly(interval) => interval,
            Self::Between { fastest, .. } if wanted.fps() > fastest.fps() => fastest,
            Self::Between { slowest, .. } if wanted.fps() < slowest.fps() => slowest,
            Self::Between { .. } => wanted,
        }
    }
}

impl fmt::Display for RateOffer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(interval) => interval.fmt(out),
            Self::Between { fastest, slowest } => write!(out, "{slowest} to {fastest}"),
        }
    }
}

impl Interval {
    /// `None` if the driver states no rate.
    pub(super) fn parse(interval: Fraction) -> Option<Self> {
        let Fraction { numerator, denominator } = interval;
        (numerator > 0 && denominator > 0).then_some(Self { numerator, denominator })
    }

    /// The interval of a rate. Without a rate, 1000 s.
    pub(super) fn of_rate(Rate(in_1000_s): Rate) -> Self {
        let denominator = in_1000_s.max(1);
        match denominator % 1000 {
            0 => Self { numerator: 1, denominator: denominator / 1000 },
            _ => Self { numerator: 1000, denominator },
        }
    }

    /// Frames per second.
    pub(super) fn fps(self) -> f64 {
        f64::from(self.denominator) / f64::from(self.numerator)
    }

    /// As a time.
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.numerator)) / self.denominator
    }

    /// In the form of the crate `v4l`.
    pub(super) fn fraction(self) -> Fraction {
        Fraction::new(self.numerator, self.denominator)
    }
}

/// Shown as a [`Rate`].
impl fmt::Display for Interval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Rate::of_interval(self.duration()).fmt(out)
    }
}

/// A driver's size, or `None` if no picture can have it.
pub(super) fn plausible(width: u32, height: u32) -> Option<Size> {
    let side =
        |side: u32| usize::try_from(side).ok().filter(|side| (1..=Size::MAX_SIDE).contains(side));
    Some(Size::new(side(width)?, side(height)?))
}

/// [`Size::MAX_SIDE`] in the drivers' type.
const MAX_SIDE: u32 = 65_535;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_sizes_is_met_on_its_own_steps() {
        let range = Extent::Between {
            smallest: Size::new(48, 32),
            largest: Size::new(1920, 1080),
            step: Size::new(16, 2),
        };
        assert_eq!(range.nearest(Size::new(1280, 721)), Size::new(1280, 720));
        assert_eq!(range.nearest(Size::new(1, 1)), Size::new(48, 32));
        assert_eq!(range.nearest(Size::new(9999, 9999)), Size::new(1920, 1080));
        assert_eq!(range.to_string(), "48x32 to 1920x1080 by 16x2");
    }

    #[test]
    fn a_driver_with_impossible_numbers_harms_nobody() {
        let none = DriverSizes::Exactly { width: 0, height: 480 };
        assert_eq!(Extent::parse(none), None);
        let vast = DriverSizes::Exactly { width: u32::MAX, height: u32::MAX };
        assert_eq!(Extent::parse(vast), None);
        let backwards =
            DriverSizes::Between { smallest: (640, 0), largest: (0, u32::MAX), step: (0, 0) };
        let extent = Extent::parse(backwards).expect("a range");
        assert_eq!(extent.nearest(Size::new(1280, 720)), Size::new(640, 720));
        assert_eq!(Interval::parse(Fraction::new(0, 30)), None);
        assert_eq!(Interval::parse(Fraction::new(1, 0)), None);
    }

    #[test]
    fn what_is_not_taken_is_explained() {
        let why = |fourcc| why_not(FourCc(fourcc)).unwrap_or("taken");
        assert_eq!(why(*b"YUYV"), "taken");
        assert!(why(*b"NM12").contains("pieces of memory"));
        assert_eq!(why(*b"H264"), "lancam cannot read it");
    }

    #[test]
    fn rates_are_said_as_people_say_them() {
        for (rate, fraction, text) in [
            (30_000, (1, 30), "30"),
            (29_970, (1000, 29970), "29.97"),
            (7_500, (1000, 7500), "7.5"),
            (0, (1000, 1), "0.001"),
            (1_000_000, (1, 1000), "1000"),
        ] {
            let interval = Interval::of_rate(Rate(rate));
            assert_eq!((interval.numerator, interval.denominator), fraction, "{rate}");
            assert_eq!(interval.to_string(), text);
        }
        assert_eq!(Interval::of_rate(Rate(25_000)).duration(), Duration::from_millis(40));
    }
}
