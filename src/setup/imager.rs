//! Reads the TOML files of Raspberry Pi Imager: `custom.toml`, for Raspberry Pi OS 12, and `rpi-preseed.toml`.

use crate::settings::reading::{Reading, Weight};
use crate::settings::statements::{self, Statement, Value};
use crate::settings::table::Table;
use crate::settings::wishes::{Network, Secret, Ssid, Visibility};

/// Reads the file.
pub(super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let (statements, mistakes) = statements::read(text);
    for mistake in mistakes {
        // Do not quote the line: it may have a password in it.
        reading.complain(mistake.at, "this line cannot be read. A line is KEY = VALUE");
    }
    let is_whole = reading.remarks.is_empty();
    for statement in &statements {
        read_table(statement, text, &mut reading);
    }
    if !is_whole {
        reading.doubt_open_networks();
    }
    reading
}

fn read_table(statement: &Statement, source: &str, reading: &mut Reading) {
    let name = statement.key.as_str();
    let at = statement.key_at.start;
    let Value::Table(statements) = &statement.value else {
        if name != "config_version" {
            reading.note(at, "ignored: lancam's card does not use this");
        }
        return;
    };
    let mut table = Table::new(name, statements);
    match name {
        "system" => table.name("hostname", source, reading),
        "ssh" => ssh(&mut table, at, reading),
        "wlan" => wlan(&mut table, at, source, reading),
        "user" => {
            return reading.note(at, "[user] is ignored: lancam has no accounts and no passwords");
        }
        "locale" => return,
        _ => return reading.note(at, "ignored: lancam's card does not use this table"),
    }
    table.end(Weight::Note, reading);
}

fn ssh(table: &mut Table<'_>, at: usize, reading: &mut Reading) {
    let is_enabled = table.truth("enabled", reading);
    table.skip(&["password_authentication"]);
    table.keys(reading);
    if is_enabled == Some(false) {
        reading.wishes.keys.clear();
    } else if reading.wishes.keys.is_empty() {
        reading.complain(at, "[ssh] needs a key: write your public SSH key into authorized_keys");
    }
}

fn wlan(table: &mut Table<'_>, at: usize, source: &str, reading: &mut Reading) {
    let named = table.ssid("ssid", source, reading, |text| Ssid::parse(text.as_bytes()));
    let in_digits = table.ssid("ssid_hex", source, reading, Ssid::parse_hex);
    let secret = table.secret("password", source, reading);
    // These are implied by the password itself.
    table.skip(&["password_encrypted", "key_mgmt"]);
    let visibility = match table.truth("hidden", reading) {
        Some(true) => Visibility::Hidden,
        _ => Visibility::Told,
    };
    table.country(source, reading);
    let Some(ssid) = named.or(in_digits) else {
        if secret.is_some() {
            reading.complain(at, "ssid in [wlan] is missing: write the name of the network there");
        }
        return;
    };
    let (secret, secret_at) = match secret {
        None => (Secret::Open, None),
        Some(Some((secret, at))) => (secret, Some(at)),
        Some(None) => return,
    };
    reading.wishes.networks.push(Network { ssid, secret, visibility, secret_at });
}
