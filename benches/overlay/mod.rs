//! The cost of the figures that the viewer draws over each picture, compared with one copy of the picture.

use crate::measure::paired;
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::viewer::paint::badges::{Badges, Recording};
use lancam::viewer::paint::figures::Figures;
use lancam::viewer::paint::{AgeTrack, Painter, Rect, Scale};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 401;

/// Prints a line for each size.
pub(crate) fn report() {
    println!("all figures with their graph, and two badges, against one copy of the picture");
    for size in [Size::new(1280, 720), Size::new(1920, 1080), Size::new(3840, 2160)] {
        let track = track();
        let mut painter = Painter::new();
        let mut picture = Picture::blank(size, 0x0040_8060);
        let (source, mut copy) = (vec![0x0011_2233_u32; size.area()], vec![0_u32; size.area()]);
        let mut number = 0;
        let (ours, limit, _) = paired(
            ROUNDS,
            || {
                // Other digits each time, as in real use.
                number += 1;
                draw(&mut painter, &mut picture, &track, number);
            },
            || black_box(&mut copy).copy_from_slice(black_box(&source)),
        );
        let [ours, limit] = [ours, limit].map(|seconds| seconds * 1000.0);
        println!("{size}: {ours:.3} ms, a copy {limit:.3} ms");
    }
}

/// Ten seconds at 30 frames a second.
fn track() -> (AgeTrack, Instant) {
    let start = Instant::now();
    let mut track = AgeTrack::default();
    let ms = Duration::from_millis;
    for number in 0..300_u64 {
        track.push(start + ms(number * 1000 / 30), ms(20 + number * 7919 % 9));
    }
    (track, start + Duration::from_secs(10))
}

fn draw(painter: &mut Painter, picture: &mut Picture, track: &(AgeTrack, Instant), number: u64) {
    let area = Rect::of(picture.size());
    let mut canvas = painter.canvas(picture, area, Scale::for_area(area, 1.0));
    let micros = |most: u64| Some(Duration::from_micros(number * 7919 % most));
    let figures = Figures {
        camera: "Küche",
        address: "pi-kueche.local:9999 (192.168.1.20)",
        age: micros(90_000),
        age_p95: micros(99_000),
        uncertainty: micros(999),
        received_fps: Some(30.0),
        shown_fps: Some(29.9),
        bits_per_second: Some(18e6),
        size: Some(Size::new(1280, 720)),
        codec: "JPEG",
        skipped_here: number,
        skipped_there: 12,
        round_trip: micros(2_000),
        interval: Some(Duration::from_millis(33)),
        track: &track.0,
        now: track.1,
    };
    let _ = figures.draw(&mut canvas);
    let recording = Recording { running: Duration::from_millis(number * 33), dropped: 0 };
    let age = micros(2_000_000);
    Badges { recording: Some(recording), age, ..Badges::default() }.draw(&mut canvas);
}
