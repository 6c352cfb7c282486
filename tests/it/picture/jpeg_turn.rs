//! JPEGs turned without being decoded: the coefficients stay the same and only change their places.

use crate::tools::allocations;
use crate::tools::jpeg_tools::{cjpeg, djpeg, encoded, noise, tool};
use lancam::image::jpeg::codec::{Decoded, Decoder, Edges, Encoder, Turned, Turner};
use lancam::image::jpeg::markers;
use lancam::image::jpeg::repair::{Examined, examine};
use lancam::image::orientation::{Mirror, Orientation, Rotation};
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;

const ROTATIONS: [Rotation; 4] =
    [Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters];

/// Each orientation, jpegtran's options for it, and those that undo it.
fn all() -> Vec<(Orientation, &'static [&'static str], &'static [&'static str])> {
    let words: [[(&'static [&'static str], &'static [&'static str]); 4]; 2] = [
        [
            (&[], &[]),
            (&["-rotate", "90"], &["-rotate", "270"]),
            (&["-rotate", "180"], &["-rotate", "180"]),
            (&["-rotate", "270"], &["-rotate", "90"]),
        ],
        [
            (&["-flip", "horizontal"], &["-flip", "horizontal"]),
            (&["-transverse"], &["-transverse"]),
            (&["-flip", "vertical"], &["-flip", "vertical"]),
            (&["-transpose"], &["-transpose"]),
        ],
    ];
    let mut all = Vec::new();
    for (mirror, words) in [Mirror::None, Mirror::LeftRight].into_iter().zip(words) {
        for (rotation, (word, back)) in ROTATIONS.into_iter().zip(words) {
            all.push((Orientation { mirror, rotation }, word, back));
        }
    }
    all
}

fn turn(jpeg: &[u8], orientation: Orientation) -> (Vec<u8>, Turned) {
    let size = markers::picture_size(jpeg).expect("a JPEG");
    let mut out = vec![0; Turner::max_len(size).expect("a size")];
    let turned = Turner::new()
        .and_then(|mut turner| turner.turn(&to_turn(jpeg, orientation), &mut out))
        .expect("turns");
    out.truncate(turned.len);
    (out, turned)
}

fn to_turn(jpeg: &[u8], orientation: Orientation) -> Examined<'_> {
    examine(jpeg).expect("a JPEG").then(orientation)
}

fn jpegtran(arguments: &[&str], jpeg: &[u8]) -> Option<Vec<u8>> {
    let made = tool("jpegtran", arguments, jpeg)?;
    assert_eq!(made.said, "", "{arguments:?}");
    Some(made.stdout)
}

fn pixels(jpeg: &[u8]) -> Option<Vec<u8>> {
    let (pixels, said) = djpeg(jpeg)?;
    assert_eq!(said, "");
    Some(pixels)
}

#[test]
fn whole_mcus_turn_without_loss_and_turn_back_to_the_same_picture() {
    let size = Size::new(96, 64);
    let mut jpegs = vec![
        ("4:2:0", encoded(size, Chroma::Yuv420, 80)),
        ("4:2:2", encoded(size, Chroma::Yuv422, 80)),
    ];
    for arguments in [
        &["-grayscale"][..],
        &["-sample", "1x1"],
        &["-progressive"],
        &["-restart", "1"],
        &["-optimize"],
    ] {
        jpegs.extend(cjpeg(size, arguments).map(|jpeg| (arguments[0], jpeg)));
    }
    for (name, jpeg) in jpegs {
        for (orientation, word, back) in all() {
            let (ours, turned) = turn(&jpeg, orientation);
            let wanted = orientation.size_of(size);
            assert_eq!(markers::picture_size(&ours), Some(wanted), "{name}, {orientation}");
            let expected = Turned {
                len: ours.len(),
                size: wanted,
                edges: Edges::Whole,
                decoded: Decoded::Whole,
            };
            assert_eq!(turned, expected, "{name}, {orientation}");
            let theirs = jpegtran(&[&["-copy", "none", "-perfect"], word].concat(), &jpeg);
            let Some(theirs) = theirs else { return };
            assert!(pixels(&ours) == pixels(&theirs), "{name}, {orientation}");
            let again = jpegtran(&[&["-perfect"], back].concat(), &ours).expect("it is installed");
            assert!(pixels(&again) == pixels(&jpeg), "{name}, {orientation} and back");
        }
    }
}

