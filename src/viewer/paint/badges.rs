//! Labels at the edges of a picture: age, paused, recording, messages, names, selection.

use super::canvas::Canvas;
use super::rect::Rect;
use super::style::{ACCENT, ALERT, Colour, GOOD, PANEL, QUIET, TEXT, WARN};
use super::text::Short;
use super::text_style::{Align, Style};
use std::fmt;
use std::time::Duration;

/// The labels in the upper right corner of a picture. A `None` draws nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Badges {
    /// How long the picture has been paused.
    pub paused: Option<Duration>,
    /// A recording that is running.
    pub recording: Option<Recording>,
    /// The age of a picture that is older than it should be.
    pub age: Option<Duration>,
    /// How many times the picture is enlarged.
    pub zoom: Option<f32>,
}

/// A recording that is running.
#[derive(Debug, Clone, Copy)]
pub struct Recording {
    /// How long it has been running.
    pub running: Duration,
    /// Frames that were dropped because the disk was too slow.
    pub dropped: u64,
}

/// A message that disappears by itself.
#[derive(Debug, Clone, Copy)]
pub struct Toast<'a> {
    /// One sentence.
    pub text: &'a str,
    /// The kind of message.
    pub mood: Mood,
}

/// The kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Something to know.
    Plain,
    /// Something worked.
    Good,
    /// Something failed.
    Bad,
}

/// The sign before a badge's text.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Dot(Colour),
    Bars(Colour),
    /// Something worked.
    Tick(Colour),
    /// Something failed.
    Cross(Colour),
    None,
}

/// In ems: the margin beside a badge's text, and the width from which a message gets a second line.
const SIDE: f32 = 0.7;
const WIDEST_TOAST: f32 = 40.0;
/// The most lines of a message.
const MOST_LINES: i32 = 4;
/// The height of a line, in ems.
const TOAST_LINE: f32 = 1.3;
/// In a window lower than this, in ems, margins are smaller.
const LOW: f32 = 16.0;

impl Badges {
    /// Draws the badges at the upper right of the canvas, one below the other.
    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        self.draw_above(canvas, canvas.area().bottom());
    }

    /// Draws the badges that end above `bottom`. The most important come first.
    pub(super) fn draw_above(&self, canvas: &mut Canvas<'_>, bottom: i32) {
        self.each(canvas, bottom, |canvas, place, sign, text, colour| {
            let room = pill(canvas, place, sign);
            let style = Style::new(canvas.scale().small(), colour).even();
            canvas.text(room, text, style, Align::Left);
        });
    }

    /// The area in which [`draw_above`](Self::draw_above) draws.
    pub(super) fn place(&self, canvas: &mut Canvas<'_>, bottom: i32) -> Rect {
        let mut all = Rect::default();
        self.each(canvas, bottom, |_, place, _, _, _| all = all.around(place));
        all
    }

    /// Calls `draw` for each badge that there is room for.
    fn each(
        &self,
        canvas: &mut Canvas<'_>,
        bottom: i32,
        mut draw: impl FnMut(&mut Canvas<'_>, Rect, Sign, &str, Colour),
    ) {
        let margin = margin(canvas);
        let mut y = canvas.area().y + margin;
        let mut put = |sign, text: &str, colour| {
            let area = canvas.area();
            let width = pill_width(canvas, sign, text).min(area.width - 2 * margin);
            let place = Rect::new(area.right() - margin - width, y, width, pill_height(canvas));
            if place.bottom() <= bottom && !place.is_empty() {
                draw(canvas, place, sign, text, colour);
                y = place.bottom() + canvas.scale().em(0.35);
            }
        };
        if let Some(Recording { running, dropped }) = self.recording {
            let time = Clock(running);
            let text = match dropped {
                0 => Short::of(format_args!("{time}")),
                dropped => Short::of(format_args!("{time} · {dropped} dropped")),
            };
            put(Sign::Dot(ALERT), &text, TEXT);
        }
        if let Some(paused) = self.paused {
            put(Sign::Bars(TEXT), &Short::of(format_args!("Paused {}", Clock(paused))), TEXT);
        }
        if let Some(age) = self.age {
            put(Sign::Dot(WARN), &Short::of(format_args!("{} old", Lapse(age))), WARN);
        }
        if let Some(zoom) = self.zoom {
            put(Sign::None, &Short::of(format_args!("{:.0} %", zoom * 100.0)), QUIET);
        }
    }
}

