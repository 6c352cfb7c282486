//! A part of a picture to draw on. Shapes have smooth edges and are blended over what is there.

// Pixels of an edge are converted to fractions and back. `Rect` keeps coordinates far from any overflow.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use super::glyphs::{Glyphs, Stamp, Typeface};
use super::rect::Rect;
use super::scale::Scale;
use super::style::{Colour, EDGE, PANEL};
use super::text_style::Style;
use crate::image::cover;
use crate::image::picture::Picture;
use std::ops::Range;

/// Keeps the drawn letters from frame to frame.
#[derive(Debug, Default)]
pub struct Painter {
    glyphs: Glyphs,
}

impl Painter {
    /// A painter that has drawn nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The letters that no font had since the last call.
    pub fn missing(&mut self) -> Vec<char> {
        self.glyphs.take_missing()
    }

    /// Adds a font for letters that the fonts before do not have.
    pub fn add(&mut self, typeface: Typeface) {
        self.glyphs.add(typeface);
    }

    /// Lends a canvas that covers `area` of `picture` and has text of the size `scale`.
    pub fn canvas<'a>(
        &'a mut self,
        picture: &'a mut Picture,
        area: Rect,
        scale: Scale,
    ) -> Canvas<'a> {
        let all = Rect::of(picture.size());
        let stride = picture.size().width;
        let pixels = picture.pixels_mut();
        Canvas { pixels, stride, area, clip: area.and(all), scale, glyphs: &mut self.glyphs }
    }
}

/// A part of a picture, with what drawing needs.
#[derive(Debug)]
pub struct Canvas<'a> {
    pixels: &'a mut [u32],
    stride: usize,
    area: Rect,
    /// The part of `area` that lies on the picture.
    clip: Rect,
    scale: Scale,
    pub(super) glyphs: &'a mut Glyphs,
}

