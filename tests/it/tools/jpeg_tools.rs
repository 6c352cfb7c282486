//! JPEGs for tests, from our encoder and from libjpeg-turbo's programs, which also check our output.

use lancam::image::jpeg::codec::Encoder;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use std::io::Write;
use std::process::{Command, Stdio};

/// Every subsampling of colours that lancam knows.
pub const CHROMAS: [Chroma; 7] = [
    Chroma::Yuv420,
    Chroma::Yuv422,
    Chroma::Yuv444,
    Chroma::Yuv440,
    Chroma::Yuv411,
    Chroma::Yuv441,
    Chroma::Grey,
];

/// A JPEG from our encoder: smooth, with edges and a little noise, in colour.
pub fn encoded(size: Size, chroma: Chroma, quality: u8) -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(size, chroma);
    let luma = chroma.luma_size(size);
    let mut noise = noise(7);
    let to = planes.split_mut();
    for (index, y) in to.y.iter_mut().enumerate() {
        let (x, row) = (index % luma.width, index / luma.width);
        let edge = if x / 11 + row / 7 < 6 { 70 } else { 0 };
        *y = byte(40 + x * 60 / luma.width + row * 30 / luma.height + edge) ^ byte(noise() & 7);
    }
    for (cb, cr) in to.cb.iter_mut().zip(to.cr.iter_mut()) {
        *cb = byte(100 + (noise() & 15));
        *cr = byte(150 + (noise() & 15));
    }
    let mut out = vec![0; Encoder::max_len(size, chroma).expect("a size")];
    let len = Encoder::new(quality)
        .and_then(|mut encoder| encoder.encode(&planes, &mut out))
        .expect("encodes");
    out.truncate(len);
    out
}

/// Several JPEGs in a row, each of a single grey.
pub fn grey_jpegs(greys: &[u8]) -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(Size::new(64, 48), Chroma::Yuv422);
    let mut encoder = Encoder::new(90).expect("encoder");
    let mut out = vec![0; Encoder::max_len(planes.size(), Chroma::Yuv422).expect("a size")];
    let mut clip = Vec::new();
    for &grey in greys {
        planes.packed_mut().fill(128);
        planes.split_mut().y.fill(grey);
        let len = encoder.encode(&planes, &mut out).expect("encodes");
        clip.extend_from_slice(&out[..len]);
    }
    clip
}

/// A black JPEG of 16x16 from our encoder.
pub fn tiny(chroma: Chroma) -> Vec<u8> {
    let size = Size::new(16, 16);
    let mut planes = Planes::default();
    planes.reshape(size, chroma);
    let mut jpeg = vec![0; Encoder::max_len(size, chroma).expect("a size")];
    let mut encoder = Encoder::new(50).expect("an encoder");
    let len = encoder.encode(&planes, &mut jpeg).expect("a picture");
    jpeg.truncate(len);
    jpeg
}

/// A JPEG made by `cjpeg` with these arguments. `None`, reported as a skip, if it is not installed.
pub fn cjpeg(size: Size, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut noise = noise(3);
    let mut ppm = format!("P6 {} {} 255\n", size.width, size.height).into_bytes();
    for row in 0..size.height {
        for x in 0..size.width {
            let edge = if x / 13 + row / 9 < 5 { 80 } else { 0 };
            let grain = noise() & 7;
            ppm.extend(
                [x * 90 / size.width + edge, row * 120 / size.height, 60].map(|v| byte(v + grain)),
            );
        }
    }
    tool("cjpeg", arguments, &ppm).map(|made| made.stdout)
}

/// Decodes with `djpeg`. Returns the pixels with their header, and what it printed.
pub fn djpeg(jpeg: &[u8]) -> Option<(Vec<u8>, String)> {
    tool("djpeg", &["-pnm"], jpeg).map(|made| (made.stdout, made.said))
}

pub struct Made {
    pub stdout: Vec<u8>,
    pub said: String,
}

/// Runs a program with `input`, one of libjpeg-turbo's or ffmpeg. `None`, reported as a skip, if it is not installed.
pub fn tool(name: &str, arguments: &[&str], input: &[u8]) -> Option<Made> {
    let child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        crate::tools::skip::skip(name, "not installed (cjpeg and djpeg: libjpeg-turbo-progs)");
        return None;
    };
    let mut stdin = child.stdin.take().expect("piped");
    let output = std::thread::scope(|scope| {
        // It may stop reading before the end of its input.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("it runs")
    });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(Made { stdout: output.stdout, said })
}

/// Pseudo-random numbers, the same for each seed.
pub fn noise(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits")
    }
}

pub fn byte(value: usize) -> u8 {
    u8::try_from(value & 0xFF).expect("below 256")
}
