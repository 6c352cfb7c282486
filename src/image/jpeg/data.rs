//! Finds where the data of a JPEG's scans ends: by the last bytes, or by a search through all of them.

use super::header::{Frame, Process, Scan, ScanOf};
use super::markers::{END, EOI, SOI, SOS, marker_at};

/// What the data is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scans {
    /// One, of all components, with all of each block: what cameras send.
    One,
    /// Several, with tables between them.
    Several,
}

impl Scans {
    pub(super) fn of(frame: &Frame, first: &Scan) -> Self {
        match (frame.process, first.of) {
            (Process::Sequential, ScanOf::All) => Self::One,
            _ => Self::Several,
        }
    }
}

/// What ended a search through data.
pub(super) enum Stop {
    /// An end marker, which stands there.
    End(usize),
    /// A start marker, which stands there.
    NextPicture(usize),
    /// The bytes were over; those from there on are half a marker.
    Over(usize),
    /// A marker that data cannot have.
    Nonsense,
}

/// Looks for the end of `data`, passing what belongs to it: stuffed zeros and restart markers (B.1.1.5), and the
/// segments between several scans. Counts the restart markers.
pub(super) fn search(data: &[u8], scans: Scans) -> (Stop, usize) {
    let mut at = 0;
    let mut restarts = 0;
    while let Some(found) = find_marker(&data[at..]) {
        let start = at + found;
        let Some((marker, after)) = marker_at(data, start) else {
            return (Stop::Over(start), restarts);
        };
        at = after;
        match marker {
            0 => {}
            0xD0..=0xD7 => restarts += 1,
            EOI => return (Stop::End(first_of_ends(&data[..after - 2])), restarts),
            SOI => return (Stop::NextPicture(start), restarts),
            // Tables, scans, lines, restart interval, and what is not for decoders.
            0xC4 | SOS | 0xDB..=0xDD | 0xE0..=0xEF | 0xFE if scans == Scans::Several => {
                let length = data.get(after..).and_then(<[u8]>::first_chunk);
                let length = length.map_or(2, |&length| usize::from(u16::from_be_bytes(length)));
                at = after + length;
                if at > data.len() {
                    return (Stop::Over(start), restarts);
                }
            }
            _ => return (Stop::Nonsense, restarts),
        }
    }
    (Stop::Over(data.len()), restarts)
}

/// Where the end marker stands in `data`, if nothing but padding is behind it.
pub(super) fn end_by_its_tail(data: &[u8]) -> Option<usize> {
    without_padding(data).strip_suffix(END).map(first_of_ends)
}

/// Where the data before an end marker ends: some frames have the marker twice (intel/libyami#832).
pub(super) fn first_of_ends(mut data: &[u8]) -> usize {
    while let Some(earlier) = data.strip_suffix(END) {
        data = earlier;
    }
    data.len()
}

/// Without the zeros at its end: what drivers that do not know a frame's length pad it with.
pub(super) fn without_padding(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    // Whole buffers of zeros are passed at the speed of memory.
    while let Some((before, tail)) = rest.split_last_chunk::<STRIDE>()
        && tail.iter().fold(0, |any, byte| any | byte) == 0
    {
        rest = before;
    }
    let len = rest.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &rest[..len]
}

/// Where the first FF is.
pub(super) fn find_ff(bytes: &[u8]) -> Option<usize> {
    let has_ff = |chunk: &[u8; STRIDE]| chunk.iter().fold(false, |any, &byte| any | (byte == 0xFF));
    let chunks = bytes.as_chunks::<STRIDE>().0;
    let passed = chunks.iter().take_while(|chunk| !has_ff(chunk)).count() * STRIDE;
    let found = bytes[passed..].iter().position(|&byte| byte == 0xFF)?;
    Some(passed + found)
}

/// Where the first FF is that is not followed by a stuffed zero: nearly all in data are.
fn find_marker(bytes: &[u8]) -> Option<usize> {
    let (&last, firsts) = bytes.split_last()?;
    let nexts = &bytes[1..];
    let is_marker = |(byte, next): (&u8, &u8)| (*byte == 0xFF) & (*next != 0);
    let has_none = |(bytes, nexts): &(&[u8; STRIDE], &[u8; STRIDE])| {
        !bytes.iter().zip(*nexts).fold(false, |any, pair| any | is_marker(pair))
    };
    let chunks = firsts.as_chunks::<STRIDE>().0.iter().zip(nexts.as_chunks::<STRIDE>().0);
    let passed = chunks.take_while(has_none).count() * STRIDE;
    let found = firsts[passed..].iter().zip(&nexts[passed..]).position(is_marker);
    found.map(|found| passed + found).or((last == 0xFF).then_some(firsts.len()))
}

/// Bytes looked at at once: what compilers make vector code of.
const STRIDE: usize = 32;
