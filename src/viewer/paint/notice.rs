//! Why there is no picture, written over the last one, which is dimmed, or over the plain ground.

use super::badges::Lapse;
use super::canvas::Canvas;
use super::rect::Rect;
use super::style::Colour;
use super::style::{GROUND, QUIET, SHADE, TEXT};
use super::text::Short;
use super::text_style::{Align, Style};
use std::time::Duration;

/// Why there is no picture.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// A few words: `Not connected`.
    pub title: &'a str,
    /// The reason as far as it is known, in one or two sentences.
    pub text: &'a str,
    /// How long there has been no picture.
    pub lasting: Option<Duration>,
    /// When the last picture was taken. Shown instead of `lasting`.
    pub last_picture: Option<&'a str>,
}

/// Covers the canvas with the plain ground: there is no picture.
pub fn draw_ground(canvas: &mut Canvas<'_>) {
    canvas.fill(canvas.area(), Colour::solid(GROUND));
}

impl Notice<'_> {
    /// Dims the canvas, and writes the notice over it.
    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        self.draw_between(canvas, canvas.area());
    }

    /// Like [`draw`](Self::draw), but writes only within `free`, in the canvas's middle if possible. Returns the area of the
    /// text.
    pub(super) fn draw_between(&self, canvas: &mut Canvas<'_>, free: Rect) -> Rect {
        let (area, scale) = (canvas.area(), canvas.scale());
        // Over the plain ground this changes nothing.
        canvas.fill(area, SHADE);
        let width = (area.width - scale.em(2.0)).min(scale.em(34.0)).max(1);
        let title = Style::new((scale.text() * 1.35).round(), TEXT).bold();
        let text = Style::new(scale.text(), TEXT.with_alpha(225));
        let quiet = Style::new(scale.small(), QUIET).even();
        let (high, line, gap) = (scale.em(2.3), scale.em(1.45), scale.em(0.5));
        let time = self.time();
        let lasting = i32::from(time.is_some()) * (line + gap);
        let room = free.height - scale.em(0.6);
        let lines = canvas.count_lines(self.text, text, width);
        // Where there is too little room, leave out the text's last lines first, then the time, then the title.
        let least = lines.min(2) * line;
        let lasting = if high + least + lasting <= room { lasting } else { 0 };
        let high = if high + line <= room { high } else { 0 };
        let wanted = (lines * line).min((room - high - lasting) / line * line).max(0);
        let block = area.centred(width, high + wanted + lasting);
        let is_clear = block.y >= free.y && block.bottom() <= free.bottom();
        let block = if is_clear { block } else { free.centred(width, high + wanted + lasting) };
        let (title_room, rest) = block.split_top(high);
        let (title_room, _) = title_room.split_top(high - scale.em(0.3));
        canvas.text(title_room, self.title, title, Align::Centre);
        let (text_room, rest) = rest.split_top(wanted);
        let fits =
            if wanted > 0 { text_room } else { Rect::new(block.x, free.y, width, free.height) };
        canvas.paragraph(fits, self.text, text, Align::Centre, line);
        if let Some(time) = time.filter(|_| lasting > 0) {
            let (_, row) = rest.split_top(gap);
            canvas.text(row, &time, quiet, Align::Centre);
        }
        block.around(fits)
    }

    /// The line about when it began.
    fn time(&self) -> Option<Short> {
        match (self.last_picture, self.lasting) {
            (Some(time), _) => Some(Short::of(format_args!("last picture at {time}"))),
            (None, Some(time)) => Some(Short::of(format_args!("for {}", Lapse(time)))),
            (None, None) => None,
        }
    }
}
