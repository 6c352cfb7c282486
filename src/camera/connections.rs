//! Who is connected: how many connections one address may have, who watches, and who is let go when it is crowded.
//!
//! A viewer takes a seat. Everybody else waits to say what it wants, or is being answered. When there are too many of these,
//! the one that has waited longest goes, of the address that has most: so nobody shuts others out with idle connections.
//! IPv6 addresses count by their first 64 bits, since one machine has as many of the rest as it likes. Loopback counts for
//! nobody: a proxy there stands for all its clients.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Connections beyond the seats: those that say what they want, and those that are answered.
const ANTEROOM: usize = 64;

/// All connections of one camera. Clones share them.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    seats: usize,
    most: usize,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
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

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Crowd {
    /// All seats are taken.
    #[error("{} watching already, and this camera allows no more (--max-viewers {count})", viewers(*.0), count = .0)]
    Seats(usize),
    /// One address has as many seats as one may have.
    #[error("{} watching already from {peer}; the last places are kept for other addresses", viewers(*.0), peer = .1)]
    SeatsOf(usize, IpAddr),
    /// All connections are in use.
    #[error("{0} connections are open, and this camera allows no more; try again later")]
    Connections(usize),
    /// One address has as many connections as one may have.
    #[error("{0} connections from {1} are open, and this camera allows no more from one address")]
    ConnectionsOf(usize, IpAddr),
}

/// `1 viewer is`, `2 viewers are`.
fn viewers(count: usize) -> String {
    match count {
        1 => "1 viewer is".into(),
        count => format!("{count} viewers are"),
    }
}

/// Whether another connection was let go for this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// There was room.
    Free,
    /// The one that had waited longest was closed.
    Made,
}

/// One connection, until this is dropped.
#[derive(Debug)]
pub struct Connection {
    id: u64,
    peer: IpAddr,
    stream: Arc<TcpStream>,
    all: Connections,
}

/// A viewer's place, free again when this is dropped.
#[derive(Debug)]
pub struct Seat<'a>(&'a Connection);

impl Connections {
    /// Seats for so many viewers, and room for others.
    pub fn new(seats: usize) -> Self {
        Self::with_most(seats, usize::MAX)
    }

    /// The same, and never more than `most` connections in all: there may be descriptors for no more.
    pub fn with_most(seats: usize, most: usize) -> Self {
        let most = seats.saturating_add(ANTEROOM).min(most).max(1);
        Self(Arc::new(Shared { seats, most, list: Mutex::default() }))
    }

    /// How many seats there are.
    pub fn seats(&self) -> usize {
        self.0.seats
    }

    /// How many connections may be open.
    pub fn most(&self) -> usize {
        self.0.most
    }

    /// How many watch.
    pub fn viewers(&self) -> usize {
        self.lock().seated().count()
    }

    /// Takes in a connection from `peer`.
    ///
    /// # Errors
    /// When there is no room, and nobody who waits could be let go for it.
    pub fn admit(
        &self,
        peer: IpAddr,
        stream: Arc<TcpStream>,
        now: Instant,
    ) -> Result<(Connection, Room), Crowd> {
        let peer = peer.to_canonical();
        let mut list = self.lock();
        let room = self.make_room(&mut list, peer)?;
        let id = list.next_id;
        list.next_id += 1;
        let state = State::Waits(now);
        list.entries.push(Entry { id, peer, stream: Arc::clone(&stream), state });
        Ok((Connection { id, peer, stream, all: self.clone() }, room))
    }

    fn make_room(&self, list: &mut List, peer: IpAddr) -> Result<Room, Crowd> {
        // Those that were let go end in a moment; when they do not, more would only make it worse.
        let leaving = list.entries.iter().filter(|entry| entry.state == State::LetGo).count();
        let all = list.entries.len() - leaving;
        if leaving >= ANTEROOM {
            return Err(Crowd::Connections(all + leaving));
        }
        let most_of_one = self.0.most - self.0.most / 4;
        let own = list.of(peer).count();
        if own >= most_of_one && !is_proxy(peer) {
            let crowd = Crowd::ConnectionsOf(own, peer);
            return list.let_go(|entry| is_same(entry.peer, peer)).ok_or(crowd);
        }
        if all >= self.0.most {
            // Nobody is let go for somebody who has more than he.
            return list.let_go_of_those_with(own.max(1)).ok_or(Crowd::Connections(all));
        }
        Ok(Room::Free)
    }

