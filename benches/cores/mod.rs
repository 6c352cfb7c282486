//! Decoding a JPEG that has restart markers with all cores, against the same in one piece.

use crate::clocks::{program_seconds, wall_seconds};
use crate::measure::paired_by;
use crate::scene::scene_planes;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::jpeg::markers;
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::viewer::watch::cores::{Cores, JpegDecoder};

/// Enough rounds for a stable median.
const ROUNDS: usize = 201;

/// Prints wall time and CPU time, and the ratios of both.
pub(crate) fn report() {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "decoding with {count} cores, against one: the goals for two are 0.60 of the wall time at 1080p, 0.65 at 720p, and 1.05 of the CPU time"
    );
    for size in [Size::new(1920, 1080), Size::new(1280, 720)] {
        for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
            for shown in [size, Size::new(size.width / 2, size.height / 2)] {
                compare(size, chroma, shown);
            }
        }
    }
}

fn compare(size: Size, chroma: Chroma, shown: Size) {
    let jpeg = encode(size, chroma);
    let with = |cores| {
        let mut decoder = JpegDecoder::new(cores).expect("a decoder");
        let mut picture = Picture::default();
        let jpeg = &jpeg;
        move || {
            decoder.decode(jpeg, shown, &mut picture).expect("decodes");
        }
    };
    let (mut all, mut one) = (with(Cores::of_this_machine()), with(Cores::new(1)));
    let (ours, limit, wall) = paired_by(wall_seconds, ROUNDS, &mut all, &mut one);
    let (_, _, cpu) = paired_by(program_seconds, ROUNDS, &mut all, &mut one);
    println!(
        "  {size} {chroma:?}, {} kB, shown as {shown}: {:.2} ms / {:.2} ms = {wall:.3} of the wall time, {cpu:.3} of the CPU time",
        jpeg.len() / 1000,
        ours * 1e3,
        limit * 1e3
    );
}

/// The scene with a restart marker after each row of MCUs: JPEGs of one row each, joined.
fn encode(size: Size, chroma: Chroma) -> Vec<u8> {
    let rows = if chroma == Chroma::Yuv420 { 16 } else { 8 };
    let scene = scene_planes(size, chroma);
    let mut encoder = Encoder::new(80).expect("an encoder");
    let mut jpeg: Vec<u8> = Vec::new();
    for (number, top) in (0..size.height).step_by(rows).enumerate() {
        let part = part(&scene, top, rows.min(size.height - top));
        let mut bytes = vec![0; Encoder::max_len(part.size(), chroma).expect("a size")];
        let len = encoder.encode(&part, &mut bytes).expect("encodes");
        let scan = find(&bytes, markers::SOS);
        let data = scan + 2 + usize::from(u16::from_be_bytes([bytes[scan + 2], bytes[scan + 3]]));
        if number == 0 {
            let height_at = find(&bytes, 0xC0) + 5;
            bytes[height_at..][..2].copy_from_slice(&short(size.height));
            jpeg.extend_from_slice(&bytes[..scan]);
            jpeg.extend([0xFF, 0xDD, 0, 4]);
            jpeg.extend(short(size.width.div_ceil(16)));
            jpeg.extend_from_slice(&bytes[scan..data]);
        }
        jpeg.extend_from_slice(&bytes[data..len - 2]);
        jpeg.extend([0xFF, 0xD0 + u8::try_from(number % 8).expect("below 8")]);
    }
    let end = jpeg.len() - 1;
    jpeg[end] = markers::EOI;
    jpeg
}

/// So many rows of the scene.
fn part(scene: &Planes, top: usize, rows: usize) -> Planes {
    let (whole, chroma) = (scene.size(), scene.chroma());
    let mut part = Planes::default();
    part.reshape(Size::new(whole.width, rows), chroma);
    let above = Size::new(whole.width, top);
    let [y, cb, cr] = scene.split();
    let (luma_above, colours_above) =
        (chroma.luma_size(above).area(), chroma.chroma_size(above).area());
    let to = part.split_mut();
    to.y.copy_from_slice(&y[luma_above..][..to.y.len()]);
    to.cb.copy_from_slice(&cb[colours_above..][..to.cb.len()]);
    to.cr.copy_from_slice(&cr[colours_above..][..to.cr.len()]);
    part
}

fn find(jpeg: &[u8], marker: u8) -> usize {
    jpeg.windows(2).position(|pair| pair == [0xFF, marker]).expect("it has one")
}

fn short(value: usize) -> [u8; 2] {
    u16::try_from(value).expect("a side of a JPEG").to_be_bytes()
}
