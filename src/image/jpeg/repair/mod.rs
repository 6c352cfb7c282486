//! Makes a complete JPEG of what a camera sent, without decoding: by its markers, in one copy.
//!
//! The head is read segment by segment up to the scan. Of the data after it, only the last bytes
//! are examined. Only if they are not an end marker is all of the data searched.

mod examined;
mod head;
mod pieces;
#[cfg(test)]
mod tests;

use super::data::{Scans, Stop, end_by_its_tail, first_of_ends, search, without_padding};
use super::huffman::STANDARD_TABLES;
use super::markers::END;
use crate::image::orientation::Orientation;
use head::Head;
use pieces::Piece;

pub use super::damage::Damage;
pub use examined::{Ending, Examined, Findings};

/// Finds the pieces that make a decodable JPEG of `bytes`.
///
/// What is repaired:
///
/// - Missing Huffman tables: the standard ones are inserted.
/// - A missing end marker: it is appended. Zeros at the end then count as padding, unless there is
///   only one.
/// - Zeros or a second marker after the end marker: left out. Anything else after it is left out if
///   the last bytes are not an end marker; if they are, see
///   [`without_leftovers`](Examined::without_leftovers).
/// - Bytes between segments: left out.
/// - Segments with another JPEG inside (thumbnails in EXIF, JFXX and makers' notes): left out,
///   since readers that search for start and end markers take them for pictures.
/// - EXIF that asks to turn the picture: left out; [`orientation`](Examined::orientation) returns
///   the turn.
/// - The index of further pictures: left out.
/// - Parameters in the first scan header of a sequential picture that only progressive ones have: put right.
/// - A JFIF or Adobe segment of a version about which decoders complain: left out.
///
/// # Errors
/// What is wrong, if no decodable JPEG can be made.
pub fn examine(bytes: &[u8]) -> Result<Examined<'_>, Damage> {
    let mut head = Head::new(bytes);
    let (frame, scan) = head.read()?;
    let scans = Scans::of(&frame, &scan);
    let data_at = head.at;
    let (end, ending) = match end_by_its_tail(&bytes[data_at..]) {
        Some(end) => (end, Ending::Marked),
        None => {
            // One less than the number of restart intervals.
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
    let span = match ending {
        Ending::Marked => end + END.len(),
        Ending::Bare => end,
    };
    pieces.keep(head.kept_from..span)?;
    if ending == Ending::Bare {
        pieces.push(Piece::End)?;
    }
    let findings = Findings {
        size: frame.size,
        chroma: frame.chroma(),
        pieces,
        span,
        data_at,
        ending,
        scans,
        least,
        orientation: head.orientation.unwrap_or(Orientation::UPRIGHT),
        needs_repair: head.needs_repair || ending == Ending::Bare,
    };
    let examined = findings.in_bytes(bytes);
    Ok(if head.has_further_pictures { examined.without_leftovers() } else { examined })
}

/// The most bytes that a repair can add.
pub const MOST_ADDED: usize = STANDARD_TABLES.len() + END.len();

/// The place of the end marker in `data`, or where it is missing. A single scan has `restarts`
/// restart markers.
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
    // The last byte of the data may be zero, but hardly the last two. The codes of empty blocks do
    // not have that many zero bits (K.3 to K.6), and the last byte is filled up with ones
    // (F.1.2.3).
    if data.len() - end == 1 {
        end = data.len();
    }
    // A zero after FF is stuffing, and belongs to it.
    if data[..end].ends_with(&[0xFF]) && end < data.len() {
        end += 1;
    }
    // Between scans, a broken length may have skipped an end marker.
    Ok((first_of_ends(&data[..end]), Ending::Bare))
}
