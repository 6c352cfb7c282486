//! Which connections are told of on standard output: all who watch, and of those who only ask, each once.
//!
//! A program that asks for a snapshot every second, each time on a new connection, would fill console and log.

use super::session::SessionEnd;
use crate::console::say;
use std::cell::Cell;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// What was told of whom. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Guestbook(Arc<Mutex<VecDeque<(IpAddr, String)>>>);

/// With more than these, the oldest is forgotten, and told again when it comes again.
const REMEMBERED: usize = 64;

impl Guestbook {
    /// Somebody has connected.
    pub fn guest(&self, peer: SocketAddr) -> Guest {
        Guest { peer, book: self.clone(), is_told: Cell::new(false) }
    }

    /// Whether this is told of `ip` for the first time.
    fn is_news(&self, ip: IpAddr, text: &str) -> bool {
        // Poison is ignored: no panic can leave a list half-way.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.iter().any(|(of, before)| *of == ip && before == text) {
            return false;
        }
        told.truncate(REMEMBERED - 1);
        told.push_front((ip, text.to_owned()));
        true
    }
}

/// A connection.
#[derive(Debug)]
pub struct Guest {
    peer: SocketAddr,
    book: Guestbook,
    is_told: Cell<bool>,
}

impl Guest {
    /// It has asked for the live picture.
    pub fn watches(&self) {
        if !self.is_told.replace(true) {
            say(format_args!("GOT CONNECTION FROM: {}", self.peer));
        }
    }

    /// It has gone.
    pub fn left(&self, end: &SessionEnd) {
        let text = match end {
            // However often: that is no news.
            SessionEnd::Answered(_) => "answered".to_owned(),
            other => other.to_string(),
        };
        let peer = self.peer;
        if !self.is_told.get() && !self.book.is_news(peer.ip().to_canonical(), &text) {
            log::debug!("{peer}: {end}");
            return;
        }
        self.watches();
        say(format_args!("CONNECTION ENDED: {peer}: {end}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_of_everybody_once() {
        let book = Guestbook::default();
        let ip = |last: u8| IpAddr::from([10, 0, 0, last]);
        assert!(book.is_news(ip(1), "answered"));
        assert!(book.is_news(ip(2), "answered"));
        assert!(book.is_news(ip(1), "refused"));
        assert!(!book.is_news(ip(1), "answered") && !book.is_news(ip(2), "answered"));
        (10..100).for_each(|last| assert!(book.is_news(ip(last), "answered")));
        assert!(book.is_news(ip(1), "answered"), "who came long ago is forgotten");
        assert_eq!(book.0.lock().expect("no panic").len(), REMEMBERED);
    }
}
