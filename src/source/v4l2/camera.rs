//! An open camera: sets it up, starts its stream and gives its frames.

use super::colour::approximated;
use super::controls::{Board, Limited, Moment, Settings, Turned, Turning, Wanted, set_later};
use super::errors;
use super::grant::{Granted, NotGranted, first_granted, grant, granted, interlacing};
use super::identity::Known;
use super::ioctl::{Buffers, Capability, DriverFormat, Refused};
use super::negotiate::{
    Choice, LARGEST_UNASKED, RATE_UNASKED, choices, runners_up, wanted_interval, wanted_size,
};
use super::node::{LOOPBACK, Node};
use super::offer::{Interval, offers};
use super::openings::{Course, Opening, Openings, Telling};
use super::queue::{Ended, NotStarted, Queue};
use super::sequence::Sequence;
use crate::image::frame::{FrameLayout, Memory};
use crate::image::orientation::Orientation;
use crate::image::pixels::{PixelFormat, Size};
use crate::rate::Rate;
use crate::source::control::AnyBoard;
use crate::source::frame_count::FrameCount;
use crate::source::{CaptureWish, Drops, FrameSource, Next, SourceError};
use crate::stop::Stop;
use nix::errno::Errno;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use v4l::device::Handle;

/// Where the kernel describes V4L2 nodes.
const SYSFS: &str = "/sys/class/video4linux";

/// A camera that streams until it is dropped.
pub struct Camera {
    path: PathBuf,
    capability: Capability,
    known: Option<Known>,
    queue: Queue,
    handle: Arc<Handle>,
    turning: Turning,
    controls: Wanted,
    course: Course,
    /// What to say if no picture comes.
    doubt: Option<String>,
    /// The mistakes in the settings of its controls.
    problems: Vec<String>,
    /// Dropped after the queue: no driver changes the turn of pictures while it streams.
    _turn: Option<Turn>,
}

impl Camera {
    /// Opens the node at `path`, asks it for what `wish` and `controls` say, and starts it. `count`
    /// numbers its frames; `openings` decides how much is logged, and how
    /// long the camera may be silent. After `until`, no other format is asked for, and no control is set.
    pub(super) fn open(
        path: &Path,
        wish: &CaptureWish,
        controls: &Wanted,
        until: Instant,
        count: FrameCount,
        openings: &mut Openings,
    ) -> Result<Self, SourceError> {
        let node = Node::open(path)?;
        if !node.kind().may_give_pictures() {
            return Err(errors::no_camera(path, &node.capability));
        }
        let (mut granted, runners_up) = negotiate(&node, wish, until)?;
        let name = path.display().to_string();
        let handle = node.handle();
        let limited = Limited::new(&*handle, until);
        let turn = Turn::by_controls(&handle, &limited, until, wish.orientation);
        let known = node.identity().map(|it| Known::of(it, Path::new(SYSFS)));
        let wanted = controls.of(known.as_ref());
        let mut settings = Settings::new(&wanted, &limited);
        if let Some(settings) = &mut settings {
            settings.apply(&limited, Moment::BeforeStreaming);
        }
        if turn.is_some() || settings.is_some() {
            granted = again(&node, granted)?;
        }
        if let Some(turn) = &turn {
            granted.layout.orientation = turn.turned.rest;
        }
        let memory = wish.memory.unwrap_or_else(|| node.memory());
        let layout = FrameLayout { memory, ..granted.layout };
        let sequence = Sequence::new(count);
        let mut queue = start(&node, buffers(&granted), name.clone(), layout, sequence)?;
        controls.are_for(known.as_ref());
        let Capability { card, driver, bus_info, .. } = &node.capability;
        let why = granted_and_why(&granted, wish, runners_up.as_deref());
        let words = format!("camera {name} ({card}, {driver}, {bus_info}): {why}");
        let Opening { telling, patience, course } = openings.note(&words);
        queue.be_patient(patience);
        let is_news = telling == Telling::News;
        if is_news {
            log::info!("{words}");
            log_what_is_special(&name, &layout, &granted.driver);
        } else {
            queue.tells_of_no_faults();
        }
        log::debug!("camera {name}: {:?}", granted.driver);
        let set = |settings: &mut Settings<'_>| {
            let newest = controls.newest_of(known.clone());
            set_while_streaming(settings, &handle, &limited, newest, &name, is_news);
            if is_news && !limited.is_over() {
                controls.forget(known.as_ref(), &settings.overruled());
            }
            settings.problems(&name)
        };
        let problems = settings.as_mut().map(set).unwrap_or_default();
        if let Some(turn) = turn.as_ref().filter(|_| is_news) {
            turn.log(&name, wish.orientation);
        }
        let turning = if turn.is_some() { Turning::Lancam } else { Turning::Nobody };
        Ok(Self {
            path: path.into(),
            capability: node.capability,
            known,
            queue,
            handle,
            turning,
            controls: controls.clone(),
            course,
            doubt: granted.doubt(),
            problems,
            _turn: turn,
        })
    }

    /// The camera, to be found again. `None` if it was unplugged while it was opened.
    pub(super) fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // Those that have come since it was opened.
        if let Some(known) = &self.known {
            known.look_for_twins(Path::new(SYSFS));
        }
    }
}

