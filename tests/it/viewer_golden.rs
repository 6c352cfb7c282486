//! The whole window, as people see it: driven with keys and mouse, and compared with pictures that somebody has looked at.
//!
//! `LANCAM_BLESS=1` writes tests/golden/viewer anew; look at what it wrote.

use crate::camera_process::CameraProcess;
use crate::fake_camera::{FakeCamera, FakeServer, Pattern, ReservedPort, jpeg_facts};
use crate::lan::{Lan, Machine};
use crate::png_file;
use crate::skip::skip;
use crate::viewer_process::Viewer;
use crate::x11::{SCREEN, Xvfb, wait_until};
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::wire::native::message::{Message, StatusCode};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{io, thread};

/// The size of the window, in the middle of the screen.
const WINDOW: Size = Size::new(1280, 720);
/// Pictures are compared in squares of this side.
const TILE: usize = 32;
/// Ages, rates and seconds are never the same: so many squares may look different ...
const DIFFERENT_TILES: usize = 6;
/// ... which means that this part of a square's pixels, of 100, does ...
const DIFFERENT_PIXELS: usize = 25;
/// ... by more than this in a colour: letters' edges differ a little from one machine to another.
const DIFFERENT: u8 = 48;

/// A screen, and a home where the viewer may leave things.
struct Stage {
    screen: Xvfb,
    home: tempfile::TempDir,
}

impl Stage {
    /// `None`, and said so, where that cannot be had.
    fn new(test: &str) -> Option<Self> {
        match Xvfb::start() {
            Ok(screen) => Some(Self { screen, home: tempfile::tempdir().expect("a folder") }),
            Err(why) => {
                skip(&format!("viewer_golden::{test}"), &why);
                None
            }
        }
    }

    fn open(&self, cameras: &[&str]) -> Viewer {
        Viewer::start_with(cameras, |command| self.dress(command))
    }

    fn dress(&self, command: &mut Command) {
        command.env("DISPLAY", self.screen.display()).env("HOME", self.home.path());
        command.env_remove("WAYLAND_DISPLAY").env_remove("XDG_CURRENT_DESKTOP");
        command.env_remove("XDG_CONFIG_HOME");
    }

    /// Presses keys, by X's names for them, while the mouse is where it is no camera's.
    fn press(&self, keys: &[&str]) {
        for key in keys {
            self.screen.xdotool(&["key", key]).expect("pressed");
        }
    }

    fn point(&self, (x, y): (usize, usize)) {
        self.screen.xdotool(&["mousemove", &x.to_string(), &y.to_string()]).expect("moved");
    }

    /// Holds the first button for long enough to be seen by who looks now and then.
    fn click(&self, at: (usize, usize)) {
        self.point(at);
        let click = ["mousedown", "1", "sleep", "0.05", "mouseup", "1"];
        self.screen.xdotool(&click).expect("clicked");
    }

    /// Waits until the window looks like the golden picture of this name.
    #[track_caller]
    fn expect(&self, name: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/viewer");
        let file = file.join(format!("{name}.png"));
        if std::env::var_os("LANCAM_BLESS").is_some() {
            thread::sleep(Duration::from_secs(5));
            png_file::write(&file, &self.window());
            return;
        }
        let golden = png_file::read(&file);
        let mut last = (self.window(), usize::MAX);
        let seen = wait_at_most(|| {
            last.0 = self.window();
            last.1 = differences(&last.0, &golden);
            (last.1 <= DIFFERENT_TILES).then_some(())
        });
        if seen.is_none() {
            let actual = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
            png_file::write(&actual, &last.0);
            let (file, actual) = (file.display(), actual.display());
            panic!("{} squares differ between {file} and {actual}", last.1);
        }
    }

    fn window(&self) -> Picture {
        let screen = self.screen.screenshot();
        let (left, top) = ((SCREEN.width - WINDOW.width) / 2, (SCREEN.height - WINDOW.height) / 2);
        let mut window = Picture::blank(WINDOW, 0);
        for (y, row) in window.pixels_mut().chunks_exact_mut(WINDOW.width).enumerate() {
            let from = (top + y) * SCREEN.width + left;
            row.copy_from_slice(&screen.pixels()[from..from + WINDOW.width]);
        }
        window
    }
}

fn wait_at_most<T>(look: impl FnMut() -> Option<T>) -> Option<T> {
    let mut look = look;
    let deadline = std::time::Instant::now() + crate::camera_process::PATIENCE;
    while std::time::Instant::now() < deadline {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::sleep(Duration::from_millis(50));
    }
    None
}

/// How many squares of two pictures look different.
fn differences(a: &Picture, b: &Picture) -> usize {
    if a.size() != b.size() {
        return usize::MAX;
    }
    let Size { width, height } = a.size();
    let differs = |x: usize, y: usize| {
        a.rgb(x, y).iter().zip(b.rgb(x, y)).any(|(a, b)| a.abs_diff(b) > DIFFERENT)
    };
    let tile = |left: usize, top: usize| {
        let rows = top..(top + TILE).min(height);
        rows.map(|y| (left..(left + TILE).min(width)).filter(|&x| differs(x, y)).count())
            .sum::<usize>()
    };
    let tops = (0..height).step_by(TILE);
    let tiles = tops.flat_map(|top| (0..width).step_by(TILE).map(move |left| (left, top)));
    tiles.filter(|&(left, top)| tile(left, top) * 100 > TILE * TILE * DIFFERENT_PIXELS).count()
}

