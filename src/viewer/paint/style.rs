//! The colours of everything that is drawn over pictures: few, calm, and legible on any of them.

/// A colour and how much of what lies below it hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// `0x00RRGGBB`.
    pub rgb: u32,
    /// 255 hides everything.
    pub alpha: u8,
}

impl Colour {
    /// A colour that hides everything below.
    pub const fn solid(rgb: u32) -> Self {
        Self { rgb, alpha: 255 }
    }

    /// The same with another alpha.
    pub const fn with_alpha(self, alpha: u8) -> Self {
        Self { alpha, ..self }
    }
}

/// Behind everything: a blue so dark that it is no camera's black.
pub const GROUND: u32 = 0x000D_1218;

/// What panels are made of.
pub(super) const PANEL: Colour = Colour { rgb: 0x0012_171E, alpha: 220 };
/// A panel that is all there is to look at.
pub(super) const PANEL_DENSE: Colour = Colour { rgb: 0x0012_171E, alpha: 238 };
/// A panel's edge.
pub(super) const EDGE: Colour = Colour { rgb: 0x00FF_FFFF, alpha: 26 };
/// Where something can be put in: a slider's groove, a key.
pub(super) const WELL: Colour = Colour { rgb: 0x00FF_FFFF, alpha: 30 };
/// The row that the mouse points at.
pub(super) const HOVER: Colour = Colour { rgb: 0x00FF_FFFF, alpha: 15 };
/// The row that is selected.
pub(super) const SELECTED: Colour = Colour { rgb: 0x004C_A8F0, alpha: 64 };

/// What is to be read.
pub(super) const TEXT: Colour = Colour::solid(0x00F3_F6F9);
/// What explains it.
pub(super) const QUIET: Colour = Colour::solid(0x00A3_B1BF);
/// What cannot be used now.
pub(super) const FAINT: Colour = Colour::solid(0x0072_7F8C);
/// What can be used, and curves.
pub(super) const ACCENT: Colour = Colour::solid(0x0062_B8FA);
/// All is well.
pub(super) const GOOD: Colour = Colour::solid(0x0067_D79B);
/// It is not what one would wish.
pub(super) const WARN: Colour = Colour::solid(0x00FF_C457);
/// It is wrong, or it records.
pub(super) const ALERT: Colour = Colour::solid(0x00FF_5A4F);
