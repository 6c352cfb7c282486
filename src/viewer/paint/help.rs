//! The list of keys.

use super::canvas::Canvas;
use super::rect::Rect;
use super::rows::Rows;
use super::scale::Scale;
use super::style::{PANEL_DENSE, QUIET, TEXT, WELL};
use super::text_style::{Align, Style};

/// Keys for one subject.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    /// The subject.
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
    Blank,
    Title(&'a str),
    /// Keys, and the first line of their description.
    Entry(&'a Entry<'a>),
    /// A further line of a description, by its number.
    More(&'a Entry<'a>, usize),
}

/// In ems: the gap between two columns, the height of a line, the panel's padding. Smaller in low windows.
const GAP: f32 = 2.4;
const LINE: f32 = 1.75;
const LOW_LINE: f32 = 1.45;
const PADDING: f32 = 1.4;
const LOW_PADDING: f32 = 0.5;
/// In a column narrower than this, in ems, text begins right after its keys.
const NARROW: f32 = 20.0;
/// The smallest text size for the list, in pixels.
const SMALLEST: f32 = 9.0;

/// Draws the list over the whole canvas, in one or two columns, as large as all of it fits. If it does not fit at any size,
/// long lines are broken and lines from `first` on are shown. Returns the highest useful `first`; 0 if all lines are
/// visible.
pub fn draw(canvas: &mut Canvas<'_>, sections: &[Section<'_>], first: usize) -> usize {
    canvas.dim(canvas.area(), 120);
    let usual = canvas.scale().text();
    let mut text = usual;
    loop {
        let mut canvas = canvas.with_scale(Scale::of_text(text));
        if let Some(plan) = Plan::of_all(&mut canvas, sections) {
            return plan.draw(&mut canvas, sections, first);
        }
        if text <= SMALLEST {
            break;
        }
        text = (text - 1.0).max(SMALLEST);
    }
    let plan = Plan::of_some(canvas, sections);
    plan.draw(canvas, sections, first)
}

/// The positions of columns and lines.
#[derive(Debug)]
struct Plan {
    panel: Rect,
    room: Rect,
    columns: i32,
    /// The width of a column, and how much of it is for keys.
    width: i32,
    keys: i32,
    /// The number of sections in the first column.
    split: usize,
    /// The number of lines in the longest column.
    lines: usize,
    line: i32,
}

