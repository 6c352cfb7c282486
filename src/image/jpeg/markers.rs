//! Reads the structure of a JPEG by its markers, without its entropy-coded data (ITU-T T.81, annex
//! B).

use crate::image::pixels::{Chroma, Size};

/// Start of image.
pub const SOI: u8 = 0xD8;
/// End of image.
pub const EOI: u8 = 0xD9;
/// An end marker.
pub(super) const END: &[u8] = &[0xFF, EOI];
/// Start of scan: entropy-coded data follows its segment.
pub const SOS: u8 = 0xDA;

/// Whether these bytes begin as every JPEG does: with a start marker and another marker.
pub fn starts_like_jpeg(bytes: &[u8]) -> bool {
    matches!(bytes, [0xFF, SOI, 0xFF, ..])
}

/// The size in a JPEG's frame header; `None` if there is none before the first scan.
pub fn picture_size(jpeg: &[u8]) -> Option<Size> {
    // The precision comes first, then height and width.
    let &[height_high, height_low, width_high, width_low] =
        frame_header(jpeg)?.get(1..5)?.first_chunk()?;
    let height = usize::from(u16::from_be_bytes([height_high, height_low]));
    let width = usize::from(u16::from_be_bytes([width_high, width_low]));
    (width > 0 && height > 0).then_some(Size::new(width, height))
}

/// The chroma subsampling in a JPEG's frame header; `None` if there is none or it is a rare one.
pub fn chroma(jpeg: &[u8]) -> Option<Chroma> {
    let (&count, components) = frame_header(jpeg)?.get(5..)?.split_first()?;
    // Each component has an id, its sampling factors, and the number of a table.
    let factors = |index: usize| components.get(index * 3 + 1).copied();
    match (count, factors(0), factors(1), factors(2)) {
        (1, Some(_), ..) => Some(Chroma::Grey),
        (3, Some(luma), Some(0x11), Some(0x11)) => match luma {
            0x22 => Some(Chroma::Yuv420),
            0x21 => Some(Chroma::Yuv422),
            0x11 => Some(Chroma::Yuv444),
            0x12 => Some(Chroma::Yuv440),
            0x41 => Some(Chroma::Yuv411),
            0x14 => Some(Chroma::Yuv441),
            _ => None,
        },
        // Some cameras write 4:2:2 with all vertical factors doubled.
        (3, Some(0x22), Some(0x12), Some(0x12)) => Some(Chroma::Yuv422),
        _ => None,
    }
}

/// The content of the frame header after its length.
fn frame_header(jpeg: &[u8]) -> Option<&[u8]> {
    segments(jpeg).find(|segment| is_frame_header(segment.marker)).map(|segment| segment.content)
}

/// Where the frame header has the height of the picture, in two bytes.
pub(super) fn height_at(jpeg: &[u8]) -> Option<usize> {
    segments(jpeg).find(|segment| is_frame_header(segment.marker)).map(|frame| frame.height_at())
}

/// Where the entropy-coded data of the first scan begins.
pub(super) fn scan_data(jpeg: &[u8]) -> Option<usize> {
    segments(jpeg).find(|segment| segment.marker == SOS).map(|scan| scan.end())
}

/// A segment of a JPEG's head.
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    /// The place of the marker, after fill bytes.
    pub(super) at: usize,
    /// What follows the length.
    pub(super) content: &'a [u8],
}

impl Segment<'_> {
    /// The place after the segment.
    pub(super) fn end(&self) -> usize {
        self.at + 4 + self.content.len()
    }

    /// The place of the height, if this is a frame header: after the precision.
    pub(super) fn height_at(&self) -> usize {
        self.at + 5
    }
}

/// The segments between the start marker and the first scan's data, that of the scan included. Skips
/// markers that have no segment. Ends early at anything else, and at the end of `jpeg`.
pub(super) fn segments(jpeg: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut next = Some(2);
    std::iter::from_fn(move || {
        let (mut marker, mut after) = marker_at(jpeg, next.take()?)?;
        while has_no_segment(marker) && !matches!(marker, SOI | EOI) {
            (marker, after) = marker_at(jpeg, after)?;
        }
        if !(0xC0..=0xFE).contains(&marker) || has_no_segment(marker) {
            return None;
        }
        let length = usize::from(u16::from_be_bytes(*jpeg.get(after..)?.first_chunk()?));
        let content = jpeg.get(after + 2..after + length)?;
        next = (marker != SOS).then_some(after + length);
        Some(Segment { marker, at: after - 2, content })
    })
}

/// The places where scans begin. Entropy-coded data never contains these bytes (B.1.1.5).
/// Thumbnails may; theirs are counted too.
pub fn scans(jpeg: &[u8]) -> impl Iterator<Item = usize> {
    jpeg.windows(2).enumerate().filter(|(_, pair)| *pair == [0xFF, SOS]).map(|(at, _)| at)
}

/// The marker at `at`, and the place after it. Fill bytes (`FF FF`) may precede it (B.1.1.2).
pub fn marker_at(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    if *bytes.get(at)? != 0xFF {
        return None;
    }
    while *bytes.get(at)? == 0xFF {
        at += 1;
    }
    Some((bytes[at], at + 1))
}

/// Whether a marker has no segment: TEM, the restart markers, SOI and EOI. Every other marker
/// begins a segment with a length.
pub fn has_no_segment(marker: u8) -> bool {
    matches!(marker, 0x01 | 0xD0..=0xD9)
}

/// The restart marker after so many others: they are numbered from 0 to 7, and again (B.1.1.3).
pub(super) fn restart(number: usize) -> u8 {
    const MARKERS: [u8; 8] = [0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7];
    MARKERS[number % MARKERS.len()]
}

/// SOF0 to SOF15, without DHT, JPG and DAC in the same range.
fn is_frame_header(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = &[
        0xFF, 0xD8, // start of image
        0xFF, 0xE0, 0, 4, 0xFF, 0xC0, // an APP0 whose content looks like a frame header
        0xFF, 0xFF, 0xC0, 0, 11, 8, 2, 208, 5, 0, 1, 1, 0x11,
        0, // a fill byte; 720 rows of 1280
    ];

    #[test]
    fn the_size_is_found_behind_other_segments_and_fill_bytes() {
        assert!(starts_like_jpeg(HEAD));
        assert_eq!(picture_size(HEAD), Some(Size::new(1280, 720)));
    }

    #[test]
    fn a_head_cut_anywhere_has_no_size_and_never_panics() {
        for end in 0..HEAD.len() - 4 {
            let size = picture_size(&HEAD[..end]);
            assert!(size.is_none() || end >= HEAD.len() - 5, "cut at {end}");
        }
    }
}
