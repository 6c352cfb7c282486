//! `make release` gathers everything, under names with the version, with correct checksums. If a part is
//! missing, it names it.

use crate::package::packages::{architecture, folder, has};
use crate::tools::program::succeeds;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn gather(folder: &Path, url: Option<&str>) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/release.sh");
    let mut command = Command::new(script);
    command.arg("gather").arg(folder).env("RELEASE_URL", url.unwrap_or_default());
    command.output().expect("it is executable")
}

/// The files that have to be built before.
fn names() -> Vec<String> {
    let machine = succeeds(Command::new("uname").arg("-m")).stdout;
    let machine = String::from_utf8_lossy(&machine).trim().to_owned();
    let mut names: Vec<String> = ["arm64", "armhf", "amd64"]
        .iter()
        .map(|architecture| format!("lancam_{VERSION}_{architecture}.deb"))
        .collect();
    names.push(format!("lancam-view_{VERSION}_{}.deb", architecture()));
    names.extend(["aarch64", "armv7", "armv6", "x86_64"].map(|name| format!("lancam-{name}")));
    names.extend([
        format!("lancam-view-{machine}"),
        "lancam.img.xz".into(),
        "lancam.img.txt".into(),
    ]);
    names
}

#[test]
fn a_release_has_everything_with_its_version_and_right_sums() {
    if !has("a_release_has_everything_with_its_version_and_right_sums", "dpkg") {
        return;
    }
    let folder = folder();
    let mut built = names();
    let last = built.pop().expect("there are many");
    for name in &built {
        fs::write(folder.path().join(name), name).expect("writes");
    }

    let output = gather(folder.path(), None);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "without {last}");
    assert!(said.lines().count() == 1 && said.contains(&last), "{said}");
    assert!(!folder.path().join("release").exists(), "nothing half");

    fs::write(folder.path().join(&last), &last).expect("writes");
    // A file of an older release.
    fs::create_dir(folder.path().join("release")).expect("made");
    fs::write(folder.path().join("release/lancam-0.0.0-aarch64"), "old").expect("writes");
    let output = gather(folder.path(), None);
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

#[test]
fn raspberry_pi_imager_is_told_of_the_image_with_figures_that_are_right() {
    let test = "raspberry_pi_imager_is_told_of_the_image_with_figures_that_are_right";
    if !has(test, "dpkg") || !has(test, "xz") || !has(test, "python3") {
        return;
    }
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    names().iter().for_each(|name| fs::write(path(name), name).expect("writes"));
    fs::write(path("lancam.img"), vec![b'x'; 1 << 20]).expect("writes");
    succeeds(Command::new("xz").arg("--force").arg("--keep").arg(path("lancam.img")));
    let failed = gather(folder.path(), Some("downloads/lancam"));
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(
        !failed.status.success()
            && said.contains("must be a whole address, such as https://HOST/FOLDER"),
        "{said}"
    );

    let output = gather(folder.path(), Some("https://example.org/lancam/"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sums =
        succeeds(Command::new("sha256sum").arg(path("lancam.img.xz")).arg(path("lancam.img")));
    let sums = String::from_utf8_lossy(&sums.stdout).into_owned();
    let sums: Vec<&str> = sums.lines().filter_map(|line| line.split(' ').next()).collect();
    let image = format!("lancam-{VERSION}.img.xz");
    let packed = fs::metadata(path("release").join(&image)).expect("gathered").len();
    let text = fs::read_to_string(path("release/lancam.json")).expect("written");
    for line in [
        format!("\"url\": \"https://example.org/lancam/{image}\","),
        "\"icon\": \"https://example.org/lancam/lancam.png\",".into(),
        "\"extract_size\": 1048576,".into(),
        format!("\"extract_sha256\": \"{}\",", sums[1]),
        format!("\"image_download_size\": {packed},"),
        format!("\"image_download_sha256\": \"{}\",", sums[0]),
        "\"init_format\": \"cloudinit\",".into(),
    ] {
        assert!(text.lines().any(|it| it.trim() == line), "{line}: {text}");
    }
    assert!(path("release/lancam.png").exists());
    // Python reads the list, and each board's tag occurs among those of the image.
    let check = "import json, sys; list = json.load(open(sys.argv[1])); os, = list['os_list']; \
                 assert all(set(it['tags']) <= set(os['devices']) for it in list['imager']['devices']); \
                 assert len(os['release_date']) == 10 and os['name'] and os['description']";
    succeeds(Command::new("python3").args(["-c", check]).arg(path("release/lancam.json")));
    let sums = fs::read_to_string(path("release/SHA256SUMS")).expect("written");
    assert!(sums.lines().any(|line| line.ends_with(" lancam.json")), "{sums}");
}
