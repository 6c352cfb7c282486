//! Converts a sensor's mosaic, where each pixel has one of three colours, to luma and chroma.
//!
//! At full size, luma is a filter over 3x3 pixels for each of the four places in the mosaic, which
//! combines bilinear interpolation with the weights of luma. Chroma is that of each group of four
//! pixels. At half size, each group of four pixels becomes one.

use super::lines::Line;
use super::planar::pad;
use super::rgb::{Block, average, blue_difference, convert, red_difference};
use super::strip::Rows;
use super::tone::{BLUE, RED, Tone};
use super::{BLOCK, grey, narrow, words};
use crate::image::frame::RawFrame;
use crate::image::pixels::{BayerOrder, PixelFormat, SampleDepth, SamplePacking, Size};

/// Padding columns before the first one; the filter reads one.
const PAD: usize = 1;

/// Converts mosaics. Keeps rows that are needed again.
#[derive(Debug, Default)]
pub(super) struct Demosaic {
    /// Four rows of 8-bit samples, padded by mirroring. Row `n` of the frame is in number `n % 4`.
    rows: [Vec<u8>; 4],
    held: [Option<usize>; 4],
    line: Line,
}

impl Demosaic {
    /// Call this once for each frame, before its rows.
    pub(super) fn begin(&mut self, frame: &RawFrame<'_>) {
        if !matches!(frame.layout.format, PixelFormat::Bayer(..)) {
            return;
        }
        self.held = [None; 4];
        let room = PAD + frame.layout.size.width.next_multiple_of(2 * BLOCK) + BLOCK;
        for row in &mut self.rows {
            row.resize(room.max(row.len()), 0);
        }
    }

    /// Fills `rows` at full size.
    pub(super) fn unpack(
        &mut self,
        frame: &RawFrame<'_>,
        tone: &Tone,
        order: BayerOrder,
        rows: &mut Rows<'_>,
    ) {
        let Size { width, height } = frame.layout.size;
        for (index, y) in rows.luma() {
            let index = index.min(height - 1);
            let [above, row, below] = self.three(frame, tone, index);
            luma(above, row, below, &weights(order.colours()[index % 2]), y);
            pad(y, width);
        }
        let first = rows.sources[0] & !1;
        let [_, upper, lower] = self.three(frame, tone, first);
        chroma(&upper[PAD..], &lower[PAD..], order, rows);
    }

    /// Fills `rows` at half size; `rows.sources` count rows of groups.
    pub(super) fn unpack_binned(
        &mut self,
        frame: &RawFrame<'_>,
        tone: &Tone,
        order: BayerOrder,
        rows: &mut Rows<'_>,
    ) {
        for index in rows.sources {
            self.hold(frame, tone, 2 * index);
            self.hold(frame, tone, 2 * index + 1);
        }
        let height = frame.layout.size.height;
        let row = |index: usize| &self.rows[mirrored(index, height) % 4][PAD..];
        let sources = rows.sources;
        convert(rows, |which, at| {
            let upper = 2 * sources[which];
            group(&row(upper)[2 * at..], &row(upper + 1)[2 * at..], order)
        });
        for (_, y) in rows.luma() {
            pad(y, frame.layout.size.width.div_ceil(2));
        }
    }

    /// Row `index` with its neighbours above and below.
    fn three(&mut self, frame: &RawFrame<'_>, tone: &Tone, index: usize) -> [&[u8]; 3] {
        let height = frame.layout.size.height;
        // Mirror at the edge, so that colours keep their places: the second row stands above the
        // first.
        let all = [if index == 0 { 1 } else { index - 1 }, index, index + 1];
        for index in all {
            self.hold(frame, tone, index);
        }
        all.map(|index| &self.rows[mirrored(index, height) % 4][..])
    }

    /// Converts row `index` to 8 bits, unless it is held already.
    fn hold(&mut self, frame: &RawFrame<'_>, tone: &Tone, index: usize) {
        let Size { width, height } = frame.layout.size;
        let index = mirrored(index, height);
        let PixelFormat::Bayer(order, packing) = frame.layout.format else { return };
        let slot = index % 4;
        if self.held[slot].replace(index) == Some(index) {
            return;
        }
        let plane = frame.layout.first_plane().expect("a raw format");
        let padded = &mut self.rows[slot];
        let raw = self.line.of(plane.row_of(frame.bytes, index), frame.layout.memory);
        let tables = order.colours()[index % 2].map(|colour| tone.table(colour));
        let out = &mut padded[PAD..PAD + width];
        match tables {
            [Some(even), Some(odd)] => through_tables(raw, packing, [even, odd], out),
            _ => as_it_is(raw, packing, out),
        }
        padded[0] = padded[PAD + 1.min(width - 1)];
        // Colours keep their places beyond the last column too.
        for beyond in PAD + width..(PAD + width + 3).min(padded.len()) {
            padded[beyond] = padded[beyond.saturating_sub(2).max(PAD)];
        }
    }
}

