//! The state of the panel of controls, and what keys and mouse do to it.
//!
//! The caller puts the camera's controls in, and sends the camera what [`Panel::obey`], [`Panel::press`] and [`Panel::drag`]
//! return.

use super::keys::{Command, Way};
use crate::viewer::paint::controls::Hit;
use crate::viewer::paint::widget::Widget;
use crate::viewer::watch::controls::{self, Controls, State};
use crate::wire::native::control::ControlKind;
use std::sync::Arc;

/// The panel of one camera.
#[derive(Debug, Default)]
pub struct Panel {
    /// The controls as they were put in.
    known: Arc<Controls>,
    /// The controls as they are drawn.
    controls: Vec<Widget>,
    selected: usize,
    hover: Option<usize>,
    /// The control whose knob is held with the mouse.
    held: Option<usize>,
}

/// A new value for a control, for [`Remote::set`](controls::Remote::set).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The control's V4L2 number.
    pub id: u32,
    /// The value.
    pub value: i64,
}

/// The steps of an arrow key with Shift.
const FAR: i64 = 10;

impl Panel {
    /// Puts in what is known about the controls now. Returns whether it has changed. The selected and the held control stay
    /// the same, even if their places change.
    pub fn update(&mut self, known: Arc<Controls>) -> bool {
        if Arc::ptr_eq(&self.known, &known) {
            return false;
        }
        let id = |index: usize| self.known.all.get(index).map(|control| control.id);
        let (selected, held) = (id(self.selected), self.held.and_then(id));
        let place = |id: Option<u32>| known.all.iter().position(|control| Some(control.id) == id);
        let last = known.all.len().saturating_sub(1);
        self.selected = place(selected).unwrap_or(self.selected.min(last));
        self.held = place(held);
        self.hover = self.hover.filter(|&index| index <= last);
        self.controls = known.all.iter().map(drawn).collect();
        self.known = known;
        true
    }

    /// The controls as they are drawn.
    pub fn controls(&self) -> &[Widget] {
        &self.controls
    }

    /// Why no control can be changed.
    pub fn greyed(&self) -> Option<&str> {
        match &self.known.state {
            State::Closed => Some("this camera does not list its controls"),
            State::Disconnected => Some("the camera is not connected"),
            State::Asked if self.controls.is_empty() => Some("asking the camera"),
            State::Refused(reason) => Some(reason),
            // The controls known from before are listed again in a moment.
            State::Asked | State::Listed => None,
        }
    }

    /// Why the camera refused the last request.
    pub fn complaint(&self) -> Option<&str> {
        self.known.complaint.as_deref()
    }

    /// The control that keys change.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The control under the mouse.
    pub fn hover(&self) -> Option<usize> {
        self.hover
    }

    /// The control whose knob is held with the mouse.
    pub fn held(&self) -> Option<usize> {
        self.held
    }

    /// Handles a key: up and down select, left and right change the value (by ten steps with Shift), Enter toggles a switch,
    /// presses a button or takes a menu's next item, d sets the default.
    pub fn obey(&mut self, command: Command) -> Option<Setting> {
        let control = self.controls.get(self.selected)?;
        let value = match command {
            Command::Move(Way::Up) => {
                self.selected = self.selected.saturating_sub(1);
                return None;
            }
            Command::Move(Way::Down) => {
                self.selected = (self.selected + 1).min(self.controls.len() - 1);
                return None;
            }
            Command::Move(Way::Left) => control.stepped(-1),
            Command::Move(Way::Right) => control.stepped(1),
            Command::Move(Way::FarLeft) => control.stepped(-FAR),
            Command::Move(Way::FarRight) => control.stepped(FAR),
            Command::Enlarge if control.is_switch() || !control.choices.is_empty() => next(control),
            Command::Default => control.default,
            _ => return None,
        };
        self.change(self.selected, value)
    }

    /// The mouse button went down there.
    pub fn press(&mut self, hit: Hit) -> Option<Setting> {
        match hit {
            Hit::Control(index) | Hit::Value(index, _) if index < self.controls.len() => {
                self.selected = index;
            }
            _ => return None,
        }
        let Hit::Value(index, value) = hit else { return None };
        if self.controls[index].is_slider() {
            self.held = Some(index);
        }
        self.change(index, value)
    }

    /// The held knob was dragged to this value.
    pub fn drag(&mut self, value: i64) -> Option<Setting> {
        self.change(self.held?, value)
    }

    /// The mouse button went up.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// The mouse moved there.
    pub fn point(&mut self, hit: Hit) {
        self.hover = match hit {
            Hit::Control(index) | Hit::Value(index, _) => Some(index),
            Hit::Outside | Hit::Panel => None,
        };
    }

