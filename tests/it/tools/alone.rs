//! Runs a test in a process of its own, because it counts or limits something of the whole process.

use std::env;
use std::process::Command;

/// Whether this process runs only one test. If not, runs the test `name` of `module` (`module_path!()`) in a process of its
/// own, where it must pass.
#[track_caller]
pub fn is_alone(module: &str, name: &str) -> bool {
    const ALONE: &str = "LANCAM_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        return true;
    }
    // The test harness leaves out the crate's name.
    let (_, module) = module.split_once("::").expect("a module of this crate");
    let name = format!("{module}::{name}");
    let mut alone = Command::new(env::current_exe().expect("this program"));
    alone.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    let output = alone.output().expect("it can be started again");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    // With a wrong name, no test would run and none would fail.
    let has_passed = output.status.success() && said.contains("1 passed");
    assert!(has_passed, "{name}, in a process of its own:\n{said}{complaints}");
    println!("{said}");
    false
}
