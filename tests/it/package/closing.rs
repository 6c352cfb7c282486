//! What the camera's package says when its upgrade closes a camera that was open, by its scripts, on the files of a machine
//! that is not running.

use crate::tools::program::succeeds;
use crate::tools::root_folder::RootFolder;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cross/deb/lancam");
const UNIT: &str = "usr/lib/systemd/system/lancam.service";
const STATE: &str = "var/lib/lancam/code";

/// The unit of a version from before there were keys, and of one that has them.
const BEFORE: &str = "[Service]\nExecStart=/usr/bin/lancam\n";
const WITH_KEYS: &str = "[Service]\nExecStart=/usr/bin/lancam\nStateDirectory=lancam\n";

/// The files of a machine.
struct Machine(RootFolder);

impl Machine {
    fn with(files: &[(&str, &str)]) -> Self {
        let machine = Self(RootFolder::empty());
        for (name, text) in files {
            machine.0.write(name, text);
        }
        machine
    }

    /// Runs a script of the package as dpkg does for another root folder; returns what it says.
    fn runs(&self, script: &str, arguments: &[&str]) -> String {
        let programs = self.0.path("programs");
        if !programs.exists() {
            for name in ["deb-systemd-helper", "systemctl"] {
                self.0.write(&format!("programs/{name}"), "#!/bin/sh\nexit 0\n");
                let program = programs.join(name);
                fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("ours");
            }
        }
        let mut command = Command::new("sh");
        command.arg(Path::new(SCRIPTS).join(script)).args(arguments);
        command.env("DPKG_ROOT", self.0.root());
        command.env("PATH", format!("{}:/usr/bin:/bin", programs.display()));
        String::from_utf8(succeeds(&mut command).stdout).expect("UTF-8")
    }

    /// Upgrades to this version, and returns what is said.
    fn upgraded(&self) -> String {
        let said = self.runs("preinst", &["upgrade", "0.0.1", "0.1.0"]);
        self.runs("postrm", &["upgrade", "0.1.0"]);
        self.0.write(UNIT, WITH_KEYS);
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
        // It never ran, so nobody could ever watch.
        (&[(UNIT, WITH_KEYS)], false),
    ] {
        let machine = Machine::with(files);
        let said = machine.upgraded();
        assert_eq!(said.contains(LOUD), is_loud, "{files:?}: {said}");
        assert!(!machine.0.path("usr/lib/lancam/was-open").exists());
        // The next one says nothing.
        assert!(!machine.upgraded().contains(LOUD), "{files:?}");
    }
}

#[test]
fn an_upgrade_that_was_cut_off_says_so_when_it_is_done_again() {
    let machine = Machine::with(&[(UNIT, BEFORE)]);
    machine.runs("preinst", &["upgrade", "0.0.1", "0.1.0"]);
    machine.runs("postrm", &["upgrade", "0.1.0"]);
    machine.0.write(UNIT, WITH_KEYS);
    // The power fails before the new version is set up, and the whole package is installed once more.
    assert!(machine.upgraded().contains(LOUD));
    assert!(!machine.upgraded().contains(LOUD), "once is enough");
}

#[test]
fn what_an_upgrade_that_was_given_up_has_noted_is_forgotten() {
    let machine = Machine::with(&[(UNIT, BEFORE), (STATE, "")]);
    machine.runs("preinst", &["upgrade", "0.0.1", "0.1.0"]);
    assert!(machine.0.path("usr/lib/lancam/was-open").exists());
    machine.runs("postrm", &["abort-upgrade", "0.0.1"]);
    assert!(!machine.0.path("usr/lib/lancam").exists());
    // A new machine has nothing to be told.
    let machine = Machine::with(&[]);
    machine.runs("preinst", &["install"]);
    machine.0.write(UNIT, WITH_KEYS);
    assert!(!machine.runs("postinst", &["configure", ""]).contains(LOUD));
}
