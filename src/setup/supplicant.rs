//! Reads the harmless keys of an owner's `wpa_supplicant.conf`, and writes the one for `wpa_supplicant` itself.
//!
//! The format can name libraries to load and programs to run, so nothing is passed on unchanged.

use super::wifi_key::wifi_key;
use crate::settings::reading::Reading;
use crate::settings::wishes::{Country, Network, Secret, Ssid, Visibility};
use std::fmt::Write;
use std::ops::Range;

/// Keys that are ignored silently, because they make no difference here.
const WITHOUT_A_WORD: [&str; 13] = [
    "ctrl_interface",
    "ctrl_interface_group",
    "update_config",
    "ap_scan",
    "fast_reauth",
    "priority",
    "id_str",
    "proto",
    "pairwise",
    "group",
    "auth_alg",
    "ieee80211w",
    "p2p_disabled",
];

/// Reads the file.
pub(super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut block: Option<Block> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let said = without_comment(line.trim());
        let at = at + line.len() - line.trim_start().len();
        if said.is_empty() {
            // wpa_passphrase writes the password as a comment beside the key that it computes.
            if line.trim_start().starts_with("#psk=\"") {
                reading.complain(
                    at,
                    "this comment has a password in it, which stays on the card: delete the line",
                );
            }
            continue;
        }
        if said == "}" {
            match block.take() {
                Some(block) => block.end(&mut reading),
                None => reading.complain(at, "this } has no {"),
            }
            continue;
        }
        let Some((key, value)) = said.split_once('=') else {
            reading.complain(at, "this line cannot be read. A line is KEY=VALUE");
            continue;
        };
        if (key, value.trim_start()) == ("network", "{") {
            if block.replace(Block::new(at)).is_some() {
                reading.complain(at, "the network above has no }, so it is ignored");
            }
            continue;
        }
        let value = Value { text: value, at: at + said.len() - value.len() };
        match &mut block {
            Some(block) => block.say(key, &value, at, &mut reading),
            None if key == "country" => reading.country(at, key, value.text),
            None => refuse(&mut reading, at, key),
        }
    }
    if let Some(block) = block {
        reading.complain(block.at, "this network has no } at its end, so it is ignored");
    }
    reading
}

fn refuse(reading: &mut Reading, at: usize, key: &str) {
    if WITHOUT_A_WORD.contains(&key) {
        return;
    }
    let key: String = key.chars().filter(|letter| !letter.is_control()).take(40).collect();
    reading.complain(
        at,
        format!("{key} is ignored: lancam reads country, and in network={{ }} ssid, psk, key_mgmt and scan_ssid"),
    );
}

/// Cuts off a comment as wpa_supplicant does: a # begins one at the start of a line. Elsewhere it does so unless it stands
/// before the second quote.
fn without_comment(line: &str) -> &str {
    if line.starts_with('#') {
        return "";
    }
    let mut quotes = line.match_indices('"').map(|(at, _)| at);
    let from = quotes.nth(1).unwrap_or(0);
    match line[from..].find('#') {
        Some(at) => line[..from + at].trim_end(),
        None => line,
    }
}

struct Value<'a> {
    text: &'a str,
    at: usize,
}

/// The form of a value.
enum Written {
    /// In quotes, which are not part of it.
    Quoted(Vec<u8>),
    /// Without quotes.
    Bare,
}

impl Value<'_> {
    /// The value's form, and where its text is.
    fn read(&self) -> Option<(Written, Range<usize>)> {
        let all = self.at..self.at + self.text.len();
        let (begin, is_escaped) = match self.text {
            text if text.starts_with('"') => (1, false),
            text if text.starts_with("P\"") => (2, true),
            _ => return Some((Written::Bare, all)),
        };
        let inside = self.text[begin..].strip_suffix('"')?;
        let bytes = if is_escaped { unescaped(inside)? } else { inside.into() };
        Some((Written::Quoted(bytes), all.start + begin..all.end - 1))
    }
}

/// Decodes `P"…"` with the escapes of C's printf.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'e' => 0x1b,
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                letter @ (b'"' | b'\\') => letter,
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(bytes)
}

/// A network block while it is read.
struct Block {
    at: usize,
    ssid: Option<Ssid>,
    secret: Option<(Secret, Range<usize>)>,
    is_open: bool,
    visibility: Visibility,
    /// Whether something essential was refused, which has been reported.
    is_refused: bool,
}

impl Block {
    fn new(at: usize) -> Self {
        Self {
            at,
            ssid: None,
            secret: None,
            is_open: false,
            visibility: Visibility::Told,
            is_refused: false,
        }
    }

