//! A frame's number and time as black and white cells in the picture itself.
//!
//! The test pattern draws it. Tests read it back from what the viewer shows, after JPEG and
//! resizing. So they know which frame they really see and when it was made.

use super::frame::Micros;
use super::pixels::Size;
use std::ops::Range;

/// The content of the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The frame's sequence number.
    pub sequence: u32,
    /// When it was made.
    pub made_at: Micros,
}

/// Cells in a row. 32 bits of sequence, 64 of time and 32 of check fill two rows.
const COLUMNS: usize = 64;
const ROWS: usize = 2;
/// A row of cells has this fraction of the picture's height; the rows are at the bottom.
const ROWS_IN_HEIGHT: usize = 24;

impl Stamp {
    /// The smallest picture in which a stamp can be read: each cell has 3x3 pixels.
    pub const MIN_SIZE: Size = Size::new(COLUMNS * 3, ROWS_IN_HEIGHT * 3);

    /// Calls `fill` with the columns, the rows and the whiteness of each cell.
    pub fn draw(self, size: Size, mut fill: impl FnMut(Range<usize>, Range<usize>, bool)) {
        let bits = self.bits();
        for index in 0..COLUMNS * ROWS {
            let (columns, rows) = cell(size, index);
            fill(columns, rows, bits >> (COLUMNS * ROWS - 1 - index) & 1 == 1);
        }
    }

    /// Reads the stamp of a picture through `luma(x, y)`; `None` if there is none or it is damaged.
    pub fn read(size: Size, luma: impl Fn(usize, usize) -> u8) -> Option<Self> {
        if size.width < Self::MIN_SIZE.width || size.height < Self::MIN_SIZE.height {
            return None;
        }
        let mut bits = 0_u128;
        for index in 0..COLUMNS * ROWS {
            let (columns, rows) = cell(size, index);
            let white =
                luma(columns.start.midpoint(columns.end), rows.start.midpoint(rows.end)) >= 128;
            bits = bits << 1 | u128::from(white);
        }
        let [s0, s1, s2, s3, t0, t1, t2, t3, t4, t5, t6, t7, ..] = bits.to_be_bytes();
        let stamp = Self {
            sequence: u32::from_be_bytes([s0, s1, s2, s3]),
            made_at: Micros(u64::from_be_bytes([t0, t1, t2, t3, t4, t5, t6, t7])),
        };
        (stamp.bits() == bits).then_some(stamp)
    }

    /// Sequence, time, and a check that a black, white or blurred strip does not pass.
    fn bits(self) -> u128 {
        let content = u128::from(self.sequence) << 64 | u128::from(self.made_at.0);
        content << 32 | u128::from(fnv1a(&content.to_be_bytes()))
    }
}

fn cell(size: Size, index: usize) -> (Range<usize>, Range<usize>) {
    let column = index % COLUMNS;
    let row = ROWS_IN_HEIGHT - ROWS + index / COLUMNS;
    let part = |length: usize, index: usize, count: usize| {
        length * index / count..length * (index + 1) / count
    };
    (part(size.width, column, COLUMNS), part(size.height, row, ROWS_IN_HEIGHT))
}

/// The 32-bit FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back_and_a_damaged_one_is_not() {
        let size = Size::new(320, 180);
        let mut luma = vec![0_u8; size.area()];
        let stamp = Stamp { sequence: 123_456, made_at: Micros(9_876_543_210) };
        stamp.draw(size, |columns, rows, white| {
            for y in rows {
                luma[y * size.width..][columns.clone()].fill(if white { 235 } else { 16 });
            }
        });
        assert_eq!(Stamp::read(size, |x, y| luma[y * size.width + x]), Some(stamp));
        luma[size.area() - 8 * size.width..].fill(255);
        assert_eq!(Stamp::read(size, |x, y| luma[y * size.width + x]), None);
        assert_eq!(Stamp::read(size, |_, _| 0), None, "black");
        assert_eq!(Stamp::read(size, |_, _| 255), None, "white");
        assert_eq!(Stamp::read(Size::new(64, 36), |_, _| 0), None, "too small");
    }
}
