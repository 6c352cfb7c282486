//! Asks a camera for a format and a rate, and reads back what it granted.

use super::colour::colour;
use super::ioctl::{self, DriverFormat, Refused};
use super::negotiate::Choice;
use super::node::Node;
use super::offer::{Interval, plausible};
use crate::image::frame::FrameLayout;
use crate::image::pixels::{MAX_PIXELS, PixelFormat};
use crate::rate::Rate;
use crate::source::spec::SLOWEST_RATE;
use std::time::{Duration, Instant};
use v4l::v4l_sys::{
    v4l2_field_V4L2_FIELD_ALTERNATE as ALTERNATE, v4l2_field_V4L2_FIELD_BOTTOM as BOTTOM,
    v4l2_field_V4L2_FIELD_INTERLACED as INTERLACED,
    v4l2_field_V4L2_FIELD_INTERLACED_BT as INTERLACED_BT,
    v4l2_field_V4L2_FIELD_INTERLACED_TB as INTERLACED_TB, v4l2_field_V4L2_FIELD_TOP as TOP,
};

/// What a driver granted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Granted {
    pub(super) layout: FrameLayout,
    /// The driver's own numbers.
    pub(super) driver: DriverFormat,
    /// The time between frames, if the driver states one that is believed.
    pub(super) interval: Option<Interval>,
    /// The time between frames that it states and that is not believed.
    pub(super) disbelieved: Option<Interval>,
}

impl Granted {
    /// What to do if the interval that was not believed is true after all. `None` if it cannot be true.
    pub(super) fn doubt(&self) -> Option<String> {
        let promised = self.disbelieved?;
        let rate = Rate::of_interval(promised.duration()).max(SLOWEST_RATE);
        is_credible(promised, Interval::of_rate(rate)).then(|| {
            let seconds = promised.duration().as_secs();
            format!(
                "the driver says one picture every {seconds} s, and lancam does not believe it. If the camera really is so slow, use --fps {rate}"
            )
        })
    }
}

/// Why nothing usable was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotGranted {
    /// The driver refused a call.
    Refused(Refused),
    /// It granted a format that lancam does not understand, or an impossible one.
    Unusable(DriverFormat),
    /// Its buffers hold only this many bytes, fewer than a frame. vivid's buffers for 4:2:0 lack
    /// half a row of chroma if the height is odd.
    TooShort(FrameLayout, usize),
}

/// The first of `choices` that `ask` gets granted, or why none is. A driver whose camera does not
/// answer takes 5 s to refuse, so a refusal after `until` is the last one: the watchdog waits.
pub(super) fn first_granted<G>(
    choices: &[Choice],
    until: Instant,
    ask: impl Fn(&Choice) -> Result<G, NotGranted>,
) -> Result<(G, &Choice), Vec<(&Choice, NotGranted)>> {
    let mut refusals = Vec::new();
    for choice in choices {
        match ask(choice) {
            Ok(granted) => return Ok((granted, choice)),
            Err(why) => refusals.push((choice, why)),
        }
        let is_refused = matches!(refusals.last(), Some((_, NotGranted::Refused(_))));
        if is_refused && Instant::now() >= until {
            break;
        }
    }
    Err(refusals)
}

/// Sets format and rate. `wished` is the rate that the user asks for, or the usual one.
pub(super) fn grant(node: &Node, choice: &Choice, wished: Interval) -> Result<Granted, NotGranted> {
    let refused = |call| move |errno| NotGranted::Refused(Refused { call, errno });
    let (handle, interface) = (node.handle(), node.interface());
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let (width, height) = (side(choice.size.width), side(choice.size.height));
    ioctl::set_format(&handle, interface, choice.fourcc, width, height)
        .map_err(refused("VIDIOC_S_FMT"))?;
    let promised = set_interval(node, choice.interval);
    let is_believed = promised.is_some_and(|it| is_credible(it, wished));
    let (interval, disbelieved) = if is_believed { (promised, None) } else { (None, promised) };
    // Read the format only now: setting the rate changes the format with some drivers.
    granted(node, interval, disbelieved)
}

