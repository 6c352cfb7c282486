//! The folder where the camera keeps its secrets: read and written so that neither a stranger nor a power cut changes who
//! is let in.
//!
//! A file is written beside its place, synced, and then renamed. So after a power cut the old file is there or the new one,
//! and never a part. What is not read here is a refusal: no error in a file opens the camera.

use super::service::{of_service, sudo};
use crate::wording::{TYPE, reason, shell_path};
use nix::fcntl::{Flock, FlockArg, OFlag};
use nix::unistd::geteuid;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// More than the longest of these files has: the list of as many keys as there may be, with the longest names.
pub const MAX_LEN: usize = 256 << 10;

/// How long somebody else may take to change a file.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long somebody else may take to replace the file for locks.
const TURN: Duration = Duration::from_millis(500);

/// How often to look whether that is done.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The file in the folder that a program locks while it changes another one. It is empty, and its owner's alone: other users who
/// may look into the folder could hold a lock of the folder itself for ever.
const LOCK: &str = "lock";

/// Where the folder is unless somebody says so, for root.
pub const OF_ROOT: &str = "/var/lib/lancam";

/// The files in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The camera's private key and its certificate.
    Identity,
    /// The code and its salt.
    Code,
    /// The list of keys.
    Keys,
    /// How others reach the camera. Not a secret, but what it says is shown to the owner.
    Whereabouts,
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    /// Whose it is, and so whose its files have to be.
    owner: u32,
    group: u32,
}

/// The right to change files. A program reads a file before it changes it, so that nothing gets lost of what another wrote.
#[derive(Debug)]
pub struct Lock {
    /// The lock, given back when it is dropped. Or why no file can be made for it: then no other can be written either.
    held: Result<Flock<File>, nix::Error>,
}

/// By what a change of a file is noticed: of its text, its owner or its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    len: u64,
    /// When any of it was changed last. No program can set this time.
    changed: (i64, i64),
}

/// Why the folder or a file in it is not used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Nobody says where it should be.
    #[error(
        "there is no folder for the camera's keys, because HOME and XDG_STATE_HOME are not set. Name one: --state DIR"
    )]
    Nowhere,
    /// It belongs to somebody else, who could let anybody in.
    #[error("{} belongs to user {owner}, not to user {expected}, so it is not used. {TYPE}sudo chown {expected} {}", .path.display(), shell_path(.path))]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose it has to be.
        expected: u32,
    },
    /// Others can read its secrets, or let anybody in.
    #[error("{} is open to other users (mode {mode:03o}), so it is not used. {TYPE}{}chmod {expected:o} {}", .path.display(), sudo(), shell_path(.path))]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        expected: u32,
    },
    /// It is a link, a pipe or something else.
    #[error("{} is not a {expected}, so it is not used. Move it away", .path.display())]
    Kind {
        /// What is there.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// It is not what lancam writes there.
    #[error("{} is damaged, so nobody is let in ({what})", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another program holds the lock.
    #[error("another lancam has been changing {} for {} s. End it if it hangs", .path.display(), PATIENCE.as_secs())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot {what} {}: {}", .path.display(), reason(source))]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl FolderError {
    /// Whether it may be over soon by itself: the disk is full, was mounted for reading only, or fails; or the lock is held.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Busy { .. } => true,
            Self::Io { source, .. } => passes(source),
            _ => false,
        }
    }

    /// Whether the file itself is at fault, so that reading it again brings the same until somebody changes it.
    pub fn is_of_the_file(&self) -> bool {
        match self {
            Self::Foreign { .. } | Self::Open { .. } | Self::Kind { .. } | Self::Damaged { .. } => {
                true
            }
            Self::Nowhere | Self::Busy { .. } | Self::Io { .. } => false,
        }
    }

    /// Whether another user could use it: it belongs to somebody else, or this user may not read it.
    pub fn is_of_another_user(&self) -> bool {
        match self {
            Self::Foreign { .. } => true,
            Self::Io { source, .. } => source.kind() == ErrorKind::PermissionDenied,
            _ => false,
        }
    }
}

