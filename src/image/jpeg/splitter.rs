//! Cuts a stream of concatenated JPEGs, in any chopping, into pictures.

use super::markers::{EOI, SOI, SOS, has_no_segment};
use std::ops::Range;

/// The largest picture that is accepted: twice the largest frame measured at 4K.
pub const MAX_PICTURE: usize = 16 << 20;

/// The least room offered for reading: a pipe's capacity, so that one `read` empties it.
const MIN_SPACE: usize = 64 << 10;

/// Collects bytes and finds whole pictures in them.
///
/// Bytes between pictures are passed over. A picture that lacks its end marker ends where the next
/// one starts and is dropped, as is one over [`MAX_PICTURE`]; both are counted.
#[derive(Debug, Default)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// How much of the buffer holds bytes of the stream.
    filled: usize,
    /// Where the current picture starts; everything before has been yielded or passed over.
    start: usize,
    /// Where the scan goes on.
    at: usize,
    state: State,
    dropped: u64,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// Looking for a start marker.
    #[default]
    Between,
    /// Inside a picture, where a marker must stand.
    Marker,
    /// Inside a picture's entropy-coded data.
    EntropyCoded,
}

impl Splitter {
    /// Room for the next bytes of the stream: read into it, then say how many with [`filled`](Self::filled).
    ///
    /// Moves what is not yet yielded to the front, so that ranges from before are void.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.at -= self.start;
        self.start = 0;
        if self.buffer.len() - self.filled < MIN_SPACE {
            // Doubling follows what really arrives, never what a stranger's length field claims.
            let len = (self.buffer.len() * 2).max(2 * MIN_SPACE);
            self.buffer.resize(len, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// Says that `count` bytes were put into [`space`](Self::space).
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub fn filled(&mut self, count: usize) {
        self.filled += count;
        assert!(self.filled <= self.buffer.len(), "more bytes than there was space for");
    }

    /// Where the next whole picture stands, if it has arrived; see [`bytes`](Self::bytes).
    pub fn next_picture(&mut self) -> Option<Range<usize>> {
        loop {
            if let State::Between = self.state {
                self.find_start()?;
            }
            let end = self.find_end()?;
            let picture = self.start..end;
            self.start = end;
            self.at = end;
            self.state = State::Between;
            if picture.len() > MAX_PICTURE || !self.buffer[..end].ends_with(&[0xFF, EOI]) {
                self.dropped += 1;
                continue;
            }
            return Some(picture);
        }
    }

    /// The bytes of a picture found since [`space`](Self::space) was last called.
    pub fn bytes(&self, picture: Range<usize>) -> &[u8] {
        &self.buffer[picture]
    }

    /// Pictures that were dropped: without an end, or too large.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Forgets what was collected, as when a file is begun again.
    pub fn clear(&mut self) {
        self.filled = 0;
        self.start = 0;
        self.at = 0;
        self.state = State::Between;
    }

    fn find_start(&mut self) -> Option<()> {
        let bytes = &self.buffer[..self.filled];
        let found = bytes[self.start..].windows(2).position(|pair| pair == [0xFF, SOI]);
        let Some(found) = found else {
            // A last FF may be the first half of a start marker.
            let keep = usize::from(bytes[self.start..].ends_with(&[0xFF]));
            self.start = self.filled - keep;
            self.at = self.start;
            return None;
        };
        self.start += found;
        self.at = self.start + 2;
        self.state = State::Marker;
        Some(())
    }

    /// Where the picture ends: behind its end marker, or where another starts or its structure breaks.
    fn find_end(&mut self) -> Option<usize> {
        let bytes = &self.buffer[..self.filled];
        loop {
            if self.at - self.start > MAX_PICTURE {
                return Some(self.at.min(self.filled));
            }
            match self.state {
                State::EntropyCoded => {
                    let rest = bytes.get(self.at..)?;
                    let Some(found) = rest.iter().position(|&byte| byte == 0xFF) else {
                        self.at = self.filled;
                        return None;
                    };
                    self.at += found;
                    match *bytes.get(self.at + 1)? {
                        // A stuffed zero and the restart markers belong to the data (T.81 B.1.1.5).
                        0 | 0xD0..=0xD7 => self.at += 2,
                        0xFF => self.at += 1,
                        _ => self.state = State::Marker,
                    }
                }
                State::Between | State::Marker => {
                    if *bytes.get(self.at)? != 0xFF {
                        return Some(self.at);
                    }
                    match *bytes.get(self.at + 1)? {
                        0xFF => self.at += 1,
                        EOI => return Some(self.at + 2),
                        SOI => return Some(self.at),
                        marker if has_no_segment(marker) => self.at += 2,
                        marker => {
                            let length = [*bytes.get(self.at + 2)?, *bytes.get(self.at + 3)?];
                            self.at += 2 + usize::from(u16::from_be_bytes(length));
                            if marker == SOS {
                                self.state = State::EntropyCoded;
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with a stuffed zero, a restart marker, and a thumbnail's end marker inside a segment.
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
    fn a_picture_without_its_end_is_dropped_and_the_next_one_is_whole() {
        for cut in 2..PICTURE.len() - 1 {
            // Cut inside a segment, its length may swallow up to 64 KiB of what follows.
            let following = PICTURE.repeat(4000);
            let (pictures, _) = split(&[&PICTURE[..cut], &following].concat(), 997);
            assert_eq!(pictures.last().map(Vec::as_slice), Some(PICTURE), "cut at {cut}");
        }
    }
}
