//! Cameras that send wrong things: the window stays open, says what happened, and goes on.

use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::stage::{Stage, count, crop};
use crate::tools::until::wait_until;
use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::wire::packet::{Codec, FrameFacts};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SIZE: Size = Size::new(640, 360);

/// A JPEG whose header names a larger size.
fn claiming(jpeg: &[u8], side: u16) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    let header = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("a frame header");
    let [high, low] = side.to_be_bytes();
    jpeg[header + 5..header + 9].copy_from_slice(&[high, low, high, low]);
    jpeg
}

/// The frame that the camera sends at this stage of the test.
fn frame(stage: usize, sequence: u64) -> (FrameFacts, Vec<u8>) {
    let small = |size| (jpeg_facts(sequence, size), Pattern::new(SIZE).jpeg(1).to_vec());
    match stage {
        1 => {
            let facts = FrameFacts { codec: Codec::Bgr24, ..jpeg_facts(sequence, Size::new(1, 1)) };
            (facts, vec![1, 2, 3])
        }
        2 => (jpeg_facts(sequence, SIZE), claiming(Pattern::new(SIZE).jpeg(1), 16_384)),
        3 => (jpeg_facts(sequence, SIZE), b"this is no picture".to_vec()),
        4 => {
            let size = Size::new(300, 700);
            let facts = FrameFacts { codec: Codec::Bgr24, ..jpeg_facts(sequence, size) };
            (facts, vec![0x55; size.area() * 3])
        }
        // The message names a wrong size. The JPEG itself is good.
        5 => small(Size::new(16_384, 1)),
        _ => small(SIZE),
    }
}

#[test]
fn sizes_that_change_and_pictures_that_are_none_are_told_and_got_over() {
    let turn = Arc::new(AtomicUsize::new(0));
    let of_camera = Arc::clone(&turn);
    let server = FakeServer::on(0, move |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        for sequence in 1.. {
            let (facts, payload) = frame(of_camera.load(Ordering::SeqCst), sequence);
            camera.send_frame(&facts, &payload)?;
            camera.idle(Duration::from_millis(20))?;
        }
        Ok(())
    });
    let Some(stage) = Stage::new() else { return };
    let viewer = stage.watch([&server]);
    for (number, title) in [
        "fake — 640×360",
        "fake — 1×1",
        "fake — no picture",
        "fake — no picture",
        "fake — 300×700",
        "fake — 640×360",
        "fake — 640×360",
    ]
    .into_iter()
    .enumerate()
    {
        turn.store(number, Ordering::SeqCst);
        stage.wait_for_title(title);
    }
    stage.leave(viewer);
}

#[test]
fn no_clock_is_too_wrong_and_no_name_too_strange() -> io::Result<()> {
    let Some(stage) = Stage::new() else { return Ok(()) };
    let names = ["\u{202E}olleh מצלמה كاميرا", "台所 🎥 Ünïcødé", "\u{1b}[2J\n\t\0", ""];
    for (name, captured_at) in names.into_iter().zip([u64::MAX, 0, 1 << 63, 7]) {
        let server = FakeServer::on(0, move |stream| {
            let camera = FakeCamera::greet(stream, name)?;
            let mut camera = camera.with_clock(Duration::from_secs(captured_at % 1000 * 3600));
            for sequence in 1.. {
                let facts =
                    FrameFacts { captured_at: Micros(captured_at), ..jpeg_facts(sequence, SIZE) };
                camera.send_frame(&facts, Pattern::new(SIZE).jpeg(1))?;
                camera.idle(Duration::from_millis(20))?;
            }
            Ok(())
        });
        let viewer = stage.watch([&server]);
        stage.wait_for_title("640×360");
        stage.press(&["i"]);
        wait_until("the figures, with whatever age", || {
            // The panel is dark where the picture is red. The words on it are nearly white.
            let window = stage.window(SIZE);
            let left = crop(&window, 0, 0, Size::new(230, 180));
            let dark = count(&left, |rgb| rgb.iter().all(|&part| part < 0x40));
            let words = count(&left, |rgb| rgb.iter().all(|&part| part > 0xD0));
            (dark > left.size().area() / 3 && words > 100).then_some(())
        });
        stage.screen.title_with("640×360").expect("it goes on");
        stage.leave(viewer);
    }
    Ok(())
}
