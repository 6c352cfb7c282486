//! Finds cameras on the LAN by what they announce.

use super::address::CameraAddress;
use crate::latest::Latest;
use crate::net::mdns::{self, Answer};
use crate::plain::printable;
use crate::wire::dns::{self, Data, Kind, Name, Record};
use crate::wire::service::{CAMERA, Facts};
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::thread;
use std::time::Duration;

/// How long cameras may take to answer. With the program's start it makes less than a second.
pub const PATIENCE: Duration = Duration::from_millis(900);

/// A camera that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is called; no two have the same name.
    pub name: String,
    /// Where viewers reach it, best first; at least one.
    pub addresses: Vec<SocketAddr>,
    /// What it says of itself.
    pub facts: Facts,
}

impl Found {
    /// What another answer of the same camera adds to it.
    fn join(&mut self, other: Self) {
        self.addresses.extend(other.addresses);
        tidy(&mut self.addresses);
    }

    /// The best of its addresses.
    pub fn address(&self) -> CameraAddress {
        let best = self.addresses[0];
        CameraAddress { host: host(best), port: best.port() }
    }
}

/// An address without its port, as people write it. A link-local address means nothing without its interface.
pub(super) fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(address) if address.scope_id() != 0 => {
            format!("{}%{}", address.ip(), address.scope_id())
        }
        address => address.ip().to_string(),
    }
}

/// Asks the LAN, and collects who answers within [`PATIENCE`], sorted by name.
///
/// # Errors
/// When this machine has no way to ask.
pub fn look() -> io::Result<Vec<Found>> {
    let question = dns::query(&[(&Name::of(CAMERA), Kind::Pointer)]);
    let mut cameras = Vec::new();
    for answer in mdns::ask(&question, PATIENCE)? {
        for camera in heard(&answer) {
            include(&mut cameras, camera);
        }
    }
    sort(&mut cameras);
    Ok(cameras)
}

/// Asks the LAN for the camera of this name; returns when it has answered, or nobody has within [`PATIENCE`].
///
/// # Errors
/// When this machine has no way to ask.
pub fn look_for(name: &str) -> io::Result<Option<Found>> {
    let question = dns::query(&[(&Name::of(CAMERA), Kind::Pointer)]);
    let mut answers = mdns::ask(&question, PATIENCE)?;
    let is_it = |camera: &Found| camera.name.to_lowercase() == name.to_lowercase();
    Ok(answers.find_map(|answer| heard(&answer).into_iter().find(is_it)))
}

/// Looks for cameras until the slot is closed, and publishes all that are there when that changes.
pub fn watch(found: &Latest<Vec<Found>>) {
    let question = dns::query(&[(&Name::of(CAMERA), Kind::Pointer)]);
    let mut sightings: Vec<Sighting> = Vec::new();
    let mut trouble = None;
    for round in 1.. {
        let answers = mdns::ask(&question, PATIENCE);
        let now = answers.as_ref().err().map(ToString::to_string);
        if let Some(error) = now.as_ref().filter(|_| now != trouble) {
            log::warn!("cannot look for cameras on the LAN: {error}");
        }
        trouble = now;
        for answer in answers.into_iter().flatten() {
            for camera in heard(&answer) {
                if Sighting::note(&mut sightings, camera, round) {
                    found.publish(Sighting::sorted(&sightings));
                }
            }
        }
        let before = sightings.len();
        sightings.retain(|sighting| sighting.round + MISSED >= round);
        if sightings.len() != before || round == 1 {
            found.publish(Sighting::sorted(&sightings));
        }
        if found.is_closed() {
            return;
        }
        thread::sleep(BREATH);
    }
}

/// A camera is gone when it has not answered so many rounds of questions: Wi-Fi loses some.
const MISSED: u32 = 1;
/// Between two rounds: everybody on the LAN hears them.
const BREATH: Duration = Duration::from_millis(600);

/// A camera, and when it was seen last.
struct Sighting {
    camera: Found,
    round: u32,
}

impl Sighting {
    /// Takes note of an answer; says whether it is news.
    fn note(sightings: &mut Vec<Self>, camera: Found, round: u32) -> bool {
        let Some(known) = sightings.iter_mut().find(|known| is_same(&known.camera, &camera)) else {
            sightings.push(Self { camera, round });
            return true;
        };
        let before = known.camera.clone();
        if known.round == round {
            known.camera.join(camera);
        } else {
            // It may have other addresses by now.
            known.camera = camera;
        }
        known.round = round;
        known.camera != before
    }

    fn sorted(sightings: &[Self]) -> Vec<Found> {
        let mut cameras: Vec<_> = sightings.iter().map(|known| known.camera.clone()).collect();
        sort(&mut cameras);
        cameras
    }
}

fn sort(cameras: &mut [Found]) {
    cameras.sort_by(|a, b| (&a.name, &a.addresses).cmp(&(&b.name, &b.addresses)));
}

/// The cameras in one answer. What is no answer, or not to our question, has none.
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
    instances.filter_map(|instance| camera(instance, &records, answer)).collect()
}

