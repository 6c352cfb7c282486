//! The ages of the last pictures, for a graph.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The ages of pictures when they were shown, over the last ten seconds.
#[derive(Debug, Clone)]
pub struct AgeTrack {
    points: VecDeque<(Instant, Duration)>,
}

impl AgeTrack {
    /// The time span.
    pub const SPAN: Duration = Duration::from_secs(10);
    /// Pictures within this time share a point, which has the highest age.
    const GRAIN: Duration = Duration::from_millis(10);
    /// One point per grain, and the one that is about to leave.
    const MAX_POINTS: usize = 1002;

    /// Adds the age of a picture that is being shown.
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

    /// Whether there are no ages.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Removes all ages, for another camera.
    pub fn clear(&mut self) {
        self.points.clear();
    }

    /// The age that the fraction `part` (0 to 1) of the pictures shown `within` the time before `now` do not exceed. `None`
    /// if there are none. Allocates nothing.
    pub fn percentile(&self, now: Instant, within: Duration, part: f64) -> Option<Duration> {
        let mut ages = [Duration::ZERO; Self::MAX_POINTS];
        let lately = self.before(now).filter(|(before, _)| *before <= within);
        let mut count = 0;
        for (room, (_, age)) in ages.iter_mut().zip(lately) {
            *room = age;
            count += 1;
        }
        let ages = &mut ages[..count];
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 1002
        let place = (part.clamp(0.0, 1.0) * count as f64).ceil() as usize;
        let place = place.clamp(1, count.max(1)) - 1;
        (place < count).then(|| *ages.select_nth_unstable(place).1)
    }

    /// The age of the last picture, if that was within the span.
    pub fn last(&self, now: Instant) -> Option<Duration> {
        self.before(now).last().map(|(_, age)| age)
    }

    /// How long before `now` each picture was shown, and its age; the oldest first.
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
    fn percentiles_are_of_the_time_that_is_asked_for_and_of_nothing_before() {
        let mut track = AgeTrack::default();
        let (start, ms) = (Instant::now(), Duration::from_millis);
        assert_eq!(track.percentile(start, AgeTrack::SPAN, 0.5), None);
        for number in 0..100 {
            track.push(start + ms(number * 100), ms(number + 1));
        }
        let now = start + ms(9_900);
        let percentile = |within, part| track.percentile(now, ms(within), part);
        assert_eq!(percentile(10_000, 0.95), Some(ms(95)));
        assert_eq!(percentile(900, 0.5), Some(ms(95)), "91 to 100");
        assert_eq!(percentile(10_000, 0.0), Some(ms(1)));
        assert_eq!(percentile(10_000, 1.0), Some(ms(100)));
        assert_eq!(percentile(0, 0.5), Some(ms(100)));
        assert_eq!(track.last(now), Some(ms(100)));
        let later = now + AgeTrack::SPAN + ms(1);
        assert_eq!((track.percentile(later, AgeTrack::SPAN, 0.5), track.last(later)), (None, None));
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
