//! Turns and mirrors planes, whole or in strips of rows as they are unpacked.

use super::orientation::{Orientation, Steps};
use super::pixels::{Chroma, Size};
use super::planes::Planes;
use std::ops::Range;

/// Fills `target` with `source`, turned. If rows become columns, the subsampling of chroma is
/// transposed too.
pub fn turn(source: &Planes, orientation: Orientation, target: &mut Planes) {
    let chroma = turned_chroma(source.chroma(), orientation);
    target.reshape(orientation.size_of(source.size()), chroma);
    turn_strip(source, 0, source.size(), orientation, target);
}

/// The chroma subsampling of a turned picture.
pub fn turned_chroma(chroma: Chroma, orientation: Orientation) -> Chroma {
    match (orientation.swaps_sides(), chroma) {
        (true, Chroma::Yuv422) => Chroma::Yuv440,
        (true, Chroma::Yuv440) => Chroma::Yuv422,
        (true, Chroma::Yuv411) => Chroma::Yuv441,
        (true, Chroma::Yuv441) => Chroma::Yuv411,
        _ => chroma,
    }
}

/// Writes `strip`, the rows from `first_row` on of a picture of `size`, to their place in `target`.
///
/// `target` must already have the turned size and chroma. `first_row` must be a multiple of the
/// number of rows that share chroma.
pub(super) fn turn_strip(
    strip: &Planes,
    first_row: usize,
    size: Size,
    orientation: Orientation,
    target: &mut Planes,
) {
    let steps = orientation.steps();
    let (from, to) = (strip.chroma(), target.chroma());
    let to_size = target.size();
    let luma_stride = to.luma_size(to_size).width;
    let rows = strip.size().height;
    let [y, cb, cr] = strip.split();
    let planes = target.split_mut();
    let luma = Rows { bytes: y, stride: from.luma_size(strip.size()).width, first_row, rows };
    luma.turn(size, steps, planes.y, luma_stride);
    if from != Chroma::Grey {
        let chroma_size = from.chroma_size(size);
        let stride = to.chroma_size(to_size).width;
        let shared_by = from.luma_size(Size::new(1, 1)).height;
        for (bytes, to) in [(cb, planes.cb), (cr, planes.cr)] {
            let (first_row, rows) = (first_row / shared_by, rows.div_ceil(shared_by));
            let rows = Rows { bytes, stride: chroma_size.width, first_row, rows };
            rows.turn(chroma_size, steps, to, stride);
        }
    }
    pad(planes.y, to_size, luma_stride);
}

/// Repeats the last column and the last row up to the end of the subsampled chroma.
fn pad(y: &mut [u8], size: Size, stride: usize) {
    if stride > size.width {
        for row in y.chunks_exact_mut(stride) {
            let last = row[size.width - 1];
            row[size.width..].fill(last);
        }
    }
    let (picture, padding) = y.split_at_mut(size.height * stride);
    for row in padding.chunks_exact_mut(stride) {
        row.copy_from_slice(&picture[picture.len() - stride..]);
    }
}

/// Some rows of a plane.
struct Rows<'a> {
    bytes: &'a [u8],
    stride: usize,
    /// The number of the first row in its picture.
    first_row: usize,
    rows: usize,
}

/// How many rows and columns are transposed at once: eight bytes fit one integer register.
const TILE: usize = 8;

impl Rows<'_> {
    fn row(&self, index: usize, width: usize) -> &[u8] {
        &self.bytes[index * self.stride..][..width]
    }

    /// Writes these rows of a plane of `size` to `to`, whose rows are `stride` long.
    fn turn(&self, size: Size, steps: Steps, to: &mut [u8], stride: usize) {
        if steps.transpose {
            return self.transpose(size, steps, to, stride);
        }
        for index in 0..self.rows {
            let row = self.row(index, size.width);
            let at = self.first_row + index;
            let at = if steps.top_bottom { size.height - 1 - at } else { at };
            let out = &mut to[at * stride..][..size.width];
            out.copy_from_slice(row);
            if steps.left_right {
                out.reverse();
            }
        }
    }

    fn transpose(&self, size: Size, steps: Steps, to: &mut [u8], stride: usize) {
        for first in (0..self.rows).step_by(TILE) {
            let rows = TILE.min(self.rows - first);
            let at = self.first_row + first;
            let to_column = if steps.left_right { size.height - at - rows } else { at };
            for left in (0..size.width).step_by(TILE) {
                let columns = TILE.min(size.width - left);
                let tile = self.tile(first..first + rows, left..left + columns, steps);
                let top = if steps.top_bottom { size.width - left - columns } else { left };
                let out = &mut to[top * stride + to_column..];
                if rows == TILE && columns == TILE {
                    for (index, line) in tile.iter().enumerate() {
                        let index = if steps.top_bottom { TILE - 1 - index } else { index };
                        out[index * stride..][..TILE].copy_from_slice(&line.to_le_bytes());
                    }
                } else {
                    for (index, line) in tile[..columns].iter().enumerate() {
                        let index = if steps.top_bottom { columns - 1 - index } else { index };
                        let bytes = line.to_le_bytes();
                        out[index * stride..][..rows].copy_from_slice(&bytes[..rows]);
                    }
                }
            }
        }
    }

    /// At most eight rows and columns, transposed. The first byte of a row is the lowest of its
    /// word.
    #[inline(always)]
    fn tile(&self, rows: Range<usize>, columns: Range<usize>, steps: Steps) -> [u64; TILE] {
        let mut tile = [0; TILE];
        let count = rows.len();
        for (index, line) in tile[..count].iter_mut().enumerate() {
            let row = &self.bytes[(rows.start + index) * self.stride + columns.start..];
            let mut bytes = [0; TILE];
            match row.first_chunk() {
                Some(whole) => bytes = *whole,
                None => bytes[..columns.len()].copy_from_slice(&row[..columns.len()]),
            }
            *line = u64::from_le_bytes(bytes);
        }
        if steps.left_right {
            // The last row becomes the first column.
            tile[..count].reverse();
        }
        transposed(tile)
    }
}

