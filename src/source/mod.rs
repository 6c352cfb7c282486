//! The sources of frames: a V4L2 camera, a ribbon camera, the test pattern, a file, a pipe.

pub mod clip;
pub mod control;
mod csi;
mod expected;
mod foreign;
mod frame_count;
mod heard;
mod interrupted;
mod jpeg_stream;
mod meant;
pub mod media;
mod path;
mod pattern_controls;
pub mod pipe;
mod spec;
pub mod test_pattern;
pub mod v4l2;

use crate::clock;
use crate::image::frame::{Frame, FrameLayout, Memory};
use crate::image::jpeg::repair::Damage;
use crate::image::orientation::Orientation;
use crate::image::pixels::{Colour, PixelFormat, Size};
use crate::rate::Rate;
use crate::stop::Stop;
use control::AnyBoard;
use csi::CsiOpener;
pub use csi::{CsiFormat, CsiSetting, CsiWish};
use frame_count::FrameCount;
use path::PathKind;
use pattern_controls::PatternControls;
pub use spec::{SourceSpec, parse_rate};
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

/// An open source of frames.
pub trait FrameSource {
    /// The layout of the frames, as the driver granted it. For JPEGs the size is the negotiated
    /// one; each picture's own header decides.
    fn layout(&self) -> &FrameLayout;

    /// The source in words for people: `/dev/video0 (vivid)`.
    fn description(&self) -> String;

    /// Waits for the newest frame and lends it. The next call gives it back to the source.
    ///
    /// May return without a frame, with the reason. Older frames that were ready too, and broken
    /// ones, are given back at once and counted in [`drops`](Self::drops).
    ///
    /// # Errors
    /// When no frame can come any more unless the source is opened again.
    fn next_frame(&mut self, stop: &Stop) -> Result<Next<'_>, SourceError>;

    /// The frames that came and were not lent, since the source was opened.
    fn drops(&self) -> Drops;

    /// Whether another program handed the source over at the start. If such a source falls silent,
    /// only a restart of both programs helps.
    fn is_handed_over(&self) -> bool {
        false
    }

    /// The mistakes in the settings of its controls, each in one sentence.
    fn problems(&self) -> &[String] {
        &[]
    }

    /// Its controls, for another thread; `None` if it has none.
    fn board(&self) -> Option<AnyBoard> {
        None
    }
}

/// The answer of a source to a request for the next frame.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it lies on the stack")]
pub enum Next<'a> {
    /// The newest frame.
    Frame(Frame<'a>),
    /// A frame came that cannot be used.
    Unusable(Damage),
    /// No frame came so far. The text is a reason that people can do something about, if there is
    /// one.
    Waiting(Option<String>),
    /// The program is stopping.
    Stopped,
}

/// Frames that a source received and did not lend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drops {
    /// Whole, but a newer one was there too.
    pub stale: u64,
    /// Damaged according to the driver, too short, or a JPEG that cannot be repaired.
    pub broken: u64,
}

impl Add for Drops {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { stale: self.stale + other.stale, broken: self.broken + other.broken }
    }
}

/// What the user asks of the camera. The camera decides what is left open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CaptureWish {
    /// Width and height.
    pub size: Option<Size>,
    /// The frame rate.
    pub rate: Option<Rate>,
    /// The pixel format; `None` takes the one that is cheapest to send.
    pub format: Option<PixelFormat>,
    /// How to turn the picture. What the camera cannot do is left to do in the layout of its
    /// frames.
    pub orientation: Orientation,
    /// How to read the camera's memory; `None` decides by its driver.
    pub memory: Option<Memory>,
}

/// The kinds of trouble with a source. The kind decides what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no camera, or the named one is missing: lancam waits for it.
    NoCamera,
    /// The camera has stopped giving frames: lancam closes it, waits, and opens it again.
    Lost,
    /// Another program uses the camera: lancam tries again.
    Busy,
    /// This user may not open the camera: lancam tries again, since udev may not have set the
    /// rights yet.
    Denied,
    /// The USB bus has no bandwidth left: lancam tries again.
    Bandwidth,
    /// The camera or this machine cannot do what was asked for: lancam tries again, less and less
    /// often.
    Excessive,
    /// The source will never give usable frames: the program ends.
    Unusable,
    /// A pipe has ended: the program ends without failure.
    Ended,
}

/// Why a source gives no frames: what was tried, what was found, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// The kind of trouble.
    pub trouble: Trouble,
    /// One line, in words for people.
    pub message: String,
}

impl SourceError {
    /// An error with this message.
    pub fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self { trouble, message: message.into() }
    }
}

/// Opens one source, as often as needed.
#[derive(Debug)]
pub struct Opener {
    spec: SourceSpec,
    wish: CaptureWish,
    controls: v4l2::Wanted,
    pattern: Arc<PatternControls>,
    csi: CsiOpener,
    finder: v4l2::Finder,
    count: FrameCount,
    past: Past,
    /// The mistakes in the settings of controls that are known before the source is open.
    problems: Vec<String>,
}

