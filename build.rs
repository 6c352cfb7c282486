//! Sets what `--version` prints: `BUILD_COMMIT` and `BUILD_TARGET`.

// Cargo reads the output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{env, path::Path, process::Command};

fn main() {
    let target = env::var("TARGET").expect("cargo sets it for build scripts");
    println!("cargo::rustc-env=BUILD_TARGET={target}");

    // `BUILD_COMMIT` is set when building from a source archive. Otherwise git is asked.
    println!("cargo::rerun-if-env-changed=BUILD_COMMIT");
    let commit = env::var("BUILD_COMMIT").ok().or_else(commit_of_checkout);
    println!("cargo::rustc-env=BUILD_COMMIT={}", commit.as_deref().unwrap_or("unknown"));

    println!("cargo::rerun-if-changed=build.rs");
}

/// The commit of this checkout. `None` if this is not a checkout of lancam, even if it lies inside another repository.
fn commit_of_checkout() -> Option<String> {
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    // HEAD changes when another branch is checked out, and its log also with each commit.
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
