//! The figures overlay: the age of pictures, their rate, and where they come from.

use super::badges;
use super::canvas::Canvas;
use super::graph::Graph;
use super::rect::Rect;
use super::scale::Scale;
use super::style::{QUIET, TEXT, WARN};
use super::text::Short;
use super::text_style::{Align, Style};
use super::track::AgeTrack;
use crate::image::pixels::Size;
use std::time::{Duration, Instant};

/// The figures of a camera's pictures. Those that are unknown are shown as a dash.
#[derive(Debug, Clone, Copy)]
pub struct Figures<'a> {
    /// The camera's name.
    pub camera: &'a str,
    /// The camera's address.
    pub address: &'a str,
    /// The median age of pictures when they are shown.
    pub age: Option<Duration>,
    /// The age that 95 % of the pictures in [`track`](Self::track) do not exceed.
    pub age_p95: Option<Duration>,
    /// The possible error of an age.
    pub uncertainty: Option<Duration>,
    /// Frames received per second.
    pub received_fps: Option<f64>,
    /// Frames shown per second.
    pub shown_fps: Option<f64>,
    /// Bits received per second.
    pub bits_per_second: Option<f64>,
    /// The size of the frames.
    pub size: Option<Size>,
    /// The codec, for people: `JPEG`.
    pub codec: &'a str,
    /// Frames that arrived and were not shown.
    pub skipped_here: u64,
    /// Frames that the camera took and that did not arrive.
    pub skipped_there: u64,
    /// The shortest recent round trip.
    pub round_trip: Option<Duration>,
    /// The time between two frames of the camera.
    pub interval: Option<Duration>,
    /// The ages of the last pictures.
    pub track: &'a AgeTrack,
    /// The moment of these figures.
    pub now: Instant,
}

/// A part of the overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Camera,
    Address,
    Age,
    Graph,
    Rate,
    Bitrate,
    Picture,
    Skipped,
    RoundTrip,
}

/// The parts from top to bottom, each with its rank. Where there is no room for all, those with the lowest ranks are shown.
const PARTS: [(Part, u8); 9] = [
    (Part::Camera, 4),
    (Part::Address, 7),
    (Part::Age, 0),
    (Part::Graph, 8),
    (Part::Rate, 1),
    (Part::Bitrate, 2),
    (Part::Picture, 3),
    (Part::Skipped, 5),
    (Part::RoundTrip, 6),
];

/// An error above this is shown, in milliseconds.
const WORTH_SAYING: f64 = 0.05;
/// The width of the longest row, in ems.
const WIDTH: f32 = 20.5;

impl Figures<'_> {
    /// Draws the figures at the upper left of the canvas. Returns the area they take.
    pub fn draw(&self, canvas: &mut Canvas<'_>) -> Rect {
        self.draw_in(canvas, badges::room(canvas))
    }

    /// Draws the figures in a part of the canvas.
    pub fn draw_in(&self, canvas: &mut Canvas<'_>, room: Rect) -> Rect {
        let (scale, area) = (canvas.scale(), canvas.area());
        let Some(FiguresLayout { panel, padding, chosen }) = layout(room, area, scale) else {
            return Rect::default();
        };
        canvas.panel(panel);
        let mut rest = panel.inset(padding, padding);
        for part in chosen.into_iter().flatten() {
            let (row, below) = rest.split_top(height_of(part, area, scale));
            self.draw_part(canvas, part, row);
            rest = below;
        }
        panel
    }

    fn draw_part(&self, canvas: &mut Canvas<'_>, part: Part, row: Rect) {
        let small = canvas.scale().small();
        match part {
            Part::Camera => {
                let style = Style::new(canvas.scale().text(), TEXT).bold();
                canvas.text(row, self.camera, style, Align::Left);
            }
            Part::Address => {
                canvas.text(row, self.address, Style::new(small, QUIET), Align::Left);
            }
            Part::Age => self.draw_age(canvas, row),
            Part::Graph => {
                let graph = Graph { track: self.track, now: self.now, interval: self.interval };
                let gap = canvas.scale().em(0.45);
                graph.draw(canvas, row.inset(0, gap));
            }
            Part::Rate => {
                let (received, shown) = (Known(self.received_fps, 1), Known(self.shown_fps, 1));
                fact(canvas, row, "Rate", format_args!("{received} fps · {shown} shown"));
            }
            Part::Bitrate => {
                let megabits = self.bits_per_second.map(|bits| bits / 1e6);
                let digits = if megabits.is_some_and(|megabits| megabits < 10.0) { 2 } else { 1 };
                fact(canvas, row, "Bitrate", format_args!("{} Mbit/s", Known(megabits, digits)));
            }
            Part::Picture => match self.size {
                Some(Size { width, height }) => {
                    fact(canvas, row, "Picture", format_args!("{width}×{height} {}", self.codec));
                }
                None => fact(canvas, row, "Picture", format_args!("–")),
            },
            Part::Skipped => {
                let (here, there) = (self.skipped_here, self.skipped_there);
                fact(canvas, row, "Skipped", format_args!("{here} here · {there} at camera"));
            }
            Part::RoundTrip => {
                let round_trip = Known(self.round_trip.map(millis), 1);
                fact(canvas, row, "Round trip", format_args!("{round_trip} ms"));
            }
        }
    }

    /// The age in large digits, and beside it p95 and the error.
    fn draw_age(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let scale = canvas.scale();
        let is_low = row.height < scale.em(2.0);
        let size = if is_low { scale.text() } else { scale.text() * 1.8 };
        let is_old = self.age.zip(self.interval).is_some_and(|(age, interval)| age > interval * 3);
        let style = Style::new(size, if is_old { WARN } else { TEXT }).bold().even();
        let age = Short::of(format_args!("{} ms", known_age(self.age)));
        let end = canvas.text(row, &age, style, Align::Left);
        let quiet = Style::new(scale.small(), QUIET).even();
        let after = |end: i32, gap: f32| {
            let x = end + scale.em(gap);
            Rect::new(x, row.y, row.right() - x, row.height)
        };
        let end = canvas.text(after(end, 0.4), "age", quiet, Align::Left);
        let most = known_age(self.age_p95);
        let unsure = self.uncertainty.map(millis).filter(|unsure| *unsure >= WORTH_SAYING);
        let text = match unsure {
            Some(unsure) => Short::of(format_args!("p95 {most} ± {unsure:.1} ms")),
            None => Short::of(format_args!("p95 {most} ms")),
        };
        let rest = after(end, 0.8);
        canvas.text(rest, &text, quiet, Align::Right);
    }
}

