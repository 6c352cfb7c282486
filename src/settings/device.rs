//! The tables of `lancam.toml` about the device, not the camera: `[device]`, `[wifi]`, `[ethernet]`, `[ssh]`.

use super::code::may_set_one;
use super::reading::{Reading, Weight};
use super::statements::{self, MistakeKind, Statement, Value};
use super::table::Table;
use super::wishes::{Network, Secret, Ssid, Visibility};
use crate::wording::is_a_table;
use std::ops::Range;

/// The names of these tables.
pub const TABLES: [&str; 4] = ["device", "wifi", "ethernet", "ssh"];

/// Reads these tables of a file. Mistakes elsewhere in the file are not reported.
pub fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let (statements, mistakes) = statements::read(text);
    let ours = lines_of_tables(text);
    for mistake in mistakes {
        if !ours.iter().any(|place| place.contains(&mistake.at)) {
            continue;
        }
        // Do not quote the line: it may have a password in it.
        let why = match &mistake.kind {
            MistakeKind::NoQuotes(_) => "text needs straight quotes around it: KEY = \"VALUE\"",
            MistakeKind::Twice(_) => "this is set twice, and the first value is used; delete one",
            MistakeKind::Syntax(_) => "this line cannot be read. A line is KEY = \"VALUE\"",
            MistakeKind::TooMany => continue,
        };
        reading.complain(mistake.at, why);
    }
    let is_whole = reading.remarks.is_empty();
    for statement in &statements {
        if TABLES.contains(&statement.key.as_str()) {
            read_table(statement, text, &mut reading);
        }
    }
    if !is_whole {
        reading.doubt_open_networks();
    }
    reading.remarks.sort_by_key(|remark| remark.at);
    reading
}

/// Reads one of these tables.
pub(crate) fn read_table(statement: &Statement, source: &str, reading: &mut Reading) {
    let name = statement.key.as_str();
    let Value::Table(statements) = &statement.value else {
        return reading.complain(statement.key_at.start, is_a_table(name));
    };
    let mut table = Table::new(name, statements);
    match name {
        "device" => {
            table.name("name", source, reading);
            table.code("code", source, reading);
        }
        "wifi" => wifi(&mut table, statement.key_at.start, source, reading),
        "ethernet" => reading.wishes.wired = table.addresses(reading),
        _ => table.keys(reading),
    }
    table.end(Weight::Complaint, reading);
}

fn wifi(table: &mut Table<'_>, at: usize, source: &str, reading: &mut Reading) {
    let misnamed = table.has("password");
    if let Some(at) = misnamed {
        reading.complain(at, "the key for the password in [wifi] is psk, not password");
        table.skip(&["password"]);
    }
    let ssid = table.ssid("ssid", source, reading, |text| Ssid::parse(text.as_bytes()));
    let secret = table.secret("psk", source, reading);
    table.country(source, reading);
    let visibility = match table.truth("hidden", reading) {
        Some(true) => Visibility::Hidden,
        _ => Visibility::Told,
    };
    reading.wishes.wireless = table.addresses(reading);
    let Some(ssid) = ssid else {
        if secret.is_some() {
            reading.complain(at, "ssid in [wifi] is missing: write the name of the network there");
        }
        return;
    };
    let (secret, secret_at) = match secret {
        None if misnamed.is_some() => return,
        None => (Secret::Open, None),
        Some(Some((secret, at))) => (secret, Some(at)),
        // The error is reported already. A network with a bad password must not count as an open one.
        Some(None) => return,
    };
    reading.wishes.networks.push(Network { ssid, secret, visibility, secret_at });
}

/// The file for the camera program, which every user of this machine may read: without the lines of these tables, which may
/// contain secrets even if they cannot be parsed. All other lines keep their numbers.
pub fn without_tables(text: &str) -> String {
    let mut left = text.to_owned();
    for place in lines_of_tables(text) {
        let blank: String =
            text[place.clone()].chars().map(|it| if it == '\n' { "\n" } else { "" }).collect();
        left.replace_range(place, &blank);
    }
    left
}

/// The lines that are, or may be meant to be, about the device. The last ones first.
fn lines_of_tables(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut is_inside = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let place = start..start + line.len();
        start = place.end;
        let said = line.trim();
        if let Some(header) = said.strip_prefix('[') {
            is_inside = begins_with_table(header.trim_start_matches(['[', ' ']));
        }
        // Also in comments, and in lines that are not TOML.
        let key = said.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let is_secret =
            ["psk", "password"].iter().any(|word| key.contains(word)) || may_set_one(said);
        if is_inside || begins_with_table(said) || is_secret {
            places.push(place);
        }
    }
    places.reverse();
    places
}

