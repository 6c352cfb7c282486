//! How many frames may be on their way to a viewer.

/// Frames sent and not yet acknowledged, against the viewer's credit.
///
/// With a credit of one, a frame is sent only when the last one has arrived: no old picture ever
/// waits in a buffer between the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    allowed: usize,
    /// Sequence numbers of frames on their way, oldest first.
    in_flight: [Option<u64>; MAX_CREDIT],
}

/// More would only make pictures old.
const MAX_CREDIT: usize = 4;

impl Credit {
    /// What a viewer asked for in its greeting, at least 1 and at most 4.
    pub fn new(asked: u8) -> Self {
        Self { allowed: usize::from(asked).clamp(1, MAX_CREDIT), in_flight: [None; MAX_CREDIT] }
    }

    /// Whether another frame may be sent.
    pub fn allows(&self) -> bool {
        self.in_flight.iter().flatten().count() < self.allowed
    }

    /// Takes note that frame `sequence` has been sent.
    pub fn sent(&mut self, sequence: u64) {
        if let Some(free) = self.in_flight.iter_mut().find(|place| place.is_none()) {
            *free = Some(sequence);
        }
    }

    /// Takes note that all frames up to `sequence` have arrived and says how many that was; repeated
    /// or foreign numbers change nothing.
    pub fn acknowledged(&mut self, sequence: u64) -> usize {
        let in_flight = |credit: &Self| credit.in_flight.iter().flatten().count();
        let before = in_flight(self);
        for place in &mut self.in_flight {
            *place = place.filter(|&sent| sent > sequence);
        }
        before - in_flight(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_at_a_time_with_a_credit_of_one() {
        let mut credit = Credit::new(1);
        assert!(credit.allows());
        credit.sent(10);
        assert!(!credit.allows());
        assert_eq!(credit.acknowledged(9), 0);
        assert!(!credit.allows(), "an old acknowledgement");
        assert_eq!(credit.acknowledged(10), 1);
        assert!(credit.allows());
        assert_eq!(credit.acknowledged(10), 0);
        assert_eq!(credit.acknowledged(u64::MAX), 0);
        credit.sent(11);
        assert!(!credit.allows(), "repeated acknowledgements buy nothing");
    }

    #[test]
    fn a_later_acknowledgement_covers_earlier_frames() {
        let mut credit = Credit::new(0xFF);
        for sequence in 1..=4 {
            assert!(credit.allows());
            credit.sent(sequence);
        }
        assert!(!credit.allows(), "never more than four");
        assert_eq!(credit.acknowledged(3), 3);
        credit.sent(5);
        credit.sent(6);
        assert!(credit.allows());
    }
}
