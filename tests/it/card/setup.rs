//! `lancam-setup`: the files that it makes of each dialect that owners and Raspberry Pi Imager write, and
//! where passwords go.

use crate::tools::camera_process::CameraProcess;
use crate::tools::mounting::in_namespaces;
use crate::tools::skip::skip;
use lancam::camera::access::Access;
use lancam::camera::access::folder::Folder;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const SETUP: &str = env!("CARGO_BIN_EXE_lancam-setup");

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A machine's card and memory, as folders.
pub struct Machine {
    folder: TempDir,
}

impl Machine {
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let this = Self { folder: tempfile::tempdir().expect("a folder") };
        for folder in ["boot", "run", "data", "state"] {
            fs::create_dir(this.path(folder)).expect("a folder");
        }
        files.iter().for_each(|(name, bytes)| this.boot_file(name, bytes));
        this
    }

    fn with(file: &str) -> Self {
        let dialect = file.strip_suffix("-imager-1").unwrap_or(file);
        Self::new(&[(dialect, &sample(file))])
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn boot_file(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path("boot").join(name), bytes).expect("writes");
    }

    /// What it prints.
    fn setup(&self, more: &[&str]) -> String {
        let mut command = Command::new(SETUP);
        command.env_remove("RUST_LOG").env_remove("JOURNAL_STREAM");
        for folder in ["boot", "run", "data"] {
            command.arg(format!("--{folder}")).arg(self.path(folder));
        }
        command.arg("--state").arg(self.path("state"));
        let output = command.args(more).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "it never fails: {said}");
        said
    }

    /// Both steps of a start, with an empty memory.
    pub fn start(&self) -> String {
        fs::remove_dir_all(self.path("run")).expect("was there");
        fs::create_dir(self.path("run")).expect("a folder");
        self.setup(&[]) + &self.setup(&["--keep-secrets"])
    }

    /// A file, if it exists.
    pub fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    pub fn wifi(&self) -> String {
        self.read("run/lancam/wpa_supplicant.conf").unwrap_or_default()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).expect("it is there").mode() & 0o777
    }

    pub fn complaints(&self) -> String {
        self.read("run/lancam/complaints").unwrap_or_default()
    }
}

pub fn sample(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/setup").join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn hex(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_dialect_becomes_the_files_that_programs_read() {
    let key = format!("psk={KEY}\n\tkey_mgmt=WPA-PSK\n");
    for (file, name, ssid, wifi, keys) in [
        ("lancam.toml", "garage", "My network", "country=DE", 1),
        ("custom.toml", "garage", "Küche & Söhne", key.as_str(), 1),
        ("rpi-preseed.toml", "garage", "My \"Net\" \\", key.as_str(), 2),
        ("user-data", "garage", "", "", 1),
        ("network-config", "", "Küche \"1\"", key.as_str(), 0),
        ("user-data-imager-1", "garage", "", "", 1),
        ("network-config-imager-1", "", "HomeNet", key.as_str(), 0),
        ("wpa_supplicant.conf", "", "HomeNet", "psk=\"correct horse # \\\"battery\\\"\"\n", 0),
    ] {
        let machine = Machine::with(file);
        let said = machine.start();
        assert_eq!(machine.complaints(), "", "{file}: {said}");
        assert_eq!(machine.read("run/lancam/hostname").unwrap_or_default(), name, "{file}: {said}");
        let supplicant = machine.wifi();
        assert_eq!(
            supplicant.contains(&format!("ssid={}\n", hex(ssid))),
            !ssid.is_empty(),
            "{file}"
        );
        assert!(supplicant.contains(wifi), "{file}: {supplicant}");
        let authorized = machine.read("run/lancam/ssh/authorized_keys").unwrap_or_default();
        assert_eq!(authorized.lines().count(), keys, "{file}: {authorized}");
        assert_eq!(machine.mode("run/lancam/ssh"), 0o700);
        if keys > 0 {
            assert_eq!(machine.mode("run/lancam/ssh/authorized_keys"), 0o600);
        }
        if !ssid.is_empty() {
            assert_eq!(machine.mode("run/lancam/wpa_supplicant.conf"), 0o600);
        }
    }
}

