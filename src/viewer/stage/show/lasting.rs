//! States that last for a while: a pause, a message, a double click.

use crate::viewer::paint::badges::Mood;
use crate::viewer::stage::input::Input;
use std::time::{Duration, Instant, SystemTime};

/// When the pause began, by the clock that stops while this machine sleeps, and by the time of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause(Instant, SystemTime);

impl Pause {
    /// Begins now.
    pub(super) fn begin(now: Instant) -> Self {
        Self(now, SystemTime::now())
    }

    /// How long the pause has lasted, by the clock that shows more.
    pub(super) fn lasting(self, now: Instant) -> Duration {
        let by_calendar = SystemTime::now().duration_since(self.1).unwrap_or_default();
        by_calendar.max(now.saturating_duration_since(self.0))
    }
}

/// A message that is shown for a few seconds.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) mood: Mood,
    pub(super) until: Instant,
}

/// Whether the last press closed what it hit: the list of cameras, the list of keys, or the menu.
#[derive(Debug, Default)]
pub(super) struct LastPress {
    has_closed: bool,
}

impl LastPress {
    /// The present press closes what it hits.
    pub(super) fn closes(&mut self) {
        self.has_closed = true;
    }

    /// Whether `input` is the second press of a double click whose first press closed what it hit. The second one must not
    /// act on what lies behind.
    pub(super) fn is_over(&mut self, input: Input) -> bool {
        match input {
            Input::DoublePress(_) => std::mem::take(&mut self.has_closed),
            Input::Press(_) => {
                self.has_closed = false;
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::stage::input::Point;

    #[test]
    fn a_double_click_ends_with_the_press_that_closed_what_it_hit() {
        let at = Point { x: 9.0, y: 9.0 };
        let (press, double) = (Input::Press(at), Input::DoublePress(at));
        let mut last = LastPress::default();
        assert!(!last.is_over(press) && !last.is_over(double), "on a picture");
        assert!(!last.is_over(press));
        last.closes();
        assert!(!last.is_over(Input::Release(at)));
        assert!(last.is_over(double), "on the menu");
        assert!(!last.is_over(press) && !last.is_over(double), "once");
        last.closes();
        assert!(!last.is_over(press) && !last.is_over(double), "another press came between");
    }
}
