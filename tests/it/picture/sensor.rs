//! A sensor's own samples with all corrections: a grey chart in warm light becomes grey, and its black is
//! black.

use crate::tools::ciede2000::Lab;
use lancam::image::frame::{FrameLayout, RawFrame};
use lancam::image::jpeg::codec::{Decoder, Encoder};
use lancam::image::picture::Picture;
use lancam::image::pixels::{
    BayerOrder, Chroma, Colour, PixelFormat, SampleDepth, SamplePacking, Size,
};
use lancam::image::planes::Planes;
use lancam::image::unpack::{Automatic, RawLook, Unpacker, Wanted};

/// How much light the patches of the chart reflect, from left to right. The first is black.
const CHART: [f64; 6] = [0.0, 0.05, 0.18, 0.36, 0.6, 0.9];

/// How much of the warm light the red, green and blue filters let through.
const WARM: [f64; 3] = [1.0, 0.75, 0.4];

/// The sensor's value without light, of at most 1023.
const DARK: f64 = 64.0;

const PATCH: Size = Size::new(32, 64);
const SIZE: Size = Size::new(PATCH.width * CHART.len(), PATCH.height);

/// The chart as a sensor of 10 bits sees it through its red, green, green and blue filters.
fn seen(packing: SamplePacking) -> (FrameLayout, Vec<u8>) {
    let format = PixelFormat::Bayer(BayerOrder::Rggb, packing);
    let layout =
        FrameLayout::new(format, SIZE, format.min_stride(SIZE.width).expect("raw"), Colour::JPEG);
    let mut bytes = Vec::with_capacity(layout.frame_len().expect("raw"));
    for y in 0..SIZE.height {
        let row: Vec<u16> = (0..SIZE.width)
            .map(|x| {
                let light = CHART[x / PATCH.width] * WARM[y % 2 + x % 2];
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let sample = (DARK + light * (1023.0 - DARK)).round() as u16;
                sample
            })
            .collect();
        match packing {
            SamplePacking::Unpacked(_) => bytes.extend(row.iter().flat_map(|it| it.to_le_bytes())),
            SamplePacking::Packed10 => {
                for four in row.chunks_exact(4) {
                    bytes.extend(
                        four.iter().map(|sample| {
                            sample.to_be_bytes()[1] >> 2 | sample.to_be_bytes()[0] << 6
                        }),
                    );
                    let low = |at: usize| (four[at].to_le_bytes()[0] & 3) << (2 * at);
                    bytes.push(low(0) | low(1) | low(2) | low(3));
                }
            }
        }
    }
    (layout, bytes)
}

/// The colour in the middle of each patch on the viewer's screen, after the camera has sent the chart for a
/// second.
fn shown(look: RawLook, packing: SamplePacking, at_least: Size) -> Vec<Lab> {
    let (layout, bytes) = seen(packing);
    let frame = RawFrame { bytes: &bytes, layout: &layout };
    let mut unpacker = Unpacker::new(look);
    let mut planes = Planes::default();
    for _ in 0..30 {
        unpacker.unpack(&frame, Wanted { chroma: Chroma::Yuv420, at_least }, &mut planes);
    }
    let mut jpeg = vec![0; Encoder::max_len(planes.size(), planes.chroma()).expect("a size")];
    let mut encoder = Encoder::new(95).expect("an encoder");
    let len = encoder.encode(&planes, &mut jpeg).expect("encodes");
    let mut picture = Picture::default();
    let mut decoder = Decoder::new().expect("a decoder");
    decoder.decode(&jpeg[..len], &mut picture).expect("decodes");
    let Size { width, height } = picture.size();
    let middle = |patch: usize| (2 * patch + 1) * width / (2 * CHART.len());
    (0..CHART.len()).map(|patch| Lab::of(picture.rgb(middle(patch), height / 2))).collect()
}

/// How a screen should show this much light (IEC 61966-2-1).
fn as_it_should_be(light: f64) -> Lab {
    let code =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let byte = (code * 255.0).round() as u8;
    Lab::of([byte; 3])
}

/// The largest difference of any patch from its expected colour.
fn worst(found: &[Lab]) -> f64 {
    let differences =
        found.iter().zip(CHART).map(|(found, light)| found.difference(as_it_should_be(light)));
    differences.fold(0.0, f64::max)
}

/// The largest difference of any patch from a grey of the same lightness.
fn tint(found: &[Lab]) -> f64 {
    found.iter().map(|patch| patch.difference(patch.without_colour())).fold(0.0, f64::max)
}

const UNPACKED: SamplePacking = SamplePacking::Unpacked(SampleDepth::Bits10);
const HALF: Size = Size::new(SIZE.width / 2, SIZE.height / 2);

#[test]
fn a_grey_chart_in_warm_light_is_shown_as_it_is() {
    for packing in [UNPACKED, SamplePacking::Packed10] {
        for at_least in [SIZE, HALF] {
            let found = shown(RawLook::default(), packing, at_least);
            println!(
                "{packing:?}, {at_least}: {:.2} off, {:.2} of it colour",
                worst(&found),
                tint(&found)
            );
            assert!(worst(&found) < 2.0, "{packing:?}, {at_least}: {found:?}");
        }
    }
}

#[test]
fn without_one_of_the_automatics_it_is_not() {
    let all = RawLook::default();
    let found = shown(RawLook { white_balance: Automatic::Off, ..all }, UNPACKED, SIZE);
    assert!(tint(&found) > 15.0, "warm light is left: {found:?}");
    assert!(found[0].lightness < 3.0, "and black is black: {found:?}");

    let found = shown(RawLook { gamma: Automatic::Off, ..all }, UNPACKED, SIZE);
    let [.., middle, _, _, _] = found[..] else { panic!("six patches") };
    assert!(middle.lightness < as_it_should_be(CHART[2]).lightness - 20.0, "dark: {found:?}");
    assert!(tint(&found) < 2.0, "and grey: {found:?}");

    let found = shown(RawLook { black_level: Automatic::Off, ..all }, UNPACKED, SIZE);
    assert!(found[0].lightness > 15.0, "a veil over black: {found:?}");

    let found = shown(RawLook::AS_IT_IS, UNPACKED, SIZE);
    assert!(worst(&found) > 20.0 && tint(&found) > 10.0, "the samples themselves: {found:?}");
}
