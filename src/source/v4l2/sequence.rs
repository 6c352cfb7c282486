//! Numbers frames across cameras, independent of the drivers' own numbers.

use crate::image::frame::Micros;
use crate::source::frame_count::FrameCount;

/// Numbers the frames of one stream, continuing from the streams before it.
#[derive(Debug)]
pub(super) struct Sequence {
    count: FrameCount,
    /// The driver's last number; it starts at 0 with each stream.
    last: Option<u32>,
    /// When that frame was captured, if the driver says so.
    last_at: Option<Micros>,
}

impl Sequence {
    /// A stream that continues from `count`.
    pub(super) fn new(count: FrameCount) -> Self {
        Self { count, last: None, last_at: None }
    }

    /// The number of a frame that the driver numbered `driver_sequence`. Must be called for every
    /// dequeued frame, since some drivers do not number them. `None` for a frame that a later one
    /// has overtaken: `uvcvideo` fills buffers on several CPUs at once, and returns them as they
    /// become complete.
    pub(super) fn number(
        &mut self,
        driver_sequence: u32,
        captured_at: Option<Micros>,
    ) -> Option<u64> {
        if self.is_overtaken(driver_sequence, captured_at) {
            return None;
        }
        self.last_at = captured_at;
        let step = match self.last.replace(driver_sequence) {
            None => 1,
            // Wraps at 2^32, which some drivers reach within minutes of a start.
            Some(last) => match driver_sequence.wrapping_sub(last) {
                step @ 1..=MOST_LOST => step,
                _ => 1,
            },
        };
        Some(self.count.advance(u64::from(step)))
    }

    /// By its number and by its time, since some drivers have only one of them.
    fn is_overtaken(&self, driver_sequence: u32, captured_at: Option<Micros>) -> bool {
        let (Some(last), Some(last_at), Some(at)) = (self.last, self.last_at, captured_at) else {
            return false;
        };
        at < last_at && (1..=MOST_OVERTAKEN).contains(&last.wrapping_sub(driver_sequence))
    }
}

/// The largest plausible gap: more frames than any camera sends before it counts as silent.
const MOST_LOST: u32 = 1000;

/// No driver works on more buffers at once.
const MOST_OVERTAKEN: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(driver: &[u32]) -> Vec<u64> {
        let mut sequence = Sequence::new(FrameCount::default());
        let number = |&number: &u32| sequence.number(number, None).expect("in order");
        driver.iter().map(number).collect()
    }

    #[test]
    fn frames_that_a_driver_lost_leave_a_gap() {
        assert_eq!(numbers(&[0, 1, 4, 5]), [1, 2, 5, 6]);
        assert_eq!(numbers(&[7, 9]), [1, 3], "what was before the first frame is not lost");
    }

    #[test]
    fn a_number_that_wraps_is_no_gap() {
        assert_eq!(numbers(&[u32::MAX - 1, u32::MAX, 0, 2]), [1, 2, 3, 5]);
    }

    #[test]
    fn a_driver_that_does_not_count_is_counted_for() {
        assert_eq!(numbers(&[0, 0, 0]), [1, 2, 3]);
        assert_eq!(numbers(&[5, 4, 90_000, 3]), [1, 2, 3, 4]);
    }

    #[test]
    fn the_next_camera_counts_on() {
        let count = FrameCount::default();
        let mut first = Sequence::new(count.clone());
        assert_eq!((first.number(0, None), first.number(1, None)), (Some(1), Some(2)));
        let mut second = Sequence::new(count);
        assert_eq!(second.number(0, None), Some(3));
    }

    #[test]
    fn a_frame_that_another_has_overtaken_is_known_by_its_number_and_its_time() {
        let mut sequence = Sequence::new(FrameCount::default());
        let mut number = |driver: u32, at: u64| sequence.number(driver, Some(Micros(at)));
        assert_eq!((number(5, 500), number(7, 700)), (Some(1), Some(3)));
        assert_eq!(number(6, 600), None);
        assert_eq!((number(8, 800), number(9, 900)), (Some(4), Some(5)));
        assert_eq!(number(0, 1000), Some(6), "it counts anew");
        assert_eq!(number(1, 990), Some(7), "its clock was set");
        let mut wrapping = Sequence::new(FrameCount::default());
        assert_eq!(wrapping.number(0, Some(Micros(9))), Some(1));
        assert_eq!(wrapping.number(u32::MAX, Some(Micros(8))), None);
    }
}
