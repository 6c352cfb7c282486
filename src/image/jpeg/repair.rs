//! Makes one whole JPEG of what a camera sent, where that takes no decoding: by its markers, in one copy.
//!
//! The head is read segment by segment up to the scan; of the data behind it only the last bytes are
//! looked at. Not before they turn out to be no end is the data searched for one.

use super::data::{Scans, Stop, end_by_its_tail, find_ff, first_of_ends, search, without_padding};
use super::header::{Frame, Process, Scan, Tables};
use super::huffman::STANDARD_TABLES;
use super::markers::{EOI, SOI, SOS, has_no_segment, marker_at, starts_like_jpeg};
use std::fmt;

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
}

/// How a picture ends as the camera sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With its end marker.
    Marked,
    /// Without: the marker has been added. Whether data is missing too, only a decoder could say.
    Bare,
}

/// Why bytes are no picture that could be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Damage {
    /// It does not begin with a start marker and another marker.
    NoStart,
    /// It is over before its first scan.
    NoScan,
    /// A segment of the head contradicts itself or another.
    Head,
    /// Coded in a way that viewers do not decode: lossless, hierarchical, arithmetic, of 12 bits, CMYK.
    Coding,
    /// A table is missing that nobody else knows.
    NoTables,
    /// There is less data than the emptiest picture of this size would have.
    Short,
    /// The data has markers in it that it cannot have.
    Data,
    /// It is over before its last restart interval, or before its end where this camera's pictures have one.
    Cut,
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
///   that look for start and end markers take them for pictures; the index of further pictures; a
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
    let repaired = Repaired { pieces, span, data_at, ending, scans, least };
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

/// Few enough to lie on the stack; the head's quirks are one or two at a time.
const MOST_PIECES: usize = 8;

#[derive(Debug, Clone, Copy)]
struct Pieces<'a> {
    pieces: [&'a [u8]; MOST_PIECES],
    count: usize,
}

impl<'a> Pieces<'a> {
    fn as_slice(&self) -> &[&'a [u8]] {
        &self.pieces[..self.count]
    }

    fn push(&mut self, piece: &'a [u8]) -> Result<(), Damage> {
        if piece.is_empty() {
            return Ok(());
        }
        *self.pieces.get_mut(self.count).ok_or(Damage::Head)? = piece;
        self.count += 1;
        Ok(())
    }

    fn shorten_last(&mut self, by: usize) {
        if let Some(last) = self.pieces[..self.count].last_mut() {
            *last = &last[..last.len() - by];
        }
    }
}

/// Reads the segments before the first scan's data.
struct Head<'a> {
    bytes: &'a [u8],
    /// Where reading goes on.
    at: usize,
    /// Everything before is in the pieces, or left out.
    kept_from: usize,
    pieces: Pieces<'a>,
    tables: Tables,
    /// MCUs from one restart marker to the next; 0 for none.
    restart_interval: usize,
    has_further_pictures: bool,
}

/// Between two segments; what is more is no slip but another kind of file.
const MOST_GARBAGE: usize = 64;

