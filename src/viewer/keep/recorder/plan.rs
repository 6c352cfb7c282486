//! What is to be recorded where: the files' names, and when one is full.

use crate::viewer::keep::folders::{self, EXTENSION};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a camera is recorded, and when the next file begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The name that was asked for.
    pub path: PathBuf,
    /// What the files are called.
    pub naming: Naming,
    /// When the next file begins.
    pub rotation: Rotation,
}

/// What the files of a recording are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// As was asked for.
    Plain,
    /// With the camera's name behind it: several cameras are recorded.
    WithCamera,
}

/// When a file is full, and how many stay. The default is one file without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotation {
    /// A file lasts no longer than this.
    pub every: Option<Duration>,
    /// A file has no more bytes than this, unless a single frame has.
    pub max: Option<u64>,
    /// So many files of this recording are kept, the newest ones; 0 keeps all.
    pub keep: usize,
}

impl Rotation {
    /// Whether files follow each other by time or length.
    pub fn is_on(&self) -> bool {
        self.every.is_some() || self.max.is_some()
    }
}

impl Plan {
    /// One file, which must not exist.
    pub fn file(path: &Path) -> Self {
        let (path, rotation) = (path.to_owned(), Rotation::default());
        Self { path, naming: Naming::Plain, rotation }
    }

    /// What the `r` key records: files in the user's folder for videos, named by camera and time.
    pub fn in_folder(camera: &str, rotation: Rotation) -> Self {
        let path = match rotation.is_on() {
            // Each file has its own time in its name.
            true => folders::folder(folders::Folder::Videos)
                .join(format!("{}.{EXTENSION}", folders::harmless(camera))),
            false => folders::recording(camera),
        };
        Self { path, naming: Naming::Plain, rotation }
    }

    /// Whether the first file has exactly the name that was asked for.
    pub(super) fn is_one_name(&self) -> bool {
        self.naming == Naming::Plain && !self.rotation.is_on()
    }
}