/// The number of row `index` or, beyond the end, of the nearest row with the same colours.
fn mirrored(index: usize, height: usize) -> usize {
    if index < height {
        index
    } else {
        index.saturating_sub((index - height) / 2 * 2 + 2).min(height - 1)
    }
}

fn through_tables(raw: &[u8], packing: SamplePacking, tables: [&[u8]; 2], out: &mut [u8]) {
    match packing {
        SamplePacking::Unpacked(SampleDepth::Bits8) => {
            let tables = tables.map(known::<256>);
            pairs(raw, out, tables, |pair| pair.map(usize::from));
        }
        SamplePacking::Unpacked(SampleDepth::Bits10) => {
            let tables = tables.map(known::<1024>);
            pairs(raw, out, tables, |bytes| two_words(bytes).map(|word| word.min(1023)));
        }
        SamplePacking::Unpacked(SampleDepth::Bits12) => {
            let tables = tables.map(known::<4096>);
            pairs(raw, out, tables, |bytes| two_words(bytes).map(|word| word.min(4095)));
        }
        SamplePacking::Unpacked(SampleDepth::Bits16) => {
            let tables = tables.map(known::<4096>);
            pairs(raw, out, tables, |bytes| two_words(bytes).map(|word| word >> 4));
        }
        SamplePacking::Packed10 => {
            let [even, odd] = tables.map(known::<1024>);
            let through = |five: &[u8; 5]| {
                let of =
                    |at: usize| usize::from(five[at]) << 2 | usize::from(five[4]) >> (2 * at) & 3;
                [even[of(0)], odd[of(1)], even[of(2)], odd[of(3)]]
            };
            let (whole, rest) = out.as_chunks_mut::<4>();
            let (groups, _) = raw.as_chunks::<5>();
            for (out, five) in whole.iter_mut().zip(groups) {
                *out = through(five);
            }
            if let Some(five) = groups.get(whole.len()) {
                rest.copy_from_slice(&through(five)[..rest.len()]);
            }
        }
    }
}

/// A table whose length the compiler knows, so that indexing needs no bounds check.
fn known<const LEN: usize>(table: &[u8]) -> &[u8; LEN] {
    table.first_chunk().expect("a table has a place for every sample")
}

fn two_words(bytes: [u8; 4]) -> [usize; 2] {
    [[bytes[0], bytes[1]], [bytes[2], bytes[3]]].map(|pair| usize::from(u16::from_le_bytes(pair)))
}

/// Converts two samples at a time, which have `BYTES` bytes together. If the width is odd, the last
/// one alone.
#[inline(always)]
fn pairs<const BYTES: usize, const LEN: usize>(
    raw: &[u8],
    out: &mut [u8],
    [even, odd]: [&[u8; LEN]; 2],
    samples: impl Fn([u8; BYTES]) -> [usize; 2],
) {
    let (whole, last) = out.as_chunks_mut::<2>();
    let (groups, rest) = raw.as_chunks::<BYTES>();
    for (out, bytes) in whole.iter_mut().zip(groups) {
        let [first, second] = samples(*bytes);
        *out = [even[first], odd[second]];
    }
    if let [out] = last {
        let mut bytes = [0; BYTES];
        bytes[..rest.len()].copy_from_slice(rest);
        *out = even[samples(bytes)[0]];
    }
}

fn as_it_is(raw: &[u8], packing: SamplePacking, out: &mut [u8]) {
    match packing {
        SamplePacking::Unpacked(SampleDepth::Bits8) => out.copy_from_slice(&raw[..out.len()]),
        SamplePacking::Unpacked(SampleDepth::Bits10) => grey::high_bits::<2>(raw, out),
        SamplePacking::Unpacked(SampleDepth::Bits12) => grey::high_bits::<4>(raw, out),
        SamplePacking::Unpacked(SampleDepth::Bits16) => grey::high_bits::<8>(raw, out),
        SamplePacking::Packed10 => {
            // The high bits of four samples come first; their low bits are in the fifth byte.
            let (whole, rest) = out.as_chunks_mut::<4>();
            let (groups, _) = raw.as_chunks::<5>();
            for (out, five) in whole.iter_mut().zip(groups) {
                *out = [five[0], five[1], five[2], five[3]];
            }
            if let Some(five) = groups.get(whole.len()) {
                rest.copy_from_slice(&five[..rest.len()]);
            }
        }
    }
}

