//! How one picture lies in its pane: zoom, position, turn, mirroring.

use crate::image::orientation::{Orientation, Rotation};
use crate::image::pixels::Size;
use crate::image::scale::{Area, Part};
use crate::viewer::stage::grid::fit;

/// How one picture lies in its pane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    orientation: Orientation,
    /// The zoom. At 1, the whole picture just fits.
    zoom: f64,
    /// The point in the middle of the pane, each coordinate from 0 to 1 of the turned picture.
    centre: (f64, f64),
}

/// Where a picture is drawn, and which part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// The part of the window that it covers.
    pub target: Area,
    /// The visible part of the turned picture, each side from 0 to 1.
    pub part: Part,
}

/// The factor of one step of the wheel or of a key.
const STEP: f64 = 1.25;
/// The largest zoom. A pixel of the smallest camera pictures then fills much of the window.
const MOST: f64 = 64.0;

impl Default for View {
    fn default() -> Self {
        Self { orientation: Orientation::UPRIGHT, zoom: 1.0, centre: (0.5, 0.5) }
    }
}

impl View {
    /// How the picture is turned and mirrored.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Whether only a part of it is visible.
    pub fn is_zoomed(&self) -> bool {
        self.zoom > 1.0
    }

    /// The zoom factor, relative to the size at which the whole picture just fits.
    #[allow(clippy::cast_possible_truncation)] // at most 64
    pub fn zoom_factor(&self) -> f32 {
        self.zoom as f32
    }

    /// Turns it a quarter, clockwise or counterclockwise.
    pub fn turn(&mut self, rotation: Rotation) {
        self.change(Orientation::turned(rotation));
    }

    /// Mirrors it left-right or top-bottom, as it is seen now.
    pub fn flip(&mut self, flip: Orientation) {
        self.change(flip);
    }

    fn change(&mut self, change: Orientation) {
        self.orientation = self.orientation.then(change);
        // The point in the middle stays there.
        let (mut x, mut y) = self.centre;
        let steps = change.steps();
        if steps.transpose {
            (x, y) = (y, x);
        }
        if steps.left_right {
            x = 1.0 - x;
        }
        if steps.top_bottom {
            y = 1.0 - y;
        }
        self.centre = (x, y);
    }

    /// Shows the whole picture.
    pub fn fit(&mut self) {
        (self.zoom, self.centre) = (1.0, (0.5, 0.5));
    }

    /// Zooms in by this many steps, or out if below 0. The point of the picture under `at` stays there.
    pub fn zoom(&mut self, steps: f64, at: (f64, f64), pane: Area, picture: Size) {
        let before = self.under(at, pane, picture);
        self.zoom = (self.zoom * STEP.powf(steps)).clamp(1.0, MOST);
        if self.zoom < 1.0 + 1e-6 {
            return self.fit();
        }
        let after = self.under(at, pane, picture);
        self.centre.0 += before.0 - after.0;
        self.centre.1 += before.1 - after.1;
        self.stay_inside(pane, picture);
    }

    /// Moves the picture by this many of the window's pixels.
    pub fn pan(&mut self, by: (f64, f64), pane: Area, picture: Size) {
        let (width, height) = self.extent(pane, picture);
        self.centre.0 -= by.0 / width.max(1.0);
        self.centre.1 -= by.1 / height.max(1.0);
        self.stay_inside(pane, picture);
    }

    /// Where a picture of this size is drawn in `pane`.
    pub fn place(&self, pane: Area, picture: Size) -> Placement {
        let fitted = fit(self.orientation.size_of(picture), pane.size);
        let all = Part { columns: (0.0, 1.0), rows: (0.0, 1.0) };
        if !self.is_zoomed() || fitted.area() == 0 {
            return Placement { target: pane.centred(fitted), part: all };
        }
        let (width, height) = self.extent(pane, picture);
        let (columns, across) = seen(width, pane.size.width, self.centre.0);
        let (rows, down) = seen(height, pane.size.height, self.centre.1);
        let target = pane.centred(Size::new(across, down));
        Placement { target, part: Part { columns, rows } }
    }

    /// The size of the whole picture at this zoom, before turning. A larger one need not be decoded.
    pub fn needed(&self, pane: Area, picture: Size) -> Size {
        let (width, height) = self.extent(pane, picture);
        let turned = Size::new(whole(width), whole(height));
        self.orientation.size_of(turned)
    }

    /// The size of the whole turned picture, in the window's pixels.
    fn extent(&self, pane: Area, picture: Size) -> (f64, f64) {
        let fitted = fit(self.orientation.size_of(picture), pane.size);
        (fitted.width as f64 * self.zoom, fitted.height as f64 * self.zoom)
    }

