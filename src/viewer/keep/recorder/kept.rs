//! The newest files of a recording are kept, and its older ones removed: never anybody else's.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The files of this recording that are whole.
#[derive(Debug)]
pub(super) struct KeptFiles {
    /// How many stay, with the one that is being written; 0 is all.
    most: usize,
    /// The oldest first, and how long they were when they were closed.
    files: VecDeque<(Arc<Path>, u64)>,
}

impl KeptFiles {
    pub(super) fn new(most: usize) -> Self {
        Self { most, files: VecDeque::new() }
    }

    /// A file is whole.
    pub(super) fn add(&mut self, path: &Arc<Path>, len: u64) {
        if self.most > 0 {
            self.files.push_back((Arc::clone(path), len));
        }
    }

    /// Another file begins: those go for which there is no room beside it.
    pub(super) fn make_room(&mut self) {
        while self.most > 0 && self.files.len() >= self.most {
            let Some((path, len)) = self.files.pop_front() else { return };
            remove(&path, len);
        }
    }
}

/// Removes a file, unless it is another one by now.
fn remove(path: &Path, len: u64) {
    let is_the_same = |there: &fs::Metadata| there.is_file() && there.len() == len;
    // A link at its place is somebody else's too.
    match fs::symlink_metadata(path) {
        Ok(there) if is_the_same(&there) => match fs::remove_file(path) {
            Ok(()) => log::debug!("{} is removed: newer ones are kept", path.display()),
            Err(error) => log::warn!("cannot remove {}: {error}", path.display()),
        },
        Ok(_) => log::info!("{} stays: it was changed since it was recorded", path.display()),
        // Somebody has removed it.
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
