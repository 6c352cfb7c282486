//! How text looks, and where it lies in its room.

use super::style::Colour;

/// How thick letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weight {
    /// As usual.
    Regular,
    /// Names and numbers that matter.
    Bold,
}

/// How wide digits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// As they come.
    Proportional,
    /// All alike, so that numbers that change do not tremble.
    Even,
}

/// Where text lies in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// One em, in pixels.
    pub size: f32,
    /// How thick.
    pub weight: Weight,
    /// Of what colour.
    pub colour: Colour,
    /// How wide digits are.
    pub digits: Digits,
}

impl Style {
    /// Ordinary text.
    pub fn new(size: f32, colour: Colour) -> Self {
        Self { size, weight: Weight::Regular, colour, digits: Digits::Proportional }
    }

    /// The same, thicker.
    pub fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }

    /// The same, with digits that are all as wide.
    pub fn even(self) -> Self {
        Self { digits: Digits::Even, ..self }
    }

    /// The same in another colour.
    pub fn of(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }
}