#[test]
fn what_the_first_file_says_wins_key_by_key() {
    let machine = Machine::new(&[
        ("lancam.toml", b"device.name = \"first\"\n[wifi]\ncountry = \"FR\"\n"),
        ("custom.toml", &sample("custom.toml")),
        ("user-data", &sample("user-data")),
        ("wpa_supplicant.conf", &sample("wpa_supplicant.conf")),
        ("authorized_keys", b"ssh-ed25519 AAAAC3mine me\r\n"),
    ]);
    machine.start();
    assert_eq!(machine.read("run/lancam/hostname").as_deref(), Some("first"));
    let wifi = machine.wifi();
    assert!(wifi.contains("country=FR\n") && wifi.contains(&hex("Küche & Söhne")), "{wifi}");
    assert!(!wifi.contains(&hex("HomeNet")), "{wifi}");
    let keys = machine.read("run/lancam/ssh/authorized_keys");
    assert_eq!(keys.as_deref(), Some("ssh-ed25519 AAAAC3mine me\n"));
}

#[test]
fn addresses_of_its_own_become_networkds_files() {
    let machine = Machine::new(&[(
        "lancam.toml",
        b"[ethernet]\naddress = \"192.0.2.7/24\"\ngateway = \"192.0.2.1\"\ndns = [\"192.0.2.2\", \"2001:db8::2\"]\n",
    )]);
    machine.start();
    let network = machine.read("run/systemd/network/40-eth0.network").expect("written");
    for line in
        ["Name=eth0", "Address=192.0.2.7/24", "Gateway=192.0.2.1", "DNS=2001:db8::2", "DHCP=no"]
    {
        assert!(network.lines().any(|it| it == line), "{line}: {network}");
    }
    assert_eq!(machine.read("run/systemd/network/40-wlan0.network"), None);
}

#[test]
fn the_camera_gets_its_file_without_secrets_and_with_its_lines() {
    let machine = Machine::with("lancam.toml");
    machine.start();
    let file = machine.read("run/lancam/lancam.toml").expect("written");
    assert_eq!(machine.mode("run/lancam/lancam.toml"), 0o644);
    assert!(!file.contains("horse"), "{file}");
    let line = |text: &str| text.lines().position(|line| line == "quality = 70");
    let original = String::from_utf8(sample("lancam.toml")).expect("text");
    assert_eq!(line(&file), line(&original));
    let check = |name: &str| {
        let path = machine.path(name);
        CameraProcess::command(&["check", "--config"]).arg(path).status().expect("runs").success()
    };
    assert!(check("run/lancam/lancam.toml") && check("boot/lancam.toml"));
    machine.boot_file("lancam.toml", b"[wifi]\nssid = \"a\"\npsk = \"short\"\n");
    assert!(!check("boot/lancam.toml"));
}

#[test]
fn passwords_move_to_the_cameras_own_partition_and_are_there_at_the_next_start() {
    for (file, secret) in [
        ("lancam.toml", "correct horse"),
        ("custom.toml", KEY),
        ("rpi-preseed.toml", KEY),
        ("network-config", KEY),
        ("wpa_supplicant.conf", "correct horse # \\\"battery\\\""),
    ] {
        let text = String::from_utf8(sample(file)).expect("text");
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [text.clone().into_bytes(), text.replace('\n', "\r\n").into_bytes(), utf16] {
            let machine = Machine::new(&[(file, &bytes)]);
            machine.start();
            let first = machine.wifi();
            let left = fs::read(machine.path("boot").join(file)).expect("there");
            assert_eq!(left.len(), bytes.len(), "{file}: in its place");
            let readable: String =
                left.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
            assert!(!readable.contains(secret) && readable.contains("moved"), "{file}: {readable}");
            assert!(machine.read("data/wifi").expect("kept").contains(secret), "{file}");
            assert_eq!(machine.mode("data/wifi"), 0o600);

            let said = machine.start();
            assert_eq!(machine.wifi(), first, "{file}: {said}");
            assert!(!first.is_empty() && machine.complaints().is_empty(), "{file}: {said}");
            assert_eq!(fs::read(machine.path("boot").join(file)).expect("there"), left, "{file}");
        }
    }
}

