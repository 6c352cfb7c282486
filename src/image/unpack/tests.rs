//! Tests that pack each format by its definition in floating point, and unpack it again.

use super::*;
use crate::image::frame::{FrameLayout, Memory};
use crate::image::orientation::{Orientation, Rotation};
use crate::image::pixels::{
    BayerOrder, ChromaOrder, Colour, Matrix, Packed, Range, Rgb, SampleDepth, SamplePacking, Size,
};

/// The colour of the pixel at (x, y): noise, equal for the four pixels that may share chroma.
fn scene(x: usize, y: usize) -> [f64; 3] {
    let seed = (x / 2) * 7919 + (y / 2) * 104_729 + 12_345;
    [0, 8, 16].map(|shift| {
        f64::from(
            u8::try_from(seed.wrapping_mul(2_654_435_761) >> shift & 0xFF)
                .expect("masked to a byte"),
        )
    })
}

/// Y, Cb and Cr by the definition in the recommendations.
fn coded([red, green, blue]: [f64; 3], colour: Colour) -> [f64; 3] {
    let (kr, kb) = match colour.matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
        Matrix::Bt2020 => (0.2627, 0.0593),
    };
    let y = kr * red + (1.0 - kr - kb) * green + kb * blue;
    let (cb, cr) = ((blue - y) / (2.0 - 2.0 * kb), (red - y) / (2.0 - 2.0 * kr));
    match colour.range {
        Range::Full => [y, 128.0 + cb, 128.0 + cr],
        Range::Limited => {
            [16.0 + y * 219.0 / 255.0, 128.0 + cb * 224.0 / 255.0, 128.0 + cr * 224.0 / 255.0]
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Two pixels that share chroma.
fn two_pixels(order: Packed, [y0, cb, cr]: [u8; 3], [y1, ..]: [u8; 3]) -> [u8; 4] {
    match order {
        Packed::Yuyv => [y0, cb, y1, cr],
        Packed::Yvyu => [y0, cr, y1, cb],
        Packed::Uyvy => [cb, y0, cr, y1],
        Packed::Vyuy => [cr, y0, cb, y1],
    }
}

fn rgb_pixel(order: Rgb, [r, g, b]: [u8; 3]) -> Vec<u8> {
    let word = u16::from(r >> 3) << 11 | u16::from(g >> 2) << 5 | u16::from(b >> 3);
    match order {
        Rgb::Rgb24 => vec![r, g, b],
        Rgb::Bgr24 => vec![b, g, r],
        Rgb::Rgb565 => word.to_le_bytes().to_vec(),
        Rgb::Rgb565BigEndian => word.to_be_bytes().to_vec(),
        Rgb::Rgbx32 => vec![r, g, b, 99],
        Rgb::Bgrx32 => vec![b, g, r, 99],
        Rgb::Xrgb32 => vec![99, r, g, b],
        Rgb::Xbgr32 => vec![99, b, g, r],
    }
}

/// The scene as a camera would send it, with 6 arbitrary bytes of padding after each row.
fn packed(format: PixelFormat, size: Size, colour: Colour) -> (FrameLayout, Vec<u8>) {
    let stride = format.min_stride(size.width).expect("raw") + 6;
    let layout = FrameLayout::new(format, size, stride, colour);
    let mut bytes = vec![0xAA; layout.frame_len().expect("raw")];
    let ycc = |x: usize, y: usize| {
        coded(scene(x.min(size.width - 1), y.min(size.height - 1)), colour).map(byte)
    };
    let rgb = |x: usize, y: usize| {
        let limited = |value: f64| 16.0 + value * 219.0 / 255.0;
        scene(x, y).map(|it| byte(if colour.range == Range::Full { it } else { limited(it) }))
    };
    for y in 0..size.height {
        let row = &mut bytes[y * stride..];
        match format {
            PixelFormat::Packed(order) => {
                for x in (0..size.width).step_by(2) {
                    let four = two_pixels(order, ycc(x, y), ycc(x + 1, y));
                    row[x * 2..][..4].copy_from_slice(&four);
                }
            }
            PixelFormat::Rgb(order) => {
                for x in 0..size.width {
                    let pixel = rgb_pixel(order, rgb(x, y));
                    row[x * pixel.len()..][..pixel.len()].copy_from_slice(&pixel);
                }
            }
            PixelFormat::Grey(depth) => {
                for x in 0..size.width {
                    let word = u16::from(ycc(x, y)[0]) << (depth.bits() - 8);
                    let bytes = word.to_le_bytes();
                    row[x * depth.bytes()..][..depth.bytes()]
                        .copy_from_slice(&bytes[..depth.bytes()]);
                }
            }
            _ => (0..size.width).for_each(|x| row[x] = ycc(x, y)[0]),
        }
    }
    if let Some([cb_plane, cr_plane]) = layout.chroma_planes() {
        let (chroma, order, step) = match format {
            PixelFormat::SemiPlanar(chroma, order) => (chroma, order, 2),
            PixelFormat::Planar(chroma, order) => (chroma, order, 1),
            _ => unreachable!("others have no planes of chroma"),
        };
        let counts = chroma.chroma_size(size);
        let (across, down) =
            (size.width.div_ceil(counts.width), size.height.div_ceil(counts.height));
        let (cb_at, cr_at) = match (step, order) {
            (1, _) => (0, 0),
            (_, ChromaOrder::CbCr) => (0, 1),
            (_, ChromaOrder::CrCb) => (1, 0),
        };
        for y in 0..counts.height {
            for x in 0..counts.width {
                let [_, cb, cr] = ycc(x * across, y * down);
                bytes[cb_plane.offset + y * cb_plane.stride + x * step + cb_at] = cb;
                bytes[cr_plane.offset + y * cr_plane.stride + x * step + cr_at] = cr;
            }
        }
    }
    (layout, bytes)
}

fn unpacked(layout: &FrameLayout, bytes: &[u8], chroma: Chroma) -> Planes {
    let frame = RawFrame { bytes, layout };
    let mut planes = Planes::default();
    let wanted = Wanted { chroma, at_least: layout.upright_size() };
    Unpacker::default().unpack(&frame, wanted, &mut planes);
    planes
}

/// The largest difference from the scene, coded as `carried`.
fn worst(planes: &Planes, size: Size, carried: Colour) -> u8 {
    let [y, cb, cr] = planes.split();
    let (luma, chroma) = (planes.chroma().luma_size(size), planes.chroma().chroma_size(size));
    let rows_of_chroma = luma.height / chroma.height.max(1);
    let expected = |x: usize, y: usize| {
        coded(scene(x.min(size.width - 1), y.min(size.height - 1)), carried).map(byte)
    };
    let mut worst = 0;
    for row in 0..luma.height {
        for x in 0..luma.width {
            worst = worst.max(y[row * luma.width + x].abs_diff(expected(x, row)[0]));
        }
    }
    for row in 0..chroma.height {
        for x in 0..chroma.width {
            let [_, to_cb, to_cr] = expected(2 * x, row * rows_of_chroma);
            let at = row * chroma.width + x;
            worst = worst.max(cb[at].abs_diff(to_cb)).max(cr[at].abs_diff(to_cr));
        }
    }
    worst
}

/// Whole blocks with a rest, odd sizes, less than a block.
const SIZES: [Size; 4] = [Size::new(200, 6), Size::new(141, 7), Size::new(3, 3), Size::new(1, 1)];

const COLOURS: [Colour; 6] = {
    let mut all = [Colour::JPEG; 6];
    all[1] = Colour::CAMERA;
    all[2] = Colour { matrix: Matrix::Bt709, range: Range::Full };
    all[3] = Colour { matrix: Matrix::Bt709, range: Range::Limited };
    all[4] = Colour { matrix: Matrix::Bt2020, range: Range::Full };
    all[5] = Colour { matrix: Matrix::Bt2020, range: Range::Limited };
    all
};

#[test]
fn every_format_comes_out_as_the_scene_it_was_made_of() {
    for format in PixelFormat::all() {
        let tolerance = match format {
            PixelFormat::Jpeg | PixelFormat::Bayer(..) => continue,
            // 5 bits: the steps are 8.
            PixelFormat::Rgb(Rgb::Rgb565 | Rgb::Rgb565BigEndian) => 8,
            _ => 2,
        };
        for size in SIZES {
            for colour in COLOURS {
                for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
                    let (layout, bytes) = packed(format, size, colour);
                    // Grey has no chroma, so another matrix makes no difference.
                    let carried = match format {
                        PixelFormat::Grey(_) => Colour { range: Range::Full, ..colour },
                        _ => Colour::JPEG,
                    };
                    let worst = worst(&unpacked(&layout, &bytes, chroma), size, carried);
                    assert!(worst <= tolerance, "{format} {size} {colour} {chroma:?}: {worst}");
                }
            }
        }
    }
}

#[test]
fn yuyv_is_taken_apart_and_its_chroma_averaged_over_two_rows() {
    // Two rows of two pixels, with four bytes of padding after each.
    let bytes = [1, 10, 2, 20, 0, 0, 0, 0, 3, 13, 4, 24, 0, 0, 0, 0];
    let (layout, _) = packed(PixelFormat::YUYV, Size::new(2, 2), Colour::JPEG);
    let layout = FrameLayout { stride: 8, ..layout };
    let planes = unpacked(&layout, &bytes, Chroma::Yuv420);
    assert_eq!(planes.split(), [&[1, 2, 3, 4][..], &[12], &[22]]);
    let planes = unpacked(&layout, &bytes, Chroma::Yuv422);
    assert_eq!(planes.split(), [&[1, 2, 3, 4][..], &[10, 13], &[20, 24]]);
}

#[test]
fn odd_sizes_are_padded_with_what_the_camera_sent_or_their_last_row() {
    let bytes: Vec<u8> = (0..24).collect();
    let (layout, _) = packed(PixelFormat::YUYV, Size::new(3, 3), Colour::JPEG);
    let planes = unpacked(&FrameLayout { stride: 8, ..layout }, &bytes, Chroma::Yuv420);
    let luma = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 16, 18, 20, 22];
    assert_eq!(planes.split(), [&luma[..], &[5, 9, 17, 21], &[7, 11, 19, 23]]);
}

