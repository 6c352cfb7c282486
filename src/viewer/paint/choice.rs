//! A control with a few named values: all of them side by side, or only the current one between two arrows.

use super::canvas::Canvas;
use super::rect::Rect;
use super::scale::Scale;
use super::style::{FAINT, SET, TEXT, WELL};
use super::text_style::{Align, Style};

/// The names of the values, and where to draw them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) names: &'a [String],
    /// The index of the current value.
    pub(super) set: usize,
    pub(super) room: Rect,
    pub(super) scale: Scale,
}

/// The usual width of a letter, in ems. Used where text cannot be measured, to see whether names fit.
const LETTER: f32 = 0.56;
/// The margin beside a name, and the width of an arrow, in ems.
const SIDE: f32 = 0.8;
const ARROW: f32 = 1.8;

impl Choice<'_> {
    /// The index of the value that a click at this column selects.
    pub(super) fn at(&self, x: i32) -> usize {
        let (count, last) = (self.names.len(), self.names.len().saturating_sub(1));
        let along = (x - self.room.x).clamp(0, (self.room.width - 1).max(0));
        if self.has_room() {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let segment =
                i64::from(along).saturating_mul(count) / i64::from(self.room.width.max(1));
            return usize::try_from(segment).unwrap_or(0).min(last);
        }
        let arrow = self.scale.em(ARROW).min(self.room.width / 3);
        match along {
            left if left < arrow => self.set.saturating_sub(1),
            right if right >= self.room.width - arrow => (self.set + 1).min(last),
            _ if self.set >= last => 0,
            _ => self.set + 1,
        }
    }

    /// Whether all names fit side by side.
    fn has_room(&self) -> bool {
        let longest = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let needed = longest as f32 * LETTER * self.scale.small() + self.scale.em(SIDE) as f32;
        needed * self.names.len() as f32 <= self.room.width as f32
    }

    /// Draws the control.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, is_live: bool) {
        let (scale, room) = (self.scale, self.room);
        let place = room.centred(room.width, scale.em(1.35));
        let radius = scale.em(0.3);
        canvas.rounded(place, radius, if is_live { WELL } else { WELL.with_alpha(18) });
        let style = Style::new(scale.small(), if is_live { TEXT } else { FAINT });
        if !self.has_room() {
            let arrow = scale.em(ARROW).min(place.width / 3);
            let (left, rest) = place.split_left(arrow);
            let (right, middle) = rest.split_right(arrow);
            canvas.text(left, "‹", style, Align::Centre);
            canvas.text(right, "›", style, Align::Centre);
            let name = self.names.get(self.set).map_or("", String::as_str);
            canvas.text(middle, name, style, Align::Centre);
            return;
        }
        // Names that fit side by side are few.
        let count = i32::try_from(self.names.len()).unwrap_or(1).max(1);
        for (index, name) in (0..count).zip(self.names) {
            let (from, to) = (place.width * index / count, place.width * (index + 1) / count);
            let part = Rect::new(place.x + from, place.y, to - from, place.height);
            let is_set = usize::try_from(index) == Ok(self.set);
            if is_set {
                canvas.rounded(part, radius, if is_live { SET } else { SET.with_alpha(30) });
            }
            let style = if is_set { style.bold() } else { style };
            canvas.text(part.inset(scale.em(0.2), 0), name, style, Align::Centre);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_is_for_the_name_under_it_or_for_the_next_one_where_names_do_not_fit() {
        let names = ["Off", "50 Hz", "60 Hz"].map(str::to_owned);
        let scale = Scale::of_text(15.0);
        let wide = Choice { names: &names, set: 1, room: Rect::new(10, 0, 300, 20), scale };
        assert_eq!([0, 10, 109, 111, 250, 9999].map(|x| wide.at(x)), [0, 0, 0, 1, 2, 2]);
        let narrow = Choice { room: Rect::new(10, 0, 90, 20), ..wide };
        assert_eq!([10, 55, 98].map(|x| narrow.at(x)), [0, 2, 2]);
        let last = Choice { set: 2, ..narrow };
        assert_eq!([10, 55, 98].map(|x| last.at(x)), [1, 0, 2], "the middle goes round");
        let none = Choice { names: &[], set: 0, room: Rect::default(), scale };
        assert_eq!(none.at(5), 0);
    }
}