    /// Shows the new value at once. The camera's answer may still change it.
    fn change(&mut self, index: usize, value: i64) -> Option<Setting> {
        let is_greyed = self.greyed().is_some();
        let (known, control) = (self.known.all.get(index)?, self.controls.get_mut(index)?);
        let is_allowed = !is_greyed && control.greyed.is_none() && control.is_movable();
        let is_possible = (control.minimum..=control.maximum).contains(&value);
        if !is_allowed || !is_possible || control.value == value {
            return None;
        }
        if known.kind == ControlKind::Button {
            return Some(Setting { id: known.id, value });
        }
        control.value = value;
        let value = match known.items.is_empty() {
            true => value,
            false => known.items.get(usize::try_from(value).ok()?)?.0,
        };
        Some(Setting { id: known.id, value })
    }
}

/// The other value of a switch, or the next one of a menu, starting over after the last.
fn next(control: &Widget) -> i64 {
    if control.value >= control.maximum { control.minimum } else { control.stepped(1) }
}

/// A control as it is drawn: a menu by its items' indexes, since its values have gaps; a button as a switch that stays off.
fn drawn(control: &controls::Control) -> Widget {
    let place = |value: i64| {
        let place = control.items.iter().position(|(item, _)| *item == value);
        place.and_then(|place| i64::try_from(place).ok()).unwrap_or(0)
    };
    let unmoved = Widget {
        name: control.name.clone(),
        greyed: control.greyed.clone(),
        step: 1,
        ..Widget::default()
    };
    match control.kind {
        ControlKind::Button => Widget { maximum: 1, ..unmoved },
        ControlKind::Bitmask => Widget {
            value: control.value,
            greyed: unmoved.greyed.or_else(|| Some("set it with lancam --set".into())),
            ..unmoved
        },
        _ if control.items.is_empty() => Widget {
            minimum: control.minimum,
            maximum: control.maximum,
            step: control.step,
            default: control.default,
            value: control.value,
            ..unmoved
        },
        _ => Widget {
            maximum: i64::try_from(control.items.len()).unwrap_or(i64::MAX) - 1,
            default: place(control.default),
            value: place(control.value),
            choices: control.items.iter().map(|(_, name)| name.clone()).collect(),
            ..unmoved
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::native::control::ControlFlags;

    const CHANGES: [Command; 4] =
        [Command::Move(Way::Left), Command::Move(Way::Right), Command::Enlarge, Command::Default];

    fn control(id: u32, kind: ControlKind, range: (i64, i64), value: i64) -> controls::Control {
        controls::Control {
            id,
            name: format!("Control {id}"),
            kind,
            flags: ControlFlags::default(),
            minimum: range.0,
            maximum: range.1,
            step: 4,
            default: range.0,
            value,
            items: Vec::new(),
            greyed: None,
        }
    }

    /// A number, a switch, a menu, a button, one that an automatic mode sets, and one that makes no sense.
    fn camera() -> Vec<controls::Control> {
        let menu = controls::Control {
            items: vec![(1, "one".into()), (3, "three".into()), (7, "seven".into())],
            default: 3,
            ..control(30, ControlKind::Menu, (1, 7), 1)
        };
        let automatic = controls::Control {
            greyed: Some("an automatic sets it".into()),
            ..control(50, ControlKind::Integer, (0, 10), 5)
        };
        vec![
            control(10, ControlKind::Integer, (0, 10), 5),
            control(20, ControlKind::Boolean, (0, 1), 0),
            menu,
            control(40, ControlKind::Button, (0, 0), 0),
            automatic,
            control(60, ControlKind::Integer, (i64::MAX, i64::MIN), 7),
        ]
    }

    fn panel(state: State, all: Vec<controls::Control>) -> Panel {
        let mut panel = Panel::default();
        assert!(panel.update(Arc::new(Controls { state, all, complaint: None })));
        panel
    }

    fn change(id: u32, value: i64) -> Option<Setting> {
        Some(Setting { id, value })
    }

    #[test]
    fn keys_select_and_change_within_the_range() {
        let mut panel = panel(State::Listed, camera());
        assert_eq!(panel.obey(Command::Move(Way::Right)), change(10, 9));
        assert_eq!(panel.obey(Command::Move(Way::Right)), change(10, 10));
        assert_eq!(panel.obey(Command::Move(Way::Right)), None, "it is at its end");
        assert_eq!(panel.obey(Command::Enlarge), None, "a number is no choice");
        assert_eq!(panel.obey(Command::Default), change(10, 0));
        assert_eq!(
            panel.obey(Command::Move(Way::FarRight)),
            change(10, 10),
            "as far as there is room"
        );
        assert_eq!(panel.obey(Command::Move(Way::FarLeft)), change(10, 0));
        assert_eq!(panel.obey(Command::Move(Way::Up)), None);
        assert_eq!((panel.obey(Command::Move(Way::Down)), panel.selected()), (None, 1));
        assert_eq!(panel.obey(Command::Enlarge), change(20, 1));
        assert_eq!(panel.obey(Command::Enlarge), change(20, 0));
        for _ in 0..9 {
            panel.obey(Command::Move(Way::Down));
        }
        for command in CHANGES {
            assert_eq!(panel.obey(command), None, "a range that makes no sense is left alone");
        }
        panel.obey(Command::Move(Way::Up));
        assert_eq!(
            (panel.selected(), panel.obey(Command::Move(Way::Right))),
            (4, None),
            "an automatic sets it"
        );
    }

    #[test]
    fn a_menu_goes_from_item_to_item_over_its_gaps_and_a_button_stays_off() {
        let mut panel = panel(State::Listed, camera());
        panel.selected = 2;
        assert_eq!(panel.controls()[2].choices, ["one", "three", "seven"]);
        assert_eq!(panel.obey(Command::Move(Way::Right)), change(30, 3));
        assert_eq!(panel.obey(Command::Enlarge), change(30, 7));
        assert_eq!(panel.obey(Command::Enlarge), change(30, 1), "and round");
        assert_eq!(panel.obey(Command::Default), change(30, 3));
        panel.selected = 3;
        assert_eq!(
            (panel.obey(Command::Enlarge), panel.obey(Command::Enlarge)),
            (change(40, 1), change(40, 1))
        );
        assert_eq!(panel.press(Hit::Value(3, 1)), change(40, 1));
        assert_eq!(panel.controls()[3].value, 0);
    }

    #[test]
    fn a_knob_is_dragged_and_a_switch_only_pressed() {
        let mut panel = panel(State::Listed, camera());
        assert_eq!(panel.press(Hit::Value(0, 8)), change(10, 8));
        assert_eq!(panel.drag(4), change(10, 4));
        assert_eq!(panel.drag(99), None);
        // An update from the camera does not end the drag, nor do controls that come before this one.
        let mut known = Controls::clone(&panel.known);
        known.all.rotate_right(1);
        assert!(panel.update(Arc::new(known)));
        assert_eq!((panel.drag(8), panel.selected()), (change(10, 8), 1));
        panel.release();
        assert_eq!(panel.drag(4), None);
        assert_eq!(panel.press(Hit::Value(2, 1)), change(20, 1));
        assert_eq!((panel.held(), panel.selected()), (None, 2));
        assert_eq!(panel.press(Hit::Value(3, 2)), change(30, 7), "an item of a menu");
        assert_eq!(panel.held(), None);
        assert_eq!(panel.press(Hit::Value(99, 1)), None);
        panel.point(Hit::Control(1));
        assert_eq!(panel.hover(), Some(1));
    }

    #[test]
    fn nothing_is_changed_where_the_camera_does_not_let_it_and_the_reason_is_said() {
        for (state, reason) in [
            (State::Refused("--control off".into()), Some("--control off")),
            (State::Disconnected, Some("the camera is not connected")),
            (State::Asked, None),
        ] {
            let is_live = reason.is_none();
            let mut panel = panel(state, camera());
            assert_eq!(panel.greyed(), reason);
            assert_eq!(panel.obey(Command::Move(Way::Right)).is_some(), is_live);
            assert_eq!(panel.press(Hit::Value(0, 8)).is_some(), is_live);
        }
        let mut empty = panel(State::Asked, Vec::new());
        assert_eq!(empty.greyed(), Some("asking the camera"));
        assert_eq!(empty.obey(Command::Move(Way::Down)), None);
    }

    #[test]
    fn numbers_that_make_no_sense_do_no_harm() {
        let edges = [i64::MIN, -1, 0, 1, i64::MAX];
        let kinds = [ControlKind::Integer, ControlKind::Boolean, ControlKind::Other(77)];
        for range in edges.into_iter().flat_map(|a| edges.map(|b| (a, b))) {
            for (kind, step) in kinds.into_iter().flat_map(|kind| [(kind, 0), (kind, u64::MAX)]) {
                let odd = controls::Control { step, ..control(1, kind, range, i64::MAX) };
                let mut panel = panel(State::Listed, vec![odd]);
                for command in CHANGES {
                    panel.obey(command);
                }
                panel.press(Hit::Value(0, i64::MIN));
                panel.drag(i64::MAX);
            }
        }
    }
}
