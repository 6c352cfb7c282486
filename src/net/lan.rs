//! Decides which peers may connect without being named: those on the LAN.

use super::on_link::{interface_prefixes, is_neighbour};
pub use crate::prefix::Prefix;
use std::net::{IpAddr, Ipv6Addr};

/// Who may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guests {
    /// Everybody: `--allow any`.
    Anyone,
    /// The LAN, and the prefixes that the user named.
    LanAnd(Vec<Prefix>),
}

impl Guests {
    /// Whether a connection from `peer` is admitted: from loopback, link-local, private and unique-local addresses, from
    /// networks that this machine reaches without a router, and from named prefixes.
    pub fn admit(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let Self::LanAnd(named) = self else { return true };
        let is_local = match peer {
            IpAddr::V4(peer) => peer.is_loopback() || peer.is_private() || peer.is_link_local(),
            IpAddr::V6(peer) => {
                peer.is_loopback() || peer.is_unique_local() || peer.is_unicast_link_local()
            }
        };
        is_local || named.iter().any(|prefix| prefix.contains(peer)) || is_neighbour(peer)
    }
}

/// This machine's addresses that others on the LAN can use, without loopback.
pub fn own_addresses() -> Vec<IpAddr> {
    let is_reachable = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_loopback(),
        // A link-local IPv6 address needs the name of the other machine's interface.
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    };
    interface_prefixes().into_iter().map(|prefix| prefix.address).filter(is_reachable).collect()
}

/// A link-local IPv6 address of this machine. If there is no other address, viewers on the same link can use it.
pub fn link_local_address() -> Option<Ipv6Addr> {
    interface_prefixes().into_iter().find_map(|prefix| match prefix.address {
        IpAddr::V6(address) if address.is_unicast_link_local() => Some(address),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(guests: &Guests, peer: &str) -> bool {
        guests.admit(peer.parse().expect("an address"))
    }

    #[test]
    fn the_lan_is_let_in_and_the_internet_is_not() {
        let guests = Guests::LanAnd(Vec::new());
        for peer in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.9",
            "169.254.3.4",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:192.168.1.9",
        ] {
            assert!(admit(&guests, peer), "{peer}");
        }
        for peer in ["203.0.113.7", "2001:db8::1", "::ffff:203.0.113.7"] {
            assert!(!admit(&guests, peer), "{peer}");
            assert!(admit(&Guests::Anyone, peer), "{peer}");
        }
    }

    #[test]
    fn a_named_prefix_is_let_in_and_its_neighbours_are_not() {
        let prefix = |text| Prefix::parse(text).expect("a prefix");
        let guests = Guests::LanAnd(vec![prefix("203.0.113.0/25"), prefix("2001:db8::/33")]);
        assert!(admit(&guests, "203.0.113.127"));
        assert!(!admit(&guests, "203.0.113.128"));
        assert!(admit(&guests, "2001:db8:7fff::1"));
        assert!(!admit(&guests, "2001:db8:8000::1"));
    }
}
