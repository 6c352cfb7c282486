//! The health of the source, as seen from outside.

use super::Metrics;
use crate::image::frame::Micros;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The state of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SourceState {
    /// It is being opened, or has sent no frame yet.
    Starting,
    /// It sends frames.
    Streaming,
    /// It is closed, because nobody watches.
    Resting,
    /// There is no source, or it sends nothing.
    Down,
}

/// The health of the source now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Health {
    /// The last state that the capture thread reported, corrected if that is outdated.
    pub state: SourceState,
    /// The recent frame rate.
    pub fps: f64,
    /// The time since the newest frame, if there was one.
    pub silent_for: Option<Duration>,
}

impl Health {
    /// Whether it gives frames, or would if somebody watched.
    pub fn is_well(&self) -> bool {
        self.state != SourceState::Down
    }
}

/// A source that has sent nothing for this long is not healthy, even if the capture thread has not
/// reported that.
const SILENT: Duration = Duration::from_secs(10);

impl Metrics {
    /// The health of the source at `now`.
    pub fn health(&self, now: Micros) -> Health {
        let interval = Duration::from_micros(self.interval.load(Relaxed));
        let last = self.last_frame_at.load(Relaxed);
        let silent_for = (last > 0).then(|| now.since(Micros(last)));
        let mut state = match self.state.load(Relaxed) {
            0 => SourceState::Starting,
            1 => SourceState::Streaming,
            2 => SourceState::Resting,
            _ => SourceState::Down,
        };
        let silent = match state {
            SourceState::Streaming => silent_for.unwrap_or_default(),
            SourceState::Starting => now.since(Micros(self.state_since.load(Relaxed))),
            SourceState::Resting | SourceState::Down => Duration::ZERO,
        };
        let is_late = silent > SILENT.max(self.interval() * 3);
        if is_late || self.troubles.are_there() {
            state = SourceState::Down;
        }
        let flows = state == SourceState::Streaming && !interval.is_zero();
        let fps = match flows {
            // The longer the next frame is overdue, the lower the rate.
            true => 1.0 / interval.max(silent_for.unwrap_or_default() / 2).as_secs_f64(),
            false => 0.0,
        };
        Health { state, fps, silent_for }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::facts;
    use super::*;

    #[test]
    fn a_slow_source_is_well_for_as_long_as_its_interval_takes() {
        let metrics = Metrics::new(Micros(0));
        let second = 1_000_000;
        metrics.expects(Some(Duration::from_secs(20)));
        assert!(metrics.health(Micros(50 * second)).is_well(), "its first frame may take as long");
        metrics.begins(Micros(50 * second), &facts());
        metrics.captured(1, Micros(50 * second));
        assert!(metrics.health(Micros(100 * second)).is_well());
        assert!(!metrics.health(Micros(120 * second)).is_well());
    }

    #[test]
    fn a_source_whose_pictures_cannot_be_sent_is_not_well() {
        let metrics = Metrics::new(Micros(0));
        metrics.begins(Micros(1), &facts());
        metrics.captured(1, Micros(1));
        metrics.is_troubled("CMYK");
        assert!(!metrics.health(Micros(2)).is_well());
        metrics.is_cured();
        assert!(metrics.health(Micros(2)).is_well());
    }

    #[test]
    fn a_source_is_well_while_it_sends_starts_or_rests_and_not_when_it_is_silent() {
        let metrics = Metrics::new(Micros(0));
        let second = 1_000_000;
        assert!(metrics.health(Micros(9 * second)).is_well());
        assert!(!metrics.health(Micros(11 * second)).is_well(), "it never began");
        metrics.begins(Micros(20 * second), &facts());
        metrics.captured(1, Micros(20 * second));
        assert!(metrics.health(Micros(29 * second)).is_well());
        assert!(!metrics.health(Micros(31 * second)).is_well(), "it fell silent");
        metrics.is(SourceState::Resting, Micros(50 * second));
        assert!(metrics.health(Micros(99 * second)).is_well());
        metrics.is(SourceState::Starting, Micros(99 * second));
        assert!(metrics.health(Micros(99 * second)).is_well(), "it is given time");
        metrics.is(SourceState::Down, Micros(99 * second));
        assert!(!metrics.health(Micros(99 * second)).is_well());
    }
}
