//! Reads the segments before the first scan, and decides which of them the picture keeps.

use super::super::damage::Damage;
use super::super::data::find_ff;
use super::super::exif;
use super::super::header::{Frame, Process, Scan, Tables};
use super::super::markers::{EOI, SOI, SOS, has_no_segment, marker_at, starts_like_jpeg};
use super::pieces::{Piece, Pieces, SEQUENTIAL};
use crate::image::orientation::Orientation;

/// Reads the segments up to the data of the first scan.
pub(super) struct Head<'a> {
    bytes: &'a [u8],
    /// The place of the next byte to read.
    pub(super) at: usize,
    /// Everything before this place is in the pieces or left out.
    pub(super) kept_from: usize,
    pub(super) pieces: Pieces,
    tables: Tables,
    /// The number of MCUs between restart markers; 0 for none.
    pub(super) restart_interval: usize,
    pub(super) has_further_pictures: bool,
    /// The turn in the first EXIF segment that has one.
    pub(super) orientation: Option<Orientation>,
    /// Whether decoders need the repair.
    pub(super) needs_repair: bool,
}

/// The most bytes between two segments. More than that is not a mistake but another kind of file.
const MOST_GARBAGE: usize = 64;

impl<'a> Head<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            kept_from: 0,
            pieces: Pieces::default(),
            tables: Tables::default(),
            restart_interval: 0,
            has_further_pictures: false,
            orientation: None,
            needs_repair: false,
        }
    }

    /// Reads up to the data of the first scan.
    pub(super) fn read(&mut self) -> Result<(Frame, Scan), Damage> {
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
                // A start marker inside a picture is an error; the others have no meaning here.
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
                // Arithmetic conditioning, which does not matter for Huffman codes; the number of
                // lines.
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
                    self.put_parameters_right(&frame)?;
                    return Ok((frame, scan));
                }
                0xE0..=0xEF | 0xFE => {
                    let lists_pictures = marker == 0xE2 && content.starts_with(b"MPF\0");
                    self.has_further_pictures |= lists_pictures;
                    let hides = !says_colours(marker, content) && has_ends_inside(content);
                    let turns = self.turns(marker, content);
                    self.needs_repair |= lists_pictures || warns(marker, content);
                    if lists_pictures || hides || turns || warns(marker, content) {
                        self.leave_out(start)?;
                    }
                }
                _ => return Err(Damage::Head),
            }
        }
    }

    /// The place and the code of the next marker. Leaves out what is before it.
    fn next_marker(&mut self) -> Result<(usize, u8), Damage> {
        let from = self.at;
        loop {
            let at = self.at;
            match marker_at(self.bytes, at) {
                Some((marker, after)) if marker >= 0xC0 || marker == 0x01 => {
                    if at > from {
                        self.needs_repair = true;
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

    /// Skips the segment whose marker was just read. Returns its content after the length.
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

    /// Notes the turn that an EXIF segment asks for. Returns whether there is one. Then the segment
    /// has to be left out: otherwise some viewers would turn the picture and others would not.
    fn turns(&mut self, marker: u8, content: &[u8]) -> bool {
        let said = if marker == 0xE1 { exif::orientation(content) } else { None };
        self.orientation = self.orientation.or(said);
        said.is_some_and(|said| said != Orientation::UPRIGHT)
    }

    /// Leaves out the bytes from `start` to the current place.
    fn leave_out(&mut self, start: usize) -> Result<(), Damage> {
        self.pieces.keep(self.kept_from..start)?;
        self.kept_from = self.at;
        Ok(())
    }

    /// Replaces the last bytes of the scan header, which was just read, where a sequential picture has others than it must
    /// (B.2.3). Decoders ignore them, but libjpeg warns of them, and tells no more than one warning.
    ///
    /// Further scans keep theirs: only a search through all of the data would find them, and hardly any camera sends
    /// more than one.
    fn put_parameters_right(&mut self, frame: &Frame) -> Result<(), Damage> {
        let at = self.at - SEQUENTIAL.len();
        if frame.process == Process::Progressive || self.bytes[at..self.at] == SEQUENTIAL {
            return Ok(());
        }
        self.needs_repair = true;
        self.pieces.keep(self.kept_from..at)?;
        self.pieces.push(Piece::Parameters)?;
        self.kept_from = self.at;
        Ok(())
    }

    /// Inserts the standard Huffman tables before the scan at `scan_at`, if the picture has none.
    fn provide_tables(&mut self, frame: &Frame, scan: &Scan, scan_at: usize) -> Result<(), Damage> {
        if !frame.is_quantized_by(self.tables) {
            return Err(Damage::NoTables);
        }
        if scan.is_coded_by(self.tables) {
            return Ok(());
        }
        // A progressive JPEG has its own tables for each scan, so the standard ones do not fit.
        let are_left_out = self.tables.lack_huffman() && frame.process == Process::Sequential;
        if !(are_left_out && scan.takes_standard_tables()) {
            return Err(Damage::NoTables);
        }
        self.needs_repair = true;
        self.pieces.keep(self.kept_from..scan_at)?;
        self.pieces.push(Piece::Tables)?;
        self.kept_from = scan_at;
        Ok(())
    }
}

/// Whether libjpeg warns about a segment that is not needed.
fn warns(marker: u8, content: &[u8]) -> bool {
    match (marker, content) {
        // JFIF, major version.
        (0xE0, [b'J', b'F', b'I', b'F', 0, major, ..]) => !matches!(major, 1 | 2),
        // Adobe: version, two sets of flags, colour transform.
        (0xEE, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, colours, ..]) => *colours > 1,
        _ => false,
    }
}

/// Whether decoders learn the colours from this segment. It is kept, whatever its other bytes look
/// like.
fn says_colours(marker: u8, content: &[u8]) -> bool {
    let name: &[u8] = match marker {
        0xE0 => b"JFIF\0",
        0xEE => b"Adobe",
        _ => return false,
    };
    content.starts_with(name)
}

/// Whether readers that search for the start or the end of a picture would find one in this
/// segment.
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
