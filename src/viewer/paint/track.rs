//! The ages of the last pictures, for a graph: as many as there is room for, each with its moment.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How old pictures were when they were shown, over the last ten seconds.
#[derive(Debug, Clone)]
pub struct AgeTrack {
    points: VecDeque<(Instant, Duration)>,
}

impl AgeTrack {
    /// How far it reaches back.
    pub const SPAN: Duration = Duration::from_secs(10);
    /// Pictures that follow each other faster share a point, which has the oldest age.
    const GRAIN: Duration = Duration::from_millis(10);
    /// One for each grain, and the one that is about to leave.
    const MAX_POINTS: usize = 1002;

    /// Takes note that a picture of this age was shown.
    pub fn push(&mut self, now: Instant, age: Duration) {
        while let Some((at, _)) = self.points.front()
            && (now.saturating_duration_since(*at) > Self::SPAN
                || self.points.len() >= Self::MAX_POINTS)
        {
            self.points.pop_front();
        }
        match self.points.back_mut() {
            Some((at, oldest)) if now.saturating_duration_since(*at) < Self::GRAIN => {
                *oldest = age.max(*oldest);
            }
            _ => self.points.push_back((now, age)),
        }
    }

    /// Forgets everything, as for another camera.
    pub fn clear(&mut self) {
        self.points.clear();
    }

    /// How long before `now` each picture was shown, and how old it was; the oldest first.
    pub fn before(&self, now: Instant) -> impl Iterator<Item = (Duration, Duration)> {
        let points = self.points.iter();
        points
            .map(move |(at, age)| (now.saturating_duration_since(*at), *age))
            .filter(|(before, _)| *before <= Self::SPAN)
    }
}

impl Default for AgeTrack {
    fn default() -> Self {
        Self { points: VecDeque::with_capacity(Self::MAX_POINTS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_are_kept_in_the_same_memory_at_any_rate() {
        let mut track = AgeTrack::default();
        let start = Instant::now();
        let ms = Duration::from_millis;
        let capacity = track.points.capacity();
        for number in 0..40_000 {
            let age = ms(if number == 39_000 { 70 } else { 20 });
            track.push(start + ms(number), age);
        }
        assert_eq!(track.points.capacity(), capacity);
        let now = start + ms(40_000);
        let oldest = track.before(now).next().expect("there are many").0;
        assert!(oldest > ms(9_900) && oldest <= AgeTrack::SPAN, "{oldest:?}");
        assert_eq!(track.before(now).map(|(_, age)| age).max(), Some(ms(70)));
        track.clear();
        assert_eq!(track.before(now).count(), 0);
    }

    #[test]
    fn a_clock_that_goes_back_harms_nothing() {
        let mut track = AgeTrack::default();
        let now = Instant::now() + Duration::from_secs(5);
        track.push(now, Duration::MAX);
        track.push(now - Duration::from_secs(4), Duration::ZERO);
        assert_eq!(track.before(now).count(), 1);
    }
}