#[test]
fn a_password_that_is_written_anew_wins_over_the_one_that_was_kept() {
    let machine = Machine::with("lancam.toml");
    machine.start();
    machine.boot_file("lancam.toml", b"[wifi]\nssid = \"My network\"\npsk = \"another one\"\n");
    machine.start();
    assert!(machine.wifi().contains("psk=\"another one\""), "{}", machine.wifi());
    machine
        .boot_file("lancam.toml", b"[wifi]\nssid = \"Elsewhere\"\npsk = \"moved to the camera\"\n");
    machine.start();
    assert_eq!(machine.wifi(), "", "its password is not known");
    assert!(machine.complaints().contains("Elsewhere"), "{}", machine.complaints());
}

#[test]
fn a_power_cut_between_the_two_leaves_the_password_in_both() {
    let machine = Machine::with("lancam.toml");
    machine.start();
    let wifi = machine.wifi();
    // As after a power cut: the password is kept already, but not or only partly written over.
    let whole = sample("lancam.toml");
    let moved = fs::read(machine.path("boot/lancam.toml")).expect("there");
    for cut in 0..whole.len() {
        if whole[cut] == moved[cut] {
            continue;
        }
        machine.boot_file("lancam.toml", &[&moved[..cut], &whole[cut..]].concat());
        machine.start();
        assert_eq!(machine.wifi(), wifi, "cut at {cut}");
        assert_eq!(fs::read(machine.path("boot/lancam.toml")).expect("there"), moved);
    }
}

#[test]
fn without_a_partition_of_its_own_the_password_stays_and_counts() {
    let machine = Machine::with("lancam.toml");
    // Root can write into a read-only folder. So a file takes the place of the folder.
    fs::remove_dir(machine.path("data")).expect("empty");
    fs::write(machine.path("data"), "").expect("writes");
    let said = machine.start();
    let complaints = machine.complaints();
    assert!(complaints.contains("stay on the boot partition") && said.contains(&complaints[..30]));
    assert!(machine.wifi().contains("correct horse"));
    assert_eq!(fs::read(machine.path("boot/lancam.toml")).expect("there"), sample("lancam.toml"));

    fs::remove_file(machine.path("data")).expect("was there");
    machine.start();
    let complaints = machine.complaints();
    assert!(complaints.starts_with("data partition: missing, "), "{complaints}");
    assert!(complaints.contains("stay on the boot partition"), "{complaints}");
}

/// The code with which lancam lets viewers pair that reads what setup left.
fn code_of_lancam(machine: &Machine) -> String {
    let state = machine.path("state");
    let folder = Folder::open(&state).expect("it is ours");
    Access::open(folder, [7; 32]).expect("nothing is damaged").code().shown()
}

