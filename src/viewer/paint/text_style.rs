//! The style of text, and its alignment.

use super::style::Colour;

/// The thickness of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weight {
    /// Normal.
    Regular,
    /// Names and numbers that matter.
    Bold,
}

/// The width of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// As the font has them.
    Proportional,
    /// All equally wide, so that changing numbers do not move.
    Even,
}

/// The alignment of text in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// The style of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// One em, in pixels.
    pub size: f32,
    /// The thickness of letters.
    pub weight: Weight,
    /// The colour.
    pub colour: Colour,
    /// The width of digits.
    pub digits: Digits,
}

impl Style {
    /// Ordinary text.
    pub fn new(size: f32, colour: Colour) -> Self {
        Self { size, weight: Weight::Regular, colour, digits: Digits::Proportional }
    }

    /// The same style in bold.
    pub fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }

    /// The same style with digits of equal width.
    pub fn even(self) -> Self {
        Self { digits: Digits::Even, ..self }
    }

    /// The same style in another colour.
    pub fn of(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }
}
