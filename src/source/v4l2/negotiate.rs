//! Decides what to ask of a camera, from what it offers and what the user wishes.

use super::offer::{Extent, Interval, Offer, RateOffer, SizeOffer};
use crate::image::pixels::{FourCc, PixelFormat, Size};
use crate::rate::Rate;
use crate::source::CaptureWish;
use std::cmp::Ordering;

/// What to ask for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    /// The driver's own code for the format.
    pub(super) fourcc: FourCc,
    pub(super) size: Size,
    pub(super) interval: Interval,
}

/// The largest size if none is asked for: more is too much for the network and CPU of a Pi.
pub(super) const LARGEST_UNASKED: Size = Size::new(1280, 720);

/// The rate if none is asked for.
pub(super) const RATE_UNASKED: Rate = Rate(30_000);

/// A size is fast enough at this fraction of the wanted rate: then a larger picture is worth more.
/// 24 or 25 of 30 frames per second look smooth; 15 do not.
const FAST_ENOUGH: f64 = 0.8;

/// The size to aim at.
pub(super) fn wanted_size(wish: &CaptureWish) -> Size {
    wish.size.unwrap_or(LARGEST_UNASKED)
}

/// The best choice for each format that lancam understands and `wish` allows, best first.
///
/// The criteria in their order: the size asked for, or the nearest to it; if none is asked for,
/// sizes up to [`LARGEST_UNASKED`]; colours; fast enough, which USB's bandwidth decides; the format
/// that costs least CPU time, in the order of [`PixelFormat::KNOWN`]; the largest size; the rate
/// nearest to the wanted one. A driver that enumerates no formats is asked for each by name.
///
/// What viewers want does not count. A raw picture may be cheaper to shrink than a JPEG, but
/// viewers come and go, and USB has room for few raw pictures.
pub(super) fn choices(offers: &[Offer], wish: &CaptureWish) -> Vec<Choice> {
    let allowed = |format: &PixelFormat| wish.format.is_none_or(|wished| wished == *format);
    if offers.is_empty() {
        let by_name = |format: PixelFormat| Choice {
            fourcc: format.fourcc(),
            size: wanted_size(wish),
            interval: wanted_interval(wish),
        };
        return PixelFormat::all().filter(allowed).map(by_name).collect();
    }
    let mut best: Vec<Candidate> = Vec::new();
    for offer in offers {
        let Some(format) = PixelFormat::from_fourcc(offer.fourcc).filter(allowed) else { continue };
        let candidates = candidates(offer, format, wish);
        best.extend(candidates.into_iter().min_by(Candidate::compare));
    }
    best.sort_by(Candidate::compare);
    best.into_iter().map(|candidate| candidate.choice).collect()
}

/// A choice with its criteria.
struct Candidate {
    choice: Choice,
    /// The difference in pixels between this size and the wanted one; 0 if none was asked for and
    /// this one fits.
    distance: usize,
    /// Whether it has no colours.
    is_grey: bool,
    /// How many frames per second it lacks to be fast enough.
    shortfall: f64,
    /// Its place in [`PixelFormat::all`].
    rank: usize,
    /// How far its rate is from the wanted one, as a ratio.
    rate_distance: f64,
}

impl Candidate {
    fn compare(&self, other: &Self) -> Ordering {
        let area = |candidate: &Self| candidate.choice.size.area();
        (self.distance.cmp(&other.distance))
            .then(self.is_grey.cmp(&other.is_grey))
            .then(self.shortfall.total_cmp(&other.shortfall))
            .then(self.rank.cmp(&other.rank))
            .then(area(other).cmp(&area(self)))
            .then(self.rate_distance.total_cmp(&other.rate_distance))
    }
}

