//! Two builds of a commit are the same programs: in another folder, with another cargo home, in another
//! order, with and without the sources of Rust's library. No path of the machine is in them.

use crate::tools::all_cores;
use crate::tools::program::succeeds;
use crate::tools::skip::skip;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The project's folder.
const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// Programs for a 64-bit and a 32-bit CPU, and the setup program of the image.
const NAMES: [&str; 3] = ["aarch64", "armv7", "setup-aarch64"];

/// A place where lancam is built.
struct Place {
    clone: PathBuf,
    cargo_home: Option<PathBuf>,
    /// A folder that comes first in `PATH`.
    rust: Option<PathBuf>,
}

impl Place {
    /// A fresh clone of this commit. `None` if this folder is not a git repository.
    fn at(clone: PathBuf) -> Option<Self> {
        let mut git = Command::new("git");
        git.args(["clone", "--quiet", "--no-local", HERE]).arg(&clone);
        if !git.output().is_ok_and(|output| output.status.success()) {
            skip("clone", "this folder is not a git repository");
            return None;
        }
        Some(Self { clone, cargo_home: None, rust: None })
    }

    fn run(&self, script: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(self.clone.join(script));
        command.args(arguments).stdin(Stdio::null()).env_remove("CARGO_TARGET_DIR");
        if let Some(home) = &self.cargo_home {
            command.env("CARGO_HOME", home);
        }
        if let Some(rust) = &self.rust {
            let path = std::env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{}:{path}", rust.display()));
        }
        let output = succeeds(&mut command);
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Builds the programs for Pis in this order, and the viewer. Returns them with their names.
    fn programs(&self, names: &[&str]) -> Vec<(String, Vec<u8>)> {
        self.run("cross/build.sh", names);
        let viewer = self.run("cross/viewer.sh", &[]);
        let files = NAMES
            .map(|name| (name.to_owned(), self.clone.join("dist").join(format!("lancam-{name}"))));
        let files = files.into_iter().chain([("viewer".to_owned(), PathBuf::from(viewer))]);
        files.map(|(name, file)| (name, fs::read(file).expect("it was built"))).collect()
    }
}

/// A copy of this machine's Rust. If its library's sources are installed, the copy lacks them. If not, the
/// copy gets an empty file where rustc looks for them.
fn other_rust(folder: &Path) -> PathBuf {
    let sysroot = succeeds(Command::new("rustc").args(["--print", "sysroot"])).stdout;
    let sysroot = String::from_utf8_lossy(&sysroot).trim().to_owned();
    let copy = folder.join("rust");
    let linked = Command::new("cp").args(["-a", "--link", &sysroot]).arg(&copy).status();
    if !linked.is_ok_and(|status| status.success()) {
        let _ = fs::remove_dir_all(&copy);
        succeeds(Command::new("cp").args(["-a", &sysroot]).arg(&copy));
    }
    let source = copy.join("lib/rustlib/src");
    if source.exists() {
        fs::remove_dir_all(source).expect("removed");
    } else {
        let std = source.join("rust/library/std/src");
        fs::create_dir_all(&std).expect("made");
        fs::write(std.join("lib.rs"), "").expect("writes");
    }
    copy.join("bin")
}

/// The surroundings of this text in a program, if the program contains it.
fn find(program: &[u8], text: &str) -> Option<String> {
    let at = program.windows(text.len()).position(|window| window == text.as_bytes())?;
    let around = &program[at.saturating_sub(40)..(at + 100).min(program.len())];
    Some(String::from_utf8_lossy(around).into_owned())
}

#[test]
#[ignore = "minutes: make test-all"]
fn the_same_commit_makes_the_same_programs() {
    let _turn = all_cores::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let Some(one) = Place::at(folder.path().join("one")) else { return };
    let mut other = Place::at(folder.path().join("another place/further away")).expect("as before");
    let first = one.programs(&NAMES);

    // Uses the network only for the first place. The second has its own cargo home.
    other.cargo_home = Some(folder.path().join("home of cargo's"));
    other.rust = Some(other_rust(folder.path()));
    let second = other.programs(&[NAMES[2], NAMES[1], NAMES[0]]);

    let home = std::env::var("HOME").unwrap_or_default();
    let homes =
        [folder.path().to_string_lossy().into_owned(), HERE.to_owned(), format!("{home}/.")];
    for ((name, first), (_, second)) in first.iter().zip(&second) {
        println!("{name}: {} bytes", first.len());
        for program in [first, second] {
            for path in &homes {
                assert_eq!(find(program, path), None, "{name} has a path of this machine in it");
            }
        }
        let differs = first.iter().zip(second).position(|(first, second)| first != second);
        assert_eq!((first.len(), differs), (second.len(), None), "{name}");
    }
}
