//! Reads files of the boot partition, and writes files in `/run`.

use super::text::Text;
use crate::settings::reading::Reading;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// A hundred times the length of any real file.
const MAX_LEN: u64 = 64 << 10;

/// Who may read a file, or enter a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody on this machine.
    All,
    /// Its owner.
    Root,
    /// The owner of the folder in which it lies.
    Folder,
}

/// More files than any boot partition has.
const MAX_NAMES: usize = 1000;

/// The names of the files in a folder. Empty if there is no such folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().take(MAX_NAMES);
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

/// The text of a file. `None` if it does not exist or cannot be read; the latter adds a remark.
pub(super) fn read(path: &Path, reading: &mut Reading) -> Option<Text> {
    let mut bytes = Vec::new();
    // Reading something else than a file, such as a pipe, might never end.
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Ok(about) if !about.is_file() => {
            reading.complain(None, "is not a file, so it is ignored");
            return None;
        }
        _ => {}
    }
    let file = fs::File::open(path).and_then(|file| file.take(MAX_LEN + 1).read_to_end(&mut bytes));
    if let Err(error) = file {
        reading.complain(None, format!("cannot be read: {error}"));
        return None;
    }
    if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_LEN) {
        reading.complain(
            None,
            format!("is longer than {} kB, so all of it is ignored", MAX_LEN >> 10),
        );
        return None;
    }
    let (text, taken_out) = Text::decode(bytes);
    for at in taken_out {
        reading.complain(at, "ignored: this line is not UTF-8; save the file as UTF-8");
    }
    Some(text)
}

/// Writes a file atomically: a reader sees the old or the new one.
///
/// # Errors
/// As the file system reports them.
pub(super) fn put(path: &Path, text: &str, access: Access) -> io::Result<()> {
    let mode = match access {
        Access::All => 0o644,
        Access::Root | Access::Folder => 0o600,
    };
    let next = path.with_extension("next");
    // A temporary file left by a power cut may have another mode.
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&next)?;
    if access == Access::Folder {
        let folder = fs::metadata(path.parent().unwrap_or(Path::new("/")))?;
        fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&next, path)
}

/// Writes a file, or removes it if there is no text for it.
///
/// # Errors
/// As the file system reports them.
pub(super) fn put_or_remove(path: &Path, text: Option<&str>, access: Access) -> io::Result<()> {
    match text {
        Some(text) => put(path, text, access),
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// Creates a folder and its parents.
///
/// # Errors
/// As the file system reports them.
pub(super) fn folder(path: &Path, access: Access) -> io::Result<()> {
    let mode = match access {
        Access::All => 0o755,
        Access::Root | Access::Folder => 0o700,
    };
    fs::DirBuilder::new().recursive(true).mode(mode).create(path)
}