/// The positions of the figures.
struct FiguresLayout {
    panel: Rect,
    padding: i32,
    chosen: [Option<Part>; PARTS.len()],
}

/// The area of the figures in a part of a canvas. Empty if there is too little room.
pub fn place(room: Rect, area: Rect, scale: Scale) -> Rect {
    layout(room, area, scale).map_or_else(Rect::default, |layout| layout.panel)
}

fn layout(room: Rect, area: Rect, scale: Scale) -> Option<FiguresLayout> {
    let padding = scale.em(if is_low(area, scale) { 0.5 } else { 0.9 });
    let chosen = chosen(area, scale, room.height - 2 * padding);
    let height: i32 = chosen.iter().flatten().map(|part| height_of(*part, area, scale)).sum();
    let panel = Rect::new(room.x, room.y, scale.em(WIDTH).min(room.width), height + 2 * padding);
    (height > 0 && panel.width >= scale.em(4.0)).then_some(FiguresLayout { panel, padding, chosen })
}

/// The parts that there is room for, in their order.
fn chosen(area: Rect, scale: Scale, mut room: i32) -> [Option<Part>; PARTS.len()] {
    let mut chosen = [None; PARTS.len()];
    for rank in 0..PARTS.len() {
        for (place, (part, _)) in
            chosen.iter_mut().zip(PARTS).filter(|(_, (_, own))| usize::from(*own) == rank)
        {
            let height = height_of(part, area, scale);
            if height <= room {
                *place = Some(part);
                room -= height;
            }
        }
    }
    chosen
}

fn height_of(part: Part, area: Rect, scale: Scale) -> i32 {
    let is_low = is_low(area, scale);
    match part {
        Part::Age if !is_low => scale.em(2.5),
        Part::Graph => scale.em(4.6),
        _ if is_low => scale.em(1.35),
        _ => scale.line(),
    }
}

/// Whether margins have to be smaller.
fn is_low(area: Rect, scale: Scale) -> bool {
    area.height < scale.em(16.0)
}

/// Draws a row with a name at the left and a value at the right.
fn fact(canvas: &mut Canvas<'_>, row: Rect, name: &str, value: std::fmt::Arguments<'_>) {
    let scale = canvas.scale();
    let value = Short::of(value);
    let style = Style::new(scale.small(), TEXT).even();
    let width = canvas.measure(&value, style);
    let left = row.width - width - scale.em(0.6);
    if left > scale.em(2.0) {
        let (name_room, _) = row.split_left(left);
        canvas.text(name_room, name, Style::new(scale.small(), QUIET), Align::Left);
    }
    canvas.text(row, &value, style, Align::Right);
}

/// A number with this many decimals, or a dash.
struct Known(Option<f64>, usize);

impl std::fmt::Display for Known {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(number) if number >= 10_000.0 => write!(out, "{number:.0}"),
            Some(number) => write!(out, "{number:.*}", self.1),
            None => out.write_str("–"),
        }
    }
}

/// An age in milliseconds. From 100 ms on it has no decimals, so that two ages and the error fit into the row.
fn known_age(age: Option<Duration>) -> Known {
    let age = age.map(millis);
    Known(age, usize::from(age.is_some_and(|age| age < 100.0)))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
