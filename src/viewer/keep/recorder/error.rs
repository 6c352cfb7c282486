//! Why something is not recorded, in words that say what to do.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why something is not recorded, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// One at a time.
    #[error("{} is still being written", .0.display())]
    Busy(PathBuf),
    /// Nothing is overwritten.
    #[error("{} exists already. Name another file, or remove that one", .0.display())]
    Exists(PathBuf),
    /// A folder is no file.
    #[error("{} is a folder. Name a file in it, such as {}", .0.display(), .0.join("film.mkv").display())]
    IsFolder(PathBuf),
    /// What is recorded would overwrite all that is on it.
    #[error("{} is a disk, not a file on it. Name a file", .0.display())]
    IsDisk(PathBuf),
    /// Files that follow each other need a folder, not a pipe.
    #[error("{} is not a file. Leave out --record-every and --record-max, or name a file", .0.display())]
    Endless(PathBuf),
    /// The folder is missing.
    #[error("cannot record into {}: there is no folder {}. Make it (mkdir -p), or name another file", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// What should hold it.
        folder: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot record into {}: {}", path.display(), reason(source))]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's word for it.
        source: io::Error,
    },
    /// A pipe that nobody reads.
    #[error("nobody has read from the pipe {}, so nothing was recorded. Start the program that reads it, or name a file", .0.display())]
    NobodyReads(PathBuf),
    /// The disk is full, or gone, or whoever read at the other end of a pipe.
    #[error("recording into {} has ended: {}. {}", path.display(), reason(source), kept.words())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's word for it.
        source: io::Error,
        /// Whether there is something in the file.
        kept: Kept,
    },
}

/// What is left of a recording that ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// What was written until then.
    All,
    /// Nothing was.
    Nothing,
}

impl Kept {
    fn words(self) -> &'static str {
        match self {
            Self::All => "What was written until then is kept",
            Self::Nothing => "Nothing was recorded",
        }
    }
}

impl RecordError {
    /// Why `path` cannot be made.
    pub(super) fn create(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        match (source.kind(), folder) {
            (ErrorKind::AlreadyExists, _) if path.is_dir() => Self::IsFolder(path),
            (ErrorKind::IsADirectory, _) => Self::IsFolder(path),
            (ErrorKind::AlreadyExists, _) => Self::Exists(path),
            (ErrorKind::NotFound, Some(folder)) if !folder.is_dir() => {
                Self::NoFolder { folder: folder.to_owned(), path }
            }
            _ => Self::Create { path, source },
        }
    }
}

/// What stands in the way, and what to do.
fn reason(error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::StorageFull => "the disk is full; make room, or record to another disk",
        ErrorKind::QuotaExceeded => {
            "your share of the disk is used up; make room, or record to another disk"
        }
        ErrorKind::FileTooLarge => {
            "a single frame is longer than a file may be here; raise the limit (ulimit -f)"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "nothing can be written to that disk; record to another one"
        }
        ErrorKind::PermissionDenied => "you may not write there; record into a folder of your own",
        ErrorKind::InvalidFilename => "the file's name is too long; choose a shorter one",
        ErrorKind::NotADirectory => "a part of its path is no folder; name another file",
        ErrorKind::BrokenPipe => {
            "the program that read it has left; start it again, and record again"
        }
        ErrorKind::TimedOut => "the program that should read it reads no further; look at that one",
        ErrorKind::StaleNetworkFileHandle => {
            "the network's disk is gone; mount it again, or record to another disk"
        }
        _ if error.raw_os_error() == Some(EIO) => {
            "the disk has failed, or was taken out; record to another disk"
        }
        _ => "record to another disk or folder",
    };
    match error.raw_os_error() {
        Some(_) => format!("{words} ({error})"),
        None => words.to_owned(),
    }
}

/// The same number on all systems of Unix's kind; no [`ErrorKind`] stands for it.
const EIO: i32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_says_what_to_do_and_keeps_the_systems_word() {
        let number = |number| reason(&io::Error::from_raw_os_error(number));
        // As Linux numbers them: EIO, ENOSPC, EROFS, ENAMETOOLONG, EDQUOT.
        for (error, words) in [
            (5, "taken out; record to another disk (Input/output error"),
            (28, "make room, or record to another disk (No space left on device"),
            (30, "record to another one (Read-only file system"),
            (36, "choose a shorter one (File name too long"),
            (122, "your share of the disk is used up"),
        ] {
            let said = number(error);
            assert!(said.contains(words), "{error}: {said}");
        }
    }
}
