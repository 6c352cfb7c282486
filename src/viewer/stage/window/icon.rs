//! The program's icon in the form that window managers take.

use crate::viewer::keep::png_file;

/// The icons of the menu entry, the smaller one first.
const ICONS: [&[u8]; 2] = [
    include_bytes!("../../../../cross/desktop/lancam-view-48.png"),
    include_bytes!("../../../../cross/desktop/lancam-view-128.png"),
];

/// All sizes, one after the other: width, height, then `0xAARRGGBB` row by row (EWMH, `_NET_WM_ICON`).
pub(super) fn words() -> Vec<u32> {
    let mut words = Vec::new();
    for (size, pixels) in ICONS.into_iter().filter_map(png_file::with_alpha) {
        words.extend([size.width, size.height].map(|side| u32::try_from(side).unwrap_or(0)));
        words.extend(pixels);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_icons_are_there_with_colours_and_clear_corners() {
        let words = words();
        assert_eq!(words.len(), 4 + 48 * 48 + 128 * 128);
        let (small, large) = words.split_at(2 + 48 * 48);
        for (icon, side) in [(small, 48), (large, 128)] {
            assert_eq!(icon[..2], [side, side]);
            assert_eq!(icon[2] >> 24, 0, "a corner");
            assert!(icon[2..].iter().any(|pixel| pixel >> 24 == 0xFF));
        }
    }
}
