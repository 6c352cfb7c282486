//! The camera's code on the card: it leaves the boot partition if its owner wrote it there, and is told there if nobody did.

use super::files::{self, Access};
use super::options::Options;
use super::{Found, Source, secrets};
use crate::settings::code::{BLANK, WrittenCode};
use crate::wire::access::code::Code;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// Where lancam reads the code, in its folder.
const KEPT: &str = "code";

/// The file on the boot partition that is for owners without a screen. On a new card it begins with [`BLANK`], whose place a
/// code takes, byte for byte.
const TOLD: &str = "code.txt";

impl Found {
    /// Moves the code that the owner wrote to lancam's folder. When the card has it there, its place on the boot partition
    /// is overwritten.
    pub(super) fn keep_code(&mut self, options: &Options) {
        let mut kept = kept(&options.state);
        let written = self.wishes.code.as_ref();
        if let Some(code) = written.and_then(|written| to_be_kept(written, kept.as_ref())) {
            if let Err(error) = keep(&options.state, &code) {
                let path = options.state.display();
                return self.complain(format!(
                    "the code in lancam.toml is not used, and stays where any PC can read it: {path}: {error}"
                ));
            }
            kept = Some(code);
        }
        let Some(kept) = kept else { return self.miss_code(options) };
        // A folder in memory has it until the power goes. So it is needed again at the next start.
        if are_on_one_disk(&options.state, &options.data) {
            let place = |source: &Source| source.code.as_ref().and_then(|it| place(it, &kept));
            self.write_over(&options.boot, "the code", |source| {
                place(source).into_iter().collect()
            });
        }
    }

    /// The file may say that a camera has the code, and this one does not: it is the file of another card. Its place becomes that
    /// of a new card again, so that the file for owners without a screen tells the code that lancam makes.
    fn miss_code(&mut self, options: &Options) {
        let code = |source: &Source| source.code.clone().filter(WrittenCode::is_moved);
        let mut moved = self.sources.iter().filter_map(|it| Some((it, code(it)?)));
        let Some((source, code)) = moved.next() else { return };
        // A code that cannot be read may be readable again at the next start.
        let is_there = fs::symlink_metadata(options.state.join(KEPT)).is_ok();
        if is_there || !are_on_one_disk(&options.state, &options.data) {
            return;
        }
        let name = source.meant.file.clone();
        let then = match blank(&options.boot, source, &code) {
            Ok(()) => format!("{TOLD} tells the one that it makes now"),
            Err(_) => {
                format!("Delete the line with the code, and {TOLD} tells the one that it makes now")
            }
        };
        self.complain(format!(
            "{name}: this camera does not have the code that was moved out of this file. {then}"
        ));
    }

    /// Writes the code that the camera made into a file on the boot partition, for owners without a screen. Not if they
    /// chose one: then they know it.
    pub(super) fn tell_code(&self, options: &Options) {
        let Some(code) = kept(&options.state).filter(|_| self.wishes.code.is_none()) else {
            return;
        };
        match tell(&options.boot, &code.shown()) {
            Ok(Told::Now) => {
                log::info!("wrote the camera's code into {TOLD} on the boot partition");
            }
            Ok(Told::Before) => {}
            Err(error) => log::warn!("{TOLD} does not tell the camera's code: {error}"),
        }
    }
}

/// The code that lancam has; `None` if it has none that can be read.
fn kept(state: &Path) -> Option<Code> {
    let path = state.join(KEPT);
    // A pipe in its place would make this wait.
    if !fs::symlink_metadata(&path).is_ok_and(|about| about.is_file()) {
        return None;
    }
    Code::parse(fs::read_to_string(path).ok()?.lines().next()?).ok()
}

/// The code that lancam does not have yet.
fn to_be_kept(written: &WrittenCode, kept: Option<&Code>) -> Option<Code> {
    let code = written.code()?;
    let is_known = |kept: &Code| code.is(kept) || written.is_half_moved(kept);
    (!kept.is_some_and(is_known)).then_some(code)
}

/// Writes the code where lancam reads it, and returns when it is synced to the card. lancam adds how it is hashed.
fn keep(state: &Path, code: &Code) -> io::Result<()> {
    files::folder(state, Access::Root)?;
    files::put(&state.join(KEPT), &(code.shown() + "\n"), Access::Folder)?;
    fs::File::open(state)?.sync_all()
}

/// Where the code that lancam has stands in a file, whole or in part.
fn place(written: &WrittenCode, kept: &Code) -> Option<std::ops::Range<usize>> {
    let is_it = written.code().is_some_and(|code| code.is(kept)) || written.is_half_moved(kept);
    is_it.then(|| written.at.clone())
}

