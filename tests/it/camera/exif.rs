//! Cameras whose pictures say which way up they are: every client sees them the same way up.

use crate::tools::camera_process::CameraProcess;
use crate::tools::http_client::{HttpClient, get};
use crate::tools::native_client::{NativeClient, look};
use lancam::image::jpeg::codec::Encoder;
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use std::path::Path;

const SIZE: Size = Size::new(128, 64);

/// A dark picture with a bright quarter at the top left.
fn upright() -> Vec<u8> {
    let mut planes = Planes::default();
    planes.reshape(SIZE, Chroma::Yuv420);
    let to = planes.split_mut();
    for (index, y) in to.y.iter_mut().enumerate() {
        let (x, row) = (index % SIZE.width, index / SIZE.width);
        *y = if x < SIZE.width / 2 && row < SIZE.height / 2 { 220 } else { 40 };
    }
    to.cb.fill(128);
    to.cr.fill(128);
    let mut out = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
    let len = Encoder::new(90).and_then(|mut encoder| encoder.encode(&planes, &mut out));
    out.truncate(len.expect("encodes"));
    out
}

/// The same with an EXIF segment that says `orientation` and has `more` after its directory.
fn saying(orientation: u8, order: &[u8; 2], more: &[u8]) -> Vec<u8> {
    let jpeg = upright();
    let short = |value: u8| if order == b"II" { [value, 0] } else { [0, value] };
    let long = |value: u8| if order == b"II" { [value, 0, 0, 0] } else { [0, 0, 0, value] };
    let tag: [u8; 2] = if order == b"II" { [0x12, 0x01] } else { [0x01, 0x12] };
    let entry = [&tag[..], &short(3), &long(1), &short(orientation), &[0, 0]].concat();
    let tiff = [order, &short(42)[..], &long(8), &short(1), &entry, &long(0), more].concat();
    let content = [b"Exif\0\0", &tiff[..]].concat();
    let length = u16::try_from(content.len() + 2).expect("short").to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &content, &jpeg[2..]].concat()
}

/// Which quarter is bright: left or right, top or bottom.
fn bright_quarter(picture: &Picture) -> (usize, usize) {
    let Size { width, height } = picture.size();
    let at = |across: usize, down: usize| {
        picture.rgb(width / 4 + across * width / 2, height / 4 + down * height / 2)[1]
    };
    let quarters = [(0, 0), (1, 0), (0, 1), (1, 1)];
    quarters.into_iter().max_by_key(|&(across, down)| at(across, down)).expect("four")
}

/// Where the bright quarter is after EXIF is applied, and whether the picture stands on its side (CIPA
/// DC-008, 4.6.4).
const MEANT: [((usize, usize), bool); 8] = [
    ((0, 0), false),
    ((1, 0), false),
    ((1, 1), false),
    ((0, 1), false),
    ((0, 0), true),
    ((1, 0), true),
    ((1, 1), true),
    ((0, 1), true),
];

fn camera(jpeg: &[u8], folder: &Path, arguments: &[&str]) -> CameraProcess {
    let path = folder.join("clip.mjpeg");
    std::fs::write(&path, jpeg.repeat(2)).expect("writes");
    let source = path.to_str().expect("UTF-8");
    CameraProcess::start(&[&["--source", source, "--fps", "50"], arguments].concat())
}

/// What each kind of client gets.
fn seen(camera: &CameraProcess) -> Vec<(&'static str, Vec<u8>)> {
    let port = camera.port();
    vec![
        ("snapshot", get(port, "/snapshot").body),
        ("smaller snapshot", get(port, "/snapshot?width=32").body),
        ("stream", HttpClient::connect(port).stream("/stream").part().jpeg),
        ("native", NativeClient::connect(port).frame().1),
    ]
}

fn check(camera: &CameraProcess, quarter: (usize, usize), on_its_side: bool, what: &str) {
    for (client, jpeg) in seen(camera) {
        let (picture, _) = look(&jpeg);
        let Size { width, height } = picture.size();
        assert_eq!(height > width, on_its_side, "{what}, {client}: {width}x{height}");
        assert_eq!(bright_quarter(&picture), quarter, "{what}, {client}");
        // No tag is left, so no client can turn the picture a second time.
        let tagged = jpeg.windows(6).position(|bytes| bytes == b"Exif\0\0");
        assert!(tagged.is_none() || what.starts_with('1'), "{what}, {client}");
    }
}

#[test]
fn all_eight_ways_up_are_the_same_for_everybody() {
    for (orientation, (quarter, on_its_side)) in (1_u8..).zip(MEANT) {
        let order = if orientation % 2 == 0 { b"II" } else { b"MM" };
        let folder = tempfile::tempdir().expect("a folder");
        let camera = camera(&saying(orientation, order, &[]), folder.path(), &[]);
        check(&camera, quarter, on_its_side, &orientation.to_string());
    }
}

#[test]
fn a_thumbnail_beside_it_and_the_owners_own_turn_change_nothing_of_that() {
    let folder = tempfile::tempdir().expect("a folder");
    // lancam removes this segment because it has a thumbnail, but still applies its orientation.
    let thumbnail = saying(6, b"II", &[0xFF, 0xD8, 0xFF, 0xD9]);
    check(&camera(&thumbnail, folder.path(), &[]), (1, 0), true, "6 with a thumbnail");
    let turned = saying(6, b"MM", &[]);
    let back = camera(&turned, folder.path(), &["--rotate", "270"]);
    check(&back, (0, 0), false, "6, turned back");
    let flipped = camera(&turned, folder.path(), &["--flip", "h"]);
    check(&flipped, (0, 0), true, "6, flipped");
}

#[test]
fn a_camera_that_is_turned_while_it_sends_stays_upright() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("both.mjpeg");
    let both = [saying(1, b"II", &[]), saying(6, b"II", &[])].concat();
    std::fs::write(&path, both).expect("writes");
    let source = path.to_str().expect("UTF-8");
    let camera = CameraProcess::start(&["--source", source, "--fps", "20"]);
    let mut viewer = NativeClient::connect(camera.port());
    let mut sides = [0, 0];
    for _ in 0..12 {
        let (facts, jpeg) = viewer.frame();
        let (picture, _) = look(&jpeg);
        assert_eq!(picture.size(), facts.size);
        let is_tall = facts.size.height > facts.size.width;
        assert_eq!(bright_quarter(&picture), if is_tall { (1, 0) } else { (0, 0) });
        sides[usize::from(is_tall)] += 1;
    }
    assert!(sides.iter().all(|&count| count > 0), "{sides:?}");
}
