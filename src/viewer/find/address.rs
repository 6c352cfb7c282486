//! A camera's name or address, as people write it.

use crate::plain::is_plain;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The port on which `lancam` listens by default.
pub const DEFAULT_PORT: u16 = 9999;

/// The port of an `http://` address without one.
const WEB_PORT: u16 = 80;

/// The port of an `https://` address without one.
const SAFE_PORT: u16 = 443;

/// A host and a port, or a camera's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CameraAddress {
    /// The name of a machine or a camera, or an IPv4 or IPv6 address without brackets.
    pub host: String,
    /// The port, if one was given.
    pub port: Option<u16>,
}

/// What a host may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostKind {
    /// An IP address or `localhost`.
    Fixed,
    /// A name for name servers: `cam.example.org`.
    Domain,
    /// A machine's name or a camera's: `garage`.
    Bare,
    /// The same, certainly on the LAN: `garage.local`.
    Local,
    /// A camera's name, which no machine can have: `Front door`.
    Camera,
}

/// Why a text is not a camera's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is neither a name nor a host with a port.
    #[error(
        "\"{0}\" is not a camera's name or address; write NAME, HOST, HOST:PORT, [IPv6]:PORT or lancam://HOST:PORT"
    )]
    Malformed(String),
    /// Numbers with dots between them that are not an IPv4 address.
    #[error(
        "\"{0}\" is not an IP address: that is four numbers from 0 to 255, such as 192.168.1.20"
    )]
    NotFourNumbers(String),
    /// A host with a number that is not a port.
    #[error("{address} has no port {port}: write HOST:PORT with a port from 1 to 65535")]
    NoSuchPort {
        /// The host.
        address: String,
        /// The number.
        port: String,
    },
    /// An address of another protocol.
    #[error(
        "lancam does not speak {scheme}; open {url} with another program, or write {host} for a lancam camera there"
    )]
    OtherProtocol {
        /// The protocol, in capitals.
        scheme: String,
        /// The address as it was written.
        url: String,
        /// The host in it.
        host: String,
    },
}

impl CameraAddress {
    /// Parses a camera's name as `--list` prints it, `host`, `host:port`, `[v6]:port`, a bare IPv6 address, `lancam://…`,
    /// `tcp://…` (which `lancam` prints), `http://…` or `https://…` (every port of lancam speaks HTTP).
    ///
    /// # Errors
    /// When there is no host, the port is not 1 to 65535, or the scheme is of another protocol.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let malformed =
            || no_such_port(text).unwrap_or_else(|| AddressError::Malformed(text.to_owned()));
        let trimmed = text.trim();
        let parsed = match trimmed.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                let authority = authority.rsplit('@').next().unwrap_or_default();
                let decoded = decoded(authority);
                match &*scheme.to_ascii_lowercase() {
                    "lancam" | "tcp" => parse_plain(&decoded),
                    "http" => parse_plain(&decoded)
                        .map(|Self { host, port }| Self { host, port: port.or(Some(WEB_PORT)) }),
                    "https" => parse_plain(&decoded)
                        .map(|Self { host, port }| Self { host, port: port.or(Some(SAFE_PORT)) }),
                    other => {
                        let (scheme, url) = (other.to_ascii_uppercase(), trimmed.to_owned());
                        let host = parse_plain(&decoded).ok_or_else(malformed)?.host;
                        return Err(AddressError::OtherProtocol { scheme, url, host });
                    }
                }
            }
            _ => parse_plain(without_path(trimmed)),
        };
        match parsed {
            Some(Self { host, .. }) if is_broken_ip(&host) => {
                Err(AddressError::NotFourNumbers(host))
            }
            parsed => parsed.ok_or_else(malformed),
        }
    }

    /// The port, or lancam's default.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    /// The text that [`parse`](Self::parse) turns into the same address. It has a port only if one was given.
    pub fn written(&self) -> String {
        match self.port {
            Some(_) => self.to_string(),
            None => self.host.clone(),
        }
    }

    /// Whether both lead to one place, as far as can be told without asking: the host may be written in another way.
    pub(in crate::viewer) fn is_same_place(&self, other: &Self) -> bool {
        let plain = |host: &str| host.strip_suffix('.').unwrap_or(host).to_lowercase();
        let is_same_host = match (ip(&self.host), ip(&other.host)) {
            // The part behind a % says on which of this machine's networks it is.
            (Some(_), Some(_)) => zoned(&self.host) == zoned(&other.host),
            _ => plain(&self.host) == plain(&other.host),
        };
        is_same_host && self.port() == other.port()
    }

    /// Whether the host is an IP address.
    pub(in crate::viewer) fn is_ip(&self) -> bool {
        ip(&self.host).is_some()
    }

    /// What the host may stand for.
    pub(super) fn kind(&self) -> HostKind {
        let host = self.host.as_str();
        let name = host.strip_suffix('.').unwrap_or(host);
        if ip(host).is_some() || host.eq_ignore_ascii_case("localhost") {
            HostKind::Fixed
        } else if !is_host(host) || is_number(host) {
            HostKind::Camera
        } else if name_of_local(host).is_some() {
            HostKind::Local
        } else if name.contains('.') {
            HostKind::Domain
        } else {
            HostKind::Bare
        }
    }

    /// The name of the camera that the host may stand for.
    pub(in crate::viewer) fn name(&self) -> &str {
        name_of_local(&self.host).unwrap_or(&self.host)
    }
}

