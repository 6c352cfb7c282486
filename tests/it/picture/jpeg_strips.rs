//! JPEGs decoded in strips against the same in one piece: the same pixels, for every subsampling, size, scale and number of
//! strips, for JPEGs of other programs, and for those that are damaged or lie.

use crate::tools::jpeg_tools::{CHROMAS, cjpeg, tool};
use crate::tools::restarts::{data_at, find, joined, mcu, noisy, restarts};
use lancam::image::jpeg::codec::{Decoded, Decoder};
use lancam::image::jpeg::intervals::{Job, MOST_STRIPS, Outline, StripDecoder};
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Size};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// Larger than any picture here.
const FULL: Size = Size::new(usize::MAX, usize::MAX);

/// What strips make of a JPEG: nothing, if it must be decoded in one piece.
fn in_strips(jpeg: &[u8], strips: usize, at_least: Size) -> Option<(Picture, Range<usize>)> {
    let mut picture = Picture::default();
    let outline = Outline::read(jpeg)?;
    let outcome =
        StripDecoder::default().decode(jpeg, &outline, strips, at_least, &mut picture, |jobs| {
            // Their order does not matter.
            jobs.iter_mut().rev().for_each(Job::run);
        })?;
    Some((picture, outcome.expect("the head is sound").damaged))
}

fn whole(jpeg: &[u8], at_least: Size) -> (Picture, Decoded) {
    let mut picture = Picture::default();
    let mut decoder = Decoder::new().expect("a decoder");
    let decoded = decoder.decode_at_least(jpeg, at_least, &mut picture).expect("decodes").1;
    (picture, decoded)
}

fn assert_same(jpeg: &[u8], strips: usize, at_least: Size, what: &str) {
    let (picture, damaged) = in_strips(jpeg, strips, at_least).expect("it can be cut");
    let (expected, decoded) = whole(jpeg, at_least);
    assert_eq!(picture.size(), expected.size(), "{what}");
    let width = picture.size().width;
    let rows = picture.pixels().chunks(width).zip(expected.pixels().chunks(width));
    let differs = rows.enumerate().filter(|(_, (ours, theirs))| ours != theirs);
    let differs: Vec<_> = differs.map(|(row, _)| row).collect();
    assert!(differs.is_empty(), "{what}, {strips} strips: rows {differs:?} differ");
    assert_eq!(damaged.is_empty(), decoded != Decoded::Damaged, "{what}: {damaged:?}");
}

#[test]
fn strips_are_the_whole_for_every_subsampling_size_scale_and_number() {
    let sizes = [(1, 33), (5, 40), (16, 64), (17, 65), (33, 129), (100, 97), (64, 257), (130, 300)];
    for chroma in CHROMAS {
        for (width, height) in sizes {
            for mcu_rows in [1, 2, 3] {
                let size = Size::new(width, height);
                if height <= mcu(chroma).height * mcu_rows {
                    continue;
                }
                let jpeg = joined(size, chroma, mcu_rows);
                let what = format!("{chroma:?} {size} {mcu_rows}");
                for divisor in [1, 2, 4, 8] {
                    let at_least = Size::new(width.div_ceil(divisor), height.div_ceil(divisor));
                    for strips in [2, 3, 4, 7, MOST_STRIPS] {
                        assert_same(&jpeg, strips, at_least, &format!("{what} 1/{divisor}"));
                    }
                }
            }
        }
    }
}