/// What the records of one answer say of one instance; `None` when they do not say where it is.
fn camera(instance: &Name, records: &[Record], answer: &Answer) -> Option<Found> {
    let of_it = || records.iter().filter(|record| record.name == *instance);
    let (port, host) = of_it().find_map(|record| match &record.data {
        Data::Place { port, host } => Some((*port, host)),
        _ => None,
    })?;
    let facts = of_it().find_map(|record| match &record.data {
        Data::Text(text) => Some(Facts::from_text(text)),
        _ => None,
    });
    let mut addresses = addresses(host, port, records, answer);
    if addresses.is_empty() {
        // Whoever answers for itself is there where the answer comes from.
        addresses.push(with_scope(answer.from.ip(), port, answer));
    }
    Some(Found { name: printable(instance.first()), addresses, facts: facts.unwrap_or_default() })
}

/// The addresses that an answer has for `host`, best first.
pub(super) fn addresses(
    host: &Name,
    port: u16,
    records: &[Record],
    answer: &Answer,
) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = records
        .iter()
        .filter_map(|record| match record.data {
            Data::Address(ip) if record.name == *host => Some(with_scope(ip, port, answer)),
            _ => None,
        })
        .collect();
    tidy(&mut addresses);
    addresses
}

fn with_scope(ip: IpAddr, port: u16, answer: &Answer) -> SocketAddr {
    match ip {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            SocketAddrV6::new(ip, port, 0, answer.interface.unwrap_or(0)).into()
        }
        ip => SocketAddr::new(ip, port),
    }
}

/// Best first, each once.
fn tidy(addresses: &mut Vec<SocketAddr>) {
    addresses.sort_by_key(|&address| (inconvenience(address.ip()), address));
    addresses.dedup();
}

/// The less, the sooner an address is tried and shown: those that people can remember, and that others can use too.
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

/// Adds `camera`, or its addresses to what is known of it: it answers once for each network it is in.
fn include(cameras: &mut Vec<Found>, camera: Found) {
    match cameras.iter_mut().find(|known| is_same(known, &camera)) {
        None => cameras.push(camera),
        Some(known) => known.join(camera),
    }
}

fn is_same(known: &Found, camera: &Found) -> bool {
    match camera.facts.id.is_empty() {
        false => known.facts.id == camera.facts.id,
        true => (&known.name, &known.addresses) == (&camera.name, &camera.addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            record("other.local", address("192.168.1.6")),
        ];
        let instance = Name::of("door._lancam._tcp.local");
        let door = camera(&instance, &records, &answer("192.168.1.5:5353")).expect("its place");
        let addresses: Vec<_> = door.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["192.168.1.5:7", "[fd00::1]:7", "[fe80::1%3]:7"]);
        assert_eq!(door.facts.millifps, 15_000);
        let no_place = camera(&instance, &records[..1], &answer("192.168.1.5:5353"));
        assert_eq!(no_place, None);
        let no_address = camera(&instance, &records[..2], &answer("[fe80::2%3]:5353"));
        let no_address = no_address.expect("where the answer comes from");
        assert_eq!(no_address.address().to_string(), "[fe80::2%3]:7");
    }

    #[test]
    fn one_camera_on_two_networks_is_one_and_two_of_one_name_are_two() {
        let found = |id: &str, address: &str| Found {
            name: "Door".into(),
            addresses: vec![address.parse().expect("an address")],
            facts: Facts { id: id.into(), ..Facts::default() },
        };
        let mut cameras = Vec::new();
        for (id, address) in [
            ("a", "127.0.0.1:1"),
            ("a", "10.0.0.1:1"),
            ("b", "10.0.0.2:1"),
            ("", "10.0.0.3:1"),
            ("", "10.0.0.3:1"),
        ] {
            include(&mut cameras, found(id, address));
        }
        let addresses: Vec<_> = cameras.iter().map(|camera| camera.address().to_string()).collect();
        assert_eq!(addresses, ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"]);
    }

    #[test]
    fn a_camera_that_is_seen_again_is_news_only_where_it_has_changed() {
        let found = |id: &str, address: &str| Found {
            name: "Door".into(),
            addresses: vec![address.parse().expect("an address")],
            facts: Facts { id: id.into(), ..Facts::default() },
        };
        let mut seen = Vec::new();
        assert!(Sighting::note(&mut seen, found("a", "10.0.0.1:1"), 1));
        assert!(!Sighting::note(&mut seen, found("a", "10.0.0.1:1"), 1));
        assert!(Sighting::note(&mut seen, found("a", "10.0.0.9:1"), 1), "on two networks");
        assert!(Sighting::note(&mut seen, found("a", "10.0.0.1:2"), 2), "at another port");
        assert!(!Sighting::note(&mut seen, found("a", "10.0.0.1:2"), 3));
        assert!(Sighting::note(&mut seen, found("b", "10.0.0.2:1"), 3));
        assert_eq!(Sighting::sorted(&seen).len(), 2);
    }
}
