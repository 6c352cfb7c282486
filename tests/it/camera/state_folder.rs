//! The folder of the code and the keys, for a user who is not root.

use crate::tools::camera_process::CameraProcess;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output};

/// Lists the keys in this folder. As root, it becomes nobody first.
fn list(state: &Path, is_root: bool) -> Output {
    let state = state.to_str().expect("text");
    let lancam = CameraProcess::command(&["pair", "--list", "--state", state]);
    let mut command = if is_root { Command::new("setpriv") } else { Command::new("env") };
    if is_root {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    command.arg(lancam.get_program()).args(lancam.get_args()).output().expect("it runs")
}

/// Regression: the file that is locked must be made, and so a folder that may only be read ended lancam.
#[test]
fn a_folder_that_may_only_be_read_and_a_lock_file_of_root_keep_nobody_out() {
    let around = tempfile::tempdir().expect("a folder");
    let is_root = fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0);
    fs::set_permissions(around.path(), Permissions::from_mode(0o755)).expect("ours");
    let state = around.path().join("state");
    fs::create_dir(&state).expect("made");
    let mode = |mode| fs::set_permissions(&state, Permissions::from_mode(mode)).expect("ours");
    mode(0o700);
    if is_root {
        chown(&state, Some(65534), Some(65534)).expect("root may");
    }
    let first = list(&state, is_root);
    assert!(first.status.success(), "{first:?}");

    fs::remove_file(state.join("lock")).expect("it was made");
    mode(0o500);
    let only_read = list(&state, is_root);
    assert!(only_read.status.success(), "{only_read:?}");
    mode(0o700);

    // What root leaves if it ends between making the file and giving it away.
    let lock = File::create(state.join("lock")).expect("made");
    lock.set_permissions(Permissions::from_mode(if is_root { 0o600 } else { 0 })).expect("ours");
    let of_root = list(&state, is_root);
    assert!(of_root.status.success(), "{of_root:?}");
    assert_eq!(fs::metadata(state.join("lock")).expect("made anew").mode() & 0o777, 0o600);
}
