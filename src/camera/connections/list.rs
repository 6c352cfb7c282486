//! Who goes first when it is crowded.
//!
//! A viewer takes a seat. Everybody else waits to say what it wants, or is being answered. When there are too many of these,
//! the one that has waited longest goes, of the address that has most: so nobody shuts others out with idle connections.

use super::crowd::Crowd;
use super::peer::{is_proxy, is_same};
use super::{ANTEROOM, Room};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Instant;

/// All connections, in the order they came.
#[derive(Debug, Default)]
pub(super) struct List {
    entries: Vec<Entry>,
    next_id: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    peer: IpAddr,
    /// Held by the session, too; kept here to wake it.
    stream: Arc<TcpStream>,
    state: State,
}

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has not said what it wants, since then.
    Waits(Instant),
    /// It is being answered.
    Answered,
    /// It watches.
    Watches,
    /// It watches, and has closed its sending side: perhaps it has gone.
    Leaving(Instant),
    /// Its place was needed.
    LetGo,
}

impl List {
    /// Puts a connection behind the others, and returns its number.
    pub(super) fn push(&mut self, peer: IpAddr, stream: Arc<TcpStream>, now: Instant) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push(Entry { id, peer, stream, state: State::Waits(now) });
        id
    }

    /// Forgets a connection.
    pub(super) fn remove(&mut self, id: u64) {
        self.entries.retain(|entry| entry.id != id);
    }

    /// Makes room for one more of this address, where `most` may be open: of one address, three quarters of them.
    pub(super) fn make_room(&mut self, peer: IpAddr, most: usize) -> Result<Room, Crowd> {
        // Those that were let go end in a moment; when they do not, more would only make it worse.
        let leaving = self.entries.iter().filter(|entry| entry.state == State::LetGo).count();
        let all = self.entries.len() - leaving;
        if leaving >= ANTEROOM {
            return Err(Crowd::Connections(all + leaving));
        }
        let most_of_one = most - most / 4;
        let own = self.of(peer).count();
        if own >= most_of_one && !is_proxy(peer) {
            let crowd = Crowd::ConnectionsOf(own, peer);
            return self.let_go(|entry| is_same(entry.peer, peer)).ok_or(crowd);
        }
        if all >= most {
            // Nobody is let go for somebody who has more than he.
            return self.let_go_of_those_with(own.max(1)).ok_or(Crowd::Connections(all));
        }
        Ok(Room::Free)
    }

    /// Gives a seat to a connection of this address, if one is free, or taken by somebody who is leaving. An eighth of them is
    /// kept for other addresses.
    pub(super) fn give_seat(&mut self, id: u64, peer: IpAddr, seats: usize) -> Result<(), Crowd> {
        let most_of_one = seats - seats / 8;
        let own = self.seated().filter(|entry| is_same(entry.peer, peer)).count();
        let is_full = self.viewers() >= seats;
        if is_full || (own >= most_of_one && !is_proxy(peer)) {
            let crowd = if is_full { Crowd::Seats(seats) } else { Crowd::SeatsOf(own, peer) };
            let may_go = |entry: &Entry| {
                let leaves = matches!(entry.state, State::Leaving(_));
                leaves && (is_full || is_same(entry.peer, peer))
            };
            self.let_go(may_go).ok_or(crowd)?;
        }
        self.set(id, State::Watches);
        Ok(())
    }

    /// How many watch.
    pub(super) fn viewers(&self) -> usize {
        self.seated().count()
    }

    /// How a connection stands.
    pub(super) fn state(&self, id: u64) -> Option<State> {
        self.entries.iter().find(|entry| entry.id == id).map(|entry| entry.state)
    }

    /// It stands so from here on, unless it was let go.
    pub(super) fn set(&mut self, id: u64, state: State) {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id);
        if let Some(entry) = entry.filter(|entry| entry.state != State::LetGo) {
            entry.state = state;
        }
    }

    /// Lets the one go that has waited longest.
    pub(super) fn let_one_go(&mut self) -> Option<Room> {
        self.let_go(|_| true)
    }

    fn of(&self, peer: IpAddr) -> impl Iterator<Item = &Entry> {
        let here = self.entries.iter().filter(|entry| entry.state != State::LetGo);
        here.filter(move |entry| is_same(entry.peer, peer))
    }

    fn seated(&self) -> impl Iterator<Item = &Entry> {
        let sits = |state| matches!(state, State::Watches | State::Leaving(_));
        self.entries.iter().filter(move |entry| sits(entry.state))
    }

    /// Lets the one go that has waited longest, of those of which `may_go` is true.
    fn let_go(&mut self, may_go: impl Fn(&Entry) -> bool) -> Option<Room> {
        let waiting = self.entries.iter_mut().filter(|entry| may_go(entry));
        let longest = waiting.filter_map(|entry| match entry.state {
            State::Waits(since) | State::Leaving(since) => Some((since, entry)),
            State::Answered | State::Watches | State::LetGo => None,
        });
        let (_, entry) = longest.min_by_key(|(since, _)| *since)?;
        entry.let_go();
        Some(Room::Made)
    }

    /// The same, of an address that has at least `least` connections, and most of all.
    fn let_go_of_those_with(&mut self, least: usize) -> Option<Room> {
        let waits = |entry: &&Entry| matches!(entry.state, State::Waits(_) | State::Leaving(_));
        let waiting = self.entries.iter().filter(waits);
        let crowds = waiting.map(|entry| (self.of(entry.peer).count(), entry.peer));
        let (count, peer) = crowds.max_by_key(|(count, _)| *count)?;
        if count < least {
            return None;
        }
        self.let_go(|entry| is_same(entry.peer, peer))
    }
}

impl Entry {
    /// Its session finds the connection closed, and ends.
    fn let_go(&mut self) {
        self.state = State::LetGo;
        // It fails when the peer has closed it already; then it ends anyway.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
