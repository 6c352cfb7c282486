//! Scaling along one axis: which source pixels make up each target pixel, and with which weights.

// Positions are converted from pixels to fractions and back, and weighted sums are shifted back
// into the range of bytes.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::weigh::{BLOCK, Shares, weigh, weigh_each};
use std::ops::Range;

/// The source pixels and their weights for each pixel of a row or a column.
#[derive(Debug, Default)]
pub(super) struct Axis {
    /// The arguments for which it was made.
    made_for: Option<((f64, f64), usize, usize)>,
    /// The first source pixel of each target pixel.
    firsts: Vec<u32>,
    /// `taps` weights for each target pixel, which sum to 256.
    weights: Vec<u16>,
    /// The same in blocks of target pixels.
    blocks: Vec<Block>,
    /// For each block: the weights of the second source pixels, then of the third ones, and so on.
    shares: Vec<Shares>,
    taps: usize,
    /// Whether each target pixel is exactly one source pixel, and neighbours stay neighbours.
    is_exact: bool,
    /// Whether the target is smaller.
    pub(super) shrinks: bool,
}

/// The source pixels of one block of target pixels.
#[derive(Debug)]
struct Block {
    /// The first source pixel of the block's window.
    start: u32,
    /// The place of each target pixel's first source pixel in the window. Being bytes, they are all
    /// inside, so no bounds check is needed.
    offsets: [u8; BLOCK],
}

/// How many pixels a window has before the taps of the last offset.
const REACH: usize = u8::MAX as usize;
/// With more source pixels per target pixel than this, each target pixel is computed on its own.
const MOST_TOGETHER: usize = 4;

/// A smaller weight at the edge of a footprint is dropped: one level of 256 is not visible.
const LEAST: u16 = 2;

impl Axis {
    /// Prepares the scaling of the range `from`, in a source of `len` pixels, to `to` pixels.
    pub(super) fn prepare(&mut self, from: (f64, f64), to: usize, len: usize) {
        if self.made_for == Some((from, to, len)) {
            return;
        }
        self.made_for = Some((from, to, len));
        let (begin, step) = (from.0, (from.1 - from.0) / to as f64);
        self.is_exact = (step - 1.0).abs() < 1e-9 && (begin - begin.round()).abs() < 1e-9;
        self.shrinks = step > 1.0 && !self.is_exact;
        self.taps = match self.is_exact {
            true => 1,
            // The most source pixels that a footprint can touch.
            false if step > 1.0 => (step.ceil() as usize + 1).clamp(1, len),
            false => 2.min(len),
        };
        self.firsts.clear();
        self.weights.clear();
        for index in 0..to {
            let place = begin + index as f64 * step;
            // When shrinking: everything that the pixel covers. When enlarging: the two neighbours
            // of its middle.
            let (start, end) = match step > 1.0 {
                true => (place, place + step),
                false => (place + step / 2.0 - 0.5, place + step / 2.0 + 0.5),
            };
            self.push(start, end, len);
        }
        self.tighten();
        self.share(len);
    }

    /// Adds a target pixel made of the source from `start` to `end`.
    fn push(&mut self, start: f64, end: f64, len: usize) {
        let last = (len - self.taps) as f64;
        let first = start.floor().clamp(0.0, last);
        self.firsts.push(first as u32);
        let (mut left, mut most) = (256_u16, 0);
        let base = self.weights.len();
        for tap in 0..self.taps {
            let pixel = first + tap as f64;
            let covered = (end.min(pixel + 1.0) - start.max(pixel)).max(0.0) / (end - start);
            let weight = ((covered * 256.0).round() as u16).min(left);
            left -= weight;
            self.weights.push(weight);
            if weight > self.weights[base + most] {
                most = tap;
            }
        }
        // The remainder: rounding errors, and what lies beyond the picture's edge, where its last
        // pixel is repeated.
        let rest = match (start < 0.0, end > len as f64) {
            (true, _) => 0,
            (_, true) => self.taps - 1,
            _ => most,
        };
        self.weights[base + rest] += left;
    }

