//! A curve of the ages of the last ten seconds.

// Milliseconds are converted to rows of pixels.
#![allow(clippy::cast_possible_truncation)]

use super::canvas::Canvas;
use super::rect::Rect;
use super::style::{ACCENT, Colour, PALE, QUIET, WARN, WELL};
use super::text::Short;
use super::text_style::{Align, Style};
use super::track::AgeTrack;
use std::time::{Duration, Instant};

/// The data of a graph.
#[derive(Debug, Clone, Copy)]
pub(super) struct Graph<'a> {
    pub(super) track: &'a AgeTrack,
    pub(super) now: Instant,
    /// The time between two frames of the camera, drawn as a line.
    pub(super) interval: Option<Duration>,
}

/// The curve is interrupted where no picture was shown for this long.
const GAP: Duration = Duration::from_millis(400);

impl Graph<'_> {
    /// Draws the graph into `room`, with its scale at the right.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, room: Rect) {
        let scale = canvas.scale();
        let label = Style::new(scale.small(), QUIET).even();
        let top = self.top();
        let (labels, plot) = room.split_right(canvas.measure("1 frame", label));
        let plot = Rect::new(plot.x, plot.y, plot.width - scale.em(0.5), plot.height);
        if plot.width < 8 || plot.height < 8 {
            return;
        }
        canvas.rounded(plot, scale.em(0.25), WELL.with_alpha(16));
        let row = |millis: f32| {
            plot.bottom() as f32 - 1.0 - millis.min(top) / top * (plot.height - 2) as f32
        };
        let height = scale.em(1.1);
        let at = |y: i32| Rect::new(labels.x, y, labels.width, height);
        canvas.text(at(plot.y), &written(top), label, Align::Right);
        if let Some(interval) = self.interval.map(millis).filter(|interval| *interval < top) {
            let y = row(interval).round() as i32;
            draw_dashes(canvas, Rect::new(plot.x, y, plot.width, scale.hair()));
            // The label is beside its line, if the number above leaves room.
            let beside = (y - height / 2).max(plot.y + height);
            if beside + height <= plot.bottom() {
                canvas.text(at(beside), "1 frame", label.of(WARN.with_alpha(200)), Align::Right);
            }
        }
        self.curve(&mut canvas.part(plot), row);
        let foot = Rect::new(plot.x, plot.bottom() - height, plot.width, height);
        let span = Style::new((scale.small() * 0.85).max(8.0), PALE);
        canvas.text(foot.inset(scale.em(0.3), 0), "10 s", span, Align::Left);
    }

    /// The age at the upper edge: a round number above all ages and above a frame's interval.
    fn top(&self) -> f32 {
        let oldest = self.track.before(self.now).map(|(_, age)| millis(age)).fold(0.0, f32::max);
        let needed = oldest.max(self.interval.map_or(0.0, |interval| millis(interval) * 1.2));
        let mut top = 10.0;
        for factor in [2.0, 2.5, 2.0].into_iter().cycle().take(18) {
            if top >= needed {
                break;
            }
            top *= factor;
        }
        top
    }

    /// Draws a line through the highest age of each column of pixels, and fills the area below.
    fn curve(&self, canvas: &mut Canvas<'_>, row: impl Fn(f32) -> f32) {
        let plot = canvas.area();
        let span = AgeTrack::SPAN.as_secs_f32();
        let thickness = canvas.scale().text() / 10.0;
        let mut last: Option<(Duration, (f32, f32))> = None;
        let mut points = self.track.before(self.now).peekable();
        while let Some((before, age)) = points.next() {
            let column = |before: Duration| {
                plot.right() as f32 - before.as_secs_f32() / span * plot.width as f32
            };
            let x = column(before).floor();
            let mut age = age;
            while let Some((_, next)) = points.next_if(|(before, _)| column(*before).floor() <= x) {
                age = age.max(next);
            }
            let to = (x + 0.5, row(millis(age)));
            if let Some((_, from)) = last.filter(|(then, _)| then.saturating_sub(before) < GAP) {
                fill_below(canvas, from, to, ACCENT.with_alpha(44));
                canvas.line(from, to, thickness.max(1.2), ACCENT);
            }
            last = Some((before, to));
        }
    }
}

/// The age at the upper edge, in at most six letters: there is no room for more.
fn written(top: f32) -> Short {
    match top {
        ..1000.0 => Short::of(format_args!("{top:.0} ms")),
        _ => Short::of(format_args!("{:.0} s", top / 1000.0)),
    }
}

fn draw_dashes(canvas: &mut Canvas<'_>, line: Rect) {
    let dash = (line.height * 4).max(3);
    let mut x = line.x;
    while x < line.right() {
        let piece = Rect::new(x, line.y, dash.min(line.right() - x), line.height);
        canvas.fill(piece, WARN.with_alpha(130));
        x += dash * 2;
    }
}

/// Fills the area below a piece of the curve, without the column in which the next piece begins.
fn fill_below(canvas: &mut Canvas<'_>, from: (f32, f32), to: (f32, f32), colour: Colour) {
    let (start, end) = (from.0.floor() as i32, to.0.floor() as i32);
    let bottom = canvas.area().bottom();
    for column in start..end {
        let part = (column - start) as f32 / (end - start) as f32;
        let y = (from.1 + (to.1 - from.1) * part).round() as i32;
        canvas.fill(Rect::new(column, y, 1, bottom - y), colour);
    }
}

fn millis(time: Duration) -> f32 {
    time.as_secs_f32() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_in_seconds_where_milliseconds_would_not_fit() {
        let start = Instant::now();
        for (age, text) in
            [(3, "10 ms"), (400, "500 ms"), (600, "1 s"), (1100, "2 s"), (9_999, "10 s")]
        {
            let mut track = AgeTrack::default();
            track.push(start, Duration::from_millis(age));
            let graph = Graph { track: &track, now: start, interval: None };
            assert_eq!(written(graph.top()).as_str(), text, "{age}");
        }
    }
}
