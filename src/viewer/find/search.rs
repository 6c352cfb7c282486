//! How often to ask the LAN for a camera that is not at its last address.

use std::time::{Duration, Instant};

/// How often to ask the LAN for a camera: every machine there receives the question.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Search {
    /// Since when the camera has been away.
    pub(super) since: Option<Instant>,
    /// When the LAN was last asked.
    pub(super) asked: Option<Instant>,
}

/// How long to ask without a pause. A camera that restarts or gets another address is back within this time.
const EAGER: Duration = Duration::from_secs(60);

/// How often to ask after that.
const ASKED_EACH: Duration = Duration::from_secs(3);

impl Search {
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.left(now).is_zero()
    }

    /// How long until the next question.
    pub(super) fn left(&self, now: Instant) -> Duration {
        match (self.since, self.asked) {
            (Some(since), Some(asked)) if now.saturating_duration_since(since) >= EAGER => {
                ASKED_EACH.saturating_sub(now.saturating_duration_since(asked))
            }
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lan_is_asked_for_a_camera_that_is_away_and_less_often_after_a_minute() {
        let start = Instant::now();
        let mut search = Search::default();
        assert!(search.is_due(start), "it is not where it was");
        (search.since, search.asked) = (Some(start), Some(start));
        assert!(search.is_due(start + EAGER / 2));
        let late = start + EAGER;
        search.asked = Some(late);
        assert_eq!(search.left(late), ASKED_EACH);
        assert!(!search.is_due(late + ASKED_EACH / 2));
        assert!(search.is_due(late + ASKED_EACH));
    }
}
