//! The cameras that have answered on the LAN, with limits against made-up ones.

use super::found::{Found, heard};
use crate::net::mdns::Answer;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// The cameras that have answered on the LAN.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sightings {
    /// The cameras, sorted by name without regard to capitals.
    pub cameras: Vec<Found>,
    /// Whether some were left out because there were too many.
    pub is_cut: bool,
}

/// The most cameras in the list. More than this were surely made up.
const MOST_CAMERAS: usize = 256;
/// The most answers in one round. Each has up to 9000 bytes.
const MOST_ANSWERS: u32 = 4096;
/// The most answers from one machine in one round, so that it cannot hide all others. A router that repeats answers between
/// networks sends several.
const MOST_ANSWERS_OF_ONE: u32 = 512;
/// The most cameras that one machine may answer for.
const MOST_CAMERAS_OF_ONE: u32 = 64;

/// How many rounds a camera may miss before it is removed: Wi-Fi loses some answers.
const MISSED: u32 = 1;

/// Collects the cameras that answer, within limits.
#[derive(Debug, Default)]
pub(super) struct Census {
    entries: Vec<Entry>,
    /// The index in `entries` of each camera.
    places: HashMap<Key, usize>,
    /// How many answers and new cameras came from each machine in this round.
    heard_from: HashMap<IpAddr, (u32, u32)>,
    answers: u32,
    is_cut: bool,
    /// The same for the round before.
    was_cut: bool,
}

/// A camera, and the round in which it answered last.
#[derive(Debug)]
struct Entry {
    camera: Found,
    round: u32,
}

/// What tells cameras apart: the id, or without one the name and the addresses.
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
    /// Begins another round of questions.
    pub(super) fn begin(&mut self) {
        self.heard_from.clear();
        self.answers = 0;
        self.was_cut = std::mem::take(&mut self.is_cut);
    }

    /// Adds an answer. Returns whether it changed the list.
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

    /// A census with these cameras in it.
    #[cfg(test)]
    pub(super) fn of_all(cameras: Vec<Found>) -> Self {
        let mut census = Self::default();
        for camera in cameras {
            census.note(camera, IpAddr::from([10, 0, 0, 5]), 0);
        }
        census
    }

    /// Adds a camera. It answers once for each network it is in, and its addresses may have changed since the last round.
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

    /// Ends a round: removes cameras that have not answered lately. Returns whether there were any, or whether cameras were
    /// left out in exactly one of this round and the one before.
    pub(super) fn end(&mut self, round: u32) -> bool {
        let is_news = std::mem::replace(&mut self.was_cut, self.is_cut) != self.is_cut;
        let before = self.entries.len();
        self.entries.retain(|entry| entry.round + MISSED >= round);
        let keys = self.entries.iter().map(|entry| Key::of(&entry.camera));
        self.places = keys.zip(0..).collect();
        is_news || self.entries.len() != before
    }

    /// The cameras in the list now.
    pub(super) fn sightings(&self) -> Sightings {
        let mut cameras: Vec<_> = self.entries.iter().map(|entry| entry.camera.clone()).collect();
        cameras.sort_by_cached_key(|camera| {
            (camera.name.to_lowercase(), camera.name.clone(), camera.addresses.clone())
        });
        // Within a round, what will be left out in it is not known yet.
        Sightings { cameras, is_cut: self.is_cut || self.was_cut }
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
            ..Found::default()
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
    fn capitals_make_no_difference_to_the_order_of_names() {
        let mut census = Census::default();
        for name in ["Vera", "alpha", "Beta", "beta"] {
            let camera = found(name, "10.0.0.1:1");
            census.note(Found { name: name.into(), ..camera }, HERE, 0);
        }
        let names: Vec<_> = census.sightings().cameras.into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["alpha", "Beta", "beta", "Vera"]);
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
        assert!(!census.end(4));
        assert!(census.end(5));
        assert!(census.note(found("b", "10.0.0.2:1"), HERE, 5), "it is back");
    }

    #[test]
    fn that_cameras_are_left_out_is_news_once_and_stays_so_until_all_are_in_the_list() {
        let mut census = Census::default();
        let answer = |census: &mut Census, count: u32, round| {
            census.begin();
            for number in 0..count {
                let from = IpAddr::V4(number.into());
                census.note(found(&number.to_string(), "10.0.0.1:1"), from, round);
                if round > 1 {
                    assert!(census.sightings().is_cut, "it was so before");
                }
            }
            (census.end(round), census.sightings().is_cut)
        };
        assert_eq!(answer(&mut census, 300, 1), (true, true));
        assert_eq!(census.sightings().cameras.len(), MOST_CAMERAS);
        assert_eq!(answer(&mut census, 300, 2), (false, true));
        assert_eq!(answer(&mut census, 200, 3), (true, false));
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
