//! Finds the test pattern on a screen, wherever and however large a program shows it there, and reads its stamp.

use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::image::stamp::Stamp;

/// The second and the seventh of the pattern's eight bars, which no program has in its own colours.
const YELLOW: [u8; 3] = [191, 191, 0];
const BLUE: [u8; 3] = [0, 0, 191];

/// Colours through JPEG, a decoder's matrix and a scaler.
const OFF: u8 = 16;

/// Where the pattern is: its left and upper edge, and its size.
pub fn pattern_on(screen: &Picture) -> Option<(usize, usize, Size)> {
    let (left, _, top, bottom) = bounds(screen, YELLOW)?;
    let (_, right, ..) = bounds(screen, BLUE)?;
    // Six of eight parts of the width, 22 of 24 of the height: the stamp is below.
    let width = right.checked_sub(left)? * 8 / 6;
    let height = (bottom - top) * 24 / 22;
    let left = left.checked_sub(width / 8)?;
    let fits = left + width <= screen.size().width && top + height <= screen.size().height;
    fits.then(|| (left, top, Size::new(width, height)))
}

/// The stamp of the pattern that is on this screen; `None` while there is none, or half of another.
pub fn stamp_on(screen: &Picture) -> Option<Stamp> {
    let (left, top, size) = pattern_on(screen)?;
    Stamp::read(size, |x, y| screen.rgb(left + x, top + y)[1])
}

/// Left, right, upper and lower end of what has this colour.
fn bounds(screen: &Picture, colour: [u8; 3]) -> Option<(usize, usize, usize, usize)> {
    let width = screen.size().width;
    let mut found: Option<(usize, usize, usize, usize)> = None;
    for (index, pixel) in screen.pixels().iter().enumerate() {
        let [_, red, green, blue] = pixel.to_be_bytes();
        let is_so = [red, green, blue].iter().zip(colour).all(|(&is, so)| is.abs_diff(so) <= OFF);
        if is_so {
            let (x, y) = (index % width, index / width);
            let (left, right, top, bottom) = found.unwrap_or((x, x, y, y));
            found = Some((left.min(x), right.max(x + 1), top.min(y), bottom.max(y + 1)));
        }
    }
    found
}
