//! Where in the window each camera's picture stands: a grid that leaves as little of it empty as can be.

use crate::image::pixels::Size;
use crate::image::rendition::{Aspect, SizeWish};
use crate::image::scale::Area;

/// Rows and columns of panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    room: Size,
    count: usize,
    columns: usize,
}

/// Between two panes, so that pictures do not run into each other.
const GAP: usize = 2;

impl Grid {
    /// The grid for pictures of these shapes in which most of `room` is picture.
    pub fn new(room: Size, shapes: &(impl Iterator<Item = Size> + Clone)) -> Self {
        let count = shapes.clone().count();
        let of_columns = |columns| Self { room, count, columns };
        let covered = |grid: &Self| -> usize {
            shapes
                .clone()
                .enumerate()
                .map(|(at, shape)| fit(shape, grid.pane(at).size).area())
                .sum()
        };
        // Of two that are as good, the one with fewer columns: the last of equals wins, so they are tried downwards.
        let best = (1..=count).rev().map(of_columns).max_by_key(covered);
        best.unwrap_or(of_columns(1))
    }

    /// Where camera `index` stands. The last row, if it is not full, is in the middle.
    pub fn pane(&self, index: usize) -> Area {
        let columns = self.columns.max(1);
        let rows = self.count.div_ceil(columns).max(1);
        let (row, column) = (index / columns, index % columns);
        let in_row = if row + 1 == rows { self.count - row * columns } else { columns };
        let (left, right) = edges(self.room.width, columns, column);
        let (top, bottom) = edges(self.room.height, rows, row);
        let missing = columns.saturating_sub(in_row);
        let shift = missing * (self.room.width + GAP) / columns / 2;
        Area { x: left + shift, y: top, size: Size::new(right - left, bottom - top) }
    }
}

/// Where part `index` of `count` begins and ends, with gaps between.
fn edges(room: usize, count: usize, index: usize) -> (usize, usize) {
    let edge = |index: usize| index * (room + GAP) / count;
    let (begin, end) = (edge(index), edge(index + 1).saturating_sub(GAP));
    // A window may be smaller than its gaps.
    (begin.min(room), end.clamp(begin.min(room), room))
}

/// The largest size of this shape that fits into `room`; nothing where either is nothing.
pub fn fit(shape: Size, room: Size) -> Size {
    if shape.area() == 0 || room.area() == 0 {
        return Size::new(0, 0);
    }
    let inside =
        SizeWish { width: Some(room.width), height: Some(room.height), aspect: Aspect::Keep };
    inside.size_for(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Size = Size::new(640, 360);

    fn grid(room: Size, count: usize, shape: Size) -> Grid {
        Grid::new(room, &std::iter::repeat_n(shape, count))
    }

    #[test]
    fn columns_follow_from_the_shapes_of_window_and_pictures() {
        let window = Size::new(1280, 720);
        for (count, columns) in [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 3), (9, 3), (10, 4)] {
            assert_eq!(grid(window, count, WIDE).columns, columns, "{count}");
        }
        assert_eq!(grid(Size::new(720, 1280), 3, WIDE).columns, 1, "a column in an upright window");
        assert_eq!(grid(Size::new(2000, 500), 3, WIDE).columns, 3, "a row in a flat one");
        assert_eq!(grid(window, 2, Size::new(360, 640)).columns, 2);
    }

    #[test]
    fn one_camera_has_all_of_the_window() {
        let window = Size::new(901, 377);
        assert_eq!(grid(window, 1, WIDE).pane(0), Area::of(window));
    }

    #[test]
    fn panes_lie_in_the_window_and_not_over_each_other() {
        for room in [Size::new(1, 1), Size::new(3, 200), Size::new(640, 360), Size::new(1919, 1079)]
        {
            for count in 1..=20 {
                let grid = grid(room, count, WIDE);
                let mut seen = vec![false; room.area()];
                for index in 0..count {
                    let pane = grid.pane(index);
                    assert!(pane.x + pane.size.width <= room.width, "{room} {count}");
                    assert!(pane.y + pane.size.height <= room.height, "{room} {count}");
                    for y in pane.y..pane.y + pane.size.height {
                        for x in pane.x..pane.x + pane.size.width {
                            assert!(!std::mem::replace(&mut seen[y * room.width + x], true));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_last_row_is_in_the_middle() {
        let grid = grid(Size::new(1280, 720), 3, WIDE);
        let last = grid.pane(2);
        assert_eq!((last.x, last.size.width), (320, 639));
    }
}
