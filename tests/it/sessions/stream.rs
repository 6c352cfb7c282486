//! From the pattern to the pixels: every viewer gets what was captured, the newest first.

use crate::tools::camera_process::CameraProcess;
use crate::tools::jpeg_tools::grey_jpegs;
use crate::tools::native_client::{NativeClient, Said, hello, look};
use lancam::image::pixels::Size;
use lancam::wire::native::message::{GoodbyeReason, Message, StatusCode};
use lancam::wire::packet::Codec;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn the_frames_a_viewer_gets_are_the_frames_that_were_made() {
    let camera = CameraProcess::start(&["--source", "test:640x360@60", "--name", "Küche"]);
    let mut viewer = NativeClient::connect(camera.port());
    assert_eq!(viewer.hear(), Said::Welcome { name: "Küche".into() });
    let mut last = 0;
    for _ in 0..30 {
        let (facts, jpeg) = viewer.frame();
        assert_eq!((facts.codec, facts.size), (Codec::Jpeg, Size::new(640, 360)));
        let (picture, stamp) = look(&jpeg);
        assert_eq!(picture.size(), facts.size);
        let stamp = stamp.expect("a stamp in the picture");
        assert_eq!(u64::from(stamp.sequence), facts.sequence);
        assert_eq!(stamp.made_at, facts.captured_at);
        assert!(facts.sequence > last, "rising order");
        last = facts.sequence;
    }
    assert!(camera.terminate().success());
}

#[test]
fn colour_bars_arrive_in_their_colours() {
    let camera = CameraProcess::start(&["--source", "test:640x360"]);
    let (_, jpeg) = NativeClient::connect(camera.port()).frame();
    let (picture, _) = look(&jpeg);
    // 75 % bars: each of red, green and blue is 191 or 0.
    let bars =
        [[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]];
    for (index, bar) in bars.into_iter().enumerate() {
        let found = picture.rgb(index * 80 + 40, 300);
        for (part, on) in found.into_iter().zip(bar) {
            assert!(part.abs_diff(on * 191) <= 4, "bar {index}: {found:?}");
        }
    }
}

#[test]
fn width_and_height_and_stretch_give_exactly_the_size_they_promise() {
    for (options, size) in [
        (&["--width", "320"][..], Size::new(320, 180)),
        (&["--height", "90"], Size::new(160, 90)),
        (&["--width", "200", "--height", "200"], Size::new(200, 113)),
        (&["--width", "200", "--height", "200", "--stretch"], Size::new(200, 200)),
        (&["--width", "333", "--chroma", "422"], Size::new(333, 187)),
    ] {
        let camera = CameraProcess::start(&[&["--source", "test:640x360"], options].concat());
        let (facts, jpeg) = NativeClient::connect(camera.port()).frame();
        let (picture, stamp) = look(&jpeg);
        assert_eq!((facts.size, picture.size()), (size, size), "{options:?}");
        if size.width >= 300 {
            assert!(stamp.is_some_and(|stamp| u64::from(stamp.sequence) == facts.sequence));
        }
    }
}

#[test]
fn a_greeting_without_a_common_version_is_told_who_must_update() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    for (versions, who) in [((2, 9), "camera"), ((0, 0), "viewer")] {
        let mut viewer = NativeClient::connect_silently(camera.port());
        viewer.say(&hello(versions.0, versions.1));
        let Said::Goodbye { reason: GoodbyeReason::Version, text } = viewer.hear() else {
            panic!("no goodbye for {versions:?}");
        };
        assert!(text.contains("update") && text.contains(who), "{text}");
        assert_eq!(viewer.hear(), Said::Closed);
    }
    // A viewer that speaks more versions than the camera is welcome.
    let mut viewer = NativeClient::connect_silently(camera.port());
    viewer.say(&hello(0, 9));
    assert!(matches!(viewer.hear(), Said::Welcome { .. }));
}

#[test]
fn pings_are_answered_and_controls_are_refused_while_frames_flow() {
    let camera = CameraProcess::start(&["--source", "test:64x48"]);
    let mut viewer = NativeClient::connect(camera.port());
    viewer.frame();
    viewer.say(&Message::Ping { token: 0xDEAD_BEEF });
    viewer.say(&Message::SetControl { id: 1, value: 2 });
    let mut answers = 0;
    while answers < 2 {
        match viewer.hear() {
            Said::Pong { token } => {
                assert_eq!(token, 0xDEAD_BEEF);
                answers += 1;
            }
            Said::Status { code: StatusCode::Refused, .. } => answers += 1,
            Said::Frame { facts, .. } => viewer.say(&Message::Ack { sequence: facts.sequence }),
            other => panic!("{other:?}"),
        }
    }
    viewer.frame();
}

