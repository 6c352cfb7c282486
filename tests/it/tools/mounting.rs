//! File systems for one test, in namespaces of its own, if the machine allows them.
//!
//! A container, a chroot and some distributions refuse the namespace; others refuse only the mount in it. Both are a skip.

use crate::tools::skip::skip;
use std::process::{Command, Stdio};

/// The namespaces in which a test may mount.
const NAMESPACES: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// A shell script in namespaces in which it may mount. `None`, reported as a skip, if that is refused.
pub fn in_namespaces(script: &str) -> Option<Command> {
    if let Some(why) = refusal("unshare") {
        skip("a file system of its own", &why);
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(NAMESPACES).args(["sh", "-c", script, "sh"]).stdin(Stdio::null());
    Some(command)
}

/// Why a test may not mount, with this program as `unshare`.
fn refusal(unshare: &str) -> Option<String> {
    let place = tempfile::tempdir().expect("a folder");
    let mut attempt = Command::new(unshare);
    attempt.args(NAMESPACES).args(["mount", "-t", "tmpfs", "-o", "size=4m", "small"]);
    match attempt.arg(place.path()).env("LC_ALL", "C").stdin(Stdio::null()).output() {
        Err(error) => Some(format!("{unshare}: {error}")),
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim();
            Some(if said.is_empty() { output.status.to_string() } else { said.to_owned() })
        }
    }
}

#[test]
fn whatever_refuses_a_mount_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |lines: &str| {
        crate::tools::program::stand_in(folder.path(), "unshare", lines);
        refusal(folder.path().join("unshare").to_str().expect("UTF-8"))
    };
    // The messages in a chroot, where namespaces are disabled, where a security module refuses the mount; and a process
    // killed by a filter.
    for said in [
        "unshare: cannot change root filesystem propagation: Invalid argument",
        "unshare: unshare failed: Operation not permitted",
        "mount: /tmp/x: permission denied.",
    ] {
        let why = with(&format!("echo '{said}' >&2; exit 1")).expect("it was refused");
        assert_eq!(why, said);
    }
    assert!(with("kill -SYS $$").expect("it was refused").contains("signal: 31"));
    assert!(with("exit 32").expect("it was refused").contains("32"));
    assert_eq!(with("exit 0"), None);
    let why = refusal("/nowhere/unshare").expect("there is none");
    assert!(why.contains("No such file"), "{why}");
}
