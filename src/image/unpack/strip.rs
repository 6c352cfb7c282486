//! The rows of planes that are filled together: a row of chroma, and the rows of luma that share
//! it.

use crate::image::pixels::{Chroma, Size};
use crate::image::planes::PlanesMut;
use std::mem;
use std::ops::Range;

/// Planes to be filled with the rows of a frame from `first_row` on.
pub(super) struct Strip<'a> {
    planes: PlanesMut<'a>,
    chroma: Chroma,
    /// The size of the strip.
    size: Size,
    first_row: usize,
}

/// A row of chroma and the rows of luma that share it, for writing.
pub(super) struct Rows<'a> {
    /// The frame's rows to read; both are the same if each row has its own chroma.
    pub(super) sources: [usize; 2],
    /// The rows of luma, one for each different source row, without a gap between them. Their width
    /// is even.
    pub(super) y: &'a mut [u8],
    /// Half as wide as a row of luma.
    pub(super) cb: &'a mut [u8],
    /// As wide as `cb`.
    pub(super) cr: &'a mut [u8],
}

impl Rows<'_> {
    /// Each row of luma with the number of its row in the frame.
    pub(super) fn luma(&mut self) -> impl Iterator<Item = (usize, &mut [u8])> {
        let width = self.cb.len() * 2;
        self.sources.into_iter().zip(self.y.chunks_exact_mut(width))
    }
}

impl<'a> Strip<'a> {
    /// `planes` of this size, to be filled from the frame's row `first_row` on.
    pub(super) fn from_row(
        planes: PlanesMut<'a>,
        size: Size,
        chroma: Chroma,
        first_row: usize,
    ) -> Self {
        Self { planes, chroma, size, first_row }
    }

    /// The first row of the frame.
    pub(super) fn first_row(&self) -> usize {
        self.first_row
    }

    /// The number of rows.
    pub(super) fn height(&self) -> usize {
        self.size.height
    }

    /// The same planes, to be filled from the first row of another frame on.
    pub(super) fn at_the_top(self) -> Self {
        Self { first_row: 0, ..self }
    }

    /// Cuts it into strips of these rows, which follow each other. Each but the last has an even number.
    pub(super) fn cut(
        self,
        cuts: impl Iterator<Item = Range<usize>>,
    ) -> impl Iterator<Item = Self> {
        let Self { planes: mut rest, chroma, size, first_row } = self;
        cuts.map(move |rows| {
            let size = Size::new(size.width, rows.len());
            let of_chroma = chroma.chroma_size(size).area();
            let planes = PlanesMut {
                y: beginning(&mut rest.y, chroma.luma_size(size).area()),
                cb: beginning(&mut rest.cb, of_chroma),
                cr: beginning(&mut rest.cr, of_chroma),
            };
            Self { planes, chroma, size, first_row: first_row + rows.start }
        })
    }

    /// All of luma, for frames without chroma.
    pub(super) fn luma(self) -> &'a mut [u8] {
        self.planes.y
    }

    /// Calls `fill` for each row of chroma, from the top.
    pub(super) fn fill(self, mut fill: impl FnMut(&mut Rows<'_>)) {
        let chroma_width = self.chroma.chroma_size(self.size).width;
        let rows = if self.chroma == Chroma::Yuv420 { 2 } else { 1 };
        let chroma = (self.planes.cb.chunks_exact_mut(chroma_width))
            .zip(self.planes.cr.chunks_exact_mut(chroma_width));
        let luma = self.planes.y.chunks_exact_mut(chroma_width * 2 * rows);
        for (index, ((cb, cr), y)) in chroma.zip(luma).enumerate() {
            let first = self.first_row + index * rows;
            fill(&mut Rows { sources: [first, first + rows - 1], y, cb, cr });
        }
    }
}

/// Takes the first `len` bytes off `plane`.
fn beginning<'a>(plane: &mut &'a mut [u8], len: usize) -> &'a mut [u8] {
    let (beginning, rest) = mem::take(plane).split_at_mut(len);
    *plane = rest;
    beginning
}
