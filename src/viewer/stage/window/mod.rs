//! A desktop window: the only file that names `minifb`.

pub mod desktop;
pub mod mouse;
#[cfg(unix)]
pub mod xwayland;

use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::viewer::presenter::ScreenError;
use crate::viewer::stage::input::{Input, Key, Point};
use crate::viewer::stage::layout::fit;
use minifb::{HasWindowHandle, InputCallback, MouseButton, MouseMode, ScaleMode, WindowOptions};
use mouse::{Button, Mouse};
use raw_window_handle::RawWindowHandle;
use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

/// An open window.
pub struct Window {
    window: minifb::Window,
    opened: Instant,
    keys: Receiver<Stroke>,
    keyboard: Keyboard,
    focus: Focus,
    mouse: Mouse,
    hearing: Hearing,
    /// What was done and not yet asked for.
    pending: VecDeque<Input>,
    title: String,
}

/// Whether keys and mouse are reported from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hearing {
    Here,
    /// Somebody else hears better.
    Elsewhere,
}

/// What `minifb` reports of the keyboard.
#[derive(Debug, Clone, Copy)]
enum Stroke {
    /// What a key types in the user's own layout.
    Character(char),
    Key(minifb::Key, Button),
}

/// The keys that are held.
#[derive(Debug, Default)]
struct Keyboard {
    down: Vec<minifb::Key>,
    /// Whether the last one was held already: what it types then, it types again.
    is_repeating: bool,
}

/// Whether keys come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Here,
    /// Or nobody says where.
    Elsewhere,
}