/// Draws messages at the bottom centre of the canvas, the last one lowest. They stay above the name if there is room.
pub fn draw_toasts(canvas: &mut Canvas<'_>, toasts: &[Toast<'_>]) {
    each_toast(canvas, toasts, |canvas, place, sign, text| {
        let scale = canvas.scale();
        let line = scale.em(TOAST_LINE);
        let room = pill(canvas, place, sign).inset(0, (pill_height(canvas) - line) / 2);
        canvas.paragraph(room, text, Style::new(scale.small(), TEXT).even(), Align::Left, line);
    });
}

/// The area in which [`draw_toasts`] draws.
pub fn place_of_toasts(canvas: &mut Canvas<'_>, toasts: &[Toast<'_>]) -> Rect {
    let mut all = Rect::default();
    each_toast(canvas, toasts, |_, place, _, _| all = all.around(place));
    all
}

/// Calls `draw` for each message that there is room for, the last one first.
fn each_toast(
    canvas: &mut Canvas<'_>,
    toasts: &[Toast<'_>],
    mut draw: impl FnMut(&mut Canvas<'_>, Rect, Sign, &str),
) {
    let scale = canvas.scale();
    let (margin, area, gap) = (margin(canvas), canvas.area(), scale.em(0.35));
    let (height, line) = (pill_height(canvas), scale.em(TOAST_LINE));
    let is_low = area.height < scale.em(LOW);
    let above_name = if is_low { 0 } else { height + gap };
    let mut bottom = area.bottom() - margin - above_name;
    let room_for = 1 + (area.height - 2 * margin - height).max(0) / line;
    let most = room_for.min(if is_low { MOST_LINES / 2 } else { MOST_LINES });
    for toast in toasts.iter().rev() {
        let sign = match toast.mood {
            Mood::Plain => Sign::None,
            Mood::Good => Sign::Tick(GOOD),
            Mood::Bad => Sign::Cross(ALERT),
        };
        let widest = (area.width - 2 * margin).min(scale.em(WIDEST_TOAST));
        let width = pill_width(canvas, sign, toast.text).min(widest);
        let x = area.x + (area.width - width) / 2;
        let style = Style::new(scale.small(), TEXT).even();
        let text_width = width - 2 * scale.em(SIDE) - sign_width(canvas, sign);
        let lines = canvas.count_lines(toast.text, style, text_width).min(most);
        let high = height + (lines - 1).max(0) * line;
        draw(canvas, Rect::new(x, bottom - high, width, high), sign, toast.text);
        bottom -= high + gap;
        if bottom < area.y {
            return;
        }
    }
}

/// Draws a camera's name at the lower left of the canvas.
pub fn draw_label(canvas: &mut Canvas<'_>, name: &str) {
    let place = place_of_label(canvas, name);
    let room = pill(canvas, place, Sign::None);
    canvas.text(room, name, Style::new(canvas.scale().small(), TEXT).even(), Align::Left);
}

/// The area in which [`draw_label`] draws.
pub(super) fn place_of_label(canvas: &mut Canvas<'_>, name: &str) -> Rect {
    let margin = margin(canvas);
    let area = canvas.area();
    let width = pill_width(canvas, Sign::None, name).min(area.width - 2 * margin);
    let height = pill_height(canvas);
    Rect::new(area.x + margin, area.bottom() - margin - height, width, height)
}

/// The canvas without its margin.
pub(super) fn room(canvas: &Canvas<'_>) -> Rect {
    let margin = margin(canvas);
    canvas.area().inset(margin, margin)
}

/// Draws a frame around the canvas, which marks the selected picture.
pub fn draw_selection(canvas: &mut Canvas<'_>) {
    let thickness = canvas.scale().em(0.16).max(2);
    canvas.outline(canvas.area(), 0, thickness, ACCENT);
}

fn margin(canvas: &Canvas<'_>) -> i32 {
    canvas.scale().em(if canvas.area().height < canvas.scale().em(LOW) { 0.4 } else { 0.8 })
}

fn pill_height(canvas: &Canvas<'_>) -> i32 {
    canvas.scale().em(1.75)
}

fn pill_width(canvas: &mut Canvas<'_>, sign: Sign, text: &str) -> i32 {
    let style = Style::new(canvas.scale().small(), TEXT).even();
    canvas.measure(text, style) + 2 * canvas.scale().em(SIDE) + sign_width(canvas, sign)
}

fn sign_width(canvas: &Canvas<'_>, sign: Sign) -> i32 {
    match sign {
        Sign::None => 0,
        Sign::Dot(_) | Sign::Bars(_) | Sign::Tick(_) | Sign::Cross(_) => canvas.scale().em(1.0),
    }
}

/// Draws a badge's background and sign. Returns the room for its text.
fn pill(canvas: &mut Canvas<'_>, place: Rect, sign: Sign) -> Rect {
    let scale = canvas.scale();
    let first_line = pill_height(canvas).min(place.height);
    canvas.rounded(place, first_line / 2, PANEL);
    let inner = place.inset(scale.em(SIDE), 0);
    let (sign_room, text_room) = inner.split_left(sign_width(canvas, sign));
    let middle = place.y as f32 + first_line as f32 / 2.0;
    match sign {
        Sign::None => {}
        Sign::Dot(colour) => {
            let radius = scale.text() * 0.28;
            canvas.disc((sign_room.x as f32 + radius, middle), radius, colour);
        }
        Sign::Tick(colour) | Sign::Cross(colour) => {
            let arm = scale.text() * 0.25;
            let at = |x: f32, y: f32| (sign_room.x as f32 + arm * (1.0 + x), middle + arm * y);
            let strokes = match sign {
                Sign::Tick(_) => [(at(-1.0, 0.1), at(-0.3, 0.8)), (at(-0.3, 0.8), at(1.0, -0.8))],
                _ => [(at(-0.8, -0.8), at(0.8, 0.8)), (at(-0.8, 0.8), at(0.8, -0.8))],
            };
            let thick = scale.text() * 0.14;
            strokes.into_iter().for_each(|(from, to)| canvas.line(from, to, thick, colour));
        }
        Sign::Bars(colour) => {
            let (thick, high) = (scale.em(0.18).max(2), scale.em(0.7));
            let y = place.y + (first_line - high) / 2;
            for x in [0, thick * 2] {
                canvas.rounded(Rect::new(sign_room.x + x, y, thick, high), thick / 3, colour);
            }
        }
    }
    text_room
}

/// A running time: `0:42`, `1:02:03`.
pub(super) struct Clock(pub(super) Duration);

impl fmt::Display for Clock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match hours {
            0 => write!(out, "{minutes}:{seconds:02}"),
            _ => write!(out, "{hours}:{minutes:02}:{seconds:02}"),
        }
    }
}

