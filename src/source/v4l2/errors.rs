//! Messages about cameras that give no pictures: what was tried, what was found, what to do.

use super::ioctl::{Capability, DQBUF, REQBUFS, Refused, STREAMON};
use super::node::{LOOPBACK, NodeKind, needs_libcamera};
use super::offer::Offer;
use super::opening;
use crate::image::frame::FrameLayout;
use crate::image::pixels::{PixelFormat, Size};
use crate::source::{CaptureWish, SourceError, Trouble};
use nix::errno::Errno;
use std::path::Path;
use std::time::Duration;

/// The command for ribbon cameras, which need libcamera.
pub(super) const CSI_CAMERA: &str = "lancam --source csi";

/// A node was named that is not a camera, or not yet.
pub(super) fn no_camera(path: &Path, capability: &Capability) -> SourceError {
    let kind = NodeKind::of(capability);
    if kind == NodeKind::Output && capability.driver == LOOPBACK {
        return unwritten(path);
    }
    let mut message = format!("{} is {kind}", path.display());
    if matches!(kind, NodeKind::ImageProcessor | NodeKind::Receiver) {
        message += &format!("; use {CSI_CAMERA}");
    }
    SourceError::new(Trouble::Unusable, message)
}

/// A loopback device has no pictures until a program writes them into it. That program may come later, like a camera.
fn unwritten(path: &Path) -> SourceError {
    let node = path.display();
    SourceError::new(
        Trouble::NoCamera,
        format!("no program writes pictures into {node} yet; start the one that does"),
    )
}

/// The camera has no format that lancam understands, or not the one that was asked for.
pub(super) fn no_format(
    path: &Path,
    driver: &str,
    offers: &[Offer],
    wish: &CaptureWish,
) -> SourceError {
    if driver == LOOPBACK && offers.is_empty() {
        return unwritten(path);
    }
    let understood: Vec<PixelFormat> =
        offers.iter().filter_map(|offer| PixelFormat::from_fourcc(offer.fourcc)).collect();
    let asked = wish.format.map(|format| format!("{format} ")).unwrap_or_default();
    let remedy = match understood.first() {
        _ if needs_libcamera(driver) => format!("use {CSI_CAMERA}"),
        Some(format) if wish.format.is_some() => format!("use --format {format} or auto"),
        _ => "lancam takes JPEGs or raw pictures, such as MJPG, YUYV or NV12".to_owned(),
    };
    let node = path.display();
    let offered = summary(offers);
    SourceError::new(
        Trouble::Unusable,
        format!(
            "camera {node} gives no {asked}pictures that lancam can use; it offers {offered}; {remedy}"
        ),
    )
}

/// `YUYV up to 1280x720, H264 up to 1920x1080`.
fn summary(offers: &[Offer]) -> String {
    let largest = |offer: &Offer| {
        let sizes = offer.sizes.iter().map(|offered| offered.extent.nearest(VAST));
        sizes.max_by_key(|size| size.area())
    };
    let in_words = |offer: &Offer| match largest(offer) {
        Some(size) => format!("{} up to {size}", offer.fourcc),
        None => offer.fourcc.to_string(),
    };
    let mut words: Vec<String> = offers.iter().take(FORMATS_IN_A_LINE).map(in_words).collect();
    match offers.len() {
        0 => return "no formats".into(),
        count if count > FORMATS_IN_A_LINE => {
            words.push(format!("{} more (lancam list)", count - FORMATS_IN_A_LINE));
        }
        _ => {}
    }
    words.join(", ")
}

/// How many formats a message lists. More would fill a screen; vivid has 83.
const FORMATS_IN_A_LINE: usize = 6;

/// Larger than any camera's size.
const VAST: Size = Size::new(Size::MAX_SIDE, Size::MAX_SIDE);

/// The driver refused a call while the camera was being set up for `asked`.
pub(super) fn not_started(
    path: &Path,
    capability: &Capability,
    asked: &str,
    refused: Refused,
) -> SourceError {
    let driver = &capability.driver;
    match refused.errno {
        // Nobody writes. That it is busy says that somebody else reads.
        Errno::EIO if driver == LOOPBACK && refused.call == STREAMON => unwritten(path),
        Errno::EBUSY => opening::busy(path),
        Errno::ENODEV | Errno::ENXIO => gone(path),
        _ => does_not_start(path, driver, asked, refused),
    }
}

