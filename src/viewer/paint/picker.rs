//! The list of cameras to choose from.

use super::badges::Lapse;
use super::canvas::Canvas;
use super::field::Field;
use super::lock;
use super::rect::Rect;
use super::rows::Rows;
use super::scale::Scale;
use super::style::{ACCENT, Colour, FAINT, GOOD, HOVER, PANEL_DENSE, QUIET, SELECTED, TEXT};
use super::text::Short;
use super::text_style::{Align, Style};
use crate::image::pixels::Size;
use crate::rate::Rate;
use std::time::Duration;

/// A camera in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The camera's address.
    pub address: String,
    /// The size of its pictures; `None` if it has none yet.
    pub size: Option<Size>,
    /// The frame rate, as far as it is known.
    pub rate: Rate,
    /// How long the camera has not answered; `None` if it answers.
    pub lost: Option<Duration>,
    /// Whether it is selected to be opened together with others.
    pub is_chosen: bool,
    /// Who may watch it.
    pub lock: Lock,
}

/// Who may watch a camera.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lock {
    /// Everybody, as far as it is known.
    #[default]
    None,
    /// Those who have paired, and this viewer has.
    Paired,
    /// Those who have paired. This viewer has not.
    WantsCode,
}

/// The list.
#[derive(Debug, Clone, Copy)]
pub struct Picker<'a> {
    /// The cameras.
    pub rows: &'a [Row],
    /// Whether more cameras have answered than there are rows.
    pub is_cut: bool,
    /// The camera that Enter opens. After the last one, the field for an address is active.
    pub selected: usize,
    /// The camera under the mouse.
    pub hover: Option<usize>,
    /// The first visible row, as [`PickerLayout::first`] returned it last; 0 at first.
    pub first: usize,
    /// How long cameras have been searched for.
    pub looking: Duration,
    /// What to do if there is none, in one or two sentences.
    pub advice: &'a str,
    /// The text in the field for an address.
    pub typed: &'a str,
    /// What Esc does: `quits`.
    pub leaving: &'a str,
}

/// The positions of the list's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PickerLayout {
    panel: Rect,
    title: Rect,
    field: Rect,
    foot: Rect,
    rows: Rows,
    /// The width at the left of a row in which a click selects it instead of opening it.
    mark: i32,
    /// Whether a row has two lines.
    is_tall: bool,
}

/// All in ems.
const WIDTH: f32 = 36.0;
const TALL_ROW: f32 = 3.1;
const LOW_ROW: f32 = 1.7;
/// The height of the list while it is empty.
const EMPTY: f32 = 6.0;
/// The height of the field for an address, with the gap above it.
const FIELD: f32 = 2.6;
const LOW_FIELD: f32 = 1.7;
/// The height of two lines about keys.
const FOOT: f32 = 3.6;
/// The width of a row's number and dot.
const MARK: f32 = 2.4;
const LOW_MARK: f32 = 1.2;
/// The gap between a name and its lock.
const LOCK_GAP: f32 = 0.45;

/// What a row says of a camera that this viewer is not paired with.
const WANTS_CODE: &str = "wants a code";

/// The text in the empty field.
const PLACEHOLDER: &str = "Another camera: type its name or address";

impl PickerLayout {
    /// The first visible row, for [`Picker::first`] of the next frame.
    pub fn first(&self) -> usize {
        self.rows.first()
    }

    /// The row at a point.
    pub fn row_at(&self, x: i32, y: i32) -> Option<usize> {
        self.rows.at(x, y)
    }

    /// The row whose number or dot is at a point.
    pub fn mark_at(&self, x: i32, y: i32) -> Option<usize> {
        let row = self.rows.at(x, y)?;
        self.rows.rect(row).filter(|place| x < place.x + self.mark).map(|_| row)
    }

    /// Whether the field is at a point.
    pub fn is_field_at(&self, x: i32, y: i32) -> bool {
        self.field.contains(x, y)
    }
}

