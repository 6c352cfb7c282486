//! What a camera announces on the LAN: its names, its services, and facts about it.

use crate::image::pixels::Size;
use crate::plain::printable;
use crate::rate::Rate;

/// The service type of cameras that speak the native protocol.
pub const CAMERA: &str = "_lancam._tcp.local";

/// The service type of web pages.
pub const WEB: &str = "_http._tcp.local";

/// The first bytes of SHA-256 of a camera's certificate. They tell cameras apart, and prove nothing: anybody can announce
/// them.
pub type PinStart = [u8; 8];

/// The facts about a service in its TXT record (RFC 6763, section 6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The program's version.
    pub version: String,
    /// The name that the camera was given, even if another camera had that name first.
    pub name: String,
    /// Differs for any two running cameras, whatever their names.
    pub id: String,
    /// How the hash of its certificate begins, if it speaks TLS.
    pub pin: Option<PinStart>,
    /// The size of the pictures for viewers without wishes; unknown until the first frame.
    pub size: Option<Size>,
    /// Their frame rate, if known.
    pub rate: Rate,
}

impl Facts {
    /// The facts as keys and values. Unknown facts are left out.
    pub fn to_text(&self) -> Vec<(&'static str, String)> {
        let mut text = vec![
            // RFC 6763 wants this key first (section 6.7).
            ("txtvers", "1".to_owned()),
            ("version", self.version.clone()),
            ("name", self.name.clone()),
            ("id", self.id.clone()),
        ];
        if let Some(pin) = self.pin {
            text.push(("tls", "1".to_owned()));
            text.push(("pin", format!("{:016x}", u64::from_be_bytes(pin))));
        }
        if let Some(size) = self.size {
            text.push(("size", size.to_string()));
        }
        if let Some(rate) = self.rate.known() {
            text.push(("fps", rate.to_string()));
        }
        text
    }

    /// Reads the facts from keys and values. What is missing or invalid stays unknown. Texts are
    /// made [`printable`].
    pub fn from_text(text: &[(String, String)]) -> Self {
        let value = |key| text.iter().find(|(found, _)| found == key).map(|(_, value)| &**value);
        let owned = |key| printable(value(key).unwrap_or_default());
        Self {
            version: owned("version"),
            name: owned("name"),
            id: owned("id"),
            pin: value("tls").filter(|tls| *tls == "1").and(value("pin")).and_then(pin_start),
            size: value("size").and_then(Size::parse),
            rate: value("fps").and_then(|fps| Rate::parse(fps, 0.001..=1e6)).unwrap_or_default(),
        }
    }
}

fn pin_start(text: &str) -> Option<PinStart> {
    let is_hex = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u64::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
    Some(number.to_be_bytes())
}

/// The greatest length of a label in a DNS name, in bytes (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// The name shown to people: `Garage` for the first camera called `name`, `Garage (2)` for the
/// second, and so on. It fits into one label. Dots and backslashes become dashes, because DNS tools
/// use them as separators.
pub fn instance_name(name: &str, number: u32) -> String {
    let suffix = if number > 1 { format!(" ({number})") } else { String::new() };
    let name = cut(name, MAX_LABEL - suffix.len()).replace(['.', '\\'], "-");
    format!("{name}{suffix}")
}

/// The host name of a camera, without `.local`: lower-case letters and digits, with one dash for
/// anything between them (RFC 1123, section 2.1). Where the name has none of these letters, as in
/// other scripts, `lancam` stands before its digits.
///
/// The camera announces [`numbered_host_label`], where the number may be another than that of its
/// instance. A viewer that is asked for NAME.local compares it with the announced
/// host, and with the `host_label` of the names.
pub fn host_label(name: &str) -> String {
    numbered_host_label(name, 1)
}

/// The same for the camera of this number among those with the name, such as `garage-2`.
pub fn numbered_host_label(name: &str, number: u32) -> String {
    let has_letters = plain_label(name).contains(|letter: char| letter.is_ascii_lowercase());
    let name = if has_letters { name.to_owned() } else { format!("lancam {name}") };
    plain_label(&instance_name(&name, number))
}

