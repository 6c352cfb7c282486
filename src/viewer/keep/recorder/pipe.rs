//! Opens pipes and writes into them without blocking (on Unix).

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How often to look for a reader, and for the end of the recording.
pub(super) const LOOK: Duration = Duration::from_millis(100);

#[cfg(unix)]
pub(in crate::viewer) use unix::open;
#[cfg(unix)]
pub(super) use unix::{is_disk, wait_for_room};

#[cfg(unix)]
mod unix {
    use super::{File, LOOK, Metadata, Path, io};
    use nix::errno::Errno;
    use nix::fcntl::OFlag;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::fs::OpenOptions;
    use std::os::fd::AsFd;
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

    /// Opens a pipe or a device for writing. `None` while no program reads the pipe (fifo(7)).
    pub(in crate::viewer) fn open(path: &Path) -> io::Result<Option<File>> {
        let flags = OFlag::O_NONBLOCK.bits();
        match OpenOptions::new().write(true).custom_flags(flags).open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.raw_os_error() == Some(Errno::ENXIO as i32) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the path is a disk or a partition.
    pub(in crate::viewer::keep::recorder) fn is_disk(there: &Metadata) -> bool {
        there.file_type().is_block_device()
    }

    /// Waits until the pipe has room, at most for [`LOOK`].
    pub(in crate::viewer::keep::recorder) fn wait_for_room(pipe: &File) {
        let mut pipes = [PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)];
        let timeout = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO);
        // The next write reports any error.
        let _ = poll(&mut pipes, timeout);
    }
}

#[cfg(not(unix))]
pub(in crate::viewer) use elsewhere::open;
#[cfg(not(unix))]
pub(super) use elsewhere::{is_disk, wait_for_room};

#[cfg(not(unix))]
mod elsewhere {
    use super::{File, LOOK, Metadata, Path, io};
    use std::fs::OpenOptions;

    /// Opens a pipe or a device.
    pub(in crate::viewer) fn open(path: &Path) -> io::Result<Option<File>> {
        OpenOptions::new().write(true).open(path).map(Some)
    }

    /// On other systems a disk cannot be opened by a file's path.
    pub(in crate::viewer::keep::recorder) fn is_disk(_there: &Metadata) -> bool {
        false
    }

    /// Waits for [`LOOK`].
    pub(in crate::viewer::keep::recorder) fn wait_for_room(_pipe: &File) {
        std::thread::sleep(LOOK);
    }
}
