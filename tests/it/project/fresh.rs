//! Machines that never built lancam: what `.ci/run` leaves in their cargo home, and what a build needs of
//! them.

use crate::tools::program::stand_in;
use crate::tools::skip::skip;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The project's folder.
const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Runs `.ci/run` with this cargo home and with `make` in place of its `make test`. Returns the lines that it
/// printed and whether it succeeded.
fn ci_run(home: &Path, make: &str) -> (Vec<String>, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("target");
    fs::create_dir(&target).expect("made");
    let made = "touch \"$CARGO_TARGET_DIR/skipped-tests\" \"$CARGO_TARGET_DIR/test-summary\"";
    let path = stand_in(folder.path(), "make", &format!("{made}\n{make}"));
    let mut run = Command::new(Path::new(HERE).join(".ci/run"));
    run.env("PATH", path).env("CARGO_HOME", home).env("CARGO_TARGET_DIR", &target);
    let output = run.output().expect("it is executable");
    let said = String::from_utf8_lossy(&output.stdout);
    (said.lines().map(str::to_owned).collect(), output.status.success())
}

#[test]
fn ci_has_a_cargo_home_of_its_own_that_goes_away_again() {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(home.path().join("registry/cache")).expect("made");
    let (said, is_well) = ci_run(home.path(), "echo \"$CARGO_HOME\"; ls -A \"$CARGO_HOME\"");
    assert!(is_well, "{said:?}");
    assert_eq!(said.len(), 1, "nothing is in it: {said:?}");
    assert_ne!(Path::new(&said[0]), home.path());
    assert!(!Path::new(&said[0]).exists(), "{said:?}");

    // A machine on which cargo never ran.
    let (said, is_well) = ci_run(&home.path().join("none"), "ls -A \"$CARGO_HOME\"");
    assert!(is_well && said.is_empty(), "{said:?}");
}

#[test]
fn ci_keeps_the_registries_and_the_rust_of_the_machine() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("config.toml"), "[net]\nretry = 7\n").expect("writes");
    fs::create_dir(home.path().join("bin")).expect("made");
    stand_in(&home.path().join("bin"), "rustc", "echo of this home");
    let (said, is_well) = ci_run(home.path(), "cat \"$CARGO_HOME/config.toml\"; rustc");
    assert!(is_well, "{said:?}");
    assert_eq!(said, ["[net]", "retry = 7", "of this home"]);
}

#[test]
fn ci_fails_as_make_does_and_on_a_skip_that_is_not_listed() {
    let home = tempfile::tempdir().expect("a folder");
    let (_, is_well) = ci_run(home.path(), "exit 2");
    assert!(!is_well, "make has failed");
    let skips = |line: &str| {
        ci_run(home.path(), &format!("echo '{line}' >\"$CARGO_TARGET_DIR/skipped-tests\""))
    };
    let (said, is_well) = skips("skipped: sessions::stream::colours: djpeg: not installed");
    assert!(!is_well && said[0].starts_with("not in .ci/allowed-skips"), "{said:?}");
    let (said, is_well) = skips("skipped: discovery::found::two_cameras: namespaces: not allowed");
    assert!(is_well, "{said:?}");
}

/// A cargo home with only the crates for this machine's programs.
fn crates_of_this_machine() -> Option<TempDir> {
    let home = tempfile::tempdir().expect("a folder");
    let used = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let used = used.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    if let Some(config) = used.map(|used| used.join("config.toml")).filter(|it| it.exists()) {
        fs::copy(config, home.path().join("config.toml")).expect("copies");
    }
    let host = host();
    let mut fetch = cargo_in(home.path());
    let output = fetch.args(["fetch", "--locked", "--target", &host]).output().expect("cargo runs");
    if !output.status.success() {
        skip("crates", String::from_utf8_lossy(&output.stderr).trim());
        return None;
    }
    Some(home)
}

fn cargo_in(home: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(HERE).env("CARGO_HOME", home);
    cargo
}

/// Rust's name for this machine.
fn host() -> String {
    let said = Command::new("rustc").arg("-vV").output().expect("rustc runs").stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names it").to_owned()
}

