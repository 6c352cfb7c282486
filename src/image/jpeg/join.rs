//! A picture in strips: where it is cut, and how the JPEGs of its strips become one.
//!
//! A strip is a number of whole rows of MCUs. Its JPEG has a restart marker between each two of
//! them (ITU-T T.81, E.1.4), so the data of all strips, with a marker between each two, is the data
//! of the whole picture. Nothing else in the JPEGs differs but their height.

use super::data::find_marker;
use super::markers::{END, height_at, marker_at, restart, scan_data};
use crate::image::cuts::cuts;
use crate::image::pixels::{Chroma, Size};
use std::ops::Range;

/// The rows of pixels of each strip of a picture that is cut into `most` strips, or into as many as it has rows of MCUs.
pub fn strips(
    size: Size,
    chroma: Chroma,
    most: usize,
) -> impl ExactSizeIterator<Item = Range<usize>> {
    cuts(size.height, 8 * chroma.factors().height, most)
}

/// Joins JPEGs of strips, from top to bottom, into the JPEG of a picture of `height` rows. Returns
/// its length; `None` if `out` is shorter than all of them, or one is no such JPEG.
pub fn join<'a>(
    strips: impl Iterator<Item = &'a [u8]>,
    height: u16,
    out: &mut [u8],
) -> Option<usize> {
    let mut out = Output { bytes: out, len: 0 };
    let mut restarts = 0;
    for strip in strips {
        let (head, data) = strip.strip_suffix(END)?.split_at_checked(scan_data(strip)?)?;
        if out.len == 0 {
            out.append(head)?;
            *out.bytes[height_at(head)?..].first_chunk_mut()? = height.to_be_bytes();
        } else {
            out.append(&[0xFF, restart(restarts)])?;
            restarts += 1;
        }
        let written = out.append(data)?;
        restarts += number_restarts(written, restarts);
    }
    out.append(END)?;
    Some(out.len)
}

/// What is joined.
struct Output<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Output<'_> {
    fn append(&mut self, bytes: &[u8]) -> Option<&mut [u8]> {
        let place = self.bytes.get_mut(self.len..)?.get_mut(..bytes.len())?;
        place.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(place)
    }
}

