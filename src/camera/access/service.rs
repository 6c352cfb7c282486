//! Whether lancam runs as a service: where its state folder is, that others need sudo there, and how its options are changed.

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
    if geteuid().is_root() || is_service() { "sudo " } else { "" }
}

/// Whether the service manager started this program.
pub fn is_service() -> bool {
    of_service(|name| std::env::var_os(name)).is_some()
}

/// How to add a value to an option that is a list. A service reads its options from the file: beside it, a command with the
/// option would find its ports taken.
pub fn to_add(option: &str, value: &str, is_service: bool) -> String {
    match is_service {
        true => format!(
            "write {option} = [\"{value}\"] into this camera's configuration file, and restart the camera"
        ),
        false => format!("start lancam with --{option} {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_added_where_lancam_reads_it() {
        let by_hand = to_add("allow", "10.8.0.2", false);
        assert_eq!(by_hand, "start lancam with --allow 10.8.0.2");
        let service = to_add("allow", "10.8.0.2", true);
        assert_eq!(
            service,
            "write allow = [\"10.8.0.2\"] into this camera's configuration file, and restart the camera"
        );
    }
}