impl<'a> Head<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            kept_from: 0,
            pieces: Pieces { pieces: [&[]; MOST_PIECES], count: 0 },
            tables: Tables::default(),
            restart_interval: 0,
            has_further_pictures: false,
        }
    }

    /// Reads up to the data of the first scan.
    fn read(&mut self) -> Result<(Frame, Scan), Damage> {
        if !starts_like_jpeg(self.bytes) {
            return Err(Damage::NoStart);
        }
        self.at = 2;
        let mut frame = None;
        loop {
            let (start, marker) = self.next_marker()?;
            if marker == EOI {
                return Err(Damage::NoScan);
            }
            if has_no_segment(marker) {
                // A start in a picture; others mean nothing here.
                if marker == SOI {
                    return Err(Damage::Head);
                }
                continue;
            }
            let content = self.segment()?;
            match marker {
                0xC0..=0xC2 => {
                    let process =
                        if marker == 0xC2 { Process::Progressive } else { Process::Sequential };
                    let parsed = Frame::parse(process, content)?;
                    if frame.replace(parsed).is_some() {
                        return Err(Damage::Head);
                    }
                }
                0xC4 => self.tables.add_huffman(content).ok_or(Damage::Head)?,
                // Arithmetic conditioning, which says nothing about Huffman codes; the number of lines.
                0xCC | 0xDC => {}
                0xC3..=0xCF => return Err(Damage::Coding),
                0xDB => self.tables.add_quantization(content).ok_or(Damage::Head)?,
                0xDD => {
                    let interval = content.try_into().map_err(|_| Damage::Head)?;
                    self.restart_interval = usize::from(u16::from_be_bytes(interval));
                }
                SOS => {
                    let frame = frame.ok_or(Damage::Head)?;
                    let scan = Scan::parse(&frame, content).ok_or(Damage::Head)?;
                    self.provide_tables(&frame, &scan, start)?;
                    return Ok((frame, scan));
                }
                0xE0..=0xEF | 0xFE => {
                    let lists_pictures = marker == 0xE2 && content.starts_with(b"MPF\0");
                    self.has_further_pictures |= lists_pictures;
                    if lists_pictures || misleads(marker, content) {
                        self.leave_out(start)?;
                    }
                }
                _ => return Err(Damage::Head),
            }
        }
    }

    /// Where the next marker begins, and which it is; what stands before it is left out.
    fn next_marker(&mut self) -> Result<(usize, u8), Damage> {
        let from = self.at;
        loop {
            let at = self.at;
            match marker_at(self.bytes, at) {
                Some((marker, after)) if marker >= 0xC0 || marker == 0x01 => {
                    if at > from {
                        self.leave_out(from)?;
                    }
                    self.at = after;
                    return Ok((at, marker));
                }
                Some((_, after)) => self.at = after,
                None if at >= self.bytes.len() => return Err(Damage::NoScan),
                None => self.at += 1,
            }
            if self.at - from > MOST_GARBAGE {
                return Err(Damage::Head);
            }
        }
    }

    /// Passes a segment whose marker was just read; returns what follows its length.
    fn segment(&mut self) -> Result<&'a [u8], Damage> {
        let rest = &self.bytes[self.at..];
        let (length, _) = rest.split_first_chunk().ok_or(Damage::NoScan)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length < 2 {
            return Err(Damage::Head);
        }
        let content = rest.get(2..length).ok_or(Damage::NoScan)?;
        self.at += length;
        Ok(content)
    }

    /// What stands from `start` to where reading goes on is no part of the repaired JPEG.
    fn leave_out(&mut self, start: usize) -> Result<(), Damage> {
        self.pieces.push(&self.bytes[self.kept_from..start])?;
        self.kept_from = self.at;
        Ok(())
    }

    /// Puts the standard Huffman tables before the scan at `scan_at` where there are none.
    fn provide_tables(&mut self, frame: &Frame, scan: &Scan, scan_at: usize) -> Result<(), Damage> {
        if !frame.is_quantized_by(self.tables) {
            return Err(Damage::NoTables);
        }
        if scan.is_coded_by(self.tables) {
            return Ok(());
        }
        // A progressive JPEG has tables of its own for each scan.
        let are_left_out = self.tables.lack_huffman() && frame.process == Process::Sequential;
        if !(are_left_out && scan.takes_standard_tables()) {
            return Err(Damage::NoTables);
        }
        self.pieces.push(&self.bytes[self.kept_from..scan_at])?;
        self.pieces.push(&STANDARD_TABLES)?;
        self.kept_from = scan_at;
        Ok(())
    }
}

/// Whether a segment makes readers go wrong, and can be done without: it holds what looks like the start or the end of a
/// picture, or is what libjpeg warns of.
fn misleads(marker: u8, content: &[u8]) -> bool {
    match (marker, content) {
        // JFIF, major version.
        (0xE0, [b'J', b'F', b'I', b'F', 0, major, ..]) => !matches!(major, 1 | 2),
        // Adobe: version, flags, flags, what the colours are.
        (0xEE, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, colours, ..]) => *colours > 1,
        _ => has_ends_inside(content),
    }
}

