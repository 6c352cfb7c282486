//! The viewer in a real window, looked at through the pixels on the screen.

use crate::tools::fake_camera::{
    FakeCamera, FakeServer, Pattern, ReservedPort, jpeg_facts, stream_pattern,
};
use crate::tools::skip::skip;
use crate::tools::viewer_process::Viewer;
use crate::tools::x11::{SCREEN, Xvfb, wait_until};
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::image::stamp::Stamp;
use lancam::viewer::snapshot;
use lancam::wire::native::message::{Message, StatusCode};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

/// Shown as it is: the window opens in its size, in the middle of the screen.
pub(crate) const SIZE: Size = Size::new(640, 360);

/// The goal, from the start of the program; a busy machine gets five times as long.
const FIRST_PICTURE: Duration = Duration::from_millis(300);

/// A screen with a viewer on it; `None`, and said so, where that cannot be had.
pub(crate) fn screen(test: &str) -> Option<Xvfb> {
    match Xvfb::start() {
        Ok(screen) => Some(screen),
        Err(why) => {
            skip(&format!("window::{test}"), &why);
            None
        }
    }
}

fn open(screen: &Xvfb, server: &FakeServer) -> Viewer {
    Viewer::start_with(&[&server.address()], |command| {
        command.env("DISPLAY", screen.display());
        command.env_remove("WAYLAND_DISPLAY").env_remove("XDG_CURRENT_DESKTOP");
    })
}

/// X's number of the window that shows the camera.
pub(crate) fn window_of_camera(screen: &Xvfb) -> String {
    wait_until("the camera's name", || screen.title_with("fake"));
    screen.xdotool(&["search", "--onlyvisible", "--name", "."]).expect("the window is there")
}

/// The part of the screen where a window of `size` opens.
pub(crate) fn window(screen: &Xvfb, size: Size) -> Picture {
    crop(
        &screen.screenshot(),
        (SCREEN.width - size.width) / 2,
        (SCREEN.height - size.height) / 2,
        size,
    )
}

pub(crate) fn crop(picture: &Picture, left: usize, top: usize, size: Size) -> Picture {
    let mut part = Picture::blank(size, 0);
    for (y, row) in part.pixels_mut().chunks_exact_mut(size.width).enumerate() {
        row.copy_from_slice(
            &picture.pixels()[(top + y) * picture.size().width + left..][..size.width],
        );
    }
    part
}

fn stamp(picture: &Picture) -> Option<u32> {
    let stamp = Stamp::read(picture.size(), |x, y| picture.rgb(x, y)[1])?;
    Some(stamp.sequence)
}

/// Leaves a picture where a person can look at it, if the environment names a folder.
fn keep(picture: &Picture, name: &str) {
    if let Some(folder) = std::env::var_os("LANCAM_SCREENSHOTS") {
        snapshot::save(picture, &Path::new(&folder).join(name)).expect("kept");
    }
}

pub(crate) fn count(picture: &Picture, is_wanted: impl Fn([u8; 3]) -> bool) -> usize {
    let Size { width, height } = picture.size();
    (0..height).map(|y| (0..width).filter(|&x| is_wanted(picture.rgb(x, y))).count()).sum()
}

/// What is written over pictures is nearly white.
fn is_text(rgb: [u8; 3]) -> bool {
    rgb.iter().all(|&part| part > 0xE8)
}

/// Behind it, where there is no picture.
const GROUND: [u8; 3] = [0x0D, 0x12, 0x18];

pub(crate) fn press(screen: &Xvfb, key: &str) {
    // Keys go to the window under the pointer where no window manager gives the focus away.
    let (x, y) = ((SCREEN.width / 2).to_string(), (SCREEN.height / 2).to_string());
    screen.xdotool(&["mousemove", &x, &y, "key", key]).expect("pressed");
}

#[test]
fn the_window_shows_the_picture_moving_and_q_ends_it() {
    let Some(screen) = screen("the_window_shows_the_picture_moving_and_q_ends_it") else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let started = Instant::now();
    let viewer = open(&screen, &server);
    wait_until("the first picture", || stamp(&window(&screen, SIZE)));
    let first = started.elapsed();
    println!("the first picture was on the screen after {first:?}");
    assert!(first < 5 * FIRST_PICTURE, "{first:?}");
    let mut last = 0;
    for _ in 0..10 {
        last = wait_until("a newer picture", || {
            stamp(&window(&screen, SIZE)).filter(|&sequence| sequence > last)
        });
    }
    let picture = window(&screen, SIZE);
    keep(&picture, "picture.png");
    let half = SIZE.area() / 2;
    let red = count(&picture, |[red, green, blue]| red > 240 && green < 20 && blue < 20);
    let blue = count(&picture, |[red, green, blue]| red < 20 && green < 20 && blue > 240);
    assert!(red > half * 9 / 10 && blue > half * 7 / 10, "{red} {blue} of {half}");
    let title = wait_until("a title with the rate", || {
        screen.title_with("fake — 640×360").filter(|title| title.ends_with(" fps"))
    });
    let fps = title.trim_start_matches("fake — 640×360 ").trim_end_matches(" fps");
    let fps: f64 = fps.parse().unwrap_or_else(|_| panic!("{title}"));
    assert!((5.0..=31.0).contains(&fps), "{title}");
    press(&screen, "q");
    let output = viewer.finish();
    assert!(output.status.success(), "{}", output.log.join("\n"));
}