/// What the driver grants now: setting a control may have changed the format.
pub(super) fn granted(
    node: &Node,
    interval: Option<Interval>,
    disbelieved: Option<Interval>,
) -> Result<Granted, NotGranted> {
    let refused = |call| move |errno| NotGranted::Refused(Refused { call, errno });
    let (handle, interface) = (node.handle(), node.interface());
    let driver = ioctl::format(&handle, interface).map_err(refused("VIDIOC_G_FMT"))?;
    let layout = layout(&driver, interval).ok_or(NotGranted::Unusable(driver))?;
    let len = usize::try_from(driver.buffer_len).unwrap_or(usize::MAX);
    if len > 0 && layout.frame_len().is_some_and(|least| least > len) {
        return Err(NotGranted::TooShort(layout, len));
    }
    Ok(Granted { layout, driver, interval, disbelieved })
}

/// Sets the rate. Some drivers have no rates, and others round them, so neither is an error.
fn set_interval(node: &Node, wanted: Interval) -> Option<Interval> {
    let (handle, interface) = (node.handle(), node.interface());
    let granted = ioctl::set_interval(&handle, interface, wanted.fraction());
    granted.or_else(|_| ioctl::interval(&handle, interface)).ok().and_then(Interval::parse)
}

/// Whether frames may come as slowly as the driver says. It only passes on what the camera says,
/// and some say 429 s, the longest time that UVC has. Nobody would wait for the next frame of a
/// camera that hangs for so long.
fn is_credible(granted: Interval, wished: Interval) -> bool {
    granted.duration() <= (wished.duration() * 4).max(LONGEST_UNASKED)
}

/// The longest interval that is believed where nobody asked for a slow rate: webcams expose for
/// seconds in the dark.
const LONGEST_UNASKED: Duration = Duration::from_secs(10);

fn layout(driver: &DriverFormat, interval: Option<Interval>) -> Option<FrameLayout> {
    let format = PixelFormat::from_fourcc(driver.fourcc)?;
    let mut size =
        plausible(driver.width, driver.height).filter(|size| size.area() <= MAX_PIXELS)?;
    if let PixelFormat::Packed(_) = format
        && is_cut(driver, size.width)
    {
        size.width -= 1;
    }
    let stride = match format.min_stride(size.width) {
        None => 0,
        // Some drivers leave the stride 0 and mean rows without padding.
        Some(least) => usize::try_from(driver.stride).ok()?.max(least),
    };
    // No layout has more than three such planes, and the length of a buffer has 32 bits.
    let rows = u64::from(driver.height) * u64::try_from(stride).ok()?;
    if rows.checked_mul(3)? > u64::from(u32::MAX) {
        return None;
    }
    if driver.planes != 1 {
        return None;
    }
    let layout = FrameLayout::new(format, size, stride, colour(format, driver));
    Some(FrameLayout { interval: interval.map(Interval::duration), ..layout })
}

/// Whether rows of an odd width end in the middle of the last two pixels, as those of vivid do. The
/// last pixel has half its colour then, and is left out.
fn is_cut(driver: &DriverFormat, width: usize) -> bool {
    let stride = usize::try_from(driver.stride).unwrap_or(0);
    width > 1 && width % 2 == 1 && stride == width * 2
}

