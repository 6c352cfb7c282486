//! The viewer's costs, as ratios to the bare library call, measured alternately in one run.
//!
//! `cargo bench --bench viewer`, or `cargo bench --bench viewer -- loopback` for ages only, `-- cores` for all cores at one
//! frame only. The ratios are stable on a noisy machine, but those of `cores` need cores that are idle. The times beside
//! them are this machine's.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod clocks;
mod cores;
mod loopback;
mod measure;
mod overlay;
mod path;
mod scene;
mod shown;

use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::latest::Latest;
use lancam::viewer::watch::news::Publisher;
use measure::paired;
use path::{Bare, Path};
use scene::scene_planes;

/// Enough rounds for a stable median.
const ROUNDS: usize = 201;

fn main() {
    if std::env::args().any(|argument| argument == "loopback") {
        return loopback::report();
    }
    if std::env::args().any(|argument| argument == "cores") {
        return cores::report();
    }
    println!("bytes of the wire to a picture in the slot, against libjpeg-turbo into ready memory");
    for size in [Size::new(1280, 720), Size::new(1920, 1080), Size::new(320, 180)] {
        let jpeg = encode(size);
        let mut path = Path::new(&jpeg, size, Publisher::new(Latest::new()));
        let mut bare = Bare::new(size);
        let (ours, limit, ratio) = paired(ROUNDS, || path.frame(), || bare.frame(&jpeg));
        let [ours, limit] = [ours, limit].map(|seconds| seconds * 1000.0);
        let len = jpeg.len();
        println!("{size}, {len} bytes: {ours:.3} ms / {limit:.3} ms = {ratio:.3}");
    }
    cores::report();
    shown::report();
    overlay::report();
    loopback::report();
}

/// The scene as a JPEG of this size, as a camera would send it.
pub(crate) fn encode(size: Size) -> Vec<u8> {
    let planes = scene_planes(size, Chroma::Yuv420);
    let room = Encoder::max_len(size, Chroma::Yuv420).expect("a size");
    let mut jpeg = vec![0; room];
    let mut encoder = Encoder::new(80).expect("encoder");
    let len = encoder.encode(&planes, &mut jpeg).expect("encodes");
    jpeg.truncate(len);
    jpeg
}
