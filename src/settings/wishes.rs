//! What an owner may set on the device, in whatever file: a name, a code, networks, keys, addresses.

use super::code::WrittenCode;
use super::moved;
use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

/// The settings of one file, or of all files together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The machine's name.
    pub name: Option<HostName>,
    /// The camera's code.
    pub code: Option<WrittenCode>,
    /// The country, for the radio's rules.
    pub country: Option<Country>,
    /// The Wi-Fi networks to join, the best first.
    pub networks: Vec<Network>,
    /// Lines of `authorized_keys`.
    pub keys: Vec<String>,
    /// Addresses of the cable's interface.
    pub wired: Option<Addresses>,
    /// Addresses of the Wi-Fi interface.
    pub wireless: Option<Addresses>,
}

impl Wishes {
    /// These settings, completed by those of `other`.
    pub fn or(self, other: Self) -> Self {
        Self {
            name: self.name.or(other.name),
            code: self.code.or(other.code),
            country: self.country.or(other.country),
            networks: if self.networks.is_empty() { other.networks } else { self.networks },
            keys: if self.keys.is_empty() { other.keys } else { self.keys },
            wired: self.wired.or(other.wired),
            wireless: self.wireless.or(other.wireless),
        }
    }
}

/// A host name of RFC 1123 without dots. The machine is found as `NAME.local`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let of_it = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
        let is_name = (1..=63).contains(&text.len())
            && text.bytes().all(of_it)
            && !text.starts_with('-')
            && !text.ends_with('-');
        // Every machine calls itself localhost.
        if is_name && !text.eq_ignore_ascii_case("localhost") {
            return Ok(Self(text.into()));
        }
        Err("1 to 63 letters (without accents), digits and hyphens, such as garage-2")
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A country by its two letters. It decides which channels and powers are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country([u8; 2]);

impl Country {
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match *text.as_bytes() {
            [first, second] if text.bytes().all(|letter| letter.is_ascii_alphabetic()) => {
                Ok(Self([first, second].map(|letter| letter.to_ascii_uppercase())))
            }
            _ => Err("a country's two letters, such as GB, US or DE"),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&letter| write!(out, "{}", char::from(letter)))
    }
}

/// A Wi-Fi network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The network's name.
    pub ssid: Ssid,
    /// How to join it.
    pub secret: Secret,
    /// Whether it broadcasts its name.
    pub visibility: Visibility,
    /// The position of the secret in its file, if there is one.
    pub secret_at: Option<Range<usize>>,
}

impl Network {
    /// The position of a secret that should be moved to the camera's own partition.
    pub fn place_of_secret(&self) -> Option<Range<usize>> {
        self.secret_at.clone().filter(|_| self.secret.text().is_some())
    }
}

/// Whether a network broadcasts its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// It does, as most networks.
    Told,
    /// It does not: it has to be asked for by name.
    Hidden,
}

/// A Wi-Fi network's name: bytes, which are usually text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssid(Vec<u8>);

impl Ssid {
    /// # Errors
    /// What is expected.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        match bytes.len() {
            1..=32 => Ok(Self(bytes.into())),
            _ => Err("the network's name, 1 to 32 bytes"),
        }
    }

    /// Parses hexadecimal digits.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse_hex(text: &str) -> Result<Self, &'static str> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|it| it.to_digit(16).and_then(|it| u8::try_from(it).ok())).collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => {
                let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
                Self::parse(&bytes)
            }
            _ => Err("the network's name in quotes"),
        }
    }

    /// The name's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name in hexadecimal digits, which every file format reads in the same way.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Ssid {
    /// For people, on one line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0);
        text.chars().try_for_each(|it| write!(out, "{}", if it.is_control() { '?' } else { it }))
    }
}

/// How to join a network.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// It has no password.
    Open,
    /// With a password.
    Passphrase(String),
    /// With the key computed from a password and the network's name, 64 digits.
    Key(String),
    /// With the secret that was here before it was moved to the camera's own partition.
    Moved,
}

impl Secret {
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if moved::is_text(text) {
            return Ok(Self::Moved);
        }
        match text.len() {
            64 if text.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                Ok(Self::Key(text.to_ascii_lowercase()))
            }
            8..=63 if !text.chars().any(char::is_control) => Ok(Self::Passphrase(text.into())),
            _ => Err("a password of 8 to 63 bytes, or a key of 64 hexadecimal digits"),
        }
    }

    /// The secret's text, if there is one to keep.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Passphrase(text) | Self::Key(text) => Some(text),
            Self::Open | Self::Moved => None,
        }
    }
}

impl fmt::Debug for Secret {
    /// A secret must not appear in any log.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Open => "Open",
            Self::Passphrase(_) => "Passphrase(…)",
            Self::Key(_) => "Key(…)",
            Self::Moved => "Moved",
        })
    }
}

