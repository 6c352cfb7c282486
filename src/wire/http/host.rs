//! Decides which host names are the camera's own. A web page elsewhere must not be able to read the
//! camera under its own name.

use core::net::{Ipv4Addr, Ipv6Addr};

/// Domains that the public DNS does not have, so that no stranger can own a name in them: RFC 6762,
/// usual in home routers, reserved by ICANN in 2024, RFC 8375, RFC 6761.
const PRIVATE_DOMAINS: [&str; 5] = ["local", "lan", "internal", "home.arpa", "localhost"];

/// Whether a `Host` header names the camera: by an address, by a name that no stranger can own, or
/// by one of `names`. The owner of any other name can point it here at any moment (DNS rebinding).
pub fn is_ours(host: &str, names: &[String]) -> bool {
    // An empty header names nothing, and no browser sends one.
    if host.is_empty() || host.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        // A scope means something only on its own machine, but some clients send it.
        let address = address.split('%').next().unwrap_or_default();
        return is_port(port) && address.parse::<Ipv6Addr>().is_ok();
    }
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    if !is_port(port) {
        return false;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.parse::<Ipv4Addr>().is_ok() || names.iter().any(|known| is_same(name, known)) {
        return true;
    }
    let has_labels = name.split('.').all(|label| !label.is_empty() && label.chars().all(is_plain));
    // A name of one label is a top-level domain or no public domain at all. Proxies and routers use
    // such names.
    has_labels && (!name.contains('.') || PRIVATE_DOMAINS.into_iter().any(|it| is_in(name, it)))
}

/// Parses the value of `--http-name`: a name without scheme, port, path and final dot. Returns it
/// in lower case.
///
/// # Errors
/// A sentence that says what to type instead.
pub fn parse_name(text: &str) -> Result<String, String> {
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let bare = bare.split(['/', '?', '#']).next().unwrap_or_default();
    let is_address = |text: &str| {
        let text = text.trim_matches(['[', ']']);
        let text = text.split('%').next().unwrap_or_default();
        text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok()
    };
    let without_port =
        bare.rsplit_once(':').filter(|(_, port)| port.bytes().all(|it| it.is_ascii_digit()));
    let without_port = without_port.map_or(bare, |(name, _)| name);
    if is_address(bare) || is_address(without_port) {
        return Err("lancam always answers to IP addresses; leave this one out".into());
    }
    let name = without_port.strip_suffix('.').unwrap_or(without_port).to_ascii_lowercase();
    if name.contains('*') {
        return Err("a pattern does not work; repeat --http-name for each name".into());
    }
    if !name.is_ascii() {
        return Err("type the name as browsers send it, such as xn--kche-0ra.example".into());
    }
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(is_plain);
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err("type a name such as camera.example.org".into());
    }
    match name.eq_ignore_ascii_case(text.strip_suffix('.').unwrap_or(text)) {
        true => Ok(name),
        false => Err(format!("type the name alone: {name}")),
    }
}

/// The name in a `Host` header in the form of [`parse_name`]; `None` if it is not a name.
pub fn name_in(host: &str) -> Option<String> {
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    // If the port is wrong, allowing the name would not help.
    if is_port(port) { parse_name(name).ok() } else { None }
}

fn is_same(name: &str, known: &str) -> bool {
    let known = known.strip_suffix('.').unwrap_or(known);
    !known.is_empty() && name.eq_ignore_ascii_case(known)
}

fn is_in(name: &str, domain: &str) -> bool {
    let at = name.len().checked_sub(domain.len()).and_then(|at| name.split_at_checked(at));
    at.is_some_and(|(label, rest)| {
        rest.eq_ignore_ascii_case(domain) && label.len() > 1 && label.ends_with('.')
    })
}

/// Whether a character may be in a name: the letters of RFC 1123, the underscore in names of Docker
/// services, and letters of any script, which some programs send unencoded.
fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '-' || letter == '_'
}

/// Whether this is an origin as browsers write it: a scheme, a host, and a port if it is not the
/// default.
pub fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"/?#,\"\\".contains(&byte);
    text == "*" || host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_plain))
}

