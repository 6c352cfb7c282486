//! Who is there: the cameras that have answered, within bounds.

use super::found::{Found, heard};
use crate::net::mdns::Answer;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// The cameras on the LAN, as far as they answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sightings {
    /// Sorted by name.
    pub cameras: Vec<Found>,
    /// Whether there were more than anybody can look through.
    pub is_cut: bool,
}

/// More cameras than this nobody looks through: there is somebody who makes them up ...
const MOST_CAMERAS: usize = 256;
/// ... or more answers in one round. Each is up to 9000 bytes.
const MOST_ANSWERS: u32 = 4096;
/// One machine alone shall not hide all others. A router that repeats answers from one network in another sends several.
const MOST_ANSWERS_OF_ONE: u32 = 512;
/// And so many cameras of those that one machine answers for.
const MOST_CAMERAS_OF_ONE: u32 = 64;

/// A camera is gone when it has not answered so many rounds of questions: Wi-Fi loses some.
const MISSED: u32 = 1;

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
    pub(super) fn begin(&mut self) {
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
    pub(super) fn forget(&mut self, round: u32) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::find::found::MOST_ADDRESSES;
    use crate::wire::service::Facts;

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
