//! Draws text over a dimmed picture, readable at any size.

use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::image::rendition::{Aspect, SizeWish};
use crate::image::text::{CHARACTER_WIDTH, LINE_HEIGHT, draw_line};

/// Fills `canvas`, as large as it is, with `text` over `behind`, dimmed and in its own shape, or over
/// a plain ground when there is none.
pub fn compose(canvas: &mut Picture, behind: Option<&Picture>, text: &str) {
    canvas.pixels_mut().fill(GROUND);
    if let Some(picture) = behind {
        draw_dimmed(canvas, picture);
    }
    draw_text(canvas, text);
}

/// Behind everything: a blue so dark that it is no camera's black.
const GROUND: u32 = 0x0010_1820;
const TEXT: u32 = 0x00FF_FFFF;

/// The part of each side, in tenths, that text may cover.
const TENTHS: usize = 9;
/// One step of text size for so many rows of pixels: 15 lines of text fill a window.
const ROWS_PER_SCALE: usize = 15 * LINE_HEIGHT;

/// A quarter as bright, by the nearest pixel: it is only a background.
fn draw_dimmed(canvas: &mut Picture, picture: &Picture) {
    let room = canvas.size();
    let from = picture.size();
    if room.area() == 0 || from.area() == 0 {
        return;
    }
    let inside =
        SizeWish { width: Some(room.width), height: Some(room.height), aspect: Aspect::Keep };
    let size = inside.size_for(from);
    let (left, top) = ((room.width - size.width) / 2, (room.height - size.height) / 2);
    let rows = canvas.pixels_mut().chunks_exact_mut(room.width).skip(top).take(size.height);
    for (y, row) in rows.enumerate() {
        let source = &picture.pixels()[y * from.height / size.height * from.width..][..from.width];
        for (x, pixel) in row[left..left + size.width].iter_mut().enumerate() {
            *pixel = source[x * from.width / size.width] >> 2 & 0x003F_3F3F;
        }
    }
}

/// In the middle, as large as it fits, each line centred.
fn draw_text(canvas: &mut Picture, text: &str) {
    let Size { width, height } = canvas.size();
    let (scale, lines) = lay_out(text, canvas.size());
    let line_height = LINE_HEIGHT * scale;
    let top = height.saturating_sub(lines.len() * line_height) / 2;
    for (index, line) in lines.iter().enumerate() {
        let left = width.saturating_sub(line.chars().count() * CHARACTER_WIDTH * scale) / 2;
        draw_line(line, (left, top + index * line_height), scale, &mut |columns, row| {
            if row < height {
                let columns = columns.start.min(width)..columns.end.min(width);
                canvas.pixels_mut()[row * width..][columns].fill(TEXT);
            }
        });
    }
}

/// The largest scale, up to what suits the height, at which the text fits; at scale 1 it need not.
fn lay_out(text: &str, room: Size) -> (usize, Vec<String>) {
    let largest = (room.height / ROWS_PER_SCALE).max(1);
    for scale in (1..=largest).rev() {
        let columns = room.width * TENTHS / 10 / (CHARACTER_WIDTH * scale);
        let lines = wrap(text, columns.max(1));
        let fits = lines.len() * LINE_HEIGHT * scale <= room.height * TENTHS / 10;
        if scale == 1 || (fits && columns >= MIN_COLUMNS) {
            return (scale, lines);
        }
    }
    (1, Vec::new())
}

/// Fewer would break most words.
const MIN_COLUMNS: usize = 16;

/// Breaks at blanks, and inside words that are longer than a line.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for (index, part) in letters.chunks(columns).enumerate() {
            let joined = usize::from(index == 0 && used > 0);
            if used > 0 && (index > 0 || used + joined + part.len() > columns) {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else if joined == 1 {
                line.push(' ');
                used += 1;
            }
            line.extend(part);
            used += part.len();
        }
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_inside_words_that_are_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a abcdefgh b", 3), ["a", "abc", "def", "gh", "b"]);
        assert_eq!(wrap("  über  ", 10), ["über"]);
        assert!(wrap("", 10).is_empty());
    }

    #[test]
    fn text_fits_into_windows_of_every_size() {
        let text =
            "cannot reach pi.local:9999 (192.168.1.5:9999): no route to host; is it switched on?";
        for size in [Size::new(320, 240), Size::new(640, 360), Size::new(1920, 1080)] {
            let (scale, lines) = lay_out(text, size);
            let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(widest * CHARACTER_WIDTH * scale <= size.width, "{size}");
            assert!(lines.len() * LINE_HEIGHT * scale <= size.height, "{size}");
        }
        // 3 is what suits 1080 rows.
        assert_eq!(lay_out(text, Size::new(1920, 1080)).0, 3);
    }

    #[test]
    fn a_picture_behind_is_dimmed_in_its_own_shape() {
        let white = Picture::blank(Size::new(64, 32), 0x00FF_FFFF);
        let mut canvas = Picture::blank(Size::new(100, 100), 0);
        compose(&mut canvas, Some(&white), "");
        let is_dimmed = |x, y| canvas.rgb(x, y) == [0x3F; 3];
        assert!(is_dimmed(0, 50) && is_dimmed(99, 50) && is_dimmed(50, 26) && is_dimmed(50, 73));
        assert!(!is_dimmed(50, 23) && !is_dimmed(50, 76));
    }

    #[test]
    fn no_window_is_too_small_to_draw_into() {
        for size in [Size::new(1, 1), Size::new(3, 50), Size::new(200, 1)] {
            let mut canvas = Picture::blank(size, 0);
            compose(&mut canvas, Some(&Picture::blank(Size::new(7, 9), 1)), "no camera");
            compose(&mut canvas, None, "no camera");
        }
    }
}
