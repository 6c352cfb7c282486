//! What a session asks of the camera it belongs to.
//!
//! `Viewing` is the real one; tests have one of frames and answers in memory.

use super::machine::{Input, Moment, Order};
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::native::credit::Arrival;
use std::io;
use std::time::Duration;

/// A camera, as one session knows it.
pub trait Surroundings {
    /// What is true now.
    fn moment(&self, now: Micros) -> Moment;

    /// The newest update of the subscription, if it was not taken. After [`Newest::NotYet`] the next one ends a sleep.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    fn newest(&mut self) -> io::Result<Newest<Update>>;

    /// Does what a machine has ordered, unless that is the link's affair.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    fn fulfil(&mut self, order: Order, now: Micros) -> io::Result<Input>;

    /// Whether less is sent than was asked for.
    fn is_lowered(&self) -> bool;

    /// A frame has left, `bytes` with all that goes along, so long after it was taken.
    fn count_sent(&self, bytes: usize, age: Duration);

    /// Frames were not sent.
    fn count_skipped(&self, frames: u64);

    /// A frame was acknowledged.
    fn count_arrived(&self, arrival: Arrival, now: Micros);
}
