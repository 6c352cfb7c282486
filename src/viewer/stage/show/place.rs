//! Full screen, the window's remembered position, and the screen saver.

use super::Show;
use crate::image::pixels::Size;
use crate::viewer::paint::badges::Mood;
use crate::viewer::watch::receiver::Protocol;
use std::time::{Duration, Instant};

impl Show {
    pub(super) fn toggle_full_screen(&mut self) {
        self.filling = None;
        self.note_place();
        let Some((window, desktop)) = self.window.id().zip(self.desktop.as_mut()) else {
            return self.say(Mood::Bad, NO_FULL_SCREEN.to_owned());
        };
        let is_full = desktop.is_full_screen(window).unwrap_or_default();
        if let Err(error) = desktop.fill_screen(window, !is_full) {
            self.say(Mood::Bad, format!("full screen failed: {error}"));
        }
    }

    /// Makes the new window fill the screen. A window manager may not know the window yet, so this is repeated until it
    /// worked.
    pub(super) fn fill_screen_at_first(&mut self, now: Instant) {
        let Some(until) = self.filling else { return };
        let Some((window, desktop)) = self.window.id().zip(self.desktop.as_mut()) else {
            self.filling = None;
            return self.say(Mood::Bad, NO_FULL_SCREEN.to_owned());
        };
        let is_done = desktop.is_full_screen(window).unwrap_or_default();
        if is_done || now > until || desktop.fill_screen(window, true).is_err() {
            self.filling = None;
        }
    }

    /// Holds the screen saver off while pictures move.
    pub(super) fn keep_awake(&mut self, now: Instant) {
        let since = self.moved.map(|moved| now.saturating_duration_since(moved));
        let is_moving = since.is_some_and(|since| since < STILL);
        if let Some(Err(error)) = self.desktop.as_mut().map(|desktop| desktop.stay_awake(is_moving))
        {
            log::debug!("cannot hold off the screen saver: {error}");
        }
    }

    pub(super) fn is_full_screen(&self) -> bool {
        let asked = self.window.id().zip(self.desktop.as_ref());
        asked.is_some_and(|(window, desktop)| desktop.is_full_screen(window).unwrap_or_default())
    }

    /// Notes the position and size of the window, unless it is full screen.
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
        if self.tiles.iter().any(|tile| tile.channel.arrival.is_some()) {
            let channels = self.tiles.iter().map(|tile| &tile.channel);
            self.memory.cameras = channels.clone().map(|channel| channel.camera.clone()).collect();
            self.memory.is_pickle =
                channels.clone().all(|channel| channel.protocol == Protocol::Pickle);
        }
        self.memory.save();
    }
}

/// How long to try to make a new window fill the screen.
pub(super) const FILLING: Duration = Duration::from_secs(2);

/// After this time without a new picture, the picture counts as standing still.
const STILL: Duration = Duration::from_secs(30);

const NO_FULL_SCREEN: &str = if cfg!(any(windows, target_os = "macos")) {
    "full screen does not work on this system yet; enlarge the window"
} else {
    "full screen does not work under Wayland yet; start lancam-view --fullscreen to use XWayland"
};

/// Whether a window at this position can be reached with the mouse.
pub(super) fn is_on(screen: Size, x: i32, y: i32) -> bool {
    let inside =
        |at: i32, side: usize| usize::try_from(at.saturating_add(REACH)).is_ok_and(|at| at < side);
    inside(x, screen.width) && inside(y, screen.height)
}

/// The least visible part of a title bar that can be dragged.
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
