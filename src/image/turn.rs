//! Turns and mirrors planes, whole or in strips of rows as they are unpacked.

use super::orientation::{Orientation, Steps};
use super::pixels::{Chroma, Size};
use super::planes::Planes;

/// Fills `target` with `source`, turned; its chroma is subsampled the other way round where rows become columns.
pub fn turn(source: &Planes, orientation: Orientation, target: &mut Planes) {
    let chroma = turned_chroma(source.chroma(), orientation);
    target.reshape(orientation.size_of(source.size()), chroma);
    turn_strip(source, 0, source.size(), orientation, target);
}

/// How planes are subsampled once they are turned.
pub(super) fn turned_chroma(chroma: Chroma, orientation: Orientation) -> Chroma {
    match (orientation.swaps_sides(), chroma) {
        (true, Chroma::Yuv422) => Chroma::Yuv440,
        (true, Chroma::Yuv440) => Chroma::Yuv422,
        (true, Chroma::Yuv411) => Chroma::Yuv441,
        (true, Chroma::Yuv441) => Chroma::Yuv411,
        _ => chroma,
    }
}

/// Puts `strip`, the rows from `first_row` on of a picture of `size`, to where they belong in `target`.
///
/// `target` must have the turned size and chroma already. `first_row` must be a multiple of the rows that
/// share chroma.
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

/// Repeats the last column and the last row to where subsampled chroma ends.
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
    /// The number of the first in its picture.
    first_row: usize,
    rows: usize,
}

/// Rows and columns that are exchanged at once: a cache line's worth is written at a time, or nearly.
const TILE: usize = 16;

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
                let mut tile = [[0; TILE]; TILE];
                for (index, line) in tile[..rows].iter_mut().enumerate() {
                    // The last become first where left and right are exchanged.
                    let index = if steps.left_right { rows - 1 - index } else { index };
                    let row = &self.row(first + index, size.width)[left..];
                    match row.first_chunk() {
                        Some(whole) => *line = *whole,
                        None => line[..columns].copy_from_slice(row),
                    }
                }
                let turned = transposed(&tile);
                for (index, line) in turned[..columns].iter().enumerate() {
                    let row = left + index;
                    let row = if steps.top_bottom { size.width - 1 - row } else { row };
                    to[row * stride + to_column..][..rows].copy_from_slice(&line[..rows]);
                }
            }
        }
    }
}

/// Four rounds of taking every second: what SIMD has an instruction for.
#[inline(always)]
fn transposed(tile: &[[u8; TILE]; TILE]) -> [[u8; TILE]; TILE] {
    let mut tile = *tile;
    for _ in 0..4 {
        // Rows n and n + 8, their bytes in turns, become rows 2 n and 2 n + 1.
        let mut next = [[0; TILE]; TILE];
        for at in 0..TILE / 2 {
            let (one, other) = (tile[at], tile[at + TILE / 2]);
            next[2 * at] =
                std::array::from_fn(|to| if to % 2 == 0 { one[to / 2] } else { other[to / 2] });
            next[2 * at + 1] = std::array::from_fn(|to| {
                let from = TILE / 2 + to / 2;
                if to % 2 == 0 { one[from] } else { other[from] }
            });
        }
        tile = next;
    }
    tile
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

    /// By its meaning: first mirrored, then turned clockwise.
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
