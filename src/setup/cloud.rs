//! Reads cloud-init's files: `user-data`, and `network-config` in netplan's format. Takes what concerns the device.
//!
//! Requests for commands, files, packages or accounts are reported and ignored.

use super::yaml::{self, Node, Scalar};
use crate::settings::reading::Reading;
use crate::settings::wishes::{Addresses, Dhcp, Network, Secret, Ssid, Visibility};
use std::net::IpAddr;

/// Keys that are ignored silently, because they make no difference here.
const WITHOUT_A_WORD: [&str; 7] = [
    "manage_etc_hosts",
    "manage_resolv_conf",
    "preserve_hostname",
    "timezone",
    "locale",
    "keyboard",
    "apt",
];

/// Reads `user-data`.
pub(super) fn read_user_data(text: &str) -> Reading {
    let mut reading = Reading::default();
    let first = text.lines().next().unwrap_or_default().trim_end();
    if first.starts_with("#!")
        || first.starts_with("Content-Type:")
        || first.starts_with("## template")
    {
        reading
            .complain(0, "this file does not begin with #cloud-config, so all of it is ignored; scripts are not run");
        return reading;
    }
    let node = tree(text, &mut reading);
    for (key, value) in node.entries() {
        let at = key.at.start;
        match key.text().unwrap_or_default() {
            "hostname" => {
                if let Some((name, at)) = text_of(value) {
                    reading.name(at, "hostname", name);
                }
            }
            // Without a hostname, the first label of the fqdn is one.
            "fqdn" if node.get("hostname").is_none() => {
                if let Some((name, at)) = text_of(value) {
                    reading.name(at, "fqdn", name);
                }
            }
            "fqdn" => {}
            "ssh_authorized_keys" => keys(value, &mut reading),
            "user" => account(at, value, &mut reading),
            "users" => value.items().iter().for_each(|user| account(at, user, &mut reading)),
            "ssh_pwauth" | "password" | "chpasswd" => {
                reading.note(at, "ignored: lancam has no passwords; log in with an SSH key");
            }
            "runcmd" | "bootcmd" | "write_files" | "packages" | "package_update"
            | "package_upgrade" => {
                reading.note(
                    at,
                    "ignored: lancam's card runs no commands and installs no files or packages",
                );
            }
            name if WITHOUT_A_WORD.contains(&name) => {}
            _ => reading.note(at, "ignored: lancam's card does not use this"),
        }
    }
    reading
}

fn tree(text: &str, reading: &mut Reading) -> Node {
    let (node, mistakes) = yaml::read(text);
    for mistake in mistakes {
        reading.complain(mistake.at, mistake.why);
    }
    node
}

fn text_of(node: &Node) -> Option<(&str, usize)> {
    node.scalar().and_then(|scalar| Some((scalar.text()?, scalar.at.start)))
}

/// There are no accounts here. But SSH is the only way in, so the keys of the requested account may log in as root.
fn account(at: usize, node: &Node, reading: &mut Reading) {
    if node.entries().is_empty() {
        return;
    }
    reading.note(at, "lancam has no accounts and no passwords; these keys may log in as root");
    if let Some(node) = node.get("ssh_authorized_keys") {
        keys(node, reading);
    }
}

fn keys(node: &Node, reading: &mut Reading) {
    for (line, at) in node.items().iter().filter_map(text_of) {
        reading.key(at, "ssh_authorized_keys", line);
    }
}

/// Reads `network-config`.
pub(super) fn read_network_config(text: &str) -> Reading {
    let mut reading = Reading::default();
    let node = tree(text, &mut reading);
    let is_whole = reading.remarks.is_empty();
    let network = node.get("network").unwrap_or(&node);
    let version = network.get("version").and_then(Node::scalar);
    if let Some(version) = version.filter(|version| version.text() != Some("2")) {
        reading.complain(version.at.start, "version must be 2");
        return reading;
    }
    for (key, value) in network.entries() {
        match key.text().unwrap_or_default() {
            "version" | "renderer" => {}
            "ethernets" => ethernets(value, &mut reading),
            "wifis" => wifis(value, &mut reading),
            _ => reading.complain(key.at.start, "ignored: lancam reads only ethernets and wifis"),
        }
    }
    if !is_whole {
        reading.doubt_open_networks();
    }
    reading
}

fn ethernets(node: &Node, reading: &mut Reading) {
    for (name, ethernet) in node.entries().iter().filter(|(_, node)| !node.entries().is_empty()) {
        if let Some(addresses) = addresses(ethernet, reading) {
            if reading.wishes.wired.is_some() {
                reading.complain(name.at.start, "ignored: the first cable's addresses are used");
            } else {
                reading.wishes.wired = Some(addresses);
            }
        }
        rest(ethernet, &[], reading);
    }
}