    fn say(&mut self, key: &str, value: &Value<'_>, at: usize, reading: &mut Reading) {
        match key {
            "ssid" => {
                let ssid = match value.read() {
                    Some((Written::Quoted(bytes), _)) => Ssid::parse(&bytes),
                    Some((Written::Bare, _)) => {
                        Ssid::parse_hex(value.text.strip_prefix("hex:").unwrap_or(value.text))
                    }
                    None => Err("the network's name in quotes"),
                };
                self.ssid = reading.accept(at, key, ssid);
                self.is_refused |= self.ssid.is_none();
            }
            "psk" => {
                let place = value.read().map(|(_, place)| place);
                let text = match value.read() {
                    Some((Written::Quoted(bytes), _)) => String::from_utf8(bytes).ok(),
                    Some((Written::Bare, _)) => Some(value.text.to_owned())
                        .filter(|text| !matches!(Secret::parse(text), Ok(Secret::Passphrase(_)))),
                    None => None,
                };
                let expected =
                    "a password in quotes, of 8 to 63 bytes, or a key of 64 hexadecimal digits";
                let secret = text.and_then(|text| Secret::parse(&text).ok()).ok_or(expected);
                self.secret = reading.accept(at, key, secret).zip(place);
                self.is_refused |= self.secret.is_none();
            }
            "key_mgmt" => {
                let knows = |kind: &str| ["WPA-PSK", "WPA-PSK-SHA256", "SAE"].contains(&kind);
                self.is_open = value.text == "NONE";
                if !self.is_open && !value.text.split_whitespace().any(knows) {
                    reading.complain(at, "key_mgmt must be WPA-PSK, SAE or NONE");
                    self.is_refused = true;
                }
                if value.text.trim() == "SAE" {
                    reading.complain(at, NO_WPA3);
                }
            }
            "scan_ssid" if value.text == "1" => self.visibility = Visibility::Hidden,
            "scan_ssid" => self.visibility = Visibility::Told,
            // Owners keep networks that they do not use at the moment.
            "disabled" => self.is_refused |= value.text == "1",
            _ => refuse(reading, at, key),
        }
    }

    fn end(self, reading: &mut Reading) {
        if self.is_refused {
            return;
        }
        let Some(ssid) = self.ssid else {
            return reading.complain(self.at, "this network has no ssid, so it is ignored");
        };
        let (secret, secret_at) = match (self.secret, self.is_open) {
            (Some((secret, at)), false) => (secret, Some(at)),
            (_, true) => (Secret::Open, None),
            (None, false) => {
                return reading.complain(
                    self.at,
                    "this network has no psk, so it is ignored; for a network without a password write key_mgmt=NONE",
                );
            }
        };
        reading.wishes.networks.push(Network {
            ssid,
            secret,
            visibility: self.visibility,
            secret_at,
        });
    }
}

/// The complaint about a network that only allows WPA3.
pub(super) const NO_WPA3: &str =
    "the Pi's radio has no WPA3, so lancam uses WPA2; the access point must offer it";

/// The file for `wpa_supplicant`, with all networks whose secret is known.
pub(super) fn written(country: Option<Country>, networks: &[Network]) -> String {
    let mut text = String::from("# Written by lancam-setup at each start.\n");
    if let Some(country) = country {
        text += &format!("country={country}\n");
    }
    for (rank, network) in networks.iter().enumerate() {
        let entered = match &network.secret {
            Secret::Open => "\tkey_mgmt=NONE\n".to_owned(),
            // wpa_supplicant cannot read such a passphrase, so write the key instead.
            Secret::Passphrase(text) if is_cut_short(text) => {
                let key = wifi_key(text.as_bytes(), network.ssid.bytes());
                format!("\tpsk={key}\n\tkey_mgmt=WPA-PSK\n")
            }
            // The quoted text ends at the last quote of the line, and has no escapes.
            Secret::Passphrase(text) => format!("\tpsk=\"{text}\"\n\tkey_mgmt=WPA-PSK\n"),
            Secret::Key(key) => format!("\tpsk={key}\n\tkey_mgmt=WPA-PSK\n"),
            Secret::Moved => continue,
        };
        let hidden = match network.visibility {
            Visibility::Hidden => "\tscan_ssid=1\n",
            Visibility::Told => "",
        };
        let priority = networks.len() - rank;
        let _ = write!(
            text,
            "network={{\n\tssid={}\n{hidden}{entered}\tpriority={priority}\n}}\n",
            network.ssid.hex()
        );
    }
    text
}

