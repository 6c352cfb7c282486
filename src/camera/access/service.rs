//! Whether a service or root keeps the state folder: where that is, and that others need sudo there.

use nix::unistd::geteuid;
use std::ffi::OsString;
use std::path::PathBuf;

/// The folder that the service manager has made for this unit. A unit with several gets them in one text, and means the first.
pub fn of_service(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folders = variable("STATE_DIRECTORY")?.into_string().ok()?;
    let first = folders.split(':').next().filter(|first| !first.is_empty())?;
    Some(first.into())
}

/// Begins what to type about the folder: root's, and that of a service, cannot be entered by the user who reads the message.
pub fn sudo() -> &'static str {
    let is_service = of_service(|name| std::env::var_os(name)).is_some();
    if geteuid().is_root() || is_service { "sudo " } else { "" }
}
