//! Asks the X server for what `minifb` cannot do: every key and click, full screen, the window's position, the screen's
//! density.
//!
//! Uses a connection of its own. Without X there is none, and the window works without these.

#[cfg(all(unix, not(target_os = "macos")))]
mod clipboard;
#[cfg(all(unix, not(target_os = "macos")))]
mod keyboard;
#[cfg(not(all(unix, not(target_os = "macos"))))]
mod none;
#[cfg(all(unix, not(target_os = "macos")))]
mod replies;
#[cfg(all(unix, not(target_os = "macos")))]
mod x11;

#[cfg(not(all(unix, not(target_os = "macos"))))]
pub use none::Desktop;
#[cfg(all(unix, not(target_os = "macos")))]
pub use x11::Desktop;

/// What there is to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pasted {
    /// This text, as it was copied.
    Text(String),
    /// More than anybody would type here.
    TooLong,
    /// Nothing that is text.
    Nothing,
}