/// What was opened before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    Nothing,
    /// A file or a pipe.
    File,
    Camera,
}

impl Opener {
    /// An opener for the source `spec`, with what `wish` asks of it.
    pub fn new(spec: SourceSpec, wish: CaptureWish) -> Self {
        let named = match &spec {
            SourceSpec::Device(path) | SourceSpec::Clip(path) => Some(path.clone()),
            _ => None,
        };
        let count = FrameCount::default();
        Self {
            spec,
            wish,
            controls: v4l2::Wanted::default(),
            pattern: Arc::default(),
            csi: CsiOpener::new(CsiWish::default()),
            finder: v4l2::Finder::new(named, count.clone()),
            count,
            past: Past::Nothing,
            problems: Vec::new(),
        }
    }

    /// Also sets the camera's controls by `settings`, each time it is opened.
    #[must_use]
    pub fn with_controls(mut self, settings: Vec<v4l2::ControlSetting>) -> Self {
        if matches!(self.spec, SourceSpec::Test { .. }) {
            for setting in settings {
                if let Err(why) = self.pattern.apply(&setting) {
                    self.is_wrong(format!("test pattern: {setting}: {why}"));
                }
            }
            return self;
        }
        if !self.spec.may_be_a_camera() && !settings.is_empty() {
            let instead = match self.spec {
                SourceSpec::Csi(_) => "; a ribbon camera has --csi-option",
                _ => "",
            };
            let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
            let settings = settings.join(", ");
            let spec = &self.spec;
            let text = format!("ignored, since {spec} has no controls: {settings}{instead}");
            self.is_wrong(text);
        }
        self.controls.options = settings;
        self
    }

