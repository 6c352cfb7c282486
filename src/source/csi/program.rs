//! Finds the program that drives ribbon cameras.

use crate::source::{SourceError, Trouble};
use crate::wording::{TYPE, shell_path};
use nix::unistd::{AccessFlags, access};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Raspberry Pi OS has the first one since Bookworm, and the second one on Bullseye.
const NAMES: [&str; 2] = ["rpicam-vid", "libcamera-vid"];

/// The usual folders of programs. A service may have no `PATH`.
const USUAL: &str = "/usr/local/bin:/usr/bin:/bin";

/// The program that the owner named, or the first one on the path.
///
/// # Errors
/// What to install, or what is wrong with what is there.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, SourceError> {
    let path = std::env::var_os("PATH").filter(|path| !path.is_empty());
    find_on(named, path.as_deref().unwrap_or(OsStr::new(USUAL)))
}

fn find_on(named: Option<&Path>, path: &OsStr) -> Result<PathBuf, SourceError> {
    let found = match named {
        None => first_on(path, &NAMES.map(Path::new)),
        // As in a shell, a name without a folder is looked up on the path.
        Some(named) if named.parent() == Some(Path::new("")) => first_on(path, &[named]),
        Some(named) => Some(named.to_owned()).filter(|program| program.is_file()),
    };
    match (found, named) {
        (Some(program), _) => runnable(&program),
        (None, Some(named)) => {
            let named = named.display();
            let text = format!("there is no program {named}, which --csi-program names");
            Err(SourceError::new(Trouble::NoCamera, text))
        }
        (None, None) => Err(SourceError::new(
            Trouble::NoCamera,
            "a ribbon camera needs the program rpicam-vid, which is not installed. On Raspberry Pi OS type: \
             sudo apt install rpicam-apps-lite",
        )),
    }
}

/// The first file with one of these names in the folders of `path`. The first name is looked for in all of them first.
fn first_on(path: &OsStr, names: &[&Path]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
    let mut all = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|program| program.is_file())
}

fn runnable(program: &Path) -> Result<PathBuf, SourceError> {
    if access(program, AccessFlags::X_OK).is_ok() {
        return Ok(program.to_owned());
    }
    Err(SourceError::new(
        Trouble::Denied,
        format!(
            "{} may not be executed by this user. {TYPE}sudo chmod +x {}",
            program.display(),
            shell_path(program)
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_newer_program_is_preferred_and_one_that_cannot_be_run_is_told() {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let path = std::env::join_paths([first.path(), second.path()]).expect("a path");
        let missing = find_on(None, &path).expect_err("nothing is there");
        assert_eq!(missing.trouble, Trouble::NoCamera);
        assert!(missing.message.contains("apt install rpicam-apps-lite"), "{missing}");

        let put = |folder: &tempfile::TempDir, name: &str| {
            let program = folder.path().join(name);
            fs::write(&program, "#!/bin/sh\n").expect("written");
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
            program
        };
        let older = put(&first, "libcamera-vid");
        assert_eq!(find_on(None, &path), Ok(older.clone()));
        let newer = put(&second, "rpicam-vid");
        assert_eq!(find_on(None, &path), Ok(newer.clone()));
        assert_eq!(find_on(Some(Path::new("libcamera-vid")), &path), Ok(older.clone()));
        assert_eq!(find_on(Some(&older), &path), Ok(older));

        fs::set_permissions(&newer, fs::Permissions::from_mode(0o644)).expect("set");
        let closed = find_on(None, &path).expect_err("not executable");
        // root may not execute it either.
        assert_eq!(closed.trouble, Trouble::Denied);
        assert!(closed.message.contains("chmod +x"), "{closed}");
        let blank = first.path().join("my rpicam-vid");
        fs::write(&blank, "").expect("written");
        let closed = find_on(Some(&blank), &path).expect_err("not executable");
        let typed = format!("{TYPE}sudo chmod +x '{}'", blank.display());
        assert!(closed.message.ends_with(&typed), "{closed}");
        let gone = find_on(Some(Path::new("/nowhere")), &path).expect_err("is not there");
        assert!(gone.message.contains("/nowhere"), "{gone}");
    }
}