/// The NAME in NAME.local.
fn name_of_local(host: &str) -> Option<&str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let at = host.len().checked_sub(LOCAL.len()).filter(|&at| at > 0)?;
    let is_local = host.is_char_boundary(at) && host[at..].eq_ignore_ascii_case(LOCAL);
    is_local.then(|| &host[..at])
}

const LOCAL: &str = ".local";

/// Whether this is a number alone. The system would take it for an IPv4 address: 8080 for 0.0.31.144.
fn is_number(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|letter| letter.is_ascii_digit())
}

/// Whether these are numbers with dots between them, and not an IPv4 address: 192.168.1.300, 192.168.1.
fn is_broken_ip(host: &str) -> bool {
    let parts = || host.split('.');
    parts().count() > 1 && parts().all(is_number) && ip(host).is_none()
}

/// Whether this is a URL's scheme (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}

/// Whether a machine can have this name.
fn is_host(host: &str) -> bool {
    let is_possible = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
    !host.starts_with('-') && host.chars().all(is_possible)
}

/// Parses an IP address. An IPv6 zone may be any text.
fn ip(host: &str) -> Option<IpAddr> {
    match host.split_once('%') {
        Some((address, zone)) if !zone.is_empty() => address.parse().map(IpAddr::V6).ok(),
        Some(_) => None,
        None => host.parse().ok(),
    }
}

/// An IP address and its zone, which may be missing.
fn zoned(host: &str) -> (Option<IpAddr>, Option<&str>) {
    (ip(host), host.split_once('%').map(|(_, zone)| zone))
}

/// Cuts off the path: `pi` from `pi:8080/stream`. In `Hall/stairs`, a camera's name, the slash is part of the name.
fn without_path(text: &str) -> &str {
    let Some((before, _)) = text.split_once('/') else { return text };
    match before.contains(['.', ':', ']']) || before.eq_ignore_ascii_case("localhost") {
        true => before,
        false if text.ends_with('/') && is_host(before) => before,
        false => text,
    }
}

fn parse_plain(text: &str) -> Option<CameraAddress> {
    let at = |host: &str, port| Some(CameraAddress { host: host.to_owned(), port });
    if let Some((host, port)) = bracketed(text)? {
        return at(&host, port);
    }
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(is_plain) && !is_host(name) && !name.contains('%')
    };
    match text.rsplit_once(':') {
        _ if ip(text).is_some() => at(&zone_written_plain(text), None),
        Some((host, port)) if !host.is_empty() => match parse_port(port) {
            Some(port) if is_host(host) || is_name(host) && !host.contains(':') => {
                at(host, Some(port))
            }
            // `Cam: garage` is a camera's name; `pi:x` is a typing error.
            _ if text.contains(' ') && is_name(text) => at(text, None),
            _ => None,
        },
        Some(_) => None,
        None if !text.is_empty() && (is_host(text) || is_name(text)) => at(text, None),
        None => None,
    }
}

/// `Some(None)` without brackets. `None` if they do not match or hold no IPv6 address.
#[allow(clippy::option_option)] // not-yet, no, and yes
fn bracketed(text: &str) -> Option<Option<(String, Option<u16>)>> {
    let Some(inside) = text.strip_prefix('[') else { return Some(None) };
    let (host, rest) = inside.split_once(']')?;
    let host = zone_written_plain(host);
    if !matches!(ip(&host), Some(IpAddr::V6(_))) {
        // A camera may be called `[1] hall`.
        return text.contains(' ').then_some(None);
    }
    match rest {
        "" => Some(Some((host, None))),
        _ => Some(Some((host, Some(rest.strip_prefix(':').and_then(parse_port)?)))),
    }
}

