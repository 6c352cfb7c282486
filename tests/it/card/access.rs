//! Who may watch an owner's card: its code is on the console and on the boot partition, and lets viewers pair; before the
//! data partition is there, and without a key, nobody sees a picture.

use crate::card::flash::{code_in, flash};
use crate::card::setup_boots::{boot_partition, contains};
use crate::tools::appliance::{self, Appliance, BOOT, Card, Machine, first_jpeg};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// vivid as a camera: it makes only the node that takes pictures.
const CAMERA: [&str; 2] = ["modules_load=vivid", "vivid.node_types=1"];

const TOLD: &str = "The code of this camera: ";

/// Watches three frames with the native example. With a code, it pairs first. Returns what it printed, and whether it
/// succeeded.
fn watch(pi: &Appliance, folder: &Path, code: Option<&str>) -> (String, bool) {
    let mut python = Command::new("python3");
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/native_viewer.py"));
    python.args(["127.0.0.1", "--frames", "3", "--port", &pi.port(9999).to_string()]);
    // At the next start, the camera has another port.
    python.args(["--key-file", "camera.key"]);
    python.args(code.map(|_| "--pair")).current_dir(folder).stdin(Stdio::piped());
    let python = python.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut python = python.expect("Python is there");
    let mut input = python.stdin.take().expect("piped");
    let _ = writeln!(input, "{}", code.unwrap_or_default());
    drop(input);
    let output = python.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

/// Asks for the stream without TLS and without a key until `act` is done. Nobody must ever get a picture.
fn nobody_sees_it_while<T>(pi: &Appliance, act: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let stranger = scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let seen = first_jpeg(pi.port(8080), Duration::from_secs(5));
                assert!(seen.is_err(), "a stranger sees a picture");
            }
        });
        let done = act();
        is_done.store(true, Ordering::Relaxed);
        stranger.join().expect("no picture");
        done
    })
}

#[test]
#[ignore = "minutes: make test-all"]
fn the_code_on_the_console_is_the_code_that_pairs_and_keys_outlive_restarts() {
    let Some(card) = Card::new() else { return };
    let card = card.closed();
    let folder = tempfile::tempdir().expect("a folder");
    let pi = card.boot(Machine::Virt, &CAMERA);
    let code = nobody_sees_it_while(&pi, || pi.console.rest_of_line(TOLD, 0, BOOT));
    let code = code.trim();
    let (said, watched) = watch(&pi, folder.path(), None);
    assert!(!watched && !said.contains("frame "), "without a key: {said}");
    let (said, watched) = watch(&pi, folder.path(), Some(code));
    assert!(watched && said.matches("frame ").count() == 3, "{said}");
    assert_eq!(pi.ssh("head -n 1 /data/lancam/code").text().trim(), code);
    let modes = pi.ssh("stat -c '%a %U %n' /data/lancam /data/lancam/*").text();
    for line in modes.lines() {
        assert!(line.starts_with("700 lancam ") || line.starts_with("600 lancam "), "{modes}");
    }
    let log = pi.ssh("journalctl -b -o cat").text();
    assert!(!log.contains(&code[5..]), "the log has nothing of the code");

    let card = pi.power_off();
    let told = String::from_utf8(card.read("code.txt")).expect("text");
    assert!(told.starts_with(code), "for owners without a screen: {told}");
    let pi = card.boot(Machine::Virt, &CAMERA);
    assert_eq!(pi.console.rest_of_line(TOLD, 0, BOOT).trim(), code, "it is the same");
    let (said, watched) = watch(&pi, folder.path(), None);
    assert!(watched, "its key counts after a restart: {said}");

    // A power cut, and no data partition any more: closed, with a new code.
    let card = pi.cut_power();
    let (start, length) = card.partition(3);
    let noise: Vec<u8> = (0..length).map(|at| (at * 31 % 251).to_le_bytes()[0]).collect();
    let file = std::fs::OpenOptions::new().write(true).open(card.file()).expect("a card");
    std::os::unix::fs::FileExt::write_all_at(&file, &noise, start).expect("written");
    let pi = card.boot(Machine::Virt, &CAMERA);
    let new = nobody_sees_it_while(&pi, || pi.console.rest_of_line(TOLD, 0, BOOT));
    assert_ne!(new.trim(), code);
    let (said, watched) = watch(&pi, folder.path(), None);
    assert!(!watched && said.contains("is not the camera that was paired"), "{said}");
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_code_that_make_flash_wrote_counts_and_leaves_the_boot_partition() {
    let (Some(card), Some(image)) = (Card::new(), appliance::image()) else { return };
    let card = card.closed();
    let (said, succeeded) = flash(&image, &card.file(), |flash| {
        flash.env("FORCE", "1");
    });
    assert!(succeeded, "{said}");
    let code = code_in(&said);
    card.let_owner_in();
    let settings = String::from_utf8(card.read("lancam.toml")).expect("text");
    assert!(settings.contains(&format!("\ndevice.code = \"{code}\" \n")), "{settings}");
    let folder = tempfile::tempdir().expect("a folder");
    let pi = card.boot(Machine::Virt, &CAMERA);
    assert_eq!(pi.console.rest_of_line(TOLD, 0, BOOT).trim(), code);
    let as_typed = code.to_lowercase().replace('-', " ");
    let (said, watched) = watch(&pi, folder.path(), Some(&as_typed));
    assert!(watched, "{said}");
    let card = pi.power_off();
    let left = String::from_utf8(card.read("lancam.toml")).expect("text");
    assert!(left.contains("device.code = \"moved.........\" "), "{left}");
    assert!(card.read("code.txt").starts_with(b"____-____-____"), "its owner knows it");
    // No sector that a PC reads has it.
    assert!(!contains(&boot_partition(&card), code));
}
