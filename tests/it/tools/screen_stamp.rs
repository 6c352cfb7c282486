//! Finds the test pattern on a screen, at any place and size, and reads its stamp.

use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::image::stamp::Stamp;

/// The second and the seventh of the pattern's eight bars. No program uses these colours itself.
const YELLOW: [u8; 3] = [191, 191, 0];
const BLUE: [u8; 3] = [0, 0, 191];

/// The tolerance for JPEG, a decoder's matrix and a scaler.
const OFF: u8 = 16;

/// The left and upper edge of the pattern, and its size.
pub fn pattern_on(screen: &Picture) -> Option<(usize, usize, Size)> {
    let (left, _, top, bottom) = bounds(screen, YELLOW)?;
    let (_, right, ..) = bounds(screen, BLUE)?;
    // These bars are six eighths of the width and 22 of 24 parts of the height. The stamp is below them.
    let width = right.checked_sub(left)? * 8 / 6;
    let height = (bottom - top) * 24 / 22;
    let left = left.checked_sub(width / 8)?;
    let fits = left + width <= screen.size().width && top + height <= screen.size().height;
    fits.then(|| (left, top, Size::new(width, height)))
}

/// The stamp of the pattern on this screen. `None` if there is none, or a mixture of two.
pub fn stamp_on(screen: &Picture) -> Option<Stamp> {
    let (left, top, size) = pattern_on(screen)?;
    Stamp::read(size, |x, y| screen.rgb(left + x, top + y)[1])
}

/// The left, right, upper and lower bounds of a colour.
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
