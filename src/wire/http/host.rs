//! By which names a browser may call the camera: a page elsewhere must not read it under a name of its own.

use core::net::{Ipv4Addr, Ipv6Addr};

/// Whether a `Host` header names the camera: by an address, as `localhost`, or by one of its `names`, alone or in the
/// domain `local`. What is behind a foreign name, its owner decides from moment to moment (DNS rebinding).
pub fn is_ours(host: &str, names: &[String]) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        // A scope is of use to its own machine only, but some send it.
        let address = address.split('%').next().unwrap_or_default();
        return is_port(port) && address.parse::<Ipv6Addr>().is_ok();
    }
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    if !is_port(port) {
        return false;
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is = |known: &str| !known.is_empty() && name.eq_ignore_ascii_case(known);
    let local = name.len().checked_sub(".local".len()).and_then(|at| name.split_at_checked(at));
    let label = local.filter(|(_, domain)| domain.eq_ignore_ascii_case(".local"));
    is("localhost")
        || names
            .iter()
            .any(|known| is(known) || label.is_some_and(|(it, _)| is_label_of(it, known)))
}

/// Whether a label in the domain `local` is what this name is announced as: in small letters, dashes for what
/// labels cannot have, and a number behind where there are two of that name, or the machine has it too.
fn is_label_of(label: &str, name: &str) -> bool {
    let same = |(a, b): (char, char)| {
        a.eq_ignore_ascii_case(&b) || (a == '-' && b.is_ascii() && !b.is_ascii_alphanumeric())
    };
    let length = name.chars().count();
    let mut rest = label.chars();
    let begins = rest.by_ref().take(length).zip(name.chars()).filter(|&pair| same(pair)).count();
    if length == 0 || begins < length {
        return false;
    }
    let rest = rest.as_str();
    let number = rest.strip_prefix('-').unwrap_or_default();
    rest.is_empty()
        || (!number.is_empty()
            && number.len() <= 5
            && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether this is an origin as browsers write it: a scheme, a host, and a port if it is another than usual.
pub fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"/?#,\"\\".contains(&byte);
    text == "*" || host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_plain))
}

/// Nothing, or `:` and a number.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_own_names_are_ours_and_nothing_else_is() {
        let names = [
            "Kitchen".to_owned(),
            "raspberrypi".to_owned(),
            "pi.example.org".to_owned(),
            "ümlaut".to_owned(),
            "Front door".to_owned(),
        ];
        for host in [
            "192.168.1.9",
            "192.168.1.9:8080",
            "[::1]:8080",
            "[fe80::1%eth0]",
            "localhost:1",
            "LOCALHOST",
            "raspberrypi",
            "raspberrypi.local:8080",
            "RaspberryPi.Local.",
            "kitchen.local",
            "pi.example.org",
            "ümlaut.local",
            "raspberrypi-9999.local",
            "kitchen-2.local:8080",
            "front-door.local",
        ] {
            assert!(is_ours(host, &names), "{host}");
        }
        for host in [
            "",
            ":80",
            ".local",
            "evil.example",
            "raspberrypi.evil.example",
            "raspberrypi.local.evil.example",
            "localhost.evil.example",
            "192.168.1.9.evil.example",
            "192.168.1.9@evil.example",
            "[::1",
            "[::1].evil.example",
            "[evil.example]",
            "raspberrypi:x",
            "raspberrypi:123456",
            "::1",
            "xümlaut",
            "raspberrypi-9999",
            "raspberrypi-.local",
            "raspberrypi-x.local",
            "-2.local",
            "front-doors.local",
            "mlocal",
        ] {
            assert!(!is_ours(host, &names), "{host}");
        }
    }
}
