//! What the camera's package says when its upgrade closes a camera that was open, by its scripts, on the files of a machine
//! that is not running.

use crate::tools::program::succeeds;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cross/deb/lancam");
const UNIT: &str = "usr/lib/systemd/system/lancam.service";
const STATE: &str = "var/lib/lancam/code";

/// The unit of a version from before there were keys, and of one that has them.
const BEFORE: &str = "[Service]\nExecStart=/usr/bin/lancam\n";
const WITH_KEYS: &str = "[Service]\nExecStart=/usr/bin/lancam\nStateDirectory=lancam\n";

/// The files of a machine.
struct Machine(tempfile::TempDir);

impl Machine {
    fn with(files: &[(&str, &str)]) -> Self {
        let machine = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            machine.write(name, text);
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("writes");
    }

    /// Runs a script of the package as dpkg does for another root folder; returns what it says.
    fn runs(&self, script: &str, arguments: &[&str]) -> String {
        let programs = self.path("programs");
        if !programs.exists() {
            for name in ["deb-systemd-helper", "systemctl"] {
                self.write(&format!("programs/{name}"), "#!/bin/sh\nexit 0\n");
                let program = programs.join(name);
                fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("ours");
            }
        }
        let mut command = Command::new("sh");
        command.arg(Path::new(SCRIPTS).join(script)).args(arguments);
        command.env("DPKG_ROOT", self.0.path());
        command.env("PATH", format!("{}:/usr/bin:/bin", programs.display()));
        String::from_utf8(succeeds(&mut command).stdout).expect("UTF-8")
    }

    /// Upgrades to this version, and returns what is said.
    fn upgraded(&self) -> String {
        let said = self.runs("preinst", &["upgrade", "0.0.1", "0.1.0"]);
        self.runs("postrm", &["upgrade", "0.1.0"]);
        self.write(UNIT, WITH_KEYS);
        said + &self.runs("postinst", &["configure", "0.0.1"])
    }
}

const LOUD: &str = "THIS UPGRADE CLOSES YOUR CAMERA";

#[test]
fn an_upgrade_that_closes_a_camera_says_so_though_a_state_folder_was_left() {
    let open = ("etc/lancam/lancam.toml", "access = \"open\"\n");
    for (files, is_loud) in [
        (&[(UNIT, BEFORE)][..], true),
        (&[(UNIT, BEFORE), (STATE, "")], true),
        (&[(UNIT, BEFORE), (STATE, ""), open], false),
        (&[(UNIT, WITH_KEYS), (STATE, "")], false),
    ] {
        let machine = Machine::with(files);
        let said = machine.upgraded();
        assert_eq!(said.contains(LOUD), is_loud, "{files:?}: {said}");
        assert!(!machine.path("usr/lib/lancam/was-open").exists());
        // The next one says nothing.
        machine.write(STATE, "");
        assert!(!machine.upgraded().contains(LOUD), "{files:?}");
    }
}

#[test]
fn what_an_upgrade_that_was_given_up_has_noted_is_forgotten() {
    let machine = Machine::with(&[(UNIT, BEFORE), (STATE, "")]);
    machine.runs("preinst", &["upgrade", "0.0.1", "0.1.0"]);
    assert!(machine.path("usr/lib/lancam/was-open").exists());
    machine.runs("postrm", &["abort-upgrade", "0.0.1"]);
    assert!(!machine.path("usr/lib/lancam").exists());
    // A new machine has nothing to be told.
    let machine = Machine::with(&[]);
    machine.runs("preinst", &["install"]);
    machine.write(UNIT, WITH_KEYS);
    assert!(!machine.runs("postinst", &["configure", ""]).contains(LOUD));
}
