//! Files of the card as Windows, phones and word processors save them: they are read, or a message says what
//! to do. Passwords move out of them too.

use crate::card::setup::{Machine, sample};
use std::fs;
use std::process::Command;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh";

/// A text as Notepad saves it: with its line ends, in the encoding with this name.
fn as_notepad_saves(text: &str, encoding: &str) -> Vec<u8> {
    let text = text.replace('\n', "\r\n");
    let units = [0xfeff].into_iter().chain(text.encode_utf16());
    match encoding {
        "ANSI" => text.into_bytes(),
        "UTF-8-BOM" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        "UTF-16 LE" => units.flat_map(u16::to_le_bytes).collect(),
        "UTF-16 BE" => units.flat_map(u16::to_be_bytes).collect(),
        _ => unreachable!("{encoding}"),
    }
}

#[test]
fn a_file_whose_name_windows_changed_counts_and_its_password_leaves_it() {
    for (proper, name) in [
        ("lancam.toml", "lancam.toml.txt"),
        ("lancam.toml", "LANCAM.TOML"),
        ("lancam.toml", "Lancam.toml.TXT"),
        ("lancam.toml", "lancam.toml.txt.txt"),
        ("wpa_supplicant.conf", "wpa_supplicant.conf.txt"),
        ("wpa_supplicant.conf", "WPA_SUPPLICANT.CONF"),
        ("network-config", "network-config.txt"),
        ("network-config", "network-config.yaml"),
        ("custom.toml", "Custom.toml.txt"),
    ] {
        let text = String::from_utf8(sample(proper)).expect("UTF-8");
        let properly = Machine::new(&[(proper, text.as_bytes())]);
        properly.start();
        for encoding in ["ANSI", "UTF-8-BOM", "UTF-16 LE", "UTF-16 BE"] {
            let bytes = as_notepad_saves(&text, encoding);
            let machine = Machine::new(&[(name, &bytes)]);
            let said = machine.start();
            let case = format!("{name}, {encoding}: {said}");
            assert_eq!(machine.wifi(), properly.wifi(), "{case}");
            assert_eq!(machine.read("run/lancam/hostname"), properly.read("run/lancam/hostname"));
            assert_eq!(machine.read("data/wifi"), properly.read("data/wifi"), "{case}");
            assert_eq!(machine.complaints(), "", "{case}");
            let left = fs::read(machine.path("boot").join(name)).expect("there");
            let left: String =
                left.iter().filter(|it| **it != 0).map(|&it| char::from(it)).collect();
            assert!(left.contains("moved") && !left.contains("correct horse"), "{case}: {left}");
        }
    }
}

#[test]
fn user_data_and_keys_may_end_in_txt_and_all_keys_count() {
    let keys = |who: &str| as_notepad_saves(&format!("{KEY} {who}\n"), "UTF-16 LE");
    let user_data = as_notepad_saves("#cloud-config\nhostname: garage\n", "UTF-8-BOM");
    let machine = Machine::new(&[
        ("user-data.txt", &user_data),
        ("authorized_keys", &keys("one")),
        ("authorized_keys.txt", &keys("two")),
        ("AUTHORIZED_KEYS.TXT", &keys("three")),
    ]);
    let said = machine.start();
    assert_eq!(machine.read("run/lancam/hostname").as_deref(), Some("garage"), "{said}");
    let kept = machine.read("run/lancam/ssh/authorized_keys").expect("keys");
    for who in ["one", "two", "three"] {
        assert!(kept.contains(&format!("{KEY} {who}\n")), "{kept}");
    }
    assert_eq!(machine.complaints(), "");
}

#[test]
fn of_two_that_contradict_the_proper_one_counts_and_the_other_is_named() {
    let own = "quality = 70\nwifi.ssid = \"Home\"\nwifi.psk = \"correct horse\"\n";
    let other = "quality = 30\nwifi.ssid = \"Other\"\nwifi.psk = \"wrong horse\"\n";
    let machine =
        Machine::new(&[("lancam.toml", own.as_bytes()), ("lancam.toml.txt", other.as_bytes())]);
    machine.start();
    assert!(machine.read("run/lancam/lancam.toml").expect("written").contains("quality = 70"));
    assert!(machine.wifi().contains("correct horse") && !machine.wifi().contains("wrong horse"));
    let complaints = machine.complaints();
    assert!(
        complaints.contains("lancam.toml.txt: ignored, since lancam.toml is there too"),
        "{complaints}"
    );
    assert!(complaints.contains("Delete one"), "{complaints}");
    // A password is moved also from a file that is ignored.
    for (file, secret) in [("lancam.toml", "correct horse"), ("lancam.toml.txt", "wrong horse")] {
        assert!(!machine.read(&format!("boot/{file}")).expect("there").contains(secret), "{file}");
    }

    // Two equal files do not contradict each other, and the file that came with the card sets nothing.
    let empty = sample_of_the_card();
    for (first, quality) in [(other.as_bytes(), "30"), (empty.as_slice(), "30")] {
        let machine =
            Machine::new(&[("lancam.toml", first), ("lancam.toml.txt", other.as_bytes())]);
        machine.start();
        assert_eq!(machine.complaints(), "");
        let written = machine.read("run/lancam/lancam.toml").expect("written");
        assert!(written.contains(&format!("quality = {quality}")), "{written}");
        assert!(machine.wifi().contains("wrong horse"));
    }
}

