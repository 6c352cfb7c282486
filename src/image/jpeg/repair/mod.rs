//! Makes one whole JPEG of what a camera sent, where that takes no decoding: by its markers, in one copy.
//!
//! The head is read segment by segment up to the scan; of the data behind it only the last bytes are
//! looked at. Not before they turn out to be no end is the data searched for one.

mod damage;
mod head;
mod pieces;
#[cfg(test)]
mod tests;

use super::data::{Scans, Stop, end_by_its_tail, first_of_ends, search, without_padding};
use super::huffman::STANDARD_TABLES;
use super::markers::EOI;
use crate::image::orientation::Orientation;
use head::Head;
use pieces::Pieces;

pub use damage::Damage;

/// A JPEG that decoders take, as pieces of what a camera sent and of what it left out.
#[derive(Debug, Clone, Copy)]
pub struct Repaired<'a> {
    pieces: Pieces<'a>,
    /// What the camera sent, without what lies behind the picture.
    span: &'a [u8],
    /// Where in it the data of the first scan begins.
    data_at: usize,
    ending: Ending,
    scans: Scans,
    /// The least data that it must have.
    least: usize,
    orientation: Orientation,
    needs_repair: bool,
}

/// How a picture ends as the camera sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With its end marker.
    Marked,
    /// Without: the marker has been added. Whether data is missing too, only a decoder could say.
    Bare,
}

/// Says what the pieces are that make a decodable JPEG of `bytes`.
///
/// What is repaired:
/// - No Huffman tables: the standard ones are put in.
/// - No end marker: it is put in. Zeros at the end are padding then, unless there is but one.
/// - Behind the end marker zeros, or the marker again: left out. Other things behind it are left out when
///   the last bytes are no end marker; for those that are, see [`without_leftovers`](Repaired::without_leftovers).
/// - Bytes between segments: left out.
/// - Segments with another JPEG in them (thumbnails in EXIF, JFXX and makers' notes), since readers
///   that look for start and end markers take them for pictures; EXIF that says that the picture is to be turned, which
///   [`orientation`](Repaired::orientation) says instead; the index of further pictures; a
///   JFIF or Adobe segment of a version that decoders complain of.
///
/// # Errors
/// What is wrong, when nothing that decodes can be made of it.
pub fn examine(bytes: &[u8]) -> Result<Repaired<'_>, Damage> {
    let mut head = Head::new(bytes);
    let (frame, scan) = head.read()?;
    let scans = Scans::of(&frame, &scan);
    let data_at = head.at;
    let (end, ending) = match end_by_its_tail(&bytes[data_at..]) {
        Some(end) => (end, Ending::Marked),
        None => {
            // As many as there are intervals, less the last one's.
            let restarts = (frame.mcus() - 1).checked_div(head.restart_interval).unwrap_or(0);
            end_by_search(&bytes[data_at..], scans, restarts)?
        }
    };
    let least = if scans == Scans::One { frame.least_data() } else { 1 };
    if end < least {
        return Err(Damage::Short);
    }
    let end = data_at + end;
    let mut pieces = head.pieces;
    match ending {
        Ending::Marked => pieces.push(&bytes[head.kept_from..end + END.len()])?,
        Ending::Bare => {
            pieces.push(&bytes[head.kept_from..end])?;
            pieces.push(END)?;
        }
    }
    let span = if ending == Ending::Marked { end + END.len() } else { end };
    let span = &bytes[..span];
    let orientation = head.orientation.unwrap_or(Orientation::UPRIGHT);
    let needs_repair = head.needs_repair || ending == Ending::Bare;
    let repaired =
        Repaired { pieces, span, data_at, ending, scans, least, orientation, needs_repair };
    Ok(if head.has_further_pictures { repaired.without_leftovers() } else { repaired })
}

/// How many bytes a repaired JPEG can have more than what the camera sent.
pub const MOST_ADDED: usize = STANDARD_TABLES.len() + END.len();

pub(super) const END: &[u8] = &[0xFF, EOI];

impl<'a> Repaired<'a> {
    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.pieces.as_slice().iter().map(|piece| piece.len()).sum()
    }

    /// Writes it. What needs no repair, or only at its end, is one copy.
    ///
    /// # Panics
    /// When `out` is not [`len`](Self::len) bytes.
    pub fn write_to(&self, mut out: &mut [u8]) {
        for piece in self.pieces.as_slice() {
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
        self.ending
    }

    /// What is to be done to the picture so that it is seen as the camera means it.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Whether decoders take [`span`](Self::span) as it is: all that was left out are segments that mean nothing to them.
    pub fn decodes_as_sent(&self) -> bool {
        !self.needs_repair
    }

    /// Whether it is byte for byte what the camera sent, but for what lay behind it.
    pub fn is_untouched(&self) -> bool {
        matches!(self.pieces.as_slice(), [piece] if piece.len() == self.span.len())
    }

    /// The same without another picture, or the rest of one, behind its first end marker.
    ///
    /// That marker is searched for in the data, which takes about as long as copying it. Buffers that hold a frame and
    /// behind it the end of an older, longer one are seldom; [`Gate`](super::gate::Gate) finds out which cameras send them.
    #[must_use]
    pub fn without_leftovers(mut self) -> Self {
        if self.ending == Ending::Bare {
            // Its end was searched for already.
            return self;
        }
        let data = &self.span[self.data_at..];
        let end = match search(data, self.scans) {
            (Stop::End(end), _) if end >= self.least => end,
            // Not an end, but a broken bit: the rest is better than too little.
            _ => return self,
        };
        let surplus = data.len() - (end + END.len());
        self.span = &self.span[..self.span.len() - surplus];
        self.pieces.shorten_last(surplus);
        self
    }
}

/// Where the end marker stands in `data`, or where it ought to. A single scan has `restarts` restart markers.
fn end_by_search(data: &[u8], scans: Scans, restarts: usize) -> Result<(usize, Ending), Damage> {
    let (stop, restarts_found) = search(data, scans);
    let over = match stop {
        Stop::End(at) => return Ok((at, Ending::Marked)),
        Stop::NextPicture(at) | Stop::Over(at) => at,
        Stop::Nonsense => return Err(Damage::Data),
    };
    if scans == Scans::One && restarts_found < restarts {
        return Err(Damage::Cut);
    }
    let data = &data[..over];
    let mut end = without_padding(data).len();
    // The last byte of the data may be a zero, the last two hardly: the codes of empty blocks are not that
    // many zero bits (K.3 to K.6), and the last byte is filled up with ones (F.1.2.3).
    if data.len() - end == 1 {
        end = data.len();
    }
    // A zero behind FF is stuffing, and belongs to it.
    if data[..end].ends_with(&[0xFF]) && end < data.len() {
        end += 1;
    }
    // Between scans a broken length may have passed over one.
    Ok((first_of_ends(&data[..end]), Ending::Bare))
}
