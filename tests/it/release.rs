//! What `make release` gathers: everything, under names with the version, with sums that are right; or it says what is missing.

use crate::packages::{architecture, folder, has, succeeds};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn gather(folder: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/release.sh");
    Command::new(script).arg("gather").arg(folder).output().expect("it is executable")
}

#[test]
fn a_release_has_everything_with_its_version_and_right_sums() {
    if !has("a_release_has_everything_with_its_version_and_right_sums", "dpkg") {
        return;
    }
    let folder = folder();
    let machine = succeeds(Command::new("uname").arg("-m")).stdout;
    let machine = String::from_utf8_lossy(&machine).trim().to_owned();
    let viewer = format!("lancam-view-{machine}");
    let mut built: Vec<String> = ["arm64", "armhf", "amd64"]
        .iter()
        .map(|architecture| format!("lancam_{VERSION}_{architecture}.deb"))
        .collect();
    built.push(format!("lancam-view_{VERSION}_{}.deb", architecture()));
    built.extend(["aarch64", "armv7", "armv6", "x86_64"].map(|name| format!("lancam-{name}")));
    built.extend([viewer, "lancam.img.xz".into(), "lancam.img.txt".into()]);
    let last = built.pop().expect("there are many");
    for name in &built {
        fs::write(folder.path().join(name), name).expect("writes");
    }

    let output = gather(folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "without {last}");
    assert!(said.lines().count() == 1 && said.contains(&last), "{said}");
    assert!(!folder.path().join("release").exists(), "nothing half");

    fs::write(folder.path().join(&last), &last).expect("writes");
    // Of an older release.
    fs::create_dir(folder.path().join("release")).expect("made");
    fs::write(folder.path().join("release/lancam-0.0.0-aarch64"), "old").expect("writes");
    let output = gather(folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let release = folder.path().join("release");
    let names = fs::read_dir(&release).expect("a folder");
    let mut names: BTreeSet<String> =
        names.map(|entry| entry.expect("reads").file_name().to_string_lossy().into()).collect();
    assert!(names.remove("SHA256SUMS"));
    assert_eq!(names.len(), built.len() + 1, "{names:?}");
    assert!(names.iter().all(|name| name.contains(VERSION)), "{names:?}");
    let sums = succeeds(Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&release));
    assert_eq!(String::from_utf8_lossy(&sums.stdout).lines().count(), names.len());
}
