//! The package `lancam` itself: its files, and the CPUs it is for. tests/it/package/debian.rs installs it.

use crate::package::packages::folder;
use crate::package::packages::{
    architecture, build, can_package, has, lintian_is_content, stripped,
};
use crate::tools::program::succeeds;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The project's folder.
const HERE: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = env!("CARGO_BIN_EXE_lancam");

/// Every file of the package except the programs, with its permissions.
const FILES: [(&str, &str); 16] = [
    ("./etc/lancam/lancam.toml", "-rw-r--r--"),
    ("./usr/lib/lancam/from-rpicam", "-rwxr-xr-x"),
    ("./usr/lib/systemd/system/lancam-misconfigured.target", "-rw-r--r--"),
    ("./usr/lib/systemd/system/lancam.service", "-rw-r--r--"),
    ("./usr/lib/systemd/system/lancam.socket", "-rw-r--r--"),
    ("./usr/lib/udev/rules.d/60-lancam.rules", "-rw-r--r--"),
    ("./usr/share/bash-completion/completions/lancam", "-rw-r--r--"),
    ("./usr/share/zsh/vendor-completions/_lancam", "-rw-r--r--"),
    ("./usr/share/fish/vendor_completions.d/lancam.fish", "-rw-r--r--"),
    ("./usr/share/doc/lancam/CONFIGURATION.md", "-rw-r--r--"),
    ("./usr/share/doc/lancam/NEWS.Debian.gz", "-rw-r--r--"),
    ("./usr/share/doc/lancam/changelog.gz", "-rw-r--r--"),
    ("./usr/share/doc/lancam/copyright", "-rw-r--r--"),
    ("./usr/share/lintian/overrides/lancam", "-rw-r--r--"),
    ("./usr/share/man/man1/lancam.1.gz", "-rw-r--r--"),
    ("./usr/bin/lancam", "-rwxr-xr-x"),
];

/// The package's files by their paths, with permissions and owner.
fn contents(package: &Path) -> BTreeMap<String, String> {
    let listing = succeeds(Command::new("dpkg-deb").arg("-c").arg(package)).stdout;
    let listing = String::from_utf8(listing).expect("UTF-8");
    let files = listing.lines().filter(|line| !line.starts_with('d')).map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        (words[5].to_owned(), format!("{} {}", words[0], words[1]))
    });
    files.collect()
}

fn field(package: &Path, name: &str) -> String {
    let output = succeeds(Command::new("dpkg-deb").arg("-f").arg(package).arg(name));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The package for this machine, with the program of these tests.
fn package(folder: &Path) -> PathBuf {
    let program = stripped(PROGRAM, &folder.join("lancam"));
    build("lancam", &architecture(), &[&program], folder)
}

#[test]
fn the_camera_s_package_holds_program_units_rule_configuration_and_manual() {
    if !can_package("the_camera_s_package_holds_program_units_rule_configuration_and_manual") {
        return;
    }
    let folders = [folder(), folder()];
    let [first, second] = [0, 1].map(|at: usize| package(folders[at].path()));
    let bytes = |path: &Path| fs::read(path).expect("it was built");
    assert!(bytes(&first) == bytes(&second), "two packages of one program differ");

    let expected =
        FILES.iter().map(|(path, mode)| ((*path).to_owned(), format!("{mode} root/root")));
    assert_eq!(contents(&first), expected.collect::<BTreeMap<_, _>>());

    let opened = folders[0].path().join("opened");
    succeeds(Command::new("dpkg-deb").arg("-R").arg(&first).arg(&opened));
    let read = |path: &str| fs::read_to_string(opened.join(path)).expect(path);
    assert_eq!(read("DEBIAN/conffiles"), "/etc/lancam/lancam.toml\n");
    for script in ["preinst", "postinst", "prerm", "postrm"] {
        let path = opened.join("DEBIAN").join(script);
        let mode = fs::metadata(&path).expect(script).permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "{script}");
        succeeds(Command::new("sh").arg("-n").arg(path));
    }
    for unit in ["lancam.service", "lancam.socket", "lancam-misconfigured.target"] {
        let ours = fs::read_to_string(Path::new(HERE).join("systemd").join(unit)).expect(unit);
        assert_eq!(read(&format!("usr/lib/systemd/system/{unit}")), ours);
    }
    let copyright = read("usr/share/doc/lancam/copyright");
    assert!(!copyright.contains("granit-parser"), "a crate of the SD card's setup program");
    for part in ["The lancam authors", "libjpeg-turbo", "musl", "Rust's standard library", "toml"] {
        assert!(copyright.contains(part), "the licence of {part} is given");
    }
    assert!(!copyright.contains("minifb"), "the camera has no window");
}

