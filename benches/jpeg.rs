//! The cost of repairing and turning a camera's JPEGs, as ratios to work that has to be done in any case, measured alternately in one
//! run.
//!
//! `cargo bench --bench jpeg`. The ratios are stable on a noisy machine; the times beside them are this machine's.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod measure;
mod scene;

use lancam::image::jpeg::codec::{Decoder, Encoder, Turner};
use lancam::image::jpeg::repair;
use lancam::image::orientation::{Orientation, Rotation};
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use measure::paired;
use scene::scene_planes;
use std::hint::black_box;

/// Enough rounds for a stable median.
const ROUNDS: usize = 301;

/// One call is shorter than the clock's step.
const TIMES: usize = 20;

fn main() {
    let jpeg = encode(Size::new(3840, 2160), Chroma::Yuv422, 95);
    println!(
        "deciding how a JPEG of {} kB is repaired, against a copy of what is sent on (goal 0.2)",
        jpeg.len() / 1000
    );
    let bare = &jpeg[..jpeg.len() - 2];
    let tables_at = find(&jpeg, 0xC4);
    let scan_at = find(&jpeg, 0xDA);
    repairing("whole", &jpeg);
    repairing("no Huffman tables", &[&jpeg[..tables_at], &jpeg[scan_at..]].concat());
    repairing("1 % of zeros behind", &padded(&jpeg, jpeg.len() / 100));
    println!("the same where the end must be searched for, at about the speed of memory; no goal");
    repairing("as many zeros behind", &padded(&jpeg, jpeg.len()));
    repairing("no end marker", bare);
    repairing(
        "the rest of an older frame, cut",
        &[&jpeg, &jpeg[jpeg.len() * 4 / 5..], b"x"].concat(),
    );

    println!("a quarter turn of 1280x720, against decoding to planes and encoding");
    for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
        turning(chroma);
    }
}

fn repairing(what: &str, sent: &[u8]) {
    let len = repair::examine(sent).expect("it can be repaired").len();
    let from = vec![0xA5_u8; len];
    let mut to = vec![0_u8; len];
    let (scan, copy, ratio) = paired(
        ROUNDS,
        || {
            for _ in 0..TIMES {
                black_box(repair::examine(black_box(sent)).expect("as before").len());
            }
        },
        || {
            for _ in 0..TIMES {
                to.copy_from_slice(black_box(&from));
                black_box(&mut to);
            }
        },
    );
    let micros = 1e6 / TIMES as f64;
    println!(
        "  {what}: {:.2} us ({:.2} a MB); copy {:.1} us; ratio {ratio:.4}",
        scan * micros,
        scan * micros / (sent.len() as f64 / 1e6),
        copy * micros
    );
}

fn turning(chroma: Chroma) {
    let size = Size::new(1280, 720);
    let jpeg = encode(size, chroma, 80);
    let mut turner = Turner::new().expect("a turner");
    let mut turned = vec![0; Turner::max_len(size).expect("a size")];
    let mut decoder = Decoder::new().expect("a decoder");
    let mut planes = Planes::default();
    let mut encoder = Encoder::new(80).expect("an encoder");
    let mut encoded = vec![0; Encoder::max_len(size, chroma).expect("a size")];
    let quarter = Orientation::turned(Rotation::Quarter);
    let picture = repair::examine(&jpeg).expect("a JPEG").then(quarter);
    let (turn, again, ratio) = paired(
        ROUNDS / 3,
        || {
            turner.turn(&picture, &mut turned).expect("turns");
        },
        || {
            decoder.decode_planes(&jpeg, size, &mut planes).expect("decodes");
            encoder.encode(&planes, &mut encoded).expect("encodes");
        },
    );
    println!(
        "  {chroma:?}, {} kB: {:.2} ms; decode and encode {:.2} ms; ratio {ratio:.2}",
        jpeg.len() / 1000,
        turn * 1e3,
        again * 1e3
    );
}

fn padded(jpeg: &[u8], zeros: usize) -> Vec<u8> {
    [jpeg, &vec![0; zeros]].concat()
}

fn find(jpeg: &[u8], marker: u8) -> usize {
    jpeg.windows(2).position(|pair| pair == [0xFF, marker]).expect("it has one")
}

fn encode(size: Size, chroma: Chroma, quality: u8) -> Vec<u8> {
    let planes = scene_planes(size, chroma);
    let mut jpeg = vec![0; Encoder::max_len(size, chroma).expect("a size")];
    let len = Encoder::new(quality)
        .and_then(|mut encoder| encoder.encode(&planes, &mut jpeg))
        .expect("encodes");
    jpeg.truncate(len);
    jpeg
}
