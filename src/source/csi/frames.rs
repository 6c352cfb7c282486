//! The frames in the child's pipe: bare samples or JPEGs.

use super::asked::{Asked, Codec};
use super::jpegs::JpegFrames;
use super::raw::{Came, Fit, RawFrames};
use super::words::Granted;
use crate::image::frame::{Content, FrameLayout};
use crate::image::jpeg::repair::Damage;
use crate::source::Drops;
use std::fs::File;
use std::io;

/// What reads the frames.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each camera")]
pub(super) enum Frames {
    Raw(RawFrames),
    Jpegs(JpegFrames),
}

impl Frames {
    /// For a camera that was asked for this.
    pub(super) fn new(asked: &Asked) -> Self {
        match asked.codec {
            Codec::Yuv420 => Self::Raw(RawFrames::new(asked.layout(), asked.rows)),
            Codec::Mjpeg => Self::Jpegs(JpegFrames::new(asked.layout())),
        }
    }

    /// The layout of the frames.
    pub(super) fn layout(&self) -> &FrameLayout {
        match self {
            Self::Raw(raw) => &raw.layout,
            Self::Jpegs(jpegs) => &jpegs.layout,
        }
    }

    /// Takes what the camera was configured for.
    pub(super) fn adjust(&mut self, granted: Granted) -> Fit {
        match self {
            Self::Raw(raw) => raw.adjust(granted),
            // A JPEG says itself how large it is.
            Self::Jpegs(_) => Fit::Fits,
        }
    }

    /// Whether anything of a frame has come.
    pub(super) fn have_begun(&self) -> bool {
        match self {
            Self::Raw(raw) => raw.is_in_a_frame() || raw.newest().is_some(),
            Self::Jpegs(jpegs) => jpegs.is_in_a_frame(),
        }
    }

    /// Reads what has come.
    ///
    /// # Errors
    /// The pipe's.
    pub(super) fn fill(&mut self, from: &mut File) -> io::Result<Came> {
        match self {
            Self::Raw(raw) => raw.fill(from),
            Self::Jpegs(jpegs) => jpegs.fill(from),
        }
    }

    /// The newest frame.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn newest(&self) -> Result<Option<Content<'_>>, Damage> {
        match self {
            Self::Raw(raw) => Ok(raw.newest()),
            Self::Jpegs(jpegs) => jpegs.newest(),
        }
    }

    /// Whether a frame has begun and is not whole.
    pub(super) fn is_in_a_frame(&self) -> bool {
        match self {
            Self::Raw(raw) => raw.is_in_a_frame(),
            Self::Jpegs(jpegs) => jpegs.is_in_a_frame(),
        }
    }

    /// What came instead of a frame, if that is known.
    pub(super) fn why(&self) -> Option<String> {
        match self {
            Self::Raw(_) => None,
            Self::Jpegs(jpegs) => jpegs.why(),
        }
    }

    /// Frames that came and were not used.
    pub(super) fn drops(&self) -> Drops {
        match self {
            Self::Raw(raw) => raw.drops(),
            Self::Jpegs(jpegs) => jpegs.drops(),
        }
    }
}
