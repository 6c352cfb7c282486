//! Every raw format at 720p to JPEG, as a ratio to libjpeg-turbo on ready planes, measured alternately.
//!
//! `cargo bench --bench formats`. The ratios are stable on a noisy machine; the times beside them are this machine's.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod measure;
mod scene;

use lancam::image::frame::{FrameLayout, Memory, RawFrame};
use lancam::image::jpeg::codec::Encoder;
use lancam::image::orientation::{Orientation, Rotation};
use lancam::image::pixels::{
    BayerOrder, Chroma, Colour, Matrix, PixelFormat, Range, SampleDepth, SamplePacking, Size,
};
use lancam::image::planes::Planes;
use lancam::image::unpack::{RawLook, Unpacker, Wanted};
use measure::paired;
use scene::{scene, scene_planes};

const SIZE: Size = Size::new(1280, 720);
const HALF: Size = Size::new(640, 360);
const QUALITY: u8 = 80;

/// How one format is measured.
struct Case {
    layout: FrameLayout,
    at_least: Size,
    look: RawLook,
    note: &'static str,
}

impl Case {
    fn of(format: PixelFormat) -> Self {
        let stride = format.min_stride(SIZE.width).expect("a raw format");
        let layout = FrameLayout::new(format, SIZE, stride, Colour::CAMERA);
        Self { layout, at_least: SIZE, look: RawLook::default(), note: "" }
    }

    fn coloured(colour: Colour) -> Self {
        let case = Self::of(PixelFormat::YUYV);
        Self { layout: FrameLayout { colour, ..case.layout }, ..case }
    }

    fn turned(format: PixelFormat, orientation: Orientation, note: &'static str) -> Self {
        let case = Self::of(format);
        Self { layout: FrameLayout { orientation, ..case.layout }, note, ..case }
    }
}

fn main() {
    println!(
        "720p to JPEG, quality {QUALITY}, 4:2:0: CPU ms a frame, and the ratio to libjpeg-turbo on ready planes"
    );
    for format in PixelFormat::all().filter(|format| *format != PixelFormat::Jpeg) {
        row(&Case::of(format));
    }
    for packing in [SamplePacking::Unpacked(SampleDepth::Bits8), SamplePacking::Packed10] {
        let bayer = || Case::of(PixelFormat::Bayer(BayerOrder::Rggb, packing));
        row(&Case { look: RawLook::AS_IT_IS, note: "as it is", ..bayer() });
        row(&Case { at_least: HALF, note: "to 640x360", ..bayer() });
        let note = "as it is, to 640x360";
        row(&Case { at_least: HALF, look: RawLook::AS_IT_IS, note, ..bayer() });
    }
    for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
        for range in [Range::Limited, Range::Full] {
            row(&Case::coloured(Colour { matrix, range }));
        }
    }
    let quarter = Orientation::turned(Rotation::Quarter);
    row(&Case::turned(PixelFormat::YUYV, quarter, "turned by 90"));
    row(&Case::turned(PixelFormat::YUYV, Orientation::turned(Rotation::Half), "turned by 180"));
    let nv12 = PixelFormat::from_fourcc(lancam::image::pixels::FourCc(*b"NV12"));
    row(&Case::turned(nv12.expect("known"), quarter, "turned by 90"));
    println!(
        "The same frames with rows copied before they are read, as out of uncached memory, to JPEG: the ratio to \
         without, here, where memory is cached (at most 1.03)"
    );
    for fourcc in [b"YUYV", b"NV12", b"YU12", b"RGB3", b"GREY", b"RGGB", b"pRAA"] {
        let format = PixelFormat::from_fourcc(lancam::image::pixels::FourCc(*fourcc));
        copied(&Case::of(format.expect("known")));
    }
}

/// Measures the cost of copying rows first where that is not needed.
fn copied(case: &Case) {
    let Case { layout, at_least, look, .. } = case;
    let len = layout.frame_len().expect("a raw format");
    // As many buffers as a camera uses in turn, so that none is in the nearest cache.
    let buffers: [Vec<u8>; 4] = std::array::from_fn(|skipped| {
        scene(SIZE).into_iter().cycle().skip(skipped).take(len).collect()
    });
    let wanted = Wanted { chroma: Chroma::Yuv420, at_least: *at_least };
    let frames = |memory: Memory| {
        let layout = FrameLayout { memory, ..*layout };
        let (mut unpacker, mut planes) = (Unpacker::new(*look), Planes::default());
        let mut encoder = Encoder::new(QUALITY).expect("encoder");
        let mut out = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
        let buffers = &buffers;
        let mut number = 0;
        move |encoding: bool| {
            let frame = RawFrame { bytes: &buffers[number % buffers.len()], layout: &layout };
            number += 1;
            unpacker.unpack(&frame, wanted, &mut planes);
            if encoding {
                encoder.encode(&planes, &mut out).expect("encodes");
            }
        }
    };
    let (mut with, mut without) = (frames(Memory::Uncached), frames(Memory::Cached));
    let (.., unpacking) = paired(120, || with(false), || without(false));
    let (ours, plain, whole) = paired(120, || with(true), || without(true));
    println!(
        "  {:<5} {:.3} ms with, {:.3} without: {whole:.3}   (unpacking alone {unpacking:.2})",
        layout.format.to_string(),
        ours * 1e3,
        plain * 1e3,
    );
}

fn row(case: &Case) {
    let Case { layout, at_least, look, note } = case;
    // The content of the bytes matters little for unpacking. Encoding is measured on planes of one scene.
    let len = layout.frame_len().expect("a raw format");
    let bytes: Vec<u8> = scene(SIZE).into_iter().cycle().take(len).collect();
    let frame = RawFrame { bytes: &bytes, layout };
    let wanted = Wanted { chroma: Chroma::Yuv420, at_least: *at_least };
    let mut unpacker = Unpacker::new(*look);
    let mut planes = Planes::default();
    unpacker.unpack(&frame, wanted, &mut planes);
    let is_halved = planes.size().area() < SIZE.area();
    let ready = scene_planes(if is_halved { HALF } else { SIZE }, Chroma::Yuv420);
    let mut encoder = Encoder::new(QUALITY).expect("encoder");
    let mut out = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
    let (unpacking, encoding, _) = paired(
        60,
        || unpacker.unpack(&frame, wanted, &mut planes),
        || {
            encoder.encode(&ready, &mut out).expect("encodes");
        },
    );
    println!(
        "  {:<5} {:<22} {note:<20} unpacked in {:.3}, encoded in {:.3}: {:.2}",
        layout.format.to_string(),
        layout.colour.to_string(),
        unpacking * 1e3,
        encoding * 1e3,
        (unpacking + encoding) / encoding
    );
}