impl Canvas<'_> {
    /// The area to draw in.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// The size of text.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The part of this canvas within `area`.
    pub fn part(&mut self, area: Rect) -> Canvas<'_> {
        Canvas {
            pixels: self.pixels,
            stride: self.stride,
            area,
            clip: self.clip.and(area),
            scale: self.scale,
            glyphs: self.glyphs,
        }
    }

    /// This canvas with text of another size.
    pub fn with_scale(&mut self, scale: Scale) -> Canvas<'_> {
        let mut canvas = self.part(self.area);
        canvas.scale = scale;
        canvas
    }

    /// Whether any part of `rect` lies on the picture.
    pub fn shows(&self, rect: Rect) -> bool {
        !self.clip.and(rect).is_empty()
    }

    /// Blends a colour over a rectangle.
    pub fn fill(&mut self, rect: Rect, colour: Colour) {
        self.each_row(rect, |_, row| blend_row(row, colour));
    }

    /// Darkens a rectangle to `keep`/256 of its brightness.
    pub fn dim(&mut self, rect: Rect, keep: u8) {
        let keep = u32::from(keep);
        self.each_row(rect, |_, row| {
            for pixel in row {
                *pixel = scaled(*pixel, keep);
            }
        });
    }

    /// Blends a colour over a rectangle with rounded corners.
    pub fn rounded(&mut self, rect: Rect, radius: i32, colour: Colour) {
        let radius = radius.min(rect.width / 2).min(rect.height / 2).max(0);
        let middle = Rect::new(rect.x, rect.y + radius, rect.width, rect.height - 2 * radius);
        self.fill(middle, colour);
        for (corner_row, y) in corner_rows(rect, radius) {
            let between = Rect::new(rect.x + radius, y, rect.width - 2 * radius, 1);
            self.fill(between, colour);
            for column in 0..radius {
                let part = corner_cover(radius, column, corner_row, radius as f32);
                self.blend(rect.x + column, y, colour, part);
                self.blend(rect.right() - 1 - column, y, colour, part);
            }
        }
    }

    /// Draws the border of a rectangle with rounded corners, inside it.
    pub fn outline(&mut self, rect: Rect, radius: i32, thickness: i32, colour: Colour) {
        let radius = radius.min(rect.width / 2).min(rect.height / 2).max(0);
        let thickness = thickness.min(rect.width).min(rect.height);
        let (inner, long) = ((radius - thickness).max(0) as f32, rect.width - 2 * radius);
        self.fill(Rect::new(rect.x + radius, rect.y, long, thickness), colour);
        self.fill(Rect::new(rect.x + radius, rect.bottom() - thickness, long, thickness), colour);
        let high = rect.height - 2 * radius;
        self.fill(Rect::new(rect.x, rect.y + radius, thickness, high), colour);
        self.fill(Rect::new(rect.right() - thickness, rect.y + radius, thickness, high), colour);
        for (corner_row, y) in corner_rows(rect, radius) {
            for column in 0..radius {
                let outside = corner_cover(radius, column, corner_row, radius as f32);
                let inside = corner_cover(radius, column, corner_row, inner);
                self.blend(rect.x + column, y, colour, outside - inside);
                self.blend(rect.right() - 1 - column, y, colour, outside - inside);
            }
        }
    }

    /// Draws a panel: dark and translucent.
    pub fn panel(&mut self, rect: Rect) {
        self.panel_of(rect, PANEL);
    }

    /// Draws a panel of another colour.
    pub(super) fn panel_of(&mut self, rect: Rect, colour: Colour) {
        let radius = self.scale.em(0.55);
        self.rounded(rect, radius, colour);
        self.outline(rect, radius, self.scale.hair(), EDGE);
    }

    /// Draws a filled circle around a point.
    pub fn disc(&mut self, (x, y): (f32, f32), radius: f32, colour: Colour) {
        let reach = radius.max(0.0) + 1.0;
        let (columns, rows) = self.pixels_between((x - reach, y - reach), (x + reach, y + reach));
        for row in rows {
            for column in columns.clone() {
                let away = length(column as f32 + 0.5 - x, row as f32 + 0.5 - y);
                self.blend(column, row, colour, radius + 0.5 - away);
            }
        }
    }

    /// Draws a straight line with round ends.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), thickness: f32, colour: Colour) {
        let half = thickness / 2.0;
        let reach = half + 1.0;
        let least = (from.0.min(to.0) - reach, from.1.min(to.1) - reach);
        let most = (from.0.max(to.0) + reach, from.1.max(to.1) + reach);
        let (columns, rows) = self.pixels_between(least, most);
        for row in rows {
            for column in columns.clone() {
                let point = (column as f32 + 0.5, row as f32 + 0.5);
                let part = half + 0.5 - distance(point, from, to);
                self.blend(column, row, colour, part);
            }
        }
    }

    /// Blends a colour over one pixel, of which the fraction `part` is covered.
    pub(super) fn blend(&mut self, x: i32, y: i32, colour: Colour, part: f32) {
        let alpha = (f32::from(colour.alpha) * part.clamp(0.0, 1.0)).round() as u8;
        if alpha == 0 || !self.clip.contains(x, y) {
            return;
        }
        // Both are positive, because the clip lies on the picture.
        let at = y as usize * self.stride + x as usize;
        self.pixels[at] = mixed(self.pixels[at], colour.rgb, weight(alpha));
    }

    /// Draws a letter at `x` on a baseline.
    pub(super) fn letter(&mut self, character: char, (x, baseline): (f32, i32), style: Style) {
        let column = x.floor();
        let stamp = self.glyphs.stamp(character, style.weight, style.size, x - column);
        let Some(Stamp { left, top, cover, width }) = stamp else { return };
        let (left, top) = (column as i32 + left, baseline + top);
        let height = (cover.len() / width) as i32;
        let seen = self.clip.and(Rect::new(left, top, width as i32, height));
        if seen.is_empty() {
            return;
        }
        // Neither is negative, because `seen` lies on both the letter and the picture.
        let (skipped, above) = ((seen.x - left) as usize, (seen.y - top) as usize);
        let (columns, x) = (seen.width as usize, seen.x as usize);
        let alpha = weight(style.colour.alpha);
        let rows = self.pixels.chunks_exact_mut(self.stride).skip(seen.y as usize);
        let covers = cover.chunks_exact(width).skip(above).take(seen.height as usize);
        for (row, cover) in rows.zip(covers) {
            for (pixel, cover) in row[x..x + columns].iter_mut().zip(&cover[skipped..]) {
                *pixel = mixed(*pixel, style.colour.rgb, (weight(*cover) * alpha) >> 8);
            }
        }
    }

    /// The columns and rows between two points that lie on the picture.
    fn pixels_between(
        &self,
        (left, top): (f32, f32),
        (right, bottom): (f32, f32),
    ) -> (Range<i32>, Range<i32>) {
        let clip = self.clip;
        (
            (left.floor() as i32).max(clip.x)..(right.ceil() as i32).min(clip.right()),
            (top.floor() as i32).max(clip.y)..(bottom.ceil() as i32).min(clip.bottom()),
        )
    }

    /// Lends the visible part of each row, with the number of hidden columns at its left.
    pub(super) fn each_row(&mut self, rect: Rect, mut paint: impl FnMut(usize, &mut [u32])) {
        let seen = self.clip.and(rect);
        if seen.is_empty() {
            return;
        }
        let skipped = (seen.x - rect.x) as usize;
        let (left, width) = (seen.x as usize, seen.width as usize);
        let rows = self.pixels.chunks_exact_mut(self.stride).skip(seen.y as usize);
        for row in rows.take(seen.height as usize) {
            paint(skipped, &mut row[left..left + width]);
        }
    }
}

