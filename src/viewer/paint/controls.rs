//! The panel of a camera's controls.

// A slider's columns are converted to values and back. Every range is clamped before.
#![allow(clippy::cast_possible_truncation)]

use super::canvas::Canvas;
use super::choice::Choice;
use super::rect::Rect;
use super::rows::Rows;
use super::scale::Scale;
use super::style::{ACCENT, FAINT, HOVER, PANEL, QUIET, SELECTED, TEXT, WARN, WELL};
use super::text_style::{Align, Style};
use super::widget::Widget;

/// The panel of a camera's controls.
#[derive(Debug, Clone, Copy)]
pub struct Panel<'a> {
    /// The camera's name.
    pub camera: &'a str,
    /// Its controls.
    pub controls: &'a [Widget],
    /// The control that keys change.
    pub selected: usize,
    /// The control under the mouse.
    pub hover: Option<usize>,
    /// What it showed last, as [`PanelLayout::shown`] returned it.
    pub shown: Shown,
    /// Why no control can be changed, or why there are none. `None` if they can.
    pub greyed: Option<&'a str>,
}

/// What a panel shows of its controls and of its reason. The next frame and the mouse need it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// The first visible control.
    pub first: usize,
    /// How many lines the reason has at the panel's width.
    pub reason_lines: i32,
}

/// The positions of the panel's parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelLayout {
    panel: Rect,
    head: Rect,
    reason: Rect,
    foot: Rect,
    rows: Rows,
    reason_lines: i32,
    scale: Scale,
    /// Whether a slider lies below its name.
    is_tall: bool,
}

/// What is under the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// Nothing of the panel.
    Outside,
    /// The panel, but not a control.
    Panel,
    /// A control, but not its value.
    Control(usize),
    /// A control's slider or switch. A click there sets this value.
    Value(usize, i64),
}

/// All in ems.
const WIDTH: f32 = 22.0;
const TALL_ROW: f32 = 3.2;
const LOW_ROW: f32 = 1.7;
/// The width of a switch, and of a slider's knob.
const SWITCH: f32 = 2.0;
const KNOB: f32 = 0.8;
/// The height of a line of the reason.
const REASON_LINE: f32 = 1.35;
/// The most lines of a reason. A camera may send a longer one.
const MOST_LINES: i32 = 12;
/// The height of a menu's box below its name.
const MENU: f32 = 1.25;

impl PanelLayout {
    /// What is visible, for [`Panel::shown`] of the next frame.
    pub fn shown(&self) -> Shown {
        Shown { first: self.rows.first(), reason_lines: self.reason_lines }
    }

    /// The room for the reason's text.
    fn reason_text(&self) -> Rect {
        self.reason.inset(self.scale.em(0.6), 0)
    }

    /// What is at a point.
    pub fn hit(&self, controls: &[Widget], x: i32, y: i32) -> Hit {
        let Some(index) = self.rows.at(x, y) else {
            return if self.panel.contains(x, y) { Hit::Panel } else { Hit::Outside };
        };
        let Some((control, row)) = controls.get(index).zip(self.rows.rect(index)) else {
            return Hit::Panel;
        };
        let place = self.value_room(control, row);
        // A click slightly beside a slider's end counts as its end.
        let reach = self.scale.em(KNOB);
        let near = Rect::new(place.x - reach, place.y, place.width + 2 * reach, place.height);
        if !near.contains(x, y) {
            return Hit::Control(index);
        }
        if control.is_switch() {
            return Hit::Value(index, i64::from(control.value == 0));
        }
        if !control.is_slider() {
            let offset = i64::try_from(self.choice(control, place).at(x)).unwrap_or(0);
            return Hit::Value(index, control.minimum.saturating_add(offset));
        }
        Hit::Value(index, self.value_at(control, index, x).unwrap_or(control.value))
    }