#[test]
fn partial_edges_are_trimmed_where_they_cannot_stay_at_the_right_or_below_and_that_is_said() {
    let size = Size::new(101, 67);
    let jpeg = encoded(size, Chroma::Yuv420, 80);
    for (orientation, word, _) in all() {
        let (ours, turned) = turn(&jpeg, orientation);
        let Some(theirs) = jpegtran(&[&["-copy", "none", "-trim"], word].concat(), &jpeg) else {
            return;
        };
        assert!(pixels(&ours) == pixels(&theirs), "{orientation}");
        assert_eq!(markers::picture_size(&ours), Some(turned.size));
        let steps = orientation.steps();
        let is_whole = !steps.left_right && !steps.top_bottom;
        assert_eq!(turned.edges == Edges::Whole, is_whole, "{orientation}: {turned:?}");
    }
}

#[test]
fn the_corner_goes_where_the_orientation_says() {
    let size = Size::new(32, 16);
    let mut planes = Planes::default();
    planes.reshape(size, Chroma::Yuv422);
    planes.packed_mut().fill(128);
    let to = planes.split_mut();
    for row in to.y.chunks_exact_mut(size.width).take(8) {
        row[..16].fill(255);
    }
    let mut jpeg = vec![0; Encoder::max_len(size, Chroma::Yuv422).expect("a size")];
    let mut encoder = Encoder::new(90).expect("an encoder");
    let len = encoder.encode(&planes, &mut jpeg).expect("encodes");
    jpeg.truncate(len);
    let mut decoder = Decoder::new().expect("a decoder");
    for (orientation, ..) in all() {
        let (turned, _) = turn(&jpeg, orientation);
        let mut picture = Picture::default();
        decoder.decode(&turned, &mut picture).expect("decodes");
        let Size { width, height } = orientation.size_of(size);
        let steps = orientation.steps();
        for (right, x) in [(false, 2), (true, width - 3)] {
            for (below, y) in [(false, 2), (true, height - 3)] {
                let is_corner = right == steps.left_right && below == steps.top_bottom;
                let [red, ..] = picture.rgb(x, y);
                assert_eq!(red > 200, is_corner, "{orientation} at {x}, {y}: {red}");
            }
        }
    }
}

#[test]
fn a_turned_4_2_2_has_its_colours_in_columns_and_decodes_to_planes() {
    let jpeg = encoded(Size::new(96, 64), Chroma::Yuv422, 80);
    let (turned, _) = turn(&jpeg, Orientation::turned(Rotation::Quarter));
    let mut planes = Planes::default();
    let mut decoder = Decoder::new().expect("a decoder");
    for (at_least, found) in
        [(Size::new(64, 96), Size::new(64, 96)), (Size::new(30, 40), Size::new(32, 48))]
    {
        let decoded = decoder.decode_planes(&turned, at_least, &mut planes).expect("decodes");
        assert_eq!(decoded, Decoded::Whole);
        assert_eq!((planes.size(), planes.chroma()), (found, Chroma::Yuv440));
    }
}

#[test]
fn broken_pictures_are_turned_as_far_as_they_go_or_refused() {
    let size = Size::new(96, 64);
    let jpeg = encoded(size, Chroma::Yuv420, 80);
    let quarter = Orientation::turned(Rotation::Quarter);
    let mut turner = Turner::new().expect("a turner");
    let mut out = vec![0; Turner::max_len(size).expect("a size")];
    let cut = to_turn(&jpeg[..jpeg.len() * 3 / 4], quarter);
    let cut = turner.turn(&cut, &mut out).expect("turned");
    assert_eq!((cut.size, cut.decoded), (Size::new(64, 96), Decoded::Damaged));
    assert_eq!(markers::picture_size(&out[..cut.len]), Some(cut.size));
    assert!(turner.turn(&to_turn(&jpeg, quarter), &mut out[..100]).is_err(), "no room");
    let mut noise = noise(5);
    for _ in 0..500 {
        let mut flipped = jpeg.clone();
        let at = noise() % flipped.len();
        flipped[at] ^= 1 << (noise() % 8);
        let Ok(picture) = examine(&flipped) else { continue };
        if let Ok(turned) = turner.turn(&picture.then(quarter), &mut out) {
            assert!(turned.len <= out.len());
        }
    }
    // After all of these it still works.
    assert_eq!(
        turner.turn(&to_turn(&jpeg, quarter), &mut out).expect("turns").decoded,
        Decoded::Whole
    );
}

#[test]
fn turning_allocates_nothing_of_ours() {
    let size = Size::new(96, 64);
    let jpeg = encoded(size, Chroma::Yuv422, 80);
    let mut turner = Turner::new().expect("a turner");
    let mut out = vec![0; Turner::max_len(size).expect("a size")];
    let quarter = Orientation::turned(Rotation::Quarter);
    let allocated = allocations::count(|| {
        for _ in 0..10 {
            turner.turn(&to_turn(&jpeg, quarter), &mut out).expect("turns");
        }
    });
    assert_eq!(allocated, 0);
}
