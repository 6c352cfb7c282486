//! The rows of planes that are filled together: one of chroma, and those of luma that share it.

use crate::image::pixels::{Chroma, Size};
use crate::image::planes::PlanesMut;

/// Planes to be filled with the rows of a frame from `first_row` on.
pub(super) struct Strip<'a> {
    planes: PlanesMut<'a>,
    chroma: Chroma,
    /// Of the strip.
    size: Size,
    first_row: usize,
}

/// One row of chroma and the rows of luma that share it, to be written.
pub(super) struct Rows<'a> {
    /// The frame's rows that these are made of; both the same where each has its own chroma.
    pub(super) sources: [usize; 2],
    /// The rows of luma, one for each different source, without a gap between them. Their width is even.
    pub(super) y: &'a mut [u8],
    /// Half as wide as a row of luma.
    pub(super) cb: &'a mut [u8],
    /// As wide as `cb`.
    pub(super) cr: &'a mut [u8],
}

impl Rows<'_> {
    /// Each row of luma, and the frame's row that it is made of.
    pub(super) fn luma(&mut self) -> impl Iterator<Item = (usize, &mut [u8])> {
        let width = self.cb.len() * 2;
        self.sources.into_iter().zip(self.y.chunks_exact_mut(width))
    }
}

impl<'a> Strip<'a> {
    /// `planes` of this size, from the frame's row `first_row` on.
    pub(super) fn from_row(
        planes: PlanesMut<'a>,
        size: Size,
        chroma: Chroma,
        first_row: usize,
    ) -> Self {
        Self { planes, chroma, size, first_row }
    }

    /// The frame's row that comes first.
    pub(super) fn first_row(&self) -> usize {
        self.first_row
    }

    /// All of luma, for frames that have nothing else.
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
