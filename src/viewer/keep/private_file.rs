//! A file that only its owner may read, replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// What the text of a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// There is no file.
    Missing,
    /// Its text.
    Text(String),
    /// It is no text, or too long.
    Nonsense,
}

/// Reads a file of at most `most` bytes. A file that others can read is closed to them first.
///
/// # Errors
/// When it is there and cannot be read.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Content> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(Content::Missing),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    if owner_only::close(&file)? {
        log::warn!(
            "{} was open to other users of this machine, who may have read it. It is closed now",
            path.display()
        );
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    let is_short = u64::try_from(bytes.len()).is_ok_and(|len| len <= most);
    Ok(match String::from_utf8(bytes) {
        Ok(text) if is_short => Content::Text(text),
        _ => Content::Nonsense,
    })
}

/// Much more than a key, the camera's certificate and a page of words have.
const MOST_OF_USER: u64 = 64 << 10;

/// Reads a file that a user has made for this start; it may be a pipe. If others may read or change it, the log says what to type; it is left as
/// it is, since somebody may mean it so.
///
/// # Errors
/// When it cannot be read, or is too long.
pub(super) fn read_of_user(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let mut text = String::new();
    // A device may have no end.
    (&file).take(MOST_OF_USER + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|len| len > MOST_OF_USER) {
        let why = format!("it is longer than {} kB", MOST_OF_USER >> 10);
        return Err(io::Error::new(ErrorKind::InvalidData, why));
    }
    if let Some(warning) = owner_only::open_to_others(path, &file)? {
        log::warn!("{warning}");
    }
    Ok(text)
}

/// Replaces a file, and makes its folder if that is missing. When this returns, it is on the disk. After a power cut the old
/// text is there, or the new one.
///
/// # Errors
/// When that fails. The old text is there then.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}", std::process::id()));
    let written = write_beside(&beside, text).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // It may not exist.
        let _ = fs::remove_file(&beside);
        return written;
    }
    owner_only::sync_folder(folder)
}

