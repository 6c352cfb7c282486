//! The colours of everything drawn over pictures. They are readable on any picture.

/// A colour and its opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// `0x00RRGGBB`.
    pub rgb: u32,
    /// 255 hides everything below.
    pub alpha: u8,
}

impl Colour {
    /// An opaque colour.
    pub const fn solid(rgb: u32) -> Self {
        Self { rgb, alpha: 255 }
    }

    /// The same colour with another opacity.
    pub const fn with_alpha(self, alpha: u8) -> Self {
        Self { alpha, ..self }
    }
}

/// The ground behind everything: a very dark blue, which differs from a black picture.
pub const GROUND: u32 = 0x000D_1218;

/// Panels over a picture.
pub(super) const PANEL: Colour = Colour { rgb: 0x0012_171E, alpha: 240 };
/// A panel that needs all attention.
pub(super) const PANEL_DENSE: Colour = Colour { rgb: 0x0012_171E, alpha: 244 };
/// The border of a panel.
pub(super) const EDGE: Colour = Colour { rgb: 0x00FF_FFFF, alpha: 26 };
/// Places for input: a slider's groove, a key.
pub(super) const WELL: Colour = Colour { rgb: 0x00FF_FFFF, alpha: 30 };
/// The row under the mouse.
pub(super) const HOVER: Colour = Colour { rgb: 0x00FF_FFFF, alpha: 15 };
/// The selected row.
pub(super) const SELECTED: Colour = Colour { rgb: 0x004C_A8F0, alpha: 44 };
/// The current one of several values.
pub(super) const SET: Colour = Colour { rgb: 0x0062_B8FA, alpha: 70 };
/// Over a picture, behind a notice.
pub(super) const SHADE: Colour = Colour { rgb: GROUND, alpha: 205 };

/// Text.
pub(super) const TEXT: Colour = Colour::solid(0x00F3_F6F9);
/// Explanations.
pub(super) const QUIET: Colour = Colour::solid(0x00A9_B6C3);
/// Labels in a graph.
pub(super) const PALE: Colour = TEXT.with_alpha(150);
/// Text about something that cannot be used now.
pub(super) const FAINT: Colour = Colour::solid(0x0086_93A0);
/// Controls in use, and curves.
pub(super) const ACCENT: Colour = Colour::solid(0x0062_B8FA);
/// All is well.
pub(super) const GOOD: Colour = Colour::solid(0x0067_D79B);
/// Something is not as it should be.
pub(super) const WARN: Colour = Colour::solid(0x00FF_C457);
/// An error, or a running recording.
pub(super) const ALERT: Colour = Colour::solid(0x00FF_5A4F);

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of colours over each other, as WCAG 2 defines it.
    fn light(over: &[Colour], below: u32) -> f64 {
        let part = |shift: u32| {
            let part = |rgb: u32| f64::from(rgb >> shift & 0xFF);
            let seen = over.iter().fold(part(below), |below, colour| {
                let alpha = f64::from(colour.alpha) / 255.0;
                part(colour.rgb) * alpha + below * (1.0 - alpha)
            });
            let seen = seen / 255.0;
            if seen <= 0.04045 { seen / 12.92 } else { ((seen + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
    }

    fn contrast(text: Colour, ground: &[Colour], picture: u32) -> f64 {
        let (text, ground) = (light(&[ground, &[text]].concat(), picture), light(ground, picture));
        (text.max(ground) + 0.05) / (text.min(ground) + 0.05)
    }

    #[test]
    fn text_is_legible_over_any_picture() {
        for picture in [0x00FF_FFFF, 0, 0x00FF_0000, 0x0000_FF00, 0x0000_00FF, 0x00FF_FF00] {
            for panel in [PANEL, PANEL_DENSE] {
                for text in [TEXT, QUIET, FAINT, ACCENT, GOOD, WARN, ALERT] {
                    let ratio = contrast(text, &[panel], picture);
                    assert!(ratio >= 4.5, "{text:?} on {panel:?} over {picture:06x}: {ratio:.2}");
                }
                // Text that can be used must be readable in every state of its row. What cannot be used is grey on purpose.
                for (text, ground) in [
                    (TEXT, &[panel, SELECTED][..]),
                    (QUIET, &[panel, SELECTED]),
                    (TEXT, &[panel, HOVER]),
                    (QUIET, &[panel, HOVER]),
                    (TEXT, &[panel, WELL]),
                    (QUIET, &[panel, WELL]),
                    (TEXT, &[panel, SELECTED, WELL]),
                    (TEXT, &[panel, SELECTED, WELL, SET]),
                    (PALE, &[panel, WELL]),
                    (WARN.with_alpha(200), &[panel]),
                ] {
                    let ratio = contrast(text, ground, picture);
                    let what = format!("{text:?} on {ground:?} over {picture:06x}");
                    assert!(ratio >= 4.5, "{what}: {ratio:.2}");
                }
            }
            for text in [TEXT.with_alpha(225), QUIET] {
                let ratio = contrast(text, &[SHADE], picture);
                assert!(ratio >= 4.5, "{text:?} in a notice over {picture:06x}: {ratio:.2}");
            }
        }
    }
}