/// Whether this is empty, or `:` with a number.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that no stranger can own.
    const OURS: &[&str] = &[
        "",
        "192.168.1.9",
        "192.168.1.9:8080",
        "[::1]:8080",
        "::1",
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]:80",
        "localhost:1",
        "LOCALHOST",
        "front.localhost",
        "raspberrypi",
        "raspberrypi.",
        "RaspberryPi.Local.",
        "kitchen.local:8080",
        "garage-left.local",
        "k-che.local",
        "k\u{fc}che.local",
        "xn--kche-0ra.local",
        "a.b.local",
        "mjpgstreamer1",
        "my_service",
        "homeassistant:8123",
        "cam.lan",
        "host.docker.internal",
        "pi.home.arpa:80",
        "pi.example.org",
        "PI.example.org.:8080",
        "cam.fritz.box",
    ];

    const STRANGERS: &[&str] = &[
        ":80",
        ".",
        ".local",
        "..local",
        "a..local",
        "evil.example",
        "x.pi.example.org",
        "fritz.box",
        "cam2.fritz.box",
        "raspberrypi.evil.example",
        "raspberrypi.local.evil.example",
        "localhost.evil.example",
        "192.168.1.9.evil.example",
        "192.168.1.9@evil.example",
        "evil.example@pi",
        "evil.example#.local",
        "evil.example/.local",
        "evil.example\\.local",
        "a b",
        "[::1",
        "[::1].evil.example",
        "[evil.example]",
        "[::1]]",
        "raspberrypi:x",
        "raspberrypi:123456",
        "evil.example:80:80",
        "notlocal.example",
        "evil.xlocal",
        "home.arpa.example",
        "x.arpa",
    ];

    #[test]
    fn addresses_and_names_that_no_stranger_owns_are_ours_and_nothing_else_is() {
        let names = ["pi.example.org".to_owned(), "Cam.Fritz.box".to_owned(), String::new()];
        for host in OURS {
            assert!(is_ours(host, &names), "{host}");
        }
        for host in STRANGERS {
            assert!(!is_ours(host, &names), "{host}");
        }
    }

    #[test]
    fn a_name_for_http_is_a_name_alone_and_mistakes_are_told_what_to_type() {
        for (text, name) in [
            ("cam.fritz.box", "cam.fritz.box"),
            ("Cam.Fritz.Box.", "cam.fritz.box"),
            ("mjpgstreamer1", "mjpgstreamer1"),
            ("xn--kche-0ra.example", "xn--kche-0ra.example"),
        ] {
            assert_eq!(parse_name(text).as_deref(), Ok(name));
        }
        for (text, advice) in [
            ("cam.fritz.box:8080", "type the name alone: cam.fritz.box"),
            ("http://cam.fritz.box", "type the name alone: cam.fritz.box"),
            ("https://cam.fritz.box:443/x?y", "type the name alone: cam.fritz.box"),
            ("cam.fritz.box/stream", "type the name alone: cam.fritz.box"),
            ("*.fritz.box", "repeat --http-name"),
            ("192.168.1.9", "leave this one out"),
            ("192.168.1.9:80", "leave this one out"),
            ("[::1]:80", "leave this one out"),
            ("fe80::1%eth0", "leave this one out"),
            ("k\u{fc}che.example", "xn--kche-0ra.example"),
            ("", "such as camera.example.org"),
            (".", "such as camera.example.org"),
            ("a..b", "such as camera.example.org"),
            ("a b.example", "such as camera.example.org"),
            ("user@cam.example", "such as camera.example.org"),
        ] {
            let error = parse_name(text).expect_err(text);
            assert!(error.contains(advice), "{text}: {error}");
        }
    }

    #[test]
    fn the_name_in_a_refused_header_is_one_that_can_be_allowed() {
        assert_eq!(name_in("Cam.Fritz.Box.:8080").as_deref(), Some("cam.fritz.box"));
        assert_eq!(name_in("evil example"), None);
        assert_eq!(name_in("<b>.example"), None);
        assert_eq!(name_in("http://cam.fritz.box"), None);
        assert_eq!(name_in("cam.fritz.box:http"), None);
        for host in ["cam.fritz.box:8080", "cam.fritz.box", "CAM.fritz.box."] {
            let names = [name_in(host).expect("a name")];
            assert!(is_ours(host, &names), "{host}");
        }
    }
}