#[test]
fn a_missing_camera_is_told_to_viewers_who_stay_connected() {
    let camera = CameraProcess::start(&["--source", "/dev/video-that-is-not-there"]);
    let mut viewer = NativeClient::connect(camera.port());
    assert!(matches!(viewer.hear(), Said::Welcome { .. }));
    let Said::Status { code: StatusCode::NoCamera, text } = viewer.hear() else {
        panic!("no status");
    };
    assert!(text.contains("/dev/video-that-is-not-there"), "{text}");
    viewer.say(&Message::Ping { token: 1 });
    assert_eq!(viewer.hear(), Said::Pong { token: 1 });
}

#[test]
fn a_clip_passes_through_untouched_and_in_a_loop() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mjpeg");
    let pictures = grey_jpegs(&[10, 120, 240]);
    std::fs::write(&path, &pictures).expect("writes");
    let camera = CameraProcess::start(&["--source", path.to_str().expect("UTF-8"), "--fps", "100"]);
    let mut viewer = NativeClient::connect(camera.port());
    for _ in 0..12 {
        let (facts, jpeg) = viewer.frame();
        assert_eq!(facts.size, Size::new(64, 48));
        assert!(pictures.windows(jpeg.len()).any(|part| part == jpeg), "the camera's own bytes");
    }
}

#[test]
fn a_clip_that_must_be_smaller_is_decoded_resized_and_encoded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mjpeg");
    std::fs::write(&path, grey_jpegs(&[100])).expect("writes");
    let source = path.to_str().expect("UTF-8");
    let camera = CameraProcess::start(&["--source", source, "--width", "20"]);
    let (facts, jpeg) = NativeClient::connect(camera.port()).frame();
    let (picture, _) = look(&jpeg);
    assert_eq!((facts.size, picture.size()), (Size::new(20, 15), Size::new(20, 15)));
    assert!(picture.rgb(10, 7).into_iter().all(|part| part.abs_diff(100) <= 3));
}

#[test]
fn a_pipe_is_followed_at_its_own_pace_and_its_end_is_the_end() {
    let mut command = CameraProcess::command(&["--listen", "127.0.0.1:0", "--source", "-"]);
    let mut camera = CameraProcess::spawn(command.stdin(Stdio::piped()));
    let mut pipe = camera.child.stdin.take().expect("piped");
    let mut viewer = NativeClient::connect(camera.port());
    // A viewer watches once it is welcomed. It does not get frames from before.
    assert!(matches!(viewer.hear(), Said::Welcome { .. }));
    for grey in [50, 150, 250] {
        pipe.write_all(&grey_jpegs(&[grey])).expect("writes");
        let (_, jpeg) = viewer.frame();
        let (picture, _) = look(&jpeg);
        assert!(picture.rgb(9, 9)[1].abs_diff(grey) <= 2);
    }
    drop(pipe);
    let goodbye = std::iter::repeat_with(|| viewer.hear())
        .find(|said| matches!(said, Said::Goodbye { .. } | Said::Closed));
    assert!(
        matches!(goodbye, Some(Said::Goodbye { reason: GoodbyeReason::Stopping, .. })),
        "{goodbye:?}"
    );
    assert!(crate::tools::camera_process::wait(&mut camera.child).success());
}

#[test]
fn a_killed_viewer_is_noticed_and_the_others_go_on() {
    let camera = CameraProcess::start(&["--source", "test:320x180"]);
    let mut healthy = NativeClient::connect(camera.port());
    camera.line_with("GOT CONNECTION FROM: 127.0.0.1");
    drop(NativeClient::connect(camera.port()));
    camera.line_with("connection ended: 127.0.0.1");
    healthy.frame();
}

#[test]
fn one_viewer_too_many_is_told_so() {
    let camera = CameraProcess::start(&["--source", "test:64x48", "--max-viewers", "1"]);
    let mut first = NativeClient::connect(camera.port());
    first.frame();
    let mut second = NativeClient::connect(camera.port());
    assert!(matches!(second.hear(), Said::Goodbye { reason: GoodbyeReason::Full, .. }));
    first.frame();
    drop(first);
    camera.line_with("the viewer left");
    NativeClient::connect(camera.port()).frame();
}

/// Checks the picture with another decoder, if one is installed.
#[test]
fn another_decoder_sees_the_same_picture() {
    let camera = CameraProcess::start(&["--source", "test:640x360"]);
    let (_, jpeg) = NativeClient::connect(camera.port()).frame();
    let child =
        Command::new("djpeg").args(["-pnm"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        crate::tools::skip::skip("djpeg", "libjpeg-turbo-progs is not installed");
        return;
    };
    let mut input = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || input.write_all(&jpeg));
    let output = child.wait_with_output().expect("djpeg runs");
    writer.join().expect("no panic").expect("djpeg reads");
    let pixels = output.stdout.strip_prefix(b"P6\n640 360\n255\n").expect("640x360");
    let yellow = &pixels[(300 * 640 + 120) * 3..][..3];
    assert!(
        yellow[0].abs_diff(191) <= 4 && yellow[1].abs_diff(191) <= 4 && yellow[2] <= 4,
        "{yellow:?}"
    );
}
