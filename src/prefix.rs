//! A range of IP addresses with a common prefix.

use std::net::IpAddr;

/// A range of addresses: `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// Any address in it.
    pub address: IpAddr,
    /// How many leading bits all its addresses share.
    pub len: u32,
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

    /// Whether `peer` is one of its addresses.
    pub fn contains(&self, peer: IpAddr) -> bool {
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

    /// Whether it can be a single network. Shorter prefixes are default routes or halves of them.
    pub fn is_network(&self) -> bool {
        self.len >= if self.address.is_ipv4() { 8 } else { 32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).expect("a prefix")
    }

    #[test]
    fn a_prefix_holds_its_addresses_and_not_their_neighbours() {
        let named = prefix("203.0.113.0/25");
        assert!(named.contains("203.0.113.127".parse().expect("an address")));
        assert!(!named.contains("203.0.113.128".parse().expect("an address")));
        for text in ["203.0.113.0/33", "x/8", "1.2.3/8", "::/129", ""] {
            assert_eq!(Prefix::parse(text), None, "{text}");
        }
        for (text, is_network) in [
            ("0.0.0.0/0", false),
            ("128.0.0.0/1", false),
            ("198.51.0.0/16", true),
            ("2000::/3", false),
            ("2001:db8::/32", true),
        ] {
            assert_eq!(prefix(text).is_network(), is_network, "{text}");
        }
    }
}
