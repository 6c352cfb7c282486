//! Decides which connections are listed on standard output: every viewer, and each kind of other
//! request once.
//!
//! A program that asks for a snapshot every second, each time on a new connection, would fill
//! console and log. So could a malicious neighbour. So the number of listed connections is limited,
//! for each address and in all; the rest is counted.

use super::metrics::Refused;
use super::session_end::SessionEnd;
use crate::console::say;
use crate::plain::printable;
use crate::wording::count;
use std::cell::Cell;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was listed so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct ConnectionLog(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// The listed ends of connections that did not watch.
    told: VecDeque<(IpAddr, String)>,
    /// How many connections of each address were listed lately, newest first.
    lately: VecDeque<(IpAddr, Minute)>,
    /// The same for all addresses together.
    of_all: Minute,
}

/// How many connections were listed and how many left out since `began`.
#[derive(Debug, Default, Clone, Copy)]
struct Minute {
    began: Option<Instant>,
    told: usize,
    untold: usize,
}

/// Whether to list a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    Yes,
    /// The first that is left out in this minute: this is printed instead.
    NotAnyMore,
    No,
}

/// How many are remembered. The oldest is forgotten, and listed again if it comes again.
const REMEMBERED: usize = 64;

/// How many connections are listed in a minute, of one address and of all.
const OF_ONE: usize = 30;
const OF_ALL: usize = 120;
const MINUTE: Duration = Duration::from_secs(60);

/// The greatest length in letters of a shown text, which may come from a client.
const LONGEST: usize = 300;

impl ConnectionLog {
    /// Adds a connection.
    pub fn entry(&self, peer: SocketAddr) -> LogEntry {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        LogEntry { peer, log: self.clone(), is_told: Cell::new(None) }
    }

    /// Whether this end of a connection is new for `ip`.
    fn is_news(&self, ip: IpAddr, text: &str) -> bool {
        let told = &mut self.lock().told;
        if told.iter().any(|(of, before)| *of == ip && before == text) {
            return false;
        }
        told.truncate(REMEMBERED - 1);
        told.push_front((ip, text.to_owned()));
        true
    }

    /// Whether to list one more connection of `ip`, and how many were left out in the minute that
    /// has just ended.
    fn telling(&self, ip: IpAddr, now: Instant) -> (Telling, usize) {
        let log = &mut *self.lock();
        let untold = log.of_all.roll(now);
        let at = log.lately.iter().position(|(of, _)| *of == ip);
        let mut minute = at.and_then(|at| log.lately.remove(at)).unwrap_or((ip, Minute::default()));
        minute.1.roll(now);
        let is_too_much = minute.1.told >= OF_ONE || log.of_all.told >= OF_ALL;
        let telling = match (is_too_much, minute.1.untold) {
            (false, _) => Telling::Yes,
            (true, 0) if log.of_all.told < OF_ALL || log.of_all.untold == 0 => Telling::NotAnyMore,
            (true, _) => Telling::No,
        };
        for minute in [&mut minute.1, &mut log.of_all] {
            let counter = if is_too_much { &mut minute.untold } else { &mut minute.told };
            *counter += 1;
        }
        log.lately.truncate(REMEMBERED - 1);
        log.lately.push_front(minute);
        (telling, untold)
    }

    /// A poisoned lock is used all the same: no panic can leave a list half changed.
    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    /// Starts a new minute if this one is over. Returns how many connections the old one left out.
    fn roll(&mut self, now: Instant) -> usize {
        if self.began.is_some_and(|began| now < began + MINUTE) {
            return 0;
        }
        let untold = self.untold;
        *self = Self { began: Some(now), ..Self::default() };
        untold
    }
}

/// A connection.
#[derive(Debug)]
pub struct LogEntry {
    peer: SocketAddr,
    log: ConnectionLog,
    /// Whether it is listed, once that is decided.
    is_told: Cell<Option<bool>>,
}

impl LogEntry {
    /// Notes that the connection watches.
    pub fn watches(&self) {
        self.appear();
    }

    /// Notes that the connection has ended.
    pub fn left(&self, end: &SessionEnd) {
        let peer = self.peer;
        // The text may quote a client.
        let text: String = printable(&end.to_string()).chars().take(LONGEST).collect();
        let news = match end {
            // The same whatever the count of requests, and however long pairing rests.
            SessionEnd::Answered(_) => "answered",
            SessionEnd::Refused { why: Refused::WrongCode, .. } => "a wrong code",
            _ => &text,
        };
        let is_told = match self.is_told.get() {
            Some(is_told) => is_told,
            None => self.log.is_news(peer.ip(), news) && self.appear(),
        };
        if is_told {
            say(format_args!("connection ended: {peer}: {text}"));
        } else {
            log::debug!("{peer}: {text}");
        }
    }

    /// Lists the connection, unless too many were listed lately. Returns whether it did.
    fn appear(&self) -> bool {
        let (telling, untold) = self.log.telling(self.peer.ip(), Instant::now());
        if untold > 0 {
            say(format_args!("{} in the last minute not listed", count(untold, "more connection")));
        }
        match telling {
            Telling::Yes => say(format_args!("GOT CONNECTION FROM: {}", self.peer)),
            Telling::NotAnyMore => say(format_args!(
                "many connections from {}: for a minute they are counted, not listed",
                self.peer.ip()
            )),
            Telling::No => {}
        }
        self.is_told.set(Some(telling == Telling::Yes));
        telling == Telling::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn the_same_is_told_of_everybody_once() {
        let log = ConnectionLog::default();
        assert!(log.is_news(ip(1), "answered"));
        assert!(log.is_news(ip(2), "answered"));
        assert!(log.is_news(ip(1), "refused"));
        assert!(!log.is_news(ip(1), "answered") && !log.is_news(ip(2), "answered"));
        (10..100).for_each(|last| assert!(log.is_news(ip(last), "answered")));
        assert!(log.is_news(ip(1), "answered"), "who came long ago is forgotten");
        assert_eq!(log.lock().told.len(), REMEMBERED);
    }

    #[test]
    fn many_connections_are_counted_and_few_are_listed() {
        let log = ConnectionLog::default();
        let now = Instant::now();
        let told = |last: u8, count: usize, now: Instant| {
            let all = (0..count).map(|_| log.telling(ip(last), now).0);
            let all: Vec<_> = all.collect();
            let of = |kind| all.iter().filter(|telling| **telling == kind).count();
            (of(Telling::Yes), of(Telling::NotAnyMore))
        };
        assert_eq!(told(1, 1000, now), (OF_ONE, 1));
        assert_eq!(told(2, 10, now), (10, 0), "one address is not another's affair");
        let later = now + MINUTE;
        assert_eq!(log.telling(ip(1), later), (Telling::Yes, 1000 - OF_ONE));
        // Many addresses together get no more lines than the limit for all.
        let all: usize = (10..200)
            .map(|last| {
                let (yes, said) = told(last, 20, later);
                yes + said
            })
            .sum();
        assert_eq!(all, OF_ALL - 1 + 1);
        assert!(log.lock().lately.len() <= REMEMBERED);
    }
}
