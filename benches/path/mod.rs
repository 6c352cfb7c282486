//! From bytes to pixels, by the viewer's stages and by the bare library.

use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::viewer::arrival::Age;
use lancam::viewer::keep::recorder::Recorder;
use lancam::viewer::watch::decoding::Decoding;
use lancam::viewer::watch::demand::Demand;
use lancam::viewer::watch::news::Publisher;
use lancam::wire::native::MAX_PAYLOAD;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::Message;
use lancam::wire::native::write::frame_prefix;
use lancam::wire::packet::{Codec, FrameFacts};
use std::sync::Arc;
use turbojpeg::{Decompressor, Image};

/// The viewer's own stages, with input as it would come from a socket.
pub(crate) struct Path {
    wire: Vec<u8>,
    decoder: Decoder,
    decoding: Decoding,
    publisher: Publisher,
    /// The age of the next frame.
    pub(crate) age: Option<Age>,
}

impl Path {
    pub(crate) fn new(jpeg: &[u8], size: Size, publisher: Publisher) -> Self {
        let facts = FrameFacts { sequence: 1, captured_at: Micros(1), codec: Codec::Jpeg, size };
        let mut wire = frame_prefix(&facts, jpeg.len()).to_vec();
        wire.extend_from_slice(jpeg);
        let decoding = Decoding::new().expect("a decoder");
        Self { wire, decoder: Decoder::new(MAX_PAYLOAD), decoding, publisher, age: None }
    }

    /// Decodes only what `demand` asks for.
    pub(crate) fn looked_at_by(mut self, demand: Arc<Demand>) -> Self {
        self.decoding.look_at(demand);
        self
    }

    pub(crate) fn recorder(&self) -> Recorder {
        self.decoding.recorder()
    }

    pub(crate) fn frame(&mut self) {
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
        self.decoding.decode(&facts, self.age, payload, &mut self.publisher);
    }
}

/// One call of the library with nothing around it.
pub(crate) struct Bare {
    decompressor: Decompressor,
    pub(crate) pixels: Vec<u8>,
    size: Size,
}

impl Bare {
    pub(crate) fn new(size: Size) -> Self {
        let decompressor = Decompressor::new().expect("memory");
        Self { decompressor, pixels: vec![0; size.area() * 4], size }
    }

    pub(crate) fn frame(&mut self, jpeg: &[u8]) {
        let Size { width, height } = self.size;
        let format = turbojpeg::PixelFormat::BGRX;
        let pixels = self.pixels.as_mut_slice();
        let image = Image { pixels, width, pitch: width * 4, height, format };
        self.decompressor.decompress(jpeg, image).expect("a whole JPEG");
    }
}