#[test]
fn licences_are_gathered_where_no_crate_of_another_system_is() {
    let Some(home) = crates_of_this_machine() else { return };
    // Without this check, the test could prove nothing.
    let mut everything = cargo_in(home.path());
    everything.args(["metadata", "--locked", "--offline", "--format-version", "1"]);
    assert!(!everything.output().expect("cargo runs").status.success(), "Windows' crates are here");

    for (features, inside) in [("camera", "v4l "), ("viewer", "minifb ")] {
        let mut licences = Command::new(Path::new(HERE).join("cross/deb/copyright.py"));
        licences.args([features, &host()]).env("CARGO_HOME", home.path());
        let output = licences.env("CARGO_NET_OFFLINE", "true").output().expect("it is executable");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.lines().any(|line| line.starts_with(inside)), "{said}");
        assert!(!said.contains("windows"), "of another system");
    }
}

#[test]
fn each_target_has_the_licences_of_its_own_crates() {
    let crates = |features: &str, target: &str| {
        let mut tree = Command::new(Path::new(HERE).join("cross/deb/copyright.py"));
        let output = tree.args([features, target]).output().expect("it is executable");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(said)
    };
    let Some(windows) = crates("viewer", "x86_64-pc-windows-gnu") else {
        return skip("crates", "those of Windows cannot be had");
    };
    assert!(windows.contains("\nwindows-sys "), "{windows}");
    let linux = crates("viewer", "x86_64-unknown-linux-gnu").expect("they are built here");
    assert!(linux.contains("\nx11-dl ") && !linux.contains("\nwindows-sys "), "{linux}");
}

/// Runs a command in a fresh clone of this commit on a bare Debian, in a container. Returns its output and
/// whether it succeeded. `None` if this machine cannot run a container, which counts as a skip.
fn in_a_bare(suite: &str, keep: &Path, network: &str, command: &[&str]) -> Option<(String, bool)> {
    // It may take hours if others use the machine.
    let mut bare = Command::new("timeout");
    bare.args(["--kill-after=30", "10800"]).arg(Path::new(HERE).join("cross/rig/bare.sh"));
    bare.arg(suite).args(command).env("BARE_KEEP", keep).env("BARE_NETWORK", network);
    let output = bare.stdin(Stdio::null()).output().expect("timeout is there");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.code() == Some(77) {
        skip(suite, said.trim_end().lines().last().unwrap_or_default());
        return None;
    }
    Some((said, output.status.success()))
}

/// A folder for the container's files, which are gigabytes, on the disk of the builds.
fn room() -> TempDir {
    let rig = Path::new(HERE).join("target/rig");
    fs::create_dir_all(&rig).expect("made");
    tempfile::tempdir_in(rig).expect("a folder")
}

/// The last 40 lines.
fn end(said: &str) -> String {
    let lines: Vec<_> = said.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Runs several commands in the same bare Debian, as a newcomer types them.
#[track_caller]
fn works_in_a_bare(suite: &str, commands: &[(&str, &str)]) {
    let room = room();
    let root = room.path().join("root");
    for (target, network) in commands {
        let Some((said, is_well)) = in_a_bare(suite, &root, network, &["make", target]) else {
            return;
        };
        let last = end(&said);
        println!("{last}");
        assert!(is_well, "make {target}: {last}");
        match *target {
            "run" => {
                let figures = said.lines().find(|line| line.starts_with("{\"frames\":"));
                let figures = figures.unwrap_or_else(|| panic!("no figures: {last}"));
                assert!(!figures.starts_with("{\"frames\":0,"), "{figures}");
                assert!(said.contains("The last picture: "), "{last}");
            }
            "test" => {
                let summary = said.lines().rev().find(|line| line.contains(" passed, "));
                let summary = summary.unwrap_or_else(|| panic!("no summary: {last}"));
                assert!(summary.contains(" 0 failed"), "{summary}");
            }
            "check" => assert!(said.contains("check: all good"), "{last}"),
            _ => {}
        }
    }
}

#[test]
#[ignore = "minutes: make test-all"]
fn the_commands_of_the_readme_work_in_a_bare_debian_12() {
    works_in_a_bare("bookworm", &[("run", ""), ("test", "")]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn the_commands_of_the_readme_and_make_check_work_in_a_bare_debian_13() {
    works_in_a_bare("trixie", &[("run", ""), ("test", ""), ("check", "")]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn after_make_fetch_both_work_without_a_network() {
    works_in_a_bare("bookworm", &[("fetch", ""), ("run", "none"), ("test", "none")]);
}
