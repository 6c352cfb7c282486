//! Valid JPEGs, damaged in the ways that cameras damage them.

use crate::tools::jpeg_tools::{cjpeg, encoded};
use lancam::image::jpeg::markers::marker_at;
use lancam::image::pixels::{Chroma, Size};

/// The marker and offset of each segment, up to the first scan.
pub fn segments(jpeg: &[u8]) -> Vec<(u8, usize)> {
    let mut found = Vec::new();
    let mut at = 2;
    loop {
        let (marker, after) = marker_at(jpeg, at).expect("a good JPEG");
        found.push((marker, at));
        if marker == 0xDA {
            return found;
        }
        at = after + usize::from(u16::from_be_bytes([jpeg[after], jpeg[after + 1]]));
    }
}

pub fn without_huffman_tables(jpeg: &[u8]) -> Vec<u8> {
    let segments = segments(jpeg);
    let mut left = jpeg[..segments[0].1].to_vec();
    for pair in segments.windows(2) {
        if pair[0].0 != 0xC4 {
            left.extend(&jpeg[pair[0].1..pair[1].1]);
        }
    }
    left.extend(&jpeg[segments[segments.len() - 1].1..]);
    left
}

/// Inserts `what` before the segment at `index`.
pub fn with(jpeg: &[u8], index: usize, what: &[u8]) -> Vec<u8> {
    let at = segments(jpeg)[index].1;
    [&jpeg[..at], what, &jpeg[at..]].concat()
}

/// A valid JPEG with each defect. All of these can be repaired.
pub fn quirks(jpeg: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let bare = &jpeg[..jpeg.len() - 2];
    let thumbnail = encoded(Size::new(16, 16), Chroma::Yuv420, 50);
    let len = u16::try_from(thumbnail.len() + 8).expect("a small one").to_be_bytes();
    let exif = [&[0xFF, 0xE1], &len[..], b"Exif\0\0", &thumbnail].concat();
    let leftovers = &jpeg[jpeg.len() / 2..];
    vec![
        ("no end marker", bare.to_vec()),
        ("half an end marker", [bare, &[0xFF]].concat()),
        ("zeros and no end marker", [bare, &[0; 999]].concat()),
        ("D9 00", [jpeg, &[0]].concat()),
        ("zeros behind", [jpeg, &[0; 4096]].concat()),
        ("a whole buffer", [jpeg, &vec![0; 2 << 20]].concat()),
        ("two end markers", [jpeg, &[0xFF, 0xD9]].concat()),
        ("junk behind", [jpeg, b"\xFF\xFFjunk"].concat()),
        ("the rest of an older frame, cut", [jpeg, leftovers, &[1]].concat()),
        ("the rest of an older frame, padded", [jpeg, leftovers, &[0; 100]].concat()),
        ("another picture", [jpeg, jpeg].concat()),
        ("another picture, cut", [jpeg, bare].concat()),
        ("a thumbnail", with(jpeg, 1, &exif)),
        ("two thumbnails, no end marker", with(&with(bare, 1, &exif), 2, &exif)),
        ("garbage between segments", with(jpeg, 1, b"\0\0\xFF\0garbage")),
        ("fill bytes", with(jpeg, 1, &[0xFF; 5])),
    ]
}

/// Small JPEGs of each kind, for the fuzzer.
pub fn seeds() -> Vec<(String, Vec<u8>)> {
    let size = Size::new(16, 16);
    let jpeg = encoded(size, Chroma::Yuv422, 20);
    let mut seeds: Vec<_> = quirks(&jpeg)
        .into_iter()
        .filter(|(_, bytes)| bytes.len() < 8 << 10)
        .map(|(name, bytes)| (name.replace([' ', ','], "-").replace("--", "-"), bytes))
        .collect();
    seeds.push(("no-huffman-tables".into(), without_huffman_tables(&jpeg)));
    for kind in ["-progressive", "-grayscale", "-optimize", "-arithmetic"] {
        seeds.extend(cjpeg(size, &[kind]).map(|jpeg| (format!("cjpeg{kind}"), jpeg)));
    }
    seeds.extend(cjpeg(size, &["-restart", "1B"]).map(|jpeg| ("cjpeg-restart".into(), jpeg)));
    seeds
}
