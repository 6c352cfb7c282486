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

/// Besides, of addresses that were granted none lately. So a viewer with a key that comes from a new address, or after a
/// restart of the camera, is not kept out by a flood from some others.
const OF_NEW: Allowance = Allowance { at_once: 20, each: Duration::from_millis(100) };

/// Besides, of IPv6 addresses that were granted none lately, though others were whose first 64 bits are the same: on a LAN, all
/// machines have the same ones. So a flood of one machine does not keep out the others, unless it makes up addresses.
const OF_NEW_NEIGHBOURS: Allowance = Allowance { at_once: 20, each: Duration::from_millis(100) };

/// How long an address that was granted one asks for none before it counts as new again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

/// How long a handshake waits for its turn; it is refused where it would be longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many addresses are remembered of each kind. The one that came first is forgotten.
const REMEMBERED: usize = 256;

/// The handshakes of late.
#[derive(Debug)]
pub(super) struct Handshakes {
    /// The addresses that were granted some, and have asked for some lately.
    lately: VecDeque<Asking>,
    of_all: Bucket,
    of_new: Bucket,
    of_new_neighbours: Bucket,
    /// The IPv6 addresses that were granted some, and when each has asked last.
    neighbours: VecDeque<(IpAddr, Instant)>,
    /// The addresses from which somebody has shown a key, the last one first. Each counts alone: with IPv6, all machines of
    /// a LAN have the same first 64 bits, and a flood of one of them must not be the others'.
    known: VecDeque<(IpAddr, Bucket)>,
}

/// An address that was granted handshakes.
#[derive(Debug)]
struct Asking {
    peer: IpAddr,
    /// When it has asked last, and was refused or not.
    asked_at: Instant,
    own: Bucket,
}

impl Default for Handshakes {
    fn default() -> Self {
        let [of_all, of_new, of_new_neighbours] =
            [OF_ALL, OF_NEW, OF_NEW_NEIGHBOURS].map(Bucket::full);
        let (lately, neighbours, known) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { lately, of_all, of_new, of_new_neighbours, neighbours, known }
    }
}

impl Handshakes {
    /// When a handshake with this address may begin, now or soon. `None` if that would be too late.
    pub(super) fn begin(&mut self, peer: IpAddr, now: Instant) -> Option<Instant> {
        if is_proxy(peer) {
            return Some(now);
        }
        let is_soon = |bucket: &Bucket| bucket.next_at(now) <= now + PATIENCE;
        if let Some((_, own)) = self.known.iter_mut().find(|(known, _)| *known == peer) {
            return is_soon(own).then(|| spent(own, now));
        }
        let is_new_neighbour = self.is_new_neighbour(peer, now);
        let own = self.own(peer, now);
        let (is_new, own_is_soon) = (own.is_none(), own.is_none_or(is_soon));
        let begins = if own_is_soon && is_soon(&self.of_all) {
            spent(&mut self.of_all, now).max(spent(self.granted(peer, now), now))
        } else if own_is_soon && is_new && is_soon(&self.of_new) {
            spent(&mut self.of_new, now).max(spent(self.granted(peer, now), now))
        } else if is_new_neighbour && is_soon(&self.of_new_neighbours) {
            spent(&mut self.of_new_neighbours, now)
        } else {
            return None;
        };
        if is_new_neighbour {
            self.welcome_neighbour(peer, now);
        }
        Some(begins)
    }

    /// Notes that somebody at this address has shown a key.
    pub(super) fn know(&mut self, peer: IpAddr) {
        let at = self.known.iter().position(|(known, _)| *known == peer);
        let entry = at.and_then(|at| self.known.remove(at));
        self.known.truncate(REMEMBERED - 1);
        self.known.push_front(entry.unwrap_or((peer, Bucket::full(OF_ONE))));
    }

    /// The bucket of an address that asks now; `None` if it is new. One that was only refused is as new as before: a viewer
    /// that a flood keeps out asks again and again.
    fn own(&mut self, peer: IpAddr, now: Instant) -> Option<&Bucket> {
        self.lately.retain(|asking| now < asking.asked_at + FORGOTTEN_AFTER);
        let asking = self.lately.iter_mut().find(|asking| is_same(asking.peer, peer))?;
        asking.asked_at = now;
        Some(&asking.own)
    }

    /// Whether this IPv6 address asks now and was granted none lately.
    fn is_new_neighbour(&mut self, peer: IpAddr, now: Instant) -> bool {
        self.neighbours.retain(|(_, asked_at)| now < *asked_at + FORGOTTEN_AFTER);
        match self.neighbours.iter_mut().find(|(known, _)| *known == peer) {
            Some((_, asked_at)) => {
                *asked_at = now;
                false
            }
            None => peer.is_ipv6(),
        }
    }

    /// Notes that an IPv6 address is granted its first one.
    fn welcome_neighbour(&mut self, peer: IpAddr, now: Instant) {
        if self.neighbours.len() >= REMEMBERED {
            self.neighbours.pop_front();
        }
        self.neighbours.push_back((peer, now));
    }

