//! What everybody on the LAN is told to type on the camera's machine, to see the code or to make a key.

use super::folder::OF_ROOT;
use super::service::{of_service, sudo};
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

/// `lancam pair` for one camera. Strangers read it, so it does not name the state folder, whose path may have a user's name in
/// it: the owner knows that folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairCommand(&'static str);

impl PairCommand {
    /// That of the service.
    pub const OF_SERVICE: Self = Self("sudo lancam pair");

    /// For the camera whose `--state` is this.
    pub fn of(given: Option<&Path>) -> Self {
        let place = given.map(PathBuf::from).or_else(|| of_service(|name| env::var_os(name)));
        Self::with(place.as_deref(), sudo())
    }

    fn with(place: Option<&Path>, sudo: &str) -> Self {
        let is_found = place.is_none_or(|place| is_found_by(sudo, place));
        Self(match (sudo, is_found) {
            ("", true) => "lancam pair",
            ("", false) => "lancam pair --state DIR",
            (_, true) => return Self::OF_SERVICE,
            (_, false) => "sudo lancam pair --state DIR",
        })
    }
}

impl Default for PairCommand {
    fn default() -> Self {
        Self::OF_SERVICE
    }
}

impl fmt::Display for PairCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether `lancam pair` behind this word uses this folder without being told.
pub fn is_found_by(sudo: &str, place: &Path) -> bool {
    place == Path::new(OF_ROOT) && !sudo.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_are_told_is_for_the_right_camera_and_names_no_folder() {
        let of_anna = Some(Path::new("/home/anna/door"));
        for (place, sudo, typed) in [
            (None, "", "lancam pair"),
            (None, "sudo ", "sudo lancam pair"),
            (Some(Path::new(OF_ROOT)), "sudo ", "sudo lancam pair"),
            (Some(Path::new(OF_ROOT)), "", "lancam pair --state DIR"),
            (Some(Path::new("/var/lib/lancam2")), "sudo ", "sudo lancam pair --state DIR"),
            (of_anna, "", "lancam pair --state DIR"),
        ] {
            assert_eq!(PairCommand::with(place, sudo).to_string(), typed, "{place:?}");
        }
        let usual = PairCommand::with(Some(Path::new(OF_ROOT)), "sudo ");
        assert_eq!(PairCommand::default(), usual);
    }
}
