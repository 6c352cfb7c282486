//! Who is on the LAN: the peers that may connect without being named.

use nix::ifaddrs::getifaddrs;
use std::net::{IpAddr, Ipv6Addr};

/// A range of addresses: `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    len: u32,
}

impl Prefix {
    /// Parses `ADDRESS/LENGTH`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let len = match len {
            Some(len) => len.parse().ok().filter(|&len| len <= whole)?,
            None => whole,
        };
        Some(Self { address, len })
    }

    fn contains(&self, peer: IpAddr) -> bool {
        match (self.address, peer) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differs = ours.to_bits() ^ theirs.to_bits();
                differs.leading_zeros() >= self.len
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differs = ours.to_bits() ^ theirs.to_bits();
                differs.leading_zeros() >= self.len
            }
            _ => false,
        }
    }
}

/// Who may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guests {
    /// Everybody: `--allow any`.
    Anyone,
    /// The LAN, and whom the user named.
    LanAnd(Vec<Prefix>),
}

impl Guests {
    /// Whether a connection from `peer` is let in: from loopback, link-local, private and
    /// unique-local addresses, from networks that one of our interfaces is on, and as named.
    pub fn admit(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let Self::LanAnd(named) = self else { return true };
        let is_local = match peer {
            IpAddr::V4(peer) => peer.is_loopback() || peer.is_private() || peer.is_link_local(),
            IpAddr::V6(peer) => {
                peer.is_loopback() || peer.is_unique_local() || peer.is_unicast_link_local()
            }
        };
        is_local
            || named.iter().any(|prefix| prefix.contains(peer))
            || on_link().iter().any(|prefix| prefix.contains(peer))
    }
}

/// This machine's own addresses that others on the LAN can use, loopback left out.
pub fn own_addresses() -> Vec<IpAddr> {
    let is_reachable = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_loopback(),
        // A link-local IPv6 address is of no use without the other machine's interface name.
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    };
    on_link().into_iter().map(|prefix| prefix.address).filter(is_reachable).collect()
}

/// A link-local IPv6 address of this machine: where it has no other, viewers on the same link still reach it.
pub fn link_local_address() -> Option<Ipv6Addr> {
    on_link().into_iter().find_map(|prefix| match prefix.address {
        IpAddr::V6(address) if address.is_unicast_link_local() => Some(address),
        _ => None,
    })
}

/// The addresses of our interfaces, each with the length of its network's prefix.
fn on_link() -> Vec<Prefix> {
    let Ok(interfaces) = getifaddrs() else { return Vec::new() };
    interfaces
        .filter_map(|interface| {
            let (address, mask) = (interface.address?, interface.netmask?);
            if let (Some(address), Some(mask)) = (address.as_sockaddr_in(), mask.as_sockaddr_in()) {
                let len = mask.ip().to_bits().leading_ones();
                return Some(Prefix { address: address.ip().into(), len });
            }
            let (address, mask) = (address.as_sockaddr_in6()?, mask.as_sockaddr_in6()?);
            let len = mask.ip().to_bits().leading_ones();
            Some(Prefix { address: address.ip().into(), len })
        })
        .collect()
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
        for text in ["203.0.113.0/33", "x/8", "1.2.3/8", "::/129", ""] {
            assert_eq!(Prefix::parse(text), None, "{text}");
        }
    }
}
