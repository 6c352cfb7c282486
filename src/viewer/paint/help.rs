//! The list of keys.

use super::canvas::Canvas;
use super::rect::Rect;
use super::rows::Rows;
use super::scale::Scale;
use super::style::{PANEL_DENSE, QUIET, TEXT, WELL};
use super::text::{Align, Style};

/// Keys that have to do with each other.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    /// What about.
    pub title: &'a str,
    /// What the keys do.
    pub entries: &'a [Entry<'a>],
}

/// What some keys do.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The keys, as they are written on a keyboard.
    pub keys: &'a [&'a str],
    /// What they do.
    pub what: &'a str,
}

/// A line of the list.
#[derive(Debug, Clone, Copy)]
enum Line<'a> {
    Title(&'a str),
    Entry(&'a Entry<'a>),
    Blank,
}

/// In ems: a column of keys and text, the gap between two, a line, the panel's padding.
const COLUMN: f32 = 24.0;
const GAP: f32 = 2.4;
const LINE: f32 = 1.75;
const PADDING: f32 = 1.4;
/// Text is made no smaller than this to make room for more, in pixels.
const SMALLEST: f32 = 9.0;

/// Draws the list over the whole canvas, as large as it fits. Where it does not fit, lines from `first` on are shown;
/// returns the greatest `first` that shows something new.
pub fn draw(canvas: &mut Canvas<'_>, sections: &[Section<'_>], first: usize) -> usize {
    let area = canvas.area();
    canvas.dim(area, 120);
    let usual = canvas.scale().text();
    let mut text = usual;
    while text > SMALLEST && Plan::new(area, Scale::of_text(text), sections).is_cut() {
        text = (text - 1.0).max(SMALLEST);
    }
    let scale = Scale::of_text(text.min(usual));
    let plan = Plan::new(area, scale, sections);
    plan.draw(&mut canvas.with_scale(scale), sections, first)
}

/// Where columns and lines lie.
struct Plan {
    panel: Rect,
    columns: usize,
    /// Sections in the first of two columns.
    split: usize,
    /// Lines of the longest column.
    lines: usize,
    line: i32,
    room: Rect,
}

impl Plan {
    fn new(area: Rect, scale: Scale, sections: &[Section<'_>]) -> Self {
        let is_low = area.height < scale.em(16.0);
        let padding = scale.em(if is_low { 0.5 } else { PADDING });
        let line = scale.em(if is_low { 1.45 } else { LINE });
        let most = area.inset(scale.em(0.4), scale.em(0.4));
        let two = scale.em(2.0 * COLUMN + GAP) + 2 * padding;
        let all = count(sections);
        let columns = if two <= most.width && sections.len() > 1 { 2 } else { 1 };
        let (split, lines) =
            if columns == 2 { best_split(sections) } else { (sections.len(), all) };
        let width = if columns == 2 { two } else { scale.em(COLUMN) + 2 * padding };
        let high = i32::try_from(lines).unwrap_or(i32::MAX).saturating_mul(line);
        let panel = most.centred(width, high.saturating_add(2 * padding));
        Self { panel, columns, split, lines, line, room: panel.inset(padding, padding) }
    }

    fn is_cut(&self) -> bool {
        self.rows(0).room_for() < self.lines
    }

    fn rows(&self, first: usize) -> Rows {
        Rows::new(self.room, self.line, self.lines, first, None)
    }

    fn draw(&self, canvas: &mut Canvas<'_>, sections: &[Section<'_>], first: usize) -> usize {
        let scale = canvas.scale();
        canvas.panel_of(self.panel, PANEL_DENSE);
        let rows = self.rows(first);
        let (left, right) = sections.split_at(self.split.min(sections.len()));
        let gap = scale.em(GAP);
        let width = (self.room.width - gap) / 2;
        let whole = self.room.width;
        for (index, column) in [left, right].into_iter().take(self.columns).enumerate() {
            let (x, width) = match (self.columns, index) {
                (1, _) => (self.room.x, whole),
                (_, 0) => (self.room.x, width),
                _ => (self.room.right() - width, width),
            };
            let keys = keys_width(canvas, sections).min(width / 2);
            for (number, line) in lines(column).enumerate() {
                let Some(row) = rows.rect(number) else { continue };
                draw_line(canvas, line, Rect::new(x, row.y, width, row.height), keys);
            }
        }
        let bar = Rect::new(
            self.panel.right() - scale.em(0.45),
            self.room.y,
            scale.em(0.2).max(2),
            self.room.height,
        );
        rows.draw_bar(canvas, bar);
        self.lines.saturating_sub(rows.room_for())
    }
}

fn lines<'a>(sections: &'a [Section<'a>]) -> impl Iterator<Item = Line<'a>> {
    sections.iter().enumerate().flat_map(|(index, section)| {
        let blank = (index > 0).then_some(Line::Blank);
        let entries = section.entries.iter().map(Line::Entry);
        blank.into_iter().chain([Line::Title(section.title)]).chain(entries)
    })
}

fn count(sections: &[Section<'_>]) -> usize {
    lines(sections).count()
}

/// How many sections stand in the first column so that the longer one is as short as can be, and its lines.
fn best_split(sections: &[Section<'_>]) -> (usize, usize) {
    (1..=sections.len())
        .map(|split| (split, count(&sections[..split]).max(count(&sections[split..]))))
        .min_by_key(|(_, lines)| *lines)
        .unwrap_or_default()
}

/// As wide as the widest of all keys.
fn keys_width(canvas: &mut Canvas<'_>, sections: &[Section<'_>]) -> i32 {
    let entries = sections.iter().flat_map(|section| section.entries);
    let widest = entries.map(|entry| draw_keys(canvas, entry.keys, None)).max().unwrap_or(0);
    widest + canvas.scale().em(0.9)
}

fn draw_line(canvas: &mut Canvas<'_>, line: Line<'_>, row: Rect, keys: i32) {
    let scale = canvas.scale();
    match line {
        Line::Blank => {}
        Line::Title(title) => {
            let style = Style::new(scale.small(), QUIET).bold();
            canvas.text(row, title, style, Align::Left);
        }
        Line::Entry(entry) => {
            let (keys, what) = row.split_left(keys);
            draw_keys(canvas, entry.keys, Some(keys));
            canvas.text(what, entry.what, Style::new(scale.text(), TEXT), Align::Left);
        }
    }
}

/// Draws keys as caps from the left of `room`, or only measures them; returns their width.
fn draw_keys(canvas: &mut Canvas<'_>, keys: &[&str], room: Option<Rect>) -> i32 {
    let scale = canvas.scale();
    let style = Style::new(scale.small(), TEXT).bold();
    let (side, gap) = (scale.em(0.42), scale.em(0.3));
    let mut used = 0;
    for key in keys {
        let width = (canvas.measure(key, style) + 2 * side).max(scale.em(1.4));
        if let Some(room) = room {
            let height = scale.em(1.38).min(room.height - 1);
            let y = room.y + (room.height - height) / 2;
            let cap = Rect::new(room.x + used, y, width, height);
            if cap.right() > room.right() {
                break;
            }
            canvas.rounded(cap, scale.em(0.3), WELL);
            canvas.outline(cap, scale.em(0.3), scale.hair(), WELL);
            canvas.text(cap, key, style, Align::Centre);
        }
        used += width + gap;
    }
    (used - gap).max(0)
}
