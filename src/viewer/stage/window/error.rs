//! Why there is no window, and what would help.

/// Why a window cannot be opened, or is gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// There is no display.
    #[error(
        "no display found (DISPLAY and WAYLAND_DISPLAY are not set); use --headless to watch without a window"
    )]
    NoDisplay,
    /// A library that windows need is not installed.
    #[error("{library} is missing; install it ({package} on Debian), or use --headless")]
    LibraryMissing {
        /// The library's file.
        library: &'static str,
        /// Its Debian package.
        package: &'static str,
    },
    /// Opening or showing failed.
    #[error("cannot show a window: {0}; use --headless to watch without one")]
    Window(String),
}

impl WindowError {
    /// The error for a window that could not be opened, from `minifb`'s message.
    pub(super) fn of_opening(error: &str) -> Self {
        let is_set = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
        let needs_display = cfg!(all(unix, not(target_os = "macos")));
        if needs_display && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
            return Self::NoDisplay;
        }
        let missing = |library, package| Self::LibraryMissing { library, package };
        if error.contains("failed to load XCursor") {
            missing("libXcursor.so.1", "libxcursor1")
        } else if error.contains("failed to load Xlib") {
            missing("libX11.so.6", "libx11-6")
        } else {
            Self::Window(error.to_owned())
        }
    }
}
