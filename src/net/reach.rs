//! Where viewers on the LAN reach a camera, given the addresses it listens on.

use std::net::{IpAddr, SocketAddr};

/// The addresses of this machine where services are reached, and so the addresses to announce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    /// All present and future addresses.
    All,
    /// All IPv4 addresses.
    Ipv4,
    /// Only these.
    Exactly(Vec<IpAddr>),
}

impl Addresses {
    /// Whether services are reached at `ip`, an address of this machine.
    pub fn include(&self, ip: IpAddr) -> bool {
        match self {
            Self::All => true,
            Self::Ipv4 => ip.is_ipv4(),
            Self::Exactly(addresses) => addresses.contains(&ip),
        }
    }
}

/// Where viewers reach a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The addresses.
    pub addresses: Addresses,
    /// The port for viewers.
    pub port: u16,
    /// The port for browsers. They can use any port, but expect the usual one.
    pub web_port: u16,
}

impl Reach {
    /// The best of `listeners`: one on all addresses is better than one on a single address. `None` if only this machine
    /// reaches them.
    pub fn of(listeners: &[SocketAddr], usual_web_port: u16) -> Option<Self> {
        let best = listeners.iter().filter(|listener| !listener.ip().is_loopback());
        let best = best.min_by_key(|listener| narrowness(listener.ip()))?;
        let addresses = match best.ip() {
            IpAddr::V6(ip) if ip.is_unspecified() => Addresses::All,
            IpAddr::V4(ip) if ip.is_unspecified() => Addresses::Ipv4,
            ip => {
                let is_like_it = |listener: &&SocketAddr| {
                    listener.port() == best.port()
                        && narrowness(listener.ip()) == narrowness(ip)
                        && !listener.ip().is_loopback()
                };
                Addresses::Exactly(
                    listeners.iter().filter(is_like_it).map(SocketAddr::ip).collect(),
                )
            }
        };
        let is_for_browsers = |listener: &&SocketAddr| {
            listener.ip() == best.ip() && listener.port() == usual_web_port
        };
        let web = listeners.iter().find(is_for_browsers).unwrap_or(best);
        Some(Self { addresses, port: best.port(), web_port: web.port() })
    }
}

/// A lower number means that more machines reach it.
fn narrowness(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V6(ip) if ip.is_unspecified() => 0,
        IpAddr::V4(ip) if ip.is_unspecified() => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(listeners: &[&str]) -> Option<Reach> {
        let listeners = listeners.iter().map(|text| text.parse().expect("an address"));
        Reach::of(&listeners.collect::<Vec<_>>(), 8080)
    }

    fn exactly(addresses: &[&str]) -> Addresses {
        Addresses::Exactly(addresses.iter().map(|text| text.parse().expect("an IP")).collect())
    }

    #[test]
    fn only_addresses_that_are_listened_at_are_announced() {
        for (listeners, addresses, port, web_port) in [
            (&["[::]:9999", "[::]:8080"][..], Addresses::All, 9999, 8080),
            (&["0.0.0.0:9999", "0.0.0.0:8080"], Addresses::Ipv4, 9999, 8080),
            (&["[::]:8080"], Addresses::All, 8080, 8080),
            (&["127.0.0.1:8080", "10.0.0.2:5"], exactly(&["10.0.0.2"]), 5, 5),
            (&["10.0.0.2:5", "127.0.0.1:5"], exactly(&["10.0.0.2"]), 5, 5),
            (&["10.0.0.2:5", "10.0.0.2:8080"], exactly(&["10.0.0.2"]), 5, 8080),
            (&["10.0.0.2:5", "[::]:6"], Addresses::All, 6, 6),
        ] {
            assert_eq!(
                reach(listeners),
                Some(Reach { addresses, port, web_port }),
                "{listeners:?}"
            );
        }
        for nowhere in [&[][..], &["127.0.0.1:5"], &["127.0.0.1:5", "[::1]:5"]] {
            assert_eq!(reach(nowhere), None, "{nowhere:?}");
        }
    }
}
