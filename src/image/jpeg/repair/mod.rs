//! Makes one whole JPEG of what a camera sent, where that takes no decoding: by its markers, in one copy.
//!
//! The head is read segment by segment up to the scan; of the data behind it only the last bytes are
//! looked at. Not before they turn out to be no end is the data searched for one.

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

/// Says what the pieces are that make a decodable JPEG of `bytes`.
///
/// What is repaired:
/// - No Huffman tables: the standard ones are put in.
/// - No end marker: it is put in. Zeros at the end are padding then, unless there is but one.
/// - Behind the end marker zeros, or the marker again: left out. Other things behind it are left out when
///   the last bytes are no end marker; for those that are, see [`without_leftovers`](Examined::without_leftovers).
/// - Bytes between segments: left out.
/// - Segments with another JPEG in them (thumbnails in EXIF, JFXX and makers' notes), since readers
///   that look for start and end markers take them for pictures; EXIF that says that the picture is to be turned, which
///   [`orientation`](Examined::orientation) says instead; the index of further pictures; a
///   JFIF or Adobe segment of a version that decoders complain of.
///
/// # Errors
/// What is wrong, when nothing that decodes can be made of it.
pub fn examine(bytes: &[u8]) -> Result<Examined<'_>, Damage> {
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

/// How many bytes a repaired JPEG can have more than what the camera sent.
pub const MOST_ADDED: usize = STANDARD_TABLES.len() + END.len();

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
