//! The viewer in a real window. The tests look at its pixels on the screen.

use crate::tools::fake_camera::{
    FakeCamera, FakeServer, Pattern, ReservedPort, jpeg_facts, stream_pattern,
};
use crate::tools::stage::{Stage, count, crop, keep, stamp};
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::image::pixels::Size;
use lancam::wire::native::message::{Message, StatusCode};
use std::io;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

/// The picture's size. The window opens in this size, in the middle of the screen.
const SIZE: Size = Size::new(640, 360);

/// The part of the window where messages appear.
const THIRD: Size = Size::new(SIZE.width / 3, SIZE.height / 5);

/// The goal, counted from the start of the program. A busy machine may take five times as long.
const FIRST_PICTURE: Duration = Duration::from_millis(300);

/// Text over pictures is nearly white.
fn is_text(rgb: [u8; 3]) -> bool {
    rgb.iter().all(|&part| part > 0xE8)
}

/// The colour where there is no picture.
const GROUND: [u8; 3] = [0x0D, 0x12, 0x18];

#[test]
fn the_window_shows_the_picture_moving_and_q_ends_it() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let started = Instant::now();
    let viewer = stage.watch([&server]);
    wait_until("the first picture", || stage.stamp(SIZE));
    let first = started.elapsed();
    println!("the first picture was on the screen after {first:?}");
    assert!(first < 5 * FIRST_PICTURE, "{first:?}");
    let mut last = 0;
    for _ in 0..10 {
        last =
            wait_until("a newer picture", || stage.stamp(SIZE).filter(|&sequence| sequence > last));
    }
    let picture = stage.window(SIZE);
    keep(&picture, "picture.png");
    let half = SIZE.area() / 2;
    let red = count(&picture, |[red, green, blue]| red > 240 && green < 20 && blue < 20);
    let blue = count(&picture, |[red, green, blue]| red < 20 && green < 20 && blue > 240);
    assert!(red > half * 9 / 10 && blue > half * 7 / 10, "{red} {blue} of {half}");
    // The title does not contain the rate. A rate would change all the time and make taskbars flash.
    let title = stage.wait_for_title("fake — 640×360");
    assert_eq!(title, "fake — 640×360");
    stage.leave(viewer);
}

#[test]
fn a_resized_window_keeps_the_pictures_shape_and_escape_ends_it() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let viewer = stage.watch([&server]);
    wait_until("a picture", || stage.stamp(SIZE));
    stage.move_window(Size::new(900, 360), (0, 0));
    let shown = wait_until("the picture in the middle of the wide window", || {
        let screenshot = stage.screen.screenshot();
        stamp(&crop(&screenshot, 130, 0, SIZE))?;
        Some(crop(&screenshot, 0, 0, Size::new(900, 360)))
    });
    keep(&shown, "wide.png");
    let edge = |x: usize| (0..360).all(|y| shown.rgb(x, y) == [0; 3]);
    assert!(edge(0) && edge(125) && edge(775) && edge(899), "black on both sides");
    // Keys go to the window under the mouse.
    stage.point((450, 180));
    stage.press(&["Escape"]);
    assert!(viewer.finish().status.success());
}

#[test]
fn the_window_fills_the_screen_and_goes_back_and_is_where_it_was_the_next_time() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let open = || {
        let viewer = stage.open_again(&[&server.address()]);
        stage.wait_for_title("fake");
        viewer
    };
    let viewer = open();
    stage.move_window(Size::new(700, 500), (400, 200));
    let own = stage.geometry();
    for key in ["f", "F11"] {
        stage.press(&[key]);
        wait_until("full screen", || stage.is_full_screen().then_some(()));
        stage.press(&[key]);
        wait_until("its own size", || (stage.geometry() == own).then_some(()));
    }
    stage.leave(viewer);
    let _viewer = open();
    let place = |geometry: &str| geometry.split_once("X=").map(|(_, place)| place.to_owned());
    wait_until("its last place", || (place(&stage.geometry()) == place(&own)).then_some(()));
}

#[test]
fn a_window_opens_on_all_of_the_screen_and_escape_takes_it_back() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let viewer = stage.open(&["--fullscreen", &server.address()]);
    stage.wait_for_title("fake");
    wait_until("full screen", || stage.is_full_screen().then_some(()));
    stage.press(&["Escape"]);
    wait_until("its own size", || (!stage.is_full_screen()).then_some(()));
    stage.leave(viewer);
}