#[test]
fn the_code_leaves_the_boot_partition_and_lancam_lets_viewers_pair_with_it() {
    let text = "# mine\ndevice.name = \"garage\"\ndevice.code = \"k7qm 2xpd 9hrt\"\nquality = 70\n";
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes().to_vec(), text.replace('\n', "\r\n").into_bytes(), utf16] {
        let machine = Machine::new(&[("lancam.toml", &bytes)]);
        let said = machine.start();
        assert_eq!(machine.complaints(), "", "{said}");
        assert_eq!(code_of_lancam(&machine), "K7QM-2XPD-9HRT");
        let left = fs::read(machine.path("boot/lancam.toml")).expect("there");
        assert_eq!(left.len(), bytes.len(), "in its place");
        let readable: String =
            left.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        assert!(readable.contains("device.code = \"moved.........\""), "{readable}");
        // Everybody on the machine may read this one.
        let public = machine.read("run/lancam/lancam.toml").expect("written");
        assert!(!public.contains("k7qm") && public.contains("quality = 70"), "{public}");
        assert!(!said.to_lowercase().contains("k7qm"), "{said}");

        // lancam has written its salt beside the code meanwhile.
        let kept = machine.read("state/code");
        let said = machine.start();
        assert!(machine.complaints().is_empty() && machine.read("state/code") == kept, "{said}");
        assert_eq!(fs::read(machine.path("boot/lancam.toml")).expect("there"), left);
    }
}

#[test]
fn a_code_that_is_written_anew_counts_and_one_that_lancam_made_since_stays() {
    let machine = Machine::new(&[("lancam.toml", b"device.code = \"K7QM-2XPD-9HRT\"\n")]);
    machine.start();
    // As `lancam pair --new-code` does.
    fs::write(machine.path("state/code"), "AAAA-BBBB-CCCC\n").expect("writes");
    machine.start();
    assert_eq!(code_of_lancam(&machine), "AAAA-BBBB-CCCC");
    machine.boot_file("lancam.toml", b"[device]\ncode = \"0123-4567-89AB\"\n");
    machine.start();
    assert_eq!(code_of_lancam(&machine), "0123-4567-89AB");
    machine.boot_file("lancam.toml", b"device.code = \"0123-4567\"\n");
    machine.start();
    assert_eq!(code_of_lancam(&machine), "0123-4567-89AB");
    let complaints = machine.complaints();
    assert!(complaints.contains("lancam.toml:1: code in [device] must be"), "{complaints}");
    assert!(!complaints.contains("0123"), "{complaints}");
}

#[test]
fn a_power_cut_at_any_byte_of_the_move_leaves_the_code_that_was_given() {
    let text = "device.code = \"K7QM-2XPD-9HRT\"\n";
    let machine = Machine::new(&[("lancam.toml", text.as_bytes())]);
    machine.start();
    let moved = fs::read(machine.path("boot/lancam.toml")).expect("there");
    for cut in 0..text.len() {
        for half in [
            [&moved[..cut], &text.as_bytes()[cut..]].concat(),
            [&text.as_bytes()[..cut], &moved[cut..]].concat(),
        ] {
            machine.boot_file("lancam.toml", &half);
            machine.start();
            assert_eq!(code_of_lancam(&machine), "K7QM-2XPD-9HRT", "cut at {cut}");
            let left = fs::read(machine.path("boot/lancam.toml")).expect("there");
            assert_eq!(left, moved, "nothing of it is left: cut at {cut}");
        }
    }
    // Cut while it was written for lancam: then it is still on the boot partition.
    for end in 0..="K7QM-2XPD-9HRT\n".len() {
        machine.boot_file("lancam.toml", text.as_bytes());
        fs::remove_file(machine.path("state/code")).expect("there");
        fs::write(machine.path("state/code.next"), &"K7QM-2XPD-9HRT\n"[..end]).expect("writes");
        machine.start();
        assert_eq!(code_of_lancam(&machine), "K7QM-2XPD-9HRT", "cut at {end}");
    }
}

#[test]
fn without_a_partition_of_its_own_the_code_stays_and_counts() {
    let text = b"device.code = \"K7QM-2XPD-9HRT\"\n";
    let machine = Machine::new(&[("lancam.toml", text)]);
    fs::remove_dir(machine.path("data")).expect("empty");
    machine.start();
    assert_eq!(code_of_lancam(&machine), "K7QM-2XPD-9HRT");
    assert_eq!(fs::read(machine.path("boot/lancam.toml")).expect("there"), text);
    // Where lancam's folder cannot be used either, it is said.
    fs::remove_dir_all(machine.path("state")).expect("there");
    fs::write(machine.path("state"), "").expect("writes");
    machine.start();
    let complaints = machine.complaints();
    assert!(complaints.contains("the code in lancam.toml is not used"), "{complaints}");
    assert_eq!(fs::read(machine.path("boot/lancam.toml")).expect("there"), text);
}

