//! Tests of settings as Raspberry Pi Imager and people write them, and of broken ones. They use no files.

use super::*;
use crate::settings::wishes::{Dhcp, HostName, Visibility};

fn read(file: &str, text: &str) -> Option<Reading> {
    Parsed::new(file, text.into()).map(|parsed| parsed.reading)
}

fn good(file: &str, text: &str) -> Wishes {
    let Reading { wishes, remarks } = read(file, text).expect("a dialect");
    let complaints: Vec<_> =
        remarks.iter().filter(|remark| remark.weight == Weight::Complaint).collect();
    assert!(complaints.is_empty(), "{file}: {complaints:?}");
    for network in &wishes.networks {
        let at = network.secret_at.clone();
        assert_eq!(at.is_some(), network.secret != Secret::Open, "{file}");
        assert!(at.is_none_or(|at| text.get(at).is_some_and(|text| text.len() >= 8)), "{file}");
    }
    wishes
}

/// The line number and the text of the first complaint.
fn complaint(file: &str, text: &str) -> (usize, String) {
    let reading = read(file, text).expect("a dialect");
    let complaint = reading.remarks.iter().find(|remark| remark.weight == Weight::Complaint);
    let complaint = complaint.unwrap_or_else(|| panic!("{text:?}: {reading:?}"));
    (line_number(text, complaint.at.expect("a place")), complaint.text.clone())
}

/// Name, country, networks, number of keys.
fn summary(wishes: &Wishes) -> String {
    let networks = wishes.networks.iter().map(|network| {
        let hidden = if network.visibility == Visibility::Hidden { " hidden" } else { "" };
        format!("{} {:?}{hidden}", network.ssid, network.secret)
    });
    format!(
        "{} {} [{}] {}",
        wishes.name.as_ref().map_or("-", HostName::as_str),
        wishes.country.map_or("-".into(), |country| country.to_string()),
        networks.collect::<Vec<_>>().join(", "),
        wishes.keys.len()
    )
}

#[test]
fn what_imager_writes_is_understood() {
    for (file, text, expected) in [
        (
            "custom.toml",
            include_str!("../../tests/data/setup/custom.toml"),
            "garage GB [Küche & Söhne Key(…) hidden] 1",
        ),
        (
            "rpi-preseed.toml",
            include_str!("../../tests/data/setup/rpi-preseed.toml"),
            "garage DE [My \"Net\" \\ Key(…)] 2",
        ),
        ("user-data", include_str!("../../tests/data/setup/user-data"), "garage - [] 1"),
        (
            "network-config",
            include_str!("../../tests/data/setup/network-config"),
            "- GB [Küche \"1\" Key(…) hidden] 0",
        ),
        ("user-data", include_str!("../../tests/data/setup/user-data-imager-1"), "garage - [] 1"),
        (
            "network-config",
            include_str!("../../tests/data/setup/network-config-imager-1"),
            "- - [HomeNet Key(…)] 0",
        ),
        (
            "wpa_supplicant.conf",
            include_str!("../../tests/data/setup/wpa_supplicant.conf"),
            "- GB [HomeNet Passphrase(…) hidden, Office Key(…), Café Open] 0",
        ),
        (
            "lancam.toml",
            include_str!("../../tests/data/setup/lancam.toml"),
            "garage DE [My network Passphrase(…)] 1",
        ),
    ] {
        assert_eq!(summary(&good(file, text)), expected, "{file}");
        // As Windows saves it.
        assert_eq!(summary(&good(file, &text.replace('\n', "\r\n"))), expected, "{file}");
        assert_eq!(summary(&good(file, text.trim_end())), expected, "{file}");
    }
}

#[test]
fn addresses_are_read_from_netplans_words() {
    let text = "version: 2\nethernets:\n  eth0:\n    addresses: [192.0.2.7/24, \"2001:db8::7/64\"]\n    gateway4: 192.0.2.1\n\
                \x20   nameservers:\n      search: [lan]\n      addresses: [192.0.2.2]\nwifis:\n  wlan0:\n    dhcp4: true\n\
                \x20   addresses:\n    - 192.0.2.8/24\n    routes:\n    - to: default\n      via: 192.0.2.1\n\
                \x20   access-points:\n      Net: {password: \"12345678\"}\n";
    let wishes = good("network-config", text);
    let wired = wishes.wired.expect("addresses");
    assert_eq!((wired.own.len(), wired.gateways.len(), wired.dns.len()), (2, 1, 1));
    assert_eq!(wired.dhcp, Dhcp::Off);
    let wireless = wishes.wireless.expect("addresses");
    assert_eq!((wireless.gateways.len(), wireless.dhcp), (1, Dhcp::On));
    let file = written::network("eth0", &wired);
    for line in
        ["Name=eth0", "DHCP=no", "Address=2001:db8::7/64", "Gateway=192.0.2.1", "DNS=192.0.2.2"]
    {
        assert!(file.lines().any(|it| it == line), "{line}: {file}");
    }
}

