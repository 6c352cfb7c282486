//! Finds the end of the data of a JPEG's scans: by the last bytes, or by searching all of them.

use super::header::{Frame, Process, Scan, ScanOf};
use super::markers::{END, EOI, SOI, SOS, marker_at};

/// How many scans the data has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scans {
    /// One, with all components and all of each block, as cameras send it.
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

/// What ended the search.
pub(super) enum Stop {
    /// An end marker, at this place.
    End(usize),
    /// A start marker, at this place.
    NextPicture(usize),
    /// The bytes ended. Those from this place on are half a marker.
    Over(usize),
    /// A marker that is not allowed in the data.
    Nonsense,
}

/// Searches for the end of `data`. Skips what belongs to it: stuffed zeros and restart markers
/// (B.1.1.5), and the segments between several scans. Also counts the restart markers.
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
            // Tables, scans, number of lines, restart interval, and segments that decoders ignore.
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

/// The place of the end marker in `data`, if only padding follows it.
pub(super) fn end_by_its_tail(data: &[u8]) -> Option<usize> {
    without_padding(data).strip_suffix(END).map(first_of_ends)
}

/// The end of the data before an end marker. Some frames have the marker twice (intel/libyami#832).
pub(super) fn first_of_ends(mut data: &[u8]) -> usize {
    while let Some(earlier) = data.strip_suffix(END) {
        data = earlier;
    }
    data.len()
}

/// The bytes without the zeros at their end. Drivers that do not know the length of a frame pad it
/// with them.
pub(super) fn without_padding(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    // Whole buffers of zeros are skipped at the speed of memory.
    while let Some((before, tail)) = rest.split_last_chunk::<STRIDE>()
        && tail.iter().fold(0, |any, byte| any | byte) == 0
    {
        rest = before;
    }
    let len = rest.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &rest[..len]
}

/// The place of the first FF.
pub(super) fn find_ff(bytes: &[u8]) -> Option<usize> {
    let has_ff = |chunk: &[u8; STRIDE]| chunk.iter().fold(false, |any, &byte| any | (byte == 0xFF));
    let chunks = bytes.as_chunks::<STRIDE>().0;
    let passed = chunks.iter().take_while(|chunk| !has_ff(chunk)).count() * STRIDE;
    let found = bytes[passed..].iter().position(|&byte| byte == 0xFF)?;
    Some(passed + found)
}

/// The place of the first FF without a stuffed zero after it. Nearly all FFs in data have one.
pub(super) fn find_marker(bytes: &[u8]) -> Option<usize> {
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

/// How many bytes are examined at once, so that the compiler makes vector code.
const STRIDE: usize = 32;
