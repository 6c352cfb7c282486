//! How fast a stream's frames leave.

use super::super::rhythm::Rhythm;
use crate::camera::session::machine::Ebbed;
use crate::image::frame::Micros;
use crate::wire::ladder::Transfer;
use std::time::Duration;

/// What the last frames have shown.
#[derive(Debug, Default)]
pub(super) struct Pace {
    pub(super) rhythm: Rhythm,
    /// The last frame, until it is known how long it took.
    last: Option<HandedOver>,
    /// How long the last ones took. A reader makes room in lumps: several frames leave at once, and then one has to wait for
    /// all of them.
    took: [Duration; 8],
    next: usize,
}

/// A frame that the kernel has.
#[derive(Debug, Clone, Copy)]
struct HandedOver {
    at: Micros,
    bytes: usize,
}

impl Pace {
    /// A frame is on its way.
    pub(super) fn handed_over(&mut self, now: Micros, bytes: usize) {
        self.last = Some(HandedOver { at: now, bytes });
    }

    /// It has left; `None` where nobody knows when it began.
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

    /// Frames are others from here on.
    pub(super) fn begins_anew(&mut self) {
        (self.took, self.next) = Default::default();
    }
}
