//! Keeps secrets on the camera's own partition, and overwrites them on the boot partition, which any PC can read.
//!
//! A secret is written here and synced to the card before its place on the boot partition is overwritten. So there is no
//! moment at which it is in neither place. It is overwritten, not deleted, because deleted data can still be read.

use super::files::{Access, put};
use super::text::Text;
use crate::settings::moved::text as moved_text;
use crate::settings::wishes::{Secret, Ssid};
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::fs::{self, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Secrets by network.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Secrets {
    /// Each network's name in hexadecimal digits, and its secret.
    entries: Vec<(String, Secret)>,
}

impl Secrets {
    /// Reads the file: one line per network with its name in hexadecimal digits, a space and the secret. A missing file is
    /// empty.
    ///
    /// # Errors
    /// As the file system reports them.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes?,
        };
        // A line damaged by a worn card is skipped; the others are used.
        let lines = bytes.split(|&byte| byte == b'\n');
        let lines = lines.filter_map(|line| std::str::from_utf8(line).ok());
        let entry = |line: &str| {
            let (ssid, secret) = line.split_once(' ')?;
            Some((ssid.to_owned(), Secret::parse(secret).ok()?))
        };
        Ok(Self { entries: lines.filter_map(entry).collect() })
    }

    /// The secret of a network.
    pub(super) fn get(&self, ssid: &Ssid) -> Option<&Secret> {
        let hex = ssid.hex();
        self.entries.iter().find(|(name, _)| *name == hex).map(|(_, secret)| secret)
    }

    /// Adds or replaces the secret of a network. A half-overwritten secret does not replace the one that is here.
    pub(super) fn take(&mut self, ssid: &Ssid, secret: &Secret) {
        let Some(text) = secret.text() else { return };
        if self.get(ssid).and_then(Secret::text).is_some_and(|had| is_half_moved(text, had)) {
            return;
        }
        let hex = ssid.hex();
        self.entries.retain(|(name, _)| *name != hex);
        self.entries.push((hex, secret.clone()));
    }

    /// Writes the file if it has changed, and returns when it is synced to the card.
    ///
    /// # Errors
    /// As the file system reports them.
    pub(super) fn keep(&self, path: &Path) -> io::Result<()> {
        match Self::read(path) {
            Ok(kept) if kept == *self => return Ok(()),
            // The file may be readable again next time.
            Err(_) if self.entries.is_empty() => return Ok(()),
            _ => {}
        }
        let line = |(ssid, secret): &(String, Secret)| {
            format!("{ssid} {}\n", secret.text().unwrap_or_default())
        };
        put(path, &self.entries.iter().map(line).collect::<String>(), Access::Root)?;
        fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
    }
}

/// Whether `found` is `had` with a part overwritten: a power cut may come between two sectors of a file.
fn is_half_moved(found: &str, had: &str) -> bool {
    let moved = moved_text(had.len());
    let mut letters = found.bytes().zip(had.bytes().zip(moved.bytes()));
    found.len() == had.len() && letters.all(|(it, (had, moved))| it == had || it == moved)
}

/// Overwrites these ranges of a file's text, keeping their lengths.
///
/// # Errors
/// As the file system reports them.
pub(super) fn write_over(path: &Path, text: &Text, places: &[Range<usize>]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    for place in places {
        let (at, bytes) = moved(text, place);
        file.write_all_at(&bytes, u64::try_from(at).map_err(io::Error::other)?)?;
    }
    file.sync_all()
}

/// The bytes that overwrite a range of a file's text, and their position in the file.
pub(super) fn moved(text: &Text, place: &Range<usize>) -> (usize, Vec<u8>) {
    (text.in_file(place).start, text.encode(&moved_text(text.room(place))))
}

/// Runs `act` on a folder whose file system may be mounted read-only, and restores that.
///
/// # Errors
/// From the kernel, or from `act`.
pub(super) fn writable(folder: &Path, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let is_so = statvfs(folder)?.flags();
    if !is_so.contains(FsFlags::ST_RDONLY) {
        return act();
    }
    // A remount sets all of these flags anew.
    let kept = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
    ];
    let kept = kept.iter().filter(|(flag, _)| is_so.contains(*flag)).map(|(_, keeps)| *keeps);
    let kept = MsFlags::MS_REMOUNT | kept.collect::<MsFlags>();
    let remount =
        |more: MsFlags| mount(None::<&str>, folder, None::<&str>, kept | more, None::<&str>);
    remount(MsFlags::empty())?;
    let done = act();
    remount(MsFlags::MS_RDONLY)?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssid(name: &str) -> Ssid {
        Ssid::parse(name.as_bytes()).expect("a name")
    }

    fn secret(text: &str) -> Secret {
        Secret::parse(text).expect("a secret")
    }

    #[test]
    fn what_was_kept_is_there_again_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wifi");
        let mut secrets = Secrets::read(&path).expect("nothing yet");
        for (name, text) in [("a b", "one #\"\\ one"), ("\n", "twotwotwo"), ("a b", "three three")]
        {
            secrets.take(&ssid(name), &secret(text));
        }
        secrets.take(&ssid("open"), &Secret::Open);
        secrets.keep(&path).expect("writes");
        assert_eq!(Secrets::read(&path).expect("reads"), secrets);
        assert_eq!(secrets.get(&ssid("a b")), Some(&secret("three three")));
        assert_eq!(secrets.entries.len(), 2);
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).expect("there"));
        assert_eq!(mode & 0o777, 0o600);

        // With one damaged line, the other lines are read. A file that cannot be read does not count as empty.
        let kept = fs::read(&path).expect("reads");
        fs::write(&path, [b"61 \xffspoilt spoilt\n", kept.as_slice()].concat()).expect("writes");
        let spoilt = Secrets::read(&path).expect("reads");
        assert_eq!(spoilt.get(&ssid("a b")), Some(&secret("three three")));
        assert!(Secrets::read(folder.path()).is_err());
    }

    #[test]
    fn a_secret_that_is_half_written_over_does_not_replace_the_whole_one() {
        let whole = "0123456789abcdef".repeat(4);
        let mut secrets = Secrets::default();
        secrets.take(&ssid("a"), &secret(&whole));
        let moved = moved_text(whole.len());
        for cut in 1..whole.len() {
            for half in [
                format!("{}{}", &moved[..cut], &whole[cut..]),
                format!("{}{}", &whole[..cut], &moved[cut..]),
            ] {
                if let Ok(half) = Secret::parse(&half) {
                    secrets.take(&ssid("a"), &half);
                }
                assert_eq!(secrets.get(&ssid("a")), Some(&secret(&whole)), "{half}");
            }
        }
        secrets.take(&ssid("a"), &secret("another one"));
        assert_eq!(secrets.get(&ssid("a")), Some(&secret("another one")));
    }
}
