//! Finds cameras on the LAN by what they announce.

use super::address::CameraAddress;
use super::identity::Identity;
use super::wanted::Wanted;
use crate::latest::Latest;
use crate::net::mdns::{self, Answer};
use crate::plain::printable;
use crate::wire::dns::{self, Data, Kind, Name, Record};
use crate::wire::service::{CAMERA, Facts};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::thread;
use std::time::{Duration, Instant};

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
        self.addresses.truncate(MOST_ADDRESSES);
    }

    /// What tells it from others.
    pub fn identity(&self) -> Identity {
        Identity { name: self.name.clone(), id: self.facts.id.clone() }
    }

    /// This one and no other.
    pub fn wanted(&self) -> Wanted {
        Wanted { identity: Some(self.identity()), address: self.address() }
    }

    /// The best of its addresses.
    pub fn address(&self) -> CameraAddress {
        at(self.addresses[0])
    }
}

/// An address as people write it.
pub(super) fn at(address: SocketAddr) -> CameraAddress {
    CameraAddress { host: host(address), port: Some(address.port()) }
}

/// An address without its port. A link-local address means nothing without its interface.
fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(address) if address.scope_id() != 0 => {
            format!("{}%{}", address.ip(), address.scope_id())
        }
        address => address.ip().to_string(),
    }
}

/// The cameras on the LAN, as far as they answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sightings {
    /// Sorted by name.
    pub cameras: Vec<Found>,
    /// Whether there were more than anybody can look through.
    pub is_cut: bool,
}

/// Asks the LAN, and collects who answers within [`PATIENCE`].
///
/// # Errors
/// When this machine has no way to ask.
pub fn look() -> io::Result<Sightings> {
    let mut census = Census::default();
    for answer in mdns::ask(&question(), PATIENCE)? {
        census.take(&answer, 0);
    }
    Ok(census.sightings())
}

/// For so long a camera is waited for that has the very id, when another one of the same name has answered.
const GRACE: Duration = Duration::from_millis(500);

/// Asks the LAN for a camera; returns when it has answered, or nobody has within [`PATIENCE`]. The one with its id, however it
/// is called; or else the one that is announced by its name.
///
/// # Errors
/// When this machine has no way to ask.
pub fn look_for(camera: &Identity) -> io::Result<Option<Found>> {
    let asked_at = Instant::now();
    let mut namesake = None;
    let has_id = |id: &str| !id.is_empty() && id == camera.id;
    for answer in mdns::ask(&question(), PATIENCE)? {
        for found in heard(&answer) {
            if has_id(&found.facts.id) {
                return Ok(Some(found));
            }
            let is_called_so = found.name.to_lowercase() == camera.name.to_lowercase();
            if is_called_so && (camera.id.is_empty() || found.facts.id.is_empty()) {
                return Ok(Some(found));
            }
            if is_called_so {
                namesake.get_or_insert(found);
            }
        }
        if namesake.is_some() && asked_at.elapsed() >= GRACE {
            break;
        }
    }
    Ok(namesake)
}

/// Whether a camera with this id, that is not at `here`, answers within half a second.
pub(super) fn is_elsewhere(id: &str, here: SocketAddr) -> bool {
    let Ok(mut answers) = mdns::ask(&question(), GRACE) else { return false };
    answers.any(|answer| {
        let is_it = |found: &Found| found.facts.id == id && !found.addresses.contains(&here);
        heard(&answer).iter().any(is_it)
    })
}

/// Who is a camera?
pub(super) fn question() -> Vec<u8> {
    dns::query(&[(&Name::of(CAMERA), Kind::Pointer)])
}