    fn choice<'a>(&self, control: &'a Widget, room: Rect) -> Choice<'a> {
        let offset = control.value.checked_sub(control.minimum);
        let set = offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0);
        Choice { names: &control.choices, set, room, scale: self.scale }
    }

    /// The value of a slider whose knob is dragged to column `x`, which may lie beyond its ends. `None` if the control is
    /// not visible.
    pub fn value_at(&self, control: &Widget, index: usize, x: i32) -> Option<i64> {
        let room = self.value_room(control, self.rows.rect(index)?);
        let groove = self.groove(room);
        Some(control.at_part(f64::from(x - groove.x) / f64::from(groove.width.max(1))))
    }

    /// The room for a row's slider or switch.
    fn value_room(&self, control: &Widget, row: Rect) -> Rect {
        let scale = self.scale;
        let inner = self.inner(row);
        match (self.is_tall, control.is_switch()) {
            (true, true) => {
                let (right, _) = inner.split_right(scale.em(SWITCH));
                right
            }
            (true, false) if !control.is_slider() => {
                inner.split_top(inner.height - scale.em(MENU)).1
            }
            (true, false) => inner.split_top(inner.height / 2).1,
            (false, true) => inner.split_right(scale.em(SWITCH)).0,
            (false, false) if !control.is_slider() => inner.split_right(inner.width / 2).0,
            (false, false) => {
                let (right, _) = inner.split_right(inner.width / 2);
                right.split_left(right.width - scale.em(3.6)).0
            }
        }
    }

    /// The line in whose middle a row's name is drawn.
    fn name_line(&self, control: &Widget, row: Rect) -> Rect {
        let inner = self.inner(row);
        match self.is_tall && !control.is_switch() {
            // Farther from a menu's box than from a slider's thin line.
            true if !control.is_slider() => inner.split_top(inner.height * 2 / 5).0,
            true => inner.split_top(inner.height * 11 / 20).0,
            false => inner,
        }
    }

    /// A row without its margins.
    fn inner(&self, row: Rect) -> Rect {
        row.inset(self.scale.em(0.6), if self.is_tall { self.scale.em(0.3) } else { 0 })
    }

    /// The line along which the middle of the knob moves.
    fn groove(&self, room: Rect) -> Rect {
        let scale = self.scale;
        let (half, thick) = (scale.em(KNOB / 2.0), scale.em(0.24).max(2));
        let y = room.y + room.height / 2 - thick / 2;
        Rect::new(room.x + half, y, room.width - 2 * half, thick)
    }
}

