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

/// YUYV or NV12: luma with the stamp, and no colour.
fn raw(shot: Shot, name: [u8; 4], bits: usize) -> Vec<u8> {
    let Shot { width, height, number, .. } = shot;
    let mut bytes = vec![128; width * height * bits / 8];
    let step = if name == *b"NV12" { 1 } else { 2 };
    for (index, y) in bytes.iter_mut().step_by(step).take(width * height).enumerate() {
        *y = luma(index % width, index / width);
    }
    let sequence = u32::try_from(number & 0xFFFF_FFFF).expect("32 bits");
    let stamp = Stamp { sequence, made_at: Micros(0) };
    stamp.draw(Size::new(width, height), |columns, rows, is_white| {
        for row in rows {
            for column in columns.clone() {
                bytes[(row * width + column) * step] = if is_white { 235 } else { 16 };
            }
        }
    });
    bytes
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
