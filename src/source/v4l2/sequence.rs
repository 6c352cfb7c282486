//! Counts frames on from camera to camera, whatever drivers count.

use crate::source::frame_count::FrameCount;

/// One stream's frames, numbered on from the streams before it.
#[derive(Debug)]
pub(super) struct Sequence {
    count: FrameCount,
    /// What the driver said last; it begins again at 0 with each stream.
    last: Option<u32>,
}

impl Sequence {
    /// The stream that counts on from `count`.
    pub(super) fn new(count: FrameCount) -> Self {
        Self { count, last: None }
    }

    /// The number of a frame that the driver numbered `driver_sequence`; to be told of every frame
    /// that is dequeued, for drivers that do not number them.
    pub(super) fn number(&mut self, driver_sequence: u32) -> u64 {
        let step = match self.last.replace(driver_sequence) {
            None => 1,
            // Wraps at 2^32, as some drivers do within minutes of a start.
            Some(last) => match driver_sequence.wrapping_sub(last) {
                step @ 1..=MOST_LOST => step,
                _ => 1,
            },
        };
        self.count.advance(u64::from(step))
    }
}

/// A gap that can be: more frames than any camera takes in the time after which a silent one is given up.
const MOST_LOST: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(driver: &[u32]) -> Vec<u64> {
        let mut sequence = Sequence::new(FrameCount::default());
        driver.iter().map(|&number| sequence.number(number)).collect()
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
        assert_eq!((first.number(0), first.number(1)), (1, 2));
        let mut second = Sequence::new(count);
        assert_eq!(second.number(0), 3);
    }
}
