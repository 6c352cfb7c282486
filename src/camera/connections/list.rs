//! Decides which connection is closed when there are too many.
//!
//! A viewer takes a seat. Every other connection either waits to say what it wants, or is being
//! answered. When there are too many connections, lancam takes the address that has most of them,
//! and closes the one of these that has waited longest. So nobody can shut others out with idle
//! connections.

use super::crowd::Crowd;
use super::peer::{is_proxy, is_same};
use super::{ANTEROOM, Room};
use std::cmp::Reverse;
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Instant;

/// All connections, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct List {
    entries: Vec<Entry>,
    next_id: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    peer: IpAddr,
    /// The session holds it too. Kept here to shut it down.
    stream: Arc<TcpStream>,
    state: State,
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has not said what it wants since then.
    Waits(Instant),
    /// It is being answered.
    Answered,
    /// It watches.
    Watches,
    /// It watches, but has closed its sending side then: its viewer may be gone.
    Leaving(Instant),
    /// It was shut down because its place was needed.
    LetGo,
}

impl List {
    /// Adds a connection, and returns its number.
    pub(super) fn push(&mut self, peer: IpAddr, stream: Arc<TcpStream>, now: Instant) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push(Entry { id, peer, stream, state: State::Waits(now) });
        id
    }

    /// Removes a connection.
    pub(super) fn remove(&mut self, id: u64) {
        self.entries.retain(|entry| entry.id != id);
    }

    /// Makes room for one more connection of this address. At most `most` may be open, three
    /// quarters of them by one address.
    pub(super) fn make_room(&mut self, peer: IpAddr, most: usize) -> Result<Room, Crowd> {
        // Connections that were shut down end in a moment. If many do not, admitting more would
        // make it worse.
        let leaving = self.entries.iter().filter(|entry| entry.state == State::LetGo).count();
        let all = self.entries.len() - leaving;
        if leaving >= ANTEROOM {
            return Err(Crowd::Connections(all + leaving));
        }
        let most_of_one = most - most / 4;
        let own = self.of(peer).count();
        if own >= most_of_one && !is_proxy(peer) {
            let crowd = Crowd::ConnectionsOf(own, peer);
            return self.let_go_of_network(peer).ok_or(crowd);
        }
        if all >= most {
            // Do not close a connection of an address that has fewer than the new one's address.
            return self.let_go_of_those_with(own.max(1)).ok_or(Crowd::Connections(all));
        }
        Ok(Room::Free)
    }

    /// Gives a connection a seat, if one is free or held by a viewer that may be gone. One address
    /// gets at most seven eighths of the seats.
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

    /// How many viewers have a seat.
    pub(super) fn viewers(&self) -> usize {
        self.seated().count()
    }

    /// How many connections watch or are being answered. The others wait for something, or were shut down.
    pub(super) fn served(&self) -> usize {
        let is_served = |state| !matches!(state, State::Waits(_) | State::LetGo);
        self.entries.iter().filter(|entry| is_served(entry.state)).count()
    }

    /// The state of a connection.
    pub(super) fn state(&self, id: u64) -> Option<State> {
        self.entries.iter().find(|entry| entry.id == id).map(|entry| entry.state)
    }

    /// Changes the state, unless the connection was shut down.
    pub(super) fn set(&mut self, id: u64, state: State) {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id);
        if let Some(entry) = entry.filter(|entry| entry.state != State::LetGo) {
            entry.state = state;
        }
    }

    /// Shuts down the connection that has waited longest.
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

    /// Shuts down the connection that has waited longest among those for which `may_go` is true.
    fn let_go(&mut self, may_go: impl Fn(&Entry) -> bool) -> Option<Room> {
        let waiting = self.entries.iter_mut().filter(|entry| may_go(entry));
        let longest = waiting.filter_map(|entry| Some((entry.waits_since()?, entry)));
        let (_, entry) = longest.min_by_key(|(since, _)| *since)?;
        entry.let_go();
        Some(Room::Made)
    }

    /// Shuts down the longest waiting connection of the address that has most, if it has at least
    /// `least`.
    fn let_go_of_those_with(&mut self, least: usize) -> Option<Room> {
        let waiting = self.entries.iter().filter(|entry| entry.waits_since().is_some());
        let crowds = waiting.map(|entry| (self.of(entry.peer).count(), entry.peer));
        let (count, peer) = crowds.max_by_key(|(count, _)| *count)?;
        if count < least {
            return None;
        }
        self.let_go_of_network(peer)
    }

    /// Shuts down a connection of those that count as this one's machine: the longest waiting of the very address that has
    /// most. All machines of a LAN count as one, with IPv6.
    fn let_go_of_network(&mut self, peer: IpAddr) -> Option<Room> {
        let waiting = self.of(peer).filter_map(|entry| Some((entry.waits_since()?, entry.peer)));
        let has = |peer: IpAddr| self.of(peer).filter(|entry| entry.peer == peer).count();
        let (_, most) = waiting.max_by_key(|(since, peer)| (has(*peer), Reverse(*since)))?;
        self.let_go(|entry| entry.peer == most)
    }
}

impl Entry {
    /// Since when it waits for something, and may be shut down.
    fn waits_since(&self) -> Option<Instant> {
        match self.state {
            State::Waits(since) | State::Leaving(since) => Some(since),
            State::Answered | State::Watches | State::LetGo => None,
        }
    }

    /// Shuts the connection down. Its session notices that, and ends.
    fn let_go(&mut self) {
        self.state = State::LetGo;
        // Fails when the peer has closed the connection. Then its session ends all the same.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