impl FrameSource for Camera {
    fn layout(&self) -> &FrameLayout {
        self.queue.layout()
    }

    fn description(&self) -> String {
        format!("{} ({})", self.path.display(), self.capability.card)
    }

    fn next_frame(&mut self, stop: &Stop) -> Result<Next<'_>, SourceError> {
        match self.queue.next_frame(stop) {
            Ok(Some(frame)) => {
                self.course.picture(frame.captured_at);
                Ok(Next::Frame(frame))
            }
            Ok(None) => Ok(Next::Stopped),
            Err(ended) => {
                self.course.failed();
                if let Ended::Silent(..) = ended {
                    self.course.silent();
                }
                Err(why_ended(&self.path, &ended, self.doubt.as_deref()))
            }
        }
    }

    fn drops(&self) -> Drops {
        self.queue.drops()
    }

    fn problems(&self) -> &[String] {
        &self.problems
    }

    fn board(&self) -> Option<AnyBoard> {
        let (handle, controls) = (Arc::clone(&self.handle), self.controls.clone());
        Some(Box::new(Board::new(handle, self.turning, controls)))
    }
}

fn why_ended(path: &Path, ended: &Ended, doubt: Option<&str>) -> SourceError {
    match ended {
        Ended::Refused(refused) => errors::stopped(path, *refused),
        Ended::GivenUp => errors::given_up(path),
        Ended::Silent(patience, broken) => {
            errors::silent(path, *patience, broken.as_deref(), doubt)
        }
    }
}

/// The picture is turned by the camera's controls until this is dropped.
struct Turn {
    handle: Arc<Handle>,
    turned: Turned,
    controls_until: Instant,
}

impl Turn {
    /// Turns the picture by the camera's controls. `None` if no turn was asked for: then the
    /// controls are left alone.
    fn by_controls(
        handle: &Arc<Handle>,
        limited: &Limited<'_, Handle>,
        controls_until: Instant,
        wanted: Orientation,
    ) -> Option<Self> {
        if wanted == Orientation::UPRIGHT {
            return None;
        }
        let patient = Limited::new(&**handle, controls_until + FOR_PUTTING_BACK);
        let turned = Turned::by(limited, &patient, wanted);
        Some(Self { handle: Arc::clone(handle), turned, controls_until })
    }