#[test]
fn what_is_not_done_is_told_with_its_line() {
    for (file, text, line, what) in [
        ("user-data", "#cloud-config\nhostname: my camera\n", 2, "garage-2"),
        ("user-data", "#!/bin/sh\nreboot\n", 1, "scripts are not run"),
        ("user-data", "#cloud-config\nssh_authorized_keys: [x]\n", 2, "id_ed25519.pub"),
        ("network-config", "version: 1\nconfig: []\n", 1, "version must be 2"),
        ("network-config", "bridges:\n  br0: {}\n", 1, "ethernets and wifis"),
        (
            "network-config",
            "wifis:\n  w:\n    access-points:\n      n: {password: short}\n",
            4,
            "8 to 63",
        ),
        (
            "network-config",
            "wifis:\n  w:\n    access-points:\n      n:\n        password:\n",
            4,
            "cannot read its password",
        ),
        (
            "network-config",
            "wifis:\n  w:\n    access-points:\n      n:\n        auth:\n          key-management: eap\n",
            6,
            "psk, sae or none",
        ),
        ("custom.toml", "[wlan]\nssid = \"a\"\npassword = \"short\"\n", 3, "8 to 63"),
        ("custom.toml", "[wlan]\npassword = \"12345678\"\n", 1, "ssid in [wlan]"),
        ("custom.toml", "[ssh]\nenabled = true\n", 1, "authorized_keys"),
        ("rpi-preseed.toml", "[wlan]\nssid_hex = \"zz\"\n", 2, "name in quotes"),
        ("authorized_keys", "# mine\n\nssh-rsa\n", 3, "id_ed25519.pub"),
    ] {
        let (at, text_of_it) = complaint(file, text);
        assert_eq!(at, line, "{file} {text:?}: {text_of_it}");
        assert!(text_of_it.contains(what), "{file} {text:?}: {text_of_it}");
        assert!(good_networks(file, text).is_empty(), "{file} {text:?}");
    }
}

fn good_networks(file: &str, text: &str) -> Vec<Network> {
    read(file, text).expect("a dialect").wishes.networks
}

#[test]
fn a_network_whose_password_cannot_be_read_is_not_taken_for_an_open_one() {
    for (file, text) in [
        (
            "network-config",
            "wifis:\n  w:\n    access-points:\n      n:\n        password \"12345678\"\n",
        ),
        (
            "network-config",
            "wifis:\n  w:\n    access-points:\n      n:\n        password: &x 12345678\n",
        ),
        ("custom.toml", "[wlan]\nssid = \"a\"\npassword = 12345678x\n"),
        ("lancam.toml", "wifi.ssid = \"a\"\nwifi.psk = 12345678x\n"),
        ("lancam.toml", "[wifi]\nssid = \"a\"\npsk = 12345678\n"),
        ("wpa_supplicant.conf", "network={\nssid=\"a\"\npsk=\"1234\n}\n"),
    ] {
        assert!(good_networks(file, text).is_empty(), "{file} {text:?}");
        complaint(file, text);
    }
}

#[test]
fn commands_in_user_data_are_told_and_left() {
    let text = include_str!("../../tests/data/setup/user-data");
    let reading = read("user-data", text).expect("a dialect");
    for line in ["packages:", "user:", "runcmd:"] {
        let at = text.find(line).expect(line);
        assert!(reading.remarks.iter().any(|remark| remark.at == Some(at)), "{line}: {reading:?}");
    }
}

#[test]
fn no_complaint_has_a_password_in_it() {
    for (file, text) in [
        ("lancam.toml", "[wifi]\nssid = \"a\"\npsk = geheimgeheim\nq = [\n"),
        ("custom.toml", "[wlan]\nssid = 5\npassword = geheimgeheim\npassword = \"geheim\"\n"),
        ("wpa_supplicant.conf", "network={\nssid=\"a\"\npsk=geheimgeheim\ngeheimgeheim\n}\n"),
        (
            "network-config",
            "wifis:\n  w:\n    access-points:\n      n:\n        password: \"geheim\n",
        ),
        ("network-config", "wifis:\n  w:\n    access-points:\n      n: {password: geheim}\n"),
    ] {
        let reading = read(file, text).expect("a dialect");
        assert!(!reading.remarks.is_empty(), "{file}");
        assert!(!format!("{reading:?}").contains("geheim"), "{file}: {reading:?}");
    }
}

/// Pseudo-random numbers that are the same in each run, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides.max(1)
    }
}

#[test]
fn nothing_is_too_broken_to_be_read() {
    let samples: [(&str, &str); 6] = [
        ("lancam.toml", include_str!("../../tests/data/setup/lancam.toml")),
        ("custom.toml", include_str!("../../tests/data/setup/custom.toml")),
        ("rpi-preseed.toml", include_str!("../../tests/data/setup/rpi-preseed.toml")),
        ("user-data", include_str!("../../tests/data/setup/user-data")),
        ("network-config", include_str!("../../tests/data/setup/network-config")),
        ("wpa_supplicant.conf", include_str!("../../tests/data/setup/wpa_supplicant.conf")),
    ];
    let mut dice = Dice(1);
    for (file, sample) in samples {
        for _ in 0..300 {
            let mut bytes = sample.as_bytes().to_vec();
            for _ in 0..=dice.roll(4) {
                let at = dice.roll(bytes.len());
                match dice.roll(5) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, b"\"'[]{}:#\\-=\n\t |&"[dice.roll(16)]),
                    2 => drop(bytes.remove(at.min(bytes.len() - 1))),
                    3 => bytes[at] = dice.roll(256).to_le_bytes()[0],
                    _ => bytes.rotate_left(at),
                }
                if bytes.is_empty() {
                    bytes.push(b'\n');
                }
            }
            let text = Text::decode(bytes).0;
            let reading = read(file, &text.text).expect("a dialect");
            let made = supplicant::written(reading.wishes.country, &reading.wishes.networks);
            let again = supplicant::read(&made);
            assert_eq!(again.remarks, [], "{file}: {:?}", text.text);
            let lines = |text: &str| text.matches('\n').count();
            let public = device::without_tables(&text.text);
            assert_eq!(lines(&public), lines(&text.text), "{:?}", text.text);
            for place in reading.wishes.networks.iter().filter_map(|it| it.secret_at.clone()) {
                assert!(text.text.get(place).is_some(), "{file}: {:?}", text.text);
            }
        }
    }
}
