//! The right to change the files in the folder, which one program has at a time.

use super::{Folder, FolderError, is_another_kind, passes, remove};
use nix::fcntl::{Flock, FlockArg, OFlag};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long somebody else may take to change a file.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How long somebody else may take to replace the file for locks.
const TURN: Duration = Duration::from_millis(500);

/// How often to look whether that is done.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The file in the folder that a program locks while it changes another one. It is empty, and its owner's alone: other users who
/// may look into the folder could hold a lock of the folder itself for ever.
pub(super) const LOCK: &str = "lock";

/// The right to change files. A program reads a file before it changes it, so that nothing gets lost of what another wrote.
#[derive(Debug)]
pub struct Lock {
    /// The lock, given back when it is dropped. Or why no file can be made for it: then no other can be written either.
    held: Result<Flock<File>, nix::Error>,
}

impl Lock {
    /// Whether files can be written with it.
    ///
    /// # Errors
    /// Why not: no file could be made when it was taken.
    pub(super) fn allows_writing(&self) -> io::Result<()> {
        self.held.as_ref().map(|_| ()).map_err(|why| (*why).into())
    }
}

impl Folder {
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

    /// The lock of the folder itself. Only who replaces the lock file takes it. Others who may look into the folder can hold
    /// it for ever, so after [`TURN`] the file is replaced without it.
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
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::super::tests::{NEW, OLD, folder, mode_of, read, set_mode, write};
    use super::*;
    use nix::unistd::geteuid;
    use std::os::unix::fs::symlink;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

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
}
