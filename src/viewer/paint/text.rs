//! Lines of text: measured, cut to fit, wrapped, drawn.

// The pen moves by fractions of pixels; letters are drawn at whole ones.
#![allow(clippy::cast_possible_truncation)]

use super::canvas::Canvas;
use super::glyphs::Glyphs;
use super::rect::Rect;
use super::text_style::{Align, Digits, Style};
use std::fmt::{self, Write};

/// The height of a capital letter, in ems. Text is centred by it.
const CAPITAL: f32 = 0.727;
/// The width and height of the box for a character that no font has, in ems.
const BOX: (f32, f32) = (0.66, CAPITAL);
const ELLIPSIS: char = '…';

impl Canvas<'_> {
    /// The width of a line, in pixels.
    pub fn measure(&mut self, text: &str, style: Style) -> i32 {
        width_of(self.glyphs, text, style).ceil() as i32
    }

    /// Draws a line, vertically centred in `room`. If it is wider than `room`, it is cut and ends with `…`. Returns its
    /// right edge.
    pub fn text(&mut self, room: Rect, text: &str, style: Style, align: Align) -> i32 {
        if room.width <= 0
            || !self.shows(Rect::new(room.x, room.y - room.height, room.width, 3 * room.height))
        {
            return room.x;
        }
        let Fit { text: fitting, width, is_cut } = fit(self.glyphs, text, style, room.width as f32);
        let spare = (room.width as f32 - width).max(0.0);
        let x = room.x as f32
            + match align {
                Align::Left => 0.0,
                Align::Centre => (spare / 2.0).floor(),
                Align::Right => spare.floor(),
            };
        let baseline = (room.y as f32 + (room.height as f32 + style.size * CAPITAL) / 2.0).round();
        let mut canvas =
            self.part(Rect::new(room.x - 1, room.y - room.height, room.width + 2, 3 * room.height));
        let mut pen = canvas.letters(fitting, (x, baseline as i32), style);
        if is_cut {
            pen = canvas.letters("…", (pen, baseline as i32), style);
        }
        pen.ceil() as i32
    }

    /// Draws as much of a line's end as fits into `room`.
    pub(super) fn text_end(&mut self, room: Rect, text: &str, style: Style) {
        let (mut width, mut start) = (0.0, text.len());
        for (at, character) in text.char_indices().rev() {
            width += advance(self.glyphs, character, style);
            if width > room.width as f32 {
                break;
            }
            start = at;
        }
        self.text(room, &text[start..], style, Align::Right);
    }

    /// Draws letters from a point on a baseline. Returns where the next letter begins.
    fn letters(&mut self, text: &str, (x, baseline): (f32, i32), style: Style) -> f32 {
        let mut pen = x;
        for character in text.chars() {
            let advance = advance(self.glyphs, character, style);
            if advance == 0.0 && is_unseen(character) {
                continue;
            }
            let own = self.glyphs.form(seen(character), style.weight).map(|form| form.advance);
            match own {
                // A digit is centred in a cell that is wider than it.
                Some(own) => {
                    let shift = (advance - own * style.size) / 2.0;
                    self.letter(seen(character), (pen + shift, baseline), style);
                }
                None => self.missing((pen, baseline), style),
            }
            pen += advance;
        }
        pen
    }

    /// Draws a box instead of a character that no font has.
    fn missing(&mut self, (x, baseline): (f32, i32), style: Style) {
        let height = (style.size * BOX.1).round() as i32;
        let width = (style.size * (BOX.0 - 0.14)).round() as i32;
        let left = (x + style.size * 0.07).round() as i32;
        let rect = Rect::new(left, baseline - height, width, height);
        let thickness = (style.size / 14.0).round().max(1.0) as i32;
        let alpha = style.colour.alpha / 5 * 3;
        self.outline(rect, (style.size / 9.0) as i32, thickness, style.colour.with_alpha(alpha));
    }
}

