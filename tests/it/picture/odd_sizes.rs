//! Every format at unusual sizes: decoding does not fail, and does not depend on the pictures before.

use crate::tools::jpeg_tools::{CHROMAS, byte, encoded, noise};
use lancam::image::frame::{FrameLayout, RawFrame};
use lancam::image::jpeg::codec::{Decoded, Decoder, Encoder};
use lancam::image::orientation::{Mirror, Orientation, Rotation};
use lancam::image::pixels::{Chroma, Colour, Matrix, PixelFormat, Range, Size};
use lancam::image::planes::Planes;
use lancam::image::resize::PlaneResizer;
use lancam::image::turn::turn;
use lancam::image::unpack::{RawLook, Unpacker, Wanted};

const SIDES: [usize; 10] = [1, 2, 3, 4, 7, 16, 17, 33, 65, 131];

const ORIENTATIONS: [Orientation; 3] = [
    Orientation::UPRIGHT,
    Orientation::FLIPPED_TOP_BOTTOM,
    Orientation { mirror: Mirror::LeftRight, rotation: Rotation::Quarter },
];

fn sizes() -> impl Iterator<Item = Size> {
    SIDES.into_iter().flat_map(|width| SIDES.map(|height| Size::new(width, height)))
}

#[test]
fn scratch_memory_of_larger_pictures_leaves_no_trace_in_smaller_ones() {
    let mut noise = noise(11);
    let limited = Colour { matrix: Matrix::Bt709, range: Range::Limited };
    for look in [RawLook::default(), RawLook::AS_IT_IS] {
        for format in PixelFormat::all().filter(|&format| format != PixelFormat::Jpeg) {
            let mut used = Unpacker::new(look);
            let mut planes = Planes::default();
            // Begins with the largest size.
            for size in sizes().collect::<Vec<_>>().into_iter().rev() {
                let stride = format.min_stride(size.width).expect("raw") + noise() % 4;
                let orientation = ORIENTATIONS[noise() % 3];
                let colour = if noise().is_multiple_of(2) { limited } else { Colour::JPEG };
                let layout =
                    FrameLayout { orientation, ..FrameLayout::new(format, size, stride, colour) };
                let bytes: Vec<u8> =
                    (0..layout.frame_len().expect("raw")).map(|_| byte(noise())).collect();
                let frame = RawFrame { bytes: &bytes, layout: &layout };
                let at_least =
                    if noise().is_multiple_of(2) { Size::new(1, 1) } else { layout.upright_size() };
                let chroma =
                    if noise().is_multiple_of(2) { Chroma::Yuv420 } else { Chroma::Yuv422 };
                let wanted = Wanted { chroma, at_least };
                used.unpack(&frame, wanted, &mut planes);
                if matches!(format, PixelFormat::Bayer(..)) && look != RawLook::AS_IT_IS {
                    // Here the automatics depend on the earlier pictures, as they should.
                    continue;
                }
                let mut expected = Planes::default();
                Unpacker::new(look).unpack(&frame, wanted, &mut expected);
                assert_eq!(planes.size(), expected.size());
                assert!(planes.packed() == expected.packed(), "{format} {size} {orientation}");
            }
        }
    }
}

#[test]
fn a_jpeg_of_any_size_and_subsampling_is_decoded_turned_resized_and_encoded() {
    let mut decoder = Decoder::new().expect("a decoder");
    let mut encoder = Encoder::new(80).expect("an encoder");
    let mut resizer = PlaneResizer::default();
    let [mut planes, mut turned, mut resized] = [(); 3].map(|()| Planes::default());
    let mut out = vec![0; Encoder::max_len(Size::new(256, 256), Chroma::Yuv444).expect("a size")];
    for chroma in CHROMAS {
        for size in sizes() {
            let jpeg = encoded(size, chroma, 80);
            for part in [1, 2, 4, 8] {
                let at_least = Size::new(size.width.div_ceil(part), size.height.div_ceil(part));
                let decoded = decoder.decode_planes(&jpeg, at_least, &mut planes);
                assert_eq!(decoded.expect("decodes"), Decoded::Whole, "{size} {chroma:?}");
                assert!(planes.size().width >= at_least.width, "{size} {chroma:?} 1/{part}");
                turn(&planes, Orientation::turned(Rotation::Quarter), &mut turned);
                let grey = if chroma == Chroma::Grey { Chroma::Grey } else { Chroma::Yuv420 };
                for wanted in [grey, Chroma::Yuv420] {
                    let to = Size::new(at_least.height, at_least.width);
                    resizer.resize(&turned, &mut resized, to, wanted);
                    encoder.encode(&resized, &mut out).expect("encodes");
                }
                let mut bgr = vec![0; resized.size().area() * 3];
                resized.write_bgr(&mut bgr);
            }
        }
    }
}