/// Looks for cameras until the slot is closed, and publishes all that are there when that changes.
pub fn watch(found: &Latest<Vec<Found>>) {
    let mut census = Census::default();
    let mut trouble = None;
    for round in 1.. {
        census.begin();
        let answers = mdns::ask(&question(), PATIENCE);
        let now = answers.as_ref().err().map(ToString::to_string);
        if let Some(error) = now.as_ref().filter(|_| now != trouble) {
            log::warn!("cannot look for cameras on the LAN: {error}");
        }
        trouble = now;
        for answer in answers.into_iter().flatten() {
            if census.take(&answer, round) {
                found.publish(census.sightings().cameras);
            }
        }
        if census.forget(round) || round == 1 {
            found.publish(census.sightings().cameras);
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

/// More cameras than this nobody looks through: there is somebody who makes them up ...
const MOST_CAMERAS: usize = 256;
/// ... or more answers in one round. Each is up to 9000 bytes.
const MOST_ANSWERS: u32 = 4096;
/// One machine alone shall not hide all others. A router that repeats answers from one network in another sends several.
const MOST_ANSWERS_OF_ONE: u32 = 512;
/// And so many cameras of those that one machine answers for.
const MOST_CAMERAS_OF_ONE: u32 = 64;
/// For each one, all records of an answer are looked through.
const MOST_IN_ONE_ANSWER: usize = 64;
/// A machine has an address in each network, and some of IPv6.
const MOST_ADDRESSES: usize = 32;

/// Who is there: the cameras that have answered, as many as anybody can look through.
#[derive(Debug, Default)]
pub(super) struct Census {
    entries: Vec<Entry>,
    /// Where in `entries` a camera is, by what tells it from others.
    places: HashMap<Key, usize>,
    /// Answers and new cameras of each machine in this round.
    heard_from: HashMap<IpAddr, (u32, u32)>,
    answers: u32,
    is_cut: bool,
}

/// A camera, and when it was seen last.
#[derive(Debug)]
struct Entry {
    camera: Found,
    round: u32,
}

/// What tells a camera from others: its id; or else all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Id(String),
    Place(String, Vec<SocketAddr>),
}

impl Key {
    fn of(camera: &Found) -> Self {
        match camera.facts.id.is_empty() {
            false => Self::Id(camera.facts.id.clone()),
            true => Self::Place(camera.name.clone(), camera.addresses.clone()),
        }
    }
}

impl Census {
    /// Another round of questions begins.
    fn begin(&mut self) {
        self.heard_from.clear();
        self.answers = 0;
        self.is_cut = false;
    }

    /// Takes note of an answer; says whether it is news.
    pub(super) fn take(&mut self, answer: &Answer, round: u32) -> bool {
        let from = answer.from.ip();
        if self.answers == MOST_ANSWERS {
            self.is_cut = true;
            return false;
        }
        let (answers, _) = self.heard_from.entry(from).or_default();
        if *answers == MOST_ANSWERS_OF_ONE {
            self.is_cut = true;
            return false;
        }
        *answers += 1;
        self.answers += 1;
        let mut is_news = false;
        for camera in heard(answer) {
            is_news |= self.note(camera, from, round);
        }
        is_news
    }

    /// One that has heard of `camera` alone.
    #[cfg(test)]
    pub(super) fn of(camera: Found) -> Self {
        let mut census = Self::default();
        census.note(camera, IpAddr::from([10, 0, 0, 5]), 0);
        census
    }

    /// A camera answers once for each network it is in, and has other addresses at another time.
    fn note(&mut self, camera: Found, from: IpAddr, round: u32) -> bool {
        let key = Key::of(&camera);
        if let Some(known) = self.places.get(&key).and_then(|&place| self.entries.get_mut(place)) {
            let before = known.camera.clone();
            if known.round == round {
                known.camera.join(camera);
            } else {
                known.camera = camera;
            }
            known.round = round;
            return known.camera != before;
        }
        let (_, cameras) = self.heard_from.entry(from).or_default();
        if *cameras == MOST_CAMERAS_OF_ONE || self.entries.len() == MOST_CAMERAS {
            self.is_cut = true;
            return false;
        }
        *cameras += 1;
        self.places.insert(key, self.entries.len());
        self.entries.push(Entry { camera, round });
        true
    }

    /// Forgets who has not answered lately; says whether there was somebody.
    fn forget(&mut self, round: u32) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.round + MISSED >= round);
        let keys = self.entries.iter().map(|entry| Key::of(&entry.camera));
        self.places = keys.zip(0..).collect();
        self.entries.len() != before
    }

    /// All that are there.
    pub(super) fn sightings(&self) -> Sightings {
        let mut cameras: Vec<_> = self.entries.iter().map(|entry| entry.camera.clone()).collect();
        cameras.sort_by(|a, b| (&a.name, &a.addresses).cmp(&(&b.name, &b.addresses)));
        Sightings { cameras, is_cut: self.is_cut }
    }
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
    let instances = instances.take(MOST_IN_ONE_ANSWER);
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
    addresses.truncate(MOST_ADDRESSES);
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

    fn found(id: &str, address: &str) -> Found {
        Found {
            name: "Door".into(),
            addresses: vec![address.parse().expect("an address")],
            facts: Facts { id: id.into(), ..Facts::default() },
        }
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn one_camera_on_two_networks_is_one_and_two_of_one_name_are_two() {
        let mut census = Census::default();
        for (id, address) in [
            ("a", "127.0.0.1:1"),
            ("a", "10.0.0.1:1"),
            ("b", "10.0.0.2:1"),
            ("", "10.0.0.3:1"),
            ("", "10.0.0.3:1"),
        ] {
            census.note(found(id, address), HERE, 0);
        }
        let cameras = census.sightings().cameras;
        let addresses: Vec<_> = cameras.iter().map(|camera| camera.address().to_string()).collect();
        assert_eq!(addresses, ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"]);
    }

    #[test]
    fn a_camera_that_is_seen_again_is_news_only_where_it_has_changed() {
        let mut census = Census::default();
        assert!(census.note(found("a", "10.0.0.1:1"), HERE, 1));
        assert!(!census.note(found("a", "10.0.0.1:1"), HERE, 1));
        assert!(census.note(found("a", "10.0.0.9:1"), HERE, 1), "on two networks");
        assert!(census.note(found("a", "10.0.0.1:2"), HERE, 2), "at another port");
        assert!(!census.note(found("a", "10.0.0.1:2"), HERE, 3));
        assert!(census.note(found("b", "10.0.0.2:1"), HERE, 3));
        assert_eq!(census.sightings().cameras.len(), 2);
        assert!(!census.forget(4));
        assert!(census.forget(5));
        assert!(census.note(found("b", "10.0.0.2:1"), HERE, 5), "it is back");
    }

    #[test]
    fn whoever_makes_cameras_up_neither_fills_the_memory_nor_hides_the_others() {
        let mut census = Census::default();
        for number in 0..100_000 {
            census.note(found(&number.to_string(), "10.0.0.1:1"), HERE, 0);
        }
        assert!(census.note(found("real", "10.0.0.2:1"), "10.0.0.2".parse().expect("an IP"), 0));
        let sightings = census.sightings();
        assert_eq!(sightings.cameras.len(), 65);
        assert!(sightings.is_cut);
        for number in 0..10_000_u32 {
            let camera = found(&format!("n{number}"), "10.0.0.1:1");
            census.note(camera, IpAddr::V4(number.into()), 0);
        }
        assert_eq!(census.sightings().cameras.len(), MOST_CAMERAS);
        for number in 0..10_000 {
            census.note(found("real", &format!("10.0.0.1:{}", 1 + number)), HERE, 0);
        }
        let cameras = census.sightings().cameras;
        assert!(cameras.iter().all(|camera| camera.addresses.len() <= MOST_ADDRESSES));
    }
}
