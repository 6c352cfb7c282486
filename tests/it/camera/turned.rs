//! `--rotate` and `--flip`, from the options to the pixels that viewers get.

use crate::tools::camera_process::CameraProcess;
use crate::tools::jpeg_tools::{djpeg, encoded, tool};
use crate::tools::native_client::{NativeClient, look};
use lancam::image::jpeg::markers;
use lancam::image::pixels::{Chroma, Size};
use lancam::wire::native::message::Wishes;

/// The sides of the picture where the test pattern can have its white bar.
#[derive(Debug, PartialEq)]
enum Side {
    Left,
    Right,
    Top,
    Bottom,
}

/// The side of the white bar, and the size of the picture.
fn white_side(jpeg: &[u8]) -> (Side, Size) {
    let (picture, _) = look(jpeg);
    let size = picture.size();
    let near = |x: usize, y: usize| picture.rgb(x, y).iter().all(|part| part.abs_diff(191) < 12);
    // A place that neither the ball, which crosses the middle, nor the text covers.
    let (middle_x, middle_y) = (size.width * 27 / 100, size.height * 27 / 100);
    let sides = [
        (Side::Left, near(size.width / 20, middle_y)),
        (Side::Right, near(size.width * 19 / 20, middle_y)),
        (Side::Top, near(middle_x, size.height / 20)),
        (Side::Bottom, near(middle_x, size.height * 19 / 20)),
    ];
    let side = sides.into_iter().find_map(|(side, is_white)| is_white.then_some(side));
    (side.expect("a white bar at one side"), size)
}

#[test]
fn a_raw_picture_is_turned_and_flipped_as_asked_for() {
    let (lying, standing) = (Size::new(640, 360), Size::new(360, 640));
    for (options, side, size) in [
        (&["--rotate", "0"][..], Side::Left, lying),
        (&["--rotate", "90"], Side::Top, standing),
        (&["--rotate", "180"], Side::Right, lying),
        (&["--rotate", "270"], Side::Bottom, standing),
        (&["--flip", "h"], Side::Right, lying),
        (&["--flip", "v"], Side::Left, lying),
        (&["--flip", "v", "--rotate", "90"], Side::Bottom, standing),
        (&["--rotate", "90", "--flip", "h"], Side::Top, standing),
    ] {
        let camera = CameraProcess::start(&[&["--source", "test:640x360"], options].concat());
        let (facts, jpeg) = NativeClient::connect(camera.port()).frame();
        assert_eq!(white_side(&jpeg), (side, size), "{options:?}");
        assert_eq!(facts.size, size);
    }
}

#[test]
fn a_turned_picture_is_resized_upright() {
    let camera =
        CameraProcess::start(&["--source", "test:640x360", "--rotate", "90", "--width", "180"]);
    let (_, jpeg) = NativeClient::connect(camera.port()).frame();
    assert_eq!(white_side(&jpeg), (Side::Top, Size::new(180, 320)));
}

/// A camera that repeats one JPEG.
fn playing(jpeg: &[u8], options: &[&str]) -> (CameraProcess, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("clip.mjpeg");
    std::fs::write(&clip, jpeg).expect("writes");
    let source = ["--source", clip.to_str().expect("UTF-8")];
    (CameraProcess::start(&[&source, options].concat()), folder)
}

#[test]
fn a_camera_s_own_jpeg_is_turned_without_loss_and_its_header_with_it() {
    for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
        let jpeg = encoded(Size::new(640, 352), chroma, 80);
        let (camera, _folder) = playing(&jpeg, &["--rotate", "90"]);
        let (facts, turned) = NativeClient::connect(camera.port()).frame();
        assert_eq!(facts.size, Size::new(352, 640));
        assert_eq!(markers::picture_size(&turned), Some(facts.size));
        // libjpeg-turbo's own program turns it back. If the coefficients and pixels are the camera's, nothing
        // was lost.
        let Some(back) = tool("jpegtran", &["-perfect", "-rotate", "270"], &turned) else { return };
        assert_eq!(back.said, "");
        assert!(djpeg(&back.stdout) == djpeg(&jpeg), "{chroma:?}: other pixels");
    }
}

#[test]
fn edges_that_are_no_whole_blocks_are_left_out_and_that_is_said_once() {
    let jpeg = encoded(Size::new(645, 355), Chroma::Yuv420, 80);
    let (camera, _folder) = playing(&jpeg, &["--rotate", "180"]);
    let mut viewer = NativeClient::connect(camera.port());
    for _ in 0..5 {
        assert_eq!(viewer.frame().0.size, Size::new(640, 352));
    }
}

#[test]
fn a_rendition_of_a_turned_jpeg_stands_upright_with_and_without_a_viewer_of_the_whole() {
    let source = CameraProcess::start(&["--source", "test:640x368"]);
    let (_, jpeg) = NativeClient::connect(source.port()).frame();
    let (camera, _folder) = playing(&jpeg, &["--rotate", "90"]);
    let wishes = Wishes { width: 92, ..Wishes::default() };
    let mut small = NativeClient::connect_wishing(camera.port(), wishes);
    let expected = (Side::Top, Size::new(92, 160));
    assert_eq!(white_side(&small.frame().1), expected, "planes are turned");
    let mut whole = NativeClient::connect(camera.port());
    assert_eq!(white_side(&whole.frame().1), (Side::Top, Size::new(368, 640)));
    for _ in 0..10 {
        // From now on the small picture is made of the JPEG that was turned for the other viewer.
        assert_eq!(white_side(&small.frame().1), expected);
        whole.frame();
    }
}