impl Panel<'_> {
    /// The positions on a canvas with this area and scale.
    pub fn layout(&self, area: Rect, scale: Scale) -> PanelLayout {
        let is_tall = area.height >= scale.em(16.0);
        let margin = scale.em(if is_tall { 0.8 } else { 0.4 });
        let room = area.inset(margin, margin);
        let row = scale.em(if is_tall { TALL_ROW } else { LOW_ROW });
        let head = if is_tall { scale.em(3.0) } else { 0 };
        let foot = if is_tall { scale.em(2.4) } else { 0 };
        let least = if is_tall { 2 } else { 1 };
        let reason_lines = self.shown.reason_lines.clamp(least, MOST_LINES);
        let reason = match self.greyed {
            Some(_) => {
                scale.em(REASON_LINE) * reason_lines + scale.em(if is_tall { 0.5 } else { 0.25 })
            }
            None => 0,
        };
        let padding = scale.em(0.4);
        let count = i32::try_from(self.controls.len()).unwrap_or(i32::MAX);
        let high = row.saturating_mul(count).saturating_add(head + foot + reason + 2 * padding);
        let high = high.min(room.height);
        let (right, _) = room.split_right(scale.em(WIDTH));
        let (panel, _) = right.split_top(high);
        let inner = panel.inset(padding, padding);
        let (head, rest) = inner.split_top(head);
        let (reason, rest) = rest.split_top(reason);
        let (list, foot) = rest.split_top(rest.height - foot);
        let selected = (!self.controls.is_empty()).then_some(self.selected);
        let rows = Rows::new(list, row, self.controls.len(), self.shown.first, selected);
        PanelLayout { panel, head, reason, foot, rows, reason_lines, scale, is_tall }
    }

    /// Draws the panel at the right of the canvas.
    pub fn draw(&self, canvas: &mut Canvas<'_>) -> PanelLayout {
        let scale = canvas.scale();
        let layout = self.layout_for(canvas);
        canvas.panel_of(layout.panel, PANEL);
        if layout.is_tall {
            self.draw_head(canvas, &layout);
        }
        if let Some(reason) = self.greyed {
            let style = Style::new(scale.small(), WARN);
            let room = layout.reason_text();
            canvas.paragraph(room, reason, style, Align::Left, scale.em(REASON_LINE));
        }
        for index in layout.rows.seen() {
            let (Some(control), Some(row)) = (self.controls.get(index), layout.rows.rect(index))
            else {
                continue;
            };
            if index == self.selected {
                canvas.rounded(row, scale.em(0.35), SELECTED);
            } else if Some(index) == self.hover {
                canvas.rounded(row, scale.em(0.35), HOVER);
            }
            self.draw_control(&mut canvas.part(row), &layout, control);
        }
        let column = Rect::new(
            layout.panel.right() - scale.em(0.32),
            layout.reason.bottom(),
            scale.em(0.2).max(2),
            layout.foot.y - layout.reason.bottom(),
        );
        layout.rows.draw_bar(canvas, column);
        layout
    }

    /// The positions with room for the whole reason.
    fn layout_for(&self, canvas: &mut Canvas<'_>) -> PanelLayout {
        let (area, scale) = (canvas.area(), canvas.scale());
        let Some(reason) = self.greyed else { return self.layout(area, scale) };
        let width = self.layout(area, scale).reason_text().width;
        let style = Style::new(scale.small(), WARN);
        let reason_lines = canvas.count_lines(reason, style, width);
        Self { shown: Shown { reason_lines, ..self.shown }, ..*self }.layout(area, scale)
    }

    fn draw_head(&self, canvas: &mut Canvas<'_>, layout: &PanelLayout) {
        let scale = canvas.scale();
        let side = scale.em(0.6);
        let head = layout.head.inset(side, 0);
        let title = Style::new(scale.text() * 1.2, TEXT).bold();
        let end = canvas.text(head, "Controls", title, Align::Left) + scale.em(0.8);
        let rest = Rect::new(end, head.y, head.right() - end, head.height);
        canvas.text(rest, self.camera, Style::new(scale.small(), QUIET), Align::Right);
        let hint = match self.greyed {
            Some(_) => "c closes",
            None => "↑ ↓ choose · ← → change · Shift ×10 · d default",
        };
        canvas.text(
            layout.foot.inset(side, 0),
            hint,
            Style::new(scale.small(), FAINT),
            Align::Left,
        );
    }

    fn draw_control(&self, canvas: &mut Canvas<'_>, layout: &PanelLayout, control: &Widget) {
        let (scale, row) = (canvas.scale(), canvas.area());
        let is_live = self.greyed.is_none() && control.greyed.is_none() && control.is_movable();
        let (name_colour, value_colour) = if is_live { (TEXT, TEXT) } else { (FAINT, FAINT) };
        let inner = layout.inner(row);
        let room = layout.value_room(control, row);
        let name = Style::new(scale.text(), name_colour);
        let value = Style::new(scale.small(), value_colour).even();
        let line = layout.name_line(control, row);
        if control.is_switch() {
            let (left, _) = line.split_left(line.width - scale.em(SWITCH + 0.6));
            canvas.text(left, &control.name, name, Align::Left);
            draw_switch(canvas, room, control.value != 0, is_live);
            return;
        }
        let is_menu = !control.choices.is_empty() && control.greyed.is_none();
        if is_menu {
            let (left, _) = match layout.is_tall {
                true => (line, line),
                false => inner.split_left(inner.width / 2 - scale.em(0.6)),
            };
            canvas.text(left, &control.name, name, Align::Left);
            layout.choice(control, room).draw(canvas, is_live);
            return;
        }
        let said = control.said();
        if layout.is_tall {
            let width = canvas.measure(&said, value).min(line.width / 2);
            let (right, left) = line.split_right(width);
            canvas.text(
                left.split_left(left.width - scale.em(0.6)).0,
                &control.name,
                name,
                Align::Left,
            );
            canvas.text(right, &said, value, Align::Right);
        } else {
            canvas.text(
                inner.split_left(inner.width / 2 - scale.em(0.6)).0,
                &control.name,
                name,
                Align::Left,
            );
            canvas.text(inner.split_right(scale.em(3.3)).0, &said, value, Align::Right);
        }
        match (&control.greyed, self.greyed) {
            (Some(reason), None) if layout.is_tall => {
                let (room, _) = room.split_top(room.height * 4 / 5);
                canvas.text(room, reason, Style::new(scale.small(), QUIET), Align::Left);
            }
            _ => draw_slider(canvas, layout.groove(room), control, is_live),
        }
    }
}