/// The order of rows in a frame, if it is not simply from the top, in words for people.
pub(super) fn interlacing(driver: &DriverFormat) -> Option<&'static str> {
    match driver.field {
        INTERLACED | INTERLACED_TB | INTERLACED_BT => Some("interlaced"),
        ALTERNATE | TOP | BOTTOM => Some("one field at a time: half of the height"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::{FourCc, Size};
    use v4l::Fraction;

    fn driver(fourcc: &[u8; 4], width: u32, height: u32, stride: u32) -> DriverFormat {
        DriverFormat {
            fourcc: FourCc(*fourcc),
            width,
            height,
            stride,
            buffer_len: 0,
            field: 1,
            colorspace: 8,
            ycbcr_encoding: 0,
            quantization: 0,
            planes: 1,
        }
    }

    #[test]
    fn of_a_camera_that_does_not_answer_no_more_formats_are_asked_for_when_the_time_is_over() {
        let choice = |fourcc: &[u8; 4]| {
            let (size, interval) = (Size::new(640, 480), Interval::of_rate(Rate(30_000)));
            Choice { fourcc: FourCc(*fourcc), size, interval }
        };
        let choices = [b"MJPG", b"YUYV", b"NV12"].map(choice);
        let errno = nix::errno::Errno::ETIMEDOUT;
        let refused = NotGranted::Refused(Refused { call: "VIDIOC_S_FMT", errno });
        let unusable = NotGranted::Unusable(driver(b"H264", 640, 480, 0));
        let (over, later) = (Instant::now(), Instant::now() + Duration::from_secs(600));
        for (until, why, tried) in [(over, refused, 1), (later, refused, 3), (over, unusable, 3)] {
            let refusals = first_granted(&choices, until, |_| Err::<(), _>(why));
            assert_eq!(refusals.map_err(|all| all.len()), Err(tried), "{why:?}");
        }
        let second = |choice: &Choice| if *choice == choices[1] { Ok(()) } else { Err(refused) };
        assert_eq!(first_granted(&choices, later, second), Ok(((), &choices[1])));
    }

    #[test]
    fn padding_of_rows_is_kept_and_a_stride_of_0_is_filled_in() {
        let stride = |stride| layout(&driver(b"YUYV", 640, 360, stride), None).map(|it| it.stride);
        assert_eq!(stride(1280), Some(1280));
        assert_eq!(stride(1344), Some(1344));
        assert_eq!(stride(0), Some(1280));
        let odd = |stride| {
            let layout = layout(&driver(b"YUYV", 643, 361, stride), None);
            layout.map(|it| (it.size.width, it.stride))
        };
        assert_eq!(odd(1288), Some((643, 1288)));
        assert_eq!(odd(0), Some((643, 1288)));
        assert_eq!(odd(1286), Some((642, 1286)), "the last pixel has half a colour");
        let jpeg = layout(&driver(b"JPEG", 640, 360, 640), None).expect("understood");
        assert_eq!((jpeg.format, jpeg.stride), (PixelFormat::Jpeg, 0));
    }

    #[test]
    fn what_cannot_be_a_picture_is_not_taken() {
        for (fourcc, width, height) in
            [(b"H264", 640, 360), (b"YUYV", 0, 360), (b"YUYV", 640, 0), (b"MJPG", 65_535, 65_535)]
        {
            assert_eq!(layout(&driver(fourcc, width, height, 0), None), None);
        }
        for fourcc in [b"YUYV", b"NV24"] {
            let vast = driver(fourcc, 640, 360, u32::MAX / 3 / 360 + 1);
            assert_eq!(layout(&vast, None), None, "no buffer is that long, and no 32-bit usize");
        }
        let spread = DriverFormat { planes: 2, ..driver(b"YUYV", 640, 360, 0) };
        assert_eq!(layout(&spread, None), None, "over several pieces of memory");
    }

    #[test]
    fn another_size_and_format_than_asked_are_what_counts() {
        let interval = Some(Interval::of_rate(Rate(25_000)));
        let layout = layout(&driver(b"YUYV", 352, 288, 704), interval).expect("understood");
        assert_eq!(layout.size, Size::new(352, 288));
        assert_eq!(layout.interval, Some(Duration::from_millis(40)));
    }

    #[test]
    fn a_time_between_frames_that_cannot_be_is_not_believed() {
        let interval = |ms| Interval::parse(Fraction::new(ms, 1000)).expect("a fraction");
        let usual = Interval::of_rate(Rate(30_000));
        let longest = Interval::parse(Fraction::new(u32::MAX, 10_000_000)).expect("a fraction");
        for (granted, wished, is_believed) in [
            (usual, usual, true),
            (interval(2000), usual, true),
            (interval(10_000), usual, true),
            (interval(11_000), usual, false),
            (longest, usual, false),
            (interval(60_000), interval(20_000), true),
            (longest, interval(20_000), false),
        ] {
            assert_eq!(is_credible(granted, wished), is_believed, "{granted:?} {wished:?}");
        }
    }

    #[test]
    fn a_rate_that_is_not_believed_and_can_be_is_one_to_ask_for() {
        let doubt = |ms| {
            let driver = driver(b"YUYV", 640, 360, 0);
            let layout = layout(&driver, None).expect("understood");
            let disbelieved = Interval::parse(Fraction::new(ms, 1000));
            Granted { layout, driver, interval: None, disbelieved }.doubt()
        };
        let advice = |ms| doubt(ms).and_then(|it| Some(it.rsplit_once("use ")?.1.to_owned()));
        assert_eq!(advice(20_000).as_deref(), Some("--fps 0.05"));
        assert_eq!(advice(200_000).as_deref(), Some("--fps 0.01"));
        assert_eq!(advice(429_496), None, "the longest that USB cameras can say");
    }
}
