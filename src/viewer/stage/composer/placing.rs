//! Draws one picture into its pane, turned and scaled, and clears the rest of the pane.

use crate::image::orientation::Orientation;
use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::image::scale::{Area, Part, Scaler};
use crate::viewer::stage::wall::view::{Placement, View};

/// The buffers for one pane.
#[derive(Debug, Default)]
pub(super) struct Placing {
    scaler: Scaler,
    /// The turned picture, and the frame and orientation it was made from.
    turned: Picture,
    of: Option<(u64, Orientation)>,
}

/// The colour beside a picture in its pane.
pub(super) const BESIDE: u32 = 0;

impl Placing {
    /// Draws `picture` as `view` says. It is of frame `number`, whose full size is `whole`.
    pub(super) fn draw(
        &mut self,
        canvas: &mut Picture,
        pane: Area,
        picture: &Picture,
        (number, whole): (u64, Size),
        view: View,
    ) {
        let Placement { target, part } = view.place(pane, whole);
        surround(canvas, pane, target);
        let Self { scaler, turned, of } = self;
        let source = upright(picture, (number, view.orientation()), turned, of);
        let size = source.size();
        let of = |(from, to): (f64, f64), len: usize| (from * len as f64, to * len as f64);
        let part = Part { columns: of(part.columns, size.width), rows: of(part.rows, size.height) };
        scaler.draw(source, part, canvas, target);
    }
}

/// The picture turned upright. Turns it only if it was not turned already.
fn upright<'a>(
    picture: &'a Picture,
    (frame, orientation): (u64, Orientation),
    turned: &'a mut Picture,
    of: &mut Option<(u64, Orientation)>,
) -> &'a Picture {
    if orientation == Orientation::UPRIGHT {
        return picture;
    }
    let this = Some((frame, orientation));
    if *of != this || turned.size() != orientation.size_of(picture.size()) {
        picture.turn_into(orientation, turned);
        *of = this;
    }
    turned
}

/// Clears an area.
pub(super) fn clear(canvas: &mut Picture, area: Area) {
    let width = canvas.size().width;
    let rows = canvas.pixels_mut().chunks_exact_mut(width).skip(area.y);
    for row in rows.take(area.size.height) {
        row[area.x..area.x + area.size.width].fill(BESIDE);
    }
}

/// Clears the part of a pane that the picture does not cover.
fn surround(canvas: &mut Picture, pane: Area, target: Area) {
    let width = canvas.size().width;
    let rows = canvas.pixels_mut().chunks_exact_mut(width).enumerate();
    for (y, row) in rows.skip(pane.y).take(pane.size.height) {
        let row = &mut row[pane.x..pane.x + pane.size.width];
        if (target.y..target.y + target.size.height).contains(&y) {
            let (left, right) = (target.x - pane.x, target.x - pane.x + target.size.width);
            row[..left].fill(BESIDE);
            row[right..].fill(BESIDE);
        } else {
            row.fill(BESIDE);
        }
    }
}
