//! A desktop window: the only file that names `minifb`.

use super::input::{Input, Key, Point};
use super::layout::fit;
use super::presenter::ScreenError;
use crate::image::picture::Picture;
use crate::image::pixels::Size;
use minifb::{InputCallback, MouseButton, MouseMode, ScaleMode, WindowOptions};
use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

/// An open window.
pub struct Window {
    window: minifb::Window,
    keys: Receiver<Stroke>,
    shift: Shift,
    focus: Focus,
    mouse: Mouse,
    /// What was done and not yet asked for.
    pending: VecDeque<Input>,
    title: String,
}

/// What the keyboard reports.
#[derive(Debug, Clone, Copy)]
enum Stroke {
    /// What a key types in the user's own layout.
    Character(char),
    Key(minifb::Key, State),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Down,
    Up,
}

/// Whether Shift is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shift {
    Held,
    Free,
}

/// Whether keys come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Here,
    /// Or nobody says where.
    Elsewhere,
}

/// The mouse as it was seen last.
#[derive(Debug, Clone, Copy)]
struct Mouse {
    at: Point,
    button: State,
    /// When and where the button went down last.
    pressed: Option<(Instant, Point)>,
}

/// What the menu entry is called (cross/desktop/lancam-view.desktop).
pub(super) const PROGRAM: &str = "lancam-view";

/// A second press within this time, and this near, makes a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
const NEAR: f64 = 6.0;

/// What one click of the wheel away from the hand is reported as: under X both as it begins and as it ends, ...
const STEP_OF_X11: f32 = 2.0;
/// ... under Wayland as the way that a page would go, ...
const STEP_OF_WAYLAND: f32 = -10.0;
/// ... under Windows as a tenth of its 120 ...
const STEP_OF_WINDOWS: f32 = 12.0;
/// ... and under macOS as one.
const STEP_OF_MACOS: f32 = 1.0;

/// A window is opened no larger than this, since `minifb` does not know the screen's size ...
const LARGEST: Size = Size::new(1280, 720);
/// ... and a picture smaller than this is enlarged into it.
const SMALLEST: Size = Size::new(640, 360);

impl Window {
    /// Opens a window of this size.
    ///
    /// # Errors
    /// When there is no display, or a library for windows is missing.
    pub fn open(title: &str, size: Size) -> Result<Self, ScreenError> {
        let options = WindowOptions {
            resize: true,
            // What is shown has the window's size; where that has just changed, nothing is moved for one frame.
            scale_mode: ScaleMode::UpperLeft,
            ..WindowOptions::default()
        };
        // Under Wayland the first title is what the desktop finds the program's icon by.
        let mut window = minifb::Window::new(PROGRAM, size.width, size.height, options)
            .map_err(|error| explain(&error.to_string()))?;
        window.set_title(title);
        // The presenter sleeps until a frame arrives; a sleep in here would only delay it.
        window.set_target_fps(0);
        let (sender, keys) = mpsc::channel();
        window.set_input_callback(Box::new(Keyboard(sender)));
        let mouse = Mouse { at: Point { x: -1.0, y: -1.0 }, button: State::Up, pressed: None };
        let (shift, focus) = (Shift::Free, Focus::Elsewhere);
        let (pending, title) = (VecDeque::new(), title.to_owned());
        Ok(Self { window, keys, shift, focus, mouse, pending, title })
    }

    /// How large it is, in pixels.
    pub fn size(&self) -> Size {
        let (width, height) = self.window.get_size();
        Size::new(width, height)
    }

    /// X's number of it; `None` where it is no window of X.
    pub fn id(&self) -> Option<u32> {
        // On Wayland it is the address of something, and those do not fit.
        let id = u32::try_from(self.window.get_window_handle().addr()).ok()?;
        let is_x11 = cfg!(all(unix, not(target_os = "macos")));
        (is_x11 && id != 0).then_some(id)
    }

    /// Moves it there, where windows may move themselves.
    pub fn move_to(&mut self, x: i32, y: i32) {
        let place = |side: i32| isize::try_from(side).unwrap_or_default();
        self.window.set_position(place(x), place(y));
    }