#[test]
fn a_code_that_the_camera_made_is_told_on_the_boot_partition_if_the_owner_chose_none() {
    let card = include_bytes!("../../../cross/image/boot/code.txt");
    let machine = Machine::new(&[("code.txt", card), ("lancam.toml", b"quality = 70\n")]);
    let told = || fs::read(machine.path("boot/code.txt")).expect("there");
    machine.start();
    machine.setup(&["--tell-code"]);
    assert_eq!(told(), card, "there is none yet");
    for made in [code_of_lancam(&machine), "AAAA-BBBB-CCCC".to_owned()] {
        fs::write(machine.path("state/code"), format!("{made}\n")).expect("writes");
        let said = machine.setup(&["--tell-code"]);
        assert!(!said.contains(&made), "{said}");
        let told = String::from_utf8(told()).expect("text");
        assert!(told.starts_with(&made) && told.as_bytes()[14..] == card[14..], "{told}");
        assert_eq!(machine.setup(&["--tell-code"]), "", "it is there already");
    }
    // Complaints of other steps stay.
    machine.boot_file("lancam.toml", b"device.name = \"my camera\"\n");
    machine.start();
    machine.setup(&["--tell-code"]);
    assert!(machine.complaints().contains("garage-2"), "{}", machine.complaints());
    // An owner who chose one knows it.
    let machine =
        Machine::new(&[("code.txt", card), ("lancam.toml", b"device.code = \"K7QM-2XPD-9HRT\"\n")]);
    machine.start();
    machine.setup(&["--tell-code"]);
    assert_eq!(fs::read(machine.path("boot/code.txt")).expect("there"), card);
}