#[test]
fn nv24_is_averaged_over_four_pixels() {
    let format = PixelFormat::SemiPlanar(Chroma::Yuv444, ChromaOrder::CbCr);
    let (layout, _) = packed(format, Size::new(2, 2), Colour::JPEG);
    let bytes = [1, 2, 3, 4, 10, 100, 20, 110, 30, 120, 41, 130];
    let planes = unpacked(&FrameLayout { stride: 2, ..layout }, &bytes, Chroma::Yuv420);
    assert_eq!(planes.split(), [&[1, 2, 3, 4][..], &[26], &[115]]);
}

#[test]
fn bits_above_a_grey_sample_s_own_do_not_wrap() {
    let (layout, _) = packed(PixelFormat::Grey(SampleDepth::Bits10), Size::new(2, 1), Colour::JPEG);
    let planes =
        unpacked(&FrameLayout { stride: 4, ..layout }, &[0xFF, 0xFF, 0xFF, 3], Chroma::Yuv420);
    assert_eq!(planes.split()[0], [255, 255]);
}

/// A smooth picture as a sensor sees it through its mosaic, in samples of this many bits.
fn mosaic(
    order: BayerOrder,
    packing: SamplePacking,
    size: Size,
    scene: impl Fn(usize, usize) -> [u8; 3],
) -> (FrameLayout, Vec<u8>) {
    let format = PixelFormat::Bayer(order, packing);
    let stride = format.min_stride(size.width).expect("raw") + 3;
    let layout = FrameLayout::new(format, size, stride, Colour::JPEG);
    let mut bytes = vec![0xAA; layout.frame_len().expect("raw")];
    for y in 0..size.height {
        for x in 0..size.width {
            let sample = scene(x, y)[order.colours()[y % 2][x % 2]];
            let row = &mut bytes[y * stride..];
            match packing {
                SamplePacking::Unpacked(SampleDepth::Bits8) => row[x] = sample,
                SamplePacking::Unpacked(depth) => row[2 * x..2 * x + 2]
                    .copy_from_slice(&(u16::from(sample) << (depth.bits() - 8)).to_le_bytes()),
                SamplePacking::Packed10 => {
                    row[x / 4 * 5 + x % 4] = sample;
                    row[x / 4 * 5 + 4] = 0b0110_1100;
                }
            }
        }
    }
    (layout, bytes)
}