impl Name {
    fn text(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Code => "code",
            Self::Keys => "keys",
            Self::Whereabouts => "whereabouts",
        }
    }
}

/// Where the folder is: as `--state` says, or the service manager, or else where state of root and of users belongs.
///
/// # Errors
/// When nobody says so.
pub fn place(
    given: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, FolderError> {
    let of_variable = |name: &str| variable(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    if let Some(folder) = of_service(&variable) {
        return Ok(folder);
    }
    if geteuid().is_root() {
        return Ok(OF_ROOT.into());
    }
    // The XDG base directory specification has relative paths ignored.
    let state = of_variable("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.or_else(|| Some(of_variable("HOME")?.join(".local/state")));
    Ok(state.ok_or(FolderError::Nowhere)?.join("lancam"))
}

impl Folder {
    /// Opens the folder, and makes it if it is missing.
    ///
    /// # Errors
    /// When it cannot be made, or somebody else could change what is in it.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let path = path.to_owned();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        let about = match made.and_then(|()| fs::metadata(&path)) {
            Ok(about) => about,
            Err(error) if is_another_kind(&error) => {
                return Err(FolderError::Kind { path, expected: "folder" });
            }
            Err(source) => return Err(FolderError::Io { what: "make", path, source }),
        };
        let user = geteuid();
        // `sudo lancam pair` changes the files of the camera's user, and they stay that user's.
        if about.uid() != user.as_raw() && !user.is_root() {
            let (owner, expected) = (about.uid(), user.as_raw());
            return Err(FolderError::Foreign { path, owner, expected });
        }
        if about.mode() & 0o022 != 0 {
            return Err(FolderError::Open { path, mode: about.mode() & 0o777, expected: 0o700 });
        }
        Ok(Self { path, owner: about.uid(), group: about.gid() })
    }

    /// Where a file is.
    pub fn path_of(&self, name: Name) -> PathBuf {
        self.path.join(name.text())
    }

    /// Waits until nobody else changes files.
    ///
    /// # Errors
    /// When that takes too long.
    pub fn lock(&self) -> Result<Lock, FolderError> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            if Instant::now() >= give_up {
                return Err(FolderError::Busy { path: self.path.clone() });
            }
            sleep(LOOK_AGAIN);
        }
    }

    /// `None` while another program has it.
    fn try_lock(&self) -> Result<Option<Lock>, FolderError> {
        let path = self.path.join(LOCK);
        let file = match self.lock_file(&path) {
            Ok(file) => file,
            // Another program has just made it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
            Err(error) if passes(&error) || error.kind() == ErrorKind::PermissionDenied => {
                let why = error.raw_os_error().map_or(nix::Error::EACCES, nix::Error::from_raw);
                return Ok(Some(Lock { held: Err(why) }));
            }
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                return Err(FolderError::Kind { path, expected: "file" });
            }
            Err(error) => return Err(self.failed("open", error)),
        };
        let is_there = |file: &File| -> io::Result<bool> {
            Ok(fs::symlink_metadata(&path)?.ino() == file.metadata()?.ino())
        };
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            // Another program may have replaced it.
            Ok(held) => Ok(is_there(&held).unwrap_or(false).then_some(Lock { held: Ok(held) })),
            Err((_, nix::Error::EWOULDBLOCK | nix::Error::EINTR)) => Ok(None),
            Err((_, error)) => Err(self.failed("lock", error.into())),
        }
    }

    /// The file that is locked. Replaces one that is missing or cannot be trusted.
    fn lock_file(&self, path: &Path) -> io::Result<File> {
        if let Some(file) = self.good_lock_file(path)? {
            return Ok(file);
        }
        // Otherwise one program could replace the file that another has just made and locked.
        let _turn = self.turn();
        if let Some(file) = self.good_lock_file(path)? {
            return Ok(file);
        }
        remove(path)?;
        self.make(path)
    }

    /// `None` if it is missing; if others can open it, who could hold its lock; or if root has made it, and not yet given it to
    /// the folder's owner.
    fn good_lock_file(&self, path: &Path) -> io::Result<Option<File>> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        match OpenOptions::new().read(true).custom_flags(flags.bits()).open(path) {
            Ok(file) => Ok(self.check(path, &file.metadata()?).is_ok().then_some(file)),
            Err(error) if is_another_kind(&error) => Ok(None),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::PermissionDenied => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// The lock of the folder itself, which only who replaces the lock file takes. Others who may look into the folder can hold
    /// it for ever, so after a while it is done without.
    fn turn(&self) -> Option<Flock<File>> {
        let give_up = Instant::now() + TURN;
        let mut folder = File::open(&self.path).ok()?;
        while Instant::now() < give_up {
            match Flock::lock(folder, FlockArg::LockExclusiveNonblock) {
                Ok(turn) => return Some(turn),
                Err((file, _)) => folder = file,
            }
            sleep(LOOK_AGAIN);
        }
        None
    }

    /// The text of a file; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, is no file, belongs to somebody else, is open to others, or is no text.
    pub fn read(&self, name: Name) -> Result<Option<String>, FolderError> {
        let path = self.path_of(name);
        // A pipe in its place must not make lancam wait, nor a link lead it elsewhere.
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if is_another_kind(&error) => {
                return Err(FolderError::Kind { path, expected: "file" });
            }
            Err(source) => return Err(FolderError::Io { what: "open", path, source }),
        };
        let failed = |source| FolderError::Io { what: "read", path: path.clone(), source };
        self.check(&path, &file.metadata().map_err(failed)?)?;
        let mut bytes = Vec::new();
        let most = u64::try_from(MAX_LEN + 1).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes).map_err(failed)?;
        let damaged = |what: &str| FolderError::Damaged { path: path.clone(), what: what.into() };
        if bytes.len() > MAX_LEN {
            return Err(damaged("it is too long"));
        }
        String::from_utf8(bytes).map(Some).map_err(|_| damaged("it is not UTF-8"))
    }

    fn check(&self, path: &Path, about: &Metadata) -> Result<(), FolderError> {
        let path = path.to_owned();
        if !about.is_file() {
            return Err(FolderError::Kind { path, expected: "file" });
        }
        if about.uid() != self.owner {
            let (owner, expected) = (about.uid(), self.owner);
            return Err(FolderError::Foreign { path, owner, expected });
        }
        match about.mode() & 0o777 {
            mode if mode & 0o077 != 0 => Err(FolderError::Open { path, mode, expected: 0o600 }),
            _ => Ok(()),
        }
    }

    /// What is wrong with the text of a file.
    pub fn damaged(&self, name: Name, what: &impl ToString) -> FolderError {
        FolderError::Damaged { path: self.path_of(name), what: what.to_string() }
    }

    /// Writes a file. When this returns, it is on the disk. Only with the lock, so that two writers do not meet.
    ///
    /// # Errors
    /// When that fails. The old file is there then, or, if the last sync failed, the new one.
    pub fn write(&self, name: Name, text: &str, lock: &Lock) -> Result<(), FolderError> {
        let next = self.path.join(format!("{}.next", name.text()));
        let failed = |source| FolderError::Io { what: "write", path: self.path_of(name), source };
        lock.held.as_ref().map_err(|why| failed((*why).into()))?;
        let written = self.write_beside(&next, text);
        if let Err(error) = written.and_then(|()| fs::rename(&next, self.path_of(name))) {
            // What is left of it says nothing, but takes room on a full disk.
            let _ = fs::remove_file(&next);
            return Err(failed(error));
        }
        // The rename is on the disk when the folder is.
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    fn write_beside(&self, next: &Path, text: &str) -> io::Result<()> {
        // A power cut may have left one, with another mode.
        remove(next)?;
        let mut file = self.make(next)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// A new file, for the folder's owner alone.
    fn make(&self, path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        if file.metadata()?.uid() != self.owner {
            fchown(&file, Some(self.owner), Some(self.group))?;
        }
        // Whatever the umask took away.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }

    /// By what a change of a file is noticed; `None` if it is missing.
    pub fn stamp(&self, name: Name) -> Option<Stamp> {
        let about = fs::symlink_metadata(self.path_of(name)).ok()?;
        let changed = (about.ctime(), about.ctime_nsec());
        Some(Stamp { inode: about.ino(), len: about.len(), changed })
    }

    fn failed(&self, what: &'static str, source: io::Error) -> FolderError {
        FolderError::Io { what, path: self.path.clone(), source }
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the error may be over soon: the disk is full, was mounted for reading only, or fails.
fn passes(error: &io::Error) -> bool {
    let raw = error.raw_os_error().map(nix::Error::from_raw);
    let of_the_disk = [nix::Error::ENOSPC, nix::Error::EDQUOT, nix::Error::EROFS, nix::Error::EIO];
    raw.is_some_and(|error| of_the_disk.contains(&error))
}

/// Whether the error says that something else is there: a link, a socket, a file where a folder should be.
fn is_another_kind(error: &io::Error) -> bool {
    let raw = error.raw_os_error().map(nix::Error::from_raw);
    let of_other_kinds =
        [nix::Error::ELOOP, nix::Error::ENXIO, nix::Error::ENOTDIR, nix::Error::EEXIST];
    raw.is_some_and(|error| of_other_kinds.contains(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
    use std::collections::BTreeSet;
    use std::os::unix::fs::symlink;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const OLD: &str = "old, and longer than the new one\n";
    const NEW: &str = "new\n";

    /// A folder as lancam makes it, inside of one that goes away.
    fn folder() -> (tempfile::TempDir, Folder) {
        let around = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(&around.path().join("a/b")).expect("made");
        (around, folder)
    }

    fn write(folder: &Folder, text: &str) -> Result<(), FolderError> {
        folder.write(Name::Keys, text, &folder.lock().expect("free"))
    }

    fn read(folder: &Folder) -> Option<String> {
        folder.read(Name::Keys).expect("readable")
    }

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).expect("there").mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    #[test]
    fn what_was_written_is_read_again_and_nobody_else_reads_it() {
        let (around, folder) = folder();
        assert_eq!(mode_of(&around.path().join("a/b")), 0o700);
        assert_eq!(read(&folder), None);
        for text in [OLD, NEW, ""] {
            write(&folder, text).expect("written");
            assert_eq!(read(&folder).as_deref(), Some(text));
            assert_eq!(mode_of(&folder.path_of(Name::Keys)), 0o600);
        }
        let left = fs::read_dir(&folder.path).expect("readable").count();
        assert_eq!(left, 2, "nothing is left over but the file and that for locks");
    }

    /// Every state in which a power cut leaves the folder while a file is written: what lies beside it, and whether that
    /// was renamed already.
    #[test]
    fn a_power_cut_at_any_byte_of_a_write_leaves_the_old_file_or_the_new_one() {
        for old in [None, Some(OLD)] {
            let (_around, folder) = folder();
            if let Some(old) = old {
                write(&folder, old).expect("written");
            }
            for end in 0..=NEW.len() {
                let next = folder.path.join("keys.next");
                fs::write(&next, &NEW[..end]).expect("written");
                set_mode(&next, 0o644);
                assert_eq!(read(&folder).as_deref(), old, "cut at {end}");
            }
            // What was left over is in nobody's way.
            write(&folder, NEW).expect("written");
            assert_eq!(read(&folder).as_deref(), Some(NEW));
            assert_eq!(mode_of(&folder.path_of(Name::Keys)), 0o600);
            assert!(!folder.path.join("keys.next").exists());
        }
    }

    #[test]
    fn a_file_is_never_written_where_it_is_read() {
        let (_around, folder) = folder();
        write(&folder, OLD).expect("written");
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK).expect("inotify");
        let all = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_DELETE;
        inotify.add_watch(&folder.path, all).expect("watched");
        write(&folder, NEW).expect("written");
        let events = inotify.read_events().expect("events");
        let seen = |name: &str| -> BTreeSet<String> {
            let of_name =
                events.iter().filter(|event| event.name.as_deref() == Some(name.as_ref()));
            of_name
                .map(|event| format!("{:?}", event.mask.iter_names().collect::<Vec<_>>()))
                .collect()
        };
        let only = |flag: &str| seen("keys").iter().all(|mask| mask.contains(flag));
        assert!(!seen("keys").is_empty() && only("IN_MOVED_TO"), "{events:?}");
        assert!(seen("keys.next").iter().any(|mask| mask.contains("IN_MODIFY")), "{events:?}");
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let (_around, folder) = folder();
        write(&folder, OLD).expect("written");
        // No file can be made where a folder is.
        fs::create_dir(folder.path.join("keys.next")).expect("made");
        let error = write(&folder, NEW).expect_err("a folder is there").to_string();
        assert!(
            error.starts_with(&format!("cannot write {}", folder.path_of(Name::Keys).display()))
        );
        assert_eq!(read(&folder).as_deref(), Some(OLD));
    }

    #[test]
    fn a_file_that_others_may_read_or_write_is_refused_with_what_to_type() {
        let (_around, folder) = folder();
        write(&folder, OLD).expect("written");
        let path = folder.path_of(Name::Keys);
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o610] {
            set_mode(&path, mode);
            let said = folder.read(Name::Keys).expect_err("open").to_string();
            let (path, typed, sudo) = (path.display(), shell_path(&path), sudo());
            let expected = format!(
                "{path} is open to other users (mode {mode:o}), so it is not used. Type: {sudo}chmod 600 {typed}"
            );
            assert_eq!(said, expected);
        }
        set_mode(&path, 0o400);
        assert_eq!(read(&folder).as_deref(), Some(OLD));
    }

    #[test]
    fn what_to_type_is_one_word_in_any_folder_and_root_needs_to_type_it() {
        let path = || PathBuf::from("a b/keys");
        let open = FolderError::Open { path: path(), mode: 0o644, expected: 0o600 };
        let foreign = FolderError::Foreign { path: path(), owner: 5, expected: 0 };
        let sudo = if geteuid().is_root() { "sudo " } else { "" };
        for (error, command) in
            [(open, format!("{sudo}chmod 600 '/")), (foreign, "sudo chown 0 '/".to_owned())]
        {
            let said = error.to_string();
            assert!(said.starts_with("a b/keys "), "{said}");
            assert!(said.contains(&format!("{TYPE}{command}")), "{said}");
            assert!(said.ends_with("/a b/keys'"), "{said}");
        }
    }

    #[test]
    fn a_folder_in_which_others_may_write_is_refused() {
        let (_around, folder) = folder();
        for mode in [0o770, 0o707, 0o722] {
            set_mode(&folder.path, mode);
            let said = Folder::open(&folder.path).expect_err("open").to_string();
            assert!(
                said.contains("is open to other users") && said.contains("chmod 700 "),
                "{said}"
            );
        }
        // systemd makes state folders like this.
        set_mode(&folder.path, 0o755);
        Folder::open(&folder.path).expect("nobody else writes");
    }

    #[test]
    fn what_is_no_file_or_too_long_or_no_text_is_refused_and_never_waited_for() {
        let (around, folder) = folder();
        let path = folder.path_of(Name::Keys);
        let refused = |expected: &str| {
            let said = folder.read(Name::Keys).expect_err(expected).to_string();
            assert!(said.contains(expected), "{said}");
        };
        fs::create_dir(&path).expect("made");
        refused("is not a file");
        fs::remove_dir(&path).expect("empty");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("made");
        refused("is not a file");
        fs::remove_file(&path).expect("there");
        let elsewhere = around.path().join("elsewhere");
        fs::write(&elsewhere, OLD).expect("written");
        symlink(&elsewhere, &path).expect("made");
        refused("is not a file");
        // A write replaces the link, not what it leads to.
        write(&folder, &"a".repeat(MAX_LEN)).expect("written");
        assert_eq!(fs::read_to_string(&elsewhere).expect("there"), OLD);
        assert_eq!(read(&folder).map(|text| text.len()), Some(MAX_LEN));
        write(&folder, &"a".repeat(MAX_LEN + 1)).expect("written");
        refused("is damaged, so nobody is let in (it is too long)");
        fs::write(&path, b"caf\xE9").expect("written");
        refused("is damaged, so nobody is let in (it is not UTF-8)");
    }

    #[test]
    fn what_belongs_to_somebody_else_is_refused_and_root_leaves_to_each_what_is_his() {
        if !geteuid().is_root() {
            return; // Only root makes files of other users.
        }
        let (_around, folder) = folder();
        write(&folder, OLD).expect("written");
        let path = folder.path_of(Name::Keys);
        std::os::unix::fs::chown(&path, Some(1234), None).expect("root may");
        let said = folder.read(Name::Keys).expect_err("foreign").to_string();
        let shown = path.display();
        let expected = format!(
            "{shown} belongs to user 1234, not to user 0, so it is not used. Type: sudo chown 0 {shown}"
        );
        assert_eq!(said, expected);
        // The folder of a service's user: what root writes there is that user's.
        std::os::unix::fs::chown(&folder.path, Some(1234), Some(1235)).expect("root may");
        let folder = Folder::open(&folder.path).expect("root may");
        assert_eq!(read(&folder).as_deref(), Some(OLD));
        write(&folder, NEW).expect("written");
        for file in [path, folder.path.join(LOCK)] {
            let about = fs::metadata(file).expect("there");
            assert_eq!((about.uid(), about.gid()), (1234, 1235));
        }
        assert_eq!(read(&folder).as_deref(), Some(NEW));
    }

    #[test]
    fn who_may_only_look_into_the_folder_keeps_nobody_from_changing_files() {
        let (_around, folder) = folder();
        // systemd makes state folders like this.
        set_mode(&folder.path, 0o755);
        let another_user = File::open(&folder.path).expect("everybody may");
        let held = Flock::lock(another_user, FlockArg::LockExclusiveNonblock).expect("free");
        write(&folder, NEW).expect("written");
        assert_eq!(mode_of(&folder.path.join(LOCK)), 0o600, "others cannot open it");
        drop(held);
        // Where others could, they may hold that one.
        set_mode(&folder.path.join(LOCK), 0o644);
        let another_user = File::open(folder.path.join(LOCK)).expect("everybody may");
        let held = Flock::lock(another_user, FlockArg::LockExclusiveNonblock).expect("free");
        write(&folder, OLD).expect("written");
        assert_eq!(mode_of(&folder.path.join(LOCK)), 0o600, "another file, which they cannot open");
        drop(held);
    }

    #[test]
    fn one_changes_files_at_a_time_and_nothing_gets_lost() {
        let (_around, folder) = folder();
        write(&folder, "").expect("written");
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let folder = &folder;
                scope.spawn(move || {
                    for _ in 0..3 {
                        let lock = folder.lock().expect("it gets free");
                        let text = read(folder).expect("there") + &writer.to_string();
                        folder.write(Name::Keys, &text, &lock).expect("written");
                    }
                });
            }
        });
        let text = read(&folder).expect("there");
        assert!((0..3).all(|writer: i32| text.matches(&writer.to_string()).count() == 3), "{text}");
    }

    #[test]
    fn one_has_the_lock_though_many_replace_a_bad_lock_file_at_once() {
        let (_around, folder) = folder();
        let (holders, most, start) = (AtomicUsize::new(0), AtomicUsize::new(0), Barrier::new(4));
        std::thread::scope(|scope| {
            for program in 0..4 {
                let (folder, holders, most, start) = (&folder, &holders, &most, &start);
                scope.spawn(move || {
                    // A round in which two of them meet takes 20 ms.
                    for _ in 0..100 {
                        if program == 0 {
                            let bad = folder.path.join(LOCK);
                            fs::write(&bad, "").expect("written");
                            set_mode(&bad, 0o644);
                        }
                        start.wait();
                        let Ok(lock) = folder.lock() else {
                            start.wait();
                            continue;
                        };
                        let now = holders.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        holders.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                        start.wait();
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 1, "only one at a time");
    }

    #[test]
    fn what_lies_in_the_place_of_the_lock_file_is_replaced_or_named() {
        let (around, folder) = folder();
        let path = folder.path.join(LOCK);
        let elsewhere = around.path().join("elsewhere");
        fs::write(&elsewhere, OLD).expect("written");
        symlink(&elsewhere, &path).expect("made");
        write(&folder, NEW).expect("it has the lock");
        assert!(fs::symlink_metadata(&path).expect("there").is_file());
        assert_eq!(fs::read_to_string(&elsewhere).expect("there"), OLD);
        fs::remove_file(&path).expect("there");
        std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        write(&folder, OLD).expect("it has the lock");
        fs::remove_file(&path).expect("there");
        fs::create_dir(&path).expect("made");
        let said = folder.lock().expect_err("a folder").to_string();
        let expected = format!("{} is not a file, so it is not used. Move it away", path.display());
        assert_eq!(said, expected);
    }

    #[test]
    fn who_could_make_no_lock_file_changes_nothing_later() {
        let (around, folder) = folder();
        for above in [around.path().to_owned(), around.path().join("a")] {
            set_mode(&above, 0o755);
        }
        // Root may write anywhere, so another user tries to take the lock.
        let user = if geteuid().is_root() { 1234 } else { geteuid().as_raw() };
        if geteuid().is_root() {
            std::os::unix::fs::chown(&folder.path, Some(user), None).expect("root may");
        }
        let folder = Folder::open(&folder.path).expect("ours");
        set_mode(&folder.path, 0o500);
        let lock = std::thread::scope(|scope| {
            let as_user = scope.spawn(|| {
                nix::unistd::setfsuid(user.into());
                folder.lock()
            });
            as_user.join().expect("no panic").expect("there is nothing to wait for")
        });
        set_mode(&folder.path, 0o700);
        let other = folder.lock().expect("free");
        folder.write(Name::Keys, NEW, &other).expect("it has the lock");
        let said = folder.write(Name::Keys, OLD, &lock).expect_err("it has none").to_string();
        let path = folder.path_of(Name::Keys);
        let expected = format!("cannot write {}: Permission denied", path.display());
        assert_eq!(said, expected);
        assert_eq!(read(&folder).as_deref(), Some(NEW));
    }

    #[test]
    fn a_file_that_was_replaced_has_another_stamp() {
        let (_around, folder) = folder();
        assert_eq!(folder.stamp(Name::Keys), None);
        write(&folder, NEW).expect("written");
        let before = folder.stamp(Name::Keys);
        assert_eq!(folder.stamp(Name::Keys), before);
        write(&folder, NEW).expect("written");
        assert_ne!(folder.stamp(Name::Keys), before);
    }

    #[test]
    fn the_folder_is_where_somebody_says_or_where_state_belongs() {
        let place = |given: Option<&str>, variables: &[(&str, &str)]| {
            let variable = |name: &str| {
                let found = variables.iter().find(|(it, _)| *it == name);
                found.map(|(_, value)| OsString::from(value))
            };
            place(given.map(Path::new), variable).ok()
        };
        let service = ("STATE_DIRECTORY", "/var/lib/lancam:/var/lib/other");
        let home = ("HOME", "/home/pi");
        let is = |path: &str| Some(PathBuf::from(path));
        assert_eq!(place(Some("x"), &[service, home]), is("x"));
        assert_eq!(place(None, &[service, home]), is("/var/lib/lancam"));
        if geteuid().is_root() {
            assert_eq!(place(None, &[home, ("STATE_DIRECTORY", "")]), is("/var/lib/lancam"));
            return;
        }
        assert_eq!(place(None, &[home]), is("/home/pi/.local/state/lancam"));
        assert_eq!(place(None, &[home, ("XDG_STATE_HOME", "/s")]), is("/s/lancam"));
        assert_eq!(
            place(None, &[home, ("XDG_STATE_HOME", "s")]),
            is("/home/pi/.local/state/lancam")
        );
        assert_eq!(place(None, &[]), None);
    }
}
