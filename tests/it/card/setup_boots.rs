//! A card with files from an owner or Raspberry Pi Imager, started twice: name, keys, addresses, the file for
//! Wi-Fi, and where the password went. One dialect in each test. Radios are not emulated, so it joins no
//! network.

use crate::tools::appliance::{Appliance, Card, Machine};
use crate::tools::mdns_cable::Cable;
use lancam::wire::dns::{Data, Name, QueryKind};
use std::fs;

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const CAMERA: &str = "modules_load=vivid";

/// What must come of a card's files.
struct Expected<'a> {
    name: &'a str,
    /// Lines of `wpa_supplicant.conf`.
    wifi: &'a [&'a str],
    /// A secret that the boot partition must not contain any more, and the file that contained it.
    secret: (&'a str, &'a str),
}

/// A fresh card with samples of tests/data/setup, with the owner's key in place of the sample's.
fn card(samples: &[&str]) -> Option<Card> {
    card_with(samples, |text| text)
}

/// The same with edited samples. Each is written once, because an overwritten version may stay in the file
/// system's free space.
fn card_with(samples: &[&str], edit: impl Fn(String) -> String) -> Option<Card> {
    let card = Card::new()?;
    let key = fs::read_to_string(card.folder().join("key.pub")).expect("the owner's key");
    for file in samples {
        let path = format!("{}/tests/data/setup/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = edit(text);
        let sample = text.split(['"', '\n']).find(|it| it.starts_with("ssh-ed25519 "));
        match sample {
            Some(sample) => {
                // Now only the key in `file` can open SSH.
                card.delete("authorized_keys");
                card.put(file, text.replace(sample, key.trim()).as_bytes());
            }
            None => card.put(file, text.as_bytes()),
        }
    }
    Some(card)
}

/// Starts a card twice.
fn starts_as(card: Card, expected: &Expected<'_>) -> Card {
    let on_boot = boot_partition(&card);
    assert!(contains(&on_boot, expected.secret.0), "the owner wrote it");
    let pi = card.boot(Machine::Virt, &[CAMERA]);
    println!("first start: {}", pi.first_picture());
    is_as(&pi, expected);
    let wifi = pi.ssh("cat /run/lancam/wpa_supplicant.conf").text();
    let card = pi.power_off();
    let file = String::from_utf8_lossy(&card.read(expected.secret.1)).into_owned();
    assert!(file.contains("moved") && !file.contains(expected.secret.0), "{file}");
    // The secret is nowhere on the partition that any PC can read.
    assert!(!contains(&boot_partition(&card), expected.secret.0));

    let pi = card.boot(Machine::Virt, &[CAMERA]);
    is_as(&pi, expected);
    assert_eq!(pi.ssh("cat /run/lancam/wpa_supplicant.conf").text(), wifi);
    pi.power_off()
}

fn is_as(pi: &Appliance, expected: &Expected<'_>) {
    // This step runs after the first picture and may still be running.
    let done = "for i in $(seq 300); do systemctl is-active -q lancam-secrets && exit; sleep 0.2; done; exit 1";
    pi.ssh(done).text();
    assert_eq!(pi.ssh("hostname").text().trim(), expected.name);
    let state = pi.get_until("/state", |state| state.code == 200);
    let state = state.text();
    assert!(state.contains(&format!("\"name\":\"{}\"", expected.name)), "{state}");
    let wifi = pi.ssh("cat /run/lancam/wpa_supplicant.conf").text();
    for line in expected.wifi {
        assert!(wifi.lines().any(|it| it.trim() == *line), "{line}: {wifi}");
    }
    let modes = pi.ssh("stat -c '%a %n' /run/lancam/wpa_supplicant.conf /run/lancam/ssh/authorized_keys /data/wifi").text();
    assert!(modes.lines().all(|line| line.starts_with("600 ")), "{modes}");
    assert!(pi.ssh("cat /data/wifi").text().contains(expected.secret.0));
    let boot = pi.ssh("grep ' /boot ' /proc/mounts").text();
    assert!(boot.contains(" ro,"), "{boot}");
    // Asks wpa_supplicant itself to read the file, without a radio.
    let verdict = pi
        .ssh(
            "timeout 5 wpa_supplicant -D wired -i lo -c /run/lancam/wpa_supplicant.conf -d || true",
        )
        .text();
    assert!(verdict.contains("Priority group") && !verdict.contains("Failed to read"), "{verdict}");
    let failed = pi.ssh("systemctl --failed --no-legend --plain").text();
    assert_eq!(failed.trim(), "");
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The bytes of the boot partition.
pub(crate) fn boot_partition(card: &Card) -> Vec<u8> {
    let bytes = fs::read(card.file()).expect("a card");
    bytes[4 << 20..68 << 20].to_vec()
}

#[test]
#[ignore = "minutes: make test-all"]
fn our_own_file_names_the_camera_gives_it_an_address_and_opens_ssh() {
    // The address to which QEMU forwards, and which DHCP would give.
    let own = "ethernet.address = \"10.0.2.15/24\"\nethernet.gateway = \"10.0.2.2\"\n";
    let edit = |text: String| {
        let text = text.replace("source = \"test:64x48@5\"\n", "");
        format!("{own}device.nonsense = 1\n{text}")
    };
    let Some(card) = card_with(&["lancam.toml"], edit) else { return };
    let expected = Expected {
        name: "garage",
        wifi: &[
            "country=DE",
            "ssid=4d79206e6574776f726b",
            "psk=\"correct horse\"",
            "key_mgmt=WPA-PSK",
        ],
        secret: ("correct horse", "lancam.toml"),
    };
    let card = starts_as(card, &expected);
    let cable = Cable::new();
    let arguments = cable.qemu();
    let card = card.with_qemu(&arguments.each_ref().map(String::as_str));
    let pi = card.boot(Machine::Virt, &[CAMERA]);
    let host = Name::of("garage.local");
    let address = cable.ask(&host, QueryKind::Aaaa, |record| match record.data {
        Data::Address(address) if record.name == host => Some(address),
        _ => None,
    });
    println!("multicast DNS: {host} is at {address}");
    let address = pi.ssh("ip -o -4 addr show eth0").text();
    assert!(address.contains("10.0.2.15/24") && !address.contains("dynamic"), "{address}");
    // If both cables had this address, answers could leave by either of them.
    let second = pi.ssh("ip -o -4 addr show eth1").text();
    assert!(!second.contains("10.0.2.15"), "{second}");
    // The page shows the mistake with its line, and so does the screen.
    let complaint = "lancam.toml:3: unknown key in [device]";
    let state = pi.get_until("/state", |state| state.code == 200);
    let state = state.text();
    assert!(state.contains(complaint), "{state}");
    assert!(pi.ssh("cat /run/lancam/complaints").text().contains(complaint));
    let screen = pi.ssh("/usr/lib/lancam/screen").text();
    assert!(screen.contains(complaint) && screen.contains("server is running"), "{screen}");
}

#[test]
#[ignore = "minutes: make test-all"]
fn custom_toml_is_done() {
    let Some(card) = card(&["custom.toml"]) else { return };
    let key = format!("psk={KEY}");
    starts_as(
        card,
        &Expected {
            name: "garage",
            wifi: &["country=GB", "ssid=4bc3bc63686520262053c3b6686e65", "scan_ssid=1", &key],
            secret: (KEY, "custom.toml"),
        },
    );
}

#[test]
#[ignore = "minutes: make test-all"]
fn rpi_preseed_toml_is_done() {
    let Some(card) = card(&["rpi-preseed.toml"]) else { return };
    let key = format!("psk={KEY}");
    starts_as(
        card,
        &Expected {
            name: "garage",
            wifi: &["country=DE", "ssid=4d7920224e657422205c", &key],
            secret: (KEY, "rpi-preseed.toml"),
        },
    );
}

#[test]
#[ignore = "minutes: make test-all"]
fn what_cloud_init_would_do_is_done_as_far_as_it_is_about_the_device() {
    let Some(card) = card(&["user-data", "network-config"]) else { return };
    let key = format!("psk={KEY}");
    starts_as(
        card,
        &Expected {
            name: "garage",
            wifi: &["country=GB", "ssid=4bc3bc63686520223122", "scan_ssid=1", &key],
            secret: (KEY, "network-config"),
        },
    );
}

#[test]
#[ignore = "minutes: make test-all"]
fn wpa_supplicant_conf_is_read_and_wpa_supplicant_itself_agrees() {
    let Some(card) = card(&["wpa_supplicant.conf"]) else { return };
    starts_as(
        card,
        &Expected {
            name: "lancam-3456",
            wifi: &["country=GB", "ssid=486f6d654e6574", "ssid=4f6666696365", "key_mgmt=NONE"],
            secret: ("correct horse # \\\"battery", "wpa_supplicant.conf"),
        },
    );
}