/// A camera whose picture stands still, ten times a second.
fn still(stream: TcpStream, name: &str) -> io::Result<()> {
    let size = Size::new(1280, 720);
    let mut camera = FakeCamera::greet(stream, name)?;
    let mut pattern = Pattern::new(size);
    let jpeg = pattern.jpeg(40).to_vec();
    for sequence in 1.. {
        camera.send_frame(&jpeg_facts(sequence, size), &jpeg)?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn server(name: &'static str) -> FakeServer {
    FakeServer::on(0, move |stream| still(stream, name))
}

#[test]
fn one_camera_with_figures_help_controls_paused_and_recording() {
    let Some(stage) = Stage::new("one_camera_with_figures_help_controls_paused_and_recording")
    else {
        return;
    };
    let reserved = ReservedPort::new().expect("a free port");
    let camera = FakeServer::on(reserved.address().port(), |stream| still(stream, "Küche"));
    let viewer = stage.open(&[&camera.address()]);
    wait_until("the camera's name", || stage.screen.title_with("Küche"));
    stage.point((700, 800));
    stage.expect("single");
    for (keys, name, back) in [
        (&["i"], "figures", &["i"]),
        (&["question"], "help", &["Escape"]),
        (&["c"], "controls", &["c"]),
        (&["space"], "paused", &["space"]),
        (&["r"], "recording", &["r"]),
    ] {
        stage.press(keys);
        stage.expect(name);
        stage.press(back);
    }
    // The message about the recording goes by itself.
    stage.expect("single");
    drop(camera);
    wait_until("that it is gone", || stage.screen.title_with("not connected"));
    stage.expect("lost");
    let _back = FakeServer::on(reserved.address().port(), |stream| still(stream, "Küche"));
    stage.expect("single");
    stage.press(&["q"]);
    assert!(viewer.finish().status.success());
}

#[test]
fn a_grid_of_four_with_one_camera_gone() {
    let Some(stage) = Stage::new("a_grid_of_four_with_one_camera_gone") else { return };
    let cameras = ["Küche", "Garage", "Door"].map(server);
    let fourth = FakeServer::on(0, |stream| {
        let mut camera = FakeCamera::greet(stream, "Workshop")?;
        let size = Size::new(1280, 720);
        camera.send_frame(&jpeg_facts(1, size), Pattern::new(size).jpeg(40))?;
        let text = "no camera: /dev/video0 has been unplugged";
        camera.send(&Message::Status { code: StatusCode::CameraLost, text })?;
        camera.wait_for(|_| None::<()>)
    });
    let mut addresses: Vec<String> = cameras.iter().map(FakeServer::address).collect();
    addresses.push(fourth.address());
    let viewer = stage.open(&addresses.iter().map(String::as_str).collect::<Vec<_>>());
    wait_until("the title of a grid", || stage.screen.title_with("3 cameras, 1 without a picture"));
    stage.click((1000, 200));
    stage.expect("grid");
    stage.press(&["Return"]);
    wait_until("the one that was clicked", || stage.screen.title_with("Garage"));
    stage.press(&["Tab"]);
    wait_until("the next one", || stage.screen.title_with("Door"));
    // A double click is two presses; back to the grid.
    stage.click((700, 450));
    stage.click((700, 450));
    wait_until("all of them again", || stage.screen.title_with("3 cameras"));
    stage.press(&["q"]);
    assert!(viewer.finish().status.success());
}

#[test]
fn a_camera_is_chosen_from_a_list_with_keys_and_mouse_and_remembered() {
    let test = "a_camera_is_chosen_from_a_list_with_keys_and_mouse_and_remembered";
    let (Some(stage), Some(lan)) = (Stage::new(test), Lan::new()) else { return };
    let camera = |name: &str, port: u16| {
        let (source, listen) = ("test:640x360@10", format!("0.0.0.0:{port}"));
        let options = ["--source", source, "--name", name, "--announce", "on", "--listen", &listen];
        CameraProcess::spawn(&mut lan.on(Machine::Camera, &CameraProcess::command(&options)))
    };
    let (_first, _second) = (camera("Garage", 9101), camera("Küche", 9102));
    let open = || {
        Viewer::start_in(&lan, &[], |command| {
            stage.dress(command);
            command.env("XDG_STATE_HOME", stage.home.path());
        })
    };
    let viewer = open();
    stage.expect("picker");
    stage.press(&["Down", "Return"]);
    wait_until("the second camera", || stage.screen.title_with("Küche — 640×360"));

    // Back to the list, and back from it; then to the other camera.
    stage.press(&["l"]);
    stage.expect("list");
    stage.press(&["Escape"]);
    wait_until("the second camera", || stage.screen.title_with("Küche — 640×360 10 fps"));
    stage.press(&["BackSpace"]);
    stage.expect("list");
    stage.press(&["Up", "Return"]);
    wait_until("the first camera", || stage.screen.title_with("Garage — 640×360"));
    stage.press(&["l"]);
    // But for two words of its last line.
    stage.expect("picker");
    stage.press(&["Down", "Return"]);
    wait_until("the second camera again", || stage.screen.title_with("Küche — 640×360"));
    stage.press(&["q"]);
    assert!(viewer.finish().status.success());

    // The last one is opened without a question.
    let viewer = open();
    wait_until("the last camera", || stage.screen.title_with("Küche — 640×360"));
    stage.press(&["q"]);
    assert!(viewer.finish().status.success());

    // With nothing remembered, the mouse chooses.
    std::fs::remove_dir_all(stage.home.path().join("lancam")).expect("it was remembered");
    let viewer = open();
    stage.expect("picker");
    stage.click((700, 440));
    wait_until("the first camera", || stage.screen.title_with("Garage — 640×360"));
    stage.press(&["q"]);
    assert!(viewer.finish().status.success());
}