#[test]
fn a_first_window_tells_of_the_key_that_lists_all_others_and_a_second_one_does_not() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let open = || {
        let viewer = stage.open_again(&[&server.address()]);
        stage.wait_for_title("fake — 640×360");
        // On a busy machine the window opens before it knows the picture's size.
        stage.move_window(SIZE, (380, 270));
        wait_until("a picture", || stage.stamp(SIZE));
        viewer
    };
    // The ground behind the words is dark, but not as black as parts of the picture.
    let is_told = || {
        let middle = crop(&stage.window(SIZE), SIZE.width / 3, SIZE.height * 3 / 4, THIRD);
        count(&middle, |rgb| rgb.iter().all(|part| (0x0C..0x34).contains(part))) > 500
    };
    let viewer = open();
    wait_until("words", || is_told().then_some(()));
    wait_until("no words any more", || (!is_told()).then_some(()));
    stage.leave(viewer);
    let viewer = open();
    let watched = Instant::now();
    while watched.elapsed() < Duration::from_secs(1) {
        assert!(!is_told(), "it was told before");
        std::thread::sleep(Duration::from_millis(50));
    }
    stage.leave(viewer);
}

#[test]
fn the_screen_saver_is_held_off_while_pictures_move_and_no_longer() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    // It would start after one second without input. Xvfb's screen saver shows nothing.
    let seconds = stage.screen.screen_saver_after(1).expect("an X server sets it");
    assert_eq!(seconds, 1);
    let viewer = stage.watch([&server]);
    wait_until("a picture", || stage.stamp(SIZE));
    let watched = Instant::now();
    while watched.elapsed() < Duration::from_secs(4) {
        let is_on = stage.screen.is_screen_saver_on().expect("an X server knows");
        assert!(
            !is_on || watched.elapsed() < Duration::from_secs(2),
            "it came while pictures move"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    stage.leave(viewer);
    let is_on = || stage.screen.is_screen_saver_on().expect("an X server knows").then_some(());
    wait_until("the screen saver, when the viewer is gone", is_on);
}

#[test]
fn keys_and_wheel_zoom_and_turn_the_picture_and_undo_it() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let _viewer = stage.watch([&server]);
    let is_upright = || stage.stamp(SIZE).is_some();
    wait_until("a picture", || is_upright().then_some(()));
    for keys in [
        [&["plus"][..], &["0"]],
        [&["bracketright"], &["bracketleft"]],
        [&["h"], &["h"]],
        // Half a turn is the same as both mirrorings.
        [&["bracketleft", "bracketleft"], &["h", "v"]],
        [&["v"], &["v"]],
    ] {
        for (keys, upright) in keys.into_iter().zip([false, true]) {
            stage.press(keys);
            let what = format!("{keys:?}, upright: {upright}");
            wait_until(&what, || (is_upright() == upright).then_some(()));
        }
    }
    stage.screen.xdotool(&["mousemove", "700", "450", "click", "4"]).expect("turned");
    wait_until("a zoomed picture", || (!is_upright()).then_some(()));
    stage.screen.xdotool(&["click", "5"]).expect("turned back");
    wait_until("all of it", || is_upright().then_some(()));
}

#[test]
fn the_desktop_can_tell_whose_window_it_is_and_so_what_icon_it_has() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let _viewer = stage.watch([&server]);
    let id = stage.window_id();
    let of_class = ["search", "--onlyvisible", "--class", "^lancam-view$"];
    let found = wait_until("a window of that class", || stage.screen.xdotool(&of_class));
    assert_eq!(found, id);
    let icon = stage.screen.property(id.parse().expect("a number"), "_NET_WM_ICON");
    let icon = icon.expect("an X server knows its windows");
    assert_eq!((icon.len(), &icon[..2]), (4 + 48 * 48 + 128 * 128, &[48, 48][..]));
}

#[test]
fn closing_the_window_ends_the_viewer() -> io::Result<()> {
    let Some(stage) = Stage::new() else { return Ok(()) };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let viewer = stage.watch([&server]);
    let id = stage.window_id();
    stage.screen.close(id.parse().expect("a number"))?;
    assert!(viewer.finish().status.success());
    Ok(())
}