/// The camera is there, and its driver refuses to start it.
fn does_not_start(path: &Path, driver: &str, asked: &str, refused: Refused) -> SourceError {
    let Refused { call, errno } = refused;
    let node = path.display();
    let why = errno.desc();
    if needs_libcamera(driver) && matches!(call, STREAMON | REQBUFS) {
        return SourceError::new(
            Trouble::Unusable,
            format!(
                "camera {node} is a ribbon camera, which needs libcamera (driver {driver}, \
                 {call}: {why}); use {CSI_CAMERA}"
            ),
        );
    }
    match (call, errno) {
        (_, Errno::ENOSPC) => {
            let format = if asked.contains("MJPG") { "" } else { " --format MJPG," };
            SourceError::new(
                Trouble::Bandwidth,
                format!(
                    "camera {node}: the USB bus has no bandwidth left for {asked}; use a smaller --size, a lower \
                     --fps,{format} or another USB port"
                ),
            )
        }
        (_, Errno::ENOMEM) => SourceError::new(
            Trouble::Lost,
            format!("camera {node}: no memory for buffers of {asked}; use a smaller --size"),
        ),
        (STREAMON, Errno::EINVAL | Errno::EPIPE | Errno::ENOLINK) => SourceError::new(
            Trouble::Lost,
            format!(
                "camera {node} does not start {asked} ({why}): its driver, {driver}, has no signal, or its \
                 parts are not set up; try another --size or --format"
            ),
        ),
        (REQBUFS, Errno::EINVAL | Errno::ENOTTY) => SourceError::new(
            Trouble::Lost,
            format!(
                "camera {node}: lancam needs a driver that shares buffers by mmap, and {driver} does not \
                 ({call}: {why})"
            ),
        ),
        _ => SourceError::new(
            Trouble::Lost,
            format!(
                "camera {node} does not start {asked} ({call}: {why}); lancam tries again; another cable, a \
                 port with more power or another --format may help"
            ),
        ),
    }
}

/// A driver granted fewer buffers than a stream needs.
pub(super) fn too_few_buffers(path: &Path, granted: usize, needed: usize) -> SourceError {
    SourceError::new(
        Trouble::Lost,
        format!(
            "camera {} has only {granted} of the {needed} buffers that lancam needs; use a smaller --size",
            path.display()
        ),
    )
}

/// A driver granted buffers that are too short for its own frames.
pub(super) fn short_buffers(path: &Path, layout: &FrameLayout, len: usize) -> SourceError {
    SourceError::new(
        Trouble::Unusable,
        format!(
            "camera {}: its driver shares buffers of {len} bytes, too few for {layout}; \
             try another --size or --format",
            path.display()
        ),
    )
}

/// The driver refused a call while streaming.
pub(super) fn stopped(path: &Path, refused: Refused) -> SourceError {
    let Refused { call, errno } = refused;
    match errno {
        Errno::ENODEV | Errno::ENXIO => gone(path),
        // vivid and other drivers return this from a waiting call when the device was unplugged.
        Errno::EINVAL if call == DQBUF => gone(path),
        Errno::EPIPE => {
            SourceError::new(Trouble::Lost, format!("camera {} ended its stream", path.display()))
        }
        _ => SourceError::new(
            Trouble::Lost,
            format!("camera {} stopped: {call}: {}", path.display(), errno.desc()),
        ),
    }
}

/// The driver has returned all buffers without a frame.
pub(super) fn given_up(path: &Path) -> SourceError {
    let node = path.display();
    SourceError::new(
        Trouble::Lost,
        format!(
            "camera {node}: a transfer failed, and its driver ended the stream; it is started again; another cable \
             or a port with more power may help"
        ),
    )
}

/// No whole frame came within `patience`. `broken` says what was wrong with the last broken frame,
/// if there was one. `doubt` is what else may be the reason if there was none.
pub(super) fn silent(
    path: &Path,
    patience: Duration,
    broken: Option<&str>,
    doubt: Option<&str>,
) -> SourceError {
    let seconds = patience.as_secs_f64();
    let node = path.display();
    SourceError::new(
        Trouble::Lost,
        match broken {
            None => {
                let doubt = doubt.map(|doubt| format!("; {doubt}")).unwrap_or_default();
                format!("camera {node} gave no frame for {seconds:.1} s{doubt}")
            }
            Some(why) => {
                format!("camera {node} gave no usable frame for {seconds:.1} s; the last one {why}")
            }
        },
    )
}