    /// The bucket of an address that is granted a handshake.
    fn granted(&mut self, peer: IpAddr, now: Instant) -> &mut Bucket {
        let at = self.lately.iter().position(|asking| is_same(asking.peer, peer));
        let at = at.unwrap_or_else(|| {
            if self.lately.len() >= REMEMBERED {
                self.lately.pop_front();
            }
            self.lately.push_back(Asking { peer, asked_at: now, own: Bucket::full(OF_ONE) });
            self.lately.len() - 1
        });
        &mut self.lately[at].own
    }
}

/// Takes one, and says when it may be used.
fn spent(bucket: &mut Bucket, now: Instant) -> Instant {
    let at = bucket.next_at(now);
    bucket.spend(now);
    at
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
        assert_eq!(of_others, 60 + 20 + 20 + 10, "at once and within a second, and of new ones");
        assert_eq!(begun(&mut all, peer(1), 1, now).0, 0, "a stranger has to wait");
        assert_eq!(begun(&mut all, peer(7), 20, now), (20, Duration::ZERO));
        assert_eq!(begun(&mut all, peer(7), 1000, now).0, 5, "its own limit remains");
    }

    #[test]
    fn a_flood_of_a_neighbour_with_ipv6_delays_nobody_who_has_shown_a_key() {
        let (mut all, now) = (Handshakes::default(), Instant::now());
        let [viewer, flood] =
            ["fe80::7", "fe80::666"].map(|it| it.parse().expect("an address of one network"));
        all.know(viewer);
        assert_eq!(begun(&mut all, flood, 1000, now).0, 25);
        all.know(viewer);
        assert_eq!(begun(&mut all, viewer, 20, now), (20, Duration::ZERO));
        all.know(viewer);
        assert_eq!(begun(&mut all, viewer, 1000, now).0, 5, "its own limit remains");
    }

    #[test]
    fn a_flood_of_a_neighbour_with_ipv6_keeps_out_no_address_that_is_new() {
        let (mut all, now) = (Handshakes::default(), Instant::now());
        let [viewer, flood] =
            ["fe80::7", "fe80::666"].map(|it| it.parse().expect("an address of one network"));
        assert_eq!(begun(&mut all, flood, 1000, now).0, 25);
        assert_eq!(begun(&mut all, viewer, 1, now), (1, Duration::ZERO));
        assert_eq!(begun(&mut all, viewer, 5, now).0, 0, "it is not new any more");
        // A machine that makes up addresses uses up what is kept for new ones, and no more.
        let made_up = |number: u16| IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 1, number]);
        let others: usize =
            (0..1000).map(|number| begun(&mut all, made_up(number), 1, now).0).sum();
        assert_eq!(others, 19 + 10, "at once and within a second");
        assert_eq!(begun(&mut all, peer(1), 1, now), (1, Duration::ZERO), "nothing of IPv4's");
    }

    #[test]
    fn an_address_that_was_refused_is_new_until_its_first_handshake() {
        let (mut all, now) = (Handshakes::default(), Instant::now());
        let is_refused = |number: &u16| all.begin(peer(*number), now).is_none();
        let end = (1000..2000).find(is_refused).expect("all that there is was used up");
        assert_eq!(begun(&mut all, peer(7), 1, now).0, 0);
        let later = now + Duration::from_secs(2);
        for number in 1000..end {
            let _ = begun(&mut all, peer(number), 2, later);
        }
        assert_eq!(begun(&mut all, peer(7), 1, later).0, 1);
        assert_eq!(begun(&mut all, peer(7), 5, later).0, 0, "it is not new any more");
    }

    #[test]
    fn a_new_address_has_its_turn_while_others_flood() {
        let (mut all, start) = (Handshakes::default(), Instant::now());
        for tick in 0..2000 {
            let now = start + Duration::from_millis(5) * tick;
            for number in 100..150 {
                let _ = all.begin(peer(number), now);
            }
            if tick % 200 == 100 {
                let newcomer = peer(200 + u16::try_from(tick / 200).expect("small"));
                assert_eq!(begun(&mut all, newcomer, 1, now), (1, Duration::ZERO), "{tick}");
                assert_eq!(begun(&mut all, newcomer, 5, now).0, 0, "it is not new any more");
            }
        }
        let later = start + Duration::from_secs(60);
        assert_eq!(begun(&mut all, peer(100), 20, later), (20, Duration::ZERO));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_a_proxy_stands_for_all_its_clients() {
        let (mut all, mut now) = (Handshakes::default(), Instant::now());
        for number in 0..10_000 {
            all.begin(peer(number), now);
            all.know(peer(number));
            now += Duration::from_millis(50);
            all.begin(IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, number]), now);
            for len in [all.lately.len(), all.neighbours.len(), all.known.len()] {
                assert!(len <= REMEMBERED);
            }
        }
        assert_eq!(begun(&mut all, IpAddr::from([127, 0, 0, 1]), 1000, now).0, 1000);
    }
}
