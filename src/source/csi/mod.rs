//! Ribbon cameras on Raspberry Pi OS: its own program rpicam-vid drives them, as a child, and writes their frames into a pipe.
//!
//! `program` finds it, `asked` says with which options it starts, `child` starts and ends it. Of what it writes, `frames`
//! reads pictures (`raw` or `jpegs`), `times` when they were taken, and `words` why no picture comes. `run` is all that for one
//! child, `camera` the source, which starts another child where that helps. `settings` and `knobs` are how the camera is set.

mod asked;
mod camera;
mod child;
mod frames;
mod jpegs;
mod knobs;
mod program;
mod raw;
mod ribbon;
mod run;
mod settings;
mod times;
mod words;

use super::frame_count::FrameCount;
use super::{CaptureWish, SourceError};
use asked::Asked;
pub(super) use camera::Csi;
use knobs::Knobs;
pub(super) use ribbon::is_there;
pub use settings::CsiSetting;
use std::path::PathBuf;
use std::sync::Arc;

/// What is asked of ribbon cameras, besides what is asked of any camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CsiWish {
    /// The program that drives them; `None` takes the one that is installed.
    pub program: Option<PathBuf>,
    /// How frames come from it.
    pub format: CsiFormat,
    /// How the camera is set.
    pub settings: Vec<CsiSetting>,
    /// Of JPEGs that the program makes, 1 to 100.
    pub quality: u8,
}

/// How frames come from the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CsiFormat {
    /// As is best for this board and the size of the pictures.
    #[default]
    Auto,
    /// Bare samples, which lancam encodes.
    Yuv420,
    /// JPEGs, which the program makes.
    Mjpeg,
}

impl CsiFormat {
    /// Parses `auto`, `yuv420` or `mjpeg`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "yuv420" => Some(Self::Yuv420),
            "mjpeg" => Some(Self::Mjpeg),
            _ => None,
        }
    }
}

impl Default for CsiWish {
    fn default() -> Self {
        Self { program: None, format: CsiFormat::Auto, settings: Vec::new(), quality: 80 }
    }
}

/// What is said where there is a program for ribbon cameras and none was found, behind why there is no other camera.
pub(super) const NOT_DETECTED: &str = "; and no ribbon camera was detected: check both ends of its cable, \
    camera_auto_detect=1 in /boot/firmware/config.txt, or its overlay";

/// The program that drives ribbon cameras here, unless another one is named.
///
/// # Errors
/// What to install.
pub(super) fn program() -> Result<PathBuf, SourceError> {
    program::find(None)
}

/// Opens ribbon cameras, again and again.
#[derive(Debug)]
pub(super) struct CsiOpener {
    wish: CsiWish,
    knobs: Arc<Knobs>,
    /// What was said of the format last.
    said: Option<String>,
}

impl CsiOpener {
    /// For cameras that are asked for this.
    pub(super) fn new(wish: CsiWish) -> Self {
        let knobs = Arc::new(Knobs::new(wish.settings.clone()));
        Self { wish, knobs, said: None }
    }

    /// Whether somebody has named a program, and so must have a camera for it.
    pub(super) fn names_a_program(&self) -> bool {
        self.wish.program.is_some()
    }

    /// Whether there is a program to start. That is looked up fast; whether it finds a camera only the program knows.
    ///
    /// # Errors
    /// What to install.
    pub(super) fn check(&self) -> Result<(), SourceError> {
        program::find(self.wish.program.as_deref()).map(|_| ())
    }

    /// Starts the child for a camera, counted from 0.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn open(
        &mut self,
        camera: u8,
        wish: &CaptureWish,
        count: FrameCount,
    ) -> Result<Csi, SourceError> {
        let program = program::find(self.wish.program.as_deref())?;
        let (asked, why) = Asked::of(camera, wish, &self.wish, &ribbon::board());
        let description = ribbon::description(camera);
        let said =
            format!("{description}: {asked} is asked for, {why}; --csi-format overrules that");
        if self.said.as_ref() != Some(&said) {
            log::info!("{said}");
            self.said = Some(said);
        }
        Csi::start(program, asked, Arc::clone(&self.knobs), description, count)
    }
}
