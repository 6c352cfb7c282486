//! The desktop of an X server. Only this folder names `x11rb`.

use super::Pasted;
use super::clipboard::Clipboard;
use super::keyboard::Keyboard;
use super::replies::{answer, done};
use crate::image::pixels::Size;
use crate::viewer::stage::input::{Input, Point};
use crate::viewer::stage::window::icon;
use crate::viewer::stage::window::mouse::Mouse;
use std::io;
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::screensaver::ConnectionExt as _;
use x11rb::protocol::xproto::{
    self, AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux,
    ConnectionExt as _, CreateWindowAux, EventMask, PropMode, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// The desktop that the window is on.
#[derive(Debug)]
pub struct Desktop {
    connection: RustConnection,
    screen: usize,
    /// The window's position before it filled the screen, if there is no window manager to remember it.
    before: Option<ConfigureWindowAux>,
    keyboard: Option<Keyboard>,
    mouse: Mouse,
    /// Our own invisible window, which gets the buttons and the clipboard's text.
    unseen: Option<u32>,
    clipboard: Clipboard,
    /// Whether the screen saver is held off.
    is_awake: bool,
}

/// The density of an ordinary screen, in dots per inch.
const USUAL_DPI: f32 = 96.0;

/// Actions for `_NET_WM_STATE` (EWMH): remove or add a state ...
const REMOVE: u32 = 0;
const ADD: u32 = 1;
/// ... at the request of an application.
const APPLICATION: u32 = 1;

/// The most words read of a property.
const MAX_WORDS: u32 = 16 << 10;

/// Larger than any window.
const EVERYWHERE: u16 = 32_767;

const FIRST_BUTTON: u8 = 1;
const SECOND_BUTTON: u8 = 3;
const WHEEL_AWAY: u8 = 4;
const WHEEL_TOWARDS: u8 = 5;

impl Desktop {
    /// Connects to the display in the environment.
    ///
    /// # Errors
    /// When there is none, or it refuses the connection.
    pub fn connect() -> io::Result<Self> {
        let (connection, screen) = RustConnection::connect(None).map_err(io::Error::other)?;
        Ok(Self {
            connection,
            screen,
            before: None,
            keyboard: None,
            mouse: Mouse::default(),
            unseen: None,
            clipboard: Clipboard::default(),
            is_awake: false,
        })
    }

    /// The size of the screen, all monitors together.
    pub fn screen(&self) -> Size {
        let root = self.root();
        Size::new(root.width_in_pixels.into(), root.height_in_pixels.into())
    }

    /// Pixels per pixel of an ordinary screen, by the desktop's settings.
    pub fn density(&self) -> f32 {
        let resources = self.text(self.root().root, "RESOURCE_MANAGER").unwrap_or_default();
        (dpi(&resources).unwrap_or(USUAL_DPI) / USUAL_DPI).clamp(0.5, 8.0)
    }

    /// Sets the window's class, by which the desktop finds its menu entry, and its icon.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn introduce(&self, window: u32, program: &str) -> io::Result<()> {
        // Instance and class (ICCCM, 4.1.2.5).
        let class = format!("{program}\0{program}\0");
        let (name, kind) = (AtomEnum::WM_CLASS, AtomEnum::STRING);
        let sent = self.connection.change_property8(
            PropMode::REPLACE,
            window,
            name,
            kind,
            class.as_bytes(),
        );
        done(sent)?;
        let (icon, kind) = (self.atom("_NET_WM_ICON")?, AtomEnum::CARDINAL);
        let words = icon::words();
        done(self.connection.change_property32(PropMode::REPLACE, window, icon, kind, &words))
    }

    /// Suspends the screen saver and the screen's sleep, or resumes them.
    ///
    /// # Errors
    /// When the server has no MIT-SCREEN-SAVER extension. It is asked again only when `is_to_stay` changes.
    pub fn stay_awake(&mut self, is_to_stay: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.is_awake, is_to_stay) == is_to_stay {
            return Ok(());
        }
        answer(self.connection.screensaver_query_version(1, 1))?;
        done(self.connection.screensaver_suspend(is_to_stay.into()))
    }

    /// From now on [`next_input`](Self::next_input) reports keys and mouse in this window: each press and release, in order,
    /// however fast they follow each other.
    ///
    /// # Errors
    /// When there is no such window, or X has no keyboard extension.
    pub fn listen(&mut self, window: u32) -> io::Result<()> {
        let keyboard = Keyboard::read(&self.connection)?;
        // Several programs may receive a window's keys ...
        let keys = EventMask::KEY_PRESS | EventMask::KEY_RELEASE | EventMask::FOCUS_CHANGE;
        let heard = ChangeWindowAttributesAux::new().event_mask(keys);
        done(self.connection.change_window_attributes(window, &heard))?;
        // ... but only one its buttons, and that is `minifb`. So an invisible window inside it receives them.
        let buttons =
            EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE | EventMask::POINTER_MOTION;
        let unseen = self.connection.generate_id().map_err(io::Error::other)?;
        let sent = self.connection.create_window(
            0,
            unseen,
            window,
            0,
            0,
            EVERYWHERE,
            EVERYWHERE,
            0,
            WindowClass::INPUT_ONLY,
            x11rb::COPY_FROM_PARENT,
            &CreateWindowAux::new().event_mask(buttons),
        );
        done(sent)?;
        done(self.connection.map_window(unseen))?;
        (self.keyboard, self.unseen) = (Some(keyboard), Some(unseen));
        Ok(())
    }

    /// Asks for the clipboard's text. [`pasted`](Self::pasted) returns it once it has arrived.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn ask_for_paste(&mut self) -> io::Result<()> {
        match self.unseen {
            Some(window) => self.clipboard.ask(&self.connection, window),
            // Without a window of our own there are no keys either.
            None => Ok(()),
        }
    }

    /// The answer to [`ask_for_paste`](Self::ask_for_paste), once.
    pub fn pasted(&mut self) -> Option<Pasted> {
        self.clipboard.take()
    }

    /// What was done next and not yet returned here. Never waits.
    pub fn next_input(&mut self) -> Option<Input> {
        while let Ok(Some(event)) = self.connection.poll_for_event() {
            if let Some(input) = self.hear(&event) {
                return Some(input);
            }
        }
        None
    }

    fn hear(&mut self, event: &Event) -> Option<Input> {
        let at = |x: i16, y: i16| Point { x: x.into(), y: y.into() };
        match event {
            Event::KeyPress(key) => {
                let keyboard = self.keyboard.as_mut()?;
                keyboard.press(&self.connection, key.detail, key.state.into())
            }
            Event::KeyRelease(key) => {
                self.keyboard.as_mut()?.release(key.detail);
                None
            }
            Event::FocusOut(_) => {
                self.keyboard.as_mut()?.release_all();
                None
            }
            Event::MappingNotify(_) => {
                self.keyboard.as_mut()?.forget();
                None
            }
            Event::SelectionNotify(copied) => {
                self.clipboard.hear(&self.connection, copied);
                None
            }
            Event::MotionNotify(motion) => self.mouse.go(at(motion.event_x, motion.event_y)),
            Event::ButtonPress(button) => {
                let (at, when) = (at(button.event_x, button.event_y), button.time);
                match button.detail {
                    FIRST_BUTTON => Some(self.mouse.press(at, Duration::from_millis(when.into()))),
                    SECOND_BUTTON => Some(Input::Menu(at)),
                    WHEEL_AWAY => Some(Input::Wheel { at, steps: 1.0 }),
                    WHEEL_TOWARDS => Some(Input::Wheel { at, steps: -1.0 }),
                    _ => None,
                }
            }
            Event::ButtonRelease(button) if button.detail == FIRST_BUTTON => {
                Some(self.mouse.release(at(button.event_x, button.event_y)))
            }
            _ => None,
        }
    }

    /// The position of the upper left corner of the window's frame.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn place(&self, window: u32) -> io::Result<(i32, i32)> {
        let asked = self.connection.translate_coordinates(window, self.root().root, 0, 0);
        let corner = answer(asked)?;
        // The widths of the window manager's frame: left, right, top, bottom.
        let frame = self.words(window, "_NET_FRAME_EXTENTS", AtomEnum::CARDINAL.into());
        let frame = frame.unwrap_or_default();
        let side = |index: usize| {
            frame.get(index).and_then(|&side| i32::try_from(side).ok()).unwrap_or_default()
        };
        let (x, y) = (i32::from(corner.dst_x), i32::from(corner.dst_y));
        Ok((x.saturating_sub(side(0)), y.saturating_sub(side(2))))
    }

    /// Whether the window fills its monitor, by whatever cause.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn is_full_screen(&self, window: u32) -> io::Result<bool> {
        let full = self.atom("_NET_WM_STATE_FULLSCREEN")?;
        let states = self.words(window, "_NET_WM_STATE", AtomEnum::ATOM.into())?;
        Ok(self.before.is_some() || states.contains(&full))
    }

    /// Makes the window fill its monitor, or undoes it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn fill_screen(&mut self, window: u32, is_to_fill: bool) -> io::Result<()> {
        let full = self.atom("_NET_WM_STATE_FULLSCREEN")?;
        let root = self.root().root;
        let supported = self.words(root, "_NET_SUPPORTED", AtomEnum::ATOM.into());
        if supported.unwrap_or_default().contains(&full) {
            let state = self.atom("_NET_WM_STATE")?;
            let data = [if is_to_fill { ADD } else { REMOVE }, full, 0, APPLICATION, 0];
            let message = ClientMessageEvent::new(32, window, state, data);
            let managers = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
            return done(self.connection.send_event(false, root, managers, message));
        }
        // There is no window manager: move the window directly.
        let wanted = match (self.before.take(), is_to_fill) {
            (Some(before), false) => before,
            (None, false) => return Ok(()),
            (before @ Some(_), true) => {
                self.before = before;
                return Ok(());
            }
            (None, true) => {
                let now = answer(self.connection.get_geometry(window))?;
                let before = ConfigureWindowAux::new().x(i32::from(now.x)).y(i32::from(now.y));
                self.before =
                    Some(before.width(u32::from(now.width)).height(u32::from(now.height)));
                let screen = self.root();
                let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
                ConfigureWindowAux::new()
                    .x(0)
                    .y(0)
                    .width(u32::from(width))
                    .height(u32::from(height))
            }
        };
        done(self.connection.configure_window(window, &wanted))
    }

    fn root(&self) -> &xproto::Screen {
        &self.connection.setup().roots[self.screen]
    }

    fn atom(&self, name: &str) -> io::Result<u32> {
        Ok(answer(self.connection.intern_atom(false, name.as_bytes()))?.atom)
    }

    /// Reads a property of a window as numbers.
    fn words(&self, window: u32, name: &str, kind: u32) -> io::Result<Vec<u32>> {
        let name = self.atom(name)?;
        let asked = self.connection.get_property(false, window, name, kind, 0, MAX_WORDS);
        Ok(answer(asked)?.value32().map(Iterator::collect).unwrap_or_default())
    }

    /// Reads a property of a window as text.
    fn text(&self, window: u32, name: &str) -> io::Result<String> {
        let (name, kind) = (self.atom(name)?, AtomEnum::STRING);
        let asked = self.connection.get_property(false, window, name, kind, 0, MAX_WORDS);
        Ok(String::from_utf8_lossy(&answer(asked)?.value).into_owned())
    }
}

/// The `Xft.dpi` in X's resources.
fn dpi(resources: &str) -> Option<f32> {
    let value = resources.lines().find_map(|line| line.strip_prefix("Xft.dpi:"))?;
    value.trim().parse().ok().filter(|dpi| (24.0..=1200.0).contains(dpi))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_density_is_among_the_resources() {
        assert_eq!(dpi("Xcursor.size:\t24\nXft.dpi:\t192\nXft.rgba:\tnone\n"), Some(192.0));
        for none in ["", "Xft.dpi:\tmany", "Xft.dpi: 0", "Xft.dpi: NaN", "xXft.dpi: 96"] {
            assert_eq!(dpi(none), None, "{none}");
        }
    }
}
