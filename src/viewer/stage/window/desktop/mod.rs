//! Asks the X server itself for what `minifb` cannot do: every key and click, full screen, where the window is, how dense the
//! screen is.
//!
//! A connection of its own; on a system or a desktop without X there is none, and the window is an ordinary one.

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
