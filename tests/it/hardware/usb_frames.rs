//! Faults of [`usb_faults`](super::usb_faults) in the frames of a USB camera, or in their times.

use crate::hardware::pi::{run, viewer};
use crate::hardware::usb_scene::{
    Event, Scene, Watcher, assert_back, assert_exact, print_gap, watched,
};
use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::{Said, look};
use crate::tools::until::wait_until;
use crate::tools::usb_camera::pictures::Numbered;
use crate::tools::usb_camera::{Clock, Flaw, Kind, Shot};
use lancam::image::pixels::Size;
use lancam::wire::native::message::Message;
use std::time::{Duration, Instant};

/// Every `every`th frame has this flaw. Viewers must still get pictures.
pub(crate) fn spoilt(scene: &Scene, flaw: Flaw, every: u64, is_exact: bool) {
    let watcher = watched(scene, "--size 640x480");
    scene.camera.order(|orders| orders.flaw = Some((every, flaw)));
    let start = Instant::now();
    let pictures = watcher.pictures_after(start, 40);
    scene.camera.order(|orders| orders.flaw = None);
    assert_back(watcher.picture_after(Instant::now()));
    if is_exact {
        assert_exact(&pictures);
    } else {
        assert!(pictures.iter().any(|(_, is_exact)| *is_exact), "{pictures:?}");
    }
    let log = scene.stop();
    let told = log.lines().filter(|line| line.contains("a frame ")).count();
    assert!(told <= 1, "it is said once:\n{log}");
}

pub(crate) fn noise_at_first(scene: &Scene) {
    scene.plug("webcam");
    scene.camera.order(|orders| orders.noise_at_start = 30);
    scene.start("--size 640x480");
    let (start, watcher) = (Instant::now(), scene.watch());
    print_gap(watcher.picture_after(start));
    assert_exact(&watcher.pictures_after(start, 10));
    scene.stop();
}

pub(crate) fn noise_for_ever(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    scene.camera.order(|orders| orders.flaw = Some((1, Flaw::Noise)));
    let start = Instant::now();
    watcher.told_after(start, "did not begin like a JPEG");
    wait_for_frames(scene, 300);
    let lines = scene.log().lines().count();
    wait_for_frames(scene, 300);
    assert!(scene.log().lines().count() <= lines + 1, "the log grows:\n{}", scene.log());
    scene.camera.order(|orders| orders.flaw = None);
    assert_back(watcher.picture_after(Instant::now()));
    scene.stop();
}

