//! Compares pictures with golden ones, leaving out the parts that change.

use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use std::fmt;

/// A golden picture of a whole window.
pub struct Golden {
    pub name: &'static str,
    /// The parts that always change: seconds, rates, ports.
    pub moving: &'static [Part],
}

/// A part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

/// The side of the squares in which pictures are compared.
const TILE: usize = 16;
/// A square differs if more than this many of its 256 pixels differ. A thin line along one edge has 32 pixels.
const DIFFERENT_PIXELS: usize = 12;
/// A pixel differs if a colour differs by more than this. Edges of letters vary a little between machines.
const DIFFERENT: u8 = 32;

/// Where two pictures differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences(pub Vec<Part>);

impl Golden {
    /// Where `seen` differs from the golden picture. Empty if they look the same.
    pub fn differences(&self, golden: &Picture, seen: &Picture) -> Differences {
        if golden.size() != seen.size() {
            let Size { width, height } = seen.size();
            return Differences(vec![Part { x: 0, y: 0, width, height }]);
        }
        let Size { width, height } = golden.size();
        let differs = |x: usize, y: usize| {
            let pairs = golden.rgb(x, y).into_iter().zip(seen.rgb(x, y));
            pairs.map(|(a, b)| a.abs_diff(b)).max() > Some(DIFFERENT)
                && !self.moving.iter().any(|part| part.contains(x, y))
        };
        let count = |tile: &Part| {
            let rows = tile.y..tile.y + tile.height;
            rows.map(|y| (tile.x..tile.x + tile.width).filter(|&x| differs(x, y)).count()).sum()
        };
        let side = |from: usize, end: usize| TILE.min(end - from);
        let tiles = (0..height).step_by(TILE).flat_map(|y| {
            let tile = move |x| Part { x, y, width: side(x, width), height: side(y, height) };
            (0..width).step_by(TILE).map(tile)
        });
        Differences(tiles.filter(|tile| DIFFERENT_PIXELS < count(tile)).collect())
    }
}

impl Part {
    fn contains(&self, x: usize, y: usize) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} squares differ", self.0.len())?;
        match self.0.as_slice() {
            [] => Ok(()),
            [first, .., last] => {
                write!(out, ", from {},{} to {},{}", first.x, first.y, last.x, last.y)
            }
            [only] => write!(out, ", at {},{}", only.x, only.y),
        }
    }
}

#[test]
fn what_moves_may_differ_and_nothing_else() {
    let golden = Golden { name: "", moving: &[Part { x: 40, y: 0, width: 8, height: 8 }] };
    let size = Size::new(100, 50);
    let blank = Picture::blank(size, 0);
    let with = |at: Part, rgb: u32| {
        let mut picture = Picture::blank(size, 0);
        for y in at.y..at.y + at.height {
            picture.pixels_mut()[y * size.width..][at.x..at.x + at.width].fill(rgb);
        }
        golden.differences(&blank, &picture).0.len()
    };
    assert_eq!(with(Part { x: 40, y: 0, width: 8, height: 8 }, 0xFF_FFFF), 0, "it moves");
    assert_eq!(with(Part { x: 41, y: 0, width: 9, height: 8 }, 0xFF_FFFF), 1);
    assert_eq!(
        with(Part { x: 0, y: 0, width: 100, height: 2 }, 0x40_0000),
        6,
        "a thin frame; the last square is too narrow"
    );
    assert_eq!(with(Part { x: 0, y: 0, width: 100, height: 50 }, 0x1F_1F1F), 0, "rounding");
    assert_ne!(golden.differences(&blank, &Picture::blank(Size::new(100, 51), 0)).0, []);
}
