//! The image's script for its data partition, with stand-ins for e2fsck and others: no unexpected status
//! makes it erase the partition.

use crate::tools::appliance::file_of_the_image;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

fn script() -> String {
    fs::read_to_string(file_of_the_image("usr/lib/lancam/data")).expect("it is there")
}

/// What the script decides after both checks. The second runs only if the first asks for it.
fn decided(first: u32, second: u32) -> &'static str {
    match (first, second) {
        (0..4, _) | (_, 0..4) => "whole",
        (4..8, 4..8) => "lost",
        _ => "unknown",
    }
}

#[test]
fn of_all_pairs_of_statuses_only_errors_left_twice_make_the_partition_anew() {
    let script = script();
    let function = script.split("decide() {").nth(1).and_then(|rest| rest.split("\n}").next());
    let function = function.expect("it has the function");
    // All 65,536 cases run in one process.
    let line = format!(
        "decide() {{{function}\n}}\n\
        for a in $(seq 0 255); do decide $a; done\n\
        for a in $(seq 0 255); do for b in $(seq 0 255); do echo $a $b; decide $a $b; done; done"
    );
    let output = Command::new("sh").args(["-c", &line]).output().expect("sh is there");
    let said = String::from_utf8(output.stdout).expect("ASCII");
    let mut words = said.split_whitespace();
    for first in 0..256 {
        let expected = if first < 4 { "whole" } else { "again" };
        assert_eq!(words.next(), Some(expected), "{first}");
    }
    for (first, second) in (0..256).flat_map(|a| (0..256).map(move |b| (a, b))) {
        let told = [words.next(), words.next(), words.next()].map(Option::unwrap_or_default);
        let expected = decided(first, second);
        assert_eq!(told, [&*first.to_string(), &*second.to_string(), expected]);
    }
    assert_eq!(words.next(), None);
}

/// A machine with a data partition, and stand-ins that log what is done to it.
struct Machine {
    folder: TempDir,
    script: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let stand_in = |name: &str, lines: &str| {
            fs::write(at(name), format!("#!/bin/sh\n{lines}\n")).expect("writes");
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o755)).expect("sets");
        };
        let log = format!("{}/log", folder.path().display());
        stand_in(
            "e2fsck",
            "case $1 in -p) code=$FIRST ;; *) code=$SECOND ;; esac
            echo \"e2fsck $1\" >>$LOG
            case $code in SIG*) kill -${code#SIG} $$ ;; esac
            exit $code",
        );
        stand_in("mke2fs", "echo mke2fs >>$LOG");
        stand_in("modprobe", "exit 0");
        stand_in(
            "mount",
            "case $1 in --bind) echo \"bind $2 $3\" >>$LOG; exit ;; esac
            echo \"mount $4\" >>$LOG; case $4 in *ro,*) exit $RO ;; esac",
        );
        let text = script()
            .replace("/data/lancam", &format!("{}/kept", folder.path().display()))
            .replace("/var/lib/lancam", &format!("{}/state", folder.path().display()))
            .replace("/usr/sbin/", &format!("{}/", folder.path().display()))
            .replace("/usr/bin/", &format!("{}/", folder.path().display()));
        let script = at("data");
        fs::write(&script, format!("LOG={log}\nexport LOG\n{text}")).expect("writes");
        fs::write(at("device"), [vec![0; 1080], vec![0x53, 0xef], vec![0; 16 << 20]].concat())
            .expect("writes");
        Self { folder, script }
    }

    /// The commands that ran when e2fsck returned these statuses, the messages, and whether the script
    /// succeeded.
    fn starts(&self, first: &str, second: &str, read_only: &str) -> (Vec<String>, String, bool) {
        let log = self.folder.path().join("log");
        fs::write(&log, "").expect("writes");
        let mut sh = Command::new("sh");
        sh.arg(&self.script).arg(self.folder.path().join("device"));
        sh.env("FIRST", first).env("SECOND", second).env("RO", read_only);
        let output = sh.output().expect("sh is there");
        let did = fs::read_to_string(&log).expect("it is there");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (did.lines().map(str::to_owned).collect(), said, output.status.success())
    }

    /// The line in the log when lancam's folder lies on the partition.
    fn bound(&self) -> String {
        let folder = self.folder.path().display();
        format!("bind {folder}/kept {folder}/state")
    }

    #[track_caller]
    fn keeps_to(&self, first: &str, second: &str, decided: &str) {
        let (did, said, is_well) = self.starts(first, second, "0");
        let case = format!("{first}, {second}: {did:?} {said}");
        assert!(is_well, "{case}");
        assert_eq!(did.iter().any(|it| it == "mke2fs"), decided == "lost", "{case}");
        let mounts: Vec<_> = did.iter().filter(|it| it.starts_with("mount ")).collect();
        assert_eq!(mounts.len(), 1, "{case}");
        assert_eq!(mounts[0].starts_with("mount ro,"), decided == "unknown", "{case}");
        assert!(mounts[0].contains("nosuid,nodev,noexec"), "{case}");
        assert_eq!(did.last(), Some(&self.bound()), "{case}");
        match decided {
            "lost" => assert!(said.contains("<3>") && said.contains("is lost"), "{case}"),
            "unknown" => assert!(said.contains("<3>") && said.contains("could not be checked")),
            _ => assert!(!said.contains("<3>"), "{case}"),
        }
    }
}