    /// When shrinking, removes weights that are zero everywhere: most footprints touch fewer pixels
    /// than they could.
    fn tighten(&mut self) {
        if !self.shrinks {
            return;
        }
        let mut used = 1;
        for weights in self.weights.chunks_exact_mut(self.taps) {
            drop_faint(weights);
            used = used.max(span(weights).len());
        }
        let (taps, mut kept) = (self.taps, 0);
        for (index, first) in self.firsts.iter_mut().enumerate() {
            let begin = span(&self.weights[index * taps..][..taps]).start.min(taps - used);
            *first += begin as u32;
            let from = index * taps + begin;
            self.weights.copy_within(from..from + used, kept);
            kept += used;
        }
        self.weights.truncate(kept);
        self.taps = used;
    }

    /// Arranges the weights in blocks, if they fit.
    fn share(&mut self, len: usize) {
        self.blocks.clear();
        self.shares.clear();
        if self.is_exact || !(2..=MOST_TOGETHER).contains(&self.taps) {
            return;
        }
        let weights = self.weights.chunks(BLOCK * self.taps);
        for (firsts, weights) in self.firsts.chunks(BLOCK).zip(weights) {
            // The last window ends where the source does.
            let start = firsts[0].min(len.saturating_sub(REACH + self.taps) as u32);
            let mut offsets = [0; BLOCK];
            for (offset, first) in offsets.iter_mut().zip(firsts) {
                match u8::try_from(first - start) {
                    Ok(within) => *offset = within,
                    Err(_) => return self.blocks.clear(),
                }
            }
            self.blocks.push(Block { start, offsets });
            // The weight of the first source pixel is what the others leave.
            for tap in 1..self.taps {
                let mut shares = [[0; 4]; BLOCK];
                for (share, weights) in shares.iter_mut().zip(weights.chunks_exact(self.taps)) {
                    *share = [weights[tap]; 4];
                }
                self.shares.push(shares);
            }
        }
    }

    /// The first source pixel and the weights of a target pixel.
    pub(super) fn taps(&self, index: usize) -> (usize, &[u16]) {
        (self.firsts[index] as usize, &self.weights[index * self.taps..][..self.taps])
    }

    /// The same without zero weights at the ends.
    pub(super) fn tight_taps(&self, index: usize) -> (usize, &[u16]) {
        let (first, weights) = self.taps(index);
        let span = span(weights);
        (first + span.start, &weights[span])
    }

    /// The source pixels that are used at all.
    pub(super) fn needed(&self) -> Range<usize> {
        let end = |&first: &u32| first as usize + self.taps;
        let first = self.firsts.first().map_or(0, |&first| first as usize);
        first..self.firsts.last().map_or(first, end)
    }

    /// Computes a row of the target's width.
    pub(super) fn stretch(&self, from: &[u32], to: &mut [u32]) {
        match self.taps {
            1 if self.is_exact => {
                let first = self.firsts[0] as usize;
                to.copy_from_slice(&from[first..first + to.len()]);
            }
            2 if !self.blocks.is_empty() => self.together::<2, 1, { REACH + 2 }>(from, to),
            3 if !self.blocks.is_empty() => self.together::<3, 2, { REACH + 3 }>(from, to),
            4 if !self.blocks.is_empty() => self.together::<4, 3, { REACH + 4 }>(from, to),
            taps => {
                let weights = self.weights.chunks_exact(taps);
                for ((to, &first), weights) in to.iter_mut().zip(&self.firsts).zip(weights) {
                    *to = weigh_each(&from[first as usize..][..taps], weights);
                }
            }
        }
    }

