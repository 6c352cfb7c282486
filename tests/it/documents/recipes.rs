//! Steps of the pages that change files are carried out. The programs that read those files
//! then judge them.

use super::{Block, pages, root};
use crate::tools::root_folder::RootFolder;
use crate::tools::skip::skip;
use lancam::camera::config::Command as Camera;
use nix::unistd::geteuid;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The lines for a second camera make units that systemd understands, with their own ports and their own
/// configuration.
#[test]
fn the_steps_for_a_second_camera_make_units_that_systemd_takes() {
    let pages = pages();
    let howto = pages.iter().find(|page| page.name == "docs/HOWTO.md").expect("docs/HOWTO.md");
    let blocks = howto.blocks();
    let steps =
        blocks.iter().find(|block| block.text.contains("lancam2.socket")).expect("the steps");
    let folder = tempfile::tempdir().expect("a folder");
    let etc = folder.path().to_str().expect("UTF-8");
    let lines: Vec<String> = steps
        .text
        .lines()
        .filter(|line| !line.contains("systemctl") && !line.contains("nano"))
        .map(|line| {
            let line = line.replace("sudo ", "").replace("/etc/systemd/system", etc);
            line.replace("/usr/lib/systemd/system", &format!("{}/systemd", root().display()))
        })
        .collect();
    assert!(lines.len() >= 4, "{lines:?}");
    let done =
        Command::new("sh").args(["-ec", &lines.join("\n")]).current_dir(etc).output().expect("sh");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("made");
    let (service, socket) = (read("lancam2.service"), read("lancam2.socket"));
    for line in ["ListenStream=[::]:10000", "ListenStream=[::]:8081"] {
        assert!(socket.lines().any(|is| is == line), "{socket}");
    }
    assert!(!socket.contains("9999") && !socket.contains("8080\n"), "{socket}");
    for line in ["Sockets=lancam2.socket", "Also=lancam2.socket"] {
        assert!(service.lines().any(|is| is == line), "{line}: {service}");
    }
    assert!(
        service.contains("--config /etc/lancam/second.toml\n")
            && service.contains("StateDirectory=lancam2\n")
            && !service.lines().any(|line| line.starts_with("OnFailure=")),
        "{service}"
    );
    let verify = Command::new("systemd-analyze")
        .args([
            "verify",
            "--man=no",
            "--recursive-errors=no",
            "./lancam2.socket",
            "./lancam2.service",
        ])
        .current_dir(etc)
        .output();
    match verify {
        Ok(verify) => {
            let said = String::from_utf8_lossy(&verify.stderr).into_owned();
            // Where tests run, the program is not installed. An older systemd does not know some keys.
            let is_known = |line: &&str| {
                !line.contains("/usr/bin/lancam is not executable") && !line.contains("Unknown key")
            };
            let of_it = said.lines().filter(is_known);
            assert_eq!(of_it.collect::<Vec<_>>().join("\n"), "");
        }
        Err(error) => skip("systemd-analyze", &error.to_string()),
    }
}

/// Whether this is a configuration of lancam, and not a unit or another program's file.
fn is_configuration(block: &Block<'_>) -> bool {
    block.language == "toml"
}

#[test]
fn every_configuration_in_the_pages_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    // A valid key in place of the reader's.
    let key = format!("AAAAC3NzaC1lZDI1NTE5AAAAI{}", "A".repeat(43));
    let mut count = 0;
    for page in pages() {
        for block in page.blocks().iter().filter(|block| is_configuration(block)) {
            let file = folder.path().join("lancam.toml");
            let text: Vec<&str> = block.text.lines().map(str::trim_start).collect();
            fs::write(&file, text.join("\n").replace("AAAA...", &key)).expect("written");
            let environment = [("LANCAM_CONFIG".into(), file.into_os_string())];
            let parsed = Camera::parse(environment, ["check".into()]);
            assert!(parsed.is_ok(), "{}: {}\n{parsed:?}", page.name, block.text);
            count += 1;
        }
    }
    assert!(count >= 4, "{count} configurations");
}

/// In place of `sudo`: only inside it can anybody look into the folder of all services.
const SUDO: &str = "#!/bin/sh
chmod 700 var/lib/private
\"$@\"
chmod 000 var/lib/private
";

/// The command with the state folder in the line of a page that begins or goes on with these words.
fn command_with_state_folder(page: &str, words: &str) -> String {
    let pages = pages();
    let page = pages.iter().find(|it| it.name == page).expect("the page");
    let line = page.text.lines().find(|line| line.contains(words)).expect("the line");
    let mut commands = line.split('`').skip(1).step_by(2);
    let command = commands.find(|command| command.contains("/var/lib/lancam"));
    command.unwrap_or_else(|| panic!("no command: {line}")).to_owned()
}

/// systemd makes a link in the place of the service's state folder, into a folder that only root enters.
#[test]
fn what_the_pages_say_to_delete_all_keys_leaves_none() {
    for (page, words) in [
        ("docs/HOWTO.md", "delete the code and all keys"),
        ("docs/SECURITY.md", "To delete all keys"),
    ] {
        let command = command_with_state_folder(page, words);
        let folder = RootFolder::empty();
        folder.write("bin/sudo", SUDO);
        for file in ["identity", "code", "keys"] {
            folder.write(&format!("var/lib/private/lancam/{file}"), "old\n");
        }
        symlink("private/lancam", folder.path("var/lib/lancam")).expect("made");
        let set_mode = |name: &str, mode: u32| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(folder.path(name), mode).expect("ours");
        };
        set_mode("bin/sudo", 0o755);
        let mut shell = Command::new("sh");
        if geteuid().is_root() {
            // Root looks into every folder.
            const USER: u32 = 1234;
            let folders = ["", "bin", "bin/sudo", "var", "var/lib"];
            for name in folders.iter().chain(&["var/lib/private", "var/lib/private/lancam"]) {
                chown(folder.path(name), Some(USER), None).expect("root may");
            }
            shell.uid(USER);
        }
        set_mode("var/lib/private", 0o000);
        let path = std::env::var("PATH").unwrap_or_default();
        let here = command.replace("/var/lib/lancam", "var/lib/lancam");
        shell.args(["-c", &here]).env("PATH", format!("bin:{path}")).current_dir(folder.root());
        let done = shell.output().expect("sh");
        set_mode("var/lib/private", 0o700);
        let said = String::from_utf8_lossy(&done.stderr);
        let left = |place: &Path| fs::read_dir(place).expect("there").count();
        assert!(done.status.success(), "{page}: {command}: {said}");
        assert_eq!(left(&folder.path("var/lib/lancam")), 0, "{page}: {command}");
        assert_eq!(left(&folder.path("var/lib/private/lancam")), 0, "{page}: {command}");
    }
}
