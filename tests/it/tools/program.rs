//! Runs other programs, and makes stand-ins for them.

use crate::tools::skip::skip;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

/// Runs a program that may be missing. `None`, reported as a skip, if it is.
pub fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.map_err(|error| skip(program, &error.to_string())).ok()
}

/// Runs a program that must exist and succeed.
#[track_caller]
pub fn succeeds(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    output
}

/// Writes a shell script `name` into a folder. Returns a `PATH` on which it comes first.
pub fn stand_in(folder: &Path, name: &str, lines: &str) -> String {
    let program = folder.join(name);
    fs::write(&program, format!("#!/bin/sh\n{lines}\n")).expect("writes");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("allowed");
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", folder.display())
}

/// A Python with these versions of these packages from PyPI, kept between runs. `None`, reported as a skip, if it cannot be
/// installed.
pub fn python_with(packages: &[(&str, &str)]) -> Option<PathBuf> {
    // Tests run in parallel. One installs, the others wait and find it.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let each = |join: fn(&(&str, &str)) -> String| packages.iter().map(join).collect::<Vec<_>>();
    let name = each(|(package, version)| format!("{package}-{version}")).join("-");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = folder.join("bin/python");
    let checks = each(|(package, version)| format!("assert version('{package}') == '{version}'"));
    let check = format!("from importlib.metadata import version; {}", checks.join("; "));
    let has_them = Command::new(&python).args(["-c", &check]).output();
    if has_them.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
    let installed = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(each(|(package, version)| format!("{package}=={version}")))
        .output();
    for step in [made, installed] {
        let reason = match step {
            Ok(output) if output.status.success() => continue,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        let what = each(|(package, version)| format!("{package} {version}")).join(", ");
        skip(&what, reason.lines().last().unwrap_or_default());
        return None;
    }
    Some(python)
}
