//! Everything that is written over one camera's picture, laid out without overlaps.

use super::badges::{self, Badges};
use super::canvas::Canvas;
use super::notice::Notice;
use super::rect::Rect;

/// Everything that is written over a picture. Where there is too little room, the least important is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pane<'a> {
    /// Why there is no picture.
    pub notice: Option<Notice<'a>>,
    /// The badges.
    pub badges: Badges,
    /// The camera's name, if there are several cameras.
    pub label: Option<&'a str>,
}

/// The areas of the parts. Empty for those that were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places {
    /// The notice's lines.
    pub notice: Rect,
    /// All badges.
    pub badges: Rect,
    /// The name.
    pub label: Rect,
    /// What is left for the figures.
    pub figures: Rect,
}

/// The height below which a notice is only a heading, in ems.
const NOTICE: f32 = 3.0;
/// The figures are beside the badges if this much width is left there, in ems, else below them.
const NARROWEST: f32 = 12.0;
/// The gap between two parts, in ems.
const GAP: f32 = 0.35;

impl Pane<'_> {
    /// Draws everything over the canvas, except where messages are.
    pub fn draw(&self, canvas: &mut Canvas<'_>, messages: Rect) -> Places {
        let area = canvas.area();
        let hidden = area.and(messages);
        let floor = if hidden.is_empty() { area.bottom() } else { hidden.y };
        let mut places = self.places(canvas, hidden, floor);
        if let Some(notice) = &self.notice {
            places.notice = notice.draw_between(canvas, places.free(area, floor));
        }
        if !places.label.is_empty() {
            badges::draw_label(canvas, self.label.unwrap_or_default());
        }
        if !places.badges.is_empty() {
            self.badges.draw_above(canvas, places.badges.bottom());
        }
        places.figures = places.left_over(canvas, floor);
        places
    }

    /// The areas of the badges and the name, if there is room for them.
    fn places(&self, canvas: &mut Canvas<'_>, hidden: Rect, floor: i32) -> Places {
        let area = canvas.area();
        let label = self.label.map(|name| badges::place_of_label(canvas, name));
        let label = label.filter(|place| place.and(hidden).is_empty()).unwrap_or_default();
        let above = if label.is_empty() { floor } else { floor.min(label.y) };
        let badges = self.badges.place(canvas, above);
        let all = Places { label, badges, ..Places::default() };
        let nameless = Places { badges: self.badges.place(canvas, floor), ..Places::default() };
        let least = canvas.scale().em(NOTICE);
        let is_enough = |places: &Places| places.free(area, floor).height >= least;
        match self.notice {
            None if label.y < area.y => nameless,
            None => all,
            Some(_) => {
                let poorer = [all, nameless].into_iter().find(is_enough);
                poorer.unwrap_or_default()
            }
        }
    }
}

impl Places {
    /// What is left at the upper left.
    fn left_over(&self, canvas: &Canvas<'_>, floor: i32) -> Rect {
        let scale = canvas.scale();
        let gap = scale.em(GAP);
        let mut room = badges::room(canvas);
        let below = [self.notice, self.label].into_iter().filter(|it| !it.is_empty());
        let bottom = below.map(|it| it.y - gap).chain([room.bottom(), floor - gap]).min();
        let beside = self.badges.x - gap - room.x;
        if !self.badges.is_empty() && beside < scale.em(NARROWEST) {
            room = room.split_top(self.badges.bottom() + gap - room.y).1;
        } else if !self.badges.is_empty() {
            room = room.split_left(beside).0;
        }
        room.height = (bottom.unwrap_or_default() - room.y).clamp(0, room.height);
        room
    }

    /// What is left between badges and name.
    fn free(&self, area: Rect, floor: i32) -> Rect {
        let top = if self.badges.is_empty() { area.y } else { self.badges.bottom() };
        let bottom = if self.label.is_empty() { floor } else { floor.min(self.label.y) };
        Rect::new(area.x, top, area.width, bottom - top)
    }
}
