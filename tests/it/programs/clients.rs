//! Other projects' programs watch while the camera is unplugged and lancam is restarted. tests/clients
//! contains their table and the driver.

use crate::tools::skip::skip;
use std::path::Path;
use std::process::{Command, Stdio};

/// These programs watch one lancam at the same time. Each must show pictures again by itself.
fn come_back(names: &[&str]) {
    run(&[], names);
}

/// These programs must show no picture of a camera that wants a key while they have a wrong one, and pictures with the right one.
fn watch_with_a_key(names: &[&str]) {
    run(&["--keys"], names);
}

fn run(how: &[&str], names: &[&str]) {
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/clients.py");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    let run = Command::new("python3")
        .arg(driver)
        .args(how)
        .args([Path::new(env!("CARGO_BIN_EXE_lancam")), &folder])
        .args(names)
        .stdin(Stdio::null())
        .output();
    let run = match run {
        Ok(run) => run,
        Err(error) => return skip("python3", &error.to_string()),
    };
    let said = String::from_utf8_lossy(&run.stdout);
    println!("{said}");
    for line in said.lines() {
        if let Some((name, why)) =
            line.strip_prefix("skipped: ").and_then(|rest| rest.split_once(": "))
        {
            skip(name, why);
        }
    }
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
#[ignore = "minutes: make test-all"]
fn programs_that_decode_come_back() {
    come_back(&["ffmpeg", "gstreamer", "opencv", "pyav"]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn players_come_back() {
    come_back(&["mpv", "vlc"]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn the_page_comes_back_in_every_browser() {
    come_back(&["chromium", "firefox", "webkit", "frame"]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn viewers_behind_proxies_come_back() {
    come_back(&["nginx", "nginx_plain", "caddy", "haproxy"]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn programs_that_watch_by_themselves_come_back() {
    come_back(&["motion", "prometheus", "homeassistant"]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn programs_for_printers_come_back() {
    come_back(&["moonraker", "octoprint", "octoprint_page"]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn programs_watch_with_a_key() {
    watch_with_a_key(&["opencv_with_a_key", "prometheus_with_a_key", "octoprint_with_a_key"]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn home_assistant_watches_with_a_key() {
    watch_with_a_key(&["homeassistant_with_a_key"]);
}

#[test]
#[ignore = "minutes: make test-all"]
fn firefox_watches_with_a_code() {
    watch_with_a_key(&["firefox_with_a_code"]);
}
