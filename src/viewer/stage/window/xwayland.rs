//! Keeps the window off GNOME's Wayland, which draws no title bar: there `minifb` has none to offer.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Starts this program again with XWayland as its only display, where that is better; does not
/// return then. To be called before anything is connected or opened.
///
/// # Errors
/// When it cannot be started again; Wayland's window works too, without its title bar.
pub fn prefer_on_gnome() -> io::Result<()> {
    let desktop = env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    let has = |variable| env::var_os(variable).is_some_and(|display| !display.is_empty());
    if !is_preferable(&desktop, has(WAYLAND), has("DISPLAY")) {
        return Ok(());
    }
    let mut again = Command::new(env::current_exe()?);
    let mut arguments = env::args_os();
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // A new program, since changing the environment of a running one is unsafe.
    Err(again.args(arguments).env_remove(WAYLAND).exec())
}

const WAYLAND: &str = "WAYLAND_DISPLAY";

fn is_preferable(desktop: &str, has_wayland: bool, has_x11: bool) -> bool {
    // A list, such as `ubuntu:GNOME`.
    let is_gnome = desktop.split(':').any(|name| name.eq_ignore_ascii_case("gnome"));
    is_gnome && has_wayland && has_x11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gnomes_wayland_with_an_x_display_beside_it_is_left() {
        assert!(is_preferable("ubuntu:GNOME", true, true));
        assert!(!is_preferable("KDE", true, true));
        assert!(!is_preferable("GNOME", false, true), "X11 already");
        assert!(!is_preferable("GNOME", true, false), "nothing to go to");
    }
}