fn write_beside(beside: &Path, text: &str) -> io::Result<()> {
    // A viewer that had this number before may have left one.
    match fs::remove_file(beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only::make(&mut options);
    let mut file = options.open(beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Gives a file another name, so that nothing in it gets lost: `NAME.damaged`, or `NAME.damaged-2` and so on. Returns that
/// name.
///
/// # Errors
/// When it cannot be renamed.
pub(super) fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let named = |number: u32| {
        let more = if number > 1 { format!(".damaged-{number}") } else { ".damaged".to_owned() };
        let mut name = path.as_os_str().to_owned();
        name.push(more);
        PathBuf::from(name)
    };
    let free = (1..MOST_ASIDE).map(named).find(|name| fs::symlink_metadata(name).is_err());
    let aside = free.unwrap_or_else(|| named(MOST_ASIDE));
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// How many damaged files are kept. A later one replaces the last.
const MOST_ASIDE: u32 = 100;

/// The right to change a file, so that two viewers do not undo each other's changes.
///
/// # Errors
/// When it cannot be had.
pub(super) fn lock(path: &Path) -> io::Result<owner_only::Lock> {
    let folder = path.parent().ok_or(ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    // A lock of the folder itself could be held by everybody who may look into it.
    owner_only::lock(&path.with_extension("lock"))
}

/// Whether the error says that there is no file. In place of a folder there may be something else.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(unix)]
mod owner_only {
    //! What Unix has for it: modes, locks, folders that are synced.

    use crate::wording::{TYPE, shell_path};
    use nix::fcntl::{Flock, FlockArg};
    use nix::unistd::geteuid;
    use std::fs::{File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    /// Read and write, for the owner.
    const MODE: u32 = 0o600;

    /// A lock of a file that nobody else may open, until it is dropped.
    #[derive(Debug)]
    pub(in crate::viewer::keep) struct Lock {
        _held: Flock<File>,
    }

    /// Makes a new file for its owner only.
    pub(super) fn make(options: &mut OpenOptions) {
        options.mode(MODE);
    }

    /// Takes away others' rights to a file. Returns whether they had any.
    pub(super) fn close(file: &File) -> io::Result<bool> {
        let mode = file.metadata()?.permissions().mode();
        if mode & 0o077 == 0 {
            return Ok(false);
        }
        file.set_permissions(Permissions::from_mode(MODE))?;
        Ok(true)
    }

    /// What to say of a key file that others may read or write; nothing if they may not. A group's right is its owner's business;
    /// our own file has none.
    pub(super) fn open_to_others(path: &Path, file: &File) -> io::Result<Option<String>> {
        let (about, user) = (file.metadata()?, geteuid());
        let others = if about.uid() == user.as_raw() { 0o077 } else { 0o007 };
        let mode = about.mode() & 0o777;
        // Root may read and change every file.
        let is_foreign = about.uid() != user.as_raw() && !user.is_root();
        let owner = is_foreign.then(|| (about.uid(), user.as_raw()));
        let is_open = about.is_file() && mode & others != 0;
        Ok(is_open.then(|| who_can_watch(path, mode, owner)))
    }

    /// What to say of a key file of this mode, and what to type. `owner` is another user to whom it belongs, and then this one:
    /// closed to all but that user, it could not be read here.
    pub(super) fn who_can_watch(path: &Path, mode: u32, owner: Option<(u32, u32)>) -> String {
        let (shown, word) = (path.display(), shell_path(path));
        let typed = format!("chmod 600 {word}");
        let what = match owner {
            None => format!("{TYPE}{typed}"),
            Some((owner, user)) => {
                format!("It belongs to user {owner}. {TYPE}sudo chown {user} {word} && {typed}")
            }
        };
        format!(
            "{shown} is open to other users of this machine (mode {mode:03o}), who can watch with its key. {what}"
        )
    }

    /// Waits until nobody else holds the lock. Who does writes one small file.
    pub(super) fn lock(path: &Path) -> io::Result<Lock> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        make(&mut options);
        let file = options.open(path)?;
        close(&file)?;
        let held = Flock::lock(file, FlockArg::LockExclusive);
        held.map(|held| Lock { _held: held }).map_err(|(_, error)| error.into())
    }

    /// A rename is on the disk when its folder is.
    pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

#[cfg(not(unix))]
mod owner_only {
    //! Elsewhere a user's folders are closed to others, and two viewers at once are seldom.

    use std::fs::{File, OpenOptions};
    use std::io;
    use std::path::Path;

    #[derive(Debug)]
    pub(in crate::viewer::keep) struct Lock;

    pub(super) fn make(_options: &mut OpenOptions) {}

    #[allow(clippy::unnecessary_wraps)] // as on Unix
    pub(super) fn close(_file: &File) -> io::Result<bool> {
        Ok(false)
    }

    #[allow(clippy::unnecessary_wraps)] // as on Unix
    pub(super) fn open_to_others(_path: &Path, _file: &File) -> io::Result<Option<String>> {
        Ok(None)
    }

    #[allow(clippy::unnecessary_wraps)] // as on Unix
    pub(super) fn lock(_path: &Path) -> io::Result<Lock> {
        Ok(Lock)
    }

    #[allow(clippy::unnecessary_wraps)] // as on Unix
    pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lancam/paired");
        assert_eq!(read(&path, 100).expect("nothing"), Content::Missing);
        for text in ["one", "two"] {
            replace(&path, text).expect("written");
            assert_eq!(read(&path, 100).expect("there"), Content::Text(text.into()));
            assert_eq!(mode(&path), 0o600);
        }
        let count = fs::read_dir(path.parent().expect("a folder")).expect("there").count();
        assert_eq!(count, 1, "nothing is left beside it");
        assert!(replace(Path::new("/dev/null/lancam/paired"), "").is_err());
        let nowhere = read(Path::new("/dev/null/lancam/paired"), 100);
        assert_eq!(nowhere.expect("nothing"), Content::Missing);
    }

    #[test]
    fn who_may_only_look_into_the_folder_keeps_nobody_from_changing_files() {
        use nix::fcntl::{Flock, FlockArg};
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("paired");
        let another_user = File::open(folder.path()).expect("everybody may");
        let held = Flock::lock(another_user, FlockArg::LockExclusiveNonblock).expect("free");
        let (done, is_done) = std::sync::mpsc::channel();
        let there = path.clone();
        std::thread::spawn(move || done.send(lock(&there).map(drop)));
        let locked = is_done.recv_timeout(std::time::Duration::from_secs(30));
        locked.expect("it does not wait").expect("locked");
        assert_eq!(mode(&folder.path().join("paired.lock")), 0o600);
        drop(held);
    }

    #[test]
    fn what_others_could_read_is_closed_to_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("paired");
        fs::write(&path, "text").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("opened");
        assert_eq!(read(&path, 100).expect("there"), Content::Text("text".into()));
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_key_file_of_another_user_has_to_become_this_users_too() {
        let said = |owner| owner_only::who_can_watch(Path::new("/etc/my key"), 0o644, owner);
        let words = "/etc/my key is open to other users of this machine (mode 644), who can watch with its key. ";
        assert_eq!(said(None), format!("{words}Type: chmod 600 '/etc/my key'"));
        assert_eq!(
            said(Some((0, 1000))),
            format!(
                "{words}It belongs to user 0. Type: sudo chown 1000 '/etc/my key' && chmod 600 '/etc/my key'"
            )
        );
    }

    #[test]
    fn no_text_a_long_one_and_a_folder_are_told_from_a_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("paired");
        for bytes in [&b"\xFF\xFE"[..], &[b'x'; 101]] {
            fs::write(&path, bytes).expect("written");
            assert_eq!(read(&path, 100).expect("there"), Content::Nonsense);
        }
        assert!(read(folder.path(), 100).is_err());
    }

    #[test]
    fn a_key_file_without_an_end_is_refused() {
        for path in ["/dev/zero", "/dev/full"] {
            let error = read_of_user(Path::new(path)).expect_err("it has no end");
            assert_eq!(error.to_string(), "it is longer than 64 kB");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let longest = "x".repeat(64 << 10);
        fs::write(&path, &longest).expect("written");
        assert_eq!(read_of_user(&path).expect("just short enough"), longest);
        fs::write(&path, longest + "x").expect("written");
        assert!(read_of_user(&path).is_err());
    }

    #[test]
    fn a_damaged_file_keeps_its_content_under_another_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("paired");
        for (text, name) in [("first", "paired.damaged"), ("second", "paired.damaged-2")] {
            fs::write(&path, text).expect("written");
            let aside = put_aside(&path).expect("renamed");
            assert_eq!(aside, folder.path().join(name));
            assert_eq!(fs::read_to_string(aside).expect("there"), text);
            assert!(!path.exists());
        }
    }
}
