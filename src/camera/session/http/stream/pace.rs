//! Measures how fast the frames of a stream leave.

use super::super::rhythm::Rhythm;
use crate::camera::session::machine::Ebbed;
use crate::image::frame::Micros;
use crate::wire::ladder::Transfer;
use std::time::Duration;

/// Measurements of the last frames.
#[derive(Debug, Default)]
pub(super) struct Pace {
    pub(super) rhythm: Rhythm,
    /// The last frame, until it is known how long it took.
    last: Option<HandedOver>,
    /// How long the last frames took. A reader frees its buffer in large steps: several frames
    /// leave at once, and then one waits for all of them. So the mean of several counts.
    took: [Duration; 8],
    next: usize,
}

/// A frame that was handed to the kernel.
#[derive(Debug, Clone, Copy)]
struct HandedOver {
    at: Micros,
    bytes: usize,
}

impl Pace {
    /// Notes that a frame was handed over.
    pub(super) fn handed_over(&mut self, now: Micros, bytes: usize) {
        self.last = Some(HandedOver { at: now, bytes });
    }

    /// Notes that the frame has left; `None` if it is not known when it began.
    pub(super) fn arrived(&mut self, ebbed: Ebbed, now: Micros) -> Option<Transfer> {
        let HandedOver { at: sent_at, bytes } = self.last.take()?;
        self.took[self.next] = match ebbed {
            Ebbed::InTime(took) => took,
            Ebbed::Late => now.since(sent_at),
        };
        self.next = (self.next + 1) % self.took.len();
        let took = self.took.iter().sum::<Duration>() / 8;
        Some(Transfer { sent_at, at: now, bytes, took })
    }

    /// Forgets the measurements, since the form of the frames has changed.
    pub(super) fn begins_anew(&mut self) {
        (self.took, self.next) = Default::default();
    }
}
