//! The list of cameras to choose from.

use super::badges::Lapse;
use super::canvas::Canvas;
use super::rect::Rect;
use super::rows::Rows;
use super::scale::Scale;
use super::style::{FAINT, GOOD, HOVER, PANEL_DENSE, QUIET, SELECTED, TEXT};
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
    /// Where it is reached.
    pub address: String,
    /// Of what size its pictures are; `None` when it has none yet.
    pub size: Option<Size>,
    /// As far as it is known.
    pub rate: Rate,
    /// How long it has not answered any more; `None` while it answers.
    pub lost: Option<Duration>,
}

/// The list.
#[derive(Debug, Clone, Copy)]
pub struct Picker<'a> {
    /// The cameras.
    pub rows: &'a [Row],
    /// The one that Enter opens.
    pub selected: usize,
    /// The one that the mouse is on.
    pub hover: Option<usize>,
    /// The first row seen, as [`PickerLayout::first`] said last; at first 0.
    pub first: usize,
    /// For how long cameras have been looked for.
    pub looking: Duration,
    /// What can be done when there is none, in one or two sentences.
    pub advice: &'a str,
    /// What Esc does: `quits`.
    pub leaving: &'a str,
}

/// What lies where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PickerLayout {
    panel: Rect,
    title: Rect,
    foot: Rect,
    rows: Rows,
    /// Whether a row has two lines.
    is_tall: bool,
}

/// In ems.
const WIDTH: f32 = 36.0;
const TALL_ROW: f32 = 3.1;
const LOW_ROW: f32 = 1.7;
/// As much room as this is left for the list when there is no camera yet.
const EMPTY: f32 = 6.0;

impl PickerLayout {
    /// The first row that is seen: [`Picker::first`] of the next frame.
    pub fn first(&self) -> usize {
        self.rows.first()
    }

    /// The row at a point.
    pub fn row_at(&self, x: i32, y: i32) -> Option<usize> {
        self.rows.at(x, y)
    }
}

impl Picker<'_> {
    /// What lies where on a canvas of this area and scale.
    pub fn layout(&self, area: Rect, scale: Scale) -> PickerLayout {
        let is_tall = area.height >= scale.em(16.0);
        let margin = scale.em(if is_tall { 0.8 } else { 0.4 });
        let most = area.inset(margin, margin);
        let row = scale.em(if is_tall { TALL_ROW } else { LOW_ROW });
        let count = i32::try_from(self.rows.len()).unwrap_or(i32::MAX);
        let list = if count == 0 { scale.em(EMPTY) } else { row.saturating_mul(count) };
        let head = if is_tall { scale.em(3.0) } else { 0 };
        let foot = if is_tall { scale.em(2.6) } else { 0 };
        let padding = scale.em(if is_tall { 0.7 } else { 0.35 });
        let high =
            list.saturating_add(head + foot).saturating_add(if foot > 0 { 0 } else { 2 * padding });
        let panel = most.centred(scale.em(WIDTH), high);
        let inner = panel.inset(padding, if is_tall { 0 } else { padding });
        let (title, rest) = inner.split_top(head);
        let (list, foot) = rest.split_top(rest.height - foot);
        let selected = (!self.rows.is_empty()).then_some(self.selected);
        let rows = Rows::new(list, row, self.rows.len(), self.first, selected);
        PickerLayout { panel, title, foot, rows, is_tall }
    }

    /// Draws it in the middle of the canvas.
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
            let opens = if self.rows.is_empty() { "" } else { "↑ ↓ choose · Enter opens · " };
            let hint = Short::of(format_args!("{opens}Esc {}", self.leaving));
            let foot = Style::new(scale.small(), FAINT);
            canvas.text(layout.foot.inset(side, 0), &hint, foot, Align::Left);
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
            if layout.is_tall { row.draw_tall(&mut canvas) } else { row.draw_low(&mut canvas) }
        }
        let list = layout.title.bottom();
        let bar = Rect::new(
            layout.panel.right() - scale.em(0.5),
            list,
            scale.em(0.2).max(2),
            layout.foot.y - list,
        );
        layout.rows.draw_bar(canvas, bar);
        layout
    }

    fn state(&self) -> Short {
        match self.rows.len() {
            0 => Short::of(format_args!("looking for {}", Lapse(self.looking))),
            1 => Short::of(format_args!("1 found, looking for more")),
            count => Short::of(format_args!("{count} found, looking for more")),
        }
    }

    fn draw_empty(&self, canvas: &mut Canvas<'_>, layout: PickerLayout) {
        let scale = canvas.scale();
        let top = layout.title.bottom();
        let room = Rect::new(layout.title.x, top, layout.title.width, layout.foot.y - top);
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
    /// A dot that tells whether it answers, name above address, what it sends at the right.
    fn draw_tall(&self, canvas: &mut Canvas<'_>) {
        let (scale, area) = (canvas.scale(), canvas.area());
        let inner = area.inset(scale.em(0.7), scale.em(0.35));
        let (dot, inner) = inner.split_left(scale.em(1.1));
        let (upper, lower) = inner.split_top(inner.height / 2);
        let (light, dark, mark) = match self.lost {
            None => (TEXT, QUIET, GOOD),
            Some(_) => (QUIET, QUIET, FAINT),
        };
        let radius = scale.text() * 0.25;
        let middle = upper.y as f32 + upper.height as f32 / 2.0;
        canvas.disc((dot.x as f32 + radius, middle), radius, mark);
        let small = Style::new(scale.small(), light).even();
        let (facts, state) = (self.facts(), self.state());
        let right =
            canvas.measure(&facts, small).max(canvas.measure(&state, small)) + scale.em(0.8);
        let left = |row: Rect| row.split_left(row.width - right).0;
        canvas.text(left(upper), &self.name, Style::new(scale.text(), light).bold(), Align::Left);
        canvas.text(left(lower), &self.address, small.of(dark), Align::Left);
        canvas.text(upper, &facts, small, Align::Right);
        canvas.text(lower, &state, small.of(dark), Align::Right);
    }

    /// All in one line.
    fn draw_low(&self, canvas: &mut Canvas<'_>) {
        let (scale, area) = (canvas.scale(), canvas.area());
        let inner = area.inset(scale.em(0.5), 0);
        let quiet = Style::new(scale.small(), QUIET).even();
        let facts = self.facts();
        let mut width = canvas.measure(&facts, quiet) + scale.em(0.6);
        if width * 2 > inner.width {
            width = 0;
        } else {
            canvas.text(inner, &facts, quiet, Align::Right);
        }
        let (left, _) = inner.split_left(inner.width - width);
        let colour = if self.lost.is_some() { QUIET } else { TEXT };
        let end =
            canvas.text(left, &self.name, Style::new(scale.text(), colour).bold(), Align::Left);
        let rest =
            Rect::new(end + scale.em(0.6), left.y, left.right() - end - scale.em(0.6), left.height);
        if rest.width > scale.em(4.0) {
            canvas.text(rest, &self.address, quiet, Align::Left);
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
            None => Short::of(format_args!("")),
        }
    }
}