/// Draws text that is longer than a line.
impl Canvas<'_> {
    /// Draws text in lines of `line` pixels from the top of `room`, as many as fit. Returns the height they take.
    pub fn paragraph(
        &mut self,
        room: Rect,
        text: &str,
        style: Style,
        align: Align,
        line: i32,
    ) -> i32 {
        let mut rest = text.trim();
        let mut y = room.y;
        while !rest.is_empty() && y + line <= room.bottom() {
            let is_last = y + 2 * line > room.bottom();
            let (now, later) = first_line(self.glyphs, rest, style, room.width as f32);
            // The last line that fits shows with `…` that there is more.
            let now = if is_last { rest } else { now };
            self.text(Rect::new(room.x, y, room.width, line), now, style, align);
            rest = later;
            y += line;
        }
        y - room.y
    }

    /// The line of this number, when a text is broken at a width.
    pub(super) fn line_of<'a>(
        &mut self,
        text: &'a str,
        style: Style,
        width: i32,
        number: usize,
    ) -> &'a str {
        let mut rest = text.trim();
        for _ in 0..number {
            rest = first_line(self.glyphs, rest, style, width as f32).1;
        }
        first_line(self.glyphs, rest, style, width as f32).0
    }

    /// The number of lines when a text is broken at a width.
    pub fn count_lines(&mut self, text: &str, style: Style, width: i32) -> i32 {
        let mut rest = text.trim();
        let mut lines = 0;
        while !rest.is_empty() {
            rest = first_line(self.glyphs, rest, style, width as f32).1;
            lines += 1;
        }
        lines
    }
}

/// Splits off the first line of a text: breaks at a space, or inside a word that is longer than a line. Takes at least one
/// character.
fn first_line<'a>(
    glyphs: &mut Glyphs,
    text: &'a str,
    style: Style,
    width: f32,
) -> (&'a str, &'a str) {
    let mut pen = 0.0;
    let mut blank = None;
    for (at, character) in text.char_indices() {
        if character == '\n' {
            return (text[..at].trim_end(), text[at..].trim_start());
        }
        if character.is_whitespace() {
            blank = Some(at);
        }
        pen += advance(glyphs, character, style);
        if pen > width && at > 0 && !character.is_whitespace() {
            let end = blank.unwrap_or(at);
            return (text[..end].trim_end(), text[end..].trim_start());
        }
    }
    (text, "")
}

/// The beginning of a line, as much as fits.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fit<'a> {
    text: &'a str,
    /// Including the `…` where it is cut.
    width: f32,
    is_cut: bool,
}

fn fit<'a>(glyphs: &mut Glyphs, text: &'a str, style: Style, room: f32) -> Fit<'a> {
    let dots = advance(glyphs, ELLIPSIS, style);
    let mut pen = 0.0;
    let mut end = (0, 0.0);
    for (at, character) in text.char_indices() {
        if pen + dots <= room {
            end = (at, pen);
        }
        pen += advance(glyphs, character, style);
        if pen > room + SLACK {
            return Fit { text: text[..end.0].trim_end(), width: end.1 + dots, is_cut: true };
        }
    }
    Fit { text, width: pen, is_cut: false }
}

/// The tolerance in pixels for sums added in another order.
const SLACK: f32 = 0.1;

fn width_of(glyphs: &mut Glyphs, text: &str, style: Style) -> f32 {
    text.chars().map(|character| advance(glyphs, character, style)).sum()
}

/// The distance from a character to the next, in pixels.
fn advance(glyphs: &mut Glyphs, character: char, style: Style) -> f32 {
    let ems = if is_unseen(character) {
        0.0
    } else if style.digits == Digits::Even && character.is_ascii_digit() {
        glyphs.form(WIDEST_DIGIT, style.weight).map_or(BOX.0, |form| form.advance)
    } else {
        glyphs.form(seen(character), style.weight).map_or(BOX.0, |form| form.advance)
    };
    ems * style.size
}

