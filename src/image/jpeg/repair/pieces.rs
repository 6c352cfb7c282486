//! A picture in pieces, without a copy of any.

use super::Damage;

/// Few enough to lie on the stack; the head's quirks are one or two at a time.
const MOST_PIECES: usize = 8;

/// Parts of what a camera sent, and what is put in between, in their order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pieces<'a> {
    pieces: [&'a [u8]; MOST_PIECES],
    count: usize,
}

impl<'a> Pieces<'a> {
    pub(super) fn as_slice(&self) -> &[&'a [u8]] {
        &self.pieces[..self.count]
    }

    pub(super) fn push(&mut self, piece: &'a [u8]) -> Result<(), Damage> {
        if piece.is_empty() {
            return Ok(());
        }
        *self.pieces.get_mut(self.count).ok_or(Damage::Head)? = piece;
        self.count += 1;
        Ok(())
    }

    pub(super) fn shorten_last(&mut self, by: usize) {
        if let Some(last) = self.pieces[..self.count].last_mut() {
            *last = &last[..last.len() - by];
        }
    }
}
