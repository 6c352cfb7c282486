//! A closed lock, the sign of a camera that this viewer is paired with.

// Coordinates are far below 2^31.
#![allow(clippy::cast_possible_truncation)]

use super::canvas::Canvas;
use super::rect::Rect;
use super::style::Colour;

/// The width of the sign, of the size of the text beside it.
pub(super) const WIDTH: f32 = 0.6;

/// Along and down from the sign's left side and its middle, of the size of the text: the bow, from its left end to its right.
const BOW: [(f32, f32); 7] = [
    (0.13, -0.02),
    (0.13, -0.2),
    (0.18, -0.32),
    (0.3, -0.37),
    (0.42, -0.32),
    (0.47, -0.2),
    (0.47, -0.02),
];

/// Draws it to the right of `x`, around `middle`, beside text of this size.
pub(super) fn draw(canvas: &mut Canvas<'_>, (x, middle): (f32, f32), size: f32, colour: Colour) {
    let at = |(along, down): (f32, f32)| (x + size * along, middle + size * down);
    for ends in BOW.windows(2) {
        canvas.line(at(ends[0]), at(ends[1]), size * 0.1, colour);
    }
    let whole = |side: f32| side.round() as i32;
    let (left, top) = at((0.0, -0.04));
    let body = Rect::new(whole(left), whole(top), whole(size * WIDTH), whole(size * 0.44));
    canvas.rounded(body, whole(size * 0.1).max(1), colour);
}
