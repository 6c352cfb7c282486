//! Keeps the newest files of a recording and removes its older ones. Touches no other file.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The finished files of this recording.
#[derive(Debug)]
pub(super) struct KeptFiles {
    /// How many files to keep, including the one being written. 0 keeps all.
    most: usize,
    /// The oldest first, each with its length when it was closed.
    files: VecDeque<(Arc<Path>, u64)>,
}

impl KeptFiles {
    pub(super) fn new(most: usize) -> Self {
        Self { most, files: VecDeque::new() }
    }

    /// Adds a finished file.
    pub(super) fn add(&mut self, path: &Arc<Path>, len: u64) {
        if self.most > 0 {
            self.files.push_back((Arc::clone(path), len));
        }
    }

    /// Makes room for a new file: removes the oldest ones.
    pub(super) fn make_room(&mut self) {
        while self.most > 0 && self.files.len() >= self.most {
            let Some((path, len)) = self.files.pop_front() else { return };
            remove(&path, len);
        }
    }
}

/// Removes a file if it still has the length that it had when it was closed.
fn remove(path: &Path, len: u64) {
    let is_the_same = |there: &fs::Metadata| there.is_file() && there.len() == len;
    // A symbolic link at this path was made by somebody else: do not follow it.
    match fs::symlink_metadata(path) {
        Ok(there) if is_the_same(&there) => match fs::remove_file(path) {
            Ok(()) => log::debug!("{} is removed: newer ones are kept", path.display()),
            Err(error) => log::warn!("cannot remove {}: {error}", path.display()),
        },
        Ok(_) => log::info!("{} stays: it was changed since it was recorded", path.display()),
        // The file is already gone.
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_what_was_changed_or_moved_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut kept = KeptFiles::new(3);
        let file = |number: u32| folder.path().join(format!("{number}.mkv"));
        for number in 1..=6 {
            kept.make_room();
            fs::write(file(number), b"data").expect("written");
            kept.add(&Arc::from(file(number)), 4);
            match number {
                3 => fs::write(file(2), b"somebody else's").expect("written"),
                4 => fs::rename(file(3), file(33)).expect("moved"),
                _ => {}
            }
        }
        let there = |number| file(number).exists();
        assert_eq!([1, 2, 3, 33, 4, 5, 6].map(there), [false, true, false, true, true, true, true]);
    }
}
