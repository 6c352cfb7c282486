//! JPEGs as cameras really send them: what can be repaired decodes without a warning, and nothing else is
//! sent.

use crate::tools::jpeg_quirks::{quirks, segments, without_huffman_tables};
use crate::tools::jpeg_tools::{byte, cjpeg, djpeg, encoded, noise, tool};
use lancam::image::jpeg::codec::{Decoded, Decoder};
use lancam::image::jpeg::gate::{DriverSays, Gate};
use lancam::image::jpeg::repair::{self, Damage, MOST_ADDED};
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;

const SMALL: Size = Size::new(64, 48);
const ODD: Size = Size::new(101, 67);
const WIDE: Size = Size::new(320, 180);

/// Good JPEGs, by name.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut good = Vec::new();
    for size in [SMALL, ODD, WIDE] {
        for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
            good.push((format!("{size} {chroma:?}"), encoded(size, chroma, 75)));
        }
    }
    for arguments in [
        &["-quality", "85"][..],
        &["-optimize"],
        &["-grayscale"],
        &["-sample", "1x1"],
        &["-restart", "1"],
        &["-restart", "3B"],
        &["-progressive"],
        &["-progressive", "-restart", "1"],
        &["-quality", "5"],
    ] {
        if let Some(jpeg) = cjpeg(ODD, arguments) {
            good.push((format!("cjpeg {}", arguments.join(" ")), jpeg));
        }
    }
    good
}

fn write(picture: &repair::Examined<'_>) -> Vec<u8> {
    let mut out = vec![0; picture.len()];
    picture.write_to(&mut out);
    out
}

/// What lancam makes of a camera's first picture, which the gate cannot compare with others.
fn repaired(sent: &[u8]) -> Result<Vec<u8>, Damage> {
    let picture = repair::examine(sent)?.without_leftovers();
    assert!(picture.len() <= sent.len() + MOST_ADDED);
    Ok(write(&picture))
}

#[test]
fn good_pictures_are_sent_on_byte_for_byte() {
    for (name, jpeg) in corpus() {
        let picture = repair::examine(&jpeg).expect(&name);
        assert!(picture.is_untouched(), "{name}");
        assert_eq!(write(&picture), jpeg, "{name}");
        assert_eq!(repaired(&jpeg).as_ref(), Ok(&jpeg), "{name}");
        let mut gate = Gate::default();
        for _ in 0..20 {
            let judged = gate.judge(&jpeg, DriverSays::Whole).expect(&name);
            assert_eq!(write(&judged), jpeg, "{name}");
        }
    }
}

#[test]
fn every_quirk_is_repaired_and_the_picture_is_the_same() {
    for (name, jpeg) in corpus() {
        let Some((pixels, said)) = djpeg(&jpeg) else { return };
        assert_eq!(said, "", "{name}");
        for (quirk, sent) in quirks(&jpeg) {
            let fixed =
                repaired(&sent).unwrap_or_else(|damage| panic!("{name}, {quirk}: {damage}"));
            let (fixed_pixels, said) = djpeg(&fixed).expect("it was there before");
            assert_eq!(said, "", "{name}, {quirk}");
            assert!(fixed_pixels == pixels, "{name}, {quirk}: another picture");
            // Readers of multipart streams look for these markers.
            assert!(fixed.starts_with(&[0xFF, 0xD8]) && fixed.ends_with(&[0xFF, 0xD9]));
            let inside = &fixed[2..fixed.len() - 2];
            let misleading = inside.windows(2).find(|pair| matches!(pair, [0xFF, 0xD8 | 0xD9]));
            assert_eq!(misleading, None, "{name}, {quirk}");
        }
    }
}

#[test]
fn huffman_tables_that_were_left_out_are_put_in() {
    for (name, jpeg) in corpus() {
        let sent = without_huffman_tables(&jpeg);
        let has_its_own = name.contains("optimize") || name.contains("grayscale");
        if name.contains("progressive") {
            assert_eq!(repaired(&sent), Err(Damage::NoTables), "{name}");
            continue;
        }
        let fixed = repaired(&sent).expect(&name);
        assert!(segments(&fixed).iter().any(|&(marker, _)| marker == 0xC4));
        let Some((pixels, _)) = djpeg(&jpeg) else { return };
        let (fixed_pixels, said) = djpeg(&fixed).expect("it was there before");
        assert!((fixed_pixels == pixels && said.is_empty()) || has_its_own, "{name}: {said}");
    }
}

