//! One picture on all cores against one thread, measured alternately in one run: how soon it is encoded or unpacked, and
//! what all cores spend on it.
//!
//! `cargo bench --bench strips`. It needs cores with nothing else to do.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod clocks;
mod measure;
mod scene;

use clocks::{program_seconds, wall_seconds};
use lancam::camera::encode::{Coding, Encoding, Recipe};
use lancam::camera::strips::EncodeThreads;
use lancam::camera::unpacking::SharedUnpacker;
use lancam::image::frame::{FrameLayout, Micros, RawFrame};
use lancam::image::pixels::{Chroma, Colour, FourCc, PixelFormat, Size};
use lancam::image::planes::Planes;
use lancam::image::unpack::{RawLook, Wanted};
use lancam::wire::packet::{Codec, FrameFacts};
use measure::{paired, paired_by};
use scene::{scene, scene_planes};

const CODING: Coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };

/// Sizes, with the ratio of wall times that is the goal on two cores.
const SIZES: [(Size, Option<f64>); 6] = [
    (Size::new(1920, 1080), Some(0.60)),
    (Size::new(1280, 720), Some(0.65)),
    (Size::new(800, 600), None),
    (Size::new(640, 480), None),
    (Size::new(480, 360), None),
    (Size::new(320, 240), None),
];

fn main() {
    let cores = EncodeThreads::one_for_each_core();
    println!("a picture on {cores} threads, against one thread (goal for CPU 1.05)");
    for (size, goal) in SIZES {
        report(size, goal, cores);
    }
    println!("one thread, against one thread (goal 0.98 to 1.02)");
    report(SIZES[0].0, None, 1);
    println!("a raw frame of {} unpacked on {cores} threads, against one thread", SIZES[0].0);
    for fourcc in [b"RGB3", b"XR24", b"RGGB", b"pRAA"] {
        unpacking(PixelFormat::from_fourcc(FourCc(*fourcc)).expect("known"), SIZES[0].0, cores);
    }
}

fn unpacking(format: PixelFormat, size: Size, threads: usize) {
    let stride = format.min_stride(size.width).expect("a raw format");
    let layout = FrameLayout::new(format, size, stride, Colour::CAMERA);
    let len = layout.frame_len().expect("a raw format");
    let bytes: Vec<u8> = scene(size).into_iter().cycle().take(len).collect();
    let wanted = Wanted { chroma: Chroma::Yuv420, at_least: size };
    let [mut ours, mut limit] = [threads, 1].map(|threads| {
        let threads = EncodeThreads::new(threads);
        let mut unpacker = SharedUnpacker::new(RawLook::default(), &threads);
        let mut planes = Planes::default();
        let (bytes, layout) = (&bytes, &layout);
        move || {
            let frame = RawFrame { bytes, layout };
            unpacker.unpack(&frame, wanted, Micros(1), &mut planes);
        }
    });
    let (all, one, wall) = paired_by(wall_seconds, 120, &mut ours, &mut limit);
    let (_, _, cpu) = paired_by(program_seconds, 120, &mut ours, &mut limit);
    println!(
        "  {format}: {:.2} ms / {:.2} ms = {wall:.3} of the wall time, {cpu:.3} of the CPU time",
        all * 1e3,
        one * 1e3
    );
}

fn report(size: Size, goal: Option<f64>, threads: usize) {
    let planes = scene_planes(size, Chroma::Yuv420);
    let facts = FrameFacts { sequence: 1, captured_at: Micros(1), codec: Codec::Jpeg, size };
    let mut encodings = [threads, 1].map(|threads| {
        let threads = EncodeThreads::new(threads);
        Encoding::new(Recipe { coding: CODING, size }, &threads).expect("encoder")
    });
    let [ours, limit] = &mut encodings;
    let rounds = 200 * 1280 * 720 / size.area();
    let mut len = 0;
    let mut ours = || len = ours.encode(&planes, facts).expect("encodes").payload().len();
    let mut limit = || drop(limit.encode(&planes, facts).expect("encodes"));
    let (all, one, wall) = paired_by(wall_seconds, rounds, &mut ours, &mut limit);
    let (_, _, cpu) = paired_by(program_seconds, rounds, &mut ours, &mut limit);
    let (_, _, own) = paired(rounds, &mut ours, &mut limit);
    let goal = goal.map_or_else(String::new, |goal| format!(" (goal {goal})"));
    println!(
        "  {size}, {} kB: {:.2} ms / {:.2} ms = {wall:.3} of the wall time{goal}, {cpu:.3} of the CPU time ({own:.3} on its own thread)",
        len / 1000,
        all * 1e3,
        one * 1e3
    );
}
