//! Finds the version of the protocol that two programs have in common.

/// The oldest version that this program speaks.
pub const MIN_VERSION: u8 = 1;

/// The newest version that this program speaks, and the one that it uses before the other side has
/// answered.
pub const VERSION: u8 = 1;

/// The newest version that both this program and a viewer of `min_version` to `max_version` speak.
///
/// # Errors
/// When there is none. The error says which side has to be updated.
pub fn common_version(min_version: u8, max_version: u8) -> Result<u8, NoCommonVersion> {
    let newest = max_version.min(VERSION);
    if newest < min_version.max(MIN_VERSION) {
        return Err(NoCommonVersion { min_version, max_version });
    }
    Ok(newest)
}

/// The viewer and this camera have no version in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the viewer speaks {}, this camera {} of the protocol: update the {}",
    range(*min_version, *max_version),
    range(MIN_VERSION, VERSION),
    if *max_version < MIN_VERSION { "viewer" } else { "camera" }
)]
pub struct NoCommonVersion {
    /// The oldest version that the viewer speaks.
    pub min_version: u8,
    /// The newest version that the viewer speaks.
    pub max_version: u8,
}

fn range(min_version: u8, max_version: u8) -> String {
    if min_version == max_version {
        format!("version {max_version}")
    } else {
        format!("versions {min_version} to {max_version}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_spoken() {
        assert_eq!(common_version(1, 1), Ok(1));
        assert_eq!(common_version(0, 255), Ok(VERSION));
    }

    #[test]
    fn without_one_the_error_says_who_must_update() {
        let text = common_version(2, 4).unwrap_err().to_string();
        let said = "the viewer speaks versions 2 to 4, this camera version 1 of the protocol: update the camera";
        assert_eq!(text, said);
        assert!(common_version(0, 0).unwrap_err().to_string().ends_with("update the viewer"));
        assert!(common_version(3, 1).is_err(), "an impossible range has nothing in common");
    }
}
