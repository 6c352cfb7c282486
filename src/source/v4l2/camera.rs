//! An open camera, from its node to its frames.

use super::controls::{ControlSetting, Moment, Settings};
use super::errors;
use super::grant::{Granted, NotGranted, grant, interlacing};
use super::ioctl::{Capability, Refused};
use super::negotiate::{FPS_UNASKED, LARGEST_UNASKED, choices, runners_up, wanted_size};
use super::node::Node;
use super::offer::offers;
use super::queue::{Ended, NotStarted, Queue};
use super::sequence::{FrameCount, Sequence};
use crate::image::frame::{FrameLayout, RawFrame};
use crate::image::pixels::PixelFormat;
use crate::source::{CaptureWish, Drops, FrameSource, SourceError};
use crate::stop::Stop;
use std::path::{Path, PathBuf};

/// A camera that streams until it is dropped.
pub struct Camera {
    path: PathBuf,
    capability: Capability,
    queue: Queue,
}

impl Camera {
    /// Opens the node at `path`, asks it for what `wish` and `settings` say, and starts it; frames are
    /// numbered on from `count`.
    pub(super) fn open(
        path: &Path,
        wish: &CaptureWish,
        settings: &[ControlSetting],
        count: FrameCount,
    ) -> Result<Self, SourceError> {
        let node = Node::open(path)?;
        if !node.kind().may_give_pictures() {
            return Err(errors::no_camera(path, node.kind()));
        }
        let (granted, runners_up) = negotiate(&node, wish)?;
        let layout = granted.layout;
        let name = path.display().to_string();
        let (handle, interface) = (node.handle(), node.interface());
        let mut settings = Settings::new(settings, &*handle);
        if let Some(settings) = &mut settings {
            settings.apply(&*handle, Moment::BeforeStreaming);
        }
        let sequence = Sequence::new(count);
        let queue = Queue::start(name.clone(), node.handle(), interface, layout, sequence);
        let queue = queue.map_err(|error| match error {
            NotStarted::Refused(refused) => not_started(&node, &layout.to_string(), refused),
            NotStarted::TooFew(buffers) => {
                errors::too_few_buffers(path, buffers, Queue::FEWEST_BUFFERS)
            }
            NotStarted::TooShort(len) => errors::short_buffers(path, &layout, len),
        })?;
        let capability = &node.capability;
        log::info!(
            "camera {} ({}, {}, {}): {}",
            path.display(),
            capability.card,
            capability.driver,
            capability.bus_info,
            granted_and_why(&granted, wish, runners_up.as_deref())
        );
        log::debug!("camera {}: {:?}", path.display(), granted.driver);
        if let Some(settings) = &mut settings {
            settings.apply(&*handle, Moment::Streaming);
            settings.log(&name);
        }
        Ok(Self { path: path.into(), capability: node.capability, queue })
    }

    /// What it says of itself.
    pub(super) fn capability(&self) -> &Capability {
        &self.capability
    }
}

impl FrameSource for Camera {
    fn layout(&self) -> &FrameLayout {
        self.queue.layout()
    }

    fn description(&self) -> String {
        format!("{} ({})", self.path.display(), self.capability.card)
    }

    fn next_frame(&mut self, stop: &Stop) -> Result<Option<RawFrame<'_>>, SourceError> {
        let path = &self.path;
        self.queue.next_frame(stop).map_err(|ended| match ended {
            Ended::Refused(refused) => errors::stopped(path, refused),
            Ended::Silent(patience, broken) => errors::silent(path, patience, broken),
        })
    }

    fn drops(&self) -> Drops {
        self.queue.drops()
    }
}

/// Asks for the best format, then for the next best, until one is granted; names those that came after it.
fn negotiate(node: &Node, wish: &CaptureWish) -> Result<(Granted, Option<String>), SourceError> {
    let is_understood = |fourcc| PixelFormat::from_fourcc(fourcc).is_some();
    let understood = offers(node, wanted_size(wish), is_understood);
    let mut refusal = None;
    let choices = choices(&understood, wish);
    for choice in &choices {
        match grant(node, choice) {
            Ok(granted) => return Ok((granted, runners_up(&choices, choice))),
            Err(NotGranted::Unusable(driver)) => {
                log::debug!("camera {}: asked for {choice:?}, got {driver:?}", node.path.display());
            }
            Err(NotGranted::Refused(refused)) => {
                let asked = format!("{} {}", choice.size, choice.fourcc);
                refusal = refusal.or(Some(not_started(node, &asked, refused)));
            }
        }
    }
    Err(refusal.unwrap_or_else(|| {
        let all = offers(node, wanted_size(wish), |_| true);
        errors::no_format(&node.path, &node.capability.driver, &all, wish)
    }))
}