#[test]
fn a_file_of_another_card_has_a_code_that_this_camera_does_not_have_and_it_tells_its_own() {
    let card = include_bytes!("../../../cross/image/boot/code.txt");
    let old = "# mine\ndevice.code = \"moved.........\" \nquality = 70\n";
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(old.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [old.as_bytes().to_vec(), utf16] {
        let machine = Machine::new(&[("code.txt", card), ("lancam.toml", &bytes)]);
        machine.start();
        let complaints = machine.complaints();
        assert!(complaints.contains("code.txt tells the one that it makes now"), "{complaints}");
        let left = fs::read(machine.path("boot/lancam.toml")).expect("there");
        assert_eq!(left.len(), bytes.len(), "in its place");
        let readable: String =
            left.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        assert!(readable.contains("device.code = \"____-____-____\" \nquality"), "{readable}");

        let made = code_of_lancam(&machine);
        machine.setup(&["--tell-code"]);
        let told = machine.read("boot/code.txt").expect("there");
        assert!(told.starts_with(&made), "{told}");
        // It is a camera like any other from now on.
        machine.start();
        assert_eq!(machine.complaints(), "");
        assert_eq!(code_of_lancam(&machine), made);
    }
    // Where the place is too short for that, the owner has to delete it.
    let short = b"device.code = \"moved.......\"\n";
    let machine = Machine::new(&[("code.txt", card), ("lancam.toml", short)]);
    machine.start();
    let complaints = machine.complaints();
    assert!(complaints.contains("Delete the line with the code"), "{complaints}");
    assert_eq!(fs::read(machine.path("boot/lancam.toml")).expect("there"), short);
}

/// Runs setup with a file system mounted at `data`, as on the image. Needs root in a namespace.
const WITH_A_PARTITION: &str = r#"
    mount -t tmpfs -o size=4m small "$1/data" || exit
    eval "$2"
    exec "$SETUP" --keep-secrets --boot "$1/boot" --run "$1/run" --data "$1/data" --state "$1/data/lancam"
"#;

#[test]
fn a_partition_that_keeps_nothing_new_is_a_complaint_until_it_does() {
    for (done_to_it, told, kept) in [
        ("", "", true),
        ("head -c 3500000 /dev/zero >$1/data/fill", "data partition: full, ", true),
        ("cat /dev/zero >$1/data/fill 2>/dev/null", "data partition: full, ", false),
        ("mount -o remount,ro $1/data", "data partition: read-only, ", false),
        ("mount -o remount,nr_inodes=2 $1/data; >$1/data/a", "data partition: full, ", false),
    ] {
        let machine = Machine::with("lancam.toml");
        machine.setup(&[]);
        let Some(mut command) = in_namespaces(WITH_A_PARTITION) else { return };
        command.arg(machine.folder.path()).arg(done_to_it);
        let output = command.env("SETUP", SETUP).output();
        let output = output.expect("unshare is there");
        assert!(output.status.success(), "{output:?}");
        let complaints = machine.complaints();
        assert!(complaints.starts_with(told), "{done_to_it}: {complaints}");
        assert!(complaints.lines().all(|line| line.len() <= 150), "as wide as the screen");
        let stay = "Wi-Fi passwords stay on the boot partition";
        assert_eq!(complaints.contains(stay), !kept, "{done_to_it}: {complaints}");
        assert!(machine.wifi().contains("correct horse"), "it counts whatever becomes of it");
        let left = fs::read(machine.path("boot/lancam.toml")).expect("there");
        assert_eq!(left == sample("lancam.toml"), !kept, "{done_to_it}");
        // Now the folder is free again, and the complaint must disappear.
        machine.setup(&["--keep-secrets"]);
        let complaints = machine.complaints();
        assert!(!complaints.contains("data partition"), "{complaints}");
    }
}

/// Runs the second step of setup on a boot partition that is mounted as on the image, and prints how it is
/// mounted afterwards.
const ON_A_CARD: &str = r#"
    cp -r "$1/boot" "$1/files" && mount -t tmpfs -o size=4m card "$1/boot" && cp "$1/files/"* "$1/boot" || exit
    mount -o remount,ro,nosuid,nodev,noexec,noatime "$1/boot" || exit
    "$SETUP" --keep-secrets --boot "$1/boot" --run "$1/run" --data "$1/data" --state "$1/state" || exit
    "$SETUP" --tell-code --boot "$1/boot" --run "$1/run" --data "$1/data" --state "$1/state" || exit
    cat "$1/boot/lancam.toml"
    grep "$1/boot " /proc/self/mountinfo
"#;

#[test]
fn a_password_leaves_a_boot_partition_that_stays_mounted_as_it_was() {
    let machine = Machine::with("lancam.toml");
    machine.setup(&[]);
    let Some(mut command) = in_namespaces(ON_A_CARD) else { return };
    command.arg(machine.folder.path()).env("SETUP", SETUP);
    let output = command.output().expect("unshare is there");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(!said.contains("correct horse"), "it has left: {said}");
    let mounted = said.lines().last().expect("a line");
    for option in ["ro", "nosuid", "nodev", "noexec", "noatime"] {
        assert!(mounted.split([' ', ',']).any(|word| word == option), "{option}: {mounted}");
    }
}

#[test]
fn whatever_lies_there_it_goes_on_and_says_what_does_not_count() {
    let huge = "#\n".repeat(1 << 20);
    let machine = Machine::new(&[
        ("lancam.toml", b"device.name = \"my camera\"\nquality = 5\n"),
        ("custom.toml", huge.as_bytes()),
        ("rpi-preseed.toml", b"\xff\xff\xff\n[system]\nhostname = \"garage\"\n"),
        ("user-data", b"\xff\xfe#\0!\0/\0"),
        ("wpa_supplicant.conf", b"openssl_engine=evil\n"),
        ("ssh", b""),
        ("firstrun.sh", b"#!/bin/sh\ntouch /tmp/run\n"),
        ("authorized_keys", b""),
    ]);
    fs::create_dir(machine.path("boot/network-config")).expect("a folder");
    let said = machine.start();
    let complaints = machine.complaints();
    for told in [
        "lancam.toml:1: ",
        "custom.toml: is longer than 64 kB",
        "rpi-preseed.toml:1: ",
        "user-data:1: ",
        "network-config: is not a file",
        "wpa_supplicant.conf:1: openssl_engine",
        "firstrun.sh: ",
        "ssh: a file",
    ] {
        assert!(complaints.lines().any(|line| line.starts_with(told)), "{told}: {complaints}");
    }
    // The correct settings in it are used.
    assert_eq!(machine.read("run/lancam/hostname").as_deref(), Some("garage"), "{said}");
    assert_eq!(machine.read("run/lancam/lancam.toml").as_deref(), Some("\nquality = 5\n"));
    assert_eq!(machine.wifi(), "");

    let empty = Machine::new(&[]);
    fs::remove_dir(empty.path("boot")).expect("empty");
    assert_eq!(empty.start(), "");
    assert_eq!(empty.complaints(), "");
}

#[test]
fn wpa_supplicant_reads_what_is_written_as_it_was_meant() {
    let password = "a\"b\\c} #d é";
    let machine = Machine::new(&[(
        "lancam.toml",
        "[wifi]\nssid = \"}\\n\\\"x\"\npsk = 'a\"b\\c} #d é'\nhidden = true\n".as_bytes(),
    )]);
    let other = Machine::new(&[("wpa_supplicant.conf", &sample("wpa_supplicant.conf"))]);
    let plain =
        Machine::new(&[("lancam.toml", b"[wifi]\nssid = \"x\"\npsk = 'it is #1 \"\\ ok'\n")]);
    for (machine, expected) in [
        // wpa_supplicant cannot read a password with " and # from a file. So it gets the key that belongs to
        // it.
        (&machine, vec!["ssid - hexdump_ascii(len=4)", "scan_ssid=1", "PSK - hexdump(len=32)"]),
        (&plain, vec!["PSK (ASCII passphrase) - hexdump_ascii(len=14)", "key_mgmt: 0x2"]),
        (&other, vec!["country='GB'", "PSK - hexdump(len=32)", "key_mgmt: 0x4", "id=2"]),
    ] {
        machine.start();
        let Some(said) = verdict(&machine.path("run/lancam/wpa_supplicant.conf")) else { return };
        for expected in expected {
            assert!(said.contains(expected), "{expected}: {said}");
        }
        assert!(!said.contains("failed to parse") && !said.contains("Invalid"), "{said}");
        assert!(!said.contains(password), "{said}");
    }
}

/// What wpa_supplicant prints while it reads the file. Then it is ended.
fn verdict(file: &Path) -> Option<String> {
    let mut command = Command::new("wpa_supplicant");
    command.args(["-D", "wired", "-i", "lo", "-dd", "-c"]).arg(file);
    let mut program = match command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() {
        Ok(program) => program,
        Err(error) => {
            skip("wpa_supplicant", &error.to_string());
            return None;
        }
    };
    let out = program.stdout.take().expect("piped");
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let mut said = String::new();
    while let Ok(line) = lines.recv_timeout(Duration::from_secs(20)) {
        said += &line;
        said += "\n";
        if line.contains("Failed to read") || line.contains("Priority group 1") {
            break;
        }
    }
    let rest = lines.recv_timeout(Duration::from_millis(500));
    said +=
        &rest.into_iter().chain(lines.try_iter()).fold(String::new(), |text, it| text + &it + "\n");
    let _ = program.kill();
    let _ = program.wait();
    drop(lines);
    let _ = reader.join();
    if said.contains("Reading configuration file") {
        return Some(said);
    }
    skip("wpa_supplicant", "it does not get to its file here");
    None
}
