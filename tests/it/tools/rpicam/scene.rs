//! What the stand-in films: colour bars, and a stamp with the frame's number and time of exposure.

use super::options::Options;
use lancam::image::frame::Micros;
use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use lancam::image::stamp::Stamp;
use std::time::Duration;

/// The time from a frame's exposure to its bytes, as in the hardware's pipeline.
pub const DELAY: Duration = Duration::from_millis(45);

/// Y, Cb, Cr in full range (JFIF): white, yellow, cyan, green, magenta, red, blue, black at 75 %.
const BARS: [[u8; 3]; 8] = [
    [191, 128, 128],
    [169, 32, 143],
    [134, 160, 32],
    [112, 64, 48],
    [79, 192, 208],
    [57, 96, 223],
    [22, 224, 113],
    [0, 128, 128],
];

/// Draws frame after frame.
pub struct Scene {
    bars: Planes,
    frame: Planes,
    is_limited: bool,
    flips: (bool, bool),
    encoder: Option<(Encoder, Vec<u8>)>,
}

impl Scene {
    pub fn new(options: &Options, size: Size, is_limited: bool) -> Self {
        let mut bars = Planes::default();
        bars.reshape(size, Chroma::Yuv420);
        let lighter = options.brightness * 64.0;
        let Size { width, height } = size;
        let to = bars.split_mut();
        let bar = |x: usize, width: usize| BARS[(x * BARS.len() / width).min(BARS.len() - 1)];
        for (index, y) in to.y.iter_mut().enumerate() {
            let luma = (f64::from(bar(index % width, width)[0]) + lighter).clamp(0.0, 255.0);
            *y = ranged(luma, 219.0, 16.0, is_limited);
        }
        let half = width.div_ceil(2);
        for index in 0..half * height.div_ceil(2) {
            let [_, cb, cr] = bar(index % half, half).map(f64::from);
            to.cb[index] = ranged(cb - 128.0, 224.0, 128.0, is_limited);
            to.cr[index] = ranged(cr - 128.0, 224.0, 128.0, is_limited);
            if !is_limited {
                to.cb[index] = bar(index % half, half)[1];
                to.cr[index] = bar(index % half, half)[2];
            }
        }
        let mut frame = Planes::default();
        frame.reshape(size, Chroma::Yuv420);
        let encoder = options.is_mjpeg.then(|| {
            let room = vec![0; Encoder::max_len(size, Chroma::Yuv420).expect("a size")];
            (Encoder::new(options.quality).expect("an encoder"), room)
        });
        Self { bars, frame, is_limited, flips: (options.hflip, options.vflip), encoder }
    }

    /// The bytes of a frame.
    pub fn frame(&mut self, sequence: u32, exposed_at: Micros) -> &[u8] {
        self.frame.packed_mut().copy_from_slice(self.bars.packed());
        let size = self.frame.size();
        let (white, black) = if self.is_limited { (235, 16) } else { (255, 0) };
        let to = self.frame.split_mut();
        Stamp { sequence, made_at: exposed_at }.draw(size, |columns, rows, is_white| {
            for row in rows {
                to.y[row * size.width..][columns.clone()].fill(if is_white {
                    white
                } else {
                    black
                });
            }
        });
        // The stamp's cells have no colour.
        let half = size.width.div_ceil(2);
        let grey_from = half * (size.height * 22 / 24 / 2);
        to.cb[grey_from..].fill(128);
        to.cr[grey_from..].fill(128);
        flip(to.y, size.width, self.flips);
        flip(to.cb, half, self.flips);
        flip(to.cr, half, self.flips);
        match &mut self.encoder {
            None => self.frame.packed(),
            Some((encoder, room)) => {
                let len = encoder.encode(&self.frame, room).expect("it encodes");
                &room[..len]
            }
        }
    }
}

/// A full-range value, converted to limited range if asked for.
fn ranged(value: f64, scale: f64, offset: f64, is_limited: bool) -> u8 {
    let value = if is_limited { value * scale / 255.0 + offset } else { value };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a byte"
    )]
    {
        value.round().clamp(0.0, 255.0) as u8
    }
}

fn flip(plane: &mut [u8], width: usize, (left_right, top_bottom): (bool, bool)) {
    if left_right {
        plane.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    if top_bottom {
        let rows = plane.len() / width;
        for row in 0..rows / 2 {
            let (upper, lower) = plane.split_at_mut((rows - 1 - row) * width);
            upper[row * width..][..width].swap_with_slice(&mut lower[..width]);
        }
    }
}