    /// For a number of taps that the compiler knows: loads pixels in blocks, and weights several at
    /// once.
    fn together<const TAPS: usize, const SHARES: usize, const WINDOW: usize>(
        &self,
        from: &[u32],
        to: &mut [u32],
    ) {
        let mut narrow = [0; WINDOW];
        if let Some(part) = narrow.get_mut(..from.len()) {
            part.copy_from_slice(from);
        }
        let mut pixels = [[0_u32; BLOCK]; TAPS];
        let shares = self.shares.as_chunks::<SHARES>().0;
        for ((to, block), shares) in to.chunks_mut(BLOCK).zip(&self.blocks).zip(shares) {
            let window = from[block.start as usize..].first_chunk().unwrap_or(&narrow);
            for (index, &offset) in block.offsets.iter().enumerate() {
                for (tap, pixels) in pixels.iter_mut().enumerate() {
                    pixels[index] = window[usize::from(offset) + tap];
                }
            }
            match <&mut [u32; BLOCK]>::try_from(&mut *to) {
                Ok(to) => weigh(&pixels, shares, to),
                Err(_) => {
                    let mut last = [0; BLOCK];
                    weigh(&pixels, shares, &mut last);
                    to.copy_from_slice(&last[..to.len()]);
                }
            }
        }
    }
}

/// The range of weights that are not zero.
fn span(weights: &[u16]) -> Range<usize> {
    let first = weights.iter().position(|weight| *weight > 0).unwrap_or(0);
    let last = weights.iter().rposition(|weight| *weight > 0).unwrap_or(0);
    first..last + 1
}

/// Adds negligible weights at both ends to their neighbours.
fn drop_faint(weights: &mut [u16]) {
    let Range { start, end } = span(weights);
    let last = end - 1;
    if start < last && weights[start] < LEAST {
        weights[start + 1] += std::mem::take(&mut weights[start]);
    }
    if start + 1 < last && weights[last] < LEAST {
        weights[last - 1] += std::mem::take(&mut weights[last]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_weighed_together_are_as_if_weighed_one_by_one() {
        let mut noise = 0x2545_F491_u32;
        let mut row = || {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            noise & 0x00FF_FFFF
        };
        let row: Vec<u32> = (0..1000).map(|_| row()).collect();
        let mut kinds = [0; 5];
        for len in [2, 3, 4, 5, 63, 100, 255, 256, 257, 258, 259, 300, 640, 1000] {
            for to in [1, 2, 63, 64, 65, 200, 253, 256, 427, 639, 641, 960, 1500] {
                for part in [(0.0, len as f64), (0.3, len as f64 - 0.4), (1.0, len as f64 * 0.7)] {
                    let mut axis = Axis::default();
                    axis.prepare(part, to, len);
                    let mut together = vec![0; to];
                    axis.stretch(&row[..len], &mut together);
                    let one = |index| {
                        let (first, weights) = axis.taps(index);
                        weigh_each(&row[first..first + weights.len()], weights)
                    };
                    let one_by_one: Vec<u32> = (0..to).map(one).collect();
                    assert_eq!(together, one_by_one, "{part:?} of {len} to {to}");
                    let is_in_blocks = !axis.blocks.is_empty();
                    kinds[if is_in_blocks { axis.taps } else { 0 }] += 1;
                }
            }
        }
        assert!([0, 2, 3, 4].iter().all(|kind| kinds[*kind] > 10), "{kinds:?}");
    }

    #[test]
    fn a_footprint_is_as_many_pixels_as_it_touches() {
        for (from, to, taps) in
            [(1280, 960, 2), (1920, 1280, 2), (1280, 640, 2), (640, 637, 2), (640, 213, 4)]
        {
            let mut axis = Axis::default();
            axis.prepare((0.0, f64::from(from)), to, from as usize);
            assert_eq!(axis.taps, taps, "{from} to {to}");
            let sums = axis.weights.chunks(taps).map(|weights| weights.iter().sum::<u16>());
            assert!(sums.into_iter().all(|sum| sum == 256), "{from} to {to}");
        }
    }
}