fn not_started(node: &Node, asked: &str, refused: Refused) -> SourceError {
    errors::not_started(&node.path, &node.capability, asked, refused)
}

/// What was granted, and how that came from what was asked: `640x480 NV12 25 fps: its best up to …`.
fn granted_and_why(granted: &Granted, wish: &CaptureWish, runners_up: Option<&str>) -> String {
    let mut text = granted_and_how_near(granted, wish);
    if let Some(others) = runners_up {
        // The order is that of `choices`: smooth before cheap.
        text += &format!("; before {others}");
    }
    text
}

fn granted_and_how_near(granted: &Granted, wish: &CaptureWish) -> String {
    let FrameLayout { format, size, .. } = granted.layout;
    let mut text = format!("{size} {format}");
    if let Some(interval) = granted.interval {
        text += &format!(" {interval} fps");
    }
    if let Some(order) = interlacing(&granted.driver) {
        text += &format!(", {order}");
    }
    if *wish == CaptureWish::default() {
        return text + &format!(": its best up to {LARGEST_UNASKED} at {FPS_UNASKED} fps");
    }
    let other_size = wish.size.filter(|&wished| wished != size).map(|it| it.to_string());
    let other_format = wish.format.filter(|&wished| wished != format).map(|it| it.to_string());
    let is_other_rate = |wished: &f64| {
        granted.interval.is_none_or(|interval| (interval.fps() / wished - 1.0).abs() > SAME_RATE)
    };
    let other_rate = wish.fps.filter(is_other_rate).map(|fps| format!("{fps} fps"));
    let missed: Vec<String> =
        [other_size, other_format, other_rate].into_iter().flatten().collect();
    if missed.is_empty() {
        return text + ": as asked for";
    }
    text + &format!(": its nearest to the {} asked for", missed.join(" "))
}

/// 29.97 is as good as 30.
const SAME_RATE: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::super::ioctl::DriverFormat;
    use super::super::offer::Interval;
    use super::*;
    use crate::image::orientation::Orientation;
    use crate::image::pixels::{Colour, FourCc, Size};

    fn granted(field: u32) -> Granted {
        Granted {
            layout: FrameLayout {
                format: PixelFormat::YUYV,
                size: Size::new(640, 480),
                stride: 1280,
                colour: Colour::CAMERA,
                orientation: Orientation::UPRIGHT,
                interval: None,
            },
            driver: DriverFormat {
                fourcc: FourCc(*b"YUYV"),
                width: 640,
                height: 480,
                stride: 1280,
                field,
                colorspace: 0,
                ycbcr_encoding: 0,
                quantization: 0,
                planes: 1,
            },
            interval: Some(Interval::of_fps(25.0)),
        }
    }

    #[test]
    fn the_log_says_what_was_granted_and_why() {
        let none = CaptureWish::default();
        assert_eq!(
            granted_and_why(&granted(1), &none, None),
            "640x480 YUYV 25 fps: its best up to 1280x720 at 30 fps"
        );
        assert_eq!(
            granted_and_why(&granted(1), &none, Some("1280x720 MJPG 5 fps and GREY")),
            "640x480 YUYV 25 fps: its best up to 1280x720 at 30 fps; before 1280x720 MJPG 5 fps and GREY"
        );
        let met = CaptureWish { size: Some(Size::new(640, 480)), fps: Some(24.9), ..none };
        assert_eq!(granted_and_why(&granted(1), &met, None), "640x480 YUYV 25 fps: as asked for");
        let missed = CaptureWish {
            size: Some(Size::new(1920, 1080)),
            fps: Some(60.0),
            format: Some(PixelFormat::Jpeg),
            ..none
        };
        assert_eq!(
            granted_and_why(&granted(4), &missed, None),
            "640x480 YUYV 25 fps, interlaced: its nearest to the 1920x1080 MJPG 60 fps asked for"
        );
    }
}