/// Numbers the restart markers in `data` from `first` on. Returns how many there are.
fn number_restarts(data: &mut [u8], first: usize) -> usize {
    let (mut at, mut count) = (0, 0);
    while let Some(found) = find_marker(&data[at..]) {
        let Some((0xD0..=0xD7, after)) = marker_at(data, at + found) else { break };
        data[after - 1] = restart(first + count);
        (at, count) = (after, count + 1);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::jpeg::codec::{Decoded, Decoder, Encoder, Restarts};
    use crate::image::planes::Planes;

    /// Noise over slopes, so that every block differs from its neighbours.
    fn picture(size: Size, chroma: Chroma) -> Planes {
        let mut planes = Planes::default();
        planes.reshape(size, chroma);
        let mut state = 1_u32;
        for (at, sample) in planes.packed_mut().iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slope = at / 7 % 200;
            *sample = u8::try_from(slope + (state >> 27) as usize).expect("below 256");
        }
        planes
    }

    fn encoded(encoder: &mut Encoder, planes: &Planes, top: usize, rows: usize) -> Vec<u8> {
        let strip = planes.strip(top, rows);
        let mut jpeg = vec![0; Encoder::max_len(strip.size, strip.chroma).expect("a size")];
        let len = encoder.encode_strip(strip, &mut jpeg).expect("encodes");
        jpeg.truncate(len);
        jpeg
    }

    /// The picture in at most `most` strips, joined.
    fn joined(encoder: &mut Encoder, planes: &Planes, most: usize) -> (usize, Vec<u8>) {
        let Size { height, .. } = planes.size();
        let strips: Vec<Vec<u8>> = strips(planes.size(), planes.chroma(), most)
            .map(|rows| encoded(encoder, planes, rows.start, rows.len()))
            .collect();
        let mut out = vec![0; strips.iter().map(Vec::len).sum::<usize>()];
        let height = u16::try_from(height).expect("a height");
        let len = join(strips.iter().map(Vec::as_slice), height, &mut out).expect("joins");
        out.truncate(len);
        (strips.len(), out)
    }

    /// All samples, at full size.
    fn decoded(decoder: &mut Decoder, jpeg: &[u8], size: Size) -> Planes {
        let mut planes = Planes::default();
        let full = Size::new(usize::MAX, usize::MAX);
        let whole = decoder.decode_planes(jpeg, full, &mut planes).expect("decodes");
        assert_eq!((whole, planes.size()), (Decoded::Whole, size));
        planes
    }

    const CHROMAS: [Chroma; 4] = [Chroma::Yuv420, Chroma::Yuv422, Chroma::Yuv444, Chroma::Grey];

    /// Joined strips are the bytes of the picture in one piece with restart markers, and decode to
    /// the samples of the picture without.
    fn is_the_whole_picture(size: Size, chroma: Chroma, quality: u8, strips: &[usize]) {
        let planes = picture(size, chroma);
        let mut of_strips = Encoder::with_restarts(quality, Restarts::EachRow).expect("an encoder");
        let whole = encoded(&mut of_strips, &planes, 0, size.height);
        let mut plain = Encoder::new(quality).expect("an encoder");
        let plain = encoded(&mut plain, &planes, 0, size.height);
        let mut decoder = Decoder::new().expect("a decoder");
        let expected = decoded(&mut decoder, &plain, size);
        assert_eq!(decoded(&mut decoder, &whole, size).packed(), expected.packed());
        for &most in strips {
            let (count, jpeg) = joined(&mut of_strips, &planes, most);
            assert!((1..=most).contains(&count), "{count} strips of at most {most}");
            assert!(jpeg == whole, "{size} {chroma:?}, quality {quality}, {count} strips");
        }
    }

    #[test]
    fn strips_of_any_size_and_chroma_become_the_whole_picture() {
        let strips: Vec<usize> = (1..=16).collect();
        for chroma in CHROMAS {
            for (width, height) in
                [(1, 1), (1, 300), (300, 1), (7, 15), (17, 33), (16, 16), (161, 129), (640, 363)]
            {
                is_the_whole_picture(Size::new(width, height), chroma, 80, &strips);
            }
        }
    }

    #[test]
    fn strips_of_any_quality_become_the_whole_picture() {
        for chroma in CHROMAS {
            for quality in 1..=100 {
                is_the_whole_picture(Size::new(75, 131), chroma, quality, &[2, 3, 9]);
            }
        }
    }

    #[test]
    fn strips_of_a_very_large_picture_become_the_whole_picture() {
        is_the_whole_picture(Size::new(8000, 6000), Chroma::Yuv420, 80, &[1, 4, 16]);
    }

    #[test]
    fn a_marker_more_for_each_row_is_what_restarts_cost() {
        let planes = picture(Size::new(1280, 720), Chroma::Yuv420);
        let mut of_strips = Encoder::with_restarts(80, Restarts::EachRow).expect("an encoder");
        let (_, jpeg) = joined(&mut of_strips, &planes, 8);
        let markers =
            jpeg.windows(2).filter(|pair| pair[0] == 0xFF && (0xD0..0xD8).contains(&pair[1]));
        let numbers: Vec<u8> = markers.map(|pair| pair[1] - 0xD0).collect();
        let expected: Vec<u8> = (0..8).cycle().take(44).collect();
        assert_eq!(numbers, expected, "one between each two of 45 rows");
        let mut plain = Encoder::new(80).expect("an encoder");
        let plain = encoded(&mut plain, &planes, 0, 720);
        assert!(jpeg.len() < plain.len() + plain.len() / 100, "{} of {}", jpeg.len(), plain.len());
    }

    #[test]
    fn what_is_no_strip_or_has_no_room_is_refused() {
        let planes = picture(Size::new(64, 64), Chroma::Yuv420);
        let mut encoder = Encoder::with_restarts(80, Restarts::EachRow).expect("an encoder");
        let strip = encoded(&mut encoder, &planes, 0, 32);
        let mut out = vec![0; 2 * strip.len()];
        let join = |strips: &[&[u8]], out: &mut [u8]| join(strips.iter().copied(), 64, out);
        assert!(join(&[&strip, &strip], &mut out).is_some());
        for len in 0..strip.len() {
            assert_eq!(join(&[&strip[..len], &strip], &mut out), None, "cut at {len}");
            assert_eq!(join(&[&strip, &strip[..len]], &mut out), None, "cut at {len}");
            assert_eq!(join(&[&strip], &mut out[..len]), None, "room for {len}");
        }
    }
}