fn begins_with_table(said: &str) -> bool {
    let said = said.trim_start_matches(['"', '\'']);
    let word = said.split(|letter: char| !letter.is_ascii_alphanumeric()).next();
    word.is_some_and(|word| TABLES.iter().any(|table| table.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::super::wishes::HostName;
    use super::*;

    #[test]
    fn both_ways_to_write_a_table_are_read() {
        let dotted = "device.name = \"garage\"\ndevice.code = \"K7QM-2XPD-9HRT\"\nwifi.ssid = \"Küche\"\nwifi.psk = 'a\"b\\c d e'\nwifi.country = \"de\"\n\
                      ssh.authorized_keys = \"ssh-ed25519 AAAAC3 me\"\nethernet.address = \"192.0.2.7/24\"\nquality = 50\n";
        let headed = "quality = 50\n[device]\nname = \"garage\"\ncode = \"K7QM-2XPD-9HRT\"\n[wifi]\nssid = \"Küche\"\npsk = \"a\\\"b\\\\c d e\"\n\
                      country = \"DE\"\n[ssh]\nauthorized_keys = [\"ssh-ed25519 AAAAC3 me\"]\n[ethernet]\n\
                      address = [\"192.0.2.7/24\"]\n[controls]\ngain = 1\n";
        let mut wishes = [dotted, headed].map(|text| {
            let reading = read(text);
            assert_eq!(reading.remarks, []);
            reading.wishes
        });
        for (wishes, (text, written)) in
            wishes.iter_mut().zip([(dotted, "a\"b\\c d e"), (headed, "a\\\"b\\\\c d e")])
        {
            let at = wishes.networks[0].secret_at.take().expect("a secret has a place");
            assert_eq!(&text[at], written);
            let code = wishes.code.take().expect("a code");
            assert_eq!(&text[code.at.clone()], "K7QM-2XPD-9HRT");
            assert!(code.code().is_some());
        }
        assert_eq!(wishes[0], wishes[1]);
        assert_eq!(wishes[0].name, HostName::parse("garage").ok());
        assert_eq!(wishes[0].networks[0].secret, Secret::Passphrase("a\"b\\c d e".into()));
    }

    #[test]
    fn mistakes_are_told_without_the_secret() {
        for (text, line, expected) in [
            ("wifi.ssid = \"a\"\nwifi.psk = geheimgeheim\n", 2, "quotes around it"),
            ("[wifi]\nssid = \"a\"\npsk = \"geheim\"\n", 3, "8 to 63"),
            ("[wifi]\npsk = \"geheimgeheim\"\n", 1, "ssid in [wifi] is missing"),
            ("[wifi]\nssid = \"a\"\npassword = \"geheimgeheim\"\n", 3, "is psk, not password"),
            ("[wifi]\nssid = 5\n", 2, "text in quotes"),
            ("[wifi]\nssid = \"a\"\npsk = \"geheim\ngeheim\"\n", 3, "cannot be read"),
            ("[wifi\nssid = \"a\"\n", 1, "cannot be read"),
            ("wifi = \"a\"\n", 1, "is a table"),
            ("device.name = \"my camera\"\n", 1, "hyphens"),
            ("device.code = \"geheim\"\n", 1, "such as K7QM-2XPD-9HRT"),
            ("[device]\ncode = geheim\n", 2, "quotes around it"),
            ("[ethernet]\naddress = \"192.0.2.7\"\n", 2, "192.168.1.20/24"),
            ("[ssh]\nauthorized_keys = [\"x\"]\n", 2, "id_ed25519.pub"),
            ("[device]\nname = \"a\"\nquality = 5\n", 3, "the keys there are name, code"),
        ] {
            let reading = read(text);
            let first = reading.remarks.first().expect(text);
            assert_eq!(
                first.at.map(|at| crate::settings::lines::line_number(text, at)),
                Some(line),
                "{text:?}: {reading:?}"
            );
            assert!(first.text.contains(expected), "{text:?}: {}", first.text);
            let networks = &reading.wishes.networks;
            assert!(networks.iter().all(|network| network.secret != Secret::Open), "{text:?}");
            assert!(!format!("{reading:?}").contains("geheim"), "{text:?}: {reading:?}");
            assert!(!without_tables(text).contains("geheim"), "{text:?}");
            assert_eq!(without_tables(text).matches('\n').count(), text.matches('\n').count());
        }
    }

    #[test]
    fn mistakes_elsewhere_are_left_to_the_camera_program() {
        assert_eq!(without_tables("name = \"psk\"\n#wifi.psk = \"a\"\n"), "name = \"psk\"\n\n");
        let misplaced = "code = \"K7QM-2XPD-9HRT\"\n# CODE=\"a\"\nencode-threads = 2\n";
        assert_eq!(without_tables(misplaced), "\n\nencode-threads = 2\n");
        let text = "quality = x\n[device]\nname = \"garage\"\n[controls]\ngain\n";
        let reading = read(text);
        assert_eq!(reading.remarks, []);
        assert!(reading.wishes.name.is_some());
        let unfilled = read("device.code = \"____-____-____\"\n");
        assert_eq!((unfilled.wishes.code, unfilled.remarks), (None, vec![]));
        assert_eq!(without_tables(text), "quality = x\n\n\n[controls]\ngain\n");
    }
}
