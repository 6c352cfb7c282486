//! Messages about a camera's node that could not be opened: why, and what to do.

use crate::holders::holders_of;
use crate::source::{SourceError, Trouble};
use crate::wording::shell_path;
use nix::errno::Errno;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A node could not be opened.
pub(super) fn not_opened(path: &Path, errno: Errno) -> SourceError {
    let node = path.display();
    match errno {
        Errno::ENOENT | Errno::ENOTDIR => {
            SourceError::new(Trouble::NoCamera, format!("there is no camera {node}"))
        }
        Errno::ENODEV | Errno::ENXIO => SourceError::new(
            Trouble::NoCamera,
            format!("camera {node} does not answer: unplug it and plug it in again"),
        ),
        Errno::EACCES | Errno::EPERM => denied(path),
        Errno::EBUSY => busy(path),
        Errno::ENOTTY => {
            SourceError::new(Trouble::Unusable, format!("{node} is not a video device"))
        }
        _ => {
            SourceError::new(Trouble::Lost, format!("cannot open camera {node}: {}", errno.desc()))
        }
    }
}

/// This user may not open it.
fn denied(path: &Path) -> SourceError {
    let group = fs::metadata(path).map(|file| file.gid()).ok();
    let runner = match std::env::var_os("NOTIFY_SOCKET") {
        Some(_) => Runner::Manager,
        None => Runner::Person,
    };
    SourceError::new(Trouble::Denied, closed_door(path, group, runner))
}

/// Who started this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    /// A person with a shell.
    Person,
    /// systemd, as a user that exists only for this service, with a list of devices that may be
    /// opened.
    Manager,
}

/// The number shown for a group that has none in this user namespace. In lancam.service, that is
/// every group.
const OVERFLOW: u32 = 65534;

/// Why a node could not be opened, and what to do.
fn closed_door(path: &Path, group: Option<u32>, runner: Runner) -> String {
    let (typed, path) = (shell_path(path), path.display());
    let name = group.filter(|id| *id != OVERFLOW).and_then(group_name);
    if runner == Runner::Manager || group == Some(OVERFLOW) {
        let groups = name.map_or_else(
            || format!("SupplementaryGroups=GROUP, with the group that `ls -lL {typed}` shows"),
            |name| format!("SupplementaryGroups={name}"),
        );
        return format!(
            "this service may not open camera {path}; run `sudo systemctl edit lancam` and write below [Service]: \
             `DeviceAllow={path} rw` and {groups}"
        );
    }
    let group = name.filter(|group| group != "root").unwrap_or_else(|| "video".into());
    format!(
        "this user may not open camera {path}; run `sudo usermod -aG {group} $USER` and log in again"
    )
}

fn group_name(id: u32) -> Option<String> {
    // name:password:id:members
    let groups = fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

/// Another program uses the camera.
pub(super) fn busy(path: &Path) -> SourceError {
    let node = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let holders: Vec<String> =
        holders_of(Path::new("/proc"), &[node]).iter().map(ToString::to_string).collect();
    let (typed, path) = (shell_path(path), path.display());
    SourceError::new(
        Trouble::Busy,
        if holders.is_empty() {
            format!("another program uses camera {path} (`sudo fuser -v {typed}` shows which)")
        } else {
            format!(
                "camera {path} is in use by {}. Stop that program, or choose another camera with --source",
                holders.join(", ")
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_about_a_busy_camera_takes_its_path_in_one_piece() {
        let said = busy(Path::new("/nowhere/my camera")).message;
        assert!(said.contains("`sudo fuser -v '/nowhere/my camera'` shows which"), "{said}");
    }

    #[test]
    fn a_closed_door_names_the_group_that_opens_it() {
        let error = not_opened(Path::new("/dev/null/x"), Errno::EACCES);
        assert_eq!(error.trouble, Trouble::Denied);
        assert!(error.message.contains("usermod -aG video $USER"), "{error}");
        assert_eq!(group_name(0).as_deref(), Some("root"));
        let door = |group, runner| closed_door(Path::new("/dev/video7"), Some(group), runner);
        assert!(door(0, Runner::Person).contains("usermod -aG video $USER"));
        let told = door(0, Runner::Manager);
        assert!(
            told.contains("systemctl edit lancam") && told.contains("SupplementaryGroups=root"),
            "{told}"
        );
        // The sandbox shows every group as `nogroup`; membership in that would not help.
        for runner in [Runner::Person, Runner::Manager] {
            let told = door(OVERFLOW, runner);
            assert!(!told.contains("usermod") && !told.contains("nogroup"), "{told}");
            assert!(told.contains("the group that `ls -lL /dev/video7` shows"), "{told}");
        }
    }
}