#[test]
fn each_status_of_e2fsck_is_told_apart() {
    let machine = Machine::new();
    for status in 0..256 {
        machine.keeps_to(&status.to_string(), &status.to_string(), decided(status, status));
    }
    let some = [0, 1, 3, 4, 7, 8, 12, 16, 32, 126, 127, 128, 137, 255];
    for (first, second) in some.into_iter().flat_map(|a| some.map(|b| (a, b))) {
        machine.keeps_to(&first.to_string(), &second.to_string(), decided(first, second));
    }
}

#[test]
fn an_e2fsck_that_is_killed_or_missing_costs_nothing() {
    let machine = Machine::new();
    for signal in ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGBUS"] {
        machine.keeps_to(signal, signal, "unknown");
        machine.keeps_to("4", signal, "unknown");
        machine.keeps_to(signal, "4", "unknown");
        machine.keeps_to(signal, "1", "whole");
    }
    fs::remove_file(machine.folder.path().join("e2fsck")).expect("it was there");
    let (did, said, _) = machine.starts("0", "0", "0");
    assert_eq!(did.len(), 2, "{did:?}");
    assert!(did[0].starts_with("mount ro,") && said.contains("127"), "{did:?} {said}");
}

#[test]
fn lancams_folder_lies_on_the_partition_unless_that_keeps_nothing() {
    let machine = Machine::new();
    let kept = machine.folder.path().join("kept");
    let is_bound = || {
        let (did, said, is_well) = machine.starts("0", "0", "0");
        assert!(is_well, "lancam starts all the same: {said}");
        let is_bound = did.contains(&machine.bound());
        assert_eq!(said.contains("<3>"), !is_bound, "{said}");
        is_bound
    };
    assert!(is_bound() && fs::read_dir(&kept).expect("made").next().is_none());
    let mode = fs::metadata(&kept).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    // A full disk.
    std::os::unix::fs::symlink("/dev/full", kept.join("probe")).expect("made");
    assert!(!is_bound());
    // What lies there is used, even if there is no room for more.
    std::os::unix::fs::symlink("/dev/full", kept.join("probe")).expect("made");
    fs::write(kept.join("identity"), "x").expect("writes");
    assert!(is_bound());
    // No folder can be made.
    fs::remove_dir_all(&kept).expect("there");
    fs::write(&kept, "").expect("writes");
    assert!(!is_bound());
}

#[test]
fn what_cannot_be_mounted_either_is_left_and_told() {
    let machine = Machine::new();
    let (did, said, is_well) = machine.starts("8", "8", "32");
    assert!(!is_well && said.contains("left as it is"), "{said}");
    assert!(!did.iter().any(|it| it == "mke2fs"), "{did:?}");
    assert_eq!(did.iter().filter(|it| it.starts_with("mount ro,")).count(), 2, "{did:?}");
}

#[test]
fn only_what_a_card_brings_blank_is_blank() {
    let machine = Machine::new();
    let device = machine.folder.path().join("device");
    fs::write(&device, vec![0; 16 << 20]).expect("writes");
    let (did, _, is_well) = machine.starts("8", "8", "0");
    assert!(is_well && did[0] == "mke2fs" && did[1].starts_with("mount noinit"), "{did:?}");

    // The file system has lost its first block.
    fs::write(&device, [vec![0; 65536], vec![7; 16 << 20]].concat()).expect("writes");
    let (did, _, _) = machine.starts("8", "1", "0");
    assert!(did[0] == "e2fsck -p" && !did.iter().any(|it| it == "mke2fs"), "{did:?}");

    fs::remove_file(&device).expect("it was there");
    let (did, said, is_well) = machine.starts("4", "4", "0");
    assert!(!is_well && did.is_empty() && said.contains("cannot be read"), "{did:?} {said}");
}