/// Waits until the camera has sent this many more frames. A busy machine may need long for that.
fn wait_for_frames(scene: &Scene, count: u64) {
    let end = scene.camera.seen().frames + count;
    let deadline = Instant::now() + 4 * PATIENCE;
    while scene.camera.seen().frames < end {
        assert!(Instant::now() < deadline, "the camera is not tried again");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn silent(scene: &Scene, seconds: u64) {
    let watcher = watched(scene, "--size 640x480");
    let start = Instant::now();
    let until = start + Duration::from_secs(seconds);
    scene.camera.order(|orders| orders.silent_until = Some(until));
    watcher.told_after(start, "no frame");
    assert_back(watcher.picture_after(until));
    assert_exact(&watcher.pictures_after(until, 5));
    scene.stop();
}

pub(crate) fn without_tables(scene: &Scene) {
    scene.plug("webcam");
    scene.camera.order(|orders| orders.flaw = Some((1, Flaw::NoTables)));
    scene.start("--size 640x480");
    let (start, mut client) = (Instant::now(), viewer(&scene.guest));
    for index in 0..5 {
        let (size, jpeg) = loop {
            if let Said::Frame { facts, payload } = client.hear() {
                client.say(&Message::Ack { sequence: facts.sequence });
                break (facts.size, payload);
            }
        };
        if index == 0 {
            print_gap(start.elapsed());
        }
        let number = Numbered::number_of(&jpeg).expect("the camera's JPEG");
        // Some decoders know the standard tables, others do not.
        let has_tables = jpeg.windows(2).any(|pair| pair == [0xFF, 0xC4]);
        assert!(has_tables, "picture {number} has no Huffman tables");
        let Size { width, height } = size;
        let whole = scene.camera.film(Shot { kind: Kind::Mjpeg, width, height, number });
        let ((shown, _), (sent, _)) = (look(&jpeg), look(&whole));
        assert!(shown.pixels() == sent.pixels(), "picture {number} is another one");
    }
    scene.stop();
}

pub(crate) fn another_size(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    for size in [Some((320, 240)), Some((1280, 720)), None] {
        scene.camera.order(|orders| orders.other_size = size);
        let (width, height) = size.unwrap_or((640, 480));
        let start = Instant::now();
        let since = |(at, event): &(Instant, Event)| {
            let is_exact = matches!(event, Event::Picture { size, is_exact: true, .. }
                if *size == Size::new(width, height));
            (*at > start && is_exact).then(|| *at - start)
        };
        assert_back(wait_until("a picture of this size", || {
            watcher.events().iter().find_map(since)
        }));
    }
    scene.stop();
}

/// The number is at a frame's lower edge: if half of the frame is missing, or if rows are not where they belong,
/// so is the number.
pub(crate) fn of_another_length(scene: &Scene, flaw: Flaw) {
    let watcher = watched(scene, "--size 640x480 --format YUYV");
    scene.camera.order(|orders| orders.flaw = Some((3, flaw)));
    let fresh = scene.next_number();
    let pictures = watcher.pictures_after(Instant::now(), 20);
    scene.camera.order(|orders| orders.flaw = None);
    assert_back(watcher.picture_after(Instant::now()));
    let torn = pictures.iter().filter(|(number, _)| number.is_none()).count();
    assert_eq!(torn, 0, "{pictures:?}");
    let is_flawed = |number: &u64| *number >= fresh && number.is_multiple_of(3);
    let flawed = pictures.iter().filter_map(|(number, _)| *number).find(is_flawed);
    assert_eq!(flawed, None, "it is not left out: {pictures:?}");
    scene.stop();
}

/// The driver uses the camera's clock if it is told to. By default it uses its own.
pub(crate) fn nonsense_of_the_clock(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    let option = "/sys/module/uvcvideo/parameters/hwtimestamps";
    for uses_it in [0, 1] {
        run(&scene.guest, &format!("echo {uses_it} >{option} && grep -q {uses_it} {option}"));
        for clock in [Clock::Stands, Clock::Jumps] {
            let start = Instant::now();
            scene.camera.order(|orders| orders.clock = clock);
            assert_back(watcher.picture_after(start));
            assert_exact(&watcher.pictures_after(start, 40));
            assert_back(watcher.longest_gap(start));
        }
    }
    run(&scene.guest, &format!("echo 0 >{option}"));
    assert_no_word(&watcher);
    scene.stop();
}

pub(crate) fn slow_in_the_dark(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    scene.camera.order(|orders| orders.slowness = 10);
    let dark = Instant::now();
    assert_exact(&watcher.pictures_after(dark, 15));
    println!("  15 pictures in {:.1} s", dark.elapsed().as_secs_f64());
    at_its_rate_again(scene, &watcher);
    assert_no_word(&watcher);
    scene.stop();
}

pub(crate) fn slower_than_its_patience(scene: &Scene) {
    let watcher = watched(scene, "--size 640x480");
    scene.camera.order(|orders| orders.slowness = 60);
    let opened = || scene.log().matches("capturing from").count();
    // When each silence counted as a fault, the camera was opened nine times in 13 s.
    watcher.pictures_after(Instant::now(), 6);
    let (openings, known) = (opened(), Instant::now());
    assert_exact(&watcher.pictures_after(known, 5));
    assert!(openings <= 4, "opened {openings} times: {}", scene.log());
    assert_eq!(opened(), openings, "opened again though it is slow: {}", scene.log());
    at_its_rate_again(scene, &watcher);
    scene.stop();
}

fn at_its_rate_again(scene: &Scene, watcher: &Watcher) {
    let start = Instant::now();
    scene.camera.order(|orders| orders.slowness = 1);
    assert_back(watcher.picture_after(start));
    assert_exact(&watcher.pictures_after(start, 30));
}

/// Checks that the viewer was told of no fault. On a busy machine the emulated one may stand still for a
/// second, which is allowed.
fn assert_no_word(watcher: &Watcher) {
    let events = watcher.events();
    let word = events.iter().find(|(_, event)| match event {
        Event::Status(text) => !text.is_empty() && !text.contains("no frame for"),
        Event::Closed => true,
        Event::Picture { .. } => false,
    });
    assert!(word.is_none(), "{word:?}");
}