fn candidates(offer: &Offer, format: PixelFormat, wish: &CaptureWish) -> Vec<Candidate> {
    let rank = PixelFormat::all().position(|known| known == format).unwrap_or(usize::MAX);
    let unknown = [SizeOffer { extent: Extent::Exactly(wanted_size(wish)), rates: Vec::new() }];
    let sizes = if offer.sizes.is_empty() { &unknown[..] } else { &offer.sizes };
    let candidate = |offered: &SizeOffer| {
        let size = offered.extent.nearest(wanted_size(wish));
        // Ask for the wished size even between steps, since drivers take more sizes than their
        // steps say: vivid's are 2, and it takes odd sizes too.
        let asked = wish.size.map_or(size, |wished| offered.extent.inside(wished));
        let wanted = wanted_interval(wish);
        let interval = nearest(&offered.rates, wanted);
        let fps = interval.unwrap_or(wanted).fps();
        Candidate {
            choice: Choice {
                fourcc: offer.fourcc,
                size: asked,
                interval: interval.unwrap_or(wanted),
            },
            distance: distance(size, wish),
            is_grey: matches!(format, PixelFormat::Grey(_)),
            shortfall: (wanted.fps() * FAST_ENOUGH - fps).max(0.0),
            rank,
            rate_distance: ratio(fps, wanted.fps()),
        }
    };
    sizes.iter().map(candidate).collect()
}

/// Names the choices after `taken`: `the cheapest, before NV21, YU12 and YUYV`; or `before 640x480
/// YUYV and 25 more` if size, rate or colours decided; `None` without another choice. Leaves out what a
/// choice has in common with `taken`.
pub(super) fn runners_up(choices: &[Choice], taken: &Choice) -> Option<String> {
    let format = |choice: &Choice| PixelFormat::from_fourcc(choice.fourcc);
    let mut others: Vec<&Choice> = Vec::new();
    for choice in choices.iter().skip_while(|choice| *choice != taken).skip(1) {
        let is_new = |other: &&Choice| format(other) != format(choice);
        if format(choice) != format(taken) && others.iter().all(is_new) {
            others.push(choice);
        }
    }
    let in_words = |choice: &&Choice| {
        let mut words = choice.fourcc.to_string();
        if choice.size != taken.size {
            words = format!("{} {words}", choice.size);
        }
        if choice.interval != taken.interval {
            words += &format!(" {} fps", choice.interval);
        }
        words
    };
    let mut words: Vec<String> = others.iter().take(NAMED_RUNNERS_UP).map(in_words).collect();
    let last = match others.len().saturating_sub(NAMED_RUNNERS_UP) {
        0 => words.pop()?,
        unnamed => format!("{unnamed} more"),
    };
    let is_like_taken = |other: &&Choice| {
        let is_grey = |choice| matches!(format(choice), Some(PixelFormat::Grey(_)));
        (other.size, other.interval) == (taken.size, taken.interval)
            && is_grey(other) == is_grey(taken)
    };
    let why = if others.first().is_some_and(is_like_taken) { "the cheapest, " } else { "" };
    Some(match words.join(", ") {
        first if first.is_empty() => format!("{why}before {last}"),
        first => format!("{why}before {first} and {last}"),
    })
}

/// How many are named. More would make the line too long; vivid offers 45 formats that lancam
/// understands.
const NAMED_RUNNERS_UP: usize = 3;

fn distance(size: Size, wish: &CaptureWish) -> usize {
    let Size { width, height } = wanted_size(wish);
    match wish.size {
        Some(_) => size.width.abs_diff(width) + size.height.abs_diff(height),
        None => size.width.saturating_sub(width) + size.height.saturating_sub(height),
    }
}

/// The rate nearest to `wanted` by ratio: of 15 and 60, 60 is nearer to 50, and both are equally
/// near to 30.
fn nearest(rates: &[RateOffer], wanted: Interval) -> Option<Interval> {
    let rates = rates.iter().map(|rate| rate.nearest(wanted));
    rates.min_by(|a, b| ratio(a.fps(), wanted.fps()).total_cmp(&ratio(b.fps(), wanted.fps())))
}

fn ratio(fps: f64, wanted: f64) -> f64 {
    (fps / wanted).max(wanted / fps)
}