/// Whether wpa_supplicant would take a part of this password for a comment.
fn is_cut_short(password: &str) -> bool {
    password.split_once('"').is_some_and(|(_, behind)| behind.contains('#'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::reading::Weight;

    #[test]
    fn what_owners_write_is_read_as_wpa_supplicant_reads_it() {
        let text = "ctrl_interface=DIR=/var/run/wpa_supplicant GROUP=netdev\r\nupdate_config=1\r\ncountry=de\r\n\r\n\
                    network={\r\n\tssid=\"a#\"b\" # c\r\n\tpsk=\"12345678\"\r\n}\r\n\
                    network={\n ssid=4b\n scan_ssid=1\n key_mgmt=NONE\n}\n\
                    network={\n ssid=P\"\\xc3\\xbc\\\"\"\n psk=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n}";
        let reading = read(text);
        assert_eq!(reading.remarks, []);
        assert_eq!(reading.wishes.country, Country::parse("DE").ok());
        let networks = &reading.wishes.networks;
        let names: Vec<_> = networks.iter().map(|network| network.ssid.to_string()).collect();
        assert_eq!(names, ["a#\"b", "K", "ü\""]);
        let at = networks[0].secret_at.clone().expect("a secret has a place");
        assert_eq!(&text[at], "12345678");
        assert_eq!(
            (&networks[1].secret, networks[1].visibility),
            (&Secret::Open, Visibility::Hidden)
        );
        assert_eq!(networks[2].secret_at.clone().map(|at| at.len()), Some(64));
    }

    #[test]
    fn all_else_is_refused_with_its_line() {
        for (text, line, networks) in [
            ("opensc_engine_path=/boot/evil.so\n", 1, 0),
            ("network={\nssid=\"a\"\npsk=\"12345678\"\neap=TLS\n}\n", 4, 1),
            ("network={\nssid=\"a\"\nkey_mgmt=WPA-EAP\n}\n", 3, 0),
            ("network={\nssid=\"a\"\nkey_mgmt=SAE\npsk=\"12345678\"\n}\n", 3, 1),
            ("network={\nssid=\"a\"\n\t#psk=\"12345678\"\n\tpsk=\"12345678\"\n}\n", 3, 1),
            ("network={\nssid=\"a\"\npsk=\"short\"\n}\n", 3, 0),
            ("network={\nssid=\"a\"\npsk=without-quotes\n}\n", 3, 0),
            ("network={\nssid=\"a\"\n}\n", 1, 0),
            ("network={\npsk=\"12345678\"\n}\n", 1, 0),
            ("network={\nssid=\"a\"\n", 1, 0),
            ("network={\nssid=\"a\"\nnetwork={\nssid=\"b\"\nkey_mgmt=NONE\n}\n", 3, 1),
            ("}\n", 1, 0),
            ("nonsense\n", 1, 0),
            ("country=Germany\n", 1, 0),
            ("network={\nssid=\"a\npsk=\"12345678\"\n}\n", 2, 0),
        ] {
            let reading = read(text);
            let first = reading.remarks.first().expect(text);
            assert_eq!(first.weight, Weight::Complaint);
            let at = first.at.map(|at| crate::settings::lines::line_number(text, at));
            assert_eq!(at, Some(line), "{text:?}: {:?}", reading.remarks);
            assert_eq!(reading.wishes.networks.len(), networks, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was_meant() {
        let network = |ssid: &[u8], secret: Secret| Network {
            ssid: Ssid::parse(ssid).expect("a name"),
            secret,
            visibility: Visibility::Hidden,
            secret_at: None,
        };
        let networks = [
            network(b"a\"\n}\nb", Secret::Passphrase("x#\"\\ y\"}".into())),
            network(b"\xff\0", Secret::Open),
            network(b"c", Secret::Key("0f".repeat(32))),
            network(b"d", Secret::Passphrase("pässwörd".into())),
        ];
        let reading = read(&written(Country::parse("us").ok(), &networks));
        assert_eq!(reading.remarks, []);
        let cut = network(b"IEEE", Secret::Passphrase("pass\"#word".into()));
        let cut = read(&written(None, &[cut])).wishes.networks.remove(0).secret;
        assert!(matches!(cut, Secret::Key(_)), "{cut:?}");
        let placeless = |network: &Network| Network { secret_at: None, ..network.clone() };
        let read: Vec<_> = reading.wishes.networks.iter().map(placeless).collect();
        assert_eq!(read, networks);
    }
}
