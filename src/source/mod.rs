//! Where frames come from: a V4L2 camera, the test pattern, a clip, a pipe.

pub mod clip;
pub mod clock;
pub mod control;
mod pattern_controls;
pub mod test_pattern;
pub mod v4l2;

use crate::image::frame::{FrameLayout, RawFrame};
use crate::image::orientation::Orientation;
use crate::image::pixels::{PixelFormat, Size};
use crate::stop::Stop;
use control::AnyBoard;
use pattern_controls::PatternControls;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// An open source of frames.
pub trait FrameSource {
    /// How the frames are laid out, as the driver granted it. For JPEG the size is what was
    /// negotiated; each picture's own header has the last word.
    fn layout(&self) -> &FrameLayout;

    /// What it is, for people: `/dev/video0 (vivid)`.
    fn description(&self) -> String;

    /// Waits for the newest frame and lends it; asking for the next gives this one back.
    ///
    /// `Ok(None)`: `stop` was requested. Older frames that were ready too, and broken ones, are given
    /// back at once and counted in [`drops`](Self::drops).
    ///
    /// # Errors
    /// When no frame can come any more without opening the source again.
    fn next_frame(&mut self, stop: &Stop) -> Result<Option<RawFrame<'_>>, SourceError>;

    /// Frames that came and were not lent, since the source was opened.
    fn drops(&self) -> Drops;

    /// Its controls, for another thread; `None` where it has none.
    fn board(&self) -> Option<AnyBoard> {
        None
    }
}

/// Frames that a source received and did not lend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drops {
    /// Whole, but a newer one was there too.
    pub stale: u64,
    /// Marked as damaged by the driver, too short, or a JPEG that cannot be repaired.
    pub broken: u64,
}

/// What frames a user asks the camera for; what is left open, the camera decides.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CaptureWish {
    /// Width and height.
    pub size: Option<Size>,
    /// Frames per second.
    pub fps: Option<f64>,
    /// Pixel format; `None` takes what is cheapest to send.
    pub format: Option<PixelFormat>,
    /// What is to be done to the picture; what the camera cannot do is left in its frames' layout.
    pub orientation: Orientation,
}

/// What stands between a source and the next frame; decides what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no camera, or the named one is not there: it is waited for.
    NoCamera,
    /// It was there and has stopped giving frames: closed, waited for, opened again.
    Lost,
    /// Another program has it: tried again.
    Busy,
    /// This user may not open it: tried again, since a udev rule may still be on its way.
    Denied,
    /// The USB bus has no bandwidth left: tried again.
    Bandwidth,
    /// It never will give frames that we can use: the program ends.
    Unusable,
    /// A pipe has ended: the program ends, and that is no failure.
    Ended,
}

/// Why a source gives no frames: what was tried, what was found, what would work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What kind of trouble.
    pub trouble: Trouble,
    /// One line for people.
    pub message: String,
}

impl SourceError {
    /// An error that reads `message`.
    pub fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self { trouble, message: message.into() }
    }
}

/// What `--source` names.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceSpec {
    /// A USB camera first, then any node that gives pictures by itself.
    Auto,
    /// A device node, or a link to one.
    Device(PathBuf),
    /// The moving test pattern.
    Test {
        /// Its size.
        size: Size,
        /// Its frames per second.
        fps: f64,
    },
    /// A file of concatenated JPEGs, played in a loop.
    Clip(PathBuf),
    /// Concatenated JPEGs on standard input.
    StandardInput,
}

impl SourceSpec {
    /// Size and rate of `test` alone.
    const TEST_SIZE: Size = Size::new(1280, 720);
    const TEST_FPS: f64 = 30.0;

    /// Parses `auto`, `test[:WxH[@FPS]]`, `-`, a device's path or a file's.
    ///
    /// # Errors
    /// A sentence that says what would work.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => {
                Err("--source needs auto, a device, test[:WxH[@FPS]], a file of JPEGs, or -".into())
            }
            "auto" => Ok(Self::Auto),
            "-" => Ok(Self::StandardInput),
            "test" => Ok(Self::Test { size: Self::TEST_SIZE, fps: Self::TEST_FPS }),
            _ => match text.strip_prefix("test:") {
                Some(pattern) => Self::parse_test(pattern),
                None if text.starts_with("/dev/") => Ok(Self::Device(text.into())),
                None => Ok(Self::Clip(text.into())),
            },
        }
    }

    fn parse_test(text: &str) -> Result<Self, String> {
        let (size, fps) = text.split_once('@').unwrap_or((text, ""));
        let size = Size::parse(size).ok_or_else(|| {
            format!("test:{text} has no size; test:640x360@30 would work (sides from 1 to 65535)")
        })?;
        if size.area() > crate::image::picture::MAX_PIXELS {
            return Err(format!(
                "test:{text} is larger than any screen; test:1920x1080 would work"
            ));
        }
        let fps = match fps {
            "" => Self::TEST_FPS,
            fps => fps.parse().ok().filter(|fps| (0.01..=1000.0).contains(fps)).ok_or_else(|| {
                format!("test:{text} has no frame rate from 0.01 to 1000 after the @; test:{size}@30 would work")
            })?,
        };
        Ok(Self::Test { size, fps })
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => out.write_str("auto"),
            Self::Device(path) | Self::Clip(path) => path.display().fmt(out),
            Self::Test { size, fps } => write!(out, "test:{size}@{fps}"),
            Self::StandardInput => out.write_str("standard input"),
        }
    }
}