#[test]
fn a_resized_window_keeps_the_pictures_shape_and_escape_ends_it() {
    let Some(screen) = screen("a_resized_window_keeps_the_pictures_shape_and_escape_ends_it")
    else {
        return;
    };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let viewer = open(&screen, &server);
    wait_until("a picture", || stamp(&window(&screen, SIZE)));
    let id = window_of_camera(&screen);
    screen.xdotool(&["windowsize", "--sync", &id, "900", "360"]).expect("resized");
    screen.xdotool(&["windowmove", "--sync", &id, "0", "0"]).expect("moved");
    let shown = wait_until("the picture in the middle of the wide window", || {
        let screenshot = screen.screenshot();
        stamp(&crop(&screenshot, 130, 0, SIZE))?;
        Some(crop(&screenshot, 0, 0, Size::new(900, 360)))
    });
    keep(&shown, "wide.png");
    let edge = |x: usize| (0..360).all(|y| shown.rgb(x, y) == [0; 3]);
    assert!(edge(0) && edge(125) && edge(775) && edge(899), "black on both sides");
    press(&screen, "Escape");
    // The pointer was not over the window, so it gets its key by name.
    screen.xdotool(&["key", "--window", &id, "Escape"]);
    assert!(viewer.finish().status.success());
}

fn geometry(screen: &Xvfb, id: &str) -> String {
    screen.xdotool(&["getwindowgeometry", "--shell", id]).expect("the window is there")
}

#[test]
fn the_window_fills_the_screen_and_goes_back_and_is_where_it_was_the_next_time() {
    let test = "the_window_fills_the_screen_and_goes_back_and_is_where_it_was_the_next_time";
    let Some(screen) = screen(test) else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let state = tempfile::tempdir().expect("a folder");
    let open = || {
        Viewer::start_with(&[&server.address()], |command| {
            command.env("DISPLAY", screen.display()).env("XDG_STATE_HOME", state.path());
            command.env_remove("WAYLAND_DISPLAY").env_remove("XDG_CURRENT_DESKTOP");
        })
    };
    let viewer = open();
    let id = window_of_camera(&screen);
    screen.xdotool(&["windowsize", "--sync", &id, "700", "500"]).expect("resized");
    screen.xdotool(&["windowmove", "--sync", &id, "400", "200"]).expect("moved");
    let own = geometry(&screen, &id);
    for key in ["f", "F11"] {
        press(&screen, key);
        let full = format!("WIDTH={}\nHEIGHT={}", SCREEN.width, SCREEN.height);
        wait_until("full screen", || geometry(&screen, &id).contains(&full).then_some(()));
        press(&screen, key);
        wait_until("its own size", || (geometry(&screen, &id) == own).then_some(()));
    }
    press(&screen, "q");
    assert!(viewer.finish().status.success());
    let _viewer = open();
    let id = window_of_camera(&screen);
    let place = |geometry: &str| geometry.split_once("X=").map(|(_, place)| place.to_owned());
    wait_until("its last place", || (place(&geometry(&screen, &id)) == place(&own)).then_some(()));
}

#[test]
fn keys_and_wheel_zoom_and_turn_the_picture_and_undo_it() {
    let Some(screen) = screen("keys_and_wheel_zoom_and_turn_the_picture_and_undo_it") else {
        return;
    };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let _viewer = open(&screen, &server);
    let is_upright = || stamp(&window(&screen, SIZE)).is_some();
    wait_until("a picture", || is_upright().then_some(()));
    for keys in [
        [&["plus"][..], &["0"]],
        [&["bracketright"], &["bracketleft"]],
        [&["h"], &["h"]],
        // Half a turn is both mirrorings.
        [&["bracketleft", "bracketleft"], &["h", "v"]],
        [&["v"], &["v"]],
    ] {
        for (keys, upright) in keys.into_iter().zip([false, true]) {
            keys.iter().for_each(|key| press(&screen, key));
            let what = format!("{keys:?}, upright: {upright}");
            wait_until(&what, || (is_upright() == upright).then_some(()));
        }
    }
    screen.xdotool(&["mousemove", "700", "450", "click", "4"]).expect("turned");
    wait_until("a zoomed picture", || (!is_upright()).then_some(()));
    screen.xdotool(&["click", "5"]).expect("turned back");
    wait_until("all of it", || is_upright().then_some(()));
}

#[test]
fn the_desktop_can_tell_whose_window_it_is_and_so_what_icon_it_has() {
    let test = "the_desktop_can_tell_whose_window_it_is_and_so_what_icon_it_has";
    let Some(screen) = screen(test) else { return };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let _viewer = open(&screen, &server);
    let id = window_of_camera(&screen);
    let of_class = ["search", "--onlyvisible", "--class", "^lancam-view$"];
    let found = wait_until("a window of that class", || screen.xdotool(&of_class));
    assert_eq!(found, id);
}