const WIDEST_DIGIT: char = '0';

/// What is drawn for a character: any whitespace is a space.
fn seen(character: char) -> char {
    if character.is_whitespace() { ' ' } else { character }
}

/// Whether a character only changes how others are drawn, and has no glyph.
fn is_unseen(character: char) -> bool {
    (character.is_control() && !character.is_whitespace())
        || matches!(character, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E01EF}')
}

/// A short text made without allocating. It is cut if it is too long.
#[derive(Clone, Copy)]
pub(super) struct Short {
    bytes: [u8; Self::LEN],
    used: usize,
}

impl Short {
    const LEN: usize = 128;

    /// Formats the parts.
    pub(super) fn of(parts: fmt::Arguments<'_>) -> Self {
        let mut short = Self { bytes: [0; Self::LEN], used: 0 };
        // This fails only when the text is full. Then it is cut.
        let _ = short.write_fmt(parts);
        short
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.used]).unwrap_or_default()
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = Self::LEN - self.used;
        let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
        let len = ends.take_while(|end| *end <= room).last().unwrap_or(0);
        self.bytes[self.used..self.used + len].copy_from_slice(&text.as_bytes()[..len]);
        self.used += len;
        if len < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

impl std::ops::Deref for Short {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::paint::Weight;
    use crate::viewer::paint::style::TEXT;

    fn style() -> Style {
        Style::new(15.0, TEXT)
    }

    #[test]
    fn lines_break_at_blanks_and_inside_words_that_are_too_long() {
        let mut glyphs = Glyphs::default();
        let width = width_of(&mut glyphs, "two three", style());
        let mut first = |text, width| first_line(&mut glyphs, text, style(), width);
        assert_eq!(first("one two three", width), ("one two", "three"));
        assert_eq!(first("two three four", width), ("two three", "four"));
        assert_eq!(first("one\n two", width), ("one", "two"));
        let (start, rest) = first("Donaudampfschifffahrt", width);
        assert!(start.starts_with("Donau") && rest.ends_with("fahrt"), "{start} {rest}");
        assert_eq!(first("äöü", 0.0), ("ä", "öü"));
        assert_eq!(first("", 0.0), ("", ""));
    }

    #[test]
    fn what_does_not_fit_ends_in_dots_that_do() {
        let mut glyphs = Glyphs::default();
        let whole = width_of(&mut glyphs, "Garten hinten", style());
        let found = fit(&mut glyphs, "Garten hinten", style(), whole);
        assert_eq!((found.text, found.is_cut), ("Garten hinten", false));
        let found = fit(&mut glyphs, "Garten hinten", style(), whole - 1.0);
        assert!(found.is_cut && found.text.starts_with("Garten"));
        let dots = advance(&mut glyphs, ELLIPSIS, style());
        assert!(width_of(&mut glyphs, found.text, style()) + dots <= whole - 1.0);
        assert_eq!(fit(&mut glyphs, "Garten", style(), 0.0).text, "");
    }

    #[test]
    fn digits_can_all_be_as_wide() {
        let mut glyphs = Glyphs::default();
        for weight in [Weight::Regular, Weight::Bold] {
            let style = Style { weight, ..style() };
            let [one, four] = ["111", "444"].map(|text| width_of(&mut glyphs, text, style.even()));
            assert_eq!(one, four);
            for digit in '0'..='9' {
                let own = advance(&mut glyphs, digit, style);
                assert!(own <= advance(&mut glyphs, digit, style.even()) + 1.0, "{digit}");
            }
        }
    }

    #[test]
    fn short_texts_are_cut_between_characters() {
        let long = "ä".repeat(100);
        let short = Short::of(format_args!("a{long}"));
        assert_eq!(short.len(), Short::LEN - 1);
        assert!(short.ends_with('ä'));
    }
}
