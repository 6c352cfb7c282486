//! The viewer's costs as ratios to the bare library call, measured in turns in one run.
//!
//! `cargo bench --bench viewer`. Ratios hold on a noisy machine; the times beside them are this machine's.

mod measure;
mod overlay;
mod scene;

use lancam::image::frame::Micros;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::latest::Latest;
use lancam::viewer::developer::Developer;
use lancam::viewer::news::Billboard;
use lancam::wire::native::MAX_PAYLOAD;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::Message;
use lancam::wire::native::write::frame_prefix;
use lancam::wire::packet::{Codec, FrameFacts};
use measure::paired;
use scene::scene_planes;
use turbojpeg::{Decompressor, Image};

/// Enough for the median to stand still.
const ROUNDS: usize = 201;

fn main() {
    println!("bytes of the wire to a picture in the slot, against libjpeg-turbo into ready memory");
    for size in [Size::new(1280, 720), Size::new(1920, 1080), Size::new(320, 180)] {
        let jpeg = encode(size);
        let mut path = Path::new(&jpeg, size);
        let mut bare = Bare::new(size);
        let (ours, limit, ratio) = paired(ROUNDS, || path.frame(), || bare.frame(&jpeg));
        let [ours, limit] = [ours, limit].map(|seconds| seconds * 1000.0);
        let len = jpeg.len();
        println!("{size}, {len} bytes: {ours:.3} ms / {limit:.3} ms = {ratio:.3}");
    }
    overlay::report();
}

/// The viewer's own stages, fed with what would come from a socket.
struct Path {
    wire: Vec<u8>,
    decoder: Decoder,
    developer: Developer,
    billboard: Billboard,
}

impl Path {
    fn new(jpeg: &[u8], size: Size) -> Self {
        let facts = FrameFacts { sequence: 1, captured_at: Micros(1), codec: Codec::Jpeg, size };
        let mut wire = frame_prefix(&facts, jpeg.len()).to_vec();
        wire.extend_from_slice(jpeg);
        let developer = Developer::new().expect("a decoder");
        let billboard = Billboard::new(Latest::new());
        Self { wire, decoder: Decoder::new(MAX_PAYLOAD), developer, billboard }
    }

    fn frame(&mut self) {
        let mut left = self.wire.as_slice();
        while !left.is_empty() {
            let space = self.decoder.space();
            let count = space.len().min(left.len());
            let (now, later) = left.split_at(count);
            space[..count].copy_from_slice(now);
            self.decoder.filled(count);
            left = later;
        }
        let message = self.decoder.next_message().expect("the bytes are our own");
        let Some(Message::Frame { facts, payload }) = message else {
            unreachable!("a whole frame went in");
        };
        self.developer.develop(&facts, None, payload, &mut self.billboard);
    }
}

/// One call of the library, nothing around it.
struct Bare {
    decompressor: Decompressor,
    pixels: Vec<u8>,
    size: Size,
}

impl Bare {
    fn new(size: Size) -> Self {
        let decompressor = Decompressor::new().expect("memory");
        Self { decompressor, pixels: vec![0; size.area() * 4], size }
    }

    fn frame(&mut self, jpeg: &[u8]) {
        let Size { width, height } = self.size;
        let format = turbojpeg::PixelFormat::BGRX;
        let pixels = self.pixels.as_mut_slice();
        let image = Image { pixels, width, pitch: width * 4, height, format };
        self.decompressor.decompress(jpeg, image).expect("a whole JPEG");
    }
}

/// The scene as a camera of this size would send it.
fn encode(size: Size) -> Vec<u8> {
    let planes = scene_planes(size, Chroma::Yuv420);
    let room = Encoder::max_len(size, Chroma::Yuv420).expect("a size");
    let mut jpeg = vec![0; room];
    let mut encoder = Encoder::new(80).expect("encoder");
    let len = encoder.encode(&planes, &mut jpeg).expect("encodes");
    jpeg.truncate(len);
    jpeg
}
