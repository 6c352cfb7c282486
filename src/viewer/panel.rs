//! The panel of a camera's controls: what keys and mouse do to it, as plain state.
//!
//! Whoever knows the camera's controls puts them in, and sends it what [`Panel::key`], [`Panel::press`] and
//! [`Panel::drag`] return.

use super::input::Key;
use super::paint::controls::{Control, Hit};

/// One camera's panel.
#[derive(Debug)]
pub struct Panel {
    controls: Vec<Control>,
    /// Why none of them can be changed.
    greyed: Option<String>,
    selected: usize,
    hover: Option<usize>,
    /// The one whose knob is held with the mouse.
    held: Option<usize>,
}

/// A control is to have another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Which one, as they were put in.
    pub index: usize,
    /// The value.
    pub value: i64,
}

impl Default for Panel {
    fn default() -> Self {
        Self {
            controls: Vec::new(),
            greyed: Some("this camera does not say which controls it has".to_owned()),
            selected: 0,
            hover: None,
            held: None,
        }
    }
}

impl Panel {
    /// These are the controls now, and why none can be changed, if so. What is selected stays.
    pub fn set(&mut self, controls: Vec<Control>, greyed: Option<String>) {
        self.selected = self.selected.min(controls.len().saturating_sub(1));
        (self.controls, self.greyed) = (controls, greyed);
    }

    /// The controls.
    pub fn controls(&self) -> &[Control] {
        &self.controls
    }

    /// Why none of them can be changed.
    pub fn greyed(&self) -> Option<&str> {
        self.greyed.as_deref()
    }

    /// The one that keys change.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The one that the mouse is on.
    pub fn hover(&self) -> Option<usize> {
        self.hover
    }

    /// The one whose knob is held with the mouse.
    pub fn held(&self) -> Option<usize> {
        self.held
    }

    /// A key was pressed: up and down select, left and right change, Enter switches, d is the default.
    pub fn key(&mut self, key: Key) -> Option<Change> {
        let last = self.controls.len().checked_sub(1)?;
        let control = &self.controls[self.selected];
        let value = match key {
            Key::Up => {
                self.selected = self.selected.saturating_sub(1);
                return None;
            }
            Key::Down => {
                self.selected = (self.selected + 1).min(last);
                return None;
            }
            Key::Left => control.stepped(-1),
            Key::Right => control.stepped(1),
            Key::Enter if control.is_switch() => i64::from(control.value == 0),
            Key::Character('d' | 'D') => control.default,
            _ => return None,
        };
        self.change(self.selected, value)
    }

    /// The mouse's button went down there.
    pub fn press(&mut self, hit: Hit) -> Option<Change> {
        match hit {
            Hit::Control(index) | Hit::Value(index, _) if index < self.controls.len() => {
                self.selected = index;
            }
            _ => return None,
        }
        let Hit::Value(index, value) = hit else { return None };
        if !self.controls[index].is_switch() {
            self.held = Some(index);
        }
        self.change(index, value)
    }

    /// The knob that is held was dragged to this value.
    pub fn drag(&mut self, value: i64) -> Option<Change> {
        self.change(self.held?, value)
    }

    /// The button is up again.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// The mouse is there.
    pub fn point(&mut self, hit: Hit) {
        self.hover = match hit {
            Hit::Control(index) | Hit::Value(index, _) => Some(index),
            Hit::Outside | Hit::Panel => None,
        };
    }

    /// Shows the value at once, as it is to be; the camera may still say something else.
    fn change(&mut self, index: usize, value: i64) -> Option<Change> {
        let control = self.controls.get_mut(index)?;
        let is_allowed = self.greyed.is_none() && control.greyed.is_none() && control.is_movable();
        let is_possible = (control.minimum..=control.maximum).contains(&value);
        if !is_allowed || !is_possible || control.value == value {
            return None;
        }
        control.value = value;
        Some(Change { index, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(minimum: i64, maximum: i64, step: u64, value: i64) -> Control {
        let name = "Brightness".to_owned();
        Control { name, minimum, maximum, step, default: minimum, value, ..Control::default() }
    }

    fn panel(greyed: Option<&str>) -> Panel {
        let mut panel = Panel::default();
        let absurd = control(i64::MAX, i64::MIN, 0, 7);
        let controls = vec![control(0, 10, 4, 5), control(0, 1, 1, 0), absurd];
        panel.set(controls, greyed.map(str::to_owned));
        panel
    }

    #[test]
    fn keys_select_and_change_within_the_range() {
        let mut panel = panel(None);
        assert_eq!(panel.key(Key::Right), Some(Change { index: 0, value: 9 }));
        assert_eq!(panel.key(Key::Right), Some(Change { index: 0, value: 10 }));
        assert_eq!(panel.key(Key::Right), None, "it is at its end");
        assert_eq!(panel.key(Key::Character('d')), Some(Change { index: 0, value: 0 }));
        assert_eq!(panel.key(Key::Up), None);
        assert_eq!((panel.key(Key::Down), panel.selected()), (None, 1));
        assert_eq!(panel.key(Key::Enter), Some(Change { index: 1, value: 1 }));
        panel.key(Key::Down);
        panel.key(Key::Down);
        for key in [Key::Left, Key::Right, Key::Enter, Key::Character('d')] {
            assert_eq!(panel.key(key), None, "a range that makes no sense is left alone");
        }
    }

    #[test]
    fn a_knob_is_dragged_and_a_switch_only_pressed() {
        let mut panel = panel(None);
        assert_eq!(panel.press(Hit::Value(0, 8)), Some(Change { index: 0, value: 8 }));
        assert_eq!(panel.drag(4), Some(Change { index: 0, value: 4 }));
        assert_eq!(panel.drag(99), None);
        panel.release();
        assert_eq!(panel.drag(8), None);
        assert_eq!(panel.press(Hit::Value(1, 1)), Some(Change { index: 1, value: 1 }));
        assert_eq!((panel.held(), panel.selected()), (None, 1));
        assert_eq!(panel.press(Hit::Value(99, 1)), None);
        panel.point(Hit::Control(1));
        assert_eq!(panel.hover(), Some(1));
    }

    #[test]
    fn nothing_is_changed_where_the_camera_does_not_let_it() {
        let mut panel = panel(Some("--control off"));
        assert_eq!(panel.key(Key::Right), None);
        assert_eq!(panel.press(Hit::Value(0, 8)), None);
        panel.set(Vec::new(), None);
        assert_eq!(panel.key(Key::Down), None);
    }
}
