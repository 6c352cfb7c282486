//! Takes the pictures of docs/VIEWER.md and README.md: the real programs show the test pattern or a drawn
//! scene on a virtual screen.

use crate::tools::camera_process::CameraProcess;
use crate::tools::lan::{Lan, Machine};
use crate::tools::png_file;
use crate::tools::stage::{Stage, crop};
use crate::tools::viewer_process::Viewer;
use lancam::image::pixels::Size;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// The window in the upper left corner. It has half the usual size, so that its text can be read on a page.
const WINDOW: Size = Size::new(960, 540);

/// The browser's window in README.md.
const BROWSER: Size = Size::new(960, 720);

/// A viewer that shows these cameras.
fn open(stage: &Stage, cameras: &[&CameraProcess]) -> Viewer {
    let addresses: Vec<String> =
        cameras.iter().map(|camera| format!("127.0.0.1:{}", camera.port())).collect();
    stage.open(&addresses.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Waits for a window with this title, and moves it to its corner.
fn place(stage: &Stage, title: &str) {
    stage.wait_for_title(title);
    stage.move_window(WINDOW, (0, 0));
    // The pointer must be over the window so that it gets the keys. No pane is at this place.
    stage.point((958, 538));
}

/// Takes a picture after `seconds`. No pixels tell when the window is ready for it.
fn take(stage: &Stage, name: &str, seconds: u64) {
    take_part(stage, name, WINDOW, seconds);
}

/// The same, in another size.
fn take_part(stage: &Stage, name: &str, size: Size, seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
    let window = crop(&stage.screen.screenshot(), 0, 0, size);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    std::fs::create_dir_all(&folder).expect("a folder");
    png_file::write(&folder.join(format!("{name}.png")), &window);
}

fn camera(name: &str, more: &[&str]) -> CameraProcess {
    let usual = ["--source", "test:960x540@30", "--name", name];
    CameraProcess::start(&[&usual, more].concat())
}

#[test]
#[ignore = "writes docs/pictures: make screenshots"]
fn the_pictures_of_the_manual() {
    let stage = Stage::new().expect("make screenshots installs what this needs");
    one_camera(&stage);
    several_cameras(&stage);
    the_list(&stage);
}

/// The viewer and the page side by side, for README.md. The scene is docs/pictures/scene.pov, drawn with
/// POV-Ray.
#[test]
#[ignore = "writes docs/pictures: make screenshots"]
fn the_pictures_of_the_readme() {
    let stage = Stage::new().expect("make screenshots installs what this needs");
    let scene = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pictures/scene.jpg");
    let printer = CameraProcess::start(&["--source", scene, "--fps", "30", "--name", "Printer"]);
    let viewer = open(&stage, &[&printer]);
    place(&stage, "Printer");
    stage.press(&["i"]);
    // The graph shows 10 s.
    take(&stage, "readme-viewer", 12);
    stage.leave(viewer);
    let mut chromium = Command::new("chromium")
        .args([
            "--no-sandbox",
            "--test-type",
            "--no-first-run",
            "--disable-gpu",
            "--password-store=basic",
            "--window-position=0,0",
        ])
        .arg(format!("--window-size={},{}", BROWSER.width, BROWSER.height))
        .arg(format!("--app=http://127.0.0.1:{}/", printer.port()))
        .env("DISPLAY", stage.screen.display())
        .env("HOME", stage.home.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("make screenshots installs it");
    take_part(&stage, "readme-page", BROWSER, 12);
    let _ = chromium.kill();
    let _ = chromium.wait();
}

fn one_camera(stage: &Stage) {
    let garage = camera("Garage", &["--control", "lan"]);
    let viewer = open(stage, &[&garage]);
    place(stage, "Garage");
    take(stage, "single", 2);
    stage.press(&["i"]);
    // The graph shows 10 s.
    take(stage, "figures", 12);
    stage.press(&["i"]);
    stage.press(&["c"]);
    take(stage, "controls", 2);
    stage.press(&["c"]);
    stage.press(&["question"]);
    take(stage, "help", 2);
    stage.press(&["Escape"]);
    stage.press(&["space"]);
    take(stage, "paused", 5);
    stage.press(&["space"]);
    stage.press(&["r"]);
    take(stage, "recording", 8);
    stage.press(&["r"]);
    thread::sleep(Duration::from_secs(6));
    drop(garage);
    take(stage, "lost", 7);
    drop(viewer);
}

fn several_cameras(stage: &Stage) {
    let cameras = ["Garage", "Door", "Workshop", "Printer"].map(|name| camera(name, &[]));
    let _viewer = open(stage, &cameras.each_ref());
    place(stage, "4 cameras");
    stage.click((700, 100));
    stage.point((958, 538));
    // The click must have selected *Door*.
    stage.press(&["Return"]);
    stage.wait_for_title("Door");
    stage.press(&["Return"]);
    stage.wait_for_title("4 cameras");
    let [_garage, _door, _workshop, printer] = cameras;
    drop(printer);
    take(stage, "grid", 7);
}

fn the_list(stage: &Stage) {
    let lan = Lan::new().expect("root's right to make network namespaces");
    let camera = |name: &str, source: &str, port: u16| {
        let listen = format!("0.0.0.0:{port}");
        let options = ["--source", source, "--name", name, "--announce", "on", "--listen", &listen];
        CameraProcess::spawn(&mut lan.on(Machine::Camera, &CameraProcess::command(&options)))
    };
    let _cameras =
        [camera("Garage", "test:1280x720@30", 9101), camera("Workshop", "test:640x480@15", 9102)];
    let _viewer = Viewer::start_in(&lan, &[], |command| stage.dress(command));
    place(stage, "lancam");
    take(stage, "picker", 4);
}
