//! A desktop window. Only this folder names `minifb`.

pub mod desktop;
mod error;
#[cfg(all(unix, not(target_os = "macos")))]
mod icon;
mod keyboard;
pub mod mouse;
#[cfg(unix)]
pub mod xwayland;

pub use error::WindowError;

use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::viewer::stage::grid::fit;
use crate::viewer::stage::input::{Input, Point};
use keyboard::{Keyboard, Reporter, Stroke};
use minifb::{HasWindowHandle, MouseButton, MouseMode, ScaleMode, WindowOptions};
use mouse::{Button, Mouse};
use raw_window_handle::RawWindowHandle;
use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

/// An open window.
pub struct Window {
    window: minifb::Window,
    opened: Instant,
    keys: Receiver<Stroke>,
    keyboard: Keyboard,
    focus: Focus,
    mouse: Mouse,
    /// The state of the second mouse button.
    second: Button,
    hearing: Hearing,
    /// Inputs that were not yet asked for.
    pending: VecDeque<Input>,
    title: String,
}

/// How a window opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opening {
    /// In its own size.
    #[default]
    Window,
    /// Full screen.
    FullScreen,
}

/// Whether keys and mouse are reported from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hearing {
    Here,
    /// The desktop's connection reports them.
    Elsewhere,
}

/// Whether the window has the keyboard focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Here,
    /// It has not, or that is unknown.
    Elsewhere,
}

/// The name of the menu entry (cross/desktop/lancam-view.desktop).
pub(super) const PROGRAM: &str = "lancam-view";

/// How `minifb` reports one step of the wheel away from the user: under X both at its beginning and its end, ...
const STEP_OF_X11: f32 = 2.0;
/// ... under Wayland as the distance a page would scroll, ...
const STEP_OF_WAYLAND: f32 = -10.0;
/// ... under Windows as a tenth of its 120 ...
const STEP_OF_WINDOWS: f32 = 12.0;
/// ... and under macOS as one.
const STEP_OF_MACOS: f32 = 1.0;

/// The largest window that is opened, since `minifb` does not know the screen's size ...
const LARGEST: Size = Size::new(1280, 720);
/// ... and the size to which smaller pictures are enlarged.
const SMALLEST: Size = Size::new(640, 360);

impl Window {
    /// Opens a window of this size.
    ///
    /// # Errors
    /// When there is no display, or a library for windows is missing.
    pub fn open(title: &str, size: Size) -> Result<Self, WindowError> {
        let options = WindowOptions {
            resize: true,
            // Pictures have the window's size. If that has just changed, one frame is not scaled.
            scale_mode: ScaleMode::UpperLeft,
            ..WindowOptions::default()
        };
        // Under Wayland, the desktop finds the program's icon by the first title.
        let mut window = minifb::Window::new(PROGRAM, size.width, size.height, options)
            .map_err(|error| WindowError::of_opening(&error.to_string()))?;
        window.set_title(title);
        // The main thread sleeps until a frame arrives. A sleep in `minifb` would only delay it.
        window.set_target_fps(0);
        let (sender, keys) = mpsc::channel();
        window.set_input_callback(Box::new(Reporter(sender)));
        Ok(Self {
            window,
            opened: Instant::now(),
            keys,
            keyboard: Keyboard::default(),
            focus: Focus::Elsewhere,
            mouse: Mouse::default(),
            second: Button::Up,
            hearing: Hearing::Here,
            pending: VecDeque::new(),
            title: title.to_owned(),
        })
    }

    /// The window's size in pixels.
    pub fn size(&self) -> Size {
        let (width, height) = self.window.get_size();
        Size::new(width, height)
    }

    /// The window's X11 id; `None` if it is not a window of X.
    pub fn id(&self) -> Option<u32> {
        match self.window.window_handle().ok()?.as_raw() {
            // A C long, which has 32 bits on some systems.
            #[allow(clippy::useless_conversion)]
            RawWindowHandle::Xlib(window) => u32::try_from(window.window).ok(),
            _ => None,
        }
    }

    /// Ignores keys and mouse from now on, because the desktop reports all of them. `minifb` misses clicks between two
    /// polls.
    pub fn leave_input_to_others(&mut self) {
        self.hearing = Hearing::Elsewhere;
    }

