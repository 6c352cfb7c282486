//! Limits how often codes may be guessed.
//!
//! A code has 60 bits, so nobody finds it by trying. The limits keep those who try from costing the camera its time.

use crate::bucket::{Allowance, Bucket};
use crate::camera::connections::peer::is_same;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How many wrong codes of one address are answered at once, and how often one more.
const OF_ONE: Allowance = Allowance { at_once: 3, each: Duration::from_secs(1) };

/// How many wrong codes of all addresses together are answered in a minute.
const OF_ALL: usize = 20;
const MINUTE: Duration = Duration::from_secs(60);

/// How long no code is looked at after more than these.
pub const REST: Duration = Duration::from_secs(5 * 60);

/// The wrong codes of the last minute. It remembers at most `OF_ALL` of them, and as many addresses.
#[derive(Debug, Default)]
pub struct Guesses {
    /// When they came, oldest first.
    lately: VecDeque<Instant>,
    /// The addresses that may not guess freely now.
    of_one: Vec<(IpAddr, Bucket)>,
    /// Until when no code is looked at.
    rests_until: Option<Instant>,
}

/// No code is looked at for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many wrong codes: the camera takes no code for {}. Keys that it has given still work", time(.0))]
pub struct Rests(pub Duration);

/// What a wrong code leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// Codes are looked at, within the limits.
    More,
    /// It was one too many: no code is looked at for [`REST`].
    Rest,
}

impl Guesses {
    /// Whether a code from this address is looked at now.
    ///
    /// # Errors
    /// When too many wrong ones came. Whether this one would be right makes no difference.
    pub fn allow(&mut self, peer: IpAddr, now: Instant) -> Result<(), Rests> {
        self.forget(now);
        let of_one = self.of_one.iter().find(|(of, _)| is_same(*of, peer.to_canonical()));
        let own = of_one.map_or(now, |(_, bucket)| bucket.next_at(now));
        let until = self.rests_until.map_or(own, |rests_until| rests_until.max(own));
        match until.saturating_duration_since(now) {
            Duration::ZERO => Ok(()),
            wait => Err(Rests(wait)),
        }
    }

    /// Notes that a code from this address was wrong.
    pub fn wrong(&mut self, peer: IpAddr, now: Instant) -> Afterwards {
        self.forget(now);
        let peer = peer.to_canonical();
        match self.of_one.iter_mut().find(|(of, _)| is_same(*of, peer)) {
            Some((_, bucket)) => bucket.spend(now),
            None => {
                let mut bucket = Bucket::full(OF_ONE);
                bucket.spend(now);
                self.of_one.push((peer, bucket));
            }
        }
        self.lately.push_back(now);
        if self.lately.len() < OF_ALL {
            return Afterwards::More;
        }
        self.rests_until = Some(now + REST);
        self.lately.clear();
        Afterwards::Rest
    }

    /// Forgets what makes no difference any more.
    fn forget(&mut self, now: Instant) {
        self.rests_until = self.rests_until.filter(|until| *until > now);
        self.of_one.retain(|(_, bucket)| bucket.full_at().is_some_and(|full| full > now));
        while self.lately.front().is_some_and(|at| *at + MINUTE <= now) {
            self.lately.pop_front();
        }
    }
}

/// A time to wait, for people: `1 s`, `5 minutes`.
fn time(wait: &Duration) -> String {
    match wait.as_millis().div_ceil(1000) {
        seconds @ 0..=90 => format!("{seconds} s"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn peer(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// Guesses wrong if that is allowed; whether it was.
    fn guess(guesses: &mut Guesses, peer: IpAddr, now: Instant) -> bool {
        let is_allowed = guesses.allow(peer, now).is_ok();
        if is_allowed {
            guesses.wrong(peer, now);
        }
        is_allowed
    }

    #[test]
    fn three_wrong_codes_of_an_address_are_free_and_then_one_a_second() {
        let (mut guesses, start, one) = (Guesses::default(), Instant::now(), peer("192.0.2.1"));
        assert_eq!((0..10).filter(|_| guess(&mut guesses, one, start)).count(), 3);
        assert_eq!(guesses.allow(one, start), Err(Rests(SECOND)));
        assert!(guess(&mut guesses, peer("192.0.2.2"), start), "another address");
        let mut now = start;
        for _ in 0..5 {
            assert!(!guess(&mut guesses, one, now + SECOND / 2));
            now += SECOND;
            assert!(guess(&mut guesses, one, now));
        }
        // Three seconds later all three are free again.
        now += 3 * SECOND;
        assert_eq!((0..10).filter(|_| guess(&mut guesses, one, now)).count(), 3);
    }

    #[test]
    fn an_address_of_ipv6_counts_by_its_network_and_one_of_ipv4_in_either_form() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for last in 1..=3 {
            assert!(guess(&mut guesses, peer(&format!("2001:db8:0:1::{last}")), now));
        }
        assert!(!guess(&mut guesses, peer("2001:db8:0:1:ffff::"), now));
        assert!(guess(&mut guesses, peer("2001:db8:0:2::1"), now));
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for text in ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"] {
            assert!(guess(&mut guesses, peer(text), now));
        }
        assert!(!guess(&mut guesses, peer("::ffff:192.0.2.1"), now));
    }

    #[test]
    fn twenty_in_a_minute_are_looked_at_and_then_none_for_five() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        let addresses: Vec<_> = (1..=50).map(|last| peer(&format!("192.0.2.{last}"))).collect();
        let all = |guesses: &mut Guesses, now| {
            (0..200).filter(|at| guess(guesses, addresses[at % 50], now)).count()
        };
        assert_eq!(all(&mut guesses, start), 20);
        assert_eq!(guesses.allow(peer("203.0.113.1"), start), Err(Rests(REST)));
        let text = "too many wrong codes: the camera takes no code for 5 minutes. Keys that it has given still work";
        assert_eq!(Rests(REST).to_string(), text);
        assert_eq!(all(&mut guesses, start + REST - SECOND), 0);
        assert_eq!(all(&mut guesses, start + REST), 20);
    }

    #[test]
    fn people_who_mistype_now_and_then_never_make_it_rest() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        for at in 0..1000_u32 {
            let now = start + at * Duration::from_millis(3200);
            assert!(guess(&mut guesses, peer("192.0.2.1"), now), "{at}");
        }
    }

    #[test]
    fn strangers_fill_no_memory() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        for at in 0..100_000_u32 {
            let now = start + at * Duration::from_millis(7);
            guess(&mut guesses, IpAddr::from(at.to_be_bytes()), now);
            assert!(guesses.of_one.len() <= OF_ALL && guesses.lately.len() < OF_ALL);
        }
    }

    #[test]
    fn a_wait_is_said_in_seconds_or_minutes() {
        let said = |millis| time(&Duration::from_millis(millis));
        assert_eq!([said(1), said(1000), said(90_000)], ["1 s", "1 s", "90 s"]);
        assert_eq!([said(90_001), said(240_001)], ["2 minutes", "5 minutes"]);
    }
}
