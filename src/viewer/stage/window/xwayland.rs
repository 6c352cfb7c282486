//! Uses XWayland where it works better than Wayland: on GNOME, where `minifb` has no title bar, and for full screen.

use super::Opening;
use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Starts this program again with XWayland as its only display, if a window that opens like this needs it. Does not return
/// then. Call it before anything is connected or opened.
///
/// # Errors
/// When it cannot be started again. The Wayland window works too, without its title bar.
pub fn prefer_for(opening: Opening) -> io::Result<()> {
    let desktop = env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    let has = |variable| env::var_os(variable).is_some_and(|display| !display.is_empty());
    if !is_preferable(opening, &desktop, has(WAYLAND), has("DISPLAY")) {
        return Ok(());
    }
    let mut again = Command::new(env::current_exe()?);
    let mut arguments = env::args_os();
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // A new process, since changing the environment of a running one is unsafe.
    Err(again.args(arguments).env_remove(WAYLAND).exec())
}

const WAYLAND: &str = "WAYLAND_DISPLAY";

fn is_preferable(opening: Opening, desktop: &str, has_wayland: bool, has_x11: bool) -> bool {
    // The variable is a list, such as `ubuntu:GNOME`.
    let is_gnome = desktop.split(':').any(|name| name.eq_ignore_ascii_case("gnome"));
    (is_gnome || opening == Opening::FullScreen) && has_wayland && has_x11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wayland_is_left_on_gnome_and_for_full_screen_where_there_is_an_x_display_beside_it() {
        let prefers = |desktop, wayland, x11| is_preferable(Opening::Window, desktop, wayland, x11);
        assert!(prefers("ubuntu:GNOME", true, true));
        assert!(!prefers("KDE", true, true));
        assert!(!prefers("GNOME", false, true), "X11 already");
        assert!(!prefers("GNOME", true, false), "nothing to go to");
        assert!(is_preferable(Opening::FullScreen, "KDE", true, true));
        assert!(!is_preferable(Opening::FullScreen, "KDE", true, false));
    }
}