    fn log(&self, camera: &str, wanted: Orientation) {
        if self.turned.rest == Orientation::UPRIGHT {
            log::info!("camera {camera}: {wanted}, by the camera's own controls");
        } else {
            log::info!(
                "camera {camera}: {wanted}, by lancam, since the camera has no control for it"
            );
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let until = self.controls_until.max(Instant::now() + FOR_PUTTING_BACK);
        self.turned.put_back(&Limited::new(&*self.handle, until));
    }
}

/// The most time for the formats and controls of all cameras that are tried, while the watchdog waits for a frame. The last call may
/// take 5 s more, which is how long `uvcvideo` waits for an answer.
pub(super) const FOR_SETTING_UP: Duration = Duration::from_secs(5);

/// Enough for three controls of a camera that answers.
const FOR_PUTTING_BACK: Duration = Duration::from_millis(500);

/// Logs what is special about a camera's frames.
fn log_what_is_special(name: &str, layout: &FrameLayout, driver: &DriverFormat) {
    if let Some(nearly) = approximated(layout.format, driver) {
        log::info!("camera {name}: it sends {nearly}, so colours are slightly wrong");
    }
    if layout.memory == Memory::Uncached {
        log::info!(
            "camera {name}: its memory is uncached, so rows are copied before they are read (--camera-memory)"
        );
    }
}

/// Applies the settings of a camera that streams now, and logs the outcomes if they are news. What takes too long is done
/// by another thread, unless a viewer has set something `newest` then.
fn set_while_streaming(
    settings: &mut Settings<'_>,
    handle: &Arc<Handle>,
    limited: &Limited<'_, Handle>,
    newest: impl Fn(u32) -> Option<String> + Send + 'static,
    camera: &str,
    is_news: bool,
) {
    settings.apply(limited, Moment::Streaming);
    if limited.is_over() {
        if is_news {
            log::info!(
                "camera {camera}: its controls are slow. lancam sets the rest while pictures come"
            );
        }
        set_later(handle, settings.but_pressed_buttons(), newest, camera.to_owned(), is_news);
    } else if is_news {
        settings.log(camera);
    }
}

/// Reads the format again after setting controls, which may have changed it: flipping a sensor
/// changes its colour pattern.
fn again(node: &Node, before: Granted) -> Result<Granted, SourceError> {
    granted(node, before.interval, before.disbelieved).map_err(|error| match error {
        NotGranted::Refused(refused) => not_started(node, &before.layout.to_string(), refused),
        NotGranted::TooShort(layout, len) => errors::short_buffers(&node.path, &layout, len),
        NotGranted::Unusable(driver) => {
            log::debug!("camera {}: controls made {driver:?} of it", node.path.display());
            let asked = format!("{} with these controls", before.layout);
            not_started(node, &asked, Refused { call: "VIDIOC_G_FMT", errno: Errno::ENOTSUP })
        }
    })
}

/// Asks for the best format, then for the next best, until one is granted or the time is over. Also
/// names the formats that came after it.
fn negotiate(
    node: &Node,
    wish: &CaptureWish,
    until: Instant,
) -> Result<(Granted, Option<String>), SourceError> {
    let is_understood = |fourcc| PixelFormat::from_fourcc(fourcc).is_some();
    let understood = offers(node, wanted_size(wish), is_understood);
    let choices = choices(&understood, wish);
    let ask = |choice: &Choice| {
        let granted = grant(node, choice, wanted_interval(wish));
        let granted = granted.and_then(|granted| with_buffers(node, granted));
        if let Err(NotGranted::Unusable(driver)) = &granted {
            log::debug!("camera {}: asked for {choice:?}, got {driver:?}", node.path.display());
        }
        granted
    };
    match first_granted(&choices, until, ask) {
        Ok((granted, choice)) => Ok((granted, runners_up(&choices, choice))),
        Err(refusals) => Err(none_granted(node, wish, &refusals)),
    }
}

/// Why no format was granted.
fn none_granted(
    node: &Node,
    wish: &CaptureWish,
    refusals: &[(&Choice, NotGranted)],
) -> SourceError {
    // Only the first: to name the program that holds a busy camera, all processes are searched.
    let refusal = refusals.iter().find_map(|(choice, why)| match *why {
        NotGranted::TooShort(layout, len) => Some(errors::short_buffers(&node.path, &layout, len)),
        NotGranted::Refused(refused) => {
            Some(not_started(node, &format!("{} {}", choice.size, choice.fourcc), refused))
        }
        NotGranted::Unusable(_) => None,
    });
    let driver = &node.capability.driver;
    let all = || offers(node, wanted_size(wish), |_| true);
    match refusal {
        // Before a program writes into it, v4l2loopback offers nothing. Old versions also say then that it is busy.
        Some(refusal) if *driver != LOOPBACK || !all().is_empty() => refusal,
        _ => errors::no_format(&node.path, driver, &all(), wish),
    }
}

/// Tries to get buffers for what was granted, if their length is implausible: the descriptors of
/// some cameras say that a frame has 0 bytes, or 4 GiB.
fn with_buffers(node: &Node, granted: Granted) -> Result<Granted, NotGranted> {
    if !is_plausible(&granted) {
        let fewest = fewest_buffers();
        Buffers::request(node.handle(), node.interface(), fewest).map_err(NotGranted::Refused)?;
    }
    Ok(granted)
}

fn start(
    node: &Node,
    buffers: u32,
    name: String,
    layout: FrameLayout,
    sequence: Sequence,
) -> Result<Queue, SourceError> {
    Buffers::request(node.handle(), node.interface(), buffers)
        .map_err(NotStarted::Refused)
        .and_then(|buffers| Queue::start(name, buffers, layout, sequence))
        .map_err(|error| no_stream(node, &layout, &error))
}

/// How many buffers to ask for: few, if each is far larger than a picture.
fn buffers(granted: &Granted) -> u32 {
    let is_large = granted.driver.buffer_len > 0 && !is_plausible(granted);
    if is_large { fewest_buffers() } else { Queue::WANTED_BUFFERS }
}

fn fewest_buffers() -> u32 {
    u32::try_from(Queue::FEWEST_BUFFERS).unwrap_or(Queue::WANTED_BUFFERS)
}

/// Whether the length of a buffer is one that a picture of this size can need.
fn is_plausible(granted: &Granted) -> bool {
    let needed = granted.layout.frame_len().unwrap_or(0).max(granted.layout.size.area() * 4);
    let len = usize::try_from(granted.driver.buffer_len).unwrap_or(usize::MAX);
    (1..=needed.saturating_add(PLAUSIBLE_EXTRA)).contains(&len)
}

/// Cameras have the same length for all their sizes, which is that of the largest: 16.6 MB for UHD.
const PLAUSIBLE_EXTRA: usize = 16 << 20;

fn not_started(node: &Node, asked: &str, refused: Refused) -> SourceError {
    errors::not_started(&node.path, &node.capability, asked, refused)
}

fn no_stream(node: &Node, layout: &FrameLayout, error: &NotStarted) -> SourceError {
    match *error {
        NotStarted::Refused(refused) => not_started(node, &layout.to_string(), refused),
        NotStarted::TooFew(buffers) => {
            errors::too_few_buffers(&node.path, buffers, Queue::FEWEST_BUFFERS)
        }
        NotStarted::TooShort(len) => errors::short_buffers(&node.path, layout, len),
    }
}

/// What was granted, and how it relates to what was asked: `640x480 NV12 25 fps: its best up to …`.
fn granted_and_why(granted: &Granted, wish: &CaptureWish, runners_up: Option<&str>) -> String {
    let mut text = granted_and_how_near(granted, wish);
    if let Some(others) = runners_up {
        text += &format!("; {others}");
    }
    if let Some(doubt) = granted.doubt() {
        text += &format!("; {doubt}");
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
    let CaptureWish { orientation, memory, .. } = *wish;
    if *wish == (CaptureWish { orientation, memory, ..CaptureWish::default() }) {
        let Size { width, height } = LARGEST_UNASKED;
        if size.width > width || size.height > height {
            return text
                + &format!(
                    ": larger than {LARGEST_UNASKED}, because the camera gave nothing smaller"
                );
        }
        return text + &format!(": the largest up to {LARGEST_UNASKED} at {RATE_UNASKED} fps");
    }
    let other_size = wish.size.filter(|&wished| wished != size).map(|it| it.to_string());
    let other_format = wish.format.filter(|&wished| wished != format).map(|it| it.to_string());
    let is_other_rate = |wished: &Rate| {
        let is_other = |granted: Interval| (granted.fps() / wished.fps() - 1.0).abs() > SAME_RATE;
        granted.interval.is_none_or(is_other)
    };
    let other_rate = wish.rate.filter(is_other_rate).map(|rate| format!("{rate} fps"));
    let missed: Vec<String> =
        [other_size, other_format, other_rate].into_iter().flatten().collect();
    if missed.is_empty() {
        return text + ": as asked for";
    }
    text + &format!(": the nearest to {}", missed.join(" "))
}

/// Rates that differ less count as the same: 29.97 and 30.
const SAME_RATE: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::{Colour, FourCc};

    fn granted(field: u32) -> Granted {
        Granted {
            layout: FrameLayout::new(PixelFormat::YUYV, Size::new(640, 480), 1280, Colour::CAMERA),
            driver: DriverFormat {
                fourcc: FourCc(*b"YUYV"),
                width: 640,
                height: 480,
                stride: 1280,
                buffer_len: 1280 * 480,
                field,
                colorspace: 0,
                ycbcr_encoding: 0,
                quantization: 0,
                planes: 1,
            },
            interval: Some(Interval::of_rate(Rate(25_000))),
            disbelieved: None,
        }
    }

    #[test]
    fn the_log_says_what_was_granted_and_why() {
        let none = CaptureWish::default();
        assert_eq!(
            granted_and_why(&granted(1), &none, None),
            "640x480 YUYV 25 fps: the largest up to 1280x720 at 30 fps"
        );
        assert_eq!(
            granted_and_why(&granted(1), &none, Some("the cheapest, before YUYV")),
            "640x480 YUYV 25 fps: the largest up to 1280x720 at 30 fps; the cheapest, before YUYV"
        );
        let mut larger = granted(1);
        larger.layout.size = Size::new(1920, 720);
        assert_eq!(
            granted_and_why(&larger, &none, None),
            "1920x720 YUYV 25 fps: larger than 1280x720, because the camera gave nothing smaller"
        );
        let slow = Granted {
            interval: None,
            disbelieved: Some(Interval::of_rate(Rate(33))),
            ..granted(1)
        };
        assert_eq!(
            granted_and_why(&slow, &none, None),
            "640x480 YUYV: the largest up to 1280x720 at 30 fps; the driver says one picture every 30 s, \
             and lancam does not believe it. If the camera really is so slow, use --fps 0.033"
        );
        let met = CaptureWish { size: Some(Size::new(640, 480)), rate: Some(Rate(24_900)), ..none };
        assert_eq!(granted_and_why(&granted(1), &met, None), "640x480 YUYV 25 fps: as asked for");
        let missed = CaptureWish {
            size: Some(Size::new(1920, 1080)),
            rate: Some(Rate(60_000)),
            format: Some(PixelFormat::Jpeg),
            ..none
        };
        assert_eq!(
            granted_and_why(&granted(4), &missed, None),
            "640x480 YUYV 25 fps, interlaced: the nearest to 1920x1080 MJPG 60 fps"
        );
    }

    #[test]
    fn a_camera_that_claims_huge_frames_gets_few_buffers() {
        for (buffer_len, expected) in [
            (1280 * 480, 4),
            (16_600_000, 4),
            (18_100_000, 2),
            (200 << 20, 2),
            (u32::MAX, 2),
            (0, 4),
        ] {
            let mut granted = granted(1);
            granted.driver.buffer_len = buffer_len;
            assert_eq!(buffers(&granted), expected, "{buffer_len}");
            granted.layout.size = Size::new(3840, 2160);
            let expected = if buffer_len == 18_100_000 { 4 } else { expected };
            assert_eq!(buffers(&granted), expected, "UHD, {buffer_len}");
        }
    }
}