#[test]
fn the_package_for_armhf_holds_two_programs_and_depends_on_nothing() {
    let test = "the_package_for_armhf_holds_two_programs_and_depends_on_nothing";
    if !can_package(test) || !has(test, "readelf") {
        return;
    }
    let folder = folder();
    let programs = ["armv7", "armv6"].map(|name| {
        let path = folder.path().join(name);
        fs::write(&path, name).expect("writes");
        path
    });
    let package = build("lancam", "armhf", &[&programs[0], &programs[1]], folder.path());
    assert_eq!(field(&package, "Architecture"), "armhf");
    assert_eq!(field(&package, "Depends"), "");
    let contents = contents(&package);
    for file in ["usr/bin/lancam", "usr/lib/lancam/armv7/lancam", "usr/lib/lancam/armv6/lancam"] {
        let mode = contents.get(&format!("./{file}"));
        assert_eq!(mode.map(String::as_str), Some("-rwxr-xr-x root/root"), "{file}");
    }
    let opened = folder.path().join("opened");
    succeeds(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&opened));
    let program = |name: &str| fs::read_to_string(opened.join("usr/lib/lancam").join(name));
    assert_eq!(program("armv7/lancam").expect("it is there"), "armv7");
    assert_eq!(program("armv6/lancam").expect("it is there"), "armv6");
}

/// Makes an executable file with these shell commands.
fn script(path: &Path, commands: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, format!("#!/bin/sh\n{commands}\n")).expect("writes");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("sets");
}

/// `od` is a stand-in that prints the facts of a CPU.
#[test]
fn on_armhf_the_program_for_armv7_runs_where_there_is_neon() {
    let folder = folder();
    for name in ["armv7", "armv6"] {
        let path = folder.path().join(name).join("lancam");
        script(&path, &format!("echo {name} \"$@\""));
    }
    let chooser = fs::read_to_string(Path::new(HERE).join("cross/deb/lancam/choose"));
    let chooser = chooser
        .expect("it is there")
        .replace("/usr/lib/lancam", &folder.path().display().to_string());
    let path = folder.path().join("lancam");
    fs::write(&path, chooser).expect("writes");
    let bin = folder.path().join("bin");
    for (facts, expected) in [
        // A Pi 4: swp half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm.
        ("33 3196411904 16 4174038 6 4096\n 17 100 3 65588 0 0", "armv7"),
        // A Pi Zero: half thumb fastmult vfp edsp java tls.
        ("16 32982 6 4096 17 100 3 65588 0 0", "armv6"),
        // Here, a value looks like a key.
        ("3 16 4096 4096 16 32982 0 0", "armv6"),
        ("", "armv6"),
    ] {
        script(&bin.join("od"), &format!("echo '{facts}'"));
        let mut sh = Command::new("sh");
        sh.arg(&path).args(["--name", "two words"]).stdin(Stdio::null());
        sh.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        let said = String::from_utf8(succeeds(&mut sh).stdout).expect("UTF-8");
        assert_eq!(said, format!("{expected} --name two words\n"), "{facts}");
    }
}

#[test]
#[ignore = "minutes: make test-all"] // to install
fn lintian_finds_nothing_wrong_with_the_camera_s_package() {
    let test = "lintian_finds_nothing_wrong_with_the_camera_s_package";
    if !can_package(test) || !has(test, "lintian") {
        return;
    }
    let folder = folder();
    // Takes the program that people get, if it has been built. lintian finds other faults in that of the
    // tests.
    match std::env::var_os("LANCAM_PI_BINARY") {
        Some(program) => {
            let package = build("lancam", "arm64", &[Path::new(&program)], folder.path());
            lintian_is_content(&package);
        }
        None => crate::tools::skip::skip(
            "lintian",
            "LANCAM_PI_BINARY names no static program: make test",
        ),
    }
}