/// What the menu entry is called (cross/desktop/lancam-view.desktop).
pub(super) const PROGRAM: &str = "lancam-view";

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
        window.set_input_callback(Box::new(Reporter(sender)));
        Ok(Self {
            window,
            opened: Instant::now(),
            keys,
            keyboard: Keyboard::default(),
            focus: Focus::Elsewhere,
            mouse: Mouse::default(),
            hearing: Hearing::Here,
            pending: VecDeque::new(),
            title: title.to_owned(),
        })
    }

    /// How large it is, in pixels.
    pub fn size(&self) -> Size {
        let (width, height) = self.window.get_size();
        Size::new(width, height)
    }

    /// X's number of it; `None` where it is no window of X.
    pub fn id(&self) -> Option<u32> {
        match self.window.window_handle().ok()?.as_raw() {
            // A C long, which has 32 bits on some systems.
            #[allow(clippy::useless_conversion)]
            RawWindowHandle::Xlib(window) => u32::try_from(window.window).ok(),
            _ => None,
        }
    }

    /// Leaves keys and mouse to who hears each of them: here clicks are lost that end before the next look.
    pub fn leave_input_to_others(&mut self) {
        self.hearing = Hearing::Elsewhere;
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
        let strokes = self.keys.try_iter();
        if self.hearing == Hearing::Elsewhere {
            return strokes.for_each(drop);
        }
        for stroke in strokes {
            self.pending.extend(self.keyboard.hear(stroke));
        }
        let focus = if self.window.is_active() { Focus::Here } else { Focus::Elsewhere };
        if (self.focus, focus) == (Focus::Here, Focus::Elsewhere) {
            // Whoever leaves with Alt and another key lets go of it elsewhere.
            self.keyboard.down.clear();
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
struct Reporter(Sender<Stroke>);

impl InputCallback for Reporter {
    fn add_char(&mut self, code: u32) {
        if let Some(letter) = char::from_u32(code).filter(|letter| !letter.is_control()) {
            // Fails only while the window is being closed.
            let _ = self.0.send(Stroke::Character(letter));
        }
    }

    fn set_key_state(&mut self, key: minifb::Key, is_down: bool) {
        let state = if is_down { Button::Down } else { Button::Up };
        let _ = self.0.send(Stroke::Key(key, state));
    }
}

impl Keyboard {
    /// What a stroke means. On Wayland a key types before it is reported, elsewhere after that.
    fn hear(&mut self, stroke: Stroke) -> Option<Input> {
        let key = match stroke {
            Stroke::Character(_) if self.holds(&OF_THE_DESKTOP) => return None,
            Stroke::Character(letter) => Key::Character(on_us_keyboard(letter)),
            Stroke::Key(key, Button::Up) => {
                self.down.retain(|&down| down != key);
                self.is_repeating = false;
                return None;
            }
            Stroke::Key(key, Button::Down) => {
                self.is_repeating = self.down.contains(&key);
                if !self.is_repeating {
                    self.down.push(key);
                }
                named(key, self.holds(&SHIFT))?
            }
        };
        Some(if self.is_repeating { Input::Repeat(key) } else { Input::Key(key) })
    }

    fn holds(&self, keys: &[minifb::Key]) -> bool {
        self.down.iter().any(|down| keys.contains(down))
    }
}

const SHIFT: [minifb::Key; 2] = [minifb::Key::LeftShift, minifb::Key::RightShift];

/// With these, keys are the desktop's, or mean nothing here. The right Alt chooses letters on many keyboards.
const OF_THE_DESKTOP: [minifb::Key; 5] = [
    minifb::Key::LeftCtrl,
    minifb::Key::RightCtrl,
    minifb::Key::LeftAlt,
    minifb::Key::LeftSuper,
    minifb::Key::RightSuper,
];

/// The letters of keyboards that have no Latin ones, by their places on a US keyboard, since `minifb` tells no places.
const US: &str = "qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const OTHERS: [&str; 5] = [
    "йцукенгшщзхъфывапролджэячсмитьбю",
    // Where Ukrainian has others.
    "йцукенгшщзхїфівапролджєячсмитьбю",
    "\0ςερτυθιοπ\0\0ασδφγηξκλ\0\0ζχψωβνμ\0\0",
    "\0\0קראטוןםפ\0\0שדגכעיחלךף\0זסבהנמצתץ",
    "ضصثقفغعهخحجدشسيبلاتنمكطئءؤر\0ىةوز",
];

/// A letter of another script as what stands there on a US keyboard; all else as it is.
fn on_us_keyboard(letter: char) -> char {
    if letter.is_ascii() {
        return letter;
    }
    let small = letter.to_lowercase().next().unwrap_or(letter);
    let at = OTHERS.into_iter().find_map(|row| row.chars().position(|other| other == small));
    match at.and_then(|at| US.chars().nth(at)) {
        Some(us) if small != letter => us.to_ascii_uppercase(),
        Some(us) => us,
        None => letter,
    }
}

/// Keys that type nothing; all others are what they type.
fn named(key: minifb::Key, is_shifted: bool) -> Option<Key> {
    Some(match key {
        minifb::Key::Escape => Key::Escape,
        minifb::Key::Enter | minifb::Key::NumPadEnter => Key::Enter,
        minifb::Key::Tab if is_shifted => Key::BackTab,
        minifb::Key::Tab => Key::Tab,
        minifb::Key::Up => Key::Up,
        minifb::Key::Down => Key::Down,
        minifb::Key::Left if is_shifted => Key::FarLeft,
        minifb::Key::Left => Key::Left,
        minifb::Key::Right if is_shifted => Key::FarRight,
        minifb::Key::Right => Key::Right,
        minifb::Key::Backspace => Key::Backspace,
        minifb::Key::F1 => Key::F1,
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

    /// What comes of keys that are pressed one after the other.
    fn heard(strokes: &[Stroke]) -> Vec<Input> {
        let mut keyboard = Keyboard::default();
        strokes.iter().filter_map(|stroke| keyboard.hear(*stroke)).collect()
    }

    const DOWN: Button = Button::Down;
    const UP: Button = Button::Up;

    #[test]
    fn keys_that_type_are_what_they_type_and_others_what_stands_on_them() {
        use minifb::Key as Of;
        let key = |key: Of| heard(&[Stroke::Key(Of::LeftShift, DOWN), Stroke::Key(key, DOWN)]);
        assert_eq!(heard(&[Stroke::Character('ß')]), [Input::Key(Key::Character('ß'))]);
        assert_eq!(key(Of::Q), [], "it types");
        assert_eq!(key(Of::Tab), [Input::Key(Key::BackTab)]);
        assert_eq!(key(Of::Left), [Input::Key(Key::FarLeft)]);
        assert_eq!(heard(&[Stroke::Key(Of::Tab, UP)]), []);
        for (typed, us) in
            ["йЙыї", "ςΣ", "שק", "ضش", "é"].iter().zip(["qQs]", "wS", "ae", "qa", "é"])
        {
            assert_eq!(typed.chars().map(on_us_keyboard).collect::<String>(), us);
        }
        for row in OTHERS {
            assert!(row.chars().count() <= US.chars().count(), "{row}");
        }
    }

    #[test]
    fn a_key_that_is_held_repeats_itself_and_with_ctrl_it_is_not_the_viewers() {
        use minifb::Key as Of;
        let (r, typed) = (Stroke::Key(Of::R, DOWN), Stroke::Character('r'));
        let key = Key::Character('r');
        let (once, again) = (Input::Key(key), Input::Repeat(key));
        assert_eq!(heard(&[r, typed, r, typed, r, typed]), [once, again, again]);
        let up = Stroke::Key(Of::R, UP);
        assert_eq!(heard(&[r, typed, up, r, typed]), [once, once]);
        assert_eq!(heard(&[typed, r, up, typed, r]), [once, once], "as Wayland has it");
        for modifier in OF_THE_DESKTOP {
            let (down, up) = (Stroke::Key(modifier, DOWN), Stroke::Key(modifier, UP));
            assert_eq!(heard(&[down, r, typed]), [], "{modifier:?}");
            assert_eq!(heard(&[down, up, r, typed]), [once], "{modifier:?}");
        }
        assert_eq!(heard(&[Stroke::Key(Of::RightAlt, DOWN), Stroke::Character('[')]).len(), 1);
    }
}