    /// Lets the connection go that has waited longest: its descriptors are needed.
    pub fn let_one_go(&self) -> Option<Room> {
        self.lock().let_go(|_| true)
    }

    /// No panic can leave the list half-way: it is changed entry by entry.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Addresses that proxies on this machine connect from.
fn is_proxy(peer: IpAddr) -> bool {
    [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&peer)
}

/// Whether two addresses count as one.
fn is_same(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() >> 64 == other.to_bits() >> 64,
        (one, other) => one == other,
    }
}

impl List {
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

    fn entry(&mut self, id: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
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

impl Connection {
    /// The socket.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The same, for somebody else who may need it.
    pub fn share_stream(&self) -> Arc<TcpStream> {
        Arc::clone(&self.stream)
    }

    /// It has said what it wants, and is being answered.
    pub fn is_answered(&self) {
        self.set(State::Answered);
    }

    /// It may say what it wants next.
    pub fn waits(&self, now: Instant) {
        self.set(State::Waits(now));
    }

    /// Whether it was let go because others needed its place.
    pub fn was_let_go(&self) -> bool {
        self.all.lock().entry(self.id).is_some_and(|entry| entry.state == State::LetGo)
    }

    /// It watches from here on, if a seat is free, or taken by somebody who is leaving.
    ///
    /// # Errors
    /// When there is none, or its address has as many as one may have: an eighth is kept for others.
    pub fn sit(&self) -> Result<Seat<'_>, Crowd> {
        let mut list = self.all.lock();
        let seats = self.all.0.seats;
        let most_of_one = seats - seats / 8;
        let own = list.seated().filter(|entry| is_same(entry.peer, self.peer)).count();
        let is_full = list.seated().count() >= seats;
        if is_full || (own >= most_of_one && !is_proxy(self.peer)) {
            let crowd = if is_full { Crowd::Seats(seats) } else { Crowd::SeatsOf(own, self.peer) };
            let peer = self.peer;
            let may_go = move |entry: &Entry| {
                let leaves = matches!(entry.state, State::Leaving(_));
                leaves && (is_full || is_same(entry.peer, peer))
            };
            list.let_go(may_go).ok_or(crowd)?;
        }
        if let Some(entry) = list.entry(self.id).filter(|entry| entry.state != State::LetGo) {
            entry.state = State::Watches;
        }
        Ok(Seat(self))
    }

    fn set(&self, state: State) {
        let mut list = self.all.lock();
        if let Some(entry) = list.entry(self.id).filter(|entry| entry.state != State::LetGo) {
            entry.state = state;
        }
    }
}

impl Seat<'_> {
    /// Its viewer has closed its sending side: it may have gone, and gives way to the next.
    pub fn may_be_empty(&self, now: Instant) {
        self.0.set(State::Leaving(now));
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.set(State::Answered);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.lock().entries.retain(|entry| entry.id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Duration;

    /// Connections that come one second after the other.
    struct Door {
        all: Connections,
        now: Instant,
        sockets: Vec<TcpStream>,
        listener: TcpListener,
    }

    impl Door {
        fn new(seats: usize, most: usize) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
            let all = Connections::with_most(seats, most);
            Self { all, now: Instant::now(), sockets: Vec::new(), listener }
        }

        fn knock(&mut self, peer: &str) -> Result<(Connection, Room), Crowd> {
            let address = self.listener.local_addr().expect("bound");
            self.sockets.push(TcpStream::connect(address).expect("connects"));
            let (stream, _) = self.listener.accept().expect("accepts");
            self.now += Duration::from_secs(1);
            self.all.admit(peer.parse().expect("an address"), Arc::new(stream), self.now)
        }

        fn come(&mut self, peer: &str) -> Connection {
            self.knock(peer).expect("there is room").0
        }
    }

    #[test]
    fn the_one_that_waited_longest_of_the_address_that_has_most_goes_first() {
        let mut door = Door::new(4, 8);
        let early = door.come("10.0.0.1");
        let many: Vec<_> = (0..6).map(|_| door.come("10.0.0.2")).collect();
        let busy = door.come("10.0.0.3");
        busy.is_answered();
        let (newcomer, room) = door.knock("10.0.0.4").expect("room is made");
        assert_eq!(room, Room::Made);
        assert!(many[0].was_let_go() && !early.was_let_go() && !busy.was_let_go());
        // The one with most gets no more, and makes room for itself only among its own.
        let own = door.come("10.0.0.2");
        assert!(many[1].was_let_go() && !early.was_let_go());
        for connection in many.iter().chain([&own]) {
            connection.is_answered();
        }
        let refused = door.knock("10.0.0.2").map(|_| ());
        assert_eq!(refused, Err(Crowd::Connections(8)), "all its own are busy");
        drop((newcomer, many, own));
        assert!(door.knock("10.0.0.2").is_ok());
    }

    #[test]
    fn one_address_never_has_all_connections_and_loopback_may() {
        for (peer, other, most) in [
            ("10.0.0.2", "10.0.0.3", 6),
            ("::ffff:10.0.0.2", "10.0.0.3", 6),
            ("127.0.0.1", "10.0.0.3", 8),
            ("::1", "10.0.0.3", 8),
        ] {
            let mut door = Door::new(4, 8);
            let many: Vec<_> = (0..8)
                .map_while(|_| {
                    let (connection, _) = door.knock(peer).ok()?;
                    connection.is_answered();
                    Some(connection)
                })
                .collect();
            assert_eq!(many.len(), most, "{peer}");
            assert_eq!(door.knock(other).is_ok(), most < 8, "{peer}");
        }
        // One machine has all addresses of a network of 64 bits.
        let mut door = Door::new(4, 8);
        let many: Vec<_> = (1..9)
            .map_while(|number| {
                let (connection, _) = door.knock(&format!("2001:db8::{number}")).ok()?;
                connection.is_answered();
                Some(connection)
            })
            .collect();
        assert_eq!(many.len(), 6);
        assert!(door.knock("2001:db8:0:1::1").is_ok());
    }

    #[test]
    fn an_eighth_of_the_seats_is_kept_for_other_addresses() {
        let mut door = Door::new(8, 100);
        let many: Vec<_> = (0..9).map(|_| door.come("10.0.0.2")).collect();
        let seats: Vec<_> = many.iter().map(Connection::sit).collect();
        assert_eq!(seats.iter().filter(|seat| seat.is_ok()).count(), 7);
        let other = door.come("10.0.0.3");
        let last = other.sit().expect("the last one");
        assert_eq!(many[8].sit().err(), Some(Crowd::Seats(8)));
        drop(last);
        assert_eq!(door.all.viewers(), 7);
        // With few seats, all may be one household's.
        let mut door = Door::new(2, 100);
        let two = [door.come("10.0.0.2"), door.come("10.0.0.2")];
        assert!(two.each_ref().map(Connection::sit).iter().all(Result::is_ok));
    }

    #[test]
    fn a_viewer_that_may_have_gone_gives_way_and_only_then() {
        let mut door = Door::new(1, 100);
        let (first, second) = (door.come("10.0.0.2"), door.come("10.0.0.3"));
        let seat = first.sit().expect("free");
        assert_eq!(second.sit().err(), Some(Crowd::Seats(1)));
        seat.may_be_empty(door.now);
        assert!(!first.was_let_go(), "nobody needs it");
        let its = second.sit().expect("it gives way");
        assert!(first.was_let_go());
        drop(seat);
        assert_eq!(door.all.viewers(), 1);
        drop(its);
        assert_eq!(door.all.viewers(), 0);
    }

    #[test]
    fn what_the_refused_are_told_is_plain() {
        assert_eq!(
            Crowd::Seats(1).to_string(),
            "1 viewer is watching already, and this camera allows no more (--max-viewers 1)"
        );
        let address = "10.0.0.2".parse().expect("an address");
        assert_eq!(
            Crowd::SeatsOf(56, address).to_string(),
            "56 viewers are watching already from 10.0.0.2; the last places are kept for other addresses"
        );
    }
}