fn plain_label(name: &str) -> String {
    let mut label = String::new();
    for letter in cut(name, MAX_LABEL).chars() {
        match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => label.push(letter),
            _ if label.is_empty() || label.ends_with('-') => {}
            _ => label.push('-'),
        }
    }
    label.truncate(label.trim_end_matches('-').len());
    label
}

/// The longest beginning of `text` that fits into `len` bytes.
fn cut(text: &str, len: usize) -> &str {
    let mut len = text.len().min(len);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    &text[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(text: Vec<(&'static str, String)>) -> Vec<(String, String)> {
        text.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    #[test]
    fn any_name_becomes_one_that_dns_can_carry() {
        for (name, label) in [
            ("Raspberry Pi", "raspberry-pi"),
            ("garage", "garage"),
            ("Garage (left)", "garage-left"),
            ("Küche  (oben)", "k-che-oben"),
            ("玄関", "lancam"),
            ("玄関 (2)", "lancam-2"),
            ("42", "lancam-42"),
            ("--a--", "a"),
            ("raspberrypi.lan", "raspberrypi-lan"),
            ("Garage (2)", "garage-2"),
            ("", "lancam"),
        ] {
            assert_eq!(host_label(name), label, "{name}");
            assert_eq!(host_label(&instance_name(name, 1)), label, "{name}");
        }
        assert_eq!(instance_name("Pi 4.2\\x", 1), "Pi 4-2-x");
        assert_eq!(instance_name("Pi", 2), "Pi (2)");
    }

    #[test]
    fn long_names_are_cut_between_letters_and_stay_apart_by_their_number() {
        let long = format!("x{}", "ü".repeat(40));
        assert_eq!(instance_name(&long, 1).len(), 63);
        assert_eq!(instance_name(&long, u32::MAX).len(), 62);
        let long = "a".repeat(70);
        assert_eq!(host_label(&long).len(), 63);
        let first = host_label(&instance_name(&long, 1));
        let second = host_label(&instance_name(&long, 2));
        assert_ne!(first, second);
        assert!(second.ends_with("-2"), "{second}");
        let digits = numbered_host_label(&"9".repeat(70), 2);
        assert!(digits.starts_with("lancam-9") && digits.ends_with("9-2"), "{digits}");
        assert_eq!(digits.len(), 61);
    }

    #[test]
    fn facts_come_back_as_they_were_told() {
        let facts = Facts {
            version: "0.1.0".into(),
            name: "Front = door".into(),
            id: "17".into(),
            pin: None,
            size: Some(Size::new(1280, 720)),
            rate: Rate(29_970),
        };
        let text = facts.to_text();
        assert_eq!(text[4..], [("size", "1280x720".to_owned()), ("fps", "29.97".to_owned())]);
        assert_eq!(Facts::from_text(&owned(text)), facts);
        let sealed = Facts { pin: Some([0, 1, 2, 3, 0xFC, 0xFD, 0xFE, 0xFF]), ..facts.clone() };
        let text = sealed.to_text();
        let said = [("tls", "1".to_owned()), ("pin", "00010203fcfdfeff".to_owned())];
        assert_eq!(text[4..6], said);
        assert_eq!(Facts::from_text(&owned(text)), sealed);
        let unknown = Facts { size: None, rate: Rate::NONE, ..facts };
        assert_eq!(Facts::from_text(&owned(unknown.to_text())), unknown);
    }

    #[test]
    fn facts_that_make_no_sense_are_unknown() {
        for (key, value) in [("size", "0x9"), ("size", "big"), ("fps", "-1"), ("fps", "nan")] {
            let facts = Facts::from_text(&[(key.to_owned(), value.to_owned())]);
            assert_eq!(facts, Facts::default(), "{key}={value}");
        }
        for pin in ["", "0001", "+0010203fcfdfeff", "00010203fcfdfeff00", "x0010203fcfdfeff"] {
            let text = [("tls", "1"), ("pin", pin)];
            let text = text.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(Facts::from_text(&text), Facts::default(), "{pin}");
        }
    }
}