#[test]
fn a_camera_without_a_picture_says_why_over_the_last_one() {
    let Some(stage) = Stage::new() else { return };
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        let mut pattern = Pattern::new(SIZE);
        camera.send_frame(&jpeg_facts(1, SIZE), pattern.jpeg(1))?;
        let text = "no camera: /dev/video0 has been unplugged";
        camera.send(&Message::Status { code: StatusCode::CameraLost, text })?;
        // Sends nothing more until the viewer leaves.
        camera.wait_for(|_| None::<()>)
    });
    let viewer = stage.watch([&server]);
    wait_until("the title of a lost camera", || stage.screen.title_with("fake — no picture"));
    let shown = wait_until("white text over a dimmed picture", || {
        let shown = stage.window(SIZE);
        let white = count(&shown, is_text);
        let dimmed =
            count(&shown, |[red, _, blue]| (50..72).contains(&red.max(blue)) && red.min(blue) < 30);
        (white > 200 && dimmed > SIZE.area() / 2).then_some(shown)
    });
    keep(&shown, "no-camera.png");
    stage.leave(viewer);
}

#[test]
fn a_window_without_a_camera_says_what_it_waits_for_until_the_camera_comes() {
    let Some(stage) = Stage::new() else { return };
    let reserved = ReservedPort::new().expect("a free port");
    let (port, address) = (reserved.address().port(), reserved.address().to_string());
    let _viewer = Viewer::start_with(&[&address], |command| {
        command.env("DISPLAY", stage.screen.display()).env_remove("WAYLAND_DISPLAY");
    });
    wait_until("the title of an absent camera", || {
        stage.screen.title_with(&format!("{address} — not connected"))
    });
    let empty = Size::new(1280, 720);
    let shown = wait_until("text on a plain ground", || {
        let shown = stage.window(empty);
        let white = count(&shown, is_text);
        let ground = count(&shown, |rgb| rgb.iter().zip(GROUND).all(|(a, b)| a.abs_diff(b) < 6));
        (white > 200 && ground > empty.area() / 2).then_some(shown)
    });
    keep(&shown, "not-connected.png");
    let _server = FakeServer::on(port, |stream| stream_pattern(stream, SIZE, 30));
    wait_until("the picture, enlarged", || {
        let shown = stage.window(empty);
        let sequence = stamp(&shown)?;
        keep(&shown, "enlarged.png");
        Some(sequence)
    });
}

#[test]
fn gnomes_wayland_is_left_for_xwayland_and_others_are_not() -> io::Result<()> {
    let Some(stage) = Stage::new() else { return Ok(()) };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let folder = tempfile::tempdir()?;
    for (desktop, takes_wayland) in [("ubuntu:GNOME", false), ("KDE", true)] {
        let path = folder.path().join(desktop);
        let compositor = UnixListener::bind(&path)?;
        compositor.set_nonblocking(true)?;
        let viewer = Viewer::start_with(&[&server.address()], |command| {
            command.env("DISPLAY", stage.screen.display()).env("WAYLAND_DISPLAY", &path);
            command.env("XDG_CURRENT_DESKTOP", desktop);
        });
        // This compositor closes the connection at once. The viewer then takes X11.
        let mut was_asked = false;
        wait_until("a picture", || {
            was_asked |= compositor.accept().is_ok();
            stage.stamp(SIZE)
        });
        assert_eq!(was_asked, takes_wayland, "{desktop}");
        stage.leave(viewer);
        wait_until("a dark screen", || stage.stamp(SIZE).is_none().then_some(()));
    }
    Ok(())
}

#[test]
fn without_a_display_the_error_names_the_option_that_needs_none() {
    let viewer = Viewer::start_with(&["127.0.0.1:9"], |command| {
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    });
    viewer.finish().expect(1, "use --headless");
    let viewer = Viewer::start_with(&["127.0.0.1:9"], |command| {
        command.env("DISPLAY", ":987").env_remove("WAYLAND_DISPLAY");
    });
    viewer.finish().expect(1, "--headless");
}

#[test]
fn a_library_that_windows_need_is_named_with_its_package() {
    let Some(stage) = Stage::new() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("libXcursor.so.1"), "no library").expect("written");
    let viewer = Viewer::start_with(&["127.0.0.1:9"], |command| {
        command.env("DISPLAY", stage.screen.display()).env_remove("WAYLAND_DISPLAY");
        command.env("LD_LIBRARY_PATH", folder.path());
    });
    viewer.finish().expect(1, "install it (libxcursor1 on Debian), or use --headless");
}
