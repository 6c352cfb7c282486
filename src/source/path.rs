//! Finds out which kind of source a path leads to.

use super::{SourceError, Trouble};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathKind {
    /// A regular file.
    File,
    /// A named pipe, or one that the shell or another program handed over.
    Pipe(AtItsEnd),
    /// A V4L2 node.
    Camera,
    /// Nothing, or nothing that can be examined.
    Nothing,
}

/// What to do when the writer of a pipe has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtItsEnd {
    /// Wait: another writer may come.
    Waits,
    /// End: no other writer can come.
    Ends,
}

/// The major device number of V4L2 nodes.
const VIDEO_MAJOR: u64 = 81;

/// What `path` leads to; follows links.
///
/// # Errors
/// When it is something that never gives pictures.
pub(super) fn look(path: &Path) -> Result<PathKind, SourceError> {
    let Ok(found) = fs::metadata(path) else { return Ok(PathKind::Nothing) };
    let kind = found.file_type();
    let what = if kind.is_file() {
        return Ok(PathKind::File);
    } else if kind.is_fifo() {
        return Ok(PathKind::Pipe(if is_handed_over(path) {
            AtItsEnd::Ends
        } else {
            AtItsEnd::Waits
        }));
    } else if kind.is_char_device() {
        if nix::sys::stat::major(found.rdev()) == VIDEO_MAJOR {
            return Ok(PathKind::Camera);
        }
        "is a device, but not a camera"
    } else if kind.is_dir() {
        "is a directory"
    } else if kind.is_socket() {
        "is a socket, which lancam cannot read; pipe its data into lancam --source -"
    } else {
        "is a disk"
    };
    Err(SourceError::new(
        Trouble::Unusable,
        format!(
            "{} {what}. --source must be a camera (lancam list shows them), a file of JPEGs, a pipe, or test",
            path.display()
        ),
    ))
}

/// Whether another program handed this pipe over: `/dev/fd/63` is what the shell makes of
/// `<(command)`.
fn is_handed_over(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.starts_with("/dev/fd/") || (text.starts_with("/proc/") && text.contains("/fd/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;

    #[test]
    fn each_kind_of_file_is_told_from_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let [file, fifo, socket] = ["file", "fifo", "socket"].map(|name| folder.path().join(name));
        fs::write(&file, "").expect("writes");
        nix::unistd::mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        assert_eq!(look(&file), Ok(PathKind::File));
        assert_eq!(look(&fifo), Ok(PathKind::Pipe(AtItsEnd::Waits)));
        assert_eq!(look(&folder.path().join("nothing")), Ok(PathKind::Nothing));
        for (path, word) in [
            (socket.as_path(), "socket"),
            (folder.path(), "directory"),
            (Path::new("/dev/null"), "not a camera"),
            (Path::new("/dev/zero"), "not a camera"),
        ] {
            let error = look(path).expect_err("no source");
            assert!(error.message.contains(word), "{error}");
            assert_eq!(error.trouble, Trouble::Unusable);
        }
    }
}
