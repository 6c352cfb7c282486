//! V4L2 capture nodes.

use super::{CaptureWish, Drops, FrameSource, SourceError, Trouble};
use crate::image::frame::{FrameLayout, RawFrame};
use crate::stop::Stop;
use std::path::PathBuf;
use std::time::Duration;

/// Finds the camera, and finds it again.
#[derive(Debug)]
pub struct Finder {
    named: Option<PathBuf>,
}

impl Finder {
    /// For the node that was named, or any.
    pub fn new(named: Option<PathBuf>) -> Self {
        Self { named }
    }

    /// Opens the camera.
    ///
    /// # Errors
    /// Why it gives no frames.
    pub fn open(&mut self, _wish: &CaptureWish) -> Result<Camera, SourceError> {
        Err(SourceError::new(Trouble::NoCamera, format!("no camera {:?}", self.named)))
    }

    /// Waits until opening may go better.
    pub fn wait_for_change(&mut self, stop: &Stop, patience: Duration) {
        stop.wait(patience);
    }
}

/// An open camera.
#[derive(Debug)]
pub struct Camera {
    layout: FrameLayout,
}

impl FrameSource for Camera {
    fn layout(&self) -> &FrameLayout {
        &self.layout
    }
    fn description(&self) -> String {
        String::new()
    }
    fn next_frame(&mut self, _stop: &Stop) -> Result<Option<RawFrame<'_>>, SourceError> {
        Err(SourceError::new(Trouble::NoCamera, "no camera"))
    }
    fn drops(&self) -> Drops {
        Drops::default()
    }
}

/// What `lancam list` prints.
pub fn list(_json: bool) -> String {
    "listing comes with V4L2\n".into()
}
