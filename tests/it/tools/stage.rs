//! The stage for tests in a window: a screen, a home folder, and a viewer, with ways to look and to act.

use crate::tools::fake_camera::FakeServer;
use crate::tools::skip::skip;
use crate::tools::until::wait_until;
use crate::tools::viewer_process::Viewer;
use crate::tools::x11::{SCREEN, Xvfb};
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::image::stamp::Stamp;
use lancam::viewer::keep::snapshot;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A screen without a window manager, where a window opens in the middle, under the mouse; and a home folder.
pub struct Stage {
    pub screen: Xvfb,
    pub home: TempDir,
}

impl Stage {
    /// `None`, reported as a skip, if there is no X server.
    pub fn new() -> Option<Self> {
        let screen = Xvfb::start().map_err(|why| skip("a window", &why)).ok()?;
        let home = tempfile::tempdir().expect("a folder");
        for folder in ["Pictures", "Videos"] {
            std::fs::create_dir(home.path().join(folder)).expect("made");
        }
        Some(Self { screen, home })
    }

    /// A viewer of these cameras.
    pub fn watch<'a>(&self, cameras: impl IntoIterator<Item = &'a FakeServer>) -> Viewer {
        let addresses: Vec<String> = cameras.into_iter().map(FakeServer::address).collect();
        self.open(&addresses.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A viewer with these arguments.
    pub fn open(&self, arguments: &[&str]) -> Viewer {
        Viewer::start_with(arguments, |command| self.dress(command))
    }

    /// A viewer that remembers what the last one on this stage saved.
    pub fn open_again(&self, arguments: &[&str]) -> Viewer {
        Viewer::start_with(arguments, |command| self.dress_to_remember(command))
    }

    /// Like [`Self::dress`], but the viewer's memory is kept in this home.
    pub fn dress_to_remember(&self, command: &mut Command) {
        self.dress(command);
        command.env("XDG_STATE_HOME", self.home.path());
    }

    /// Sets the viewer's screen and home folder.
    pub fn dress(&self, command: &mut Command) {
        command.env("DISPLAY", self.screen.display()).env("HOME", self.home.path());
        command.env_remove("WAYLAND_DISPLAY").env_remove("XDG_CURRENT_DESKTOP");
        command.env_remove("XDG_CONFIG_HOME");
    }

    /// Presses keys, by X's names, one after the other. They go to the window under the mouse.
    pub fn press(&self, keys: &[&str]) {
        for key in keys {
            self.screen.xdotool(&["key", key]).expect("pressed");
        }
    }

    /// Moves the mouse there.
    pub fn point(&self, (x, y): (usize, usize)) {
        self.screen.xdotool(&["mousemove", &x.to_string(), &y.to_string()]).expect("moved");
    }

    /// Clicks with the first button at this point.
    pub fn click(&self, at: (usize, usize)) {
        self.point(at);
        self.screen.xdotool(&["click", "1"]).expect("clicked");
    }

    /// Ends the viewer with `q` and checks that it reports no error.
    #[track_caller]
    pub fn leave(&self, viewer: Viewer) {
        self.press(&["q"]);
        let output = viewer.finish();
        let log = output.log.join("\n");
        assert!(output.status.success() && !log.contains("panicked"), "{log}");
    }

    /// Waits for a title with this text, and returns the whole title.
    #[track_caller]
    pub fn wait_for_title(&self, text: &str) -> String {
        wait_until(text, || self.screen.title_with(text))
    }

    /// X's id of the only window.
    pub fn window_id(&self) -> String {
        let any = ["search", "--onlyvisible", "--name", "."];
        wait_until("a window", || self.screen.xdotool(&any).filter(|id| !id.is_empty()))
    }

    /// Changes the window's size and position.
    pub fn move_window(&self, size: Size, (x, y): (usize, usize)) {
        let id = self.window_id();
        let [width, height, x, y] = [size.width, size.height, x, y].map(|value| value.to_string());
        self.screen.xdotool(&["windowsize", "--sync", &id, &width, &height]).expect("resized");
        self.screen.xdotool(&["windowmove", "--sync", &id, &x, &y]).expect("moved");
    }

    /// The window's position and size, as xdotool prints them.
    pub fn geometry(&self) -> String {
        self.screen.xdotool(&["getwindowgeometry", "--shell", &self.window_id()]).expect("there")
    }

    /// Whether the window fills the screen.
    pub fn is_full_screen(&self) -> bool {
        self.geometry().contains(&format!("WIDTH={}\nHEIGHT={}", SCREEN.width, SCREEN.height))
    }

    /// A window of this size in the middle of the screen.
    pub fn window(&self, size: Size) -> Picture {
        let left = (SCREEN.width - size.width) / 2;
        let top = (SCREEN.height - size.height) / 2;
        crop(&self.screen.screenshot(), left, top, size)
    }

    /// The number of the frame in a window of this size.
    pub fn stamp(&self, size: Size) -> Option<u32> {
        stamp(&self.window(size))
    }

    /// The saved pictures.
    pub fn pictures(&self) -> Vec<PathBuf> {
        files(&self.home.path().join("Pictures"))
    }

    /// The recordings.
    pub fn recordings(&self) -> Vec<PathBuf> {
        files(&self.home.path().join("Videos"))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).expect("the folder");
    files.map(|file| file.expect("a file").path()).collect()
}

/// A part of a picture.
pub fn crop(picture: &Picture, left: usize, top: usize, size: Size) -> Picture {
    let mut part = Picture::blank(size, 0);
    for (y, row) in part.pixels_mut().chunks_exact_mut(size.width).enumerate() {
        let from = (top + y) * picture.size().width + left;
        row.copy_from_slice(&picture.pixels()[from..][..size.width]);
    }
    part
}

/// The number of the frame that fills this picture.
pub fn stamp(picture: &Picture) -> Option<u32> {
    let stamp = Stamp::read(picture.size(), |x, y| picture.rgb(x, y)[1])?;
    Some(stamp.sequence)
}

/// How many pixels satisfy `is_wanted`.
pub fn count(picture: &Picture, is_wanted: impl Fn([u8; 3]) -> bool) -> usize {
    let Size { width, height } = picture.size();
    (0..height).map(|y| (0..width).filter(|&x| is_wanted(picture.rgb(x, y))).count()).sum()
}

/// Saves a picture for a person to look at, if `LANCAM_SCREENSHOTS` names a folder.
pub fn keep(picture: &Picture, name: &str) {
    if let Some(folder) = std::env::var_os("LANCAM_SCREENSHOTS") {
        snapshot::save(picture, &Path::new(&folder).join(name)).expect("kept");
    }
}
