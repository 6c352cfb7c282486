//! Calculates how long a frame took to reach the viewer, with the kernel's help.

use super::kernel::Kernel;
use crate::image::frame::Micros;
use crate::wire::ladder::Transfer;
use crate::wire::native::credit::Arrival;
use std::io;
use std::time::Duration;

/// How often the kernel is asked for the least round trip. It changes seldom: the kernel keeps the
/// minimum of several minutes.
const ASK_KERNEL_EVERY: Duration = Duration::from_secs(1);

/// The network path to one viewer.
#[derive(Debug, Default)]
pub(super) struct Way {
    least_round_trip: Duration,
    /// When the kernel was last asked.
    asked_at: Option<Micros>,
}

impl Way {
    /// How long the acknowledged frame took. Subtracts the round trip if `wanted`.
    pub(super) fn transfer(
        &mut self,
        arrival: Arrival,
        wanted: bool,
        kernel: &dyn Kernel,
    ) -> io::Result<Transfer> {
        let round_trip =
            if wanted { self.least_round_trip(kernel, arrival.at)? } else { Duration::ZERO };
        Ok(Transfer {
            sent_at: arrival.sent.at,
            at: arrival.at,
            bytes: arrival.sent.bytes,
            took: arrival.transfer(round_trip),
        })
    }

    /// The kernel's least round trip, which is not asked for at each frame.
    fn least_round_trip(&mut self, kernel: &dyn Kernel, now: Micros) -> io::Result<Duration> {
        if self.asked_at.is_none_or(|at| now.since(at) >= ASK_KERNEL_EVERY) {
            self.asked_at = Some(now);
            self.least_round_trip = kernel.path()?.least_round_trip;
        }
        Ok(self.least_round_trip)
    }
}
