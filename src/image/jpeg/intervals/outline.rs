//! Reads the head of a JPEG: whether its restart intervals are whole MCU rows.

use super::super::header::{Frame, Process, Scan, ScanOf};
use super::super::markers::{SOS, segments, starts_like_jpeg};
use crate::image::pixels::{Chroma, MAX_PIXELS, Size};
use std::ops::Range;

/// What the head of a JPEG says about its restart intervals, if they are whole MCU rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// The size of the picture.
    pub size: Size,
    /// How its colours are subsampled.
    pub chroma: Chroma,
    /// The number of restart intervals, at least 2.
    pub intervals: usize,
    /// How many rows of pixels an interval has. The last one may have fewer.
    pub rows: usize,
    /// The place of the height in the frame header.
    pub(super) height_at: usize,
    /// The place where the data of the scan begins.
    pub(super) data_at: usize,
}

impl Outline {
    /// Reads the head of `jpeg`. `None` if it must be decoded in one piece: it has no restart
    /// intervals, or they are no whole MCU rows, or it has several scans, rare colours, or anything
    /// odd in its head. Nothing after the head is read.
    pub fn read(jpeg: &[u8]) -> Option<Self> {
        if !starts_like_jpeg(jpeg) {
            return None;
        }
        let mut frame = None;
        let mut interval = 0;
        for segment in segments(jpeg) {
            match segment.marker {
                0xC0 | 0xC1 => {
                    let parsed = Frame::parse(Process::Sequential, segment.content).ok()?;
                    if frame.replace((parsed, segment.height_at())).is_some() {
                        return None;
                    }
                }
                0xDD => {
                    let content = segment.content.try_into().ok()?;
                    interval = usize::from(u16::from_be_bytes(content));
                }
                SOS => {
                    let (frame, height_at) = frame?;
                    let scan = Scan::parse(&frame, segment.content)?;
                    let chroma = frame.chroma().filter(|_| scan.of == ScanOf::All)?;
                    let (intervals, rows) = whole_rows(&frame, interval)?;
                    let (size, data_at) = (frame.size, segment.end());
                    return Some(Self { size, chroma, intervals, rows, height_at, data_at });
                }
                // Tables, and segments that decoders ignore.
                0xC4 | 0xDB | 0xE0..=0xEF | 0xFE => {}
                _ => return None,
            }
        }
        None
    }

    /// The rows of pixels of these intervals.
    pub(super) fn rows_of(&self, intervals: &Range<usize>) -> Range<usize> {
        let row = |interval: usize| (interval * self.rows).min(self.size.height);
        row(intervals.start)..row(intervals.end)
    }
}

/// How many intervals of so many MCUs the frame has, and how many rows of pixels each has. `None`
/// if it has only one, or if they are not whole MCU rows.
fn whole_rows(frame: &Frame, interval: usize) -> Option<(usize, usize)> {
    let mcu = frame.mcu();
    let across = frame.size.width.div_ceil(mcu.width);
    if interval == 0 || !interval.is_multiple_of(across) || frame.size.area() > MAX_PIXELS {
        return None;
    }
    let rows = interval / across * mcu.height;
    let intervals = frame.size.height.div_ceil(rows);
    (intervals > 1).then_some((intervals, rows))
}
