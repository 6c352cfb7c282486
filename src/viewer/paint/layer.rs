//! Something that is drawn seldom, and laid over every picture until it is drawn again.

use super::canvas::{Canvas, Painter};
use super::rect::Rect;
use super::scale::Scale;
use crate::image::cover;
use crate::image::picture::Picture;
use crate::image::pixels::Size;

/// Drawn pixels, and how transparent each is.
#[derive(Debug, Default)]
pub struct Layer {
    /// The position in the window.
    place: Rect,
    /// The colours to add.
    colours: Picture,
    /// The transparency, from 0 to 255, in each byte of a pixel.
    clear: Vec<u32>,
}

/// A pixel on which nothing has been drawn. While a layer is drawn, the upper byte holds the transparency. Blending treats
/// it like one more colour, of which all colours have 0.
const CLEAR: u32 = 0xFF00_0000;

impl Layer {
    /// Draws the layer anew. `draw` gets a canvas that covers `area` and has text of the size `scale`. Only what it draws in
    /// `place` is kept. Allocates only when `place` was never that large before.
    pub fn draw(
        &mut self,
        painter: &mut Painter,
        (area, place): (Rect, Rect),
        scale: Scale,
        draw: impl FnOnce(&mut Canvas<'_>),
    ) {
        let side = |side: i32| usize::try_from(side).unwrap_or(0);
        self.place = place;
        self.colours.reshape(Size::new(side(place.width), side(place.height)));
        self.colours.pixels_mut().fill(CLEAR);
        let there = Rect::new(area.x - place.x, area.y - place.y, area.width, area.height);
        draw(&mut painter.canvas(&mut self.colours, there, scale));
        self.clear.clear();
        let clear = |pixel: &u32| (pixel >> 24) * 0x0101_0101;
        self.clear.extend(self.colours.pixels().iter().map(clear));
        self.colours.pixels_mut().iter_mut().for_each(|pixel| *pixel &= !CLEAR);
    }
}

impl Canvas<'_> {
    /// Lays the layer over the canvas.
    pub fn lay(&mut self, layer: &Layer) {
        let place = layer.place;
        let width = layer.colours.size().width;
        if width == 0 {
            return;
        }
        let colours = layer.colours.pixels().chunks_exact(width);
        let rows = colours.zip(layer.clear.chunks_exact(width));
        for (y, (colours, clear)) in (place.y..).zip(rows) {
            let row = Rect::new(place.x, y, place.width, 1);
            self.each_row(row, |skipped, row| {
                cover::lay(row, &colours[skipped..], &clear[skipped..]);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::paint::style::{ACCENT, PANEL, TEXT};
    use crate::viewer::paint::text_style::{Align, Style};

    fn draw(canvas: &mut Canvas<'_>) {
        let area = canvas.area();
        canvas.panel(area.inset(4, 3));
        canvas.rounded(area.inset(20, 10), 5, ACCENT.with_alpha(100));
        let (x, y) = (area.x as f32, area.y as f32);
        canvas.line((x, y), (x + 60.0, y + 30.0), 3.0, PANEL);
        canvas.text(area, "age 12.3 ms", Style::new(15.0, TEXT), Align::Centre);
    }

    fn under(size: Size) -> Picture {
        let mut picture = Picture::blank(size, 0);
        for (index, pixel) in (0_u32..).zip(picture.pixels_mut()) {
            *pixel = index.wrapping_mul(0x9E37_79B9) & 0x00FF_FFFF;
        }
        picture
    }

    #[test]
    fn laid_over_a_picture_it_looks_as_if_it_had_been_drawn_there() {
        let size = Size::new(160, 90);
        let mut painter = Painter::new();
        for place in [Rect::of(size), Rect::new(30, 20, 90, 40), Rect::new(100, 60, 300, 100)] {
            let scale = Scale::for_area(place, 1.0);
            let (mut drawn, mut laid) = (under(size), under(size));
            draw(&mut painter.canvas(&mut drawn, place, scale));
            let mut layer = Layer::default();
            layer.draw(&mut painter, (place, place), scale, draw);
            painter.canvas(&mut laid, Rect::of(size), scale).lay(&layer);
            for (at, (a, b)) in drawn.pixels().iter().zip(laid.pixels()).enumerate() {
                let bytes = a.to_be_bytes().into_iter().zip(b.to_be_bytes()).skip(1);
                let most = bytes.map(|(a, b)| a.abs_diff(b)).max();
                assert!(most <= Some(4), "{place:?} {at}: {a:06x} {b:06x}");
            }
        }
    }

    #[test]
    fn what_nothing_was_drawn_on_stays_as_it_is() {
        let size = Size::new(60, 40);
        let mut painter = Painter::new();
        let mut layer = Layer::default();
        let scale = Scale::for_area(Rect::of(size), 1.0);
        let mut picture = under(size);
        painter.canvas(&mut picture, Rect::of(size), scale).lay(&layer);
        layer.draw(&mut painter, (Rect::of(size), Rect::of(size)), scale, |_| ());
        painter.canvas(&mut picture, Rect::of(size), scale).lay(&layer);
        assert_eq!(picture.pixels(), under(size).pixels());
    }
}
