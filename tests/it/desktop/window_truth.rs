//! The window in trouble: late pictures are marked, the list of keys scrolls in a small window, saved files
//! are whole.

use crate::tools::camera_process::PATIENCE;
use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts, stream_pattern};
use crate::tools::png_file;
use crate::tools::stage::{Stage, count, crop};
use crate::tools::until::wait_until;
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::latest::Doorbell;
use lancam::viewer::find::address::CameraAddress;
use lancam::viewer::watch::channel::Channel;
use lancam::viewer::watch::receiver::{Protocol, Wanted};
use lancam::wire::native::message::Wishes;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The size of the camera's pictures and of the window.
const SIZE: Size = Size::new(640, 360);

/// The number of pixels whose colours clearly differ.
fn differences(a: &Picture, b: &Picture) -> usize {
    let Size { width, height } = a.size();
    let is_other = |x, y| a.rgb(x, y).iter().zip(b.rgb(x, y)).any(|(a, b)| a.abs_diff(b) > 48);
    (0..height).map(|y| (0..width).filter(|&x| is_other(x, y)).count()).sum()
}

/// The colour of warnings.
fn is_warning([red, green, blue]: [u8; 3]) -> bool {
    red > 240 && (180..210).contains(&green) && (70..100).contains(&blue)
}

/// A camera of 20 pictures a second that sends none while `hangs` is true.
fn camera_that_hangs(hangs: &Arc<AtomicBool>) -> FakeServer {
    let hangs = Arc::clone(hangs);
    FakeServer::on(0, move |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?.with_clock(Duration::ZERO);
        let mut pattern = Pattern::new(SIZE);
        for sequence in 1.. {
            let mut facts = jpeg_facts(sequence, SIZE);
            facts.captured_at = camera.now();
            camera.send_frame(&facts, pattern.jpeg(1))?;
            camera.idle(Duration::from_millis(50))?;
            // Its connection works and it answers, but it has no next picture.
            while hangs.load(Ordering::SeqCst) {
                camera.idle(Duration::from_millis(50))?;
            }
        }
        Ok(())
    })
}

#[test]
fn a_picture_that_is_older_than_it_should_be_says_so_until_the_next_comes() {
    let Some(stage) = Stage::new() else { return };
    let hangs = Arc::new(AtomicBool::new(false));
    let server = camera_that_hangs(&hangs);
    let viewer = stage.watch([&server]);
    wait_until("a picture", || stage.stamp(SIZE));
    let badge = || {
        let corner = Size::new(SIZE.width / 3, SIZE.height / 5);
        let corner = crop(&stage.window(SIZE), SIZE.width - corner.width, 0, corner);
        count(&corner, is_warning)
    };
    assert_eq!(badge(), 0, "it is not late");
    for _ in 0..2 {
        hangs.store(true, Ordering::SeqCst);
        wait_until("its age in the corner", || (badge() > 20).then_some(()));
        hangs.store(false, Ordering::SeqCst);
        wait_until("a picture that is not late", || (badge() == 0).then_some(()));
    }
    stage.leave(viewer);
}

#[test]
fn a_late_picture_in_a_grid_says_so_though_the_other_cameras_go_on() {
    let Some(stage) = Stage::new() else { return };
    let (hangs, goes_on) = (Arc::default(), Arc::default());
    let servers = [camera_that_hangs(&hangs), camera_that_hangs(&goes_on)];
    let viewer = stage.watch(&servers);
    wait_until("both cameras", || stage.screen.title_with("2 cameras"));
    let late = || count(&stage.screen.screenshot(), is_warning);
    wait_until("pictures that are not late", || (late() == 0).then_some(()));
    hangs.store(true, Ordering::SeqCst);
    wait_until("its age in its corner", || (late() > 20).then_some(()));
    hangs.store(false, Ordering::SeqCst);
    wait_until("a picture that is not late", || (late() == 0).then_some(()));
    stage.leave(viewer);
}

