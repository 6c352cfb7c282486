//! How this program is typed in a shell.

use crate::wording::shell_path;
use nix::unistd::{AccessFlags, access};
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The name that the package gives to this program.
const PLAIN: &str = "lancam";

/// This program as a shell takes it: its plain name, or where it is if a shell does not find that name.
pub(super) fn program() -> String {
    typed(env::args_os().next(), env::var_os("PATH").as_deref())
}

/// The same for a program that was started as `called`.
fn typed(called: Option<OsString>, path: Option<&OsStr>) -> String {
    let called = called.filter(|name| Path::new(name).components().count() > 1);
    let mut folders = env::split_paths(path.unwrap_or_default());
    match called {
        Some(called) if !folders.any(|it| access(&it.join(PLAIN), AccessFlags::X_OK).is_ok()) => {
            shell_path(Path::new(&called))
        }
        _ => PLAIN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_program_that_no_shell_finds_by_its_name_is_typed_with_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("my programs");
        fs::create_dir(&path).expect("made");
        let typed = |called: &str| typed(Some(called.into()), Some(path.as_os_str()));
        assert_eq!(typed("/home/pi/lancam-armv6"), "/home/pi/lancam-armv6");
        assert_eq!(typed("/home/my pi/lancam"), "'/home/my pi/lancam'");
        let here = typed("./lancam");
        assert!(here.trim_start_matches('\'').starts_with('/'), "{here}");
        // Who types a name alone has it on the path.
        assert_eq!(typed("lancam"), "lancam");

        let installed = path.join("lancam");
        fs::write(&installed, "").expect("written");
        fs::set_permissions(&installed, fs::Permissions::from_mode(0o755)).expect("set");
        assert_eq!(typed("/usr/bin/lancam"), "lancam");
    }
}
