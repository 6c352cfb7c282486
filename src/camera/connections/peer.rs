//! Decides which addresses count as the same machine.
//!
//! IPv6 addresses count by their first 64 bits, since one machine can choose the rest freely. On a LAN that makes one of all
//! machines, so beside it the very address counts where handshakes begin and where connections are closed.
//! Loopback has no limit for one address: a proxy there stands for all its clients.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether this is an address from which a proxy on this machine connects.
pub(super) fn is_proxy(peer: IpAddr) -> bool {
    [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&peer)
}

/// What counts as the machine of this address, for a message.
pub(super) fn shown(peer: IpAddr) -> String {
    match peer {
        IpAddr::V4(_) => format!("address ({peer})"),
        IpAddr::V6(peer) => {
            let network = Ipv6Addr::from_bits(peer.to_bits() >> 64 << 64);
            format!("network ({network}/64)")
        }
    }
}

/// Whether two addresses count as the same machine.
pub(in crate::camera) fn is_same(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() >> 64 == other.to_bits() >> 64,
        (one, other) => one == other,
    }
}
