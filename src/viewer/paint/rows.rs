//! Rows of a list that may be longer than its room: which are visible, where, and which is under the mouse.

use super::canvas::Canvas;
use super::rect::Rect;
use super::style::{QUIET, WELL};
use std::ops::Range;

/// The positions of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rows {
    room: Rect,
    height: i32,
    first: usize,
    total: usize,
}

impl Rows {
    /// `total` rows of a height. The first visible row is `first`, or the nearest one with which the selected row is visible
    /// and no room is left empty.
    pub(super) fn new(
        room: Rect,
        height: i32,
        total: usize,
        first: usize,
        selected: Option<usize>,
    ) -> Self {
        let height = height.max(1);
        let mut rows = Self { room, height, first, total };
        let seen = rows.room_for();
        if let Some(selected) = selected {
            let selected = selected.min(total.saturating_sub(1));
            rows.first = first.clamp((selected + 1).saturating_sub(seen), selected);
        }
        rows.first = rows.first.min(total.saturating_sub(seen));
        rows
    }

    /// How many rows are visible at once. At least one, even if it is cut off.
    pub(super) fn room_for(&self) -> usize {
        usize::try_from(self.room.height / self.height).unwrap_or(0).max(1)
    }

    /// The first visible row.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The visible rows.
    pub(super) fn seen(&self) -> Range<usize> {
        self.first..self.total.min(self.first + self.room_for())
    }

    /// The area of a row; `None` if it is not visible.
    pub(super) fn rect(&self, index: usize) -> Option<Rect> {
        let place = i32::try_from(index.checked_sub(self.first)?).ok()?;
        let is_seen = self.seen().contains(&index);
        let y = self.room.y + place.checked_mul(self.height)?;
        is_seen.then(|| Rect::new(self.room.x, y, self.room.width, self.height).and(self.room))
    }

    /// The row at a point.
    pub(super) fn at(&self, x: i32, y: i32) -> Option<usize> {
        if !self.room.contains(x, y) {
            return None;
        }
        let place = usize::try_from((y - self.room.y) / self.height).ok()?;
        Some(self.first + place).filter(|row| self.seen().contains(row))
    }

    /// Draws a scroll bar into a narrow column, unless all rows are visible.
    pub(super) fn draw_bar(&self, canvas: &mut Canvas<'_>, column: Rect) {
        let seen = self.seen();
        if seen.len() >= self.total || column.is_empty() {
            return;
        }
        let total = self.total as f32;
        let height = column.height as f32;
        #[allow(clippy::cast_possible_truncation)] // parts of a column of pixels
        let rows = |count: usize| (height * count as f32 / total).round() as i32;
        let bar = rows(seen.len()).max(column.width * 2).min(column.height);
        let top = rows(seen.start).min(column.height - bar);
        canvas.rounded(column, column.width, WELL);
        let thumb = Rect::new(column.x, column.y + top, column.width, bar);
        canvas.rounded(thumb, column.width, QUIET.with_alpha(150));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_is_seen_and_no_room_is_left_empty() {
        let room = Rect::new(10, 20, 100, 55);
        for total in [0, 1, 4, 5, 6, 1000] {
            for first in [0, 3, 900, usize::MAX] {
                for selected in [0, 5, 999, usize::MAX] {
                    let rows = Rows::new(room, 10, total, first, Some(selected));
                    let seen = rows.seen();
                    assert_eq!(seen.len(), total.min(5), "{total} {first} {selected}");
                    assert!(total == 0 || seen.contains(&selected.min(total - 1)));
                }
            }
        }
    }

    #[test]
    fn a_point_is_on_the_row_that_is_drawn_there() {
        let rows = Rows::new(Rect::new(10, 20, 100, 55), 10, 9, 2, Some(3));
        assert_eq!(rows.first(), 2);
        for row in 0..9 {
            let Some(rect) = rows.rect(row) else { continue };
            assert_eq!(rows.at(rect.x, rect.y), Some(row));
            assert_eq!(rows.at(rect.right() - 1, rect.bottom() - 1), Some(row));
        }
        // Below the last whole row, beside the rows, above them.
        for point in [(50, 72), (9, 30), (110, 30), (50, 19), (i32::MIN, i32::MAX)] {
            assert_eq!(rows.at(point.0, point.1), None);
        }
        assert_eq!(Rows::new(Rect::default(), 0, 9, 0, None).at(0, 0), None);
    }
}