/// A duration as people write it: `240 ms`, `3.2 s`, `48 s`, `12 min`, `3 h`, `5 days`.
pub(super) struct Lapse(pub(super) Duration);

impl fmt::Display for Lapse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0 => write!(out, "{} ms", self.0.as_millis()),
            1..10 => write!(out, "{:.1} s", self.0.as_secs_f32()),
            10..120 => write!(out, "{seconds} s"),
            120..7200 => write!(out, "{} min", seconds / 60),
            7200..172_800 => write!(out, "{} h", seconds / 3600),
            _ => write!(out, "{} days", seconds / 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let lapse = |millis| Lapse(Duration::from_millis(millis)).to_string();
        let said = [0, 240, 999, 3_240, 48_900, 119_000, 120_000, 7_200_000, 432_000_000];
        assert_eq!(
            said.map(lapse),
            ["0 ms", "240 ms", "999 ms", "3.2 s", "48 s", "119 s", "2 min", "2 h", "5 days"]
        );
        let clock = |seconds| Clock(Duration::from_secs(seconds)).to_string();
        assert_eq!([0, 42, 723, 3723].map(clock), ["0:00", "0:42", "12:03", "1:02:03"]);
        let _ = (Lapse(Duration::MAX).to_string(), Clock(Duration::MAX).to_string());
    }
}
