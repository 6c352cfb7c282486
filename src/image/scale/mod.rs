//! Scales a part of a picture into a part of another: exact at 1:1, an average of all pixels when
//! shrinking, smooth when enlarging.
//!
//! Nothing is allocated once a pane was drawn in its size: the tables of weights are kept until it
//! changes.

mod axis;
mod weigh;

use super::picture::Picture;
use super::pixels::Size;
use axis::Axis;
use weigh::{HALF, add, blend, blend_three, gather};

/// A rectangle of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// The first column.
    pub x: usize,
    /// The first row.
    pub y: usize,
    /// Its width and height.
    pub size: Size,
}

impl Area {
    /// All of a picture of this size.
    pub const fn of(size: Size) -> Self {
        Self { x: 0, y: 0, size }
    }

    /// Whether a point lies in it.
    pub fn contains(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize, from: usize, len: usize| (from..from + len).contains(&at);
        inside(x, self.x, self.size.width) && inside(y, self.y, self.size.height)
    }

    /// An area of `size`, or as much of it as fits, in the middle of this one.
    #[must_use]
    pub fn centred(&self, size: Size) -> Self {
        let width = size.width.min(self.size.width);
        let height = size.height.min(self.size.height);
        let (x, y) = ((self.size.width - width) / 2, (self.size.height - height) / 2);
        Self { x: self.x + x, y: self.y + y, size: Size::new(width, height) }
    }
}

/// A part of a picture, in fractions of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The left and the right edge.
    pub columns: (f64, f64),
    /// The upper and the lower edge.
    pub rows: (f64, f64),
}

impl Part {
    /// All of a picture of this size.
    pub fn all(size: Size) -> Self {
        Self { columns: (0.0, size.width as f64), rows: (0.0, size.height as f64) }
    }
}

/// What one pane of a window needs to draw pictures.
#[derive(Debug, Default)]
pub struct Scaler {
    columns: Axis,
    rows: Axis,
    /// A row between source and target: combined from several rows, not yet scaled to the target's
    /// width.
    blended: Vec<u32>,
    /// The sums of more than three rows.
    sums: Vec<u16>,
    /// Two adjacent rows of the source, scaled to the target's width.
    stretched: [Stretched; 2],
}

/// A row of the source, scaled to the target's width.
#[derive(Debug, Default)]
struct Stretched {
    row: Option<usize>,
    pixels: Vec<u32>,
}

impl Scaler {
    /// Draws `part` of `source` into `target` of `canvas`, and nowhere else.
    pub fn draw(&mut self, source: &Picture, part: Part, canvas: &mut Picture, target: Area) {
        let room = canvas.size();
        let fits = target.x + target.size.width <= room.width
            && target.y + target.size.height <= room.height;
        if !fits || target.size.area() == 0 || source.size().area() == 0 {
            return;
        }
        self.columns.prepare(part.columns, target.size.width, source.size().width);
        self.rows.prepare(part.rows, target.size.height, source.size().height);
        // This is another picture: the kept rows are outdated.
        self.stretched.iter_mut().for_each(|stretched| stretched.row = None);
        let rows = canvas.pixels_mut().chunks_exact_mut(room.width).skip(target.y);
        for (index, row) in rows.take(target.size.height).enumerate() {
            self.draw_row(source, index, &mut row[target.x..target.x + target.size.width]);
        }
    }

    /// Draws a row from two source rows. Each source row is scaled once and serves several target
    /// rows.
    fn draw_between(
        &mut self,
        source: &Picture,
        (first, of_above, of_below): (usize, u16, u16),
        target: &mut [u32],
    ) {
        let width = source.size().width;
        for row in [first, first + 1] {
            let stretched = &mut self.stretched[row % 2];
            if stretched.row != Some(row) {
                stretched.row = Some(row);
                stretched.pixels.resize(target.len(), 0);
                let from = &source.pixels()[row * width..][..width];
                self.columns.stretch(from, &mut stretched.pixels);
            }
        }
        let [even, odd] = &self.stretched;
        let (above, below) = if first % 2 == 0 { (even, odd) } else { (odd, even) };
        match (of_above, of_below) {
            (256, 0) => target.copy_from_slice(&above.pixels),
            (0, 256) => target.copy_from_slice(&below.pixels),
            weights => {
                let bytes = bytemuck::cast_slice::<u32, u8>;
                let to = bytemuck::cast_slice_mut::<u32, u8>(target);
                blend(bytes(&above.pixels), bytes(&below.pixels), weights, to);
            }
        }
    }

