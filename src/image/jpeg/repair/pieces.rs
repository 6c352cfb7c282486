//! The pieces of which a repaired JPEG consists, without a copy of any of them.

use super::super::damage::Damage;
use super::super::huffman::STANDARD_TABLES;
use super::super::markers::END;
use std::ops::Range;

/// The most pieces. Few enough for the stack; a head has one or two faults at a time.
const MOST_PIECES: usize = 8;

/// The end of a sequential scan's header: all coefficients, each with all its bits.
pub(super) const SEQUENTIAL: [u8; 3] = [0, 63, 0];

/// A piece of a JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes that the camera sent.
    Sent {
        /// The place of the first byte.
        from: usize,
        /// The place after the last byte.
        to: usize,
    },
    /// The standard Huffman tables.
    Tables,
    /// The parameters of a sequential scan.
    Parameters,
    /// An end marker.
    End,
}

impl Piece {
    pub(super) fn of<'a>(&self, sent: &'a [u8]) -> &'a [u8] {
        match *self {
            Self::Sent { from, to } => &sent[from..to],
            Self::Tables => &STANDARD_TABLES,
            Self::Parameters => &SEQUENTIAL,
            Self::End => END,
        }
    }
}

/// All pieces of one JPEG, in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pieces {
    pieces: [Piece; MOST_PIECES],
    count: usize,
}

impl Pieces {
    pub(super) fn as_slice(&self) -> &[Piece] {
        &self.pieces[..self.count]
    }

    /// Adds bytes that were sent; nothing if the range is empty.
    pub(super) fn keep(&mut self, sent: Range<usize>) -> Result<(), Damage> {
        if sent.is_empty() {
            return Ok(());
        }
        self.push(Piece::Sent { from: sent.start, to: sent.end })
    }

    pub(super) fn push(&mut self, piece: Piece) -> Result<(), Damage> {
        *self.pieces.get_mut(self.count).ok_or(Damage::Head)? = piece;
        self.count += 1;
        Ok(())
    }

    /// Cuts the last piece at `end`, which lies in it.
    pub(super) fn end_at(&mut self, end: usize) {
        if let Some(Piece::Sent { to, .. }) = self.pieces[..self.count].last_mut() {
            *to = end;
        }
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self { pieces: [Piece::End; MOST_PIECES], count: 0 }
    }
}
