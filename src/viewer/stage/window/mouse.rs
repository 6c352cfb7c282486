//! Turns the mouse's moves and its first button into presses, double presses and drags.

use crate::viewer::stage::input::{Input, Point};
use std::time::Duration;

/// The last state of the mouse.
#[derive(Debug, Clone, Copy)]
pub struct Mouse {
    at: Point,
    button: Button,
    /// When and where the button went down, if a second press may make it a double press.
    pressed: Option<(Duration, Point)>,
}

/// The first button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// It is held.
    Down,
    /// It is not.
    Up,
}

/// A second press within this time and distance makes a double press.
const DOUBLE_PRESS: Duration = Duration::from_millis(400);
const NEAR: f64 = 6.0;

impl Default for Mouse {
    fn default() -> Self {
        Self { at: Point { x: -1.0, y: -1.0 }, button: Button::Up, pressed: None }
    }
}

impl Mouse {
    /// The state of the button.
    pub fn button(&self) -> Button {
        self.button
    }

    /// The button went down at this point. `when` counts from any fixed moment.
    pub fn press(&mut self, at: Point, when: Duration) -> Input {
        (self.at, self.button) = (at, Button::Down);
        let is_near = |then: Point| (then.x - at.x).abs() < NEAR && (then.y - at.y).abs() < NEAR;
        let is_second = self.pressed.take().is_some_and(|(then, point)| {
            when.checked_sub(then).is_some_and(|since| since < DOUBLE_PRESS) && is_near(point)
        });
        if is_second {
            return Input::DoublePress(at);
        }
        self.pressed = Some((when, at));
        Input::Press(at)
    }

    /// The button went up at this point.
    pub fn release(&mut self, at: Point) -> Input {
        (self.at, self.button) = (at, Button::Up);
        Input::Release(at)
    }

    /// The mouse is at this point now. `None` if it has not moved.
    pub fn go(&mut self, to: Point) -> Option<Input> {
        let from = std::mem::replace(&mut self.at, to);
        match self.button {
            _ if from == to => None,
            Button::Down => Some(Input::Drag { to, by: (to.x - from.x, to.y - from.y) }),
            Button::Up => Some(Input::Hover(to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn two_presses_soon_and_near_are_a_double_press_and_a_third_begins_anew() {
        let mut mouse = Mouse::default();
        let (at, far) = (Point { x: 9.0, y: 9.0 }, Point { x: 9.0, y: 16.0 });
        assert_eq!(mouse.press(at, 1000 * MS), Input::Press(at));
        mouse.release(at);
        assert_eq!(mouse.press(at, 1399 * MS), Input::DoublePress(at));
        assert_eq!(mouse.press(at, 1500 * MS), Input::Press(at), "the third");
        assert_eq!(mouse.press(at, 1900 * MS), Input::Press(at), "too late");
        assert_eq!(mouse.press(far, 1901 * MS), Input::Press(far), "elsewhere");
        assert_eq!(mouse.press(far, MS), Input::Press(far), "a counter that began anew");
    }

    #[test]
    fn moves_drag_while_the_button_is_held() {
        let mut mouse = Mouse::default();
        let (at, to) = (Point { x: 1.0, y: 1.0 }, Point { x: 4.0, y: 0.0 });
        assert_eq!(mouse.go(at), Some(Input::Hover(at)));
        assert_eq!(mouse.go(at), None);
        mouse.press(at, MS);
        assert_eq!(mouse.go(to), Some(Input::Drag { to, by: (3.0, -1.0) }));
        assert_eq!(mouse.release(at), Input::Release(at));
        assert_eq!(mouse.go(to), Some(Input::Hover(to)));
    }
}
