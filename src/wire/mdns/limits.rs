//! Limits what strangers can cause: token buckets, a memory of sent messages, random delays.

use crate::bucket::{Allowance, Bucket};
use crate::fnv::Fnv;
use core::net::IpAddr;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many answers a single asker gets alone: a burst of 10, then 10 per second.
const OF_ONE: Allowance = Allowance { at_once: 10, each: Duration::from_millis(100) };
/// The same for all askers together, since their addresses may be forged.
const OF_ALL: Allowance = Allowance { at_once: 100, each: Duration::from_millis(10) };
/// How many askers are tracked. A new one replaces the one that asked longest ago.
const ASKERS: usize = 32;

/// Counts answers that go to one asker alone.
#[derive(Debug)]
pub(super) struct Answers {
    all: Bucket,
    askers: Vec<(IpAddr, Bucket)>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { all: Bucket::full(OF_ALL), askers: Vec::new() }
    }
}

impl Answers {
    /// Whether `asker` may get an answer now.
    pub(super) fn may(&mut self, asker: IpAddr, now: Instant) -> bool {
        let fresh = Bucket::full(OF_ONE);
        let at = match self.askers.iter().position(|(known, _)| *known == asker) {
            Some(at) => at,
            None if self.askers.len() < ASKERS => {
                self.askers.push((asker, fresh));
                self.askers.len() - 1
            }
            None => {
                let oldest = self.askers.iter().enumerate().min_by_key(|(_, it)| it.1.full_at());
                let at = oldest.map_or(0, |(at, _)| at);
                self.askers[at] = (asker, fresh);
                at
            }
        };
        self.askers[at].1.take(now) && self.all.take(now)
    }
}

/// Remembers sent messages, since everything that is multicast is received here too, even on other
/// links.
#[derive(Debug, Default)]
pub(super) struct Echoes(VecDeque<(usize, u64)>);

/// How many messages are remembered: more than are sent while one is on its way.
const ECHOES: usize = 128;

impl Echoes {
    pub(super) fn note(&mut self, message: &[u8]) {
        if self.0.len() == ECHOES {
            self.0.pop_front();
        }
        self.0.push_back((message.len(), fingerprint(message)));
    }

    pub(super) fn has(&self, message: &[u8]) -> bool {
        // Few messages of strangers have the same length as one of ours, so only those are hashed.
        self.0.iter().any(|(len, _)| *len == message.len())
            && self.0.contains(&(message.len(), fingerprint(message)))
    }
}

/// A hash. Somebody who forges another message with the same hash only gets that one ignored.
fn fingerprint(message: &[u8]) -> u64 {
    Fnv::default().with(message).0
}

/// Recent conflicts (RFC 6762, section 8.1).
#[derive(Debug, Default)]
pub(super) struct Conflicts(VecDeque<Instant>);

impl Conflicts {
    const WITHIN: Duration = Duration::from_secs(10);
    const MANY: usize = 15;
    const SUSPICIOUS: usize = 5;
    /// How long to wait after many conflicts.
    const REST: Duration = Duration::from_secs(5);

    /// Notes a conflict. Returns how long to wait before the next try.
    pub(super) fn note(&mut self, now: Instant) -> Duration {
        self.0.push_back(now);
        if self.0.len() > Self::MANY {
            self.0.pop_front();
        }
        if self.are_many(now) { Self::REST } else { Duration::ZERO }
    }

    /// Whether there were so many that somebody may be claiming every name that is tried.
    pub(super) fn are_suspicious(&self, now: Instant) -> bool {
        let recent = self.0.iter().filter(|&&at| now < at + Self::WITHIN);
        recent.count() >= Self::SUSPICIOUS
    }

    /// Whether there were many. That stays so until there was none for a while.
    fn are_many(&self, now: Instant) -> bool {
        let pause = Self::WITHIN + Self::REST;
        let is_recent = |at: Option<&Instant>, within| at.is_some_and(|&at| now < at + within);
        // The first 15 came within 10 s. After them, one every 5 s still belongs to the same storm.
        self.0.len() == Self::MANY
            && is_recent(self.0.back(), pause)
            && is_recent(self.0.front(), Self::WITHIN + Self::REST * 15)
    }
}

/// Small random delays, so that several responders do not answer at once. Not secret.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A random duration between two numbers of milliseconds.
    pub(super) fn between(&mut self, from_millis: u64, to_millis: u64) -> Duration {
        Duration::from_millis(self.number(from_millis, to_millis))
    }

    /// A random number from `from` to `to`, inclusive.
    pub(super) fn number(&mut self, from: u64, to: u64) -> u64 {
        // xorshift64.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from + (self.0 >> 11) % (to - from + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asker_gets_a_burst_and_then_its_rate_and_others_get_theirs() {
        let mut answers = Answers::default();
        let start = Instant::now();
        let asker = |last: u8| IpAddr::from([10, 0, 0, last]);
        let count = |answers: &mut Answers, last: u8, at| {
            (0..1000).filter(|_| answers.may(asker(last), at)).count()
        };
        assert_eq!(count(&mut answers, 1, start), 10);
        assert_eq!(count(&mut answers, 2, start), 10);
        assert_eq!(count(&mut answers, 1, start + Duration::from_secs(1)), 10);
        assert_eq!(count(&mut answers, 1, start + Duration::from_millis(1100)), 1);
    }

    #[test]
    fn askers_that_are_made_up_share_one_limit_and_a_table_that_does_not_grow() {
        let mut answers = Answers::default();
        let now = Instant::now();
        let told = (0..=255).flat_map(|a| (0..=255).map(move |b| IpAddr::from([10, 0, a, b])));
        assert_eq!(told.filter(|&asker| answers.may(asker, now)).count(), 100);
        assert_eq!(answers.askers.len(), ASKERS);
    }

    #[test]
    fn after_many_conflicts_every_try_waits() {
        let mut conflicts = Conflicts::default();
        let mut now = Instant::now();
        for _ in 0..14 {
            assert_eq!(conflicts.note(now), Duration::ZERO);
            now += Duration::from_millis(300);
        }
        for _ in 0..20 {
            assert_eq!(conflicts.note(now), Duration::from_secs(5));
            now += Duration::from_millis(5300);
        }
        assert_eq!(conflicts.note(now + Duration::from_secs(60)), Duration::ZERO);
    }
}
