//! Limits how often TLS handshakes are begun.
//!
//! Each costs the camera a signature before it knows who asks: some milliseconds on a small Pi. Nothing here concerns
//! connections whose handshake is over, so a flood delays no viewer that watches.

use super::peer::{is_proxy, is_same};
use crate::bucket::{Allowance, Bucket};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Of one address. A browser makes six connections at once for a page; a program may ask for a picture every second.
const OF_ONE: Allowance = Allowance { at_once: 20, each: Duration::from_millis(200) };

/// Of all addresses together. An address from which somebody has shown a key is not among them.
const OF_ALL: Allowance = Allowance { at_once: 60, each: Duration::from_millis(50) };

/// How long a handshake waits for its turn; it is refused where it would be longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many addresses are remembered of each kind. The one that came first is forgotten.
const REMEMBERED: usize = 256;

/// The handshakes of late.
#[derive(Debug)]
pub(super) struct Handshakes {
    /// The addresses that have begun some lately.
    of_one: VecDeque<(IpAddr, Bucket)>,
    of_all: Bucket,
    /// The addresses from which somebody has shown a key, the last one first.
    known: VecDeque<IpAddr>,
}

impl Default for Handshakes {
    fn default() -> Self {
        Self { of_one: VecDeque::new(), of_all: Bucket::full(OF_ALL), known: VecDeque::new() }
    }
}

impl Handshakes {
    /// When a handshake with this address may begin, now or soon. `None` if that would be too late.
    pub(super) fn begin(&mut self, peer: IpAddr, now: Instant) -> Option<Instant> {
        if is_proxy(peer) {
            return Some(now);
        }
        let is_known = self.known.iter().any(|known| is_same(*known, peer));
        let of_all = if is_known { now } else { self.of_all.next_at(now) };
        let own = self.bucket(peer, now);
        let begins = own.next_at(now).max(of_all);
        if begins > now + PATIENCE {
            return None;
        }
        own.spend(now);
        if !is_known {
            self.of_all.spend(now);
        }
        Some(begins)
    }

    /// Notes that somebody at this address has shown a key.
    pub(super) fn know(&mut self, peer: IpAddr) {
        self.known.retain(|known| !is_same(*known, peer));
        self.known.truncate(REMEMBERED - 1);
        self.known.push_front(peer);
    }

    fn bucket(&mut self, peer: IpAddr, now: Instant) -> &mut Bucket {
        self.of_one.retain(|(_, bucket)| bucket.full_at().is_some_and(|full| full > now));
        let at = match self.of_one.iter().position(|(of, _)| is_same(*of, peer)) {
            Some(at) => at,
            None => {
                if self.of_one.len() >= REMEMBERED {
                    self.of_one.pop_front();
                }
                self.of_one.push_back((peer, Bucket::full(OF_ONE)));
                self.of_one.len() - 1
            }
        };
        &mut self.of_one[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u16) -> IpAddr {
        let [high, low] = number.to_be_bytes();
        IpAddr::from([10, 0, high, low])
    }

    /// How many of so many handshakes at this moment begin, and the last moment at which one does.
    fn begun(all: &mut Handshakes, of: IpAddr, count: usize, now: Instant) -> (usize, Duration) {
        let begins: Vec<_> = (0..count).filter_map(|_| all.begin(of, now)).collect();
        let last = begins.iter().max().map_or(Duration::ZERO, |last| *last - now);
        (begins.len(), last)
    }

    #[test]
    fn a_flood_of_one_address_is_limited_and_costs_no_other_its_turn() {
        let (mut all, now) = (Handshakes::default(), Instant::now());
        assert_eq!(begun(&mut all, peer(1), 1000, now), (25, PATIENCE));
        assert_eq!(begun(&mut all, peer(2), 6, now), (6, Duration::ZERO));
        // What was refused does not count.
        let later = now + PATIENCE + Duration::from_millis(200);
        assert_eq!(begun(&mut all, peer(1), 1, later), (1, Duration::ZERO));
        let rested = now + Duration::from_secs(60);
        assert_eq!(begun(&mut all, peer(1), 20, rested), (20, Duration::ZERO));
    }

    #[test]
    fn floods_of_many_addresses_leave_those_alone_that_have_shown_a_key() {
        let (mut all, now) = (Handshakes::default(), Instant::now());
        all.know(peer(7));
        let of_others: usize =
            (100..150).map(|number| begun(&mut all, peer(number), 20, now).0).sum();
        assert_eq!(of_others, 80, "60 at once, and 20 within a second");
        assert_eq!(begun(&mut all, peer(1), 1, now).0, 0, "a stranger has to wait");
        assert_eq!(begun(&mut all, peer(7), 20, now), (20, Duration::ZERO));
        assert_eq!(begun(&mut all, peer(7), 1000, now).0, 5, "its own limit remains");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_a_proxy_stands_for_all_its_clients() {
        let (mut all, mut now) = (Handshakes::default(), Instant::now());
        for number in 0..10_000 {
            all.begin(peer(number), now);
            all.know(peer(number));
            now += Duration::from_millis(50);
            assert!(all.of_one.len() <= REMEMBERED && all.known.len() <= REMEMBERED);
        }
        assert_eq!(begun(&mut all, IpAddr::from([127, 0, 0, 1]), 1000, now).0, 1000);
    }
}
