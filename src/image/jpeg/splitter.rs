//! Splits a stream of concatenated JPEGs, in reads of any length, into pictures.

use super::markers::{EOI, SOI, SOS, has_no_segment};
use std::ops::Range;

/// The largest accepted picture: twice the largest frame measured at 4K. With the other parts of a
/// wire message, that makes 16 MiB.
pub const MAX_PICTURE: usize = (16 << 20) - 24;

/// The least room offered for reading: the capacity of a pipe, so that one `read` empties it.
const MIN_SPACE: usize = 64 << 10;

/// The most bytes between two segments of a picture, as in [`repair`](super::repair).
const MOST_GARBAGE: usize = 64;

/// Collects bytes and finds whole pictures in them.
///
/// Skips bytes between pictures. A picture without an end marker ends where the next one starts, or
/// at [`finish`](Self::finish). Drops and counts a picture that ends before its first scan, has
/// markers that no picture can have, or is over [`MAX_PICTURE`].
#[derive(Debug, Default)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// How many bytes of the buffer are filled.
    filled: usize,
    /// The start of the current picture. Everything before it was returned or skipped.
    start: usize,
    /// The place of the next byte to examine.
    at: usize,
    state: State,
    /// How many bytes were skipped where a marker must be.
    garbage: usize,
    part: Part,
    dropped: u64,
    oversized: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Searching for a start marker.
    #[default]
    Between,
    /// Inside a picture, at a marker.
    Marker,
    /// Inside a picture's entropy-coded data.
    EntropyCoded,
}

/// The part of the picture that is being read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The segments before its first scan.
    #[default]
    Head,
    /// Its first scan has begun. If no further marker follows, the picture may be complete.
    Scans,
}

/// The end of a picture.
enum End {
    /// It is complete.
    Whole(usize),
    /// It is broken.
    Broken(usize),
    /// It is too long.
    TooLong(usize),
}

