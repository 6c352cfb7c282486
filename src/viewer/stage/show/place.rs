//! Where the window is: full screen and back, and its place in memory.

use super::Show;
use crate::image::pixels::Size;
use crate::viewer::paint::badges::Mood;
use crate::viewer::stage::tile::Tile;
use crate::viewer::watch::receiver::Protocol;

impl Show {
    pub(super) fn toggle_full_screen(&mut self) {
        self.note_place();
        let Some((window, desktop)) = self.window.id().zip(self.desktop.as_mut()) else {
            let text = if cfg!(any(windows, target_os = "macos")) {
                "full screen is not to be had on this system yet: enlarge the window"
            } else {
                "full screen needs a window of X: WAYLAND_DISPLAY= lancam-view"
            };
            return self.say(Mood::Bad, text.to_owned());
        };
        let is_full = desktop.is_full_screen(window).unwrap_or_default();
        if let Err(error) = desktop.fill_screen(window, !is_full) {
            self.say(Mood::Bad, format!("no full screen: {error}"));
        }
    }

    pub(super) fn is_full_screen(&self) -> bool {
        let asked = self.window.id().zip(self.desktop.as_ref());
        asked.is_some_and(|(window, desktop)| desktop.is_full_screen(window).unwrap_or_default())
    }

    /// Where and how large the window is, unless it fills the screen.
    fn note_place(&mut self) {
        if self.is_full_screen() {
            return;
        }
        self.memory.size = Some(self.window.size());
        if let Some((window, desktop)) = self.window.id().zip(self.desktop.as_mut()) {
            self.memory.place = desktop.place(window).ok().or(self.memory.place);
        }
    }

    pub(super) fn remember(&mut self) {
        self.note_place();
        if let [Tile { channel: only, .. }] = self.tiles.as_slice()
            && only.arrival.is_some()
        {
            self.memory.camera = Some(only.camera.clone());
            self.memory.is_pickle = only.protocol == Protocol::Pickle;
        }
        self.memory.save();
    }
}

/// Whether a window there can be reached with the mouse.
pub(super) fn is_on(screen: Size, x: i32, y: i32) -> bool {
    let inside =
        |at: i32, side: usize| usize::try_from(at.saturating_add(REACH)).is_ok_and(|at| at < side);
    inside(x, screen.width) && inside(y, screen.height)
}

/// So much of a title bar can still be held.
const REACH: i32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_put_only_where_it_can_be_reached() {
        let screen = Size::new(1920, 1080);
        for (x, y) in [(0, 0), (-40, -40), (1879, 1039)] {
            assert!(is_on(screen, x, y), "{x} {y}");
        }
        for (x, y) in [(-41, 0), (1880, 0), (0, 1040), (i32::MAX, 0), (0, i32::MIN)] {
            assert!(!is_on(screen, x, y), "{x} {y}");
        }
    }
}
