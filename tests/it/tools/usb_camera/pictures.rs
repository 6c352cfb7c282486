//! What the cameras of tests film: pictures with their number in their bytes and pixels.

use super::{Film, Kind, Shot};
use lancam::image::frame::Micros;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::image::stamp::Stamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A film in which all frames differ, and each is the same whenever it is asked for.
///
/// A JPEG has its number in a comment at its start. Raw pixels have it as a [`Stamp`], which can be read in the viewer's
/// picture too.
#[derive(Default)]
pub struct Numbered {
    /// A JPEG of each size, before its number is inserted.
    jpegs: Mutex<BTreeMap<(usize, usize), Jpeg>>,
}

type Jpeg = Arc<Vec<u8>>;

/// Start of image, and a comment of eight bytes.
const START: [u8; 6] = [0xFF, 0xD8, 0xFF, 0xFE, 0, 10];

impl Numbered {
    /// The number in a JPEG of this film.
    pub fn number_of(jpeg: &[u8]) -> Option<u64> {
        let number = jpeg.strip_prefix(&START)?.first_chunk::<8>()?;
        Some(u64::from_be_bytes(*number))
    }

    fn jpeg(&self, shot: Shot) -> Vec<u8> {
        let mut jpegs = self.jpegs.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (shot.width, shot.height);
        let jpeg = jpegs.entry(key).or_insert_with(|| Arc::new(encoded(Size::new(key.0, key.1))));
        [&START, &shot.number.to_be_bytes()[..], &jpeg[2..]].concat()
    }
}

impl Film for Numbered {
    fn frame(&self, shot: Shot) -> Vec<u8> {
        match shot.kind {
            Kind::Mjpeg => self.jpeg(shot),
            Kind::Raw(name, bits) => raw(shot, name, usize::from(bits)),
            // No decoder reads it.
            Kind::Stream(_) => [&[0, 0, 0, 1, 0x65], &shot.number.to_be_bytes()[..]].concat(),
        }
    }
}

/// A JPEG as AVI files have it: what decodes it has to know the standard Huffman tables. It keeps its number.
pub(super) fn without_tables(jpeg: &[u8]) -> Vec<u8> {
    const TABLE: u8 = 0xC4;
    const SCAN: u8 = 0xDA;
    const AVI1: [u8; 10] = [0xFF, 0xE0, 0, 8, b'A', b'V', b'I', b'1', 0, 0];
    let (mut kept, mut rest) = (jpeg[..2].to_vec(), &jpeg[2..]);
    let mut is_first = true;
    while let [0xFF, kind, high, low, ..] = *rest
        && kind != SCAN
    {
        let (segment, behind) = rest.split_at(2 + usize::from(u16::from_be_bytes([high, low])));
        if kind != TABLE {
            kept.extend(segment);
        }
        if std::mem::take(&mut is_first) {
            kept.extend(AVI1);
        }
        rest = behind;
    }
    kept.extend(rest);
    kept
}

/// A picture with edges and slopes.
fn encoded(size: Size) -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(size, Chroma::Yuv422);
    planes.packed_mut().fill(120);
    for (index, y) in planes.split_mut().y.iter_mut().enumerate() {
        *y = luma(index % size.width, index / size.width);
    }
    let mut out = vec![0; Encoder::max_len(size, Chroma::Yuv422).expect("a size")];
    let encoded = Encoder::new(80).and_then(|mut encoder| encoder.encode(&planes, &mut out));
    out.truncate(encoded.expect("it encodes"));
    out
}

fn luma(x: usize, y: usize) -> u8 {
    let square = if (x / 32 + y / 32).is_multiple_of(2) { 60 } else { 0 };
    u8::try_from(60 + (x / 8 + y / 8) % 100 + square).expect("below 256")
}

/// YUYV, UYVY or NV12: luma with the stamp, and no colour.
fn raw(shot: Shot, name: [u8; 4], bits: usize) -> Vec<u8> {
    let Shot { width, height, number, .. } = shot;
    let mut bytes = vec![128; width * height * bits / 8];
    let (first, step) = match &name {
        b"NV12" => (0, 1),
        b"UYVY" => (1, 2),
        _ => (0, 2),
    };
    for (index, y) in bytes.iter_mut().skip(first).step_by(step).take(width * height).enumerate() {
        *y = luma(index % width, index / width);
    }
    let sequence = u32::try_from(number & 0xFFFF_FFFF).expect("32 bits");
    let stamp = Stamp { sequence, made_at: Micros(0) };
    stamp.draw(Size::new(width, height), |columns, rows, is_white| {
        for row in rows {
            for column in columns.clone() {
                bytes[(row * width + column) * step + first] = if is_white { 235 } else { 16 };
            }
        }
    });
    bytes
}

#[test]
fn without_its_tables_a_jpeg_keeps_its_number_and_all_else() {
    let shot = Shot { kind: Kind::Mjpeg, width: 64, height: 48, number: 7 };
    let whole = Numbered::default().frame(shot);
    let bare = without_tables(&whole);
    let tables = |jpeg: &[u8]| jpeg.windows(2).filter(|pair| *pair == [0xFF, 0xC4]).count();
    assert_eq!((tables(&whole) > 0, tables(&bare)), (true, 0));
    assert_eq!(Numbered::number_of(&bare), Some(7));
    assert_eq!(bare[bare.len() - 64..], whole[whole.len() - 64..]);
}

#[test]
fn a_number_is_read_from_the_jpeg_that_carries_it() {
    let film = Numbered::default();
    let shot = Shot { kind: Kind::Mjpeg, width: 64, height: 48, number: 0x0102_0304_0506 };
    let jpeg = film.frame(shot);
    assert_eq!(Numbered::number_of(&jpeg), Some(shot.number));
    assert_eq!(jpeg, film.frame(shot));
    assert_ne!(jpeg, film.frame(Shot { number: 1, ..shot }));
}