#[test]
fn one_decoder_decodes_pictures_of_all_kinds_one_after_the_other() {
    let mut decoder = StripDecoder::default();
    let mut picture = Picture::default();
    for size in [Size::new(100, 97), Size::new(33, 290), Size::new(300, 40), Size::new(8, 70)] {
        for chroma in CHROMAS {
            for strips in [16, 2, 5] {
                let jpeg = joined(size, chroma, 1);
                let outline = Outline::read(&jpeg).expect("restart intervals");
                let run = |jobs: &mut [Job<'_>]| jobs.iter_mut().for_each(Job::run);
                let outcome = decoder.decode(&jpeg, &outline, strips, FULL, &mut picture, run);
                assert_eq!(outcome.expect("markers").expect("decodes").damaged, 0..0);
                assert_eq!(picture.pixels(), whole(&jpeg, FULL).0.pixels(), "{size} {chroma:?}");
            }
        }
    }
}

#[test]
fn the_outline_says_how_high_an_interval_is() {
    let jpeg = joined(Size::new(100, 100), Chroma::Yuv420, 2);
    let outline = Outline::read(&jpeg).expect("restart intervals");
    assert_eq!((outline.intervals, outline.rows), (4, 32));
    assert_eq!((outline.size, outline.chroma), (Size::new(100, 100), Chroma::Yuv420));
}

/// The JPEG with other bytes from this place on.
fn with(jpeg: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    [&jpeg[..at], bytes, &jpeg[at + bytes.len()..]].concat()
}

#[test]
fn what_has_no_intervals_of_whole_rows_is_decoded_in_one_piece() {
    let size = Size::new(100, 100);
    let plain = noisy(size, Chroma::Yuv420, 1);
    assert_eq!(Outline::read(&plain), None, "no restart markers");
    let jpeg = joined(size, Chroma::Yuv420, 1);
    assert!(Outline::read(&jpeg).is_some());
    let interval_at = find(&jpeg, 0xDD) + 4;
    // A row has 7 MCUs.
    for interval in [0, 1, 6, 8, 13, 49, 70, 0xFFFF_u16] {
        let lies = with(&jpeg, interval_at, &interval.to_be_bytes());
        assert_eq!(Outline::read(&lies), None, "an interval of {interval}");
    }
    let frame = find(&jpeg, 0xC0);
    for process in [0xC2, 0xC3, 0xC5, 0xC9, 0xCA] {
        assert_eq!(Outline::read(&with(&jpeg, frame, &[0xFF, process])), None, "{process:x}");
    }
    assert_eq!(Outline::read(&with(&jpeg, frame + 4, &[12])), None, "12 bits");
    let too_large = with(&jpeg, frame + 5, &[0xFD, 0xE8, 0xFD, 0xE8]);
    assert_eq!(Outline::read(&too_large), None, "over the limit");
    let two_frames = [&jpeg[..frame], &jpeg[frame..frame + 19], &jpeg[frame..]].concat();
    assert_eq!(Outline::read(&two_frames), None);
    let long_head = [&jpeg[..2], &[0xFF, 0xE0, 0x20, 0][..], &[7; 0x1FFE], &jpeg[2..]].concat();
    assert!(in_strips(&long_head, 2, FULL).is_none(), "a head that is too long to copy");
}

#[test]
fn segments_that_decoders_ignore_are_not_copied_and_those_of_colours_are() {
    let jpeg = joined(Size::new(40, 40), Chroma::Yuv444, 1);
    let frame = find(&jpeg, 0xC0);
    let filled = [&jpeg[..frame], &[0xFF; 3], &jpeg[frame..]].concat();
    assert_same(&filled, 3, FULL, "fill bytes before a marker");
    let exif = [&[0xFF, 0xE1, 0xFF, 0xFF][..], &[0xFF; 65_533]].concat();
    let with_exif = [&jpeg[..2], &exif, &jpeg[2..]].concat();
    assert_same(&with_exif, 3, FULL, "64 kB of EXIF");
    // Red, green and blue, as Adobe's segment says it.
    let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0";
    assert_same(&[&jpeg[..2], adobe, &jpeg[20..]].concat(), 3, FULL, "RGB");
}

#[test]
fn grey_is_cut_whatever_sampling_factors_its_one_component_claims() {
    let jpeg = joined(Size::new(50, 70), Chroma::Grey, 1);
    let factors_at = find(&jpeg, 0xC0) + 11;
    for factors in [0x11, 0x22, 0x12, 0x21, 0x14, 0x41, 0x44] {
        let jpeg = with(&jpeg, factors_at, &[factors]);
        for divisor in [1, 2, 4, 8] {
            let at_least = Size::new(50 / divisor, 70 / divisor);
            assert_same(&jpeg, 4, at_least, &format!("{factors:x} 1/{divisor}"));
        }
    }
}

#[test]
fn a_jpeg_whose_restart_markers_are_not_as_they_should_be_is_decoded_in_one_piece() {
    let jpeg = joined(Size::new(40, 200), Chroma::Yuv420, 1);
    let restarts = restarts(&jpeg);
    assert_eq!(restarts.len(), 12);
    for &at in &restarts {
        let cut = |bytes: &[u8]| assert!(in_strips(bytes, 4, FULL).is_none(), "marker at {at}");
        cut(&[&jpeg[..at], &jpeg[at + 2..]].concat());
        cut(&[&jpeg[..at], &jpeg[at..at + 2], &jpeg[at..]].concat());
        cut(&with(&jpeg, at + 1, &[0xD0 + (jpeg[at + 1] + 1) % 8]));
        cut(&with(&jpeg, at + 1, &[0xD9]));
        cut(&with(&jpeg, at + 1, &[0xC4]));
        cut(&with(&jpeg, at + 1, &[0x00]));
        cut(&with(&jpeg, at, &[0x00, 0x00]));
    }
    let swapped = with(&with(&jpeg, restarts[2] + 1, &[0xD3]), restarts[3] + 1, &[0xD2]);
    assert!(in_strips(&swapped, 4, FULL).is_none(), "two markers in the wrong order");
    assert!(in_strips(&jpeg[..jpeg.len() - 2], 4, FULL).is_none(), "no end marker");
    let interval_at = find(&jpeg, 0xDD) + 4;
    // A row has 3 MCUs: half as many markers would be right.
    assert!(in_strips(&with(&jpeg, interval_at, &[0, 6]), 4, FULL).is_none(), "a lie");
}

#[test]
fn fill_bytes_are_allowed_before_every_marker() {
    let jpeg = joined(Size::new(40, 200), Chroma::Yuv420, 1);
    let mut places = restarts(&jpeg);
    places.push(jpeg.len() - 2);
    let mut at = 2;
    while at < data_at(&jpeg) {
        places.push(at);
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    assert!(places.len() > 16, "{places:?}");
    for fill in [1, 2, 100] {
        for &at in &places {
            let filled = [&jpeg[..at], &vec![0xFF; fill], &jpeg[at..]].concat();
            for strips in [2, 4, 13] {
                assert_same(&filled, strips, FULL, &format!("{fill} at {at}"));
            }
        }
    }
    let mut all = Vec::new();
    for (at, byte) in jpeg.iter().enumerate() {
        if places.contains(&at) {
            all.extend([0xFF; 3]);
        }
        all.push(*byte);
    }
    assert_same(&all, 4, FULL, "at each");
    let (picture, _) = in_strips(&all, 4, FULL).expect("it can be cut");
    assert_eq!(picture.pixels(), whole(&jpeg, FULL).0.pixels());
    // Between the segments nothing else is allowed.
    let zero = [&jpeg[..2], &[0], &jpeg[2..]].concat();
    assert!(Outline::read(&zero).is_none());
}

#[test]
fn a_jpeg_that_is_cut_at_any_byte_is_decoded_in_one_piece_or_not_at_all() {
    let jpeg = joined(Size::new(17, 70), Chroma::Yuv420, 1);
    for end in 0..jpeg.len() {
        assert!(in_strips(&jpeg[..end], 3, FULL).is_none(), "cut at {end}");
    }
    assert_same(&[&jpeg[..], b"junk behind"].concat(), 3, FULL, "junk behind");
}

#[test]
fn a_damaged_strip_is_damaged_alone_and_named_and_looks_as_in_the_whole() {
    let jpeg = joined(Size::new(64, 160), Chroma::Yuv420, 1);
    let sound = whole(&jpeg, FULL).0;
    let restarts = restarts(&jpeg);
    // Each interval loses its data after the first 20 bytes.
    for broken in 0..10 {
        let start = if broken == 0 { data_at(&jpeg) } else { restarts[broken - 1] + 2 };
        let end = restarts.get(broken).copied().unwrap_or(jpeg.len() - 2);
        let damaged = [&jpeg[..start + 20], &jpeg[end..]].concat();
        let (picture, rows) = in_strips(&damaged, 10, FULL).expect("the markers are there");
        assert_eq!(rows, broken * 16..broken * 16 + 16);
        assert_eq!(picture.pixels(), whole(&damaged, FULL).0.pixels());
        // Colours reach one row into the neighbours.
        for (row, (ours, before)) in
            picture.pixels().chunks(64).zip(sound.pixels().chunks(64)).enumerate()
        {
            let is_near = (broken * 16).saturating_sub(1) <= row && row <= broken * 16 + 16;
            assert!(is_near || ours == before, "row {row} of a picture that lacks {broken}");
        }
    }
}

#[test]
fn every_broken_bit_leads_to_the_same_pixels_as_in_the_whole() {
    for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
        let jpeg = joined(Size::new(30, 70), chroma, 1);
        for at in 0..jpeg.len() {
            for bit in [0, 3, 7] {
                let broken = with(&jpeg, at, &[jpeg[at] ^ (1 << bit)]);
                let Some(outline) = Outline::read(&broken) else { continue };
                let (mut picture, mut expected) = (Picture::default(), Picture::default());
                let run = |jobs: &mut [Job<'_>]| jobs.iter_mut().for_each(Job::run);
                let mut strips = StripDecoder::default();
                let Some(outcome) = strips.decode(&broken, &outline, 3, FULL, &mut picture, run)
                else {
                    continue;
                };
                let decoded = Decoder::new().expect("a decoder").decode(&broken, &mut expected);
                assert_eq!(outcome.is_ok(), decoded.is_ok(), "byte {at}, bit {bit}");
                if outcome.is_ok() {
                    assert!(picture.pixels() == expected.pixels(), "byte {at}, bit {bit}");
                }
            }
        }
    }
}

#[test]
fn bytes_that_belong_to_no_block_are_harmless_only_at_the_end() {
    let jpeg = joined(Size::new(40, 64), Chroma::Yuv420, 1);
    let end = jpeg.len() - 2;
    let junk = [&jpeg[..end], &[0x55; 40], &jpeg[end..]].concat();
    assert_eq!(in_strips(&junk, 4, FULL).expect("it can be cut").1, 0..0);
    assert_eq!(whole(&junk, FULL).1, Decoded::WithLeftovers);
    let at = restarts(&jpeg)[1];
    let junk = [&jpeg[..at], &[0x55; 40], &jpeg[at..]].concat();
    assert_eq!(in_strips(&junk, 4, FULL).expect("it can be cut").1, 16..32);
    assert_eq!(whole(&junk, FULL).1, Decoded::Damaged);
}

/// Compares at all scales, cut into different numbers of strips.
fn assert_same_at_all_scales(jpeg: &[u8], size: Size, what: &str) {
    for divisor in [1, 2, 4, 8] {
        let at_least = Size::new(size.width.div_ceil(divisor), size.height.div_ceil(divisor));
        for strips in [2, 3, 5, MOST_STRIPS] {
            assert_same(jpeg, strips, at_least, &format!("{what}, 1/{divisor}"));
        }
    }
}

#[test]
fn cjpegs_pictures_are_the_same_in_strips_whatever_their_sampling_tables_and_intervals() {
    let size = Size::new(115, 147);
    let samplings = [
        "1x1",
        "2x1",
        "2x2",
        "1x2",
        "4x1",
        "1x4",
        "2x2,1x2,1x2",
        "2x2,2x1,2x1",
        "1x2,1x2,1x2",
        "2x1,2x1,2x1",
    ];
    for sampling in samplings {
        for more in ["-baseline", "-optimize"] {
            for rows in ["1", "2"] {
                let arguments = ["-quality", "70", "-sample", sampling, more, "-restart", rows];
                let Some(jpeg) = cjpeg(size, &arguments) else { return };
                assert_same_at_all_scales(&jpeg, size, &arguments.join(" "));
            }
        }
    }
    for (rows, can_be_cut) in
        [("1", true), ("4", true), ("100", false), ("15B", true), ("14B", false)]
    {
        let arguments = ["-grayscale", "-restart", rows];
        let Some(jpeg) = cjpeg(size, &arguments) else { return };
        assert_eq!(Outline::read(&jpeg).is_some(), can_be_cut, "{rows}");
        if can_be_cut {
            assert_same_at_all_scales(&jpeg, size, &arguments.join(" "));
        }
    }
}

#[test]
fn what_cjpeg_makes_without_intervals_of_rows_or_in_other_ways_is_not_cut() {
    for arguments in [
        &["-quality", "70"][..],
        &["-restart", "3B"],
        &["-progressive", "-restart", "1"],
        &["-arithmetic", "-restart", "1"],
        &["-sample", "1x1,2x1,2x1", "-restart", "1"],
        &["-sample", "2x2,1x1,2x1", "-restart", "1"],
        &["-rgb", "-sample", "1x1,1x1,2x2", "-restart", "1"],
    ] {
        let Some(jpeg) = cjpeg(Size::new(115, 147), arguments) else { return };
        assert!(in_strips(&jpeg, 4, FULL).is_none(), "{arguments:?}");
    }
}

#[test]
fn ffmpegs_pictures_are_the_same_in_strips() {
    for format in ["yuvj420p", "yuvj422p", "yuvj444p"] {
        for threads in ["1", "4"] {
            // With several threads it sets restart markers.
            let source =
                ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=214x262", "-frames:v", "1"];
            let coding = ["-threads", threads, "-thread_type", "slice", "-c:v", "mjpeg"];
            let output = ["-pix_fmt", format, "-f", "mjpeg", "-"];
            let arguments = [&source[..], &coding, &output].concat();
            let Some(made) = tool("ffmpeg", &arguments, &[]) else { return };
            let (jpeg, what) = (made.stdout, format!("{format}, {threads} threads"));
            assert_eq!(Outline::read(&jpeg).is_some(), threads == "4", "{what}: {}", made.said);
            if threads == "4" {
                assert_same_at_all_scales(&jpeg, Size::new(214, 262), &what);
            }
        }
    }
}

/// What Pillow 13 saved with `restart_marker_rows=1` (or 2), `restart_marker_blocks=4`, or neither.
#[test]
fn pillows_pictures_are_the_same_in_strips() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/restarts");
    let mut cut = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let jpeg = fs::read(&path).expect("a file");
        assert_eq!(Outline::read(&jpeg).is_some(), name.contains("rows"), "{name}");
        if name.contains("rows") {
            assert_same_at_all_scales(&jpeg, Size::new(70, 85), &name);
            cut += 1;
        }
    }
    assert_eq!(cut, 4);
}