impl Picker<'_> {
    /// The positions on a canvas of this area and scale.
    pub fn layout(&self, area: Rect, scale: Scale) -> PickerLayout {
        let is_tall = area.height >= scale.em(16.0);
        let margin = scale.em(if is_tall { 0.8 } else { 0.4 });
        let most = area.inset(margin, margin);
        let row = scale.em(if is_tall { TALL_ROW } else { LOW_ROW });
        let count = i32::try_from(self.rows.len()).unwrap_or(i32::MAX);
        let list = if count == 0 { scale.em(EMPTY) } else { row.saturating_mul(count) };
        let head = if is_tall { scale.em(3.0) } else { 0 };
        let foot = if is_tall { scale.em(FOOT) } else { 0 };
        let field = scale.em(if is_tall { FIELD } else { LOW_FIELD });
        let padding = scale.em(if is_tall { 0.7 } else { 0.35 });
        let beside = head + field + if foot > 0 { foot } else { 2 * padding };
        let panel = most.centred(scale.em(WIDTH), list.saturating_add(beside));
        let inner = panel.inset(padding, if is_tall { 0 } else { padding });
        let (title, rest) = inner.split_top(head);
        let (rest, foot) = rest.split_top(rest.height - foot);
        let (list, field) = rest.split_top(rest.height - field);
        let (_, field) = field.split_top(scale.em(0.3));
        let selected = (self.selected < self.rows.len()).then_some(self.selected);
        let rows = Rows::new(list, row, self.rows.len(), self.first, selected);
        let mark = scale.em(if is_tall { MARK } else { LOW_MARK }) + scale.em(0.5);
        PickerLayout { panel, title, field, foot, rows, mark, is_tall }
    }

    /// Draws the list in the middle of the canvas.
    pub fn draw(&self, canvas: &mut Canvas<'_>) -> PickerLayout {
        let scale = canvas.scale();
        let layout = self.layout(canvas.area(), scale);
        canvas.panel_of(layout.panel, PANEL_DENSE);
        let side = scale.em(0.7);
        if layout.is_tall {
            let title = layout.title.inset(side, 0);
            canvas.text(title, "Cameras", Style::new(scale.text() * 1.2, TEXT).bold(), Align::Left);
            canvas.text(
                title,
                &self.state(),
                Style::new(scale.small(), QUIET).even(),
                Align::Right,
            );
            self.draw_foot(canvas, layout.foot.inset(side, 0));
        }
        if self.rows.is_empty() {
            self.draw_empty(canvas, layout);
        }
        for index in layout.rows.seen() {
            let (Some(row), Some(place)) = (self.rows.get(index), layout.rows.rect(index)) else {
                continue;
            };
            if index == self.selected {
                canvas.rounded(place, scale.em(0.35), SELECTED);
            } else if Some(index) == self.hover {
                canvas.rounded(place, scale.em(0.35), HOVER);
            }
            let mut canvas = canvas.part(place);
            match layout.is_tall {
                true => row.draw_tall(&mut canvas, index),
                false => row.draw_low(&mut canvas),
            }
        }
        self.draw_field(canvas, layout);
        let list = layout.title.bottom();
        let bar = Rect::new(
            layout.panel.right() - scale.em(0.5),
            list,
            scale.em(0.2).max(2),
            layout.field.y - list,
        );
        layout.rows.draw_bar(canvas, bar);
        layout
    }

    /// Draws the lines about keys.
    fn draw_foot(&self, canvas: &mut Canvas<'_>, foot: Rect) {
        let style = Style::new(canvas.scale().small(), FAINT);
        let chosen = self.rows.iter().filter(|row| row.is_chosen).count();
        let opens = match (self.rows.len(), chosen) {
            (0, _) => Short::of(format_args!("Enter opens what you typed")),
            (_, 0) => {
                Short::of(format_args!("Enter or 1–9 opens · Space selects several · / to type"))
            }
            (_, 1) => {
                Short::of(format_args!("Enter opens the selected camera · Space selects more"))
            }
            (_, chosen) => {
                Short::of(format_args!("Enter opens the {chosen} selected cameras side by side"))
            }
        };
        let line = canvas.scale().em(1.35);
        let (upper, lower) = foot.inset(0, canvas.scale().em(0.4)).split_top(line);
        canvas.text(upper, &opens, style, Align::Left);
        let leaves = Short::of(format_args!("Esc {} · ? for keys", self.leaving));
        canvas.text(lower.split_top(line).0, &leaves, style, Align::Left);
    }

    /// Draws the field for an address.
    fn draw_field(&self, canvas: &mut Canvas<'_>, layout: PickerLayout) {
        let style = Style::new(canvas.scale().text(), TEXT);
        let (placeholder, typed) = (PLACEHOLDER, self.typed);
        let inset = if layout.is_tall { 0.7 } else { 0.5 };
        let cursor = (self.selected >= self.rows.len()).then_some(1.2);
        Field { placeholder, typed, style, inset, cursor }.draw(canvas, layout.field);
    }

    fn state(&self) -> Short {
        match self.rows.len() {
            0 => Short::of(format_args!("looking for {}", Lapse(self.looking))),
            count if self.is_cut => Short::of(format_args!("{count} shown, others left out")),
            1 => Short::of(format_args!("1 found, looking for more")),
            count => Short::of(format_args!("{count} found, looking for more")),
        }
    }

    fn draw_empty(&self, canvas: &mut Canvas<'_>, layout: PickerLayout) {
        let scale = canvas.scale();
        let top = layout.title.bottom();
        let room = Rect::new(layout.title.x, top, layout.title.width, layout.field.y - top);
        let room = room.inset(scale.em(0.7), 0);
        let (head, rest) = room.split_top(scale.em(2.0));
        canvas.text(
            head,
            "Looking for cameras on this network…",
            Style::new(scale.text(), TEXT),
            Align::Left,
        );
        let quiet = Style::new(scale.small(), QUIET);
        canvas.paragraph(rest, self.advice, quiet, Align::Left, scale.em(1.35));
    }
}

