//! Tells the programs what `--version` says of them: `BUILD_COMMIT` and `BUILD_TARGET`.

// Cargo reads what it prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{env, path::Path, process::Command};

fn main() {
    let target = env::var("TARGET").expect("cargo sets it for build scripts");
    println!("cargo::rustc-env=BUILD_TARGET={target}");

    // Set by who builds from a source archive; asked of git otherwise.
    println!("cargo::rerun-if-env-changed=BUILD_COMMIT");
    let commit = env::var("BUILD_COMMIT").ok().or_else(commit_of_checkout);
    println!("cargo::rustc-env=BUILD_COMMIT={}", commit.as_deref().unwrap_or("unknown"));

    println!("cargo::rerun-if-changed=build.rs");
}

/// None where this is no checkout of lancam, even if it lies inside some other project's.
fn commit_of_checkout() -> Option<String> {
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    // HEAD changes when another branch is checked out, its log also with every commit.
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
