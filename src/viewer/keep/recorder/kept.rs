//! Keeps the newest files of a recording and removes its older ones. Touches no other file.
//!
//! What is counted are turns of the rotation. A turn has one file, and one more each time the form of the frames changes.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The finished files of this recording.
#[derive(Debug)]
pub(super) struct KeptFiles {
    /// How many turns to keep, including the one being recorded. 0 keeps all.
    most: usize,
    /// The files of each turn, the oldest first, each with its length when it was closed.
    turns: VecDeque<Vec<(Arc<Path>, u64)>>,
}

impl KeptFiles {
    pub(super) fn new(most: usize) -> Self {
        Self { most, turns: VecDeque::new() }
    }

    /// Adds a finished file to the newest turn.
    pub(super) fn add(&mut self, path: &Arc<Path>, len: u64) {
        if let Some(newest) = self.turns.back_mut() {
            newest.push((Arc::clone(path), len));
        }
    }

    /// Begins a turn: removes the files of the oldest ones that are too many.
    pub(super) fn begin_turn(&mut self) {
        if self.most == 0 {
            return;
        }
        while self.turns.len() >= self.most {
            let oldest = self.turns.pop_front().unwrap_or_default();
            oldest.iter().for_each(|(path, len)| remove(path, *len));
        }
        self.turns.push_back(Vec::new());
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
            kept.begin_turn();
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
