//! Decides the time of each frame in a recording, whatever the camera's clock does.

use crate::image::frame::Micros;
use std::time::Duration;

/// Makes times that never go back, from the camera's clock and the times of arrival.
///
/// While the camera's clock runs normally, its steps count, also across a reconnection. Where it stops, goes back or jumps
/// (the camera was restarted, or its clock is wrong, or it sends no times), the time of arrival counts for that step. From
/// there the camera's clock counts again.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    last: Option<Point>,
    /// The point from which the camera's clock is counted.
    anchor: Point,
}

#[derive(Debug, Clone, Copy, Default)]
struct Point {
    captured: Micros,
    arrived: Duration,
    /// The time in the recording.
    time: Duration,
}

/// How far the camera's step and the wait for the frame may differ. A camera that is silent for 2 s is given up, so no frame
/// is on its way for longer.
const TOLERANCE: Duration = Duration::from_secs(10);

impl Timeline {
    /// The time in the recording of a frame that was `captured` and `arrived` then. Never earlier than the last one.
    pub(super) fn place(&mut self, captured: Micros, arrived: Duration) -> Duration {
        let Some(last) = self.last else {
            let first = Point { captured, arrived, time: Duration::ZERO };
            self.anchor = first;
            self.last = Some(first);
            return Duration::ZERO;
        };
        let step = captured.since(last.captured);
        let wait = arrived.saturating_sub(last.arrived);
        let goes_on = captured > last.captured && step.abs_diff(wait) <= TOLERANCE;
        let time = match goes_on {
            true => self.anchor.time.saturating_add(captured.since(self.anchor.captured)),
            false => last.time.saturating_add(wait),
        };
        let point = Point { captured, arrived, time: time.max(last.time) };
        if !goes_on {
            self.anchor = point;
        }
        self.last = Some(point);
        point.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(frames: &[(u64, u64)]) -> Vec<u64> {
        let mut timeline = Timeline::default();
        let ms = Duration::from_millis;
        let place = |&(captured, arrived)| {
            let time = timeline.place(Micros(captured * 1000), ms(arrived));
            u64::try_from(time.as_millis()).expect("short")
        };
        frames.iter().map(place).collect()
    }

    #[test]
    fn the_cameras_own_steps_count_however_late_frames_arrive() {
        let frames = [(5000, 0), (5033, 90), (5066, 95), (5100, 2100), (7000, 2110)];
        assert_eq!(times(&frames), [0, 33, 66, 100, 2000]);
    }

    #[test]
    fn a_gap_between_two_connections_is_as_long_as_it_was() {
        assert_eq!(times(&[(5000, 0), (5033, 33), (65_033, 60_040)]), [0, 33, 60_033]);
    }

    #[test]
    fn a_camera_that_was_started_anew_goes_on_by_arrival() {
        let frames = [(900_000, 0), (900_033, 33), (4000, 20_033), (4033, 20_070)];
        assert_eq!(times(&frames), [0, 33, 20_033, 20_066]);
    }

    #[test]
    fn a_clock_that_stands_or_leaps_is_not_believed() {
        assert_eq!(times(&[(0, 0), (0, 40), (0, 80)]), [0, 40, 80]);
        let leaps = [(1000, 0), (9_000_000, 40), (9_000_040, 81), (2000, 120)];
        assert_eq!(times(&leaps), [0, 40, 80, 119]);
        assert_eq!(times(&[(u64::MAX / 1000, 7), (0, 8), (u64::MAX / 1000, 9)]), [0, 1, 2]);
    }
}