fn blend_row(row: &mut [u32], colour: Colour) {
    if colour.alpha == 255 {
        row.fill(colour.rgb);
        return;
    }
    let alpha = weight(colour.alpha);
    cover::tint(row, scaled(colour.rgb, alpha), 256 - alpha as u16);
}

/// Maps 0..=255 to 0..=256, so that dividing by it is a shift.
fn weight(alpha: u8) -> u32 {
    u32::from(alpha) + u32::from(alpha >> 7)
}

/// Multiplies each of the four bytes by `part`/256. A layer keeps its transparency in the first byte, which is blended like
/// a colour.
fn scaled(pixel: u32, part: u32) -> u32 {
    let (odd, even) = (pixel >> 8 & 0x00FF_00FF, pixel & 0x00FF_00FF);
    ((odd * part) & 0xFF00_FF00) | ((even * part) >> 8 & 0x00FF_00FF)
}

/// `part`/256 of `over`, and the rest of `under`.
fn mixed(under: u32, over: u32, part: u32) -> u32 {
    let rest = 256 - part;
    let odd = (over >> 8 & 0x00FF_00FF) * part + (under >> 8 & 0x00FF_00FF) * rest;
    let even = (over & 0x00FF_00FF) * part + (under & 0x00FF_00FF) * rest;
    (odd & 0xFF00_FF00) | (even >> 8 & 0x00FF_00FF)
}

/// The rows of the upper and lower corners, each with its distance from the edge.
fn corner_rows(rect: Rect, radius: i32) -> impl Iterator<Item = (i32, i32)> {
    (0..radius).flat_map(move |row| [(row, rect.y + row), (row, rect.bottom() - 1 - row)])
}

/// How much of a corner's pixel lies within `reach` of the corner's centre.
fn corner_cover(radius: i32, column: i32, row: i32, reach: f32) -> f32 {
    let centre = radius as f32 - 0.5;
    let away = length(centre - column as f32, centre - row as f32);
    if reach <= 0.0 { 0.0 } else { (reach + 0.5 - away).clamp(0.0, 1.0) }
}

/// The distance from a point to a line.
fn distance(point: (f32, f32), from: (f32, f32), to: (f32, f32)) -> f32 {
    let (along, across) = (to.0 - from.0, to.1 - from.1);
    let squared = along * along + across * across;
    let (x, y) = (point.0 - from.0, point.1 - from.1);
    let part =
        if squared > 0.0 { ((x * along + y * across) / squared).clamp(0.0, 1.0) } else { 0.0 };
    length(x - part * along, y - part * across)
}

/// Like `hypot`, which is slower because it handles lengths that no window has.
fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Size;

    #[test]
    fn blending_ends_at_both_colours() {
        for (under, over) in [(0, 0x00FF_FFFF), (0x00FF_FFFF, 0), (0x0012_3456, 0x00FE_DCBA)] {
            assert_eq!(mixed(under, over, 0), under);
            assert_eq!(mixed(under, over, 256), over);
        }
        assert_eq!((weight(0), weight(255)), (0, 256));
    }

    #[test]
    fn no_shape_touches_what_lies_outside() {
        let sides = [i32::MIN, -70_000, -3, 0, 1, 7, 40, i32::MAX];
        let mut painter = Painter::new();
        for (x, width) in sides.into_iter().flat_map(|x| sides.map(|width| (x, width))) {
            let mut picture = Picture::blank(Size::new(24, 16), 0x0011_2233);
            let area = Rect::new(5, 4, 11, 7);
            let scale = Scale::for_area(area, 1.0);
            let mut canvas = painter.canvas(&mut picture, area, scale);
            let rect = Rect::new(x, x / 2, width, width / 3);
            let red = Colour { rgb: 0x00FF_0000, alpha: 200 };
            canvas.fill(rect, red);
            canvas.dim(rect, 9);
            let small = Rect::new(rect.x, rect.y, rect.width.min(99), rect.height.min(99));
            canvas.rounded(small, 6, red);
            canvas.outline(small, 6, 2, red);
            canvas.disc((x as f32, 5.0), 12.0, red);
            canvas.line((x as f32, -9.0), (width as f32, 30.0), 3.0, red);
            for (at, pixel) in picture.pixels().iter().enumerate() {
                let (column, row) = (at % 24, at / 24);
                let inside = (5..16).contains(&column) && (4..11).contains(&row);
                assert!(inside || *pixel == 0x0011_2233, "{column} {row} of {rect:?}");
            }
        }
    }
}
