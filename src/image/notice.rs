//! Draws a picture of words: a headline, a text and a foot, as large as they fit.

use super::planes::Planes;
use super::text::{CHARACTER_WIDTH, LINE_HEIGHT, draw_line};

/// The words of the picture. Characters outside ISO 8859-1 are drawn as `?`.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// A few words, drawn larger.
    pub headline: &'a str,
    /// Sentences.
    pub text: &'a str,
    /// The last line: the name of the camera and the time.
    pub foot: &'a str,
}

const PAPER: u8 = 30;
const HEADLINE: u8 = 245;
const TEXT: u8 = 210;
const FOOT: u8 = 150;
const NO_COLOUR: u8 = 128;

/// The largest letters are those of which this many fill a line.
const FEWEST_COLUMNS: usize = 32;

/// Fills `planes` with `words`. What does not fit even in the smallest letters is left out, the foot first.
pub fn draw(words: Words<'_>, planes: &mut Planes) {
    let (width, height) = (planes.size().width, planes.size().height);
    let stride = planes.chroma().luma_size(planes.size()).width;
    let to = planes.split_mut();
    to.y.fill(PAPER);
    to.cb.fill(NO_COLOUR);
    to.cr.fill(NO_COLOUR);
    let largest = (width / (FEWEST_COLUMNS * CHARACTER_WIDTH)).max(1);
    let fits = |page: &Page| page.height() <= height;
    let page = (2..=largest).rev().map(|scale| Page::new(words, width, scale)).find(fits);
    let page = page.unwrap_or_else(|| Page::new(words, width, 1).cut_to(height));

    let mut top = height.saturating_sub(page.height()) / 2;
    for line in &page.lines {
        let luma = line.luma;
        draw_line(&line.text, (page.margin, top), line.scale, &mut |columns, row| {
            let columns = columns.start.min(width)..columns.end.min(width);
            if row < height {
                to.y[row * stride..][columns].fill(luma);
            }
        });
        top += line.height();
    }
}

/// The lines for a picture of one width.
struct Page {
    lines: Vec<Line>,
    margin: usize,
}

struct Line {
    text: String,
    scale: usize,
    luma: u8,
    /// The space after it.
    gap: usize,
}

impl Line {
    fn height(&self) -> usize {
        self.scale * LINE_HEIGHT + self.gap
    }
}

impl Page {
    fn new(words: Words<'_>, width: usize, scale: usize) -> Self {
        let margin = (width / 24).min(scale * 2 * CHARACTER_WIDTH);
        let columns =
            |scale: usize| (width.saturating_sub(2 * margin) / (scale * CHARACTER_WIDTH)).max(1);
        // A headline that would have to be broken is not enlarged.
        let larger = scale + scale.div_ceil(2);
        let headline = words.headline.chars().count();
        let headline = if headline <= columns(larger) { larger } else { scale };
        let mut lines = Vec::new();
        let blocks = [
            (words.headline, headline, HEADLINE),
            (words.text, scale, TEXT),
            (words.foot, scale, FOOT),
        ];
        for (text, scale, luma) in blocks {
            let of_block = wrap(text, columns(scale));
            let count = of_block.len();
            for (index, text) in of_block.into_iter().enumerate() {
                let gap = if index + 1 == count { scale * LINE_HEIGHT / 2 } else { 0 };
                lines.push(Line { text, scale, luma, gap });
            }
        }
        if let Some(last) = lines.last_mut() {
            last.gap = 0;
        }
        Self { lines, margin }
    }

    fn height(&self) -> usize {
        self.lines.iter().map(Line::height).sum()
    }

    /// The same without the last lines, as far as they do not fit.
    fn cut_to(mut self, height: usize) -> Self {
        if self.height() > height {
            self.lines.iter_mut().for_each(|line| line.gap = 0);
        }
        while self.lines.len() > 1 && self.height() > height {
            self.lines.pop();
        }
        self
    }
}

/// Breaks a text into lines of at most `columns` characters: between words, and within words that
/// are longer.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut room = 0;
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().filter(|letter| !letter.is_control()).collect();
        for (index, piece) in letters.chunks(columns).enumerate() {
            let piece: String = piece.iter().collect();
            let len = piece.chars().count();
            match lines.last_mut() {
                Some(line) if index == 0 && len < room => {
                    line.push(' ');
                    line.push_str(&piece);
                    room -= len + 1;
                }
                _ => {
                    lines.push(piece);
                    room = columns - len;
                }
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::{Chroma, Size};

    const WORDS: Words<'_> = Words {
        headline: "No camera",
        text: "There is no /dev/video*. Plug in a USB camera.",
        foot: "Garage  10:27:38 UTC",
    };

    fn drawn(size: Size, chroma: Chroma) -> Planes {
        let mut planes = Planes::default();
        planes.reshape(size, chroma);
        draw(WORDS, &mut planes);
        planes
    }

    #[test]
    fn lines_break_between_words_and_within_those_that_are_too_long() {
        assert_eq!(wrap("plug in a USB camera", 9), ["plug in a", "USB", "camera"]);
        assert_eq!(wrap("a /dev/v4l/by-id/x b", 6), ["a", "/dev/v", "4l/by-", "id/x b"]);
        assert_eq!(wrap("  a \n\t b\u{7} ", 5), ["a b"]);
        assert!(wrap(" ", 5).is_empty());
    }

    #[test]
    fn words_are_written_in_every_layout_and_size() {
        let sizes = [(1, 1), (2, 30), (64, 48), (161, 121), (320, 180), (1920, 1080), (480, 2000)];
        for (width, height) in sizes {
            for chroma in [Chroma::Yuv420, Chroma::Yuv422, Chroma::Yuv444, Chroma::Grey] {
                let planes = drawn(Size::new(width, height), chroma);
                let [y, cb, cr] = planes.split();
                let written = y.iter().filter(|&&luma| luma != PAPER).count();
                assert!(written > 0 || width < 10, "{width}x{height}: nothing is written");
                assert!(cb.iter().chain(cr).all(|&value| value == NO_COLOUR));
            }
        }
    }

    #[test]
    fn letters_grow_with_the_picture_and_stay_inside_it() {
        for (size, tallest) in [(Size::new(320, 180), 20), (Size::new(1920, 1080), 80)] {
            let planes = drawn(size, Chroma::Yuv420);
            let [y, ..] = planes.split();
            let is_written = |row: usize| y[row * size.width..][..size.width].contains(&HEADLINE);
            let rows = (0..size.height).filter(|&row| is_written(row)).count();
            assert!(rows * 2 >= tallest, "{size}: a headline of {rows} rows");
            assert!(y[..size.width].iter().all(|&luma| luma == PAPER), "a free margin");
        }
    }
}