/// Opens one source, again and again where it must be.
#[derive(Debug)]
pub struct Opener {
    spec: SourceSpec,
    wish: CaptureWish,
    controls: v4l2::Wanted,
    pattern: Arc<PatternControls>,
    finder: v4l2::Finder,
}

impl Opener {
    /// For the source `spec`, asked for what `wish` says.
    pub fn new(spec: SourceSpec, wish: CaptureWish) -> Self {
        let named = match &spec {
            SourceSpec::Device(path) => Some(path.clone()),
            _ => None,
        };
        Self {
            spec,
            wish,
            controls: v4l2::Wanted::default(),
            pattern: Arc::default(),
            finder: v4l2::Finder::new(named),
        }
    }

    /// The same, with the camera's controls set as `settings` say, each time that it is opened.
    #[must_use]
    pub fn with_controls(mut self, settings: Vec<v4l2::ControlSetting>) -> Self {
        if !matches!(self.spec, SourceSpec::Auto | SourceSpec::Device(_)) && !settings.is_empty() {
            log::warn!("--set has no effect here: only cameras have controls");
        }
        self.controls.options = settings;
        self
    }

    /// What is opened, for people.
    pub fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    /// Opens it. A camera that was open before is found again wherever it is plugged in now.
    ///
    /// # Errors
    /// Why it gives no frames.
    pub fn open(&mut self) -> Result<Box<dyn FrameSource>, SourceError> {
        let orientation = self.wish.orientation;
        Ok(match &self.spec {
            SourceSpec::Auto | SourceSpec::Device(_) => {
                Box::new(self.finder.open(&self.wish, &self.controls)?)
            }
            SourceSpec::Test { size, fps } => {
                let pattern = test_pattern::TestPattern::new(*size, *fps).to_be_turned(orientation);
                Box::new(pattern.with_controls(Arc::clone(&self.pattern)))
            }
            SourceSpec::Clip(path) => {
                let fps = self.wish.fps.unwrap_or(SourceSpec::TEST_FPS);
                Box::new(clip::Clip::open(path, fps)?.to_be_turned(orientation))
            }
            SourceSpec::StandardInput => {
                Box::new(clip::Pipe::standard_input().to_be_turned(orientation))
            }
        })
    }

    /// Waits until opening may go better: a device node came or changed, or `patience` is over.
    pub fn wait_for_change(&mut self, stop: &Stop, patience: Duration) {
        match self.spec {
            SourceSpec::Auto | SourceSpec::Device(_) => self.finder.wait_for_change(stop, patience),
            _ => {
                stop.wait(patience);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart_by_how_they_are_written() {
        let test =
            |width, height, fps| Ok(SourceSpec::Test { size: Size::new(width, height), fps });
        assert_eq!(SourceSpec::parse("auto"), Ok(SourceSpec::Auto));
        assert_eq!(SourceSpec::parse("-"), Ok(SourceSpec::StandardInput));
        assert_eq!(SourceSpec::parse("test"), test(1280, 720, 30.0));
        assert_eq!(SourceSpec::parse("test:320x180"), test(320, 180, 30.0));
        assert_eq!(SourceSpec::parse("test:320x180@12.5"), test(320, 180, 12.5));
        assert_eq!(SourceSpec::parse("/dev/video0"), Ok(SourceSpec::Device("/dev/video0".into())));
        assert_eq!(SourceSpec::parse("clip.mjpeg"), Ok(SourceSpec::Clip("clip.mjpeg".into())));
    }

    #[test]
    fn a_pattern_that_cannot_be_is_refused_with_one_that_can() {
        for text in [
            "test:",
            "test:0x1",
            "test:1x100000",
            "test:9x9@0",
            "test:9x9@x",
            "test:60000x60000",
            "",
        ] {
            let error = SourceSpec::parse(text).expect_err(text);
            assert!(error.contains("test"), "{error}");
        }
    }
}
