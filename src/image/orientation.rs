//! How a picture has to be turned to be upright: one of eight ways.

use super::pixels::Size;
use std::fmt;

/// A turn clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rotation {
    /// None.
    #[default]
    None,
    /// 90 degrees.
    Quarter,
    /// 180 degrees.
    Half,
    /// 270 degrees.
    ThreeQuarters,
}

/// A change of a picture: first it is mirrored, then turned clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Orientation {
    /// Whether left and right are exchanged before the turn.
    pub mirror: Mirror,
    /// The turn after that.
    pub rotation: Rotation,
}

/// Whether left and right are exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mirror {
    /// They are not.
    #[default]
    None,
    /// They are.
    LeftRight,
}

impl Rotation {
    /// Parses degrees clockwise: 0, 90, 180 or 270.
    pub fn parse(degrees: &str) -> Option<Self> {
        Some(match degrees {
            "0" => Self::None,
            "90" => Self::Quarter,
            "180" => Self::Half,
            "270" => Self::ThreeQuarters,
            _ => return None,
        })
    }

    fn quarters(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Quarter => 1,
            Self::Half => 2,
            Self::ThreeQuarters => 3,
        }
    }

    fn of_quarters(quarters: u8) -> Self {
        match quarters % 4 {
            0 => Self::None,
            1 => Self::Quarter,
            2 => Self::Half,
            _ => Self::ThreeQuarters,
        }
    }
}

impl Orientation {
    /// No change.
    pub const UPRIGHT: Self = Self { mirror: Mirror::None, rotation: Rotation::None };
    /// Left and right exchanged.
    pub const FLIPPED_LEFT_RIGHT: Self =
        Self { mirror: Mirror::LeftRight, rotation: Rotation::None };
    /// Top and bottom exchanged.
    pub const FLIPPED_TOP_BOTTOM: Self =
        Self { mirror: Mirror::LeftRight, rotation: Rotation::Half };

    /// Turned clockwise by `rotation`.
    pub const fn turned(rotation: Rotation) -> Self {
        Self { mirror: Mirror::None, rotation }
    }

    /// This change followed by `next`.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        // Mirroring after a turn is the same as mirroring first and then turning the other way.
        let (quarters, mirror) = match next.mirror {
            Mirror::None => (self.rotation.quarters(), self.mirror),
            Mirror::LeftRight => (4 - self.rotation.quarters(), self.mirror.toggled()),
        };
        Self { mirror, rotation: Rotation::of_quarters(quarters + next.rotation.quarters()) }
    }

    /// Whether rows become columns.
    pub fn swaps_sides(self) -> bool {
        matches!(self.rotation, Rotation::Quarter | Rotation::ThreeQuarters)
    }

    /// The size of a picture of `size` after this change.
    pub fn size_of(self, size: Size) -> Size {
        if self.swaps_sides() { Size::new(size.height, size.width) } else { size }
    }

    /// The same change as a transposition (over the main diagonal) followed by mirrorings.
    pub fn steps(self) -> Steps {
        let (transpose, left_right, top_bottom) = match (self.mirror, self.rotation) {
            (Mirror::None, Rotation::None) => (false, false, false),
            (Mirror::None, Rotation::Quarter) => (true, true, false),
            (Mirror::None, Rotation::Half) => (false, true, true),
            (Mirror::None, Rotation::ThreeQuarters) => (true, false, true),
            (Mirror::LeftRight, Rotation::None) => (false, true, false),
            (Mirror::LeftRight, Rotation::Quarter) => (true, true, true),
            (Mirror::LeftRight, Rotation::Half) => (false, false, true),
            (Mirror::LeftRight, Rotation::ThreeQuarters) => (true, false, false),
        };
        Steps { transpose, left_right, top_bottom }
    }
}

/// The same change as an [`Orientation`], in the form for loops over pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// First rows become columns.
    pub transpose: bool,
    /// Then left and right are exchanged.
    pub left_right: bool,
    /// And top and bottom are exchanged.
    pub top_bottom: bool,
}

impl Mirror {
    fn toggled(self) -> Self {
        match self {
            Self::None => Self::LeftRight,
            Self::LeftRight => Self::None,
        }
    }
}

impl fmt::Display for Orientation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = u16::from(self.rotation.quarters()) * 90;
        match (self.mirror, self.rotation) {
            (Mirror::None, Rotation::None) => out.write_str("upright"),
            (Mirror::None, _) => write!(out, "turned by {degrees} degrees"),
            (Mirror::LeftRight, Rotation::None) => out.write_str("left and right exchanged"),
            (Mirror::LeftRight, Rotation::Half) => out.write_str("top and bottom exchanged"),
            (Mirror::LeftRight, _) => {
                write!(out, "left and right exchanged, then turned by {degrees} degrees")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The new place of the pixel at (x, y) of a 2x2 picture.
    fn moved(orientation: Orientation, (x, y): (u8, u8)) -> (u8, u8) {
        let x = if orientation.mirror == Mirror::LeftRight { 1 - x } else { x };
        (0..orientation.rotation.quarters()).fold((x, y), |(x, y), _| (1 - y, x))
    }

    fn all() -> impl Iterator<Item = Orientation> {
        [Mirror::None, Mirror::LeftRight].into_iter().flat_map(|mirror| {
            (0..4).map(move |turns| Orientation { mirror, rotation: Rotation::of_quarters(turns) })
        })
    }

    const PIXELS: [(u8, u8); 4] = [(0, 0), (1, 0), (0, 1), (1, 1)];

    #[test]
    fn one_after_the_other_is_one() {
        for first in all() {
            for second in all() {
                for pixel in PIXELS {
                    let both = moved(second, moved(first, pixel));
                    assert_eq!(moved(first.then(second), pixel), both, "{first}, {second}");
                }
            }
        }
    }

    #[test]
    fn the_steps_lead_to_the_same_place() {
        for orientation in all() {
            let Steps { transpose, left_right, top_bottom } = orientation.steps();
            for (x, y) in PIXELS {
                let (to_x, to_y) = if transpose { (y, x) } else { (x, y) };
                let to_x = if left_right { 1 - to_x } else { to_x };
                let to_y = if top_bottom { 1 - to_y } else { to_y };
                assert_eq!(moved(orientation, (x, y)), (to_x, to_y), "{orientation}");
            }
        }
    }

    #[test]
    fn a_quarter_turn_exchanges_width_and_height() {
        let size = Size::new(640, 360);
        let quarter = Orientation::turned(Rotation::Quarter);
        assert_eq!(quarter.size_of(size), Size::new(360, 640));
        assert_eq!(Orientation::FLIPPED_TOP_BOTTOM.size_of(size), size);
        assert_eq!(moved(Orientation::FLIPPED_TOP_BOTTOM, (0, 0)), (0, 1));
        assert_eq!(moved(quarter, (0, 0)), (1, 0));
    }
}
