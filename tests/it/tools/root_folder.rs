//! The files of a machine that is not running, for scripts that take another root folder.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A root folder, removed when dropped.
pub struct RootFolder(TempDir);

impl RootFolder {
    pub fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// Where a file is: `name` is its path without the first slash.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Writes a file, and makes its folders.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("writes");
    }

    /// The text of a file; nothing if there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}
