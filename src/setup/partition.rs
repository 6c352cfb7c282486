//! How the camera's own partition is. Pictures need nothing of it, so nobody would notice what it keeps no more.

use nix::sys::statvfs::{FsFlags, Statvfs, statvfs};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// With less, it is as good as full: a crash's last words are as long.
const LITTLE: u64 = 1 << 20;

/// What is wrong with the partition that is mounted there, and what to do.
pub(super) fn trouble(data: &Path) -> Option<&'static str> {
    let Ok(about) = statvfs(data) else { return Some(MISSING) };
    if about.flags().contains(FsFlags::ST_RDONLY) {
        return Some(if is_mounted(data) { READ_ONLY } else { MISSING });
    }
    (room(&about) < LITTLE || (about.files() > 0 && about.files_available() == 0)).then_some(FULL)
}

// Each fits on a line of the screen.
const MISSING: &str = "missing, so Wi-Fi passwords and SSH's key are not kept; pictures still work; \
                       write the card again, or use another";
const READ_ONLY: &str = "read-only, so Wi-Fi passwords and crash reasons are not kept; pictures still work; \
                         use another card";
const FULL: &str = "full, so Wi-Fi passwords and crash reasons are not kept; pictures still work; \
                    write the card again";

/// In bytes, for those who are not root too.
fn room(about: &Statvfs) -> u64 {
    // How long the kernel's numbers are depends on the machine.
    #[allow(clippy::useless_conversion)]
    u64::from(about.blocks_available()).saturating_mul(u64::from(about.fragment_size()))
}

/// Whether it is another file system than the folder around it.
fn is_mounted(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|about| about.dev()).ok();
    folder.parent().is_none_or(|parent| device(parent) != device(folder))
}