#[test]
fn all_keys_can_be_read_in_the_smallest_window_by_scrolling() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        let mut pattern = Pattern::new(SIZE);
        for sequence in 1.. {
            camera.send_frame(&jpeg_facts(sequence, SIZE), pattern.jpeg(1))?;
            camera.idle(Duration::from_millis(100))?;
        }
        Ok(())
    });
    let viewer = stage.watch([&server]);
    stage.wait_for_title("fake");
    stage.move_window(Size::new(160, 90), (640, 400));
    let shown = || crop(&stage.screen.screenshot(), 640, 400, Size::new(160, 90));
    let until = |what: &str, is_so: &dyn Fn(&Picture) -> bool| {
        wait_until(what, || Some(shown()).filter(|shown| is_so(shown)))
    };
    // The picture shines a little through the panel, and may be late for a moment.
    let is = |a: &Picture, b: &Picture| differences(a, b) < 20;
    let plain = until("a picture", &|shown| count(shown, |rgb| rgb[0] > 240) > 1000);
    stage.press(&["question"]);
    let top = until("the first keys", &|shown| !is(shown, &plain));
    stage.press(&["Down"]);
    let next = until("the next keys", &|shown| !is(shown, &top));
    stage.screen.xdotool(&["click", "5"]).expect("the wheel towards the hand");
    let third = until("more keys", &|shown| !is(shown, &next) && !is(shown, &top));
    // Presses Down far beyond the last line. From there, the first Up must already scroll.
    (0..90).for_each(|_| stage.press(&["Down"]));
    let last = until("the last keys", &|shown| !is(shown, &third));
    stage.press(&["Up"]);
    until("the one before", &|shown| !is(shown, &last));
    (0..90).for_each(|_| stage.press(&["Up"]));
    until("the first keys again", &|shown| is(shown, &top));
    stage.press(&["Escape"]);
    until("the picture", &|shown| is(shown, &plain));
    stage.leave(viewer);
}

#[test]
fn a_picture_that_is_saved_is_whole_though_the_window_is_closed_at_once() {
    let Some(stage) = Stage::new() else { return };
    let size = Size::new(1920, 1080);
    let server = FakeServer::on(0, move |stream| stream_pattern(stream, size, 10));
    let viewer = stage.watch([&server]);
    stage.wait_for_title("fake");
    wait_until("the size", || stage.screen.title_with("1920×1080"));
    let (x, y) = ("700", "450");
    stage
        .screen
        .xdotool(&["mousemove", x, y, "key", "s", "key", "s", "key", "q"])
        .expect("pressed");
    assert!(viewer.finish().status.success());
    let pictures = stage.pictures();
    assert_eq!(pictures.len(), 2);
    for picture in pictures {
        assert_eq!(png_file::read(&picture).size(), size);
    }
}

#[test]
fn a_camera_without_a_picture_is_let_go_when_nobody_watches_it() -> io::Result<()> {
    let was_let_go = Arc::new(AtomicBool::new(false));
    let of_camera = Arc::clone(&was_let_go);
    let server = FakeServer::on(0, move |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?.with_clock(Duration::ZERO);
        let left = camera.idle(PATIENCE);
        of_camera.store(left.is_err(), Ordering::SeqCst);
        left
    });
    let doorbell = Doorbell::new();
    let address = CameraAddress::parse(&server.address()).expect("an address");
    let protocol = Protocol::Native(Wishes::default());
    let mut channel = Channel::open(Wanted::at(address), protocol, &doorbell).expect("a thread");
    wait_until("its greeting", || {
        doorbell.wait(Duration::from_millis(100));
        channel.update(std::time::Instant::now(), true);
        channel.notice.as_ref().filter(|standing| standing.notice.text.contains("fake")).map(drop)
    });
    drop(channel);
    wait_until("the end of the connection", || was_let_go.load(Ordering::SeqCst).then_some(()));
    Ok(())
}
