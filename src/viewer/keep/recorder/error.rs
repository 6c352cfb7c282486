//! Why a recording does not start, or has ended by itself, and what the user can do about it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a recording does not start, or has ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The last recording of this camera is still being written.
    #[error("{} is still being written", .0.display())]
    Busy(PathBuf),
    /// The file exists. A recording overwrites nothing.
    #[error("{} exists already. Name another file, or remove that one", .0.display())]
    Exists(PathBuf),
    /// The path is a folder.
    #[error("{} is a folder. Name a file in it, such as {}", .0.display(), .0.join("film.mkv").display())]
    IsFolder(PathBuf),
    /// The path is a block device. A recording would overwrite everything on it.
    #[error("{} is a disk, not a file on it. Name a file", .0.display())]
    IsDisk(PathBuf),
    /// The path is a pipe or a device, but `--record-every` and `--record-max` make several files.
    #[error("{} is not a file. Leave out --record-every and --record-max, or name a file", .0.display())]
    Endless(PathBuf),
    /// The folder is missing.
    #[error("cannot record into {}: there is no folder {}. Make it (mkdir -p), or name another file", path.display(), folder.display())]
    NoFolder {
        /// The file to be recorded into.
        path: PathBuf,
        /// The folder that is missing.
        folder: PathBuf,
    },
    /// The file cannot be created.
    #[error("cannot record into {}: {}", path.display(), reason(source))]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// No program has read from the pipe.
    #[error("nobody has read from the pipe {}, so nothing was recorded. Start the program that reads it, or name a file", .0.display())]
    NobodyReads(PathBuf),
    /// Writing failed: the disk is full or gone, or the reader of the pipe has left.
    #[error("recording into {} has ended: {}. {}", path.display(), reason(source), kept.words())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
        /// Whether any frame was written before.
        kept: Kept,
    },
}

/// What is left of a recording that ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All frames that were written until then.
    All,
    /// Nothing: no frame was written.
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
    /// The error for `path`, which could not be created because of `source`.
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

/// What went wrong and what to do, for a message to the user.
fn reason(error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::StorageFull => "the disk is full; make room, or record to another disk",
        ErrorKind::QuotaExceeded => {
            "your quota on this disk is used up; make room, or record to another disk"
        }
        ErrorKind::FileTooLarge => {
            "a single frame is longer than a file may be here; raise the limit (ulimit -f)"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "nothing can be written to that disk; record to another one"
        }
        ErrorKind::PermissionDenied => "you may not write there; record into a folder of your own",
        ErrorKind::InvalidFilename => "the file's name is too long; choose a shorter one",
        ErrorKind::NotADirectory => "a part of its path is not a folder; name another file",
        ErrorKind::BrokenPipe => {
            "the program that read it has left; start it again, and record again"
        }
        ErrorKind::TimedOut => {
            "the program that reads it has stopped reading; see what that program says"
        }
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

/// EIO has this number on all Unix systems. [`ErrorKind`] has no variant for it.
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
            (122, "your quota on this disk is used up"),
        ] {
            let said = number(error);
            assert!(said.contains(words), "{error}: {said}");
        }
    }
}
