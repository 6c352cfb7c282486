//! The folder where the camera keeps its secrets: read and written so that neither a stranger nor a power cut changes who
//! is let in.
//!
//! A file is written beside its place, synced, and then renamed. So after a power cut the old file is there or the new one,
//! and never a part. What is not read here is a refusal: no error in a file opens the camera.

mod lock;

pub use lock::Lock;

use super::service::{of_service, sudo};
use crate::wording::{TYPE, reason, shell_path};
use nix::fcntl::OFlag;
use nix::unistd::geteuid;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// More than the longest of these files has: the list of as many keys as there may be, with the longest names.
pub const MAX_LEN: usize = 256 << 10;

/// Where the folder is unless somebody says so, for root.
pub const OF_ROOT: &str = "/var/lib/lancam";

/// Where it is in the home of a user, who may say otherwise with XDG_STATE_HOME.
pub const OF_USER: &str = ".local/state/lancam";

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
    #[error("another lancam has been changing {} for {} s. End it if it hangs", .path.display(), lock::PATIENCE.as_secs())]
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
    let state = state.map(|it| it.join("lancam"));
    let state = state.or_else(|| Some(of_variable("HOME")?.join(OF_USER)));
    state.ok_or(FolderError::Nowhere)
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
        lock.allows_writing().map_err(failed)?;
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

    pub(super) const OLD: &str = "old, and longer than the new one\n";
    pub(super) const NEW: &str = "new\n";

    /// A folder as lancam makes it, inside of one that goes away.
    pub(super) fn folder() -> (tempfile::TempDir, Folder) {
        let around = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(&around.path().join("a/b")).expect("made");
        (around, folder)
    }

    pub(super) fn write(folder: &Folder, text: &str) -> Result<(), FolderError> {
        folder.write(Name::Keys, text, &folder.lock().expect("free"))
    }

    pub(super) fn read(folder: &Folder) -> Option<String> {
        folder.read(Name::Keys).expect("readable")
    }

    pub(super) fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).expect("there").mode() & 0o777
    }

    pub(super) fn set_mode(path: &Path, mode: u32) {
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
        for file in [path, folder.path.join(lock::LOCK)] {
            let about = fs::metadata(file).expect("there");
            assert_eq!((about.uid(), about.gid()), (1234, 1235));
        }
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
