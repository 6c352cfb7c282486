//! Draws text, scaled by whole numbers, into any picture.

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size as Extent};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle, iso_8859_1::FONT_10X20};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;
use std::ops::Range;

const FONT: MonoFont<'_> = FONT_10X20;

/// Width of a character, unscaled.
pub const CHARACTER_WIDTH: usize = 10;
/// Height of one line, unscaled.
pub const LINE_HEIGHT: usize = 20;

/// Draws one line of text with its top left corner at `(x, y)`, each dot `scale` pixels large.
///
/// `fill` gets the columns and the row of each run of pixels to set; they may lie outside the picture.
/// Characters outside ISO 8859-1 are drawn as `?`.
pub fn draw_line(
    text: &str,
    (x, y): (usize, usize),
    scale: usize,
    fill: &mut dyn FnMut(Range<usize>, usize),
) {
    let style = MonoTextStyle::new(&FONT, BinaryColor::On);
    let mut dots = Dots { x, y, scale, fill };
    let text = Text::with_baseline(text, Point::zero(), style, Baseline::Top);
    match embedded_graphics::Drawable::draw(&text, &mut dots) {
        Ok(_) => {}
        Err(never) => match never {},
    }
}

/// A drawing target that can only fill runs of pixels.
struct Dots<'a> {
    x: usize,
    y: usize,
    scale: usize,
    fill: &'a mut dyn FnMut(Range<usize>, usize),
}

impl OriginDimensions for Dots<'_> {
    fn size(&self) -> Extent {
        Extent::new(u32::MAX, u32::MAX)
    }
}

impl DrawTarget for Dots<'_> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(point, colour) in pixels {
            let (Ok(column), Ok(row)) = (usize::try_from(point.x), usize::try_from(point.y)) else {
                continue;
            };
            if colour.is_off() {
                continue;
            }
            let left = self.x + column * self.scale;
            let top = self.y + row * self.scale;
            for line in top..top + self.scale {
                (self.fill)(left..left + self.scale, line);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_drawn_inside_its_cells_and_scaled_by_whole_numbers() {
        let mut seen = [0_usize; 2];
        for (scale, seen) in [1, 3].into_iter().zip(&mut seen) {
            draw_line("Aé", (5, 7), scale, &mut |columns, row| {
                assert!(columns.start >= 5 && columns.end <= 5 + 2 * CHARACTER_WIDTH * scale);
                assert!((7..7 + LINE_HEIGHT * scale).contains(&row));
                *seen += columns.len();
            });
        }
        assert!(seen[0] > 20);
        assert_eq!(seen[1], seen[0] * 9);
    }
}