/// Fixed addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The addresses with their prefix lengths.
    pub own: Vec<(IpAddr, u8)>,
    /// The gateways.
    pub gateways: Vec<IpAddr>,
    /// The name servers.
    pub dns: Vec<IpAddr>,
    /// Whether DHCP is used too.
    pub dhcp: Dhcp,
}

/// Whether DHCP is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dhcp {
    /// Only the fixed addresses are used.
    #[default]
    Off,
    /// An address is requested too.
    On,
}

impl Addresses {
    /// Parses an address with a prefix length: `192.0.2.7/24`.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse_own(text: &str) -> Result<(IpAddr, u8), &'static str> {
        let expected = "an address with its prefix, such as 192.168.1.20/24";
        let (address, prefix) = text.split_once('/').ok_or(expected)?;
        let address: IpAddr = address.parse().map_err(|_| expected)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.parse().ok().filter(|prefix| (1..=longest).contains(prefix));
        Ok((address, prefix.ok_or(expected)?))
    }

    /// Parses an address: `192.0.2.1`.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse_other(text: &str) -> Result<IpAddr, &'static str> {
        text.parse().map_err(|_| "an address, such as 192.168.1.1")
    }
}

/// A line of `authorized_keys`. `None` if it contains no key.
pub(super) fn key_line(line: &str) -> Option<&str> {
    let line = line.trim();
    let is_kind = |word: &str| {
        ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
            .iter()
            .any(|kind| word.starts_with(kind))
    };
    let mut words = line.split_whitespace().skip_while(|word| !is_kind(word)).skip(1);
    let is_key = words.next().is_some_and(|key| {
        key.starts_with("AAAA")
            && key.bytes().all(|it| it.is_ascii_alphanumeric() || b"+/=".contains(&it))
    });
    (is_key && !line.starts_with('#') && !line.chars().any(char::is_control)).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_rfc_1123() {
        let longest = "a".repeat(63);
        for good in ["garage", "Garage-2", "2", "lancam-1a2b", &longest] {
            assert_eq!(HostName::parse(good).expect(good).as_str(), good);
        }
        let too_long = "a".repeat(64);
        for bad in ["", "-a", "a-", "a_b", "a b", "küche", "a.b", "a\n", "localhost", &too_long] {
            assert!(HostName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_and_keys_are_told_apart_and_others_are_refused() {
        let key = "0123456789ABCDEF".repeat(4);
        assert_eq!(Secret::parse(&key), Ok(Secret::Key(key.to_ascii_lowercase())));
        let longest = "x".repeat(63);
        for password in
            ["12345678", &longest, "a\"b\\c#d e", "pässwörd", "moved to camp", &key[1..]]
        {
            assert_eq!(Secret::parse(password), Ok(Secret::Passphrase(password.into())));
        }
        let too_long = "x".repeat(64);
        for bad in ["", "1234567", "1234567\n", "12345678\n}", "\0\0\0\0\0\0\0\0", &too_long] {
            assert!(Secret::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", Secret::parse("12345678")), "Ok(Passphrase(…))");
    }

    #[test]
    fn what_stands_in_a_secrets_place_is_as_long_and_is_known_again() {
        for room in 8..200 {
            let moved = moved::text(room);
            assert_eq!(moved.len(), room);
            assert_eq!(Secret::parse(&moved), Ok(Secret::Moved), "{moved}");
        }
        assert_eq!(moved::text(8), "moved...");
        assert_eq!(moved::text(21), "moved to the camera..");
    }

    #[test]
    fn keys_are_lines_with_a_kind_and_a_key() {
        for good in [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@pc",
            "  from=\"10.0.0.0/8\" ssh-rsa AAAAB3Nza+/= \r",
            "ecdsa-sha2-nistp256 AAAAE2Vj",
        ] {
            assert_eq!(key_line(good), Some(good.trim()));
        }
        for bad in
            ["", "# ssh-rsa AAAA", "ssh-rsa", "ssh-rsa secret", "-----BEGIN", "ssh-rsa AAAA\n x"]
        {
            assert_eq!(key_line(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_have_prefixes_and_ssids_thirty_two_bytes() {
        assert!(Addresses::parse_own("192.0.2.7/24").is_ok());
        assert!(Addresses::parse_own("2001:db8::7/64").is_ok());
        for bad in ["192.0.2.7", "192.0.2.7/33", "192.0.2.7/0", "x/24", "192.0.2.7/24\nDHCP=yes"] {
            assert!(Addresses::parse_own(bad).is_err(), "{bad}");
        }
        assert!(Ssid::parse(&[0; 32]).is_ok() && Ssid::parse(&[0; 33]).is_err());
        assert!(Ssid::parse(b"").is_err());
        assert_eq!(Ssid::parse_hex("4b00FF").map(|ssid| ssid.hex()), Ok("4b00ff".into()));
        assert!(Ssid::parse_hex("4b0").is_err() && Ssid::parse_hex("zz").is_err());
    }
}