fn wifis(node: &Node, reading: &mut Reading) {
    for (_, wifi) in node.entries().iter().filter(|(_, node)| !node.entries().is_empty()) {
        reading.wishes.wireless = addresses(wifi, reading).or(reading.wishes.wireless.take());
        if let Some((country, at)) = wifi.get("regulatory-domain").and_then(text_of) {
            reading.country(at, "regulatory-domain", country);
        }
        if let Some(points) = wifi.get("access-points") {
            points.entries().iter().for_each(|(name, point)| access_point(name, point, reading));
        }
        rest(wifi, &["regulatory-domain", "access-points"], reading);
    }
}

fn access_point(name: &Scalar, point: &Node, reading: &mut Reading) {
    let Some(ssid) = reading.accept(name.at.start, "an access point", Ssid::parse(&name.bytes))
    else {
        return;
    };
    if !matches!(point, Node::Map(_) | Node::Empty) {
        return reading.complain(name.at.start, "cannot read the settings of this network");
    }
    let auth = point.get("auth");
    let management = auth.and_then(|auth| auth.get("key-management")).and_then(text_of);
    if let Some((kind, at)) = management.filter(|(kind, _)| !["none", "psk", "sae"].contains(kind))
    {
        let kind: String = kind.chars().filter(|letter| !letter.is_control()).take(20).collect();
        return reading
            .complain(at, format!("key-management must be psk, sae or none, not {kind}"));
    }
    if let Some((_, at)) = management.filter(|(kind, _)| *kind == "sae") {
        reading.complain(at, super::supplicant::NO_WPA3);
    }
    let is_open = management.is_some_and(|(kind, _)| kind == "none");
    let password = point.get("password").or(auth.and_then(|auth| auth.get("password")));
    let visibility = match point.get("hidden").and_then(Node::scalar).and_then(Scalar::truth) {
        Some(true) => Visibility::Hidden,
        _ => Visibility::Told,
    };
    let (secret, secret_at) = match password {
        Some(Node::Scalar(password)) if !is_open && !password.bytes.is_empty() => {
            let secret = Secret::parse(password.text().unwrap_or_default());
            let Some(secret) = reading.accept(password.at.start, "this password", secret) else {
                return;
            };
            (secret, Some(password.at.clone()))
        }
        None | Some(Node::Scalar(_)) => (Secret::Open, None),
        Some(_) => return reading.complain(name.at.start, "cannot read its password"),
    };
    reading.wishes.networks.push(Network { ssid, secret, visibility, secret_at });
}

fn addresses(node: &Node, reading: &mut Reading) -> Option<Addresses> {
    let mut given = Addresses::default();
    for (text, at) in list(node.get("addresses")) {
        given.own.extend(reading.accept(at, "addresses", Addresses::parse_own(text)));
    }
    for key in ["gateway4", "gateway6"] {
        for (text, at) in list(node.get(key)) {
            given.gateways.extend(reading.accept(at, key, Addresses::parse_other(text)));
        }
    }
    for route in node.get("routes").map_or(&[][..], Node::items) {
        let to = route.get("to").and_then(text_of);
        match (to, route.get("via").and_then(text_of)) {
            (Some(("default" | "0.0.0.0/0" | "::/0", _)), Some((via, at))) => {
                given.gateways.extend(reading.accept(at, "via", Addresses::parse_other(via)));
            }
            (to, _) => reading.complain(
                to.map(|(_, at)| at),
                "ignored: lancam only reads the route to: default, via: ADDRESS",
            ),
        }
    }
    let dns = node.get("nameservers").and_then(|servers| servers.get("addresses"));
    for (text, at) in list(dns) {
        given.dns.extend(reading.accept::<IpAddr>(at, "nameservers", Addresses::parse_other(text)));
    }
    if node.get("dhcp4").and_then(Node::scalar).and_then(Scalar::truth) == Some(true) {
        given.dhcp = Dhcp::On;
    }
    (!given.own.is_empty()).then_some(given)
}

fn list(node: Option<&Node>) -> Vec<(&str, usize)> {
    node.map_or(&[][..], Node::items).iter().filter_map(text_of).collect()
}

fn rest(node: &Node, known: &[&str], reading: &mut Reading) {
    let done = ["addresses", "gateway4", "gateway6", "routes", "nameservers", "dhcp4"];
    let without_a_word = ["dhcp6", "optional", "renderer", "match", "set-name", "accept-ra"];
    for (key, _) in node.entries() {
        let name = key.text().unwrap_or_default();
        if !known.contains(&name) && !done.contains(&name) && !without_a_word.contains(&name) {
            reading.note(key.at.start, "ignored: lancam's card does not use this");
        }
    }
}
