//! A JPEG that was examined: nobody needs to look at its structure again.

use super::super::data::{Scans, Stop, search};
use super::super::markers::END;
use super::pieces::{Piece, Pieces};
use crate::image::orientation::Orientation;
use crate::image::pixels::Size;

/// A picture that decoders take, made of what a camera sent and of what it left out. Only
/// [`examine`](super::examine) makes one.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// What the camera sent, without what lies behind the picture.
    span: &'a [u8],
    findings: Findings,
}

/// What was found in a picture's bytes, for a source that lets go of the bytes and has them again later.
#[derive(Debug, Clone, Copy)]
pub struct Findings {
    pub(super) size: Size,
    pub(super) pieces: Pieces,
    /// How many of the camera's bytes the picture takes.
    pub(super) span: usize,
    /// Where the data of the first scan begins.
    pub(super) data_at: usize,
    pub(super) ending: Ending,
    pub(super) scans: Scans,
    /// The least data that it must have.
    pub(super) least: usize,
    pub(super) orientation: Orientation,
    pub(super) needs_repair: bool,
}

/// How a picture ends as the camera sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With its end marker.
    Marked,
    /// Without: the marker has been added. Whether data is missing too, only a decoder could say.
    Bare,
}

impl Findings {
    /// The picture that was found in `bytes`, which must be those that were examined.
    pub(crate) fn in_bytes(self, bytes: &[u8]) -> Examined<'_> {
        Examined { span: &bytes[..self.span], findings: self }
    }
}

impl<'a> Examined<'a> {
    /// What was found, apart from the bytes.
    pub fn findings(&self) -> Findings {
        self.findings
    }

    /// Its size as it is stored, before it is turned.
    pub fn size(&self) -> Size {
        self.findings.size
    }

    /// How many bytes it has once it is repaired.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// Writes it, repaired. What needs no repair, or only at its end, is one copy.
    ///
    /// # Panics
    /// When `out` is not [`len`](Self::len) bytes.
    pub fn write_to(&self, mut out: &mut [u8]) {
        for piece in self.pieces() {
            let (to, rest) = out.split_at_mut(piece.len());
            to.copy_from_slice(piece);
            out = rest;
        }
        assert!(out.is_empty(), "room for exactly the JPEG");
    }

    /// The camera's own bytes that the picture is made of, from the first on: what lies behind it is left out.
    pub fn span(&self) -> &'a [u8] {
        self.span
    }

    /// How the camera ended it.
    pub fn ending(&self) -> Ending {
        self.findings.ending
    }

    /// What is to be done to the picture so that it stands upright.
    pub fn orientation(&self) -> Orientation {
        self.findings.orientation
    }

    /// The same, with `more` to be done to it after that.
    #[must_use]
    pub fn then(mut self, more: Orientation) -> Self {
        self.findings.orientation = self.findings.orientation.then(more);
        self
    }

    /// Whether decoders take [`span`](Self::span) as it is: all that was left out are segments that mean nothing to them.
    pub fn decodes_as_sent(&self) -> bool {
        !self.findings.needs_repair
    }

    /// Whether it is byte for byte what the camera sent, but for what lay behind it.
    pub fn is_untouched(&self) -> bool {
        let all = Piece::Sent { from: 0, to: self.span.len() };
        self.findings.pieces.as_slice() == [all]
    }

    /// Whether decoders look for further scans behind the first one.
    pub(in super::super) fn may_have_several_scans(&self) -> bool {
        self.findings.scans == Scans::Several
    }

    /// The same without another picture, or the rest of one, behind its first end marker.
    ///
    /// That marker is searched for in the data, which takes about as long as copying it. Buffers that hold a frame and
    /// behind it the end of an older, longer one are seldom; [`Gate`](super::super::gate::Gate) finds out which cameras send them.
    #[must_use]
    pub fn without_leftovers(mut self) -> Self {
        let found = &mut self.findings;
        if found.ending == Ending::Bare {
            // Its end was searched for already.
            return self;
        }
        let end = match search(&self.span[found.data_at..], found.scans) {
            (Stop::End(end), _) if end >= found.least => found.data_at + end + END.len(),
            // Not an end, but a broken bit: the rest is better than too little.
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