fn draw_switch(canvas: &mut Canvas<'_>, room: Rect, is_on: bool, is_live: bool) {
    let scale = canvas.scale();
    let place = room.centred(scale.em(SWITCH), scale.em(1.1));
    let colour = match (is_live, is_on) {
        (true, true) => ACCENT,
        (true, false) => WELL.with_alpha(60),
        (false, _) => WELL,
    };
    canvas.rounded(place, place.height / 2, colour);
    let radius = place.height as f32 / 2.0;
    let x = if is_on { place.right() as f32 - radius } else { place.x as f32 + radius };
    let knob = if is_live { TEXT } else { FAINT };
    canvas.disc((x, place.y as f32 + radius), radius - scale.text() * 0.13, knob);
}

fn draw_slider(canvas: &mut Canvas<'_>, groove: Rect, control: &Widget, is_live: bool) {
    let scale = canvas.scale();
    let column = |part: f32| groove.x as f32 + part * groove.width as f32;
    canvas.rounded(groove, groove.height / 2, WELL.with_alpha(if is_live { 50 } else { 24 }));
    if !control.is_movable() {
        return;
    }
    let middle = groove.y as f32 + groove.height as f32 / 2.0;
    let x = column(control.part_of(control.value));
    let (done, _) = groove.split_left(x as i32 - groove.x);
    let colour = if is_live { ACCENT } else { FAINT.with_alpha(120) };
    canvas.rounded(done, groove.height / 2, colour);
    // Marks the default value.
    let mark = column(control.part_of(control.default)).round() as i32;
    let (thick, high) = (scale.hair() + 1, scale.em(0.75));
    let place = Rect::new(mark - thick / 2, middle as i32 - high / 2, thick, high);
    canvas.fill(place, QUIET.with_alpha(if is_live { 200 } else { 90 }));
    let knob = if is_live { TEXT } else { FAINT };
    canvas.disc((x, middle), scale.text() * KNOB / 2.0, knob);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(minimum: i64, maximum: i64, step: u64, value: i64) -> Widget {
        Widget { minimum, maximum, step, value, default: 5, ..Widget::default() }
    }

    #[test]
    fn the_mouse_finds_controls_and_their_values() {
        let mut controls = vec![control(0, 100, 1, 50), control(0, 1, 1, 0), control(0, 255, 1, 9)];
        controls[2].name = "Gain".into();
        let panel = Panel {
            camera: "",
            controls: &controls,
            selected: 0,
            hover: None,
            shown: Shown::default(),
            greyed: None,
        };
        for size in [(160, 120), (640, 360), (1280, 720)] {
            let area = Rect::new(0, 0, size.0, size.1);
            let layout = panel.layout(area, Scale::for_area(area, 1.0));
            let row = layout.rows.rect(0).expect("seen");
            let groove = layout.groove(layout.value_room(&controls[0], row));
            assert_eq!(layout.hit(&controls, groove.x, groove.y), Hit::Value(0, 0));
            assert_eq!(layout.hit(&controls, groove.right(), groove.y), Hit::Value(0, 100));
            assert_eq!(layout.hit(&controls, row.x, row.y), Hit::Control(0));
            assert_eq!(layout.value_at(&controls[0], 0, i32::MAX / 2), Some(100));
            assert_eq!(layout.value_at(&controls[0], 0, -5000), Some(0));
            let switch = layout.rows.rect(1).expect("seen");
            let place = layout.value_room(&controls[1], switch);
            assert_eq!(layout.hit(&controls, place.x + 2, place.y + 2), Hit::Value(1, 1));
            assert_eq!(layout.hit(&controls, 0, 0), Hit::Outside);
            let mut menu = controls.clone();
            (menu[0].minimum, menu[0].maximum, menu[0].value) = (0, 1, 0);
            menu[0].choices = ["off", "on"].map(str::to_owned).to_vec();
            let room = layout.value_room(&menu[0], row);
            assert_eq!(layout.hit(&menu, room.right() - 3, room.y + 2), Hit::Value(0, 1));
            // Letters like g reach 0.6 em below the middle of their line.
            let name = layout.name_line(&menu[0], row);
            let end = name.y + name.height / 2 + layout.scale.em(0.6);
            assert!(!layout.is_tall || end < room.y, "the name touches its menu: {end} {room:?}");
        }
    }
}
