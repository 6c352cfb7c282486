//! Steps of docs/HOWTO.md and README.md that change files are carried out. The programs that read those files
//! then judge them.

use super::{Block, pages, root};
use crate::tools::skip::skip;
use lancam::camera::config::Command as Camera;
use std::fs;
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