    fn draw_row(&mut self, source: &Picture, index: usize, target: &mut [u32]) {
        let width = source.size().width;
        let (first, weights) = match self.rows.shrinks {
            true => self.rows.tight_taps(index),
            false => self.rows.taps(index),
        };
        if !self.rows.shrinks
            && let &[of_above, of_below] = weights
        {
            return self.draw_between(source, (first, of_above, of_below), target);
        }
        let needed = self.columns.needed();
        let row = |row: usize| &source.pixels()[(first + row) * width..][..width];
        let blended = match weights {
            [_] => row(0),
            weights => {
                self.blended.resize(width, 0);
                let to = bytemuck::cast_slice_mut::<u32, u8>(&mut self.blended[needed.clone()]);
                let bytes = |at: usize| bytemuck::cast_slice::<u32, u8>(&row(at)[needed.clone()]);
                match weights {
                    &[above, below] => blend(bytes(0), bytes(1), (above, below), to),
                    &[above, middle, below] => {
                        blend_three([bytes(0), bytes(1), bytes(2)], [above, middle, below], to);
                    }
                    weights => {
                        self.sums.clear();
                        self.sums.resize(to.len(), HALF);
                        for (at, &weight) in weights.iter().enumerate().filter(|(_, w)| **w > 0) {
                            add(bytes(at), weight, &mut self.sums);
                        }
                        gather(&self.sums, to);
                    }
                }
                &self.blended[..]
            }
        };
        self.columns.stretch(blended, target);
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // colours of small numbers
mod tests {
    use super::*;

    fn picture(size: Size, colour: impl Fn(usize, usize) -> u32) -> Picture {
        let mut picture = Picture::blank(size, 0);
        for (index, pixel) in picture.pixels_mut().iter_mut().enumerate() {
            *pixel = colour(index % size.width, index / size.width);
        }
        picture
    }

    fn drawn(source: &Picture, part: Part, size: Size) -> Picture {
        let mut canvas = Picture::blank(size, 0);
        Scaler::default().draw(source, part, &mut canvas, Area::of(size));
        canvas
    }

    #[test]
    fn at_one_to_one_it_is_a_copy() {
        let source = picture(Size::new(31, 17), |x, y| (x * 7 + y * 1000) as u32);
        let copy = drawn(&source, Part::all(source.size()), source.size());
        assert_eq!(copy.pixels(), source.pixels());
        let part = Part { columns: (3.0, 8.0), rows: (2.0, 4.0) };
        let copy = drawn(&source, part, Size::new(5, 2));
        assert_eq!(copy.pixels()[5..], source.pixels()[3 * 31 + 3..][..5]);
    }

    #[test]
    fn a_smaller_picture_has_the_mean_of_what_each_pixel_covers() {
        let checks = picture(Size::new(12, 8), |x, y| if (x + y) % 2 == 0 { 0xFF_FFFF } else { 0 });
        for size in [Size::new(6, 4), Size::new(3, 2), Size::new(1, 1)] {
            let mean = drawn(&checks, Part::all(checks.size()), size);
            for pixel in mean.pixels() {
                let [_, red, green, blue] = pixel.to_be_bytes();
                assert!([red, green, blue].iter().all(|byte| (127..=129).contains(byte)), "{size}");
            }
        }
    }

    #[test]
    fn one_colour_stays_that_colour_at_every_size_and_every_part() {
        let source = Picture::blank(Size::new(13, 9), 0x00FF_8001);
        let parts = [
            Part::all(source.size()),
            Part { columns: (0.3, 12.9), rows: (1.7, 2.2) },
            Part { columns: (5.5, 5.6), rows: (8.9, 9.0) },
        ];
        for part in parts {
            for size in [Size::new(1, 1), Size::new(7, 5), Size::new(13, 9), Size::new(50, 41)] {
                let shown = drawn(&source, part, size);
                assert!(
                    shown.pixels().iter().all(|&pixel| pixel == 0x00FF_8001),
                    "{part:?} {size}"
                );
            }
        }
    }

    #[test]
    fn a_larger_picture_goes_smoothly_from_pixel_to_pixel() {
        let edge = picture(Size::new(2, 1), |x, _| if x == 0 { 0 } else { 0x00FF_FFFF });
        let shown = drawn(&edge, Part::all(edge.size()), Size::new(8, 3));
        let blues: Vec<u8> = (0..8).map(|x| shown.rgb(x, 1)[2]).collect();
        assert!(blues.is_sorted(), "{blues:?}");
        assert_eq!((blues[0], blues[7]), (0, 255));
        assert!((140..180).contains(&blues[4]), "{blues:?}");
    }

    #[test]
    fn nothing_is_drawn_beside_the_target_and_no_size_is_too_odd() {
        let source = picture(Size::new(3, 300), |x, y| (x * 80 + y) as u32);
        let mut canvas = Picture::blank(Size::new(40, 30), 0x0012_3456);
        let target = Area { x: 5, y: 7, size: Size::new(9, 11) };
        Scaler::default().draw(&source, Part::all(source.size()), &mut canvas, target);
        for (index, pixel) in canvas.pixels().iter().enumerate() {
            let inside = target.contains(index % 40, index / 40);
            assert_eq!(*pixel != 0x0012_3456, inside, "{index}");
        }
        for size in [Size::new(1, 1), Size::new(1, 30), Size::new(40, 1)] {
            drawn(&source, Part::all(source.size()), size);
            drawn(&Picture::blank(Size::new(1, 1), 5), Part::all(Size::new(1, 1)), size);
        }
        let too_far = Area { x: 39, y: 0, size: Size::new(2, 2) };
        Scaler::default().draw(&source, Part::all(source.size()), &mut canvas, too_far);
    }
}
