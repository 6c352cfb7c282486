//! Tells the LAN about services by multicast DNS: the only file that names `mdns_sd`.

use super::socket;
use mdns_sd::{DaemonEvent, IfKind, Receiver, ServiceDaemon, ServiceInfo};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A service as it is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What it is: `_http._tcp.local`.
    pub kind: &'static str,
    /// What people call it, from `wire::service::instance_name`.
    pub instance: String,
    /// Where it listens.
    pub port: u16,
    /// What it says of itself.
    pub text: Vec<(&'static str, String)>,
}

/// At which of this machine's addresses services can be reached, and so where they are announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    /// At all that it has, and will have.
    All,
    /// The same, without those of IPv6.
    Ipv4,
    /// At these alone.
    Exactly(Vec<IpAddr>),
}

/// Where viewers reach a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The addresses.
    pub addresses: Addresses,
    /// The port for viewers.
    pub port: u16,
    /// The port for browsers, who get along with any, but expect one.
    pub web_port: u16,
}

impl Reach {
    /// The best of `listeners`: one that everybody reaches before one for this machine alone. `None` when nobody listens.
    pub fn of(listeners: &[SocketAddr], usual_web_port: u16) -> Option<Self> {
        let best = listeners.iter().min_by_key(|listener| narrowness(listener.ip()))?;
        let addresses = match best.ip() {
            IpAddr::V6(ip) if ip.is_unspecified() => Addresses::All,
            IpAddr::V4(ip) if ip.is_unspecified() => Addresses::Ipv4,
            ip => {
                let is_like_it = |listener: &&SocketAddr| {
                    listener.port() == best.port() && narrowness(listener.ip()) == narrowness(ip)
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

/// The less, the more people reach it.
fn narrowness(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V6(ip) if ip.is_unspecified() => 0,
        IpAddr::V4(ip) if ip.is_unspecified() => 1,
        ip if ip.is_loopback() => 3,
        _ => 2,
    }
}

/// Why nothing can be announced.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// Somebody keeps multicast DNS for himself.
    #[error("cannot share UDP port {PORT} with whoever answers multicast DNS here: {0}")]
    Port(io::Error),
    /// The library's word for it.
    #[error("multicast DNS does not start: {0}")]
    Library(#[from] mdns_sd::Error),
}

/// Answers for services until it is told to withdraw them.
pub struct Announcer {
    daemon: ServiceDaemon,
    /// This machine's name in the answers, with `.local.` behind it.
    host: String,
    addresses: Addresses,
    events: Receiver<DaemonEvent>,
}

/// Whether a name must be asked for before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It may be somebody else's.
    New,
    /// It is ours; what is said beside it has changed.
    Ours,
}

impl Announcer {
    /// Prepares to answer as `host` at `addresses`.
    ///
    /// # Errors
    /// When multicast DNS cannot be spoken here.
    pub fn start(host: &str, addresses: Addresses) -> Result<Self, AnnounceError> {
        // The library would go on without a socket, and without a word.
        socket::can_share_udp(PORT).map_err(AnnounceError::Port)?;
        let daemon = ServiceDaemon::new()?;
        match &addresses {
            Addresses::All => {}
            Addresses::Ipv4 => daemon.disable_interface(IfKind::IPv6)?,
            Addresses::Exactly(exactly) => {
                daemon.disable_interface(IfKind::All)?;
                daemon
                    .enable_interface(exactly.iter().copied().map(interface).collect::<Vec<_>>())?;
            }
        }
        daemon.set_ip_check_interval(ADDRESS_CHECK_SECONDS)?;
        let events = daemon.monitor()?;
        Ok(Self { daemon, host: format!("{host}.local."), addresses, events })
    }

    /// Announces `service`, or what is new about it.
    ///
    /// # Errors
    /// When DNS has no way to say it.
    pub fn announce(&self, service: &Service, claim: Claim) -> Result<(), AnnounceError> {
        let kind = format!("{}.", service.kind);
        let addresses = match &self.addresses {
            Addresses::Exactly(exactly) => exactly.as_slice(),
            Addresses::All | Addresses::Ipv4 => &[],
        };
        let text = service.text.as_slice();
        let info =
            ServiceInfo::new(&kind, &service.instance, &self.host, addresses, service.port, text)?;
        let mut info = match &self.addresses {
            Addresses::Exactly(_) => info,
            Addresses::All | Addresses::Ipv4 => info.enable_addr_auto(),
        };
        // Asking for the name again would take the service away for the better part of a second.
        info.set_requires_probe(claim == Claim::New);
        Ok(self.daemon.register(info)?)
    }

    /// Whether somebody else on the LAN had one of the names since the last call. It is then to be withdrawn, and
    /// started anew with others. (The library goes on with names of its own making, but as of 0.21.7 it answers
    /// questions for the old ones too: it compares what it renamed with regard to case, and what it was asked without.)
    pub fn name_is_taken(&self) -> bool {
        let is_conflict = |event| matches!(event, DaemonEvent::NameChange(_));
        // Not `any`, which would leave the rest for the next call.
        self.events.try_iter().filter_map(|event| is_conflict(event).then_some(())).count() > 0
    }

    /// Says goodbye for every service, so that nobody offers them any longer.
    pub fn withdraw(self) {
        let Ok(ended) = self.daemon.shutdown() else { return };
        // It may have ended by itself; then nobody answers either.
        let _ = ended.recv_timeout(GOODBYE);
    }
}

/// Multicast DNS's.
const PORT: u16 = 5353;

/// How soon a new address is answered with, and a lost one no longer. The library looks; the kernel is not heard.
const ADDRESS_CHECK_SECONDS: u32 = 2;

/// Saying goodbye is a packet for each interface.
const GOODBYE: Duration = Duration::from_millis(500);

fn interface(ip: IpAddr) -> IfKind {
    match ip {
        IpAddr::V4(ip) if ip.is_loopback() => IfKind::LoopbackV4,
        IpAddr::V6(ip) if ip.is_loopback() => IfKind::LoopbackV6,
        ip => IfKind::Addr(ip),
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
            (&["127.0.0.1:5"], exactly(&["127.0.0.1"]), 5, 5),
            (&["127.0.0.1:5", "[::1]:5"], exactly(&["127.0.0.1", "::1"]), 5, 5),
            (&["127.0.0.1:5", "[::1]:6"], exactly(&["127.0.0.1"]), 5, 5),
            (&["127.0.0.1:8080", "10.0.0.2:5"], exactly(&["10.0.0.2"]), 5, 5),
            (&["10.0.0.2:5", "10.0.0.2:8080"], exactly(&["10.0.0.2"]), 5, 8080),
            (&["10.0.0.2:5", "[::]:6"], Addresses::All, 6, 6),
        ] {
            assert_eq!(
                reach(listeners),
                Some(Reach { addresses, port, web_port }),
                "{listeners:?}"
            );
        }
        assert_eq!(reach(&[]), None);
    }
}
