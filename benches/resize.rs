//! The cost of resizing planes, as a ratio to the bare calls of `fast_image_resize`, measured alternately.
//!
//! `cargo bench --bench resize`. The ratios are stable on a noisy machine; the times beside them are this machine's.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod measure;
mod scene;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::image::resize::PlaneResizer;
use measure::paired;
use scene::scene_planes;

fn main() {
    println!(
        "planes of 4:2:0, resized: CPU ms a picture, and the ratio to the library's bare calls"
    );
    for (from, to) in [
        (Size::new(1920, 1080), Size::new(640, 360)),
        (Size::new(1280, 720), Size::new(320, 180)),
        (Size::new(640, 360), Size::new(1280, 720)),
    ] {
        let source = scene_planes(from, Chroma::Yuv420);
        let mut target = Planes::default();
        let mut ours = PlaneResizer::default();
        let mut bare = Bare::new(to);
        let (ours, limit, ratio) = paired(
            200,
            || ours.resize(&source, &mut target, to, Chroma::Yuv420),
            || bare.resize(&source),
        );
        let [ours, limit] = [ours, limit].map(|seconds| seconds * 1e3);
        println!("  {from} to {to}: {ours:.3}; bare {limit:.3}; ratio {ratio:.2} (goal 1.1)");
    }
}

/// Three calls of the library into ready memory.
struct Bare {
    resizer: Resizer,
    options: ResizeOptions,
    planes: [(Size, Vec<u8>); 3],
}

impl Bare {
    fn new(to: Size) -> Self {
        let chroma = Chroma::Yuv420.chroma_size(to);
        let algorithm = ResizeAlg::Convolution(FilterType::Bilinear);
        Self {
            resizer: Resizer::new(),
            options: ResizeOptions::new().resize_alg(algorithm).use_alpha(false),
            planes: [to, chroma, chroma].map(|size| (size, vec![0; size.area()])),
        }
    }

    fn resize(&mut self, source: &Planes) {
        let chroma = Chroma::Yuv420.chroma_size(source.size());
        let sizes = [source.size(), chroma, chroma];
        let side = |side: usize| u32::try_from(side).expect("a small picture");
        for ((from_size, from), (to_size, to)) in
            sizes.into_iter().zip(source.split()).zip(&mut self.planes)
        {
            let (width, height) = (side(from_size.width), side(from_size.height));
            let from = TypedImageRef::<U8>::from_buffer(width, height, from).expect("its size");
            let (width, height) = (side(to_size.width), side(to_size.height));
            let mut to = TypedImage::<U8>::from_buffer(width, height, to).expect("its size");
            self.resizer.resize_typed(&from, &mut to, &self.options).expect("it resizes");
        }
    }
}
