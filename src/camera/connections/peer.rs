//! Which addresses count as one.
//!
//! IPv6 addresses count by their first 64 bits, since one machine has as many of the rest as it likes. Loopback counts for
//! nobody: a proxy there stands for all its clients.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that proxies on this machine connect from.
pub(super) fn is_proxy(peer: IpAddr) -> bool {
    [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&peer)
}

/// Whether two addresses count as one.
pub(super) fn is_same(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() >> 64 == other.to_bits() >> 64,
        (one, other) => one == other,
    }
}
