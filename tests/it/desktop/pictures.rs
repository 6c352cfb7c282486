//! Takes the pictures of docs/VIEWER.md: real programs, the camera's own test pattern, an X server without a screen.

use crate::tools::camera_process::CameraProcess;
use crate::tools::lan::{Lan, Machine};
use crate::tools::png_file;
use crate::tools::viewer_process::Viewer;
use crate::tools::x11::{SCREEN, Xvfb, wait_until};
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// The window, in the upper left corner: half of what people have, so that its text can be read on a page.
const WINDOW: Size = Size::new(960, 540);

struct Studio {
    screen: Xvfb,
    home: TempDir,
}

impl Studio {
    fn dress(&self, command: &mut Command) {
        command.env("DISPLAY", self.screen.display()).env("HOME", self.home.path());
        command.env_remove("WAYLAND_DISPLAY").env_remove("XDG_CURRENT_DESKTOP");
        command.env_remove("XDG_CONFIG_HOME");
    }

    fn open(&self, cameras: &[&CameraProcess]) -> Viewer {
        let addresses: Vec<String> =
            cameras.iter().map(|camera| format!("127.0.0.1:{}", camera.port())).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        Viewer::start_with(&addresses, |command| self.dress(command))
    }

    /// Waits for a window with this in its title, and puts it into its corner.
    fn place(&self, title: &str) {
        wait_until("the window's title", || self.screen.title_with(title));
        let id = self.screen.xdotool(&["search", "--onlyvisible", "--name", "."]).expect("there");
        let (width, height) = (WINDOW.width.to_string(), WINDOW.height.to_string());
        self.screen.xdotool(&["windowsize", "--sync", &id, &width, &height]).expect("resized");
        self.screen.xdotool(&["windowmove", &id, "0", "0"]).expect("moved");
        // Over the window, for the keys, where no pane is and nothing can be chosen.
        self.screen.xdotool(&["mousemove", "958", "538"]).expect("moved");
    }

    fn press(&self, key: &str) {
        self.screen.xdotool(&["key", key]).expect("pressed");
    }

    /// Keeps what is there after `seconds`: nobody can tell from pixels that a picture is worth taking.
    fn take(&self, name: &str, seconds: u64) {
        thread::sleep(Duration::from_secs(seconds));
        let screen = self.screen.screenshot();
        let mut window = Picture::blank(WINDOW, 0);
        let rows = window.pixels_mut().chunks_exact_mut(WINDOW.width);
        for (row, from) in rows.zip(screen.pixels().chunks_exact(SCREEN.width)) {
            row.copy_from_slice(&from[..WINDOW.width]);
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
        std::fs::create_dir_all(&folder).expect("a folder");
        png_file::write(&folder.join(format!("{name}.png")), &window);
    }
}

fn camera(name: &str, more: &[&str]) -> CameraProcess {
    let usual = ["--source", "test:960x540@30", "--name", name];
    CameraProcess::start(&[&usual, more].concat())
}

#[test]
#[ignore = "writes docs/pictures: make screenshots"]
fn the_pictures_of_the_manual() {
    let screen = Xvfb::start().expect("make screenshots installs what this needs");
    let studio = Studio { screen, home: tempfile::tempdir().expect("a folder") };
    one_camera(&studio);
    several_cameras(&studio);
    the_list(&studio);
}

fn one_camera(studio: &Studio) {
    let garage = camera("Garage", &["--control", "lan"]);
    let viewer = studio.open(&[&garage]);
    studio.place("Garage");
    studio.take("single", 2);
    studio.press("i");
    // The graph shows 10 s.
    studio.take("figures", 12);
    studio.press("i");
    studio.press("c");
    studio.take("controls", 2);
    studio.press("c");
    studio.press("question");
    studio.take("help", 2);
    studio.press("Escape");
    studio.press("space");
    studio.take("paused", 5);
    studio.press("space");
    studio.press("r");
    studio.take("recording", 8);
    studio.press("r");
    thread::sleep(Duration::from_secs(6));
    drop(garage);
    studio.take("lost", 7);
    drop(viewer);
}

fn several_cameras(studio: &Studio) {
    let cameras = ["Garage", "Door", "Workshop", "Printer"].map(|name| camera(name, &[]));
    let _viewer = studio.open(&cameras.each_ref());
    studio.place("4 cameras");
    studio.screen.xdotool(&["mousemove", "700", "100", "click", "1"]).expect("clicked");
    studio.screen.xdotool(&["mousemove", "958", "538"]).expect("moved");
    // It is *Door* that was clicked at.
    studio.press("Return");
    wait_until("the one that was clicked at", || studio.screen.title_with("Door"));
    studio.press("Return");
    wait_until("all of them again", || studio.screen.title_with("4 cameras"));
    let [_garage, _door, _workshop, printer] = cameras;
    drop(printer);
    studio.take("grid", 7);
}

fn the_list(studio: &Studio) {
    let lan = Lan::new().expect("root's right to make network namespaces");
    let camera = |name: &str, source: &str, port: u16| {
        let listen = format!("0.0.0.0:{port}");
        let options = ["--source", source, "--name", name, "--announce", "on", "--listen", &listen];
        CameraProcess::spawn(&mut lan.on(Machine::Camera, &CameraProcess::command(&options)))
    };
    let _cameras =
        [camera("Garage", "test:1280x720@30", 9101), camera("Workshop", "test:640x480@15", 9102)];
    let _viewer = Viewer::start_in(&lan, &[], |command| {
        studio.dress(command);
    });
    studio.place("lancam");
    studio.take("picker", 4);
}