    /// Moves the window, where windows may move themselves.
    pub fn move_to(&mut self, x: i32, y: i32) {
        let place = |side: i32| isize::try_from(side).unwrap_or_default();
        self.window.set_position(place(x), place(y));
    }

    /// Shows `picture`, which should have the window's size, and collects input.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn show(&mut self, picture: &Picture) -> Result<(), WindowError> {
        let Size { width, height } = picture.size();
        if width == 0 || height == 0 {
            self.listen();
            return Ok(());
        }
        self.window
            .update_with_buffer(picture.pixels(), width, height)
            .map_err(|error| WindowError::Window(error.to_string()))?;
        self.collect();
        Ok(())
    }

    /// Collects input. Call it often enough that keys and resizing feel immediate.
    pub fn listen(&mut self) {
        self.window.update();
        self.collect();
    }

    /// The next input.
    pub fn next_input(&mut self) -> Option<Input> {
        self.pending.pop_front()
    }

    /// Changes the title, if it is different.
    pub fn entitle(&mut self, title: &str) {
        if title != self.title {
            title.clone_into(&mut self.title);
            self.window.set_title(title);
        }
    }

    fn collect(&mut self) {
        if !self.window.is_open() {
            self.pending.push_back(Input::Close);
        }
        let strokes = self.keys.try_iter();
        if self.hearing == Hearing::Elsewhere {
            return strokes.for_each(drop);
        }
        for stroke in strokes {
            self.pending.extend(self.keyboard.hear(stroke));
        }
        let focus = if self.window.is_active() { Focus::Here } else { Focus::Elsewhere };
        if (self.focus, focus) == (Focus::Here, Focus::Elsewhere) {
            self.keyboard.forget();
        }
        self.focus = focus;
        self.watch_mouse();
    }

    fn watch_mouse(&mut self) {
        let Some((x, y)) = self.window.get_mouse_pos(MouseMode::Pass) else { return };
        let at = Point { x: f64::from(x), y: f64::from(y) };
        let is_down = self.window.get_mouse_down(MouseButton::Left);
        let done = match (self.mouse.button(), is_down) {
            (Button::Up, true) => Some(self.mouse.press(at, self.opened.elapsed())),
            (Button::Down, false) => Some(self.mouse.release(at)),
            _ => self.mouse.go(at),
        };
        self.pending.extend(done);
        let second = match self.window.get_mouse_down(MouseButton::Right) {
            true => Button::Down,
            false => Button::Up,
        };
        if (std::mem::replace(&mut self.second, second), second) == (Button::Up, Button::Down) {
            self.pending.push_back(Input::Menu(at));
        }
        if let Some((_, steps)) = self.window.get_scroll_wheel() {
            let steps = steps / self.wheel_step();
            self.pending.push_back(Input::Wheel { at, steps: f64::from(steps).clamp(-10.0, 10.0) });
        }
    }

    /// What one step of the wheel is reported as here.
    fn wheel_step(&self) -> f32 {
        match self.id() {
            Some(_) => STEP_OF_X11,
            None if cfg!(windows) => STEP_OF_WINDOWS,
            None if cfg!(target_os = "macos") => STEP_OF_MACOS,
            None => STEP_OF_WAYLAND,
        }
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Window").field("title", &self.title).finish_non_exhaustive()
    }
}

/// The size in which a window opens, from the first picture if it has arrived.
pub fn opening_size(picture: Option<Size>) -> Size {
    let Some(picture) = picture else { return LARGEST };
    if picture.width > LARGEST.width || picture.height > LARGEST.height {
        fit(picture, LARGEST)
    } else if picture.width < SMALLEST.width && picture.height < SMALLEST.height {
        fit(picture, SMALLEST)
    } else {
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_opens_in_the_pictures_shape_and_on_the_screen() {
        assert_eq!(opening_size(None), Size::new(1280, 720));
        for (picture, window) in [
            (Size::new(1280, 720), Size::new(1280, 720)),
            (Size::new(800, 600), Size::new(800, 600)),
            (Size::new(3840, 2160), Size::new(1280, 720)),
            (Size::new(720, 1280), Size::new(405, 720)),
            (Size::new(320, 180), Size::new(640, 360)),
            (Size::new(1, 1), Size::new(360, 360)),
        ] {
            assert_eq!(opening_size(Some(picture)), window, "{picture}");
        }
    }
}