/// Swaps squares of 4x4 bytes over the diagonal, then of 2x2, then single bytes.
#[inline(always)]
fn transposed(mut tile: [u64; TILE]) -> [u64; TILE] {
    for upper in [0, 1, 2, 3] {
        exchange::<32>(&mut tile, upper, upper + 4, 0x0000_0000_FFFF_FFFF);
    }
    for upper in [0, 1, 4, 5] {
        exchange::<16>(&mut tile, upper, upper + 2, 0x0000_FFFF_0000_FFFF);
    }
    for upper in [0, 2, 4, 6] {
        exchange::<8>(&mut tile, upper, upper + 1, 0x00FF_00FF_00FF_00FF);
    }
    tile
}

/// Swaps the high parts of each `2 * BITS` of one row with the low parts of the other.
#[inline(always)]
fn exchange<const BITS: u32>(tile: &mut [u64; TILE], upper: usize, lower: usize, low: u64) {
    let (one, other) = (tile[upper], tile[lower]);
    tile[upper] = one & low | (other & low) << BITS;
    tile[lower] = one >> BITS & low | other & !low;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::orientation::{Mirror, Rotation};

    fn orientations() -> impl Iterator<Item = Orientation> {
        let turns = [Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters];
        [Mirror::None, Mirror::LeftRight]
            .into_iter()
            .flat_map(move |mirror| turns.map(|rotation| Orientation { mirror, rotation }))
    }

    fn numbered(size: Size, chroma: Chroma) -> Planes {
        let mut planes = Planes::default();
        planes.reshape(size, chroma);
        let mut value = 0_u8;
        for byte in planes.packed_mut() {
            value = value.wrapping_mul(77).wrapping_add(31);
            *byte = value;
        }
        let stride = chroma.luma_size(size).width;
        pad(planes.split_mut().y, size, stride);
        planes
    }

    /// By definition: first mirrored, then turned clockwise.
    fn plane_turned(
        from: &[u8],
        stride: usize,
        size: Size,
        orientation: Orientation,
    ) -> Vec<Vec<u8>> {
        let mut rows: Vec<Vec<u8>> =
            (0..size.height).map(|row| from[row * stride..][..size.width].to_vec()).collect();
        if orientation.mirror == Mirror::LeftRight {
            rows.iter_mut().for_each(|row| row.reverse());
        }
        let quarters = match orientation.rotation {
            Rotation::None => 0,
            Rotation::Quarter => 1,
            Rotation::Half => 2,
            Rotation::ThreeQuarters => 3,
        };
        for _ in 0..quarters {
            rows =
                (0..rows[0].len()).map(|x| rows.iter().rev().map(|row| row[x]).collect()).collect();
        }
        rows
    }

    #[test]
    fn planes_are_turned_as_pictures_are() {
        for size in [Size::new(48, 32), Size::new(37, 19), Size::new(1, 1), Size::new(2, 70)] {
            for chroma in [
                Chroma::Yuv420,
                Chroma::Yuv422,
                Chroma::Yuv440,
                Chroma::Yuv444,
                Chroma::Yuv411,
                Chroma::Grey,
            ] {
                let source = numbered(size, chroma);
                for orientation in orientations() {
                    let mut target = Planes::default();
                    turn(&source, orientation, &mut target);
                    assert_eq!(target.size(), orientation.size_of(size));
                    let stride = chroma.luma_size(size).width;
                    let expected = plane_turned(source.split()[0], stride, size, orientation);
                    let stride = target.chroma().luma_size(target.size()).width;
                    for (row, found) in expected.iter().zip(target.split()[0].chunks(stride)) {
                        assert_eq!(row, &found[..row.len()], "{size} {chroma:?} {orientation}");
                        let last = row.last().expect("a row");
                        assert!(found[row.len()..].iter().all(|padding| padding == last));
                    }
                    let chroma_size = chroma.chroma_size(size);
                    for plane in 1..if chroma == Chroma::Grey { 1 } else { 3 } {
                        let from = source.split()[plane];
                        let expected =
                            plane_turned(from, chroma_size.width, chroma_size, orientation);
                        assert_eq!(
                            expected.concat(),
                            target.split()[plane],
                            "{size} {chroma:?} {orientation}"
                        );
                    }
                }
            }
        }
    }
}