impl Row {
    /// Draws a row of two lines: its number, a dot in the colour of its state (a tick if selected), the name above the
    /// address, and size and rate at the right.
    fn draw_tall(&self, canvas: &mut Canvas<'_>, index: usize) {
        let (scale, area) = (canvas.scale(), canvas.area());
        let inner = area.inset(scale.em(0.5), scale.em(0.35));
        let (mark, inner) = inner.split_left(scale.em(MARK));
        let (number, dot) = mark.split_left(scale.em(1.1));
        let (upper, lower) = inner.split_top(inner.height / 2);
        let (light, dark, colour) = match self.lost {
            None => (TEXT, QUIET, GOOD),
            Some(_) => (QUIET, QUIET, FAINT),
        };
        let small = Style::new(scale.small(), light).even();
        if index < 9 {
            let place = Rect { height: upper.height, ..number };
            let digit = Short::of(format_args!("{}", index + 1));
            canvas.text(place, &digit, small.of(QUIET), Align::Left);
        }
        let middle = upper.y as f32 + upper.height as f32 / 2.0;
        self.draw_mark(canvas, (dot.x as f32, middle), colour);
        let (facts, state) = (self.facts(), self.state());
        let right =
            canvas.measure(&facts, small).max(canvas.measure(&state, small)) + scale.em(0.8);
        let left = |row: Rect| row.split_left(row.width - right).0;
        let place = left(upper).split_right(self.lock_width(scale)).1;
        let end =
            canvas.text(place, &self.name, Style::new(scale.text(), light).bold(), Align::Left);
        self.draw_lock(canvas, end, middle);
        canvas.text(left(lower), &self.address, small.of(dark), Align::Left);
        canvas.text(upper, &facts, small, Align::Right);
        canvas.text(lower, &state, small.of(dark), Align::Right);
    }

    /// The room for the lock behind the name.
    fn lock_width(&self, scale: Scale) -> i32 {
        if self.lock == Lock::Paired { scale.em(lock::WIDTH + LOCK_GAP) } else { 0 }
    }

    /// Draws the lock behind the name, which ends at `end`.
    fn draw_lock(&self, canvas: &mut Canvas<'_>, end: i32, middle: f32) {
        if self.lock == Lock::Paired {
            let scale = canvas.scale();
            let x = end + scale.em(LOCK_GAP);
            lock::draw(canvas, (x as f32, middle), scale.text(), QUIET);
        }
    }

    /// Draws a dot, or a tick if the row is selected, to the right of a point.
    fn draw_mark(&self, canvas: &mut Canvas<'_>, (x, middle): (f32, f32), colour: Colour) {
        let size = canvas.scale().text();
        if !self.is_chosen {
            let radius = size * 0.25;
            return canvas.disc((x + radius, middle), radius, colour);
        }
        let at = |along: f32, down: f32| (x + size * along, middle + size * down);
        let thick = size * 0.16;
        canvas.line(at(0.0, 0.05), at(0.25, 0.3), thick, ACCENT);
        canvas.line(at(0.25, 0.3), at(0.7, -0.3), thick, ACCENT);
    }

    /// Draws a row of one line.
    fn draw_low(&self, canvas: &mut Canvas<'_>) {
        let (scale, area) = (canvas.scale(), canvas.area());
        let mut inner = area.inset(scale.em(0.5), 0);
        let quiet = Style::new(scale.small(), QUIET).even();
        let facts = self.facts();
        if self.is_chosen {
            let (mark, rest) = inner.split_left(scale.em(LOW_MARK));
            self.draw_mark(canvas, (mark.x as f32, mark.y as f32 + mark.height as f32 / 2.0), GOOD);
            inner = rest;
        }
        let mut width = canvas.measure(&facts, quiet) + scale.em(0.6);
        if width * 2 > inner.width {
            width = 0;
        } else {
            canvas.text(inner, &facts, quiet, Align::Right);
        }
        let (left, _) = inner.split_left(inner.width - width);
        let colour = if self.lost.is_some() { QUIET } else { TEXT };
        let place = left.split_right(self.lock_width(scale)).1;
        let end =
            canvas.text(place, &self.name, Style::new(scale.text(), colour).bold(), Align::Left);
        self.draw_lock(canvas, end, left.y as f32 + left.height as f32 / 2.0);
        let end = end + self.lock_width(scale);
        let rest =
            Rect::new(end + scale.em(0.6), left.y, left.right() - end - scale.em(0.6), left.height);
        if rest.width > scale.em(4.0) {
            let beside = if self.lock == Lock::WantsCode { WANTS_CODE } else { &self.address };
            canvas.text(rest, beside, quiet, Align::Left);
        }
    }

    fn facts(&self) -> Short {
        let Some(Size { width, height }) = self.size else {
            return Short::of(format_args!("no picture yet"));
        };
        match self.rate.known() {
            None => Short::of(format_args!("{width}×{height}")),
            Some(rate) => Short::of(format_args!("{width}×{height} · {rate} fps")),
        }
    }

    fn state(&self) -> Short {
        match self.lost {
            Some(lost) => Short::of(format_args!("seen {} ago", Lapse(lost))),
            None if self.lock == Lock::WantsCode => Short::of(format_args!("{WANTS_CODE}")),
            None => Short::of(format_args!("")),
        }
    }
}
