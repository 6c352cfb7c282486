//! The viewer under Wayland. weston shows its own screen on a virtual X server, which has a real mouse and
//! real keys.

use crate::tools::camera_process::CameraProcess;
use crate::tools::screen_stamp::stamp_on;
use crate::tools::skip::skip;
use crate::tools::stage::keep;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use crate::tools::x11::{SCREEN, Xvfb};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A compositor that gives every window the whole screen, without a frame. Dropping it ends it.
struct Weston {
    compositor: Child,
    screen: Xvfb,
    folder: TempDir,
}

impl Weston {
    /// `None` if weston does not run here, which counts as a skip.
    fn start() -> Option<Self> {
        let missing = |why: &str| {
            skip("a Wayland", why);
            None
        };
        let mut version = Command::new("weston");
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if version.status().is_err() {
            return missing("weston is not installed");
        }
        let screen = match Xvfb::start() {
            Ok(screen) => screen,
            Err(why) => return missing(&why),
        };
        let folder = tempfile::tempdir().expect("a folder");
        let mut weston = Command::new("weston");
        weston.args(["--backend=x11-backend.so", "--shell=kiosk-shell.so", "--use-pixman"]);
        weston.args(["--no-config", "--socket=display"]);
        weston.arg(format!("--width={}", SCREEN.width)).arg(format!("--height={}", SCREEN.height));
        weston.env("DISPLAY", screen.display()).env("XDG_RUNTIME_DIR", folder.path());
        weston.env_remove("WAYLAND_DISPLAY").stdout(Stdio::null()).stderr(Stdio::null());
        let compositor = weston.spawn().expect("it was there before");
        let weston = Self { compositor, screen, folder };
        wait_until("weston's socket", || weston.display().exists().then_some(()));
        Some(weston)
    }

    /// The value of `WAYLAND_DISPLAY`.
    fn display(&self) -> PathBuf {
        self.folder.path().join("display")
    }

    /// A viewer that cannot use X.
    fn open(&self, camera: &str) -> Viewer {
        Viewer::start_with(&[camera], |command| {
            command.env("WAYLAND_DISPLAY", self.display());
            command.env("XDG_RUNTIME_DIR", self.folder.path()).env_remove("DISPLAY");
        })
    }

    /// Does what xdotool calls `what`, in the middle of the screen.
    fn act(&self, what: &[&str]) {
        let (x, y) = ((SCREEN.width / 2).to_string(), (SCREEN.height / 2).to_string());
        self.screen.xdotool(&["mousemove", &x, &y]).expect("moved");
        self.screen.xdotool(what).expect("done");
    }

    /// The number of the frame, if the window shows all of it.
    fn sequence(&self) -> Option<u32> {
        stamp_on(&self.screen.screenshot()).map(|stamp| stamp.sequence)
    }
}

impl Drop for Weston {
    fn drop(&mut self) {
        let _ = self.compositor.kill();
        let _ = self.compositor.wait();
    }
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn under_wayland_the_picture_moves_and_keys_and_the_wheel_work() {
    let Some(weston) = Weston::start() else { return };
    let camera = CameraProcess::start(&["--source", "test:640x360@30"]);
    let viewer = weston.open(&format!("127.0.0.1:{}", camera.port()));
    let mut last = 0;
    for _ in 0..10 {
        last = wait_until("a newer picture", || weston.sequence().filter(|&number| number > last));
    }
    keep(&weston.screen.screenshot(), "wayland.png");

    // One step of the wheel and one back must cancel each other.
    weston.act(&["click", "4"]);
    wait_until("an enlarged picture", || weston.sequence().is_none().then_some(()));
    weston.act(&["click", "5"]);
    wait_until("all of it", || weston.sequence());

    // The first bar of the pattern is light. The panel with the figures covers it and is dark, also between
    // the letters.
    weston.act(&["key", "i"]);
    let figures = wait_until("figures over the picture", || {
        let shown = weston.screen.screenshot();
        (shown.rgb(120, 336)[1] < 100).then_some(shown)
    });
    keep(&figures, "wayland-figures.png");

    // Keys with these modifiers belong to the desktop.
    for key in ["ctrl+q", "ctrl+c", "alt+q", "super+q", "ctrl+i"] {
        weston.act(&["key", key]);
    }
    assert!(weston.screen.screenshot().rgb(120, 336)[1] < 100, "the figures are still there");
    weston.act(&["key", "i"]);
    for _ in 0..5 {
        last = wait_until("a newer picture", || weston.sequence().filter(|&number| number > last));
    }

    weston.act(&["key", "Escape"]);
    let output = viewer.finish();
    assert!(output.status.success(), "{}", output.log.join("\n"));
}
