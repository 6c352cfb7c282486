//! Ribbon cameras on Raspberry Pi OS. The system's program rpicam-vid drives them: lancam runs it as a child and reads frames
//! from its pipe.
//!
//! `program` finds rpicam-vid, `asked` chooses its options, `child` starts and ends it, in its `environment`. `frames` reads its pictures (`raw` or
//! `jpegs`), `times` reads when they were taken, by their `pace` too, `words` reads its messages, and `remedies` says what to do about those. `run`
//! joins all that for one child. `camera` is the source of frames, which starts another child where that helps. `settings`
//! and `knobs` are the camera's settings. `modes` asks rpicam-vid which modes each camera has.

mod asked;
mod camera;
mod child;
mod environment;
mod frames;
mod jpegs;
mod knobs;
mod modes;
mod pace;
mod program;
mod raw;
mod remedies;
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
pub(super) use modes::modes_of;
pub(super) use ribbon::is_there;
pub use settings::CsiSetting;
use std::path::PathBuf;
use std::sync::Arc;

/// What owners ask of ribbon cameras, besides what they ask of any camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CsiWish {
    /// The program that drives them. `None` takes the one that is installed.
    pub program: Option<PathBuf>,
    /// How frames come from it.
    pub format: CsiFormat,
    /// The camera's settings.
    pub settings: Vec<CsiSetting>,
    /// The quality of JPEGs that the program makes, 1 to 100.
    pub quality: u8,
}

/// How frames come from the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CsiFormat {
    /// By the board and the size of the pictures.
    #[default]
    Auto,
    /// Bare samples. lancam encodes them.
    Yuv420,
    /// JPEGs. The program makes them.
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

/// The program that drives ribbon cameras here, unless the owner names another one.
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
    /// What was last said of the format.
    said: Option<String>,
}

impl CsiOpener {
    /// For cameras of which this is asked.
    pub(super) fn new(wish: CsiWish) -> Self {
        let knobs = Arc::new(Knobs::new(wish.settings.clone()));
        Self { wish, knobs, said: None }
    }

    /// Whether the owner has named a program, and so has a camera for it.
    pub(super) fn names_a_program(&self) -> bool {
        self.wish.program.is_some()
    }

    /// Whether there is a program to start. Only that program knows whether there is a camera.
    ///
    /// # Errors
    /// What to install.
    pub(super) fn check(&self) -> Result<(), SourceError> {
        program::find(self.wish.program.as_deref()).map(|_| ())
    }

    /// Starts the child for a camera. The first camera is 0.
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
        let said = format!("{description}: lancam asks for {asked}, {why}");
        if self.said.as_ref() != Some(&said) {
            log::info!("{said}");
            self.said = Some(said);
        }
        Csi::start(program, asked, Arc::clone(&self.knobs), description, count)
    }
}
