//! The interface between a session and its camera.
//!
//! `Viewing` is the real implementation; tests use one with frames and answers in memory.

use super::machine::{Input, Moment, Order};
use crate::camera::session_end::SessionEnd;
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::native::credit::Arrival;
use std::io;
use std::time::Duration;

/// A camera, as one session sees it.
pub trait Surroundings {
    /// The facts at this moment.
    fn moment(&self, now: Micros) -> Moment;

    /// The newest update of the subscription, if it was not taken yet. After [`Newest::NotYet`] the
    /// next update ends the sleep.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    fn newest(&mut self) -> io::Result<Newest<Update>>;

    /// Carries out a machine's order, unless the link does that itself.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    fn fulfil(&mut self, order: Order, now: Micros) -> io::Result<Input>;

    /// Why the session has to end now, if it has: the key was revoked that the client has shown, or is to allow
    /// something else.
    fn revoked(&mut self) -> Option<SessionEnd> {
        None
    }

    /// Whether less is sent than was asked for.
    fn is_lowered(&self) -> bool;

    /// Counts a frame that has left, with its bytes including prefix and suffix, and its age.
    fn count_sent(&self, bytes: usize, age: Duration);

    /// Counts frames that were not sent.
    fn count_skipped(&self, frames: u64);

    /// Counts a frame that was acknowledged.
    fn count_arrived(&self, arrival: Arrival, now: Micros);
}