    /// The mistakes in the settings of controls that are known before the source is open.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn is_wrong(&mut self, text: String) {
        log::warn!("{text}");
        self.problems.push(text);
    }

    /// Also asks this of a ribbon camera.
    #[must_use]
    pub fn with_csi(mut self, wish: CsiWish) -> Self {
        if !wish.settings.is_empty() && !matches!(self.spec, SourceSpec::Auto | SourceSpec::Csi(_))
        {
            log::warn!(
                "--csi-option has no effect here: only ribbon cameras (--source csi) have these"
            );
        }
        self.csi = CsiOpener::new(wish);
        self
    }

    /// What is opened.
    pub fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    /// Whether the source may be closed while nobody watches. A pipe may not: its writer would
    /// block.
    pub fn may_rest(&self) -> bool {
        match &self.spec {
            SourceSpec::StandardInput => false,
            SourceSpec::Device(path) | SourceSpec::Clip(path) => {
                !matches!(path::look(path), Ok(PathKind::Pipe(_)))
            }
            SourceSpec::Auto | SourceSpec::Csi(_) | SourceSpec::Test { .. } => true,
        }
    }

    /// Whether a file or a pipe was opened last. Another try costs next to nothing.
    pub fn has_opened_a_file(&self) -> bool {
        self.past == Past::File
    }

    /// Whether the source stays closed until somebody watches. This is so for ribbon cameras: their
    /// program takes CPU time and memory even if nobody takes its frames. If that program cannot be
    /// used, the answer is no, so that the reason is reported at the start.
    pub fn starts_when_watched(&mut self) -> bool {
        let is_ribbon = match self.spec {
            SourceSpec::Csi(_) => true,
            SourceSpec::Auto => self.may_take_ribbon() && !self.finder.sees_a_camera(),
            _ => false,
        };
        is_ribbon && self.csi.check().is_ok()
    }

    /// Checks what can be checked without opening a camera: that a file exists and is a clip.
    ///
    /// # Errors
    /// Why the source can never be used.
    pub fn check(&self, stop: &Stop) -> Result<(), SourceError> {
        let (SourceSpec::Device(path) | SourceSpec::Clip(path)) = &self.spec else { return Ok(()) };
        let is_clip = match path::look(path)? {
            PathKind::File => true,
            PathKind::Nothing => matches!(self.spec, SourceSpec::Clip(_)),
            PathKind::Pipe(_) | PathKind::Camera => false,
        };
        if is_clip { clip::Clip::open(path, self.rate(), stop).map(|_| ()) } else { Ok(()) }
    }

    /// Opens the source. A camera that was open before is found again wherever it is plugged in
    /// now.
    ///
    /// # Errors
    /// Why the source gives no frames.
    pub fn open(&mut self, stop: &Stop) -> Result<Box<dyn FrameSource>, SourceError> {
        let orientation = self.wish.orientation;
        let count = self.count.clone();
        let path = match &self.spec {
            SourceSpec::Auto => return self.any_camera(),
            SourceSpec::Csi(camera) => return self.ribbon_camera(*camera),
            SourceSpec::Test { size, rate } => {
                let pattern = test_pattern::TestPattern::new(*size, *rate).counting(count);
                let pattern = pattern.to_be_turned(orientation);
                return Ok(Box::new(pattern.with_controls(Arc::clone(&self.pattern))));
            }
            SourceSpec::StandardInput => {
                return Ok(Box::new(
                    self.paced(pipe::Pipe::standard_input(count)?.to_be_turned(orientation)),
                ));
            }
            SourceSpec::Device(path) | SourceSpec::Clip(path) => path,
        };
        let lies = path::look(path);
        // A camera that was unplugged has no node, or something else is there for a moment; lancam
        // waits for it.
        let is_camera = match lies {
            Ok(PathKind::Camera) => true,
            Ok(PathKind::Nothing) => {
                let is_named = matches!(self.spec, SourceSpec::Device(_));
                self.past == Past::Camera || (is_named && self.past == Past::Nothing)
            }
            _ => self.finder.has_opened(),
        };
        if is_camera {
            self.past = Past::Camera;
            return self.camera();
        }
        let source: Result<Box<dyn FrameSource>, _> = match lies {
            Ok(PathKind::Pipe(end)) => pipe::Pipe::open(path, end, count)
                .map(|pipe| Box::new(self.paced(pipe.to_be_turned(orientation))) as _),
            Ok(_) => clip::Clip::counting(path, self.rate(), count, stop)
                .map(|clip| Box::new(clip.to_be_turned(orientation)) as _),
            Err(error) => Err(error),
        };
        match source {
            Ok(source) => {
                self.past = Past::File;
                Ok(source)
            }
            // The file is probably being rewritten.
            Err(error) if self.past == Past::File && error.trouble == Trouble::Unusable => {
                Err(SourceError { trouble: Trouble::Lost, ..error })
            }
            Err(error) => Err(error),
        }
    }

    /// Opens a camera with a node of its own or, if there is none, a ribbon camera.
    fn any_camera(&mut self) -> Result<Box<dyn FrameSource>, SourceError> {
        match self.camera() {
            Ok(camera) => {
                self.past = Past::Camera;
                Ok(camera)
            }
            Err(error)
                if error.trouble == Trouble::NoCamera
                    && self.may_take_ribbon()
                    && (self.past == Past::Nothing || self.csi.check().is_ok()) =>
            {
                self.ribbon_camera(0)
            }
            Err(mut error) => {
                let is_told = error.trouble == Trouble::NoCamera && self.past == Past::Nothing;
                if is_told && self.csi.check().is_ok() {
                    error.message = format!("{error}; and {}", media::not_detected(""));
                }
                Err(error)
            }
        }
    }

    /// Whether `auto` may open a ribbon camera. If another camera was open before, lancam waits for
    /// that one as long as before it takes any other.
    fn may_take_ribbon(&self) -> bool {
        let is_any = self.past == Past::Nothing || self.finder.is_overdue(clock::now());
        is_any && (self.csi.names_a_program() || csi::is_there())
    }

    fn ribbon_camera(&mut self, camera: u8) -> Result<Box<dyn FrameSource>, SourceError> {
        let source: csi::Csi = self.csi.open(camera, &self.wish, self.count.clone())?;
        Ok(Box::new(source))
    }

    fn camera(&mut self) -> Result<Box<dyn FrameSource>, SourceError> {
        Ok(Box::new(self.finder.open(&self.wish, &self.controls)?))
    }

    /// A pipe has its own pace. Only the user's `--fps` can say in advance that it is a slow one.
    fn paced(&self, pipe: pipe::Pipe) -> pipe::Pipe {
        match self.wish.rate.and_then(Rate::interval) {
            Some(interval) if interval > Duration::from_secs(1) => pipe.at(interval),
            _ => pipe,
        }
    }

    /// The rate at which a file is played.
    fn rate(&self) -> Rate {
        self.wish.rate.unwrap_or(SourceSpec::TEST_RATE)
    }

    /// Waits until the next attempt may go better: until a device node changes, or for `patience`.
    /// Returns whether one did.
    pub fn wait_for_change(&mut self, stop: &Stop, patience: Duration) -> Changed {
        if self.past == Past::Camera || self.spec.may_be_a_camera() {
            return self.finder.wait_for_change(stop, patience);
        }
        stop.wait(patience);
        Changed::Nothing
    }
}

/// The result of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// A device node came, went or changed its access rights.
    Nodes,
    /// No node changed.
    Nothing,
}

/// The layout of JPEGs that are upright unless they say otherwise.
fn jpeg_layout(size: Size, interval: Option<Duration>) -> FrameLayout {
    FrameLayout { interval, ..FrameLayout::new(PixelFormat::Jpeg, size, 0, Colour::JPEG) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_a_ribbon_camera_where_the_one_before_stays_away() {
        let csi = CsiWish { program: Some("/usr/bin/true".into()), ..CsiWish::default() };
        let mut opener = Opener::new(SourceSpec::Auto, CaptureWish::default()).with_csi(csi);
        assert!(opener.may_take_ribbon(), "none was there before");
        opener.past = Past::Camera;
        assert!(!opener.may_take_ribbon(), "it may come back at once");
        opener.finder.is_missed_since(clock::now());
        assert!(!opener.may_take_ribbon(), "it has just gone");
        opener.finder.is_missed_since(crate::image::frame::Micros(0));
        assert!(opener.may_take_ribbon());
    }
}
