//! Checks the camera's own partition. Pictures do not need it, so without a check nobody would notice that it keeps nothing.

use nix::sys::statvfs::{FsFlags, Statvfs, statvfs};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// With less free space the partition counts as full. The report of a crash is about as long.
const LITTLE: u64 = 1 << 20;

/// What is wrong with the partition mounted at `data`, and what to do.
pub(super) fn trouble(data: &Path) -> Option<&'static str> {
    let Ok(about) = statvfs(data) else { return Some(MISSING) };
    if about.flags().contains(FsFlags::ST_RDONLY) {
        return Some(if is_mounted(data) { READ_ONLY } else { MISSING });
    }
    (room(&about) < LITTLE || (about.files() > 0 && about.files_available() == 0)).then_some(FULL)
}

// Each message fits on one line of the screen.
const MISSING: &str = "missing, so each start has a new code, and no keys or passwords are kept; \
                       write the card again, or use another";
const READ_ONLY: &str = "read-only, so no new keys or Wi-Fi passwords are kept; old keys still work; \
                         use another card";
const FULL: &str = "full, so no new keys or Wi-Fi passwords are kept; old keys still work; \
                    write the card again";

/// The free bytes for processes without root's reserve.
fn room(about: &Statvfs) -> u64 {
    // The width of the kernel's numbers depends on the architecture.
    #[allow(clippy::useless_conversion)]
    u64::from(about.blocks_available()).saturating_mul(u64::from(about.fragment_size()))
}

/// Whether it is on another file system than its parent folder.
fn is_mounted(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|about| about.dev()).ok();
    folder.parent().is_none_or(|parent| device(parent) != device(folder))
}