fn slope(x: usize, y: usize) -> [u8; 3] {
    [2 * x + y, 200 - x - y, 30 + x + 2 * y].map(|value| u8::try_from(value).expect("a byte"))
}

const ORDERS: [BayerOrder; 4] =
    [BayerOrder::Rggb, BayerOrder::Bggr, BayerOrder::Gbrg, BayerOrder::Grbg];

const PACKINGS: [SamplePacking; 5] = [
    SamplePacking::Unpacked(SampleDepth::Bits8),
    SamplePacking::Unpacked(SampleDepth::Bits10),
    SamplePacking::Unpacked(SampleDepth::Bits12),
    SamplePacking::Unpacked(SampleDepth::Bits16),
    SamplePacking::Packed10,
];

#[test]
fn a_mosaic_of_slopes_comes_out_as_the_slopes_at_full_and_at_half_size() {
    for order in ORDERS {
        for packing in PACKINGS {
            for size in [Size::new(70, 40), Size::new(67, 41)] {
                let (layout, bytes) = mosaic(order, packing, size, slope);
                let frame = RawFrame { bytes: &bytes, layout: &layout };
                let mut unpacker = Unpacker::new(RawLook::AS_IT_IS);
                let mut planes = Planes::default();
                for (at_least, scale) in [(size, 1), (Size::new(30, 20), 2)] {
                    for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
                        unpacker.unpack(&frame, Wanted { chroma, at_least }, &mut planes);
                        let width = planes.chroma().luma_size(planes.size()).width;
                        assert_eq!(planes.size().width, size.width.div_ceil(scale));
                        for y in 0..planes.size().height {
                            for x in 0..planes.size().width {
                                // The middle of the group that became this pixel; borders are mirrored.
                                let at = |place: usize, end: usize| (place * scale).min(end - 1);
                                let colour = slope(at(x, size.width), at(y, size.height));
                                let expected = coded(colour.map(f64::from), Colour::JPEG)[0];
                                let found = planes.split()[0][y * width + x];
                                assert!(
                                    (f64::from(found) - expected).abs() <= 4.0,
                                    "{order:?} {packing:?} {size} 1/{scale} at {x},{y}: {found} {expected}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn flat_colours_of_a_mosaic_are_exact_and_chroma_is_theirs() {
    let colour = [200, 90, 40];
    let expected = coded(colour.map(f64::from), Colour::JPEG).map(byte);
    let tiny = [(67, 41), (5, 2), (2, 3), (2, 2), (3, 1), (1, 3), (1, 1)];
    let at_full_and_half_size = tiny.map(|(width, height)| {
        let size = Size::new(width, height);
        [(size, size), (size, Size::new(width / 2, height / 2))]
    });
    for order in ORDERS {
        for (size, at_least) in at_full_and_half_size.as_flattened().iter().copied() {
            let packing = SamplePacking::Unpacked(SampleDepth::Bits8);
            let (layout, bytes) = mosaic(order, packing, size, |_, _| colour);
            let frame = RawFrame { bytes: &bytes, layout: &layout };
            let wanted = Wanted { chroma: Chroma::Yuv420, at_least };
            let mut planes = Planes::default();
            Unpacker::new(RawLook::AS_IT_IS).unpack(&frame, wanted, &mut planes);
            if size.width == 1 || size.height == 1 {
                // One colour of three: the result cannot be right, but must not panic.
                continue;
            }
            for (plane, expected) in planes.split().into_iter().zip(expected) {
                let worst = plane.iter().map(|value| value.abs_diff(expected)).max();
                assert!(worst <= Some(1), "{order:?} {size} at least {at_least}: {worst:?}");
            }
        }
    }
}

#[test]
fn a_turned_frame_is_the_upright_one_turned() {
    use crate::image::orientation::Mirror;
    let size = Size::new(141, 37);
    let turns = [Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters];
    for format in PixelFormat::all() {
        let (layout, bytes) = match format {
            PixelFormat::Jpeg => continue,
            PixelFormat::Bayer(order, packing) => {
                mosaic(order, packing, size, |x, y| slope(x / 4, y))
            }
            _ => packed(format, size, Colour::CAMERA),
        };
        let upright = unpacked(&layout, &bytes, Chroma::Yuv420);
        for mirror in [Mirror::None, Mirror::LeftRight] {
            for rotation in turns {
                let orientation = Orientation { mirror, rotation };
                let layout = FrameLayout { orientation, ..layout };
                let found = unpacked(&layout, &bytes, Chroma::Yuv420);
                let mut expected = Planes::default();
                crate::image::turn::turn(&upright, orientation, &mut expected);
                assert_eq!(found.size(), expected.size());
                assert!(found.packed() == expected.packed(), "{format} {orientation}");
            }
        }
    }
}

/// What a frame is unpacked to from either kind of memory; `used` has unpacked others before.
fn from_either_memory(
    used: &mut [Unpacker; 2],
    frame: &RawFrame<'_>,
    wanted: Wanted,
) -> [Planes; 2] {
    let mut unpacked = |memory: Memory| {
        let layout = FrameLayout { memory, ..*frame.layout };
        let mut planes = Planes::default();
        let unpacker = &mut used[usize::from(memory == Memory::Uncached)];
        unpacker.unpack(&RawFrame { bytes: frame.bytes, layout: &layout }, wanted, &mut planes);
        planes
    };
    [unpacked(Memory::Cached), unpacked(Memory::Uncached)]
}

#[test]
fn every_format_comes_out_of_uncached_memory_as_out_of_any_other() {
    let turned = [
        Orientation::UPRIGHT,
        Orientation::FLIPPED_TOP_BOTTOM,
        Orientation::turned(Rotation::Quarter),
    ];
    let sides = [(141, 37), (64, 16), (6, 4), (5, 5), (3, 18), (2, 1), (1, 2), (1, 1)];
    for format in PixelFormat::all().filter(|format| *format != PixelFormat::Jpeg) {
        let mut used = [Unpacker::default(), Unpacker::default()];
        for (at, (width, height)) in sides.into_iter().enumerate() {
            let size = Size::new(width, height);
            for padding in [0, 2 + at] {
                let stride = format.min_stride(width).expect("raw") + padding;
                let orientation = turned[(at + padding) % 3];
                let layout = FrameLayout {
                    orientation,
                    ..FrameLayout::new(format, size, stride, Colour::CAMERA)
                };
                let len = layout.frame_len().expect("raw");
                let bytes: Vec<u8> = (0..len).map(|at| byte(scene(2 * at, at / 7)[0])).collect();
                let frame = RawFrame { bytes: &bytes, layout: &layout };
                for (chroma, at_least) in
                    [(Chroma::Yuv420, size), (Chroma::Yuv422, Size::new(1, 1))]
                {
                    let wanted = Wanted { chroma, at_least };
                    let [cached, uncached] = from_either_memory(&mut used, &frame, wanted);
                    assert_eq!(cached.size(), uncached.size());
                    assert!(
                        cached.packed() == uncached.packed(),
                        "{format} {size} {orientation} {chroma:?}, {padding} bytes of padding"
                    );
                }
            }
        }
    }
}

/// The frame in at most `most` parts, the last one first.
fn in_parts(layout: &FrameLayout, bytes: &[u8], wanted: Wanted, most: usize) -> (usize, Planes) {
    let frame = RawFrame { bytes, layout };
    let (mut planes, mut count) = (Planes::default(), 0);
    Unpacker::default().unpack_in_parts(&frame, wanted, &mut planes, most, |parts| {
        count = parts.len();
        parts.iter_mut().rev().for_each(Part::unpack);
        // Nothing comes of asking for it twice.
        parts.iter_mut().for_each(Part::unpack);
    });
    (count, planes)
}

#[test]
fn a_frame_in_parts_becomes_what_it_is_in_one_piece() {
    for format in PixelFormat::all().filter(|format| *format != PixelFormat::Jpeg) {
        for size in [Size::new(2, 1), Size::new(38, 2), Size::new(70, 33), Size::new(130, 98)] {
            for memory in [Memory::Cached, Memory::Uncached] {
                let (layout, bytes) = packed(format, size, Colour::CAMERA);
                let layout = FrameLayout { memory, ..layout };
                let half = Size::new(size.width / 2, size.height / 2);
                for (chroma, at_least) in [(Chroma::Yuv420, size), (Chroma::Yuv422, half)] {
                    let wanted = Wanted { chroma, at_least };
                    let (_, whole) = in_parts(&layout, &bytes, wanted, 1);
                    for most in [0, 2, 3, 7, 16, 1000] {
                        let (count, planes) = in_parts(&layout, &bytes, wanted, most);
                        assert!((1..=most.max(1)).contains(&count), "{count} of {most}");
                        assert_eq!(planes.size(), whole.size());
                        assert!(planes.packed() == whole.packed(), "{format} {size}, {count}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_has_to_be_turned_is_unpacked_without_parts() {
    let size = Size::new(70, 34);
    let (layout, bytes) = packed(PixelFormat::YUYV, size, Colour::CAMERA);
    let orientation = Orientation::turned(Rotation::Quarter);
    let layout = FrameLayout { orientation, ..layout };
    let wanted = Wanted { chroma: Chroma::Yuv420, at_least: layout.upright_size() };
    let (count, planes) = in_parts(&layout, &bytes, wanted, 5);
    assert_eq!(count, 0);
    assert_eq!(planes.packed(), unpacked(&layout, &bytes, Chroma::Yuv420).packed());
}
