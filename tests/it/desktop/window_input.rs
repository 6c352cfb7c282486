//! Keys and mouse under X, as people and programs use them: quick clicks, held keys, other layouts, and what
//! Escape closes.

use crate::tools::camera_process::PATIENCE;
use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::skip::skip;
use crate::tools::stage::Stage;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use lancam::image::pixels::Size;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(640, 360);

/// A stage, and the cameras that the viewer shows on it.
struct Desk {
    stage: Stage,
    cameras: Vec<FakeServer>,
}

impl Desk {
    fn new(cameras: &[&'static str]) -> Option<Self> {
        let stage = Stage::new()?;
        Some(Self { stage, cameras: cameras.iter().map(|name| camera(name)).collect() })
    }

    fn open(&self) -> Viewer {
        self.stage.watch(&self.cameras)
    }

    /// Does all of this at once. The words are xdotool's.
    fn does(&self, what: &[&str]) {
        self.stage.screen.xdotool(what).expect("done");
    }

    /// Presses all these keys at once. X's names or numbers name them.
    fn keys(&self, keys: &[&str]) {
        self.does(&[&["key", "--delay", "0"], keys].concat());
    }

    fn waits_for_title(&self, text: &str) {
        self.stage.wait_for_title(text);
    }

    fn is_full_screen(&self) -> bool {
        self.stage.is_full_screen()
    }
}

/// A camera that sends the same picture twenty times a second.
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
    let Some(desk) = Desk::new(&["Garage", "Door", "Workshop", "Printer"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("4 cameras");
    // Clicks into the middle of each pane. Enter then shows which one is selected, and brings the grid back.
    let panes = [(380, 270, "Garage"), (1020, 270, "Door"), (380, 630, "Workshop")];
    for (x, y, name) in panes.into_iter().cycle().take(20) {
        let (x, y) = (x.to_string(), y.to_string());
        // The button is pressed and released and the pointer moves away before the viewer looks.
        let click =
            ["mousemove", &x, &y, "click", "1", "mousemove", "1020", "630", "key", "Return"];
        desk.does(&click);
        desk.waits_for_title(name);
        desk.keys(&["Return"]);
        desk.waits_for_title("4 cameras");
        // Two clicks at one place within 400 ms are a double click.
        thread::sleep(Duration::from_millis(450));
    }
    for (x, y, name) in panes {
        let (x, y) = (x.to_string(), y.to_string());
        let twice = ["mousemove", &x, &y, "click", "--repeat", "2", "--delay", "0", "1"];
        desk.does(&twice);
        desk.waits_for_title(name);
        desk.does(&twice);
        desk.waits_for_title("4 cameras");
    }
    desk.stage.leave(viewer);
}

#[test]
fn a_key_that_is_held_records_once() {
    let Some(desk) = Desk::new(&["Garage"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("Garage — 640×360");
    desk.does(&["keydown", "r", "sleep", "2.5", "keyup", "r"]);
    wait_until("a recording", || (desk.stage.recordings().len() == 1).then_some(()));
    desk.does(&["keydown", "r", "sleep", "1.5", "keyup", "r"]);
    wait_until("its end", || {
        let recording = fs::read(&desk.stage.recordings()[0]).expect("there");
        // Matroska's Cues, which are written at the end.
        recording.windows(4).any(|bytes| bytes == [0x1C, 0x53, 0xBB, 0x6B]).then_some(())
    });
    assert_eq!(desk.stage.recordings().len(), 1);
    desk.stage.leave(viewer);
    assert_eq!(desk.stage.recordings().len(), 1);
}

#[test]
fn a_key_that_is_held_moves_on_and_zooms_on() {
    let Some(desk) = Desk::new(&["Garage", "Door"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("2 cameras");
    desk.keys(&["Return"]);
    desk.waits_for_title("Garage");
    let mut seen = std::collections::BTreeSet::new();
    desk.does(&["keydown", "Tab"]);
    wait_until("one after the other", || {
        let title = desk.stage.screen.title_with("")?;
        seen.insert(title.split(' ').next()?.to_owned());
        (seen.len() == 2).then_some(())
    });
    desk.does(&["keyup", "Tab"]);
    desk.stage.leave(viewer);
}

/// Gives the screen's keyboard these layouts. Returns whether that is possible here.
fn has_layouts(desk: &Desk, layouts: &str) -> bool {
    let mut command = Command::new("setxkbmap");
    command.args(["-display", desk.stage.screen.display(), "-layout", layouts]);
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn keys_work_by_their_places_where_the_layout_has_no_latin_letters() {
    let Some(desk) = Desk::new(&["Garage", "Door"]) else { return };
    if !has_layouts(&desk, "us") {
        return skip("other layouts", "setxkbmap is not installed");
    }
    for layout in ["ru", "gr", "il", "ara", "ua", "bg", "ge", "am", "th", "us", "de", "fr(bepo)"] {
        assert!(has_layouts(&desk, layout), "{layout}");
        let viewer = desk.open();
        desk.waits_for_title("2 cameras");
        let before = desk.stage.pictures().len();
        // The keys by their numbers: 39 is s, 24 is q. The layout bepo has them elsewhere.
        let (s, q) = if layout == "fr(bepo)" { ("45", "58") } else { ("39", "24") };
        desk.keys(&[s]);
        wait_until(layout, || (desk.stage.pictures().len() == before + 1).then_some(()));
        // With Ctrl, Alt or Super, a key belongs to the desktop.
        for modifier in ["ctrl", "alt", "super"] {
            for key in [s, q] {
                desk.keys(&[&format!("{modifier}+{key}")]);
            }
        }
        desk.keys(&["Return"]);
        desk.waits_for_title("Garage");
        assert_eq!(desk.stage.pictures().len(), before + 1, "{layout}");
        if layout == "de" {
            // On this layout a bracket needs AltGr (AltGr+9). That is no shortcut of the desktop.
            desk.keys(&["bracketright", "bracketleft"]);
        }
        desk.keys(&[q]);
        assert!(viewer.finish().status.success(), "{layout}");
    }
}

#[test]
fn another_layout_counts_from_the_next_key_on() {
    let Some(desk) = Desk::new(&["Garage"]) else { return };
    if !has_layouts(&desk, "us,ru") {
        return skip("other layouts", "setxkbmap is not installed");
    }
    let viewer = desk.open();
    desk.waits_for_title("Garage — ");
    for (count, layout) in [(1, "ru"), (2, "us"), (3, "gr,us")] {
        assert!(has_layouts(&desk, layout), "{layout}");
        desk.keys(&["39"]);
        wait_until(layout, || (desk.stage.pictures().len() == count).then_some(()));
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
    let Some(desk) = Desk::new(&["Garage", "Door"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("2 cameras");
    desk.keys(&["f"]);
    wait_until("full screen", || desk.is_full_screen().then_some(()));
    desk.keys(&["Return"]);
    desk.waits_for_title("Garage");
    desk.keys(&["r", "question"]);
    wait_until("a recording", || (!desk.stage.recordings().is_empty()).then_some(()));
    // Escape closes the list of keys, then the enlarged camera, then full screen. Then the viewer asks, and
    // another key takes the question back.
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
    let recording = fs::read(&desk.stage.recordings()[0]).expect("there");
    assert!(recording.windows(4).any(|bytes| bytes == [0x1C, 0x53, 0xBB, 0x6B]), "it has its end");
}

#[test]
fn a_key_that_is_held_down_on_escape_leaves_only_the_first_thing() {
    let Some(desk) = Desk::new(&["Garage"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("Garage");
    desk.keys(&["Return"]);
    wait_until("full screen, by Enter", || desk.is_full_screen().then_some(()));
    desk.does(&["keydown", "Escape", "sleep", "1.5", "keyup", "Escape"]);
    wait_until("its own size", || (!desk.is_full_screen()).then_some(()));
    let twice = ["mousemove", "700", "450", "click", "--repeat", "2", "--delay", "10", "1"];
    desk.does(&twice);
    wait_until("full screen, by a double click", || desk.is_full_screen().then_some(()));
    desk.keys(&["Escape"]);
    wait_until("its own size", || (!desk.is_full_screen()).then_some(()));
    desk.keys(&["Escape"]);
    assert!(viewer.finish().status.success());
}

#[test]
fn the_wheel_turns_as_far_as_it_is_turned() {
    let Some(desk) = Desk::new(&["Garage"]) else { return };
    let viewer = desk.open();
    desk.waits_for_title("Garage — 640×360");
    // 20 steps away and 20 back, all at once, cancel each other. Then Escape has nothing to close and ends
    // the program at once.
    for button in ["4", "5"] {
        let turn = ["click", "--repeat", "20", "--delay", "0", button];
        desk.does(&turn);
    }
    desk.keys(&["Escape"]);
    let started = Instant::now();
    assert!(viewer.finish().status.success() && started.elapsed() < PATIENCE);
}

#[test]
fn a_double_click_on_the_menu_or_beside_it_does_nothing_to_the_picture_behind() {
    let Some(desk) = Desk::new(&["Garage", "Door"]) else { return };
    // The line "Figures", and a point beside the menu.
    for (x, y) in [("360", "452"), ("1000", "700")] {
        let viewer = desk.open();
        desk.waits_for_title("2 cameras");
        desk.does(&["mousemove", "300", "200", "click", "3", "mousemove", x, y]);
        desk.does(&["click", "--repeat", "2", "--delay", "0", "1", "key", "Escape"]);
        // Escape would only take an enlarged picture back to the grid.
        assert!(viewer.finish().status.success());
    }
}