    /// Shows `picture`, which should have the window's size, and sees what was done meanwhile.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn show(&mut self, picture: &Picture) -> Result<(), ScreenError> {
        let Size { width, height } = picture.size();
        if width == 0 || height == 0 {
            self.listen();
            return Ok(());
        }
        self.window
            .update_with_buffer(picture.pixels(), width, height)
            .map_err(|error| ScreenError::Window(error.to_string()))?;
        self.collect();
        Ok(())
    }

    /// Sees what was done; to be called often enough that keys and resizing feel immediate.
    pub fn listen(&mut self) {
        self.window.update();
        self.collect();
    }

    /// The first thing that was done and not yet returned here.
    pub fn next_input(&mut self) -> Option<Input> {
        self.pending.pop_front()
    }

    /// Changes its title, if it is another one.
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
        for stroke in self.keys.try_iter() {
            if let Stroke::Key(minifb::Key::LeftShift | minifb::Key::RightShift, state) = stroke {
                self.shift = if state == State::Down { Shift::Held } else { Shift::Free };
            }
            self.pending.extend(key(stroke, self.shift).map(Input::Key));
        }
        let focus = if self.window.is_active() { Focus::Here } else { Focus::Elsewhere };
        if (self.focus, focus) == (Focus::Here, Focus::Elsewhere) {
            // Whoever leaves with Shift and another key lets go of it elsewhere.
            self.shift = Shift::Free;
        }
        self.focus = focus;
        self.watch_mouse(Instant::now());
    }

    fn watch_mouse(&mut self, now: Instant) {
        let Some((x, y)) = self.window.get_mouse_pos(MouseMode::Pass) else { return };
        let at = Point { x: f64::from(x), y: f64::from(y) };
        let (last, was) = (self.mouse.at, self.mouse.button);
        let button = match self.window.get_mouse_down(MouseButton::Left) {
            true => State::Down,
            false => State::Up,
        };
        self.mouse.at = at;
        self.mouse.button = button;
        match (was, button) {
            (State::Up, State::Down) => {
                let is_near =
                    |point: Point| (point.x - at.x).abs() < NEAR && (point.y - at.y).abs() < NEAR;
                let is_second = self.mouse.pressed.take().is_some_and(|(then, point)| {
                    now.duration_since(then) < DOUBLE_CLICK && is_near(point)
                });
                self.pending.push_back(Input::Press(at));
                if is_second {
                    self.pending.push_back(Input::DoublePress(at));
                } else {
                    self.mouse.pressed = Some((now, at));
                }
            }
            (State::Down, State::Up) => self.pending.push_back(Input::Release(at)),
            (State::Down, State::Down) if last != at => {
                self.pending.push_back(Input::Drag { to: at, by: (at.x - last.x, at.y - last.y) });
            }
            (State::Up, State::Up) if last != at => self.pending.push_back(Input::Hover(at)),
            _ => {}
        }
        if let Some((_, steps)) = self.window.get_scroll_wheel() {
            let steps = steps / self.wheel_step();
            self.pending.push_back(Input::Wheel { at, steps: f64::from(steps).clamp(-10.0, 10.0) });
        }
    }

    /// What one click of the wheel is reported as here.
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

/// `minifb` reports keys to something that it owns.
struct Keyboard(Sender<Stroke>);

impl InputCallback for Keyboard {
    fn add_char(&mut self, code: u32) {
        if let Some(letter) = char::from_u32(code).filter(|letter| !letter.is_control()) {
            // Fails only while the window is being closed.
            let _ = self.0.send(Stroke::Character(letter));
        }
    }

    fn set_key_state(&mut self, key: minifb::Key, is_down: bool) {
        let state = if is_down { State::Down } else { State::Up };
        let _ = self.0.send(Stroke::Key(key, state));
    }
}

/// Keys that type nothing, by their names; all others by what they type.
fn key(stroke: Stroke, shift: Shift) -> Option<Key> {
    let key = match stroke {
        Stroke::Character(letter) => return Some(Key::Character(letter)),
        Stroke::Key(_, State::Up) => return None,
        Stroke::Key(key, State::Down) => key,
    };
    Some(match key {
        minifb::Key::Escape => Key::Escape,
        minifb::Key::Enter | minifb::Key::NumPadEnter => Key::Enter,
        minifb::Key::Tab if shift == Shift::Held => Key::BackTab,
        minifb::Key::Tab => Key::Tab,
        minifb::Key::Up => Key::Up,
        minifb::Key::Down => Key::Down,
        minifb::Key::Left if shift == Shift::Held => Key::FarLeft,
        minifb::Key::Left => Key::Left,
        minifb::Key::Right if shift == Shift::Held => Key::FarRight,
        minifb::Key::Right => Key::Right,
        minifb::Key::Backspace => Key::Backspace,
        minifb::Key::F11 => Key::F11,
        _ => return None,
    })
}

/// The size in which a window opens for the first picture, if that has come yet.
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

/// What `minifb` could not do, and what would help.
fn explain(error: &str) -> ScreenError {
    let is_set = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let needs_display = cfg!(all(unix, not(target_os = "macos")));
    if needs_display && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        return ScreenError::NoDisplay;
    }
    let missing = |library, package| ScreenError::LibraryMissing { library, package };
    if error.contains("failed to load XCursor") {
        missing("libXcursor.so.1", "libxcursor1")
    } else if error.contains("failed to load Xlib") {
        missing("libX11.so.6", "libx11-6")
    } else {
        ScreenError::Window(error.to_owned())
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

    #[test]
    fn keys_that_type_are_what_they_type_and_others_what_stands_on_them() {
        let down = |key| Stroke::Key(key, State::Down);
        assert_eq!(key(Stroke::Character('ß'), Shift::Free), Some(Key::Character('ß')));
        assert_eq!(key(down(minifb::Key::Q), Shift::Free), None, "it types");
        assert_eq!(key(down(minifb::Key::Tab), Shift::Held), Some(Key::BackTab));
        assert_eq!(key(down(minifb::Key::Left), Shift::Held), Some(Key::FarLeft));
        assert_eq!(key(Stroke::Key(minifb::Key::Tab, State::Up), Shift::Free), None);
    }
}
