//! Finds the restart intervals in the data of a JPEG, and writes some of them as a JPEG of their
//! own.

use super::super::data::find_marker;
use super::super::markers::{END, EOI, marker_at, restart, segments};
use super::outline::Outline;
use std::ops::Range;

/// Where the restart intervals of one JPEG are. Reused for all frames of a stream.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The head without segments that decoders ignore, from the start marker to the scan's data.
    head: Vec<u8>,
    /// The place of the height in it.
    height_at: usize,
    /// Where the data of each interval begins.
    starts: Vec<usize>,
    /// Where the data of the last one ends.
    end: usize,
}

/// The most bytes of the head that are copied into each strip. Tables take less than 2 kB.
const MOST_HEAD: usize = 4096;

/// Bytes behind the end of each strip. libjpeg-turbo's fast path needs 512 for each of the ten
/// blocks that an MCU may have. It never reads behind the end marker.
const ROOM: usize = 10 * 512;

/// The length of a restart marker.
const MARKER: usize = 2;

impl Places {
    /// Finds the intervals of `jpeg`, whose head is `outline`. `None` if a restart marker is
    /// missing, not in its order, or one too many, and if there is another marker in the data:
    /// then only a decoder finds out what can be saved.
    pub(super) fn find(&mut self, jpeg: &[u8], outline: &Outline) -> Option<()> {
        self.copy_head(jpeg, outline)?;
        self.starts.clear();
        let mut at = outline.data_at;
        for interval in 0..outline.intervals {
            self.starts.push(at);
            self.end = at + find_marker(&jpeg[at..])?;
            let (marker, after) = marker_at(jpeg, self.end)?;
            let is_last = interval + 1 == outline.intervals;
            if marker != if is_last { EOI } else { restart(interval) } {
                return None;
            }
            at = after;
        }
        Some(())
    }

    fn copy_head(&mut self, jpeg: &[u8], outline: &Outline) -> Option<()> {
        self.head.clear();
        self.head.extend_from_slice(&jpeg[..2]);
        for segment in segments(jpeg) {
            // Of all that decoders may ignore, JFIF and Adobe's segment say something of colours.
            if matches!(segment.marker, 0xE1..=0xED | 0xEF | 0xFE) {
                continue;
            }
            if (segment.at..segment.end()).contains(&outline.height_at) {
                self.height_at = self.head.len() + (outline.height_at - segment.at);
            }
            let bytes = &jpeg[segment.at..segment.end()];
            if self.head.len() + bytes.len() > MOST_HEAD {
                return None;
            }
            self.head.extend_from_slice(bytes);
        }
        Some(())
    }

    /// Writes these intervals of `jpeg` into `part`, as a JPEG that has only them.
    pub(super) fn write(
        &self,
        jpeg: &[u8],
        outline: &Outline,
        intervals: &Range<usize>,
        part: &mut Vec<u8>,
    ) {
        part.clear();
        part.extend_from_slice(&self.head);
        let rows = u16::try_from(outline.rows_of(intervals).len());
        let height = rows.expect("a JPEG has at most 65500 rows").to_be_bytes();
        part[self.height_at..][..2].copy_from_slice(&height);
        let start = self.starts[intervals.start];
        let end = self.starts.get(intervals.end).map_or(self.end, |next| next - MARKER);
        part.extend_from_slice(&jpeg[start..end]);
        // The numbers of the markers begin at 0 in each JPEG.
        for (number, next) in self.starts[intervals.clone()].iter().skip(1).enumerate() {
            part[self.head.len() + next - start - 1] = restart(number);
        }
        part.extend_from_slice(END);
        part.resize(part.len() + ROOM, 0);
    }
}