/// Overwrites what stands in the place of a code with what a new card has there.
fn blank(boot: &Path, source: &Source, code: &WrittenCode) -> io::Result<()> {
    let text = &source.text;
    if text.room(&code.at) != BLANK.len() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let at = u64::try_from(text.in_file(&code.at).start).map_err(io::Error::other)?;
    secrets::writable(boot, || {
        let file = OpenOptions::new().write(true).open(boot.join(&source.meant.file))?;
        file.write_all_at(&text.encode(BLANK), at)?;
        file.sync_all()
    })
}

/// Whether what is written into one folder stays as long as what is written into the other.
fn are_on_one_disk(one: &Path, other: &Path) -> bool {
    let disk = |path: &Path| fs::metadata(path).map(|about| about.dev()).ok();
    disk(one).is_some_and(|one| disk(other) == Some(one))
}

/// Whether something had to be written.
enum Told {
    Now,
    Before,
}

/// Whether the file is missing, or too short for a code.
fn is_no_place(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof)
}

/// Writes the code over the place for it at the beginning of the file. Without such a file or place, does nothing.
fn tell(boot: &Path, code: &str) -> io::Result<Told> {
    let path = boot.join(TOLD);
    let mut there = [0; BLANK.len()];
    match fs::File::open(&path).and_then(|mut file| file.read_exact(&mut there)) {
        Err(error) if is_no_place(&error) => return Ok(Told::Before),
        read => read?,
    }
    let there = std::str::from_utf8(&there).ok();
    let is_place = |there: &&str| *there == BLANK || Code::parse(there).is_ok();
    if there.filter(is_place).is_none_or(|there| there == code) {
        return Ok(Told::Before);
    }
    secrets::writable(boot, || {
        let file = OpenOptions::new().write(true).open(&path)?;
        file.write_all_at(code.as_bytes(), 0)?;
        file.sync_all()
    })?;
    Ok(Told::Now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        Code::parse(text).expect("a code")
    }

    #[test]
    fn a_code_is_kept_for_whoever_owns_the_folder_and_nobody_else_reads_it() {
        let around = tempfile::tempdir().expect("a folder");
        let state = around.path().join("state");
        assert!(kept(&state).is_none());
        keep(&state, &code("k7qm-2xpd-9hrt")).expect("written");
        assert_eq!(fs::read_to_string(state.join("code")).expect("there"), "K7QM-2XPD-9HRT\n");
        let about = |path: &Path| fs::metadata(path).expect("there");
        assert_eq!(about(&state).mode() & 0o777, 0o700);
        assert_eq!(about(&state.join("code")).mode() & 0o777, 0o600);
        // As lancam writes it.
        let text = "K7QM-2XPD-9HRT\nsalt 000102030405060708090a0b0c0d0e0f iterations 100000\n";
        fs::write(state.join("code"), text).expect("written");
        assert!(kept(&state).is_some_and(|it| it.is(&code("K7QM-2XPD-9HRT"))));
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&state, Some(1234), Some(1235)).expect("root may");
            keep(&state, &code("0000-1111-2222")).expect("written");
            let about = about(&state.join("code"));
            assert_eq!((about.uid(), about.gid()), (1234, 1235));
        }
    }

    #[test]
    fn a_damaged_file_or_none_has_no_code() {
        let state = tempfile::tempdir().expect("a folder");
        for text in ["", "\n", "K7QM", "\0\0\0\0", "salt 00 iterations 1\n"] {
            fs::write(state.path().join("code"), text).expect("written");
            assert!(kept(state.path()).is_none(), "{text:?}");
        }
        fs::remove_file(state.path().join("code")).expect("there");
        nix::unistd::mkfifo(&state.path().join("code"), nix::sys::stat::Mode::S_IRWXU)
            .expect("made");
        assert!(kept(state.path()).is_none());
    }

    #[test]
    fn a_code_is_told_in_its_place_alone() {
        let boot = tempfile::tempdir().expect("a folder");
        let path = boot.path().join(TOLD);
        let tell = |code: &str| tell(boot.path(), code).expect("written");
        assert!(matches!(tell("K7QM-2XPD-9HRT"), Told::Before) && !path.exists());
        for (before, after) in [
            ("____-____-____ is this camera's code.\n", "K7QM-2XPD-9HRT is this camera's code.\n"),
            ("0000-1111-2222\n", "K7QM-2XPD-9HRT\n"),
            ("K7QM-2XPD-9HRT\n", "K7QM-2XPD-9HRT\n"),
            ("Shopping list: milk\n", "Shopping list: milk\n"),
            ("____", "____"),
            ("", ""),
        ] {
            fs::write(&path, before).expect("written");
            let is_new = matches!(tell("K7QM-2XPD-9HRT"), Told::Now);
            assert_eq!(fs::read_to_string(&path).expect("there"), after);
            assert_eq!(is_new, before != after, "{before}");
        }
    }
}
