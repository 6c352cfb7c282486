//! Keys and mouse under X, as people and machines use them: quick clicks, held keys, other layouts, the way back by Escape.

use crate::tools::camera_process::PATIENCE;
use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::skip::skip;
use crate::tools::viewer_process::Viewer;
use crate::tools::x11::{SCREEN, Xvfb, wait_until};
use lancam::image::pixels::Size;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(640, 360);

/// A screen with a viewer on it, and a home of its own.
struct Desk {
    screen: Xvfb,
    home: tempfile::TempDir,
    /// The cameras that it may watch.
    servers: Vec<FakeServer>,
}

impl Desk {
    fn new(test: &str, cameras: &[&'static str]) -> Option<Self> {
        let screen =
            Xvfb::start().map_err(|why| skip(&format!("window_input::{test}"), &why)).ok()?;
        let home = tempfile::tempdir().expect("a folder");
        for folder in ["Pictures", "Videos"] {
            fs::create_dir(home.path().join(folder)).expect("made");
        }
        let servers = cameras.iter().map(|name| camera(name)).collect();
        let desk = Self { screen, home, servers };
        desk.point(SCREEN.width / 2, SCREEN.height / 2);
        Some(desk)
    }

    fn open(&self) -> Viewer {
        let addresses: Vec<String> = self.servers.iter().map(FakeServer::address).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        Viewer::start_with(&addresses, |command| {
            command.env("DISPLAY", self.screen.display()).env("HOME", self.home.path());
            command.env_remove("WAYLAND_DISPLAY").env_remove("XDG_CURRENT_DESKTOP");
            command.env_remove("XDG_CONFIG_HOME");
        })
    }

    fn point(&self, x: usize, y: usize) {
        self.screen.xdotool(&["mousemove", &x.to_string(), &y.to_string()]).expect("moved");
    }

    fn keys(&self, keys: &[&str]) {
        self.screen.xdotool(&[&["key", "--delay", "0"], keys].concat()).expect("pressed");
    }

    fn waits_for_title(&self, text: &str) {
        wait_until(text, || self.screen.title_with(text));
    }

    fn geometry(&self) -> String {
        let id = self.screen.xdotool(&["search", "--onlyvisible", "--name", "."]).expect("there");
        self.screen.xdotool(&["getwindowgeometry", "--shell", &id]).expect("there")
    }

    fn is_full_screen(&self) -> bool {
        let full = format!("WIDTH={}\nHEIGHT={}", SCREEN.width, SCREEN.height);
        self.geometry().contains(&full)
    }

    fn films(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.home.path().join("Videos")).expect("the folder");
        files.map(|file| file.expect("a file").path()).collect()
    }

    fn leaves(&self, viewer: Viewer) {
        self.keys(&["q"]);
        assert!(viewer.finish().status.success());
    }
}

