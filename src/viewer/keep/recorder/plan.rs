//! What to record into: the names of the files, and when the next one begins.

use crate::viewer::keep::folders::{self, EXTENSION};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What to record into, and when the next file begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The path that the user gave.
    pub path: PathBuf,
    /// How the files' names are made.
    pub naming: Naming,
    /// When the next file begins.
    pub rotation: Rotation,
}

/// How the files' names are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Exactly as the user wrote it.
    Plain,
    /// The camera's name is appended, because several cameras are recorded.
    WithCamera,
}

/// When the next file begins, and how many files are kept. The default is one file without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotation {
    /// The longest time in one file.
    pub every: Option<Duration>,
    /// The most bytes in one file, together with those that begin after it because the form of the frames changed. A single
    /// frame may exceed it.
    pub max: Option<u64>,
    /// How many of the newest files to keep, 0 for all. Files that began because the form of the frames changed count as one
    /// with the file before them.
    pub keep: usize,
}

impl Rotation {
    /// Whether a limit of time or length divides the recording into several files.
    pub fn is_on(&self) -> bool {
        self.every.is_some() || self.max.is_some()
    }
}

impl Plan {
    /// A recording into one file, which must not exist.
    pub fn file(path: &Path) -> Self {
        let (path, rotation) = (path.to_owned(), Rotation::default());
        Self { path, naming: Naming::Plain, rotation }
    }

    /// A recording by the `r` key: into the user's folder for videos, named after camera and time.
    pub fn in_folder(camera: &str, rotation: Rotation) -> Self {
        let path = match rotation.is_on() {
            // The time is added to each file's name later.
            true => folders::folder(folders::Folder::Videos)
                .join(format!("{}.{EXTENSION}", folders::harmless(camera))),
            false => folders::recording(camera),
        };
        Self { path, naming: Naming::Plain, rotation }
    }

    /// Whether the first file has exactly the given path.
    pub(super) fn is_one_name(&self) -> bool {
        self.naming == Naming::Plain && !self.rotation.is_on()
    }
}
