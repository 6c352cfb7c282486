//! Machines that never built lancam: what `.ci/run` leaves in their cargo home, and what a build needs of
//! them.

use crate::tools::all_cores;
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
    // It may take hours if others use the machine. If this process is killed, the kernel ends it.
    let mut bare = Command::new("setpriv");
    bare.args(["--pdeathsig", "TERM", "timeout", "--kill-after=30", "10800"])
        .arg(Path::new(HERE).join("cross/rig/bare.sh"));
    bare.arg(suite).args(command).env("BARE_KEEP", keep).env("BARE_NETWORK", network);
    let output = bare.stdin(Stdio::null()).output().expect("setpriv is there");
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

/// The last lines are shown, and so many lines above them that tell of a failure.
const LAST: usize = 40;
const TELLING: usize = 100;

/// Whether cargo, a test program or make tells of a failure in this line.
fn tells_of_a_failure(line: &str) -> bool {
    let is_failed_test = line.starts_with("test ") && line.ends_with("FAILED");
    let begins = ["error: ", "error[", "failures:", "make: ***", "test result: FAILED"];
    is_failed_test
        || begins.iter().any(|begin| line.trim_start().starts_with(begin))
        || line.contains(" panicked at ")
        || line.contains("(signal: ")
}

/// The last lines, below those that tell of a failure and the three lines that follow each. A mark stands before each, so
/// that nobody takes the sums of the tests in there for those of the tests out here.
fn end(said: &str) -> String {
    let lines: Vec<_> = said.lines().collect();
    let (above, last) = lines.split_at(lines.len().saturating_sub(LAST));
    let is_shown =
        |at: usize| above[at.saturating_sub(3)..=at].iter().any(|it| tells_of_a_failure(it));
    let telling = (0..above.len()).filter(|&at| is_shown(at)).take(TELLING).map(|at| above[at]);
    telling
        .chain(last.iter().copied())
        .map(|line| format!("| {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn what_failed_is_shown_however_much_is_printed_below_it() {
    let above = "running 3 tests\ntest a::works ... ok\ntest a::breaks ... FAILED\ntest a::ends ... ok\n\
                 thread 'a::breaks' (7) panicked at tests/it/a.rs:5:9:\nassertion failed\n1\n2\n3\n\
                 error: test failed, to rerun pass `--test it`\n\
                 Caused by:\n  process didn't exit successfully: `it` (signal: 9, SIGKILL: kill)\n4\n5\n6\n7\n";
    let shown = end(&format!("{above}{}", "the log\n".repeat(400)));
    for line in
        ["test a::breaks ... FAILED", "assertion failed", "(signal: 9", "error: test failed"]
    {
        assert!(shown.contains(line), "{line} is missing: {shown}");
    }
    assert!(!shown.contains("works") && !shown.contains("| 7\n"), "{shown}");
    assert_eq!(shown.matches("the log").count(), LAST);
    assert!(end(&"error: it\n".repeat(9999)).lines().count() <= LAST + TELLING);
    assert_eq!(end("one\ntest result: ok. 2 passed\n"), "| one\n| test result: ok. 2 passed");
}

/// Runs several commands in the same bare Debian, as a newcomer types them.
#[track_caller]
fn works_in_a_bare(suite: &str, commands: &[(&str, &str)]) {
    let _turn = all_cores::turn();
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
fn make_run_works_in_a_bare_debian_12() {
    // Its `make test` follows below, on what `make fetch` has fetched: another 20 minutes would show no more.
    works_in_a_bare("bookworm", &[("run", "")]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn the_commands_of_the_readme_and_make_check_work_in_a_bare_debian_13() {
    works_in_a_bare("trixie", &[("run", ""), ("test", ""), ("check", "")]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn after_make_fetch_the_commands_of_the_readme_work_in_a_bare_debian_12_without_a_network() {
    works_in_a_bare("bookworm", &[("fetch", ""), ("run", "none"), ("test", "none")]);
}