/// The image's own `lancam.toml`.
fn sample_of_the_card() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/cross/image/boot/lancam.toml");
    fs::read(path).expect("it is there")
}

#[test]
fn files_that_are_no_plain_text_are_named() {
    let machine = Machine::new(&[
        ("lancam.rtf", b"{\\rtf1 psk = secret}"),
        ("wpa_supplicant.conf.docx", b"PK"),
        ("lancam.txt", b"name = \"x\"\n"),
        ("id_ed25519.pub", KEY.as_bytes()),
        ("licences.txt", b"of others"),
        ("._lancam.toml", b"\0\x05\x16\x07"),
    ]);
    machine.start();
    let complaints = machine.complaints();
    assert_eq!(complaints.lines().count(), 4, "{complaints}");
    for (file, proper) in [
        ("lancam.rtf", "lancam.toml"),
        ("wpa_supplicant.conf.docx", "wpa_supplicant.conf"),
        ("lancam.txt", "lancam.toml"),
        ("id_ed25519.pub", "authorized_keys"),
    ] {
        let line = complaints.lines().find(|line| line.starts_with(file));
        assert!(line.is_some_and(|line| line.ends_with(proper)), "{file}: {complaints}");
    }
}

#[test]
fn curly_quotes_on_the_card_are_named_and_no_password_is_told() {
    for (file, text, right) in [
        ("lancam.toml", "device.name = “garage”\n", "device.name = \"garage\""),
        ("lancam.toml", "wifi.ssid = \"a\"\nwifi.psk = „geheimgeheim“\n", "wifi.psk = \"…\""),
        ("lancam.toml.txt", "[wifi]\r\nssid = «Home»\r\n", "ssid = \"Home\""),
        ("lancam.toml", "[wifi]\nssid = \"“Home”\"\npsk = \"geheimgeheim\"\n", "If it is Home,"),
        ("user-data", "#cloud-config\nhostname: ‘garage’\n", "hostname: \"garage\""),
        (
            "wpa_supplicant.conf",
            "network={\n  ssid=“Home”\n  psk=“geheimgeheim”\n}\n",
            "ssid=\"Home\"",
        ),
    ] {
        let machine = Machine::new(&[(file, text.as_bytes())]);
        let said = machine.start();
        let complaints = machine.complaints();
        assert!(
            complaints.contains("curly quotes") && complaints.contains(right),
            "{text}: {complaints}"
        );
        assert!(!complaints.contains("geheim") && !said.contains("geheim"), "{complaints}");
    }
}

/// The output of `lancam check` for this text, and its exit code.
fn check(text: &str) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lancam.toml");
    fs::write(&file, text).expect("writes");
    let mut check = Command::new(env!("CARGO_BIN_EXE_lancam"));
    let output = check.arg("check").arg("--config").arg(&file).output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.code())
}

#[test]
fn what_check_advises_about_curly_quotes_works_when_it_is_followed() {
    for written in [
        "“Garage”",
        "„Garage“",
        "”Garage”",
        "«Garage»",
        "‘Garage’",
        "\"Garage”",
        "\"“Garage”\"",
        "'„Garage“'",
    ] {
        let (said, code) = check(&format!("name = {written}\n"));
        assert_eq!(code, Some(78), "{written}: {said}");
        let advice = said.split("Write: ").nth(1).unwrap_or_else(|| panic!("{written}: {said}"));
        let advice = advice.lines().next().expect("a line");
        assert_eq!(advice, "name = \"Garage\"", "{written}");
        assert_eq!(check(advice).1, Some(0), "{written}");
    }
    let (said, _) =
        check("listen = [“[::]:8080”, “0.0.0.0:80”]\n[controls]\npower_line_frequency = “50 Hz”\n");
    assert!(said.contains("listen = [\"[::]:8080\", \"0.0.0.0:80\"]"), "{said}");
    assert!(said.contains("power_line_frequency = \"50 Hz\""), "{said}");
    // Apostrophes and quotes inside a name are part of it.
    for good in ["\"Bob’s camera\"", "\"a “b” c\"", "\"Thomas’\""] {
        assert_eq!(check(&format!("name = {good}\n")).1, Some(0), "{good}");
    }
}