pub(super) fn wanted_interval(wish: &CaptureWish) -> Interval {
    Interval::of_rate(wish.rate.unwrap_or(RATE_UNASKED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use v4l::Fraction;

    fn offer(fourcc: &[u8; 4], sizes: &[(usize, usize, &[u32])]) -> Offer {
        let size = |&(width, height, rates): &(usize, usize, &[u32])| SizeOffer {
            extent: Extent::Exactly(Size::new(width, height)),
            rates: rates.iter().map(|&fps| RateOffer::Exactly(interval(fps))).collect(),
        };
        Offer {
            fourcc: FourCc(*fourcc),
            description: String::new(),
            sizes: sizes.iter().map(size).collect(),
        }
    }

    fn interval(fps: u32) -> Interval {
        Interval::parse(Fraction::new(1, fps)).expect("a rate")
    }

    /// The formats of an ordinary USB 2 webcam.
    fn webcam() -> Vec<Offer> {
        vec![
            offer(b"YUYV", &[(640, 480, &[30, 15]), (1280, 720, &[10]), (1920, 1080, &[5])]),
            offer(b"H264", &[(1920, 1080, &[30])]),
            offer(b"MJPG", &[(640, 480, &[30]), (1280, 720, &[30, 60]), (1920, 1080, &[30])]),
        ]
    }

    fn chosen(offers: &[Offer], wish: &CaptureWish) -> (String, Size, f64) {
        let choice = choices(offers, wish)[0];
        (choice.fourcc.to_string(), choice.size, choice.interval.fps())
    }

    #[test]
    fn unasked_it_is_motion_jpeg_up_to_720p_at_30() {
        let wish = CaptureWish::default();
        assert_eq!(chosen(&webcam(), &wish), ("MJPG".into(), Size::new(1280, 720), 30.0));
    }

    #[test]
    fn without_motion_jpeg_a_smooth_picture_beats_a_large_one() {
        let wish = CaptureWish { format: Some(PixelFormat::YUYV), ..CaptureWish::default() };
        assert_eq!(chosen(&webcam(), &wish), ("YUYV".into(), Size::new(640, 480), 30.0));
        // vivid: 25 of 30 is fast enough for the larger size; 12 is not.
        let vivid = [offer(
            b"YUYV",
            &[(320, 180, &[5, 50]), (640, 360, &[40, 30]), (640, 480, &[25]), (1280, 720, &[12])],
        )];
        assert_eq!(
            chosen(&vivid, &CaptureWish::default()),
            ("YUYV".into(), Size::new(640, 480), 25.0)
        );
    }

    #[test]
    fn of_formats_as_large_and_fast_the_cheapest_wins_whatever_the_order_of_the_driver() {
        let size: &[(usize, usize, &[u32])] = &[(1280, 720, &[30])];
        let offers: Vec<Offer> =
            [b"GREY", b"RGB3", b"UYVY", b"NV12"].map(|fourcc| offer(fourcc, size)).into();
        let order: Vec<String> = choices(&offers, &CaptureWish::default())
            .iter()
            .map(|choice| choice.fourcc.to_string())
            .collect();
        assert_eq!(order, ["NV12", "UYVY", "RGB3", "GREY"]);
    }

    #[test]
    fn a_smooth_picture_beats_a_cheap_one_and_colours_beat_both() {
        let offers = [
            offer(b"GREY", &[(1280, 720, &[60])]),
            offer(b"MJPG", &[(1280, 720, &[5])]),
            offer(b"YUYV", &[(640, 480, &[25])]),
        ];
        let best = choices(&offers, &CaptureWish::default());
        let order: Vec<String> = best.iter().map(|choice| choice.fourcc.to_string()).collect();
        assert_eq!(order, ["YUYV", "MJPG", "GREY"]);
        assert_eq!(
            runners_up(&best, &best[0]).as_deref(),
            Some("before 1280x720 MJPG 5 fps and 1280x720 GREY 60 fps")
        );
        assert_eq!(runners_up(&best, &best[2]), None);
    }

    #[test]
    fn the_runners_up_are_named_in_a_few_words() {
        let size: &[(usize, usize, &[u32])] = &[(640, 360, &[30])];
        let names = [b"MJPG", b"JPEG", b"NV12", b"YUYV", b"RGB3", b"BGR3", b"Y10 "];
        let offers = names.map(|fourcc| offer(fourcc, size));
        let best = choices(&offers, &CaptureWish::default());
        let after = |at: usize| runners_up(&best, &best[at]).unwrap_or_default();
        assert_eq!(after(0), "the cheapest, before NV12, YUYV, RGB3 and 2 more");
        assert_eq!(after(3), "the cheapest, before RGB3, BGR3 and Y10");
        assert_eq!(after(5), "before Y10", "it has no colours");
    }

    #[test]
    fn where_nothing_is_smooth_the_fastest_wins() {
        let slow = [offer(b"YUYV", &[(1280, 720, &[5]), (640, 480, &[10]), (320, 240, &[10])])];
        assert_eq!(
            chosen(&slow, &CaptureWish::default()),
            ("YUYV".into(), Size::new(640, 480), 10.0)
        );
    }

    #[test]
    fn what_is_asked_is_taken_where_it_is_offered() {
        let wish = CaptureWish {
            size: Some(Size::new(1920, 1080)),
            rate: Some(Rate(5000)),
            format: Some(PixelFormat::YUYV),
            ..CaptureWish::default()
        };
        assert_eq!(chosen(&webcam(), &wish), ("YUYV".into(), Size::new(1920, 1080), 5.0));
        let wish = CaptureWish { rate: Some(Rate(60_000)), ..CaptureWish::default() };
        assert_eq!(chosen(&webcam(), &wish), ("MJPG".into(), Size::new(1280, 720), 60.0));
    }

    #[test]
    fn a_size_that_only_the_other_format_has_decides_the_format() {
        let offers = [offer(b"MJPG", &[(1280, 720, &[30])]), offer(b"YUYV", &[(320, 240, &[30])])];
        let wish = CaptureWish { size: Some(Size::new(320, 240)), ..CaptureWish::default() };
        assert_eq!(chosen(&offers, &wish), ("YUYV".into(), Size::new(320, 240), 30.0));
    }

    #[test]
    fn a_size_that_is_not_offered_becomes_the_nearest() {
        let wish = CaptureWish { size: Some(Size::new(1300, 700)), ..CaptureWish::default() };
        assert_eq!(chosen(&webcam(), &wish).1, Size::new(1280, 720));
        let large_only = [offer(b"MJPG", &[(1920, 1080, &[30]), (3840, 2160, &[30])])];
        assert_eq!(chosen(&large_only, &CaptureWish::default()).1, Size::new(1920, 1080));
    }

    #[test]
    fn the_name_that_the_driver_uses_is_asked_for() {
        let offers = [offer(b"JPEG", &[(640, 480, &[30])])];
        let wish = CaptureWish { format: Some(PixelFormat::Jpeg), ..CaptureWish::default() };
        assert_eq!(chosen(&offers, &wish).0, "JPEG");
    }

    #[test]
    fn a_driver_that_enumerates_nothing_is_asked_by_name() {
        let names: Vec<String> = choices(&[], &CaptureWish::default())
            .into_iter()
            .map(|choice| choice.fourcc.to_string())
            .collect();
        let known: Vec<String> = PixelFormat::all().map(|format| format.to_string()).collect();
        assert_eq!(names, known);
        assert_eq!(names[0], "MJPG");
        let no_sizes = [offer(b"YUYV", &[])];
        let wish = CaptureWish { size: Some(Size::new(800, 600)), ..CaptureWish::default() };
        assert_eq!(chosen(&no_sizes, &wish), ("YUYV".into(), Size::new(800, 600), 30.0));
    }

    #[test]
    fn of_other_formats_nothing_is_chosen() {
        assert!(choices(&[offer(b"H264", &[])], &CaptureWish::default()).is_empty());
        let wish = CaptureWish { format: Some(PixelFormat::Jpeg), ..CaptureWish::default() };
        assert!(choices(&[offer(b"YUYV", &[])], &wish).is_empty());
    }

    #[test]
    fn a_range_of_sizes_and_rates_is_met_inside() {
        let range = Offer {
            fourcc: FourCc(*b"YUYV"),
            description: String::new(),
            sizes: vec![SizeOffer {
                extent: Extent::Between {
                    smallest: Size::new(32, 32),
                    largest: Size::new(4096, 4096),
                    step: Size::new(2, 2),
                },
                rates: vec![RateOffer::Between { fastest: interval(60), slowest: interval(1) }],
            }],
        };
        let range = [range];
        assert_eq!(
            chosen(&range, &CaptureWish::default()),
            ("YUYV".into(), Size::new(1280, 720), 30.0)
        );
        for (asked, expected) in [((643, 361), (643, 361)), ((16, 9999), (32, 4096))] {
            let wish =
                CaptureWish { size: Some(Size::new(asked.0, asked.1)), ..CaptureWish::default() };
            assert_eq!(chosen(&range, &wish).1, Size::new(expected.0, expected.1));
        }
    }
}