/// A camera whose picture stands still, twenty times a second.
fn camera(name: &'static str) -> FakeServer {
    FakeServer::on(0, move |stream| {
        let mut camera = FakeCamera::greet(stream, name)?;
        let jpeg = Pattern::new(SIZE).jpeg(1).to_vec();
        for sequence in 1.. {
            camera.send_frame(&jpeg_facts(sequence, SIZE), &jpeg)?;
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    })
}

#[test]
fn a_click_is_seen_however_quick_it_is_and_wherever_the_mouse_is_then() {
    let test = "a_click_is_seen_however_quick_it_is_and_wherever_the_mouse_is_then";
    let Some(desk) = Desk::new(test, &["Garage", "Door", "Workshop", "Printer"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("4 cameras");
    // In the middle of each pane; Enter shows which one is selected, and brings the grid back.
    let panes = [(380, 270, "Garage"), (1020, 270, "Door"), (380, 630, "Workshop")];
    for (x, y, name) in panes.into_iter().cycle().take(20) {
        let (x, y) = (x.to_string(), y.to_string());
        // Pressed, released, and gone before anybody looks.
        let click =
            ["mousemove", &x, &y, "click", "1", "mousemove", "1020", "630", "key", "Return"];
        desk.screen.xdotool(&click).expect("clicked");
        desk.waits_for_title(name);
        desk.keys(&["Return"]);
        desk.waits_for_title("4 cameras");
        // Two clicks at one place within 400 ms are a double click.
        thread::sleep(Duration::from_millis(450));
    }
    for (x, y, name) in panes {
        let (x, y) = (x.to_string(), y.to_string());
        let twice = ["mousemove", &x, &y, "click", "--repeat", "2", "--delay", "0", "1"];
        desk.screen.xdotool(&twice).expect("clicked twice");
        desk.waits_for_title(name);
        desk.screen.xdotool(&twice).expect("clicked twice");
        desk.waits_for_title("4 cameras");
    }
    desk.leaves(viewer);
}

#[test]
fn a_key_that_is_held_records_once() {
    let Some(desk) = Desk::new("a_key_that_is_held_records_once", &["Garage"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("Garage — 640×360 ");
    desk.screen.xdotool(&["keydown", "r", "sleep", "2.5", "keyup", "r"]).expect("held");
    wait_until("a film", || (desk.films().len() == 1).then_some(()));
    desk.screen.xdotool(&["keydown", "r", "sleep", "1.5", "keyup", "r"]).expect("held again");
    wait_until("its end", || {
        let film = fs::read(&desk.films()[0]).expect("there");
        // Matroska's Cues are written at the end.
        film.windows(4).any(|bytes| bytes == [0x1C, 0x53, 0xBB, 0x6B]).then_some(())
    });
    assert_eq!(desk.films().len(), 1);
    desk.leaves(viewer);
    assert_eq!(desk.films().len(), 1);
}

#[test]
fn a_key_that_is_held_moves_on_and_zooms_on() {
    let test = "a_key_that_is_held_moves_on_and_zooms_on";
    let Some(desk) = Desk::new(test, &["Garage", "Door"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("2 cameras");
    desk.keys(&["Return"]);
    desk.waits_for_title("Garage");
    let mut seen = std::collections::BTreeSet::new();
    desk.screen.xdotool(&["keydown", "Tab"]).expect("held");
    wait_until("one after the other", || {
        let title = desk.screen.title_with("")?;
        seen.insert(title.split(' ').next()?.to_owned());
        (seen.len() == 2).then_some(())
    });
    desk.screen.xdotool(&["keyup", "Tab"]).expect("let go");
    desk.leaves(viewer);
}

/// Gives the screen's keyboard these layouts; whether that can be done here.
fn has_layouts(desk: &Desk, layouts: &str) -> bool {
    let mut command = Command::new("setxkbmap");
    command.args(["-display", desk.screen.display(), "-layout", layouts]);
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn keys_work_by_their_places_where_the_layout_has_no_latin_letters() {
    let test = "keys_work_by_their_places_where_the_layout_has_no_latin_letters";
    let Some(desk) = Desk::new(test, &["Garage", "Door"]) else { return };
    if !has_layouts(&desk, "us") {
        return skip(&format!("window_input::{test}"), "setxkbmap is not installed");
    }
    for layout in ["ru", "gr", "il", "ara", "ua", "bg", "ge", "am", "th", "us", "de", "fr(bepo)"] {
        assert!(has_layouts(&desk, layout), "{layout}");
        let viewer = desk.open();
        desk.waits_for_title("2 cameras");
        let before = pictures(&desk);
        // By their numbers: 39 is s, 24 q. French typists find them elsewhere.
        let (s, q) = if layout == "fr(bepo)" { ("45", "58") } else { ("39", "24") };
        desk.keys(&[s]);
        wait_until(layout, || (pictures(&desk) == before + 1).then_some(()));
        // With Ctrl, Alt or Super it is not the viewer's.
        for modifier in ["ctrl", "alt", "super"] {
            for key in [s, q] {
                desk.keys(&[&format!("{modifier}+{key}")]);
            }
        }
        desk.keys(&["Return"]);
        desk.waits_for_title("Garage");
        assert_eq!(pictures(&desk), before + 1, "{layout}");
        if layout == "de" {
            // AltGr+9 is a bracket, which is no shortcut of the desktop's.
            desk.keys(&["bracketright", "bracketleft"]);
        }
        desk.keys(&[q]);
        assert!(viewer.finish().status.success(), "{layout}");
    }
}

fn pictures(desk: &Desk) -> usize {
    fs::read_dir(desk.home.path().join("Pictures")).expect("the folder").count()
}

#[test]
fn another_layout_counts_from_the_next_key_on() {
    let test = "another_layout_counts_from_the_next_key_on";
    let Some(desk) = Desk::new(test, &["Garage"]) else { return };
    if !has_layouts(&desk, "us,ru") {
        return skip(&format!("window_input::{test}"), "setxkbmap is not installed");
    }
    let viewer = desk.open();
    desk.waits_for_title("Garage — ");
    for (count, layout) in [(1, "ru"), (2, "us"), (3, "gr,us")] {
        assert!(has_layouts(&desk, layout), "{layout}");
        desk.keys(&["39"]);
        wait_until(layout, || (pictures(&desk) == count).then_some(()));
    }
    desk.leaves_by_place(viewer);
}

impl Desk {
    fn leaves_by_place(&self, viewer: Viewer) {
        self.keys(&["24"]);
        assert!(viewer.finish().status.success());
    }
}

#[test]
fn escape_puts_away_what_lies_on_top_and_asks_before_it_ends_a_recording() {
    let test = "escape_puts_away_what_lies_on_top_and_asks_before_it_ends_a_recording";
    let Some(desk) = Desk::new(test, &["Garage", "Door"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("2 cameras");
    desk.keys(&["f"]);
    wait_until("full screen", || desk.is_full_screen().then_some(()));
    desk.keys(&["Return"]);
    desk.waits_for_title("Garage");
    desk.keys(&["r", "question"]);
    wait_until("a film", || (!desk.films().is_empty()).then_some(()));
    // The list of keys, the enlargement, full screen; then the question, which another key takes back.
    desk.keys(&["Escape"]);
    thread::sleep(Duration::from_millis(300));
    desk.waits_for_title("Garage");
    desk.keys(&["Escape"]);
    desk.waits_for_title("2 cameras");
    assert!(desk.is_full_screen());
    desk.keys(&["Escape"]);
    wait_until("its own size", || (!desk.is_full_screen()).then_some(()));
    desk.keys(&["Escape", "Tab", "Escape", "Tab"]);
    thread::sleep(Duration::from_millis(500));
    desk.waits_for_title("2 cameras");
    desk.keys(&["Escape", "Escape"]);
    assert!(viewer.finish().status.success());
    let film = fs::read(&desk.films()[0]).expect("there");
    assert!(film.windows(4).any(|bytes| bytes == [0x1C, 0x53, 0xBB, 0x6B]), "it has its end");
}

#[test]
fn a_key_that_is_held_down_on_escape_leaves_only_the_first_thing() {
    let test = "a_key_that_is_held_down_on_escape_leaves_only_the_first_thing";
    let Some(desk) = Desk::new(test, &["Garage"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("Garage");
    desk.keys(&["Return"]);
    wait_until("full screen, by Enter", || desk.is_full_screen().then_some(()));
    desk.screen.xdotool(&["keydown", "Escape", "sleep", "1.5", "keyup", "Escape"]).expect("held");
    wait_until("its own size", || (!desk.is_full_screen()).then_some(()));
    let twice = ["mousemove", "700", "450", "click", "--repeat", "2", "--delay", "10", "1"];
    desk.screen.xdotool(&twice).expect("clicked twice");
    wait_until("full screen, by a double click", || desk.is_full_screen().then_some(()));
    desk.keys(&["Escape"]);
    wait_until("its own size", || (!desk.is_full_screen()).then_some(()));
    desk.keys(&["Escape"]);
    assert!(viewer.finish().status.success());
}

#[test]
fn the_wheel_turns_as_far_as_it_is_turned() {
    let Some(desk) = Desk::new("the_wheel_turns_as_far_as_it_is_turned", &["Garage"]) else {
        return;
    };
    let viewer = desk.open();
    desk.waits_for_title("Garage — 640×360");
    // 20 clicks away and 20 back, all at once, are none; then all of it is seen, and Escape ends the program at once.
    for button in ["4", "5"] {
        let turn = ["click", "--repeat", "20", "--delay", "0", button];
        desk.screen.xdotool(&turn).expect("turned");
    }
    desk.keys(&["Escape"]);
    let started = Instant::now();
    assert!(viewer.finish().status.success() && started.elapsed() < PATIENCE);
}