#[test]
fn what_no_viewer_decodes_is_refused() {
    let Some(arithmetic) = cjpeg(ODD, &["-arithmetic"]) else { return };
    assert_eq!(repaired(&arithmetic), Err(Damage::Coding));
    for garbage in [&[][..], &[0; 100], &[0xFF; 100], b"\xFF\xD8\xFF\xD9", b"\xFF\xD8\xFF"] {
        assert!(repaired(garbage).is_err());
    }
}

/// Only the frames before it tell whether a frame was cut or its camera never sends end markers.
#[test]
fn cut_frames_are_dropped_where_frames_are_whole_and_never_break_anything_where_ends_are_missing() {
    let mut decoder = Decoder::new().expect("a decoder");
    let mut picture = Picture::default();
    for (name, jpeg) in corpus() {
        let mut gate = Gate::default();
        let mut habit = Gate::default();
        for _ in 0..32 {
            let _ = habit.judge(&jpeg[..jpeg.len() - 2], DriverSays::Whole);
        }
        for end in (0..jpeg.len()).step_by(97).chain(jpeg.len() - 3..jpeg.len()) {
            let sent = &jpeg[..end];
            for _ in 0..16 {
                gate.judge(&jpeg, DriverSays::Whole).expect("whole");
            }
            assert!(gate.judge(sent, DriverSays::Whole).is_err(), "{name} cut at {end}");
            let Ok(judged) = habit.judge(sent, DriverSays::Whole) else { continue };
            let sent = write(&judged);
            let decoded = decoder.decode(&sent, &mut picture);
            let decoded = decoded.unwrap_or_else(|error| panic!("{name} cut at {end}: {error}"));
            if end + 2 >= jpeg.len() {
                assert_eq!(decoded, Decoded::Whole, "{name} cut at {end}");
            }
        }
    }
}

/// Only the decoder notices flipped bits in the data. It then shows what it can, or refuses the picture.
#[test]
fn flipped_bits_never_break_anything_and_no_decoder_refuses_a_head_that_was_sent_on() {
    let mut noise = noise(11);
    let mut decoder = Decoder::new().expect("a decoder");
    let mut picture = Picture::default();
    let mut planes = Planes::default();
    let mut sent_on = 0;
    for (name, jpeg) in corpus() {
        let data_at = segments(&jpeg).last().expect("a scan").1 + 14;
        for round in 0..600 {
            let mut flipped = jpeg.clone();
            let in_head = round % 4 != 0;
            let range = if in_head { data_at } else { jpeg.len() };
            for _ in 0..=round % 3 {
                let at = noise() % range;
                flipped[at] ^= if round % 5 == 0 { byte(noise()) } else { 1 << (noise() % 8) };
            }
            let Ok(fixed) = repaired(&flipped) else { continue };
            sent_on += 1;
            let decoded = decoder.decode(&fixed, &mut picture);
            assert!(decoded.is_ok() || !in_head, "{name}, round {round}: {decoded:?}");
            // Its colours may be of a kind that no camera sends.
            let _ = decoder.decode_planes(&fixed, SMALL, &mut planes);
        }
    }
    assert!(sent_on > 1000, "{sent_on}: most flips in tables and data leave a JPEG one");
}

#[test]
fn restart_markers_tell_a_cut_frame_from_one_that_lacks_its_end() {
    let Some(jpeg) = cjpeg(ODD, &["-restart", "1"]) else { return };
    let data_at = segments(&jpeg).last().expect("a scan").1;
    let last = jpeg.windows(2).rposition(|pair| matches!(pair, [0xFF, 0xD0..=0xD7]));
    for end in data_at + 200..last.expect("restart markers") {
        assert!(repaired(&jpeg[..end]).is_err(), "cut at {end}");
    }
    assert_eq!(repaired(&jpeg[..jpeg.len() - 2]).as_ref(), Ok(&jpeg));
    let said = tool("djpeg", &["-pnm"], &jpeg[..data_at + 300]).expect("it is installed").said;
    assert!(!said.is_empty(), "a decoder would have seen it too");
}
