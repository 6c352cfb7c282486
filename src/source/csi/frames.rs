//! The frames in the child's pipe, in either of the two ways that they come.

use super::asked::{Asked, Codec};
use super::jpegs::JpegFrames;
use super::raw::{Came, RawFrames};
use super::words::Granted;
use crate::image::frame::{Content, FrameLayout};
use crate::image::jpeg::repair::Damage;
use std::fs::File;
use std::io;

/// What reads them.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each camera")]
pub(super) enum Frames {
    Raw(RawFrames),
    Jpegs(JpegFrames),
}

impl Frames {
    /// Of a camera that was asked for this.
    pub(super) fn new(asked: &Asked) -> Self {
        match asked.codec {
            Codec::Yuv420 => Self::Raw(RawFrames::new(asked.layout())),
            Codec::Mjpeg => Self::Jpegs(JpegFrames::new(asked.layout())),
        }
    }

    /// How they are laid out.
    pub(super) fn layout(&self) -> &FrameLayout {
        match self {
            Self::Raw(raw) => &raw.layout,
            Self::Jpegs(jpegs) => &jpegs.layout,
        }
    }

    /// Takes what the camera was configured for in the place of what was asked. Says whether that is something else.
    pub(super) fn adjust(&mut self, granted: Granted) -> bool {
        match self {
            Self::Raw(raw) if !raw.is_as(granted) => {
                raw.adjust(granted);
                true
            }
            // A JPEG says itself how large it is.
            _ => false,
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

    /// The newest frame, or what is wrong with it.
    ///
    /// # Errors
    /// When it cannot be used.
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

    /// What came that is no frame.
    pub(super) fn why(&self) -> Option<String> {
        match self {
            Self::Raw(_) => None,
            Self::Jpegs(jpegs) => jpegs.why(),
        }
    }

    /// Frames that could not be used.
    pub(super) fn broken(&self) -> u64 {
        match self {
            Self::Raw(_) => 0,
            Self::Jpegs(jpegs) => jpegs.broken(),
        }
    }
}