fn gone(path: &Path) -> SourceError {
    SourceError::new(
        Trouble::Lost,
        format!("camera {} was unplugged, or has no power", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::offer::{Extent, SizeOffer};
    use super::*;
    use crate::image::pixels::FourCc;

    fn started(driver: &str, call: &'static str, errno: Errno) -> SourceError {
        let capability = Capability { driver: driver.into(), ..Capability::default() };
        let path = Path::new("/dev/video7");
        not_started(path, &capability, "1280x720 YUYV", Refused { call, errno })
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let error = started("uvcvideo", STREAMON, Errno::ENOSPC);
        assert_eq!(error.trouble, Trouble::Bandwidth);
        assert!(error.message.contains("1280x720 YUYV; use a smaller --size"), "{error}");
        assert!(error.message.contains("--format MJPG"), "{error}");

        let error = started("unicam", STREAMON, Errno::EINVAL);
        assert_eq!(error.trouble, Trouble::Unusable);
        assert!(error.message.contains(CSI_CAMERA));

        let error = started("uvcvideo", STREAMON, Errno::EINVAL);
        assert_eq!(error.trouble, Trouble::Lost, "a driver that refused once may not refuse again");

        assert_eq!(started("odd", REQBUFS, Errno::EINVAL).trouble, Trouble::Lost);
        assert_eq!(started("uvcvideo", "VIDIOC_S_FMT", Errno::EBUSY).trouble, Trouble::Busy);
        assert_eq!(started("uvcvideo", "VIDIOC_S_FMT", Errno::EIO).trouble, Trouble::Lost);
        assert_eq!(started("uvcvideo", STREAMON, Errno::ENODEV).trouble, Trouble::Lost);
    }

    #[test]
    fn a_loopback_device_that_nobody_writes_into_is_waited_for() {
        use v4l::v4l_sys::{V4L2_CAP_STREAMING, V4L2_CAP_VIDEO_OUTPUT};
        let path = Path::new("/dev/video7");
        let output = |driver: &str| Capability {
            driver: driver.into(),
            flags: V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_STREAMING,
            ..Capability::default()
        };
        for error in [
            no_camera(path, &output(LOOPBACK)),
            no_format(path, LOOPBACK, &[], &CaptureWish::default()),
            started(LOOPBACK, STREAMON, Errno::EIO),
        ] {
            assert_eq!(error.trouble, Trouble::NoCamera, "{error}");
            assert!(error.message.starts_with("no program writes pictures into /dev/video7 yet"));
        }
        assert_eq!(no_camera(path, &output("vivid")).trouble, Trouble::Unusable);
        assert_eq!(started(LOOPBACK, STREAMON, Errno::EINVAL).trouble, Trouble::Lost);
        for call in ["VIDIOC_S_FMT", REQBUFS, STREAMON] {
            assert_eq!(started(LOOPBACK, call, Errno::EBUSY).trouble, Trouble::Busy, "{call}");
        }
    }

    #[test]
    fn a_camera_of_other_formats_is_refused_with_those_that_work() {
        let offer = |fourcc: &[u8; 4], width, height| Offer {
            fourcc: FourCc(*fourcc),
            description: String::new(),
            sizes: vec![SizeOffer {
                extent: Extent::Exactly(Size::new(width, height)),
                rates: vec![],
            }],
        };
        let path = Path::new("/dev/video7");
        let offers = [offer(b"H264", 1920, 1080), offer(b"HM12", 640, 480)];
        let error = no_format(path, "uvcvideo", &offers, &CaptureWish::default());
        assert_eq!(error.trouble, Trouble::Unusable);
        let expected = "camera /dev/video7 gives no pictures that lancam can use; it offers H264 up to 1920x1080, \
             HM12 up to 640x480; lancam takes JPEGs or raw pictures";
        assert!(error.message.starts_with(expected), "{error}");
        let offers = [offer(b"YUYV", 640, 480)];
        let wish = CaptureWish { format: Some(PixelFormat::Jpeg), ..CaptureWish::default() };
        let error = no_format(path, "uvcvideo", &offers, &wish);
        assert!(
            error.message.contains(
                "gives no MJPG pictures that lancam can use; it offers YUYV up to 640x480;"
            )
        );
        assert!(error.message.ends_with("use --format YUYV or auto"), "{error}");
        let error = no_format(path, "rp1-cfe", &[], &CaptureWish::default());
        assert!(error.message.ends_with("use lancam --source csi"), "{error}");
    }

    #[test]
    fn silence_tells_broken_frames_from_none() {
        let path = Path::new("/dev/video7");
        let error = silent(path, Duration::from_secs(1), None, None);
        assert_eq!(error.message, "camera /dev/video7 gave no frame for 1.0 s");
        let error = silent(path, Duration::from_secs(1), Some("was cut before its end"), None);
        assert!(error.message.contains("gave no usable frame for 1.0 s; the last one was"));
        assert!(error.message.ends_with("was cut before its end"));
        let error = silent(path, Duration::from_secs(5), None, Some("it may be slow"));
        assert_eq!(error.message, "camera /dev/video7 gave no frame for 5.0 s; it may be slow");
    }
}
