//! A menu of commands, each with its key.

use super::canvas::Canvas;
use super::rect::Rect;
use super::rows::Rows;
use super::scale::Scale;
use super::style::{EDGE, PANEL_DENSE, QUIET, SELECTED, TEXT};
use super::text_style::{Align, Style};

/// A line of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What it does.
    pub what: &'a str,
    /// The key that does the same.
    pub key: &'a str,
    /// Whether it is the first line of a group.
    pub begins: bool,
}

/// The menu.
#[derive(Debug, Clone, Copy)]
pub struct Menu<'a> {
    /// Its lines.
    pub entries: &'a [Entry<'a>],
    /// The point where the menu was opened.
    pub at: (i32, i32),
    /// The line under the mouse, or marked by keys.
    pub marked: Option<usize>,
    /// The first visible line, as [`MenuLayout::first`] returned it last; 0 at first.
    pub first: usize,
}

/// The positions of the menu's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MenuLayout {
    panel: Rect,
    rows: Rows,
}

/// All in ems.
const WIDTH: f32 = 18.5;
const ROW: f32 = 1.75;
const LOW_ROW: f32 = 1.4;
const PADDING: f32 = 0.35;
const SIDE: f32 = 0.7;

impl MenuLayout {
    /// The first visible line, for [`Menu::first`] of the next frame.
    pub fn first(&self) -> usize {
        self.rows.first()
    }

    /// The line at a point.
    pub fn entry_at(&self, x: i32, y: i32) -> Option<usize> {
        self.rows.at(x, y)
    }
}

impl Menu<'_> {
    /// The positions on a canvas of this area and scale. The menu is at the point where it was opened, as far as there is
    /// room.
    pub fn layout(&self, area: Rect, scale: Scale) -> MenuLayout {
        let padding = scale.em(PADDING);
        let count = i32::try_from(self.entries.len()).unwrap_or(i32::MAX);
        let high = |row: i32| row.saturating_mul(count).saturating_add(2 * padding);
        let row = match high(scale.em(ROW)) <= area.height {
            true => scale.em(ROW),
            false => scale.em(LOW_ROW),
        };
        let (width, height) = (scale.em(WIDTH).min(area.width), high(row).min(area.height));
        let x = self.at.0.min(area.right() - width).max(area.x);
        let y = self.at.1.min(area.bottom() - height).max(area.y);
        let panel = Rect::new(x, y, width, height);
        let list = panel.inset(padding, padding);
        let rows = Rows::new(list, row, self.entries.len(), self.first, self.marked);
        MenuLayout { panel, rows }
    }

    /// Draws the menu.
    pub fn draw(&self, canvas: &mut Canvas<'_>) -> MenuLayout {
        let scale = canvas.scale();
        let layout = self.layout(canvas.area(), scale);
        canvas.panel_of(layout.panel, PANEL_DENSE);
        for index in layout.rows.seen() {
            let (Some(entry), Some(row)) = (self.entries.get(index), layout.rows.rect(index))
            else {
                continue;
            };
            if Some(index) == self.marked {
                canvas.rounded(row, scale.em(0.3), SELECTED);
            }
            if entry.begins {
                canvas.fill(Rect::new(row.x, row.y, row.width, scale.hair()), EDGE);
            }
            let inner = row.inset(scale.em(SIDE), 0);
            let key = Style::new(scale.small(), QUIET);
            let width = canvas.measure(entry.key, key) + scale.em(SIDE);
            let (what, _) = inner.split_left(inner.width - width);
            canvas.text(what, entry.what, Style::new(scale.text(), TEXT), Align::Left);
            canvas.text(inner, entry.key, key, Align::Right);
        }
        let (thin, x) = (scale.em(0.2).max(2), layout.panel.right() - scale.em(0.3));
        let list = layout.panel.inset(0, scale.em(PADDING));
        layout.rows.draw_bar(canvas, Rect::new(x, list.y, thin, list.height));
        layout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_lies_in_the_window_and_each_line_is_found_where_it_is_drawn() {
        let entries = [Entry { what: "Zoom in", key: "+", begins: false }; 16];
        for (width, height) in [(160, 120), (640, 360), (1280, 720), (30, 20)] {
            let area = Rect::new(0, 0, width, height);
            for at in [(0, 0), (width, height), (width / 2, height / 2), (-9, 9999)] {
                let menu = Menu { entries: &entries, at, marked: Some(3), first: 0 };
                let layout = menu.layout(area, Scale::for_area(area, 1.0));
                assert_eq!(layout.panel.and(area), layout.panel, "{at:?} in {width}x{height}");
                let row = layout.rows.rect(3).expect("what is marked is seen");
                assert_eq!(layout.entry_at(row.x, row.y), Some(3));
                assert_eq!(layout.entry_at(layout.panel.x - 1, row.y), None);
            }
        }
    }
}
