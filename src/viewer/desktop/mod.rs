//! Asks the X server itself for what `minifb` cannot do: full screen, where the window is, how dense the screen is.
//!
//! A connection of its own, in X's own protocol (version 11), with a handful of requests; on a system or a desktop
//! without X there is none, and the window is an ordinary one.

mod authority;
mod requests;

use crate::image::pixels::Size;
use requests::{Connection, Geometry};
use std::io;

/// The desktop that the window is on.
#[derive(Debug)]
pub struct Desktop {
    connection: Connection,
    /// Where the window was before it filled the screen, where no window manager keeps that.
    before: Option<Geometry>,
}

/// An ordinary screen has so many dots in an inch, or is taken to.
const USUAL_DPI: f32 = 96.0;

/// `_NET_WM_STATE` toggles the state that is named (EWMH).
const TOGGLE: u32 = 2;
/// It comes from an ordinary program.
const APPLICATION: u32 = 1;

impl Desktop {
    /// Connects to the display that the environment names.
    ///
    /// # Errors
    /// When there is none, or it lets nobody in.
    pub fn connect() -> io::Result<Self> {
        Ok(Self { connection: Connection::open()?, before: None })
    }

    /// The size of the screen, all monitors together.
    pub fn screen(&self) -> Size {
        self.connection.screen()
    }

    /// Pixels for one of an ordinary screen, as the desktop's settings have it.
    pub fn density(&mut self) -> f32 {
        let resources = self.connection.root_text("RESOURCE_MANAGER").unwrap_or_default();
        (dpi(&resources).unwrap_or(USUAL_DPI) / USUAL_DPI).clamp(0.5, 8.0)
    }

    /// Says which program the window belongs to, so that the desktop finds its icon.
    ///
    /// # Errors
    /// When there is no such window any more.
    pub fn introduce(&mut self, window: u32, program: &str) -> io::Result<()> {
        // Its instance and its class (ICCCM, 4.1.2.5).
        self.connection.set_text(window, "WM_CLASS", &format!("{program}\0{program}\0"))
    }

    /// Where the upper left corner of the window's frame is.
    ///
    /// # Errors
    /// When there is no such window any more.
    pub fn place(&mut self, window: u32) -> io::Result<(i32, i32)> {
        let (x, y) = self.connection.place(window)?;
        // Left, right, top, bottom of what the window manager has put around it.
        let frame = self.connection.words(window, "_NET_FRAME_EXTENTS").unwrap_or_default();
        let side = |index: usize| {
            frame.get(index).and_then(|&side| i32::try_from(side).ok()).unwrap_or_default()
        };
        Ok((x.saturating_sub(side(0)), y.saturating_sub(side(2))))
    }

    /// Lets the window fill its monitor, or takes it back.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn toggle_full_screen(&mut self, window: u32) -> io::Result<()> {
        let full = self.connection.atom("_NET_WM_STATE_FULLSCREEN")?;
        let root = self.connection.root();
        let supported = self.connection.words(root, "_NET_SUPPORTED").unwrap_or_default();
        if supported.contains(&full) {
            let state = self.connection.atom("_NET_WM_STATE")?;
            return self.connection.tell_manager(window, state, [TOGGLE, full, 0, APPLICATION, 0]);
        }
        // Nobody manages windows here: it is moved by its own hand.
        let wanted = match self.before.take() {
            Some(before) => before,
            None => {
                self.before = Some(self.connection.geometry(window)?);
                Geometry { x: 0, y: 0, size: self.connection.screen() }
            }
        };
        self.connection.configure(window, wanted)
    }
}

/// The `Xft.dpi` of X's resources.
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
