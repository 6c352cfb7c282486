//! `cross/need.sh`: how it asks before it installs packages, and what it prints if there is no terminal.

use crate::tools::program::stand_in;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cross/need.sh");
/// The line that tells a person how to install them.
const LINE: &str = "apt-get install --no-install-recommends some-package another-package";

/// A machine that lacks `some-command`, with stand-ins for the programs that could install it.
struct Machine {
    folder: TempDir,
    path: String,
}

impl Machine {
    fn of(user: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        fs::write(&log, "").expect("writes");
        let log = log.display();
        stand_in(folder.path(), "sudo", &format!("echo sudo >>'{log}'; exec \"$@\""));
        stand_in(folder.path(), "apt-get", &format!("echo \"apt-get $*\" >>'{log}'"));
        let path = stand_in(folder.path(), "id", &format!("echo {user}"));
        Self { folder, path }
    }

    fn has(&self, name: &str, lines: &str) {
        stand_in(self.folder.path(), name, lines);
    }

    /// The commands that ran: `sudo`, and apt-get with its arguments.
    fn ran(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("it is there")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path).env_remove("YES");
        command
    }

    /// Runs it without a terminal. Returns its output and its exit code.
    fn need(&self, change: impl Fn(&mut Command)) -> (String, Option<i32>) {
        let mut need = self.command(SCRIPT);
        change(need.arg("some-command:some-package,another-package"));
        let output = need.output().expect("it is executable");
        (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code())
    }

    /// The same at a terminal, where this is typed.
    fn need_at_a_terminal(&self, typed: &str) -> (String, Option<i32>) {
        let mut script = self.command("script");
        let line = format!("{SCRIPT} some-command:some-package,another-package");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        let mut script =
            script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        let mut keys = script.stdin.take().expect("it is piped");
        keys.write_all(typed.as_bytes()).expect("it reads");
        let output = script.wait_with_output().expect("it ends");
        drop(keys);
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    }

    #[track_caller]
    fn has_installed(&self, by_sudo: bool) {
        let ran = self.ran();
        assert!(ran.contains("install -y --no-install-recommends some-package another-package"));
        assert_eq!(ran.contains("sudo"), by_sudo, "{ran}");
    }
}

fn as_it_is(_: &mut Command) {}

#[test]
fn without_a_terminal_nothing_is_installed_and_the_line_is_told() {
    let machine = Machine::of(1000);
    let (said, code) = machine.need(as_it_is);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.lines().any(|line| line.trim() == format!("sudo {LINE}")), "{said}");
    assert_eq!(machine.ran(), "");
}

#[test]
fn at_a_terminal_it_asks_and_keeps_to_the_answer() {
    for (typed, installs) in
        [("\n", true), ("y\n", true), ("YES\n", true), ("n\n", false), ("what\n", false)]
    {
        let machine = Machine::of(1000);
        let (said, code) = machine.need_at_a_terminal(typed);
        assert!(said.contains("some-package another-package"), "{said}");
        assert!(said.contains("[Y/n]"), "{said}");
        assert_eq!(code, Some(i32::from(!installs)), "{typed:?}: {said}");
        if installs {
            machine.has_installed(true);
        } else {
            assert!(said.contains(&format!("sudo {LINE}")), "{said}");
            assert_eq!(machine.ran(), "", "{typed:?}");
        }
    }
}

#[test]
fn yes_in_the_environment_answers_and_anything_else_does_not() {
    let machine = Machine::of(1000);
    let (said, code) = machine.need(|need| {
        need.env("YES", "1");
    });
    assert_eq!(code, Some(0), "{said}");
    machine.has_installed(true);
    assert!(said.contains("Installing with apt-get: some-package another-package"), "{said}");
    for answer in ["", "0", "no"] {
        let machine = Machine::of(1000);
        let (_, code) = machine.need(|need| {
            need.env("YES", answer);
        });
        assert_eq!((code, machine.ran().as_str()), (Some(1), ""), "{answer:?}");
    }
}

#[test]
fn root_installs_without_being_asked_and_is_told_what() {
    let machine = Machine::of(0);
    let (said, code) = machine.need(as_it_is);
    assert_eq!(code, Some(0), "{said}");
    machine.has_installed(false);
    assert!(said.contains("Installing with apt-get: some-package another-package"), "{said}");
}

#[test]
fn what_is_there_costs_no_word() {
    let machine = Machine::of(1000);
    machine.has("some-command", "exit 1");
    assert_eq!(machine.need(as_it_is), (String::new(), Some(0)));
    assert_eq!(machine.ran(), "");
}

#[test]
fn where_apt_get_fails_that_is_told() {
    let machine = Machine::of(0);
    machine.has("apt-get", "echo 'E: Unable to locate package some-package' >&2; exit 100");
    let (said, code) = machine.need(as_it_is);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Unable to locate"), "{said}");
}

#[test]
fn without_sudo_or_apt_get_it_says_who_has_to_do_what() {
    let machine = Machine::of(1000);
    // `PATH` has only these programs, which the script itself needs.
    let only = |names: &[&str]| {
        let folder = machine.folder.path().join(names.len().to_string());
        fs::create_dir(&folder).expect("made");
        for name in names {
            let own = machine.folder.path().join(name);
            let target = if own.exists() { own } else { Path::new("/bin").join(name) };
            symlink(target, folder.join(name)).expect("made");
        }
        let path = folder.display().to_string();
        machine.need(|need| {
            need.env("PATH", &path);
        })
    };
    let (said, code) = only(&["bash", "sh", "id", "apt-get"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("root") && said.contains(LINE) && !said.contains("sudo"), "{said}");
    let (said, code) = only(&["bash", "sh", "id"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("some-package another-package"), "{said}");
}
