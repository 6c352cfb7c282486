//! Arranges the cameras' pictures in a grid that leaves as little of the window empty as possible.

use crate::image::pixels::Size;
use crate::image::scale::Area;
use crate::image::size_wish::{Aspect, SizeWish};

/// Rows and columns of panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    room: Size,
    count: usize,
    columns: usize,
}

impl Grid {
    /// The grid in which pictures of these shapes cover most of `room`.
    pub fn new(room: Size, shapes: &(impl Iterator<Item = Size> + Clone)) -> Self {
        let count = shapes.clone().count();
        let of_columns = |columns| Self { room, count, columns };
        let covered = |grid: &Self| {
            let fitted = |(at, shape)| fit(shape, grid.pane(at).size).area();
            let pixels: usize = shapes.clone().enumerate().map(fitted).sum();
            // In percent, so that rounding does not decide.
            (pixels * 100 + room.area() / 2) / room.area().max(1)
        };
        // Of two equally good grids, `max_by_key` returns the later one, which has more columns: side by side is better than
        // stacked.
        let best = (1..=count).map(of_columns).max_by_key(covered);
        best.unwrap_or(of_columns(1))
    }

    /// The pane of camera `index`. If the last row is not full, it is centred.
    ///
    /// Panes touch each other, so that pictures that just fit are shown pixel by pixel. A [seam](seams) covers their edges.
    pub fn pane(&self, index: usize) -> Area {
        let columns = self.columns.max(1);
        let rows = self.count.div_ceil(columns).max(1);
        let (row, column) = (index / columns, index % columns);
        let in_row = if row + 1 == rows { self.count - row * columns } else { columns };
        let (left, right) = edges(self.room.width, columns, column);
        let (top, bottom) = edges(self.room.height, rows, row);
        let missing = columns.saturating_sub(in_row);
        let shift = missing * self.room.width / columns / 2;
        Area { x: left + shift, y: top, size: Size::new(right - left, bottom - top) }
    }
}

/// Where part `index` of `count` begins and ends.
fn edges(room: usize, count: usize, index: usize) -> (usize, usize) {
    (index * room / count, (index + 1) * room / count)
}

/// The edges of a pane that are covered, so that pictures are visibly separate: one pixel at each side where another pane
/// may lie.
pub fn seams(pane: Area, room: Size) -> [Area; 4] {
    let Area { x, y, size: Size { width, height } } = pane;
    let (right, bottom) = (x + width, y + height);
    let column = |x, is_seam| Area { x, y, size: Size::new(usize::from(is_seam), height) };
    let row = |y, is_seam| Area { x, y, size: Size::new(width, usize::from(is_seam)) };
    [
        column(x, x > 0 && width > 0),
        column(right.saturating_sub(1), right < room.width && width > 0),
        row(y, y > 0 && height > 0),
        row(bottom.saturating_sub(1), bottom < room.height && height > 0),
    ]
}

/// The largest size of this shape that fits into `room`. Empty if either is empty.
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
        assert_eq!((last.x, last.size.width), (320, 640));
    }

    #[test]
    fn pictures_that_just_fit_are_shown_pixel_by_pixel() {
        for (room, count) in [(Size::new(1280, 720), 4), (Size::new(1920, 1080), 9)] {
            let grid = grid(room, count, WIDE);
            assert!((0..count).all(|index| grid.pane(index).size == WIDE), "{count} in {room}");
        }
    }

    #[test]
    fn seams_lie_between_panes_and_not_at_the_edge_of_the_window() {
        for room in [Size::new(1, 1), Size::new(2, 3), Size::new(640, 360), Size::new(1919, 1079)] {
            let one = grid(room, 1, WIDE).pane(0);
            assert!(seams(one, room).iter().all(|seam| seam.size.area() == 0), "{room}");
            for count in 2..=20 {
                let grid = grid(room, count, WIDE);
                for pane in (0..count).map(|index| grid.pane(index)) {
                    for seam in seams(pane, room).iter().filter(|seam| seam.size.area() > 0) {
                        let (right, bottom) = (seam.x + seam.size.width, seam.y + seam.size.height);
                        assert!(pane.contains(seam.x, seam.y), "{room} {count}");
                        assert!(pane.contains(right - 1, bottom - 1), "{room} {count}");
                    }
                }
            }
        }
    }
}
