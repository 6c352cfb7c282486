//! Pictures that several threads encode in strips: the pixels are those of one piece, for us and for other decoders.

use crate::tools::jpeg_tools::{byte, djpeg, noise};
use crate::tools::program::{python_with, run};
use lancam::camera::encode::{Coding, Encoding, Recipe};
use lancam::camera::strips::EncodeThreads;
use lancam::image::frame::{FrameLayout, Micros, RawFrame};
use lancam::image::jpeg::codec::{Decoded, Decoder, Encoder};
use lancam::image::jpeg::repair::examine;
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Colour, Packed, PixelFormat, SampleDepth, Size};
use lancam::image::planes::Planes;
use lancam::image::unpack::{RawLook, Unpacker, Wanted};
use lancam::wire::packet::{Codec, FrameFacts};
use std::path::PathBuf;
use std::process::Command;

/// Large enough to be shared, and no multiple of an MCU on either side.
const SIZE: Size = Size::new(805, 605);

const YUYV: PixelFormat = PixelFormat::Packed(Packed::Yuyv);
const GREY: PixelFormat = PixelFormat::Grey(SampleDepth::Bits8);

/// The picture as a camera with this many threads encodes it.
fn encoded(planes: &Planes, quality: u8, threads: usize) -> Vec<u8> {
    let size = planes.size();
    let recipe = Recipe { coding: Coding::Jpeg { quality, chroma: planes.chroma() }, size };
    let facts = FrameFacts { sequence: 1, captured_at: Micros(1), codec: Codec::Jpeg, size };
    let mut encoding = Encoding::new(recipe, &EncodeThreads::new(threads)).expect("an encoder");
    encoding.encode(planes, facts).expect("encodes").payload().to_vec()
}

/// The picture in one piece, by the library alone.
fn in_one_piece(planes: &Planes, quality: u8) -> Vec<u8> {
    let mut jpeg = vec![0; Encoder::max_len(planes.size(), planes.chroma()).expect("a size")];
    let mut encoder = Encoder::new(quality).expect("an encoder");
    let len = encoder.encode(planes, &mut jpeg).expect("encodes");
    jpeg.truncate(len);
    jpeg
}

fn restarts(jpeg: &[u8]) -> usize {
    jpeg.windows(2).filter(|pair| pair[0] == 0xFF && (0xD0..=0xD7).contains(&pair[1])).count()
}

/// What a screen shows of it.
fn shown(jpeg: &[u8]) -> Picture {
    let mut picture = Picture::default();
    let whole = Decoder::new().expect("a decoder").decode(jpeg, &mut picture).expect("decodes");
    assert_eq!(whole, Decoded::Whole);
    picture
}

/// A camera's frame of random slopes and noise, read into planes.
fn planes(format: PixelFormat, size: Size, chroma: Chroma, seed: u64) -> Planes {
    let mut noise = noise(seed);
    let stride = format.min_stride(size.width).expect("raw");
    let layout = FrameLayout::new(format, size, stride, Colour::CAMERA);
    let len = layout.frame_len().expect("raw");
    let bytes: Vec<u8> = (0..len).map(|at| byte((at / 97 % 180) + noise() % 60)).collect();
    let mut planes = Planes::default();
    let frame = RawFrame { bytes: &bytes, layout: &layout };
    let wanted = Wanted { chroma, at_least: size };
    Unpacker::new(RawLook::default()).unpack(&frame, wanted, &mut planes);
    planes
}

#[test]
fn of_every_format_the_pixels_are_those_of_one_piece() {
    for format in PixelFormat::all().filter(|&format| format != PixelFormat::Jpeg) {
        for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
            let planes = planes(format, SIZE, chroma, 5);
            let (shared, whole) = (encoded(&planes, 80, 3), in_one_piece(&planes, 80));
            assert!(restarts(&shared) > 0, "{format}: it was shared");
            assert!(shown(&shared).pixels() == shown(&whole).pixels(), "{format}, {chroma:?}");
            let examined = examine(&shared).expect("a JPEG");
            assert!(examined.decodes_as_sent(), "{format}: nothing to repair");
        }
    }
}

