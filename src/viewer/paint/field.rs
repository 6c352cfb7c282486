//! A field for one line of text, with a cursor behind what was typed.

use super::canvas::Canvas;
use super::rect::Rect;
use super::style::{ACCENT, QUIET, WELL};
use super::text_style::{Align, Style};

/// A field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// What stands there while nothing is typed.
    pub(super) placeholder: &'a str,
    pub(super) typed: &'a str,
    pub(super) style: Style,
    /// The room at both sides, in the size of the text.
    pub(super) inset: f32,
    /// The height of the cursor, in the size of the text; `None` while the keys go elsewhere.
    pub(super) cursor: Option<f32>,
}

impl Field<'_> {
    /// Draws it. A text that is too long shows its end, where the user types.
    pub(super) fn draw(self, canvas: &mut Canvas<'_>, place: Rect) {
        let scale = canvas.scale();
        let (radius, thick) = (scale.em(0.35), scale.hair().max(2));
        canvas.rounded(place, radius, WELL);
        if self.cursor.is_some() {
            canvas.outline(place, radius, thick, ACCENT);
        }
        let room = place.inset(scale.em(self.inset), 0);
        let end = match self.typed {
            "" => {
                canvas.text(room, self.placeholder, self.style.of(QUIET), Align::Left);
                room.x
            }
            typed if canvas.measure(typed, self.style) > room.width => {
                canvas.text_end(room, typed, self.style);
                room.right()
            }
            typed => canvas.text(room, typed, self.style, Align::Left),
        };
        if let Some(high) = self.cursor {
            let high = scale.em(high).min(place.height);
            let y = place.y + (place.height - high) / 2;
            canvas.fill(Rect::new(end, y, thick, high), ACCENT);
        }
    }
}
