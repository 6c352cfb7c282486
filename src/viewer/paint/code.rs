//! The field for a camera's code.

use super::canvas::Canvas;
use super::field::Field;
use super::rect::Rect;
use super::scale::Scale;
use super::style::{ALERT, FAINT, PANEL_DENSE, QUIET, TEXT};
use super::text::Short;
use super::text_style::{Align, Style};

/// The field, and what stands around it.
#[derive(Debug, Clone, Copy)]
pub struct CodeSheet<'a> {
    /// The camera's name.
    pub camera: &'a str,
    /// What was typed.
    pub typed: &'a str,
    /// Where the code is to be found, in one or two sentences.
    pub advice: &'a str,
    /// What happens, or why it did not.
    pub state: State<'a>,
    /// What Esc does: `shows the list`.
    pub leaving: &'a str,
}

/// How far the pairing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State<'a> {
    /// The code is typed.
    Typed,
    /// It is tried.
    Tried,
    /// It did not do, for this reason.
    Refused(&'a str),
}

/// All in ems.
const WIDTH: f32 = 30.0;
const TITLE: f32 = 2.6;
const LINE: f32 = 1.35;
const FIELD: f32 = 2.6;
const FOOT: f32 = 1.9;
const GAP: f32 = 0.5;
/// The most lines of advice, and of a reason.
const MOST_LINES: i32 = 5;

impl CodeSheet<'_> {
    /// Draws it in the middle of the canvas. Where there is too little room, the advice is left out first, then the keys.
    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let (area, scale) = (canvas.area(), canvas.scale());
        let margin = scale.em(0.4);
        let most = area.inset(margin, margin);
        let width = scale.em(WIDTH).min(most.width);
        let side = scale.em(0.9).min(width / 8);
        let quiet = Style::new(scale.small(), QUIET);
        let (told, told_style) = self.told(scale);
        let line = scale.em(LINE);
        let inner = width - 2 * side;
        let mut lines = |text: &str, style| canvas.count_lines(text, style, inner).min(MOST_LINES);
        let told_height = lines(told, told_style) * line;
        let (mut advice, mut foot) = (lines(self.advice, quiet) * line, scale.em(FOOT));
        let (title, field, gap) = (scale.em(TITLE), scale.em(FIELD), scale.em(GAP));
        let least = title + field + gap + told_height + gap;
        if least + advice + foot > most.height {
            advice = 0;
        }
        if least + foot > most.height {
            foot = 0;
        }
        let panel = most.centred(width, least + advice + foot);
        canvas.panel_of(panel, PANEL_DENSE);
        let (head, rest) = panel.inset(side, 0).split_top(title);
        let heading = Short::of(format_args!("Code of {}", self.camera));
        let bold = Style::new(scale.text() * 1.2, TEXT).bold();
        canvas.text(head, &heading, bold, Align::Left);
        let (room, rest) = rest.split_top(advice);
        if advice > 0 {
            canvas.paragraph(room, self.advice, quiet, Align::Left, line);
        }
        let (place, rest) = rest.split_top(field + gap);
        self.draw_field(canvas, Rect { y: place.y + gap, height: field, ..place });
        let (_, rest) = rest.split_top(gap);
        let (room, rest) = rest.split_top(told_height);
        canvas.paragraph(room, told, told_style, Align::Left, line);
        if foot > 0 {
            let keys =
                Short::of(format_args!("Enter pairs · Ctrl+V pastes · Esc {}", self.leaving));
            let row = rest.split_top(foot).0;
            canvas.text(row, &keys, Style::new(scale.small(), FAINT), Align::Left);
        }
    }

    fn told(&self, scale: Scale) -> (&str, Style) {
        match self.state {
            State::Typed => ("", Style::new(scale.small(), QUIET)),
            State::Tried => ("pairing…", Style::new(scale.small(), QUIET)),
            State::Refused(why) => (why, Style::new(scale.small(), ALERT)),
        }
    }

    /// Draws what was typed, with dashes for what is missing.
    fn draw_field(&self, canvas: &mut Canvas<'_>, place: Rect) {
        let style = Style::new(canvas.scale().text() * 1.25, TEXT).even();
        let (placeholder, typed) = (PLACEHOLDER, self.typed);
        Field { placeholder, typed, style, inset: 0.7, cursor: Some(1.5) }.draw(canvas, place);
    }
}

/// The text in the empty field.
const PLACEHOLDER: &str = "12 letters and digits";
