//! Rectangles on a picture. They may reach beyond it.

use crate::image::pixels::Size;

/// A rectangle of pixels. Without width or height it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rect {
    /// The first column.
    pub x: i32,
    /// The first row.
    pub y: i32,
    /// Columns; never negative when made by [`Rect::new`].
    pub width: i32,
    /// Rows; never negative when made by [`Rect::new`].
    pub height: i32,
}

/// The largest coordinate, so that sums of a few sides cannot overflow.
const FARTHEST: i32 = 1 << 24;

impl Rect {
    /// A rectangle. Coordinates are clamped, and negative sides become 0.
    pub fn new(x: i32, y: i32, width: i32, height: i32) -> Self {
        Self {
            x: x.clamp(-FARTHEST, FARTHEST),
            y: y.clamp(-FARTHEST, FARTHEST),
            width: width.clamp(0, FARTHEST),
            height: height.clamp(0, FARTHEST),
        }
    }

    /// The whole of a picture of this size.
    pub fn of(size: Size) -> Self {
        let side = |side: usize| i32::try_from(side).unwrap_or(FARTHEST);
        Self::new(0, 0, side(size.width), side(size.height))
    }

    /// The column after the last.
    pub fn right(&self) -> i32 {
        self.x + self.width
    }

    /// The row after the last.
    pub fn bottom(&self) -> i32 {
        self.y + self.height
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.width <= 0 || self.height <= 0
    }

    /// Whether a point lies in it.
    pub fn contains(&self, x: i32, y: i32) -> bool {
        (self.x..self.right()).contains(&x) && (self.y..self.bottom()).contains(&y)
    }

    /// The part that both have in common.
    pub fn and(&self, other: Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        Self::new(x, y, right - x, bottom - y)
    }

    /// The smallest rectangle with both in it.
    pub fn around(&self, other: Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() { other } else { *self };
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self::new(x, y, right - x, bottom - y)
    }

    /// The same rectangle, this far to the right and down.
    pub fn moved(&self, columns: i32, rows: i32) -> Self {
        Self::new(self.x + columns, self.y + rows, self.width, self.height)
    }

    /// The rectangle without this many columns at both sides, and rows at top and bottom.
    pub fn inset(&self, columns: i32, rows: i32) -> Self {
        Self::new(self.x + columns, self.y + rows, self.width - 2 * columns, self.height - 2 * rows)
    }

    /// A rectangle of at most this size in the middle.
    pub fn centred(&self, width: i32, height: i32) -> Self {
        let (width, height) = (width.min(self.width), height.min(self.height));
        let (x, y) = ((self.width - width) / 2, (self.height - height) / 2);
        Self::new(self.x + x, self.y + y, width, height)
    }

    /// The upper `rows` rows, and the rest.
    pub fn split_top(&self, rows: i32) -> (Self, Self) {
        let rows = rows.clamp(0, self.height);
        (
            Self::new(self.x, self.y, self.width, rows),
            Self::new(self.x, self.y + rows, self.width, self.height - rows),
        )
    }

    /// The left `columns` columns, and the rest.
    pub fn split_left(&self, columns: i32) -> (Self, Self) {
        let columns = columns.clamp(0, self.width);
        (
            Self::new(self.x, self.y, columns, self.height),
            Self::new(self.x + columns, self.y, self.width - columns, self.height),
        )
    }

    /// The right `columns` columns, and the rest.
    pub fn split_right(&self, columns: i32) -> (Self, Self) {
        let (rest, right) = self.split_left(self.width - columns.clamp(0, self.width));
        (right, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rectangle_overflows() {
        let all = Rect::new(i32::MIN, i32::MAX, i32::MAX, i32::MIN);
        assert!(all.is_empty());
        let largest = Rect::new(i32::MAX, i32::MAX, i32::MAX, i32::MAX);
        assert_eq!(largest.inset(-FARTHEST, -FARTHEST).width, FARTHEST);
        assert!(largest.and(Rect::new(0, 0, 5, 5)).is_empty());
        assert!(Rect::of(Size::new(usize::MAX, 3)).contains(0, 2));
    }

    #[test]
    fn parts_make_the_whole() {
        let whole = Rect::new(2, 3, 10, 7);
        assert_eq!(whole.split_top(3), (Rect::new(2, 3, 10, 3), Rect::new(2, 6, 10, 4)));
        assert_eq!(whole.split_left(4), (Rect::new(2, 3, 4, 7), Rect::new(6, 3, 6, 7)));
        assert_eq!(whole.split_right(4), (Rect::new(8, 3, 4, 7), Rect::new(2, 3, 6, 7)));
        assert_eq!(whole.split_right(40), (whole, Rect::new(2, 3, 0, 7)));
        assert_eq!(whole.centred(4, 99), Rect::new(5, 3, 4, 7));
    }
}