#[test]
fn closing_the_window_ends_the_viewer() -> io::Result<()> {
    let Some(screen) = screen("closing_the_window_ends_the_viewer") else { return Ok(()) };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let viewer = open(&screen, &server);
    let id = window_of_camera(&screen);
    screen.close(id.parse().expect("a number"))?;
    assert!(viewer.finish().status.success());
    Ok(())
}

#[test]
fn a_camera_without_a_picture_says_why_over_the_last_one() {
    let Some(screen) = screen("a_camera_without_a_picture_says_why_over_the_last_one") else {
        return;
    };
    let server = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "fake")?;
        let mut pattern = Pattern::new(SIZE);
        camera.send_frame(&jpeg_facts(1, SIZE), pattern.jpeg(1))?;
        let text = "no camera: /dev/video0 has been unplugged";
        camera.send(&Message::Status { code: StatusCode::CameraLost, text })?;
        // Until the viewer leaves.
        camera.wait_for(|_| None::<()>)
    });
    let viewer = open(&screen, &server);
    wait_until("the title of a lost camera", || screen.title_with("fake — no picture"));
    let shown = wait_until("white text over a dimmed picture", || {
        let shown = window(&screen, SIZE);
        let white = count(&shown, is_text);
        let dimmed =
            count(&shown, |[red, _, blue]| (60..80).contains(&red.max(blue)) && red.min(blue) < 30);
        (white > 200 && dimmed > SIZE.area() / 2).then_some(shown)
    });
    keep(&shown, "no-camera.png");
    press(&screen, "q");
    assert!(viewer.finish().status.success());
}

#[test]
fn a_window_without_a_camera_says_what_it_waits_for_until_the_camera_comes() {
    let Some(screen) =
        screen("a_window_without_a_camera_says_what_it_waits_for_until_the_camera_comes")
    else {
        return;
    };
    let reserved = ReservedPort::new().expect("a free port");
    let (port, address) = (reserved.address().port(), reserved.address().to_string());
    let _viewer = Viewer::start_with(&[&address], |command| {
        command.env("DISPLAY", screen.display()).env_remove("WAYLAND_DISPLAY");
    });
    wait_until("the title of an absent camera", || {
        screen.title_with(&format!("{address} — not connected"))
    });
    let empty = Size::new(1280, 720);
    let shown = wait_until("text on a plain ground", || {
        let shown = window(&screen, empty);
        let white = count(&shown, is_text);
        let ground = count(&shown, |rgb| rgb.iter().zip(GROUND).all(|(a, b)| a.abs_diff(b) < 6));
        (white > 200 && ground > empty.area() / 2).then_some(shown)
    });
    keep(&shown, "not-connected.png");
    let _server = FakeServer::on(port, |stream| stream_pattern(stream, SIZE, 30));
    wait_until("the picture, enlarged", || {
        let shown = window(&screen, empty);
        let sequence = stamp(&shown)?;
        keep(&shown, "enlarged.png");
        Some(sequence)
    });
}

#[test]
fn gnomes_wayland_is_left_for_xwayland_and_others_are_not() -> io::Result<()> {
    let Some(screen) = screen("gnomes_wayland_is_left_for_xwayland_and_others_are_not") else {
        return Ok(());
    };
    let server = FakeServer::on(0, |stream| stream_pattern(stream, SIZE, 30));
    let folder = tempfile::tempdir()?;
    for (desktop, takes_wayland) in [("ubuntu:GNOME", false), ("KDE", true)] {
        let path = folder.path().join(desktop);
        let compositor = UnixListener::bind(&path)?;
        compositor.set_nonblocking(true)?;
        let viewer = Viewer::start_with(&[&server.address()], |command| {
            command.env("DISPLAY", screen.display()).env("WAYLAND_DISPLAY", &path);
            command.env("XDG_CURRENT_DESKTOP", desktop);
        });
        // This compositor hangs up at once; a viewer that asked it goes on to X11.
        let mut was_asked = false;
        wait_until("a picture", || {
            was_asked |= compositor.accept().is_ok();
            stamp(&window(&screen, SIZE))
        });
        assert_eq!(was_asked, takes_wayland, "{desktop}");
        press(&screen, "q");
        assert!(viewer.finish().status.success());
        wait_until("a dark screen", || stamp(&window(&screen, SIZE)).is_none().then_some(()));
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
    let Some(screen) = screen("a_library_that_windows_need_is_named_with_its_package") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("libXcursor.so.1"), "no library").expect("written");
    let viewer = Viewer::start_with(&["127.0.0.1:9"], |command| {
        command.env("DISPLAY", screen.display()).env_remove("WAYLAND_DISPLAY");
        command.env("LD_LIBRARY_PATH", folder.path());
    });
    viewer.finish().expect(1, "install it (libxcursor1 on Debian), or use --headless");
}