/// The weights in luma, in units of 1/256, for pixels in an even and an odd column: of the pixel
/// itself, of its neighbours left and right, of those above and below, and of those at the corners.
type Weights = [[u16; 4]; 2];

/// The weights for a row with these two colours: red 77, green 150, blue 29. Each set sums to 256,
/// with the neighbours counted as `luma` adds them.
fn weights(colours: [usize; 2]) -> Weights {
    colours.map(|colour| match (colour, colours) {
        // The pixel is red or blue: green is left, right, above and below, the third colour is at
        // the corners.
        (RED, _) => [78, 37, 38, 7],
        (BLUE, _) => [30, 37, 38, 19],
        // The pixel is green: the other colour of its row is left and right of it.
        (_, [RED, _] | [_, RED]) => [150, 38, 15, 0],
        _ => [150, 15, 38, 0],
    })
}

#[inline(always)]
fn luma(above: &[u8], row: &[u8], below: &[u8], weights: &Weights, y: &mut [u8]) {
    let lanes: [[u16; BLOCK]; 4] =
        std::array::from_fn(|which| std::array::from_fn(|at| weights[at % 2][which]));
    for (block, y) in y.chunks_mut(BLOCK).enumerate() {
        let at = block * BLOCK;
        let load = |row: &[u8], shift: usize| -> [u16; BLOCK] {
            let bytes: &[u8; BLOCK] =
                row[at + shift..].first_chunk().expect("rows are padded by a block");
            bytes.map(u16::from)
        };
        let (left, own, right) = (load(row, 0), load(row, 1), load(row, 2));
        let (up, down) = (load(above, 1), load(below, 1));
        let (up_left, up_right) = (load(above, 0), load(above, 2));
        let (down_left, down_right) = (load(below, 0), load(below, 2));
        let luma: [u16; BLOCK] = std::array::from_fn(|at| {
            let corners = up_left[at] + up_right[at] + down_left[at] + down_right[at];
            (own[at] * lanes[0][at]
                + (left[at] + right[at]) * lanes[1][at]
                + (up[at] + down[at]) * lanes[2][at]
                + corners * lanes[3][at]
                + 128)
                >> 8
        });
        y.copy_from_slice(&narrow(luma)[..y.len()]);
    }
}

/// A block of groups of four pixels, each combined into one.
#[inline(always)]
fn group(upper: &[u8], lower: &[u8], order: BayerOrder) -> Block {
    let of = |row: &[u8]| words::<BLOCK>(&row[..2 * BLOCK]);
    let (upper, lower) = (of(upper), of(lower));
    let four = [
        upper.map(|pair| pair & 0xFF),
        upper.map(|pair| pair >> 8),
        lower.map(|pair| pair & 0xFF),
        lower.map(|pair| pair >> 8),
    ];
    match order {
        BayerOrder::Rggb => {
            Block { red: four[0], green: average(&four[1], &four[2]), blue: four[3] }
        }
        BayerOrder::Bggr => {
            Block { red: four[3], green: average(&four[1], &four[2]), blue: four[0] }
        }
        BayerOrder::Gbrg => {
            Block { red: four[2], green: average(&four[0], &four[3]), blue: four[1] }
        }
        BayerOrder::Grbg => {
            Block { red: four[1], green: average(&four[0], &four[3]), blue: four[2] }
        }
    }
}

/// The chroma of each group.
#[inline(always)]
fn chroma(upper: &[u8], lower: &[u8], order: BayerOrder, rows: &mut Rows<'_>) {
    let outputs = rows.cb.chunks_mut(BLOCK).zip(rows.cr.chunks_mut(BLOCK));
    for (index, (cb, cr)) in outputs.enumerate() {
        let at = index * 2 * BLOCK;
        let block = group(&upper[at..], &lower[at..], order);
        cb.copy_from_slice(&narrow(blue_difference(&block))[..cb.len()]);
        cr.copy_from_slice(&narrow(red_difference(&block))[..cr.len()]);
    }
}
