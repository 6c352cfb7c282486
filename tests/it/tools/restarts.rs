//! JPEGs with restart markers, joined from JPEGs of a few rows each.

use crate::tools::jpeg_tools::{byte, noise};
use lancam::image::jpeg::codec::Encoder;
use lancam::image::jpeg::markers;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;

/// The size of an MCU in pixels.
pub fn mcu(chroma: Chroma) -> Size {
    match chroma {
        Chroma::Yuv420 => Size::new(16, 16),
        Chroma::Yuv422 => Size::new(16, 8),
        Chroma::Yuv444 | Chroma::Grey => Size::new(8, 8),
        Chroma::Yuv440 => Size::new(8, 16),
        Chroma::Yuv411 => Size::new(32, 8),
        Chroma::Yuv441 => Size::new(8, 32),
    }
}

/// A JPEG of noise with much contrast, so that a row of colours from the wrong place shows.
pub fn noisy(size: Size, chroma: Chroma, seed: u64) -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(size, chroma);
    let mut noise = noise(seed);
    planes.packed_mut().fill_with(|| byte(noise()));
    let mut jpeg = vec![0; Encoder::max_len(size, chroma).expect("a size")];
    let mut encoder = Encoder::new(60).expect("an encoder");
    let len = encoder.encode(&planes, &mut jpeg).expect("encodes");
    jpeg.truncate(len);
    jpeg
}

/// The place of the first such marker.
pub fn find(jpeg: &[u8], marker: u8) -> usize {
    jpeg.windows(2).position(|pair| pair == [0xFF, marker]).expect("it has one")
}

/// Where the data of the scan begins.
pub fn data_at(jpeg: &[u8]) -> usize {
    let scan = find(jpeg, markers::SOS);
    scan + 2 + usize::from(u16::from_be_bytes([jpeg[scan + 2], jpeg[scan + 3]]))
}

/// A JPEG of noise whose restart intervals have so many rows of MCUs.
pub fn joined(size: Size, chroma: Chroma, mcu_rows: usize) -> Vec<u8> {
    let mcu = mcu(chroma);
    let rows = mcu.height * mcu_rows;
    let parts: Vec<_> = (0..size.height)
        .step_by(rows)
        .zip(1..)
        .map(|(top, seed)| noisy(Size::new(size.width, rows.min(size.height - top)), chroma, seed))
        .collect();
    let mut jpeg = parts[0][..data_at(&parts[0])].to_vec();
    let height_at = find(&jpeg, 0xC0) + 5;
    jpeg[height_at..][..2].copy_from_slice(&u16::try_from(size.height).expect("low").to_be_bytes());
    let interval = u16::try_from(size.width.div_ceil(mcu.width) * mcu_rows).expect("narrow");
    let scan = find(&jpeg, markers::SOS);
    let [high, low] = interval.to_be_bytes();
    jpeg.splice(scan..scan, [0xFF, 0xDD, 0, 4, high, low]);
    for (index, part) in parts.iter().enumerate() {
        jpeg.extend_from_slice(&part[data_at(part)..part.len() - 2]);
        jpeg.extend([0xFF, 0xD0 + byte(index % 8)]);
    }
    let end = jpeg.len() - 1;
    jpeg[end] = markers::EOI;
    jpeg
}

/// The places of the restart markers.
pub fn restarts(jpeg: &[u8]) -> Vec<usize> {
    let is_restart = |at: &usize| jpeg[*at] == 0xFF && (0xD0..=0xD7).contains(&jpeg[at + 1]);
    (data_at(jpeg)..jpeg.len() - 1).filter(is_restart).collect()
}
