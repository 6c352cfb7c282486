//! Mistakes in the configuration and faults of the machine: those that this program found, and
//! those that others write into a file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The greatest length that is read of the file.
const MAX_LEN: u64 = 64 << 10;

/// All complaints. Only their writers withdraw them.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    own: Mutex<Vec<String>>,
    /// Those about the settings of the source that was opened last.
    source: Mutex<Vec<String>>,
    file: OnceLock<PathBuf>,
}

impl Complaints {
    /// Adds a complaint of this program.
    pub(super) fn push(&self, text: String) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// Replaces the complaints about the source's settings.
    pub(super) fn about_source(&self, complaints: Vec<String>) {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = complaints;
    }

    /// Also reads the lines of this file, each time somebody asks.
    pub(super) fn heed(&self, file: PathBuf) {
        // Only one file is ever named.
        let _ = self.file.set(file);
    }

    /// All complaints now: those in the file, those about the source's settings, and this program's others.
    pub(super) fn all(&self) -> Vec<String> {
        let mut all = self.file.get().map(|file| lines(file)).unwrap_or_default();
        for more in [&self.source, &self.own] {
            all.extend_from_slice(&more.lock().unwrap_or_else(PoisonError::into_inner));
        }
        all
    }
}

/// A missing file has no lines.
fn lines(path: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_LEN).read_to_end(&mut bytes));
    if let Err(error) = read {
        log::debug!("{}: {error}", path.display());
    }
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_others_write_down_later_is_there_when_asked_and_gone_when_they_take_it_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("complaints");
        let complaints = Complaints::default();
        complaints.push("own".into());
        complaints.heed(path.clone());
        assert_eq!(complaints.all(), ["own"]);
        fs::write(&path, "data partition: full\nuser-data:1: no\n").expect("writes");
        assert_eq!(complaints.all(), ["data partition: full", "user-data:1: no", "own"]);
        fs::write(&path, b"\xff\n").expect("writes");
        assert_eq!(complaints.all(), ["\u{fffd}", "own"]);
        fs::remove_file(&path).expect("was there");
        assert_eq!(complaints.all(), ["own"]);
    }

    #[test]
    fn complaints_about_the_source_are_those_of_the_last_time_that_it_was_opened() {
        let complaints = Complaints::default();
        complaints.push("own".into());
        complaints.about_source(vec!["brightnes=5".into()]);
        complaints.about_source(vec!["brightnes=5".into()]);
        assert_eq!(complaints.all(), ["brightnes=5", "own"]);
        complaints.about_source(Vec::new());
        assert_eq!(complaints.all(), ["own"]);
    }
}