fn has_ends_inside(content: &[u8]) -> bool {
    let mut rest = content;
    while let Some(at) = find_ff(rest) {
        rest = &rest[at + 1..];
        if matches!(rest.first(), Some(&(SOI | EOI))) {
            return true;
        }
    }
    false
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

/// To follow "a frame ".
impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoStart => "did not begin like a JPEG",
            Self::NoScan => "was over before its picture began",
            Self::Head => "had a JPEG header that contradicts itself",
            Self::Coding => "was a kind of JPEG that viewers cannot decode",
            Self::NoTables => "lacked tables that its JPEG is decoded with",
            Self::Short => "had too little data for its size",
            Self::Data => "had JPEG data with impossible markers in it",
            Self::Cut => "was cut before its end",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOI_: &[u8] = &[0xFF, 0xD8];
    const JFIF: &[u8] = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    /// Sequential, 8 bits, 8 rows of 16, one component with quantization table 0.
    const SOF: &[u8] = &[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 16, 1, 1, 0x11, 0];
    /// One DC and one AC table, each with one code of one bit.
    const DHT: &[u8] = &[
        0xFF, 0xC4, 0, 38, //
        0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
        0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    /// A scan of component 1 with tables 0 and 0, coefficients 0 to 63.
    const SCAN: &[u8] = &[0xFF, 0xDA, 0, 8, 1, 1, 0x00, 0, 63, 0];
    const DATA: &[u8] = &[0x0F, 0xFF, 0x00, 0x3F];

    fn dqt() -> Vec<u8> {
        [&[0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat()
    }

    /// A JPEG without anything behind its data.
    fn bare() -> Vec<u8> {
        [SOI_, JFIF, &dqt(), SOF, DHT, SCAN, DATA].concat()
    }

    fn whole() -> Vec<u8> {
        [&bare(), END].concat()
    }

    fn repaired(bytes: &[u8]) -> Vec<u8> {
        let repaired = examine(bytes).expect("it can be repaired");
        let mut out = vec![0xA5; repaired.len()];
        repaired.write_to(&mut out);
        assert!(out.len() <= bytes.len() + MOST_ADDED);
        assert!(examine(&out).expect("it is whole now").is_untouched());
        out
    }

    fn damage(bytes: &[u8]) -> Damage {
        examine(bytes).expect_err("it cannot be repaired")
    }

    #[test]
    fn a_whole_picture_is_left_as_it_is() {
        let whole = whole();
        let examined = examine(&whole).expect("whole");
        assert!(examined.is_untouched());
        assert_eq!(examined.ending(), Ending::Marked);
        assert_eq!(examined.span(), whole);
        assert_eq!(repaired(&whole), whole);
    }

    #[test]
    fn standard_tables_are_put_in_where_there_are_none() {
        let avi1 = b"\xFF\xE0\0\x10AVI1\0\0\0\0\0\0\0\0\0\0";
        let sent = [SOI_, avi1, &dqt(), SOF, SCAN, DATA, END].concat();
        let wanted = [SOI_, avi1, &dqt(), SOF, &STANDARD_TABLES, SCAN, DATA, END].concat();
        assert_eq!(repaired(&sent), wanted);
        let number_2 = &[0xFF, 0xDA, 0, 8, 1, 1, 0x22, 0, 63, 0];
        let unknown = [SOI_, &dqt(), SOF, number_2, DATA, END].concat();
        assert_eq!(damage(&unknown), Damage::NoTables);
    }

    #[test]
    fn a_missing_end_is_put_in() {
        assert_eq!(examine(&bare()).expect("usable").ending(), Ending::Bare);
        assert_eq!(repaired(&bare()), whole());
        let half_a_marker = [&bare(), &[0xFF][..]].concat();
        assert_eq!(repaired(&half_a_marker), whole());
        let padded = [&bare(), &[0; 100][..]].concat();
        assert_eq!(repaired(&padded), whole());
    }

    #[test]
    fn a_zero_that_may_be_data_stays() {
        for last in [&[0x0F, 0][..], &[0xFF, 0]] {
            let sent = [&bare(), last].concat();
            assert_eq!(repaired(&sent), [&sent, END].concat());
        }
        let stuffed_and_padded = [&bare(), &[0xFF, 0, 0, 0][..]].concat();
        assert_eq!(repaired(&stuffed_and_padded), [&bare(), &[0xFF, 0][..], END].concat());
    }

    #[test]
    fn what_lies_behind_the_end_is_left_out() {
        let older = &whole()[100..];
        for behind in
            [&[0][..], &[0; 5000], &[0xFF, 0xD9], b"\xFF\xD9\xFF\xD9\0", b"junk", b"\xFFx"]
        {
            let sent = [&whole(), behind].concat();
            assert_eq!(repaired(&sent), whole(), "{behind:?}");
            assert_eq!(examine(&sent).expect("usable").span(), whole());
        }
        let leftovers = [&whole(), older, b"x"].concat();
        assert_eq!(repaired(&leftovers), whole());
        let with_an_end = [&whole(), older].concat();
        let first = examine(&with_an_end).expect("usable").without_leftovers();
        assert_eq!((first.span(), first.len()), (&whole()[..], whole().len()));
    }

    #[test]
    fn of_two_pictures_the_first_stays() {
        assert_eq!(repaired(&[bare(), whole(), b"x".to_vec()].concat()), whole());
        let index = b"\xFF\xE2\0\x08MPF\0II";
        let two = [SOI_, index, &whole()[2..], &whole()].concat();
        assert_eq!(repaired(&two), whole());
    }

    #[test]
    fn thumbnails_and_garbage_are_left_out_and_what_decoders_need_is_not() {
        let rest = &whole()[2 + JFIF.len()..];
        let exif = b"\xFF\xE1\0\x0CExif\0\0\xFF\xD8\xFF\xD9";
        let xmp = b"\xFF\xE1\0\x06http";
        let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\xFF\xD8\0\0\x01";
        let sent = [SOI_, exif, JFIF, exif, exif, b"\0\xFF\0junk", adobe, xmp, rest].concat();
        assert_eq!(repaired(&sent), [SOI_, JFIF, adobe, xmp, rest].concat());
        // A version and a colour transform that nobody knows.
        let adobe_9 = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\x09";
        assert_eq!(repaired(&[SOI_, JFIF, adobe_9, rest].concat()), whole());
        let jfif_9 = b"\xFF\xE0\0\x10JFIF\0\x09\x01\0\0\x01\0\x01\0\0";
        assert_eq!(repaired(&[SOI_, jfif_9, rest].concat()), [SOI_, rest].concat());
    }

    #[test]
    fn fill_bytes_and_restart_markers_are_no_damage() {
        let interval = [0xFF, 0xDD, 0, 4, 0, 1];
        let data = &[0x0F, 0xFF, 0xD0, 0x3F];
        let head = [SOI_, JFIF, &dqt(), SOF, DHT, &interval].concat();
        let sent = [&head, &[0xFF, 0xFF][..], SCAN, data, &[0xFF], END].concat();
        assert_eq!(repaired(&sent), sent);
        assert_eq!(repaired(&[&sent[..], b"x"].concat()), sent);
        let cut_in_its_first_interval = [&head, SCAN, &[0x0F, 0x0F]].concat();
        assert_eq!(damage(&cut_in_its_first_interval), Damage::Cut);
    }

    #[test]
    fn several_scans_are_passed() {
        let sof2 = &[0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 16, 1, 1, 0x11, 0];
        let dc = &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0, 0x3F];
        let ac = &[0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 63, 0, 0x3F];
        let progressive = [SOI_, &dqt(), sof2, DHT, dc, DHT, ac, END].concat();
        assert_eq!(repaired(&progressive), progressive);
        assert_eq!(repaired(&[&progressive[..], b"x"].concat()), progressive);
        assert_eq!(repaired(&progressive[..progressive.len() - 2]), progressive);
    }

    #[test]
    fn what_cannot_be_repaired_says_why() {
        assert_eq!(damage(&[]), Damage::NoStart);
        assert_eq!(damage(&[0; 64]), Damage::NoStart);
        assert_eq!(damage(&whole()[1..]), Damage::NoStart);
        assert_eq!(damage(&bare()[..80]), Damage::NoScan);
        assert_eq!(damage(&[SOI_, END].concat()), Damage::NoScan);
        assert_eq!(damage(&[SOI_, JFIF, SOF, DHT, SCAN, DATA, END].concat()), Damage::NoTables);
        assert_eq!(damage(&[SOI_, &dqt(), SOF, DHT, SCAN, END].concat()), Damage::Short);
        assert_eq!(damage(&[&bare()[..], &[0xFF, 0xC9, 1, 2, 3]].concat()), Damage::Data);
        let mut arithmetic = whole();
        arithmetic[2 + JFIF.len() + dqt().len() + 1] = 0xC9;
        assert_eq!(damage(&arithmetic), Damage::Coding);
        for (at, value) in [(4, 12), (9, 4)] {
            let mut other = whole();
            other[2 + JFIF.len() + dqt().len() + at] = value;
            assert_eq!(damage(&other), Damage::Coding, "12 bits, or four components");
        }
        let mut huge = whole();
        huge[2 + JFIF.len() + dqt().len() + 5..][..4].fill(0xFF);
        assert_eq!(damage(&huge), Damage::Head);
    }

    #[test]
    fn a_picture_cut_anywhere_is_repaired_or_refused() {
        for end in 0..whole().len() {
            match examine(&whole()[..end]) {
                Ok(_) => drop(repaired(&whole()[..end])),
                Err(damage) => assert!(!damage.to_string().is_empty()),
            }
        }
    }
}
