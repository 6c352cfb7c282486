//! The size of text, from which all other sizes follow.

use super::rect::Rect;

/// The size of text in pixels. All distances follow from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    text: f32,
}

/// The size of text in a window without height ...
const SMALLEST: f32 = 8.5;
/// ... grows by a pixel per this many rows: 12 px at 360 rows, 15 at 720, 19 at 1080, 29 at 2160.
const ROWS_PER_PIXEL: f32 = 106.0;
/// The largest size.
const LARGEST: f32 = 96.0;
/// In a window higher than this part of its width, text is only as large as for that height, because lines need width.
const HEIGHT_FOR_WIDTH: f32 = 0.75;

impl Scale {
    /// The size for a window or a pane on a screen with this many pixels per pixel of an ordinary screen.
    ///
    /// A whole number, so that letters look the same everywhere.
    pub fn for_area(area: Rect, dots_per_pixel: f32) -> Self {
        let dots = if dots_per_pixel.is_finite() { dots_per_pixel.clamp(0.5, 8.0) } else { 1.0 };
        let (width, height) = (area.width as f32, area.height as f32);
        let rows = height.min(width * HEIGHT_FOR_WIDTH) / dots;
        let text = (SMALLEST + rows / ROWS_PER_PIXEL) * dots;
        Self { text: text.round().min(LARGEST) }
    }

    /// A scale with ordinary text of this size.
    pub fn of_text(pixels: f32) -> Self {
        Self { text: pixels.clamp(1.0, LARGEST) }
    }

    /// The size of ordinary text: one em, in pixels.
    pub fn text(self) -> f32 {
        self.text
    }

    /// The size of less important text, never too small to read.
    pub fn small(self) -> f32 {
        (self.text * 0.87).round().max(self.text.min(9.0))
    }

    /// A multiple of the text size, in whole pixels.
    #[allow(clippy::cast_possible_truncation)] // at most a few hundred
    pub fn em(self, times: f32) -> i32 {
        (self.text * times).round() as i32
    }

    /// The thickness of a thin line, at least a pixel.
    pub fn hair(self) -> i32 {
        self.em(0.075).max(1)
    }

    /// The height of a line of ordinary text.
    pub fn line(self) -> i32 {
        self.em(1.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_grows_with_the_window_and_with_the_density_of_the_screen() {
        let text = |width, height, dots| Scale::for_area(Rect::new(0, 0, width, height), dots).text;
        assert_eq!(text(160, 90, 1.0), 9.0);
        assert_eq!(text(640, 360, 1.0), 12.0);
        assert_eq!(text(1280, 720, 1.0), 15.0);
        assert_eq!(text(3840, 2160, 1.0), 29.0);
        // The same window on a screen of twice the density.
        assert_eq!(text(2560, 1440, 2.0), 31.0);
        for dots in [f32::NAN, f32::INFINITY, -1.0, 0.0, 1e9] {
            assert!((1.0..=LARGEST).contains(&text(1, 1, dots)));
            assert!((1.0..=LARGEST).contains(&text(i32::MAX, i32::MAX, dots)));
        }
    }
}
