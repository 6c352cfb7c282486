//! Decides which addresses are neighbours: those that this machine's addresses and routes reach without a router.
//!
//! Addresses are not enough: one from DHCPv6 has a prefix of 128 bits, and a route says which network is on the link (RFC
//! 5942). A default route does not make neighbours, nor does a route into a tunnel.

use crate::prefix::Prefix;
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `peer` is a neighbour.
pub fn is_neighbour(peer: IpAddr) -> bool {
    let is_near = |prefix: &Prefix| prefix.is_network() && prefix.contains(peer);
    interface_prefixes().iter().any(is_near) || routed_prefixes().iter().any(is_near)
}

/// The addresses of this machine's interfaces, each with the prefix length of its network.
pub fn interface_prefixes() -> Vec<Prefix> {
    getifaddrs().into_iter().flatten().filter_map(|interface| prefix_of(&interface)).collect()
}

/// An interface's address with the prefix length of its network.
pub(super) fn prefix_of(interface: &InterfaceAddress) -> Option<Prefix> {
    let (address, mask) = (interface.address.as_ref()?, interface.netmask.as_ref()?);
    if let (Some(address), Some(mask)) = (address.as_sockaddr_in(), mask.as_sockaddr_in()) {
        let len = mask.ip().to_bits().leading_ones();
        return Some(Prefix { address: address.ip().into(), len });
    }
    let (address, mask) = (address.as_sockaddr_in6()?, mask.as_sockaddr_in6()?);
    Some(Prefix { address: address.ip().into(), len: mask.ip().to_bits().leading_ones() })
}

/// The prefixes that the kernel reaches without a router, on interfaces that have neighbours.
fn routed_prefixes() -> Vec<Prefix> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut routes = Vec::new();
    routes.extend(read("/proc/net/route").lines().filter_map(route_v4));
    routes.extend(read("/proc/net/ipv6_route").lines().filter_map(route_v6));
    if routes.is_empty() {
        return Vec::new();
    }
    let links = links_with_neighbours();
    routes.retain(|route| links.contains(&route.interface));
    routes.into_iter().map(|route| route.prefix).collect()
}

/// The interfaces with link-layer addresses (ARP). A tunnel (WireGuard, PPP) has only one other end and no such addresses,
/// but the kernel treats everything sent into it as on-link.
fn links_with_neighbours() -> BTreeSet<String> {
    let Ok(interfaces) = getifaddrs() else { return BTreeSet::new() };
    let without =
        InterfaceFlags::IFF_POINTOPOINT | InterfaceFlags::IFF_NOARP | InterfaceFlags::IFF_LOOPBACK;
    interfaces
        .filter(|interface| !interface.flags.intersects(without))
        .map(|interface| interface.interface_name)
        .collect()
}

/// A route without a gateway.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    interface: String,
    prefix: Prefix,
}

/// Flags of <linux/route.h> and <linux/ipv6_route.h>.
const RTF_UP: u32 = 0x1;
const RTF_GATEWAY: u32 = 0x2;
const RTF_REJECT: u32 = 0x200;
const RTF_ANYCAST: u32 = 0x0010_0000;
const RTF_LOCAL: u32 = 0x8000_0000;

fn is_on_link(flags: u32) -> bool {
    flags & RTF_UP != 0 && flags & (RTF_GATEWAY | RTF_REJECT | RTF_ANYCAST | RTF_LOCAL) == 0
}

/// Parses a line of `/proc/net/route`: interface, destination, gateway, flags, three counters, mask. Addresses are in memory
/// order.
fn route_v4(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok();
    let address = |at: usize| Some(Ipv4Addr::from(number(at)?.to_ne_bytes()));
    let mask = address(7)?;
    if !is_on_link(number(3)?) || !address(2)?.is_unspecified() {
        return None;
    }
    let prefix = Prefix { address: address(1)?.into(), len: mask.to_bits().leading_ones() };
    Some(Route { interface: (*fields.first()?).to_owned(), prefix })
}

/// Parses a line of `/proc/net/ipv6_route`: destination and its length, source and its length, next hop, metric, two
/// counters, flags, interface.
fn route_v6(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let field = |at: usize| fields.get(at).copied();
    let address = |at: usize| u128::from_str_radix(field(at)?, 16).ok().map(Ipv6Addr::from_bits);
    let number = |at: usize| u32::from_str_radix(field(at)?, 16).ok();
    let destination = address(0)?;
    let is_of_some_sources = number(3)? > 0;
    if !is_on_link(number(8)?) || !address(4)?.is_unspecified() || is_of_some_sources {
        return None;
    }
    if destination.is_multicast() {
        return None;
    }
    let prefix = Prefix { address: destination.into(), len: number(1)? };
    Some(Route { interface: field(9)?.to_owned(), prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).expect("a prefix")
    }

    #[test]
    fn routes_without_a_gateway_are_on_the_link() {
        // As Linux 6 prints them on a little-endian machine.
        let lines = [
            ("eth0 007100CB 00000000 0001 0 0 100 00FFFFFF 0 0 0", Some("203.0.113.0/24")),
            ("eth0 00000000 0101A8C0 0003 0 0 100 00000000 0 0 0", None),
            ("eth0 007100CB 0101A8C0 0003 0 0 100 00FFFFFF 0 0 0", None),
            ("* 007100CB 00000000 0201 0 0 100 00FFFFFF 0 0 0", None),
            ("Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT", None),
            ("", None),
        ];
        for (line, expected) in lines.into_iter().filter(|_| cfg!(target_endian = "little")) {
            let found = route_v4(line).map(|route| route.prefix);
            assert_eq!(found, expected.map(prefix), "{line}");
        }
        let nobody = "0".repeat(32);
        let router = "fe800000000000000000000000000001";
        let network = "20010db8000100000000000000000000";
        let counters = "00000400 00000001 00000000";
        for (line, expected) in [
            (format!("{network} 40 {nobody} 00 {nobody} {counters} 00000001 eth0"), true),
            (format!("{network} 40 {nobody} 00 {router} {counters} 00000003 eth0"), false),
            (format!("{network} 80 {nobody} 00 {nobody} {counters} 80200001 eth0"), false),
            (format!("{network} 40 {nobody} 00 {nobody} {counters} 00200200 lo"), false),
            (format!("{network} 40 {network} 40 {nobody} {counters} 00000001 eth0"), false),
            (
                format!("ff{} 08 {nobody} 00 {nobody} {counters} 00000001 eth0", "0".repeat(30)),
                false,
            ),
        ] {
            let found = route_v6(&line).map(|route| (route.interface, route.prefix));
            let eth0 = || ("eth0".to_owned(), prefix("2001:db8:1::/64"));
            assert_eq!(found, expected.then(eth0), "{line}");
        }
    }
}