    /// The point of the picture under a point of the window, from 0 to 1.
    fn under(&self, at: (f64, f64), pane: Area, picture: Size) -> (f64, f64) {
        let (width, height) = self.extent(pane, picture);
        let middle = (
            pane.x as f64 + pane.size.width as f64 / 2.0,
            pane.y as f64 + pane.size.height as f64 / 2.0,
        );
        (
            self.centre.0 + (at.0 - middle.0) / width.max(1.0),
            self.centre.1 + (at.1 - middle.1) / height.max(1.0),
        )
    }

    /// Moves the picture back where it would leave a gap at an edge.
    fn stay_inside(&mut self, pane: Area, picture: Size) {
        let (width, height) = self.extent(pane, picture);
        let clamped = |centre: f64, extent: f64, room: usize| {
            let half = room as f64 / extent.max(1.0) / 2.0;
            if half >= 0.5 { 0.5 } else { centre.clamp(half, 1.0 - half) }
        };
        self.centre = (
            clamped(self.centre.0, width, pane.size.width),
            clamped(self.centre.1, height, pane.size.height),
        );
    }
}

/// The visible part of a side of `extent` pixels in `room`, around `centre`, and how many pixels it covers.
fn seen(extent: f64, room: usize, centre: f64) -> ((f64, f64), usize) {
    if extent <= room as f64 {
        return ((0.0, 1.0), whole(extent).min(room));
    }
    let half = room as f64 / extent / 2.0;
    let centre = centre.clamp(half, 1.0 - half);
    ((centre - half, centre + half), room)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a size of at most 65535 times 64
fn whole(pixels: f64) -> usize {
    pixels.round().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANE: Area = Area { x: 100, y: 50, size: Size::new(640, 480) };
    const PICTURE: Size = Size::new(1280, 720);

    #[test]
    fn a_picture_keeps_its_shape_in_the_middle_of_its_pane() {
        let Placement { target, part } = View::default().place(PANE, PICTURE);
        assert_eq!(target, Area { x: 100, y: 110, size: Size::new(640, 360) });
        assert_eq!(part, Part { columns: (0.0, 1.0), rows: (0.0, 1.0) });
        let mut turned = View::default();
        turned.turn(Rotation::Quarter);
        let target = turned.place(PANE, PICTURE).target;
        assert_eq!(target.size, Size::new(270, 480));
        assert_eq!(turned.needed(PANE, PICTURE), Size::new(480, 270), "as it is decoded");
    }

    #[test]
    fn what_is_under_the_mouse_stays_there() {
        let mut view = View::default();
        let at = (150.0, 200.0);
        let before = view.under(at, PANE, PICTURE);
        view.zoom(5.0, at, PANE, PICTURE);
        let after = view.under(at, PANE, PICTURE);
        assert!(view.is_zoomed());
        assert!((before.0 - after.0).abs() < 1e-9 && (before.1 - after.1).abs() < 1e-9);
        view.zoom(-50.0, at, PANE, PICTURE);
        assert_eq!(view, View::default(), "never smaller than it fits");
    }

    #[test]
    fn a_picture_cannot_be_moved_out_of_its_pane() {
        let mut view = View::default();
        view.zoom(10.0, (0.0, 0.0), PANE, PICTURE);
        for by in [(1e9, 1e9), (-1e9, -1e9), (3.0, -1e9)] {
            view.pan(by, PANE, PICTURE);
            let Placement { target, part } = view.place(PANE, PICTURE);
            assert_eq!(target, PANE);
            let inside = |(from, to): (f64, f64)| from >= -1e-9 && to <= 1.0 + 1e-9 && from < to;
            assert!(inside(part.columns) && inside(part.rows), "{part:?}");
        }
        let mut whole = View::default();
        whole.pan((50.0, 50.0), PANE, PICTURE);
        assert_eq!(whole, View::default(), "all of it is seen already");
    }

    #[test]
    fn what_is_in_the_middle_stays_there_when_turned_and_mirrored() {
        let mut view = View { zoom: 8.0, centre: (0.25, 0.4), ..View::default() };
        view.flip(Orientation::FLIPPED_LEFT_RIGHT);
        assert_eq!(view.centre, (0.75, 0.4));
        view.flip(Orientation::FLIPPED_LEFT_RIGHT);
        view.turn(Rotation::Quarter);
        assert_eq!(view.centre, (0.6, 0.25));
        view.turn(Rotation::ThreeQuarters);
        assert_eq!((view.centre, view.orientation), ((0.25, 0.4), Orientation::UPRIGHT));
    }

    #[test]
    fn no_pane_and_no_picture_is_too_small() {
        let nothing = Area { x: 0, y: 0, size: Size::new(0, 0) };
        for (pane, picture) in
            [(nothing, PICTURE), (PANE, Size::new(0, 0)), (PANE, Size::new(1, 65_535))]
        {
            let mut view = View::default();
            for steps in [0.0, 100.0, -1.0] {
                view.zoom(steps, (9.0, 9.0), pane, picture);
                view.pan((1.0, -1.0), pane, picture);
                let placed = view.place(pane, picture);
                assert!(placed.target.size.width <= pane.size.width);
            }
        }
    }
}
