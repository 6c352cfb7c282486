//! A camera that has answered, and how an answer is read.

use super::address::CameraAddress;
use super::identity::Identity;
use super::wanted::Wanted;
use crate::net::mdns::Answer;
use crate::plain::printable;
use crate::wire::dns::{self, Data, Name, Record};
use crate::wire::service::{CAMERA, Facts};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

/// A camera that answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Its name on the LAN. No two cameras have the same.
    pub name: String,
    /// What its host is called, in lower case and without `.local`. Empty if that is not known.
    pub host: String,
    /// Its addresses, the best first; at least one.
    pub addresses: Vec<SocketAddr>,
    /// What it announces about itself.
    pub facts: Facts,
}

impl Found {
    /// Adds the addresses from another answer of the same camera.
    pub(super) fn join(&mut self, other: Self) {
        self.addresses.extend(other.addresses);
        tidy(&mut self.addresses);
        self.addresses.truncate(MOST_ADDRESSES);
    }

    /// What tells it from other cameras.
    pub fn identity(&self) -> Identity {
        Identity { name: self.name.clone(), id: self.facts.id.clone() }
    }

    /// This camera and no other.
    pub fn wanted(&self) -> Wanted {
        Wanted { identity: Some(self.identity()), address: self.address() }
    }

    /// The best address.
    pub fn address(&self) -> CameraAddress {
        at(self.addresses[0])
    }
}

/// An address as people write it.
pub(super) fn at(address: SocketAddr) -> CameraAddress {
    CameraAddress { host: host(address), port: Some(address.port()) }
}

/// An address without its port. A link-local address needs its interface.
fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(address) if address.scope_id() != 0 => {
            format!("{}%{}", address.ip(), address.scope_id())
        }
        address => address.ip().to_string(),
    }
}

/// The most cameras in one answer. For each of them, all records of the answer are searched.
const MOST_IN_ONE_ANSWER: usize = 64;
/// The most addresses of one camera. A machine has one in each network, and several of IPv6.
pub(super) const MOST_ADDRESSES: usize = 32;

/// The cameras in one answer. Empty if it is malformed or answers another question.
pub(super) fn heard(answer: &Answer) -> Vec<Found> {
    let records = match dns::records(&answer.bytes) {
        Ok(records) => records,
        Err(error) => {
            log::debug!("{} answers nonsense: {error}", answer.from);
            return Vec::new();
        }
    };
    let service = Name::of(CAMERA);
    let instances = records.iter().filter_map(|record| match &record.data {
        Data::Instance(instance)
            if record.name == service && instance.is_directly_below(&service) =>
        {
            Some(instance)
        }
        _ => None,
    });
    let instances = instances.take(MOST_IN_ONE_ANSWER);
    instances.filter_map(|instance| camera(instance, &records, answer)).collect()
}

/// Reads one camera from the records of an answer. `None` if they do not say where it is, or where nothing can be.
fn camera(instance: &Name, records: &[Record], answer: &Answer) -> Option<Found> {
    let of_it = || records.iter().filter(|record| record.name == *instance);
    let (port, host) = of_it().find_map(|record| match &record.data {
        Data::Place { port, host } if *port != 0 => Some((*port, host)),
        _ => None,
    })?;
    let facts = of_it().find_map(|record| match &record.data {
        Data::Text(text) => Some(Facts::from_text(text)),
        _ => None,
    });
    let mut addresses = addresses(host, port, records, answer);
    if addresses.is_empty() {
        // A camera that sends no address is at the address that the answer came from.
        addresses.push(with_scope(answer.from.ip(), port, answer));
    }
    let (name, host) = (printable(instance.first()), printable(host.first()).to_lowercase());
    Some(Found { name, host, addresses, facts: facts.unwrap_or_default() })
}

/// The addresses for `host` in an answer, the best first.
pub(super) fn addresses(
    host: &Name,
    port: u16,
    records: &[Record],
    answer: &Answer,
) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = records
        .iter()
        .filter_map(|record| match record.data {
            Data::Address(ip) if record.name == *host && is_of_a_machine(ip) => {
                Some(with_scope(ip, port, answer))
            }
            _ => None,
        })
        .collect();
    tidy(&mut addresses);
    addresses.truncate(MOST_ADDRESSES);
    addresses
}

/// Whether a machine can be there.
fn is_of_a_machine(ip: IpAddr) -> bool {
    let is_broadcast = ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    !(ip.is_unspecified() || ip.is_multicast() || is_broadcast)
}

fn with_scope(ip: IpAddr, port: u16, answer: &Answer) -> SocketAddr {
    match ip {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            SocketAddrV6::new(ip, port, 0, answer.interface.unwrap_or(0)).into()
        }
        ip => SocketAddr::new(ip, port),
    }
}

/// Sorts addresses, the best first, and removes duplicates.
fn tidy(addresses: &mut Vec<SocketAddr>) {
    addresses.sort_by_key(|&address| (inconvenience(address.ip()), address));
    addresses.dedup();
}

/// The order in which addresses are tried and shown: first those that people can remember and that other programs can use.
fn inconvenience(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(ip) if ip.is_loopback() => 4,
        IpAddr::V6(ip) if ip.is_loopback() => 5,
        IpAddr::V4(ip) if ip.is_link_local() => 2,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => 3,
        IpAddr::V4(_) => 0,
        IpAddr::V6(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::Rate;

    fn text(pairs: &[(&str, &str)]) -> Data {
        Data::Text(pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    fn record(name: &str, data: Data) -> Record {
        Record { name: Name::of(name), data }
    }

    fn answer(from: &str) -> Answer {
        let from = from.parse().expect("an address");
        Answer { bytes: Vec::new(), from, interface: Some(3) }
    }

    #[test]
    fn a_camera_is_where_its_records_say_best_address_first() {
        let address = |ip: &str| Data::Address(ip.parse().expect("an IP"));
        let records = [
            record("Door._lancam._tcp.local", text(&[("size", "640x480"), ("fps", "15")])),
            record("Door._lancam._tcp.local", Data::Place { port: 7, host: Name::of("pi.local") }),
            record("PI.local", address("fe80::1")),
            record("pi.local", address("fd00::1")),
            record("pi.local", address("192.168.1.5")),
            record("pi.local", address("0.0.0.0")),
            record("pi.local", address("255.255.255.255")),
            record("pi.local", address("ff02::fb")),
            record("other.local", address("192.168.1.6")),
        ];
        let instance = Name::of("door._lancam._tcp.local");
        let door = camera(&instance, &records, &answer("192.168.1.5:5353")).expect("its place");
        let addresses: Vec<_> = door.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["192.168.1.5:7", "[fd00::1]:7", "[fe80::1%3]:7"]);
        assert_eq!((door.facts.rate, &*door.host), (Rate(15_000), "pi"));
        let no_place = camera(&instance, &records[..1], &answer("192.168.1.5:5353"));
        assert_eq!(no_place, None);
        let no_address = camera(&instance, &records[..2], &answer("[fe80::2%3]:5353"));
        let no_address = no_address.expect("where the answer comes from");
        assert_eq!(no_address.address().to_string(), "[fe80::2%3]:7");
        let nowhere = [record(
            "Door._lancam._tcp.local",
            Data::Place { port: 0, host: Name::of("pi.local") },
        )];
        assert_eq!(camera(&instance, &nowhere, &answer("192.168.1.5:5353")), None);
    }
}