/// Replaces `%25` before an IPv6 zone by `%`. URLs write `%25` (RFC 6874), and some people write it elsewhere too. `%25`
/// followed by nothing or by digits alone is `%` and the number of an interface.
fn zone_written_plain(host: &str) -> String {
    match host.split_once("%25") {
        Some((address, zone))
            if address.parse::<Ipv6Addr>().is_ok()
                && !zone.bytes().all(|it| it.is_ascii_digit()) =>
        {
            format!("{address}%{zone}")
        }
        _ => host.to_owned(),
    }
}

/// The error for an address that would be valid with another port.
fn no_such_port(text: &str) -> Option<AddressError> {
    let text = text.trim();
    let behind_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (host, port) = without_path(behind_scheme).rsplit_once(':')?;
    let is_number = !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit());
    let is_host = parse_plain(&format!("{host}:{DEFAULT_PORT}")).is_some();
    let no_such = || AddressError::NoSuchPort { address: host.to_owned(), port: port.to_owned() };
    (is_number && is_host).then(no_such)
}

fn parse_port(text: &str) -> Option<u16> {
    let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|&port| port != 0 && is_number)
}

/// Decodes `%XX` in a URL's host and port (RFC 3986, section 2.1). Anything else stays, such as the zone in
/// `[fe80::1%eth0]`.
fn decoded(text: &str) -> String {
    if text.starts_with('[') {
        let zone = text.split_once("%25").and_then(|(_, zone)| zone.split(']').next());
        // In a URL, a zone of digits is written after %25 too.
        return match zone {
            Some(zone) if !zone.is_empty() => text.replacen("%25", "%", 1),
            _ => text.to_owned(),
        };
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let hex = behind.first_chunk::<2>().filter(|_| first == b'%');
        let byte = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

impl fmt::Display for CameraAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            HostKind::Camera if self.port.is_none() => out.write_str(&self.host),
            _ if self.host.contains(':') => write!(out, "[{}]:{}", self.host, self.port()),
            _ => write!(out, "{}:{}", self.host, self.port()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_may_be_written_in_many_ways() {
        for (one, other, is_same) in [
            ("cam.home.arpa", "CAM.Home.arpa.:9999", true),
            ("cam.home.arpa", "cam.home.arpa:8080", false),
            ("cam.home.arpa", "cam", false),
            ("10.0.0.5", "tcp://10.0.0.5:9999", true),
            ("[fe80::5%2]:9999", "fe80:0::5%2", true),
            ("fe80::5%2", "fe80::5%3", false),
            ("https://cam", "cam:443", true),
        ] {
            let [one, other] = [one, other].map(|it| CameraAddress::parse(it).expect("an address"));
            assert_eq!(one.is_same_place(&other), is_same, "{one} {other}");
        }
    }

    #[test]
    fn every_way_to_write_an_address_is_understood() {
        for (text, shown) in [
            ("pi", "pi:9999"),
            ("pi.local:81", "pi.local:81"),
            ("192.168.1.5", "192.168.1.5:9999"),
            ("lancam://pi:1", "pi:1"),
            ("LANCAM://pi", "pi:9999"),
            ("tcp://10.0.0.2:9999/", "10.0.0.2:9999"),
            ("http://pi:8080/stream?width=3", "pi:8080"),
            ("http://pi/", "pi:80"),
            ("https://pi/", "pi:443"),
            ("https://garage.local:8080/stream?key=AbC", "garage.local:8080"),
            ("http://[::1]:8080/#x", "[::1]:8080"),
            ("http://me:secret@pi:8080/", "pi:8080"),
            ("pi:8080/stream", "pi:8080"),
            ("pi.lan/", "pi.lan:9999"),
            ("pi/", "pi:9999"),
            ("[::1]:65535", "[::1]:65535"),
            ("[fe80::1%eth0]", "[fe80::1%eth0]:9999"),
            ("[fe80::1%25eth0]:1", "[fe80::1%eth0]:1"),
            ("[fe80::1%25]:1", "[fe80::1%25]:1"),
            ("[fe80::1%253]", "[fe80::1%253]:9999"),
            ("lancam://[fe80::1%eth0]:1", "[fe80::1%eth0]:1"),
            ("lancam://[fe80::1%25eth0]:1/", "[fe80::1%eth0]:1"),
            ("http://[fe80::1%253]:1/", "[fe80::1%3]:1"),
            ("fe80::1%eth0", "[fe80::1%eth0]:9999"),
            ("fe80::1%25eth0", "[fe80::1%eth0]:9999"),
            ("::1", "[::1]:9999"),
            ("küche.local", "küche.local:9999"),
            ("Front door", "Front door"),
            ("  Front door ", "Front door"),
            ("lancam://Front%20door/", "Front door"),
            ("lancam://K%C3%BCche", "Küche:9999"),
            ("Garage (2)", "Garage (2)"),
            ("Garage (2):81", "Garage (2):81"),
            ("Hall/stairs", "Hall/stairs"),
            ("Cam: hall", "Cam: hall"),
            ("[1] hall", "[1] hall"),
            ("8080", "8080"),
            ("-x", "-x"),
        ] {
            let address = CameraAddress::parse(text).map(|address| address.to_string());
            assert_eq!(address, Ok(shown.to_owned()), "{text}");
            let address = CameraAddress::parse(text).expect("it was just now");
            assert_eq!(CameraAddress::parse(&address.written()), Ok(address), "{text}");
        }
    }

    #[test]
    fn a_host_is_a_machine_a_camera_or_either() {
        for (text, kind) in [
            ("192.168.1.5", HostKind::Fixed),
            ("fe80::1%eth0", HostKind::Fixed),
            ("localhost", HostKind::Fixed),
            ("cam.example.org", HostKind::Domain),
            ("garage", HostKind::Bare),
            ("garage.", HostKind::Bare),
            ("garage.LOCAL", HostKind::Local),
            ("garage.local.", HostKind::Local),
            ("Front door", HostKind::Camera),
            ("8080", HostKind::Camera),
            ("192.168.1.20.nip.io", HostKind::Domain),
            ("Front door.local", HostKind::Camera),
            ("local", HostKind::Bare),
            (".local", HostKind::Domain),
            ("pi.ⓛocal", HostKind::Domain),
        ] {
            let address = CameraAddress { host: text.into(), port: None };
            assert_eq!(address.kind(), kind, "{text}");
        }
        let address = CameraAddress::parse("Front door.local").expect("a name");
        assert_eq!(address.name(), "Front door");
    }

    #[test]
    fn what_is_no_address_is_refused_with_one_that_is() {
        for text in [
            "",
            " ",
            ":9999",
            "pi:",
            "pi:0",
            "pi:65536",
            "pi:x",
            "pi:+1",
            "[::1",
            "[pi]:1",
            "1:2:3",
            "pi:-1",
            "[::1]9999",
            "[::1]:",
            "[]:1",
            "lancam://",
            "http://",
            "a\u{1b}[2J",
            "fe80::1%",
            "a\u{202e}b c",
        ] {
            let error = CameraAddress::parse(text).expect_err(text).to_string();
            assert!(error.contains("HOST:PORT"), "{error}");
        }
        for (text, says) in [
            ("rtsp://pi:8554/stream", "lancam does not speak RTSP"),
            ("192.168.1.300", "\"192.168.1.300\" is not an IP address: that is four numbers"),
            ("192.168.1:8080", "four numbers from 0 to 255, such as 192.168.1.20"),
            ("http://1.2/", "\"1.2\" is not an IP address"),
            ("ftps://pi/", "lancam does not speak FTPS"),
            ("ftp://pi", "write pi for a lancam camera there"),
        ] {
            let error = CameraAddress::parse(text).expect_err(text).to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_number_that_no_port_has_is_named_as_such() {
        for text in ["127.0.0.1:99999", "pi:0", "[::1]:65536", "http://pi:99999/stream"] {
            let error = CameraAddress::parse(text).expect_err("no port").to_string();
            assert!(error.ends_with("with a port from 1 to 65535"), "{text}: {error}");
        }
        let error = CameraAddress::parse("127.0.0.1:99999").expect_err("no port").to_string();
        assert!(error.starts_with("127.0.0.1 has no port 99999"), "{error}");
        let error = CameraAddress::parse("pi:x").expect_err("no port").to_string();
        assert!(error.contains("is not a camera's name or address"), "{error}");
    }
}