impl Splitter {
    /// Room for the next bytes of the stream. Read into it, then call [`filled`](Self::filled).
    ///
    /// Moves the unread bytes to the front, so earlier ranges become invalid.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.at -= self.start;
        self.start = 0;
        if self.buffer.len() - self.filled < MIN_SPACE {
            // The buffer grows with the bytes that have arrived, never by a length field.
            let len = (self.buffer.len() * 2).max(2 * MIN_SPACE);
            self.buffer.resize(len, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// Notes that `count` bytes were read into [`space`](Self::space).
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub fn filled(&mut self, count: usize) {
        self.filled += count;
        assert!(self.filled <= self.buffer.len(), "more bytes than there was space for");
    }

    /// The place of the next whole picture, if it has arrived; see [`bytes`](Self::bytes).
    pub fn next_picture(&mut self) -> Option<Range<usize>> {
        loop {
            if let State::Between = self.state {
                self.find_start()?;
            }
            match self.find_end()? {
                End::Whole(end) if end - self.start <= MAX_PICTURE => {
                    return Some(self.end_at(end));
                }
                End::Whole(end) | End::TooLong(end) => {
                    self.end_at(end);
                    self.oversized += 1;
                }
                End::Broken(end) => {
                    self.end_at(end);
                }
            }
            self.dropped += 1;
        }
    }

    /// Notes that no more of the current picture will come, since the stream has ended or its
    /// writer pauses. Returns the picture, which then has no end marker, if its data has begun.
    /// Call this when [`next_picture`](Self::next_picture) finds nothing.
    pub fn finish(&mut self) -> Option<Range<usize>> {
        if self.is_in_data() {
            return Some(self.end_at(self.filled));
        }
        if self.state != State::Between {
            self.dropped += 1;
        }
        self.end_at(self.filled);
        None
    }

    /// Whether the bytes so far may be a whole picture without its end marker.
    pub fn is_in_data(&self) -> bool {
        self.state == State::EntropyCoded
    }

    /// Whether a picture has begun and not ended.
    pub fn is_in_a_picture(&self) -> bool {
        self.state != State::Between
    }

    /// The bytes of a picture that was found since the last call of [`space`](Self::space).
    pub fn bytes(&self, picture: Range<usize>) -> &[u8] {
        &self.buffer[picture]
    }

    /// How many pictures were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many of them were over [`MAX_PICTURE`].
    pub fn oversized(&self) -> u64 {
        self.oversized
    }

    /// Discards all bytes, for instance when a file is started again.
    pub fn clear(&mut self) {
        self.filled = 0;
        self.end_at(0);
        self.start = 0;
    }

    fn end_at(&mut self, end: usize) -> Range<usize> {
        let picture = self.start.min(end)..end;
        self.start = end;
        self.at = end;
        self.state = State::Between;
        picture
    }

    fn find_start(&mut self) -> Option<()> {
        let bytes = &self.buffer[..self.filled];
        // Every JPEG has another marker after the start marker.
        let found = bytes[self.start..].windows(3).position(|three| three == [0xFF, SOI, 0xFF]);
        let Some(found) = found else {
            // The last bytes may be the beginning of that.
            let rest = &bytes[self.start..];
            let keep = match rest {
                [.., 0xFF, SOI] => 2,
                [.., 0xFF] => 1,
                _ => 0,
            };
            self.start = self.filled - keep;
            self.at = self.start;
            return None;
        };
        self.start += found;
        self.at = self.start + 2;
        self.state = State::Marker;
        self.part = Part::Head;
        self.garbage = 0;
        Some(())
    }

    /// The end of the picture: after its end marker, where another picture starts, or where its
    /// structure breaks.
    fn find_end(&mut self) -> Option<End> {
        loop {
            if self.at - self.start > MAX_PICTURE {
                return Some(End::TooLong(self.at.min(self.filled)));
            }
            let ended = match self.state {
                State::EntropyCoded => {
                    self.pass_data()?;
                    None
                }
                State::Between | State::Marker => self.pass_marker()?,
            };
            if ended.is_some() {
                return ended;
            }
        }
    }

    /// Skips entropy-coded data up to a marker that does not belong to it.
    fn pass_data(&mut self) -> Option<()> {
        let rest = self.buffer[..self.filled].get(self.at..)?;
        let Some(found) = rest.iter().position(|&byte| byte == 0xFF) else {
            self.at = self.filled;
            return None;
        };
        // Half a marker at the end is examined again when more bytes have come.
        self.at += found;
        match *rest.get(found + 1)? {
            // A stuffed zero and the restart markers belong to the data (T.81 B.1.1.5).
            0 | 0xD0..=0xD7 => self.at += 2,
            0xFF => self.at += 1,
            _ => {
                self.state = State::Marker;
                self.garbage = 0;
            }
        }
        Some(())
    }

    /// Skips one marker and its segment. Returns the end of the picture, if that is here.
    #[expect(clippy::option_option, reason = "no end is one thing, and too few bytes another")]
    fn pass_marker(&mut self) -> Option<Option<End>> {
        let bytes = &self.buffer[..self.filled];
        if *bytes.get(self.at)? != 0xFF {
            self.garbage += 1;
            if self.part == Part::Scans || self.garbage > MOST_GARBAGE {
                return Some(Some(End::Broken(self.at)));
            }
            self.at += 1;
            return Some(None);
        }
        match *bytes.get(self.at + 1)? {
            0xFF => self.at += 1,
            EOI => return Some(Some(End::Whole(self.at + 2))),
            SOI if self.part == Part::Scans => return Some(Some(End::Whole(self.at))),
            SOI => return Some(Some(End::Broken(self.at))),
            marker if self.part == Part::Scans && !may_follow_data(marker) => {
                return Some(Some(End::Broken(self.at + 2)));
            }
            marker if has_no_segment(marker) || marker == 0 => self.at += 2,
            marker => {
                let length = [*bytes.get(self.at + 2)?, *bytes.get(self.at + 3)?];
                self.at += 2 + usize::from(u16::from_be_bytes(length));
                self.garbage = 0;
                if marker == SOS {
                    self.state = State::EntropyCoded;
                    self.part = Part::Scans;
                }
            }
        }
        Some(None)
    }
}

/// Whether a marker may follow data: tables, further scans, the number of lines, and segments that
/// decoders ignore.
fn may_follow_data(marker: u8) -> bool {
    matches!(marker, 0xC4 | 0xCC | SOS | 0xDB..=0xDD | 0xE0..=0xEF | 0xFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with a stuffed zero, a restart marker, and the end marker of a thumbnail inside a
    /// segment.
    const PICTURE: &[u8] = &[
        0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9, // APP1 with a JPEG inside
        0xFF, 0xDA, 0, 3, 1, 7, 0xFF, 0x00, 0xFF, 0xD3, 8, 0xFF, 0xD9,
    ];

    fn split(stream: &[u8], chop: usize) -> (Vec<Vec<u8>>, u64) {
        let mut splitter = Splitter::default();
        let mut pictures = Vec::new();
        for piece in stream.chunks(chop) {
            splitter.space()[..piece.len()].copy_from_slice(piece);
            splitter.filled(piece.len());
            while let Some(picture) = splitter.next_picture() {
                pictures.push(splitter.bytes(picture).to_vec());
            }
        }
        pictures.extend(splitter.finish().map(|last| splitter.bytes(last).to_vec()));
        (pictures, splitter.dropped())
    }

    #[test]
    fn pictures_are_found_in_any_chopping_and_junk_between_them_is_passed_over() {
        let stream = [b"junk\xFF", PICTURE, &[0, 0, 0xFF], PICTURE, PICTURE].concat();
        for chop in 1..=stream.len() {
            let (pictures, dropped) = split(&stream, chop);
            assert_eq!(pictures, [PICTURE; 3], "pieces of {chop}");
            assert_eq!(dropped, 0);
        }
    }

    #[test]
    fn a_picture_without_its_end_marker_ends_where_the_next_one_starts_or_the_stream_ends() {
        let bare = &PICTURE[..PICTURE.len() - 2];
        let stream = [bare, PICTURE, bare, &[0, 0, 0], bare].concat();
        let padded = [bare, &[0, 0, 0]].concat();
        for chop in 1..=stream.len() {
            let (pictures, dropped) = split(&stream, chop);
            assert_eq!(pictures, [bare, PICTURE, &padded, bare], "pieces of {chop}");
            assert_eq!(dropped, 0);
        }
    }

    #[test]
    fn a_picture_cut_in_its_head_is_dropped_and_the_next_one_is_whole() {
        for cut in 2..PICTURE.len() - 1 {
            // If it is cut inside a segment, the segment's length may cover up to 64 KiB of what
            // follows.
            let following = PICTURE.repeat(4000);
            let (pictures, _) = split(&[&PICTURE[..cut], &following].concat(), 997);
            assert_eq!(pictures.last().map(Vec::as_slice), Some(PICTURE), "cut at {cut}");
        }
    }

    #[test]
    fn a_few_bytes_between_segments_are_no_end_and_a_marker_that_data_cannot_have_is() {
        let gap = [&PICTURE[..10], &[1, 2, 3], &PICTURE[10..]].concat();
        let nonsense = [&PICTURE[..17], &[0xFF, 0x45, 0xFF, 0xFF], &PICTURE[17..]].concat();
        let (pictures, dropped) = split(&[&gap, &nonsense, PICTURE].concat(), 5);
        assert_eq!(pictures, [&gap[..], PICTURE]);
        assert_eq!(dropped, 1);
    }

    #[test]
    fn what_is_longer_than_any_picture_is_dropped_and_the_next_one_is_whole() {
        let endless = [&PICTURE[..16], &vec![5; MAX_PICTURE + 1]].concat();
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        for piece in [&endless[..], PICTURE].concat().chunks(60_000) {
            splitter.space()[..piece.len()].copy_from_slice(piece);
            splitter.filled(piece.len());
            while let Some(picture) = splitter.next_picture() {
                found.push(splitter.bytes(picture).to_vec());
            }
        }
        assert_eq!(found, [PICTURE]);
        assert_eq!((splitter.dropped(), splitter.oversized()), (1, 1));
    }
}