impl Plan {
    /// A plan that shows everything without broken lines. `None` if there is no room for it.
    fn of_all(canvas: &mut Canvas<'_>, sections: &[Section<'_>]) -> Option<Self> {
        let (keys, width) = widths(canvas, sections);
        let (two, lines) = best_split(sections);
        let all = count(sections);
        let plans = [(2, two, lines), (1, sections.len(), all)];
        plans.into_iter().find_map(|(columns, split, lines)| {
            let plan = Self::new(canvas, columns, width, lines);
            let is_whole = plan.width == width && plan.rows(0).room_for() >= lines;
            is_whole.then_some(Self { keys, split, ..plan })
        })
    }

    /// A plan of one column with broken lines.
    fn of_some(canvas: &mut Canvas<'_>, sections: &[Section<'_>]) -> Self {
        let (keys, width) = widths(canvas, sections);
        let plan = Self { keys, split: sections.len(), ..Self::new(canvas, 1, width, 0) };
        let mut lines = 0;
        plan.each_line(canvas, sections, |_, number, _| lines = number + 1);
        let whole = Self::new(canvas, 1, width, lines);
        Self { keys, split: sections.len(), ..whole }
    }

    /// A plan whose columns are no wider than there is room for.
    fn new(canvas: &Canvas<'_>, columns: i32, width: i32, lines: usize) -> Self {
        let (area, scale) = (canvas.area(), canvas.scale());
        let is_low = area.height < scale.em(18.0);
        let padding = scale.em(if is_low { LOW_PADDING } else { PADDING });
        let line = scale.em(if is_low { LOW_LINE } else { LINE });
        let most = area.inset(scale.em(0.4), scale.em(0.4));
        let high = i32::try_from(lines).unwrap_or(i32::MAX).saturating_mul(line);
        let gaps = (columns - 1) * scale.em(GAP);
        let wide = columns * width + gaps + 2 * padding;
        let panel = most.centred(wide, high.saturating_add(2 * padding));
        let room = panel.inset(padding, padding);
        let width = width.min((room.width - gaps) / columns);
        Self { panel, room, columns, width, keys: 0, split: 0, lines, line }
    }

    fn rows(&self, first: usize) -> Rows {
        Rows::new(self.room, self.line, self.lines, first, None)
    }

    fn draw(&self, canvas: &mut Canvas<'_>, sections: &[Section<'_>], first: usize) -> usize {
        let scale = canvas.scale();
        canvas.panel_of(self.panel, PANEL_DENSE);
        let rows = self.rows(first);
        let (left, right) = sections.split_at(self.split.min(sections.len()));
        for (column, sections) in (0..self.columns).zip([left, right]) {
            let x = self.room.x + column * (self.width + scale.em(GAP));
            self.each_line(canvas, sections, |canvas, number, line| {
                if let Some(row) = rows.rect(number) {
                    self.draw_line(canvas, line, Rect::new(x, row.y, self.width, row.height));
                }
            });
        }
        let (thin, x) = (scale.em(0.2).max(2), self.panel.right() - scale.em(0.4));
        rows.draw_bar(canvas, Rect::new(x, self.room.y, thin, self.room.height));
        self.lines.saturating_sub(rows.room_for())
    }

    /// Calls `each` for every line of a column, with its number.
    fn each_line<'a>(
        &self,
        canvas: &mut Canvas<'_>,
        sections: &'a [Section<'a>],
        mut each: impl FnMut(&mut Canvas<'_>, usize, Line<'a>),
    ) {
        let style = Style::new(canvas.scale().text(), TEXT);
        let mut number = 0;
        for line in lines(sections) {
            each(canvas, number, line);
            number += 1;
            if let Line::Entry(entry) = line {
                let indent = self.indent(canvas, entry);
                let broken = canvas.count_lines(entry.what, style, self.width - indent);
                for more in 1..usize::try_from(broken).unwrap_or(0) {
                    each(canvas, number, Line::More(entry, more));
                    number += 1;
                }
            }
        }
    }

    /// Where a description begins.
    fn indent(&self, canvas: &mut Canvas<'_>, entry: &Entry<'_>) -> i32 {
        let scale = canvas.scale();
        if self.width >= scale.em(NARROW) {
            return self.keys;
        }
        draw_keys(canvas, entry.keys, None).min(self.width / 2) + scale.em(0.5)
    }

    fn draw_line(&self, canvas: &mut Canvas<'_>, line: Line<'_>, row: Rect) {
        let scale = canvas.scale();
        let style = Style::new(scale.text(), TEXT);
        let (entry, number) = match line {
            Line::Blank => return,
            Line::Title(title) => {
                let style = Style::new(scale.small(), QUIET).bold();
                canvas.text(row, title, style, Align::Left);
                return;
            }
            Line::Entry(entry) => {
                draw_keys(canvas, entry.keys, Some(row));
                (entry, 0)
            }
            Line::More(entry, number) => (entry, number),
        };
        let (_, room) = row.split_left(self.indent(canvas, entry));
        let text = canvas.line_of(entry.what, style, room.width, number);
        canvas.text(room, text, style, Align::Left);
    }
}

/// The width of the widest keys with the gap after them, and of the widest line.
fn widths(canvas: &mut Canvas<'_>, sections: &[Section<'_>]) -> (i32, i32) {
    let style = Style::new(canvas.scale().text(), TEXT);
    let (mut keys, mut what) = (0, 0);
    for entry in sections.iter().flat_map(|section| section.entries) {
        keys = keys.max(draw_keys(canvas, entry.keys, None));
        what = what.max(canvas.measure(entry.what, style));
    }
    keys += canvas.scale().em(0.9);
    // One more pixel, so that rounding does not break the widest line.
    (keys, keys + what + 1)
}

/// The lines of a column, none of them broken.
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

/// The number of sections in the first column that makes the longer column shortest, and the lines of that column.
fn best_split(sections: &[Section<'_>]) -> (usize, usize) {
    (1..=sections.len())
        .map(|split| (split, count(&sections[..split]).max(count(&sections[split..]))))
        .min_by_key(|(_, lines)| *lines)
        .unwrap_or_default()
}

/// Draws keys as caps from the left of `room`, or only measures them. Returns their width.
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
