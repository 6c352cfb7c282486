//! A JPEG that was examined, so that its structure need not be read again.

use super::super::data::{Scans, Stop, search};
use super::super::markers::END;
use super::pieces::{Piece, Pieces};
use crate::image::orientation::Orientation;
use crate::image::pixels::{Chroma, Size};

/// A picture that decoders can read, made of what a camera sent and of what it left out. Only
/// [`examine`](super::examine) makes one.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// The bytes that the camera sent, without those after the picture.
    span: &'a [u8],
    findings: Findings,
}

/// What was found in the bytes of a picture, for a source that cannot hold the bytes and gets them
/// again later.
#[derive(Debug, Clone, Copy)]
pub struct Findings {
    pub(super) size: Size,
    pub(super) chroma: Option<Chroma>,
    pub(super) pieces: Pieces,
    /// How many of the camera's bytes belong to the picture.
    pub(super) span: usize,
    /// The place where the data of the first scan begins.
    pub(super) data_at: usize,
    pub(super) ending: Ending,
    pub(super) scans: Scans,
    /// The least number of bytes that this data must have.
    pub(super) least: usize,
    pub(super) orientation: Orientation,
    pub(super) needs_repair: bool,
}

/// How the picture ends as the camera sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With an end marker.
    Marked,
    /// Without one; it is added. Only a decoder could find out whether data is missing too.
    Bare,
}

impl Findings {
    /// The picture that was found in `bytes`, which must be the examined bytes.
    pub(crate) fn in_bytes(self, bytes: &[u8]) -> Examined<'_> {
        Examined { span: &bytes[..self.span], findings: self }
    }
}

impl<'a> Examined<'a> {
    /// What was found, without the bytes.
    pub fn findings(&self) -> Findings {
        self.findings
    }

    /// The size as stored, before the picture is turned.
    pub fn size(&self) -> Size {
        self.findings.size
    }

    /// How its colours are subsampled, before the picture is turned; `None` if in a rare way.
    pub fn chroma(&self) -> Option<Chroma> {
        self.findings.chroma
    }

    /// How many bytes the repaired picture has.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// Writes the repaired picture. It is one copy if nothing needs repair, or only the end.
    ///
    /// # Panics
    /// When `out` does not have [`len`](Self::len) bytes.
    pub fn write_to(&self, mut out: &mut [u8]) {
        for piece in self.pieces() {
            let (to, rest) = out.split_at_mut(piece.len());
            to.copy_from_slice(piece);
            out = rest;
        }
        assert!(out.is_empty(), "room for exactly the JPEG");
    }

    /// The camera's bytes from the first to the last one of the picture.
    pub fn span(&self) -> &'a [u8] {
        self.span
    }

    /// How the camera ended it.
    pub fn ending(&self) -> Ending {
        self.findings.ending
    }

    /// The turn that makes the picture upright.
    pub fn orientation(&self) -> Orientation {
        self.findings.orientation
    }

    /// The same picture, to be turned by `more` after that.
    #[must_use]
    pub fn then(mut self, more: Orientation) -> Self {
        self.findings.orientation = self.findings.orientation.then(more);
        self
    }

    /// Whether decoders accept [`span`](Self::span) unrepaired: what a repair would leave out are
    /// only segments that they ignore.
    pub fn decodes_as_sent(&self) -> bool {
        !self.findings.needs_repair
    }

    /// Whether the picture has exactly the camera's bytes, apart from those after it.
    pub fn is_untouched(&self) -> bool {
        let all = Piece::Sent { from: 0, to: self.span.len() };
        self.findings.pieces.as_slice() == [all]
    }

    /// Whether decoders look for further scans after the first one.
    pub(in super::super) fn may_have_several_scans(&self) -> bool {
        self.findings.scans == Scans::Several
    }

    /// The same picture without anything after its first end marker, such as the rest of another
    /// picture.
    ///
    /// Searches the data for that marker, which takes about as long as copying it. Few buffers hold
    /// the end of an older, longer frame after the new one; [`Gate`](super::super::gate::Gate)
    /// finds out which cameras send them.
    #[must_use]
    pub fn without_leftovers(mut self) -> Self {
        let found = &mut self.findings;
        if found.ending == Ending::Bare {
            // The end was searched for already.
            return self;
        }
        let end = match search(&self.span[found.data_at..], found.scans) {
            (Stop::End(end), _) if end >= found.least => found.data_at + end + END.len(),
            // A broken bit that looks like an end: too much data is better than too little.
            _ => return self,
        };
        self.span = &self.span[..end];
        found.span = end;
        found.pieces.end_at(end);
        self
    }

    fn pieces(&self) -> impl Iterator<Item = &'a [u8]> {
        let span = self.span;
        self.findings.pieces.as_slice().iter().map(move |piece| piece.of(span))
    }
}