#[test]
fn with_one_thread_or_a_small_picture_the_bytes_are_the_librarys() {
    let [large, small] =
        [SIZE, Size::new(320, 240)].map(|size| planes(YUYV, size, Chroma::Yuv420, 6));
    for (planes, threads) in [(&large, 1), (&small, 1), (&small, 8)] {
        assert!(encoded(planes, 80, threads) == in_one_piece(planes, 80), "{threads} threads");
    }
}

/// A picture in strips and in one piece, for each kind of JPEG that lancam makes.
fn kinds() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let mut kinds = Vec::new();
    for (format, chroma) in [(YUYV, Chroma::Yuv420), (YUYV, Chroma::Yuv422), (GREY, Chroma::Grey)] {
        let planes = planes(format, SIZE, chroma, 7);
        for quality in [1, 80, 100] {
            let (shared, whole) = (encoded(&planes, quality, 4), in_one_piece(&planes, quality));
            assert!(restarts(&shared) > 0, "it was shared");
            kinds.push((format!("{chroma:?}, quality {quality}"), shared, whole));
        }
    }
    kinds
}

#[test]
fn djpeg_sees_the_same_without_a_word() {
    for (what, shared, whole) in kinds() {
        let (Some(shared), Some(whole)) = (djpeg(&shared), djpeg(&whole)) else { return };
        assert_eq!(shared.1, "", "{what}");
        assert!(shared.0 == whole.0 && !shared.0.is_empty(), "{what}");
    }
}

/// The pictures in files, in pairs, below one folder.
fn in_files(folder: &std::path::Path) -> Vec<[PathBuf; 2]> {
    let pairs = kinds().into_iter().enumerate();
    pairs
        .map(|(number, (_, shared, whole))| {
            let path = |name: &str| folder.join(format!("{number}-{name}.jpg"));
            let [one, other] = [path("shared"), path("whole")];
            std::fs::write(&one, shared).expect("writes");
            std::fs::write(&other, whole).expect("writes");
            [one, other]
        })
        .collect()
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn ffmpeg_sees_the_same_without_a_word() {
    let folder = tempfile::tempdir().expect("a folder");
    for pair in in_files(folder.path()) {
        let mut seen = Vec::new();
        for path in pair {
            let path = path.to_str().expect("UTF-8");
            let options = ["-v", "warning", "-i", path, "-f", "rawvideo", "-"];
            let Some(output) = run("ffmpeg", &options) else { return };
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success() && said.is_empty(), "{path}: {said}");
            seen.push(output.stdout);
        }
        assert!(seen[0] == seen[1] && !seen[0].is_empty());
    }
}

const PILLOW: &str = "
import sys
from PIL import Image
seen = [Image.open(path).tobytes() for path in sys.argv[1:]]
assert len(seen[0]) > 200_000 and seen[0] == seen[1]
";

const OPENCV: &str = "
import sys, cv2
seen = [cv2.imread(path, cv2.IMREAD_UNCHANGED) for path in sys.argv[1:]]
assert seen[0].size > 200_000 and (seen[0] == seen[1]).all()
";

#[test]
fn pillow_and_opencv_see_the_same_without_a_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let pairs = in_files(folder.path());
    let opencv = [("opencv-python-headless", "4.10.0.84"), ("numpy", "2.2.6")];
    for (packages, script) in [(&[("pillow", "12.0.0")][..], PILLOW), (&opencv, OPENCV)] {
        let Some(python) = python_with(packages) else { continue };
        for pair in &pairs {
            let python =
                Command::new(&python).args(["-W", "error", "-c", script]).args(pair).output();
            let python = python.expect("python runs");
            let said = String::from_utf8_lossy(&python.stderr).into_owned();
            assert!(python.status.success() && said.is_empty(), "{pair:?}: {said}");
        }
    }
}
