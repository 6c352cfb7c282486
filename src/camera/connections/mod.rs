//! Who is connected: how many connections one address may have, and who watches.

mod crowd;
mod list;
mod peer;
#[cfg(test)]
mod tests;

pub use crowd::Crowd;
use list::{List, State};
use std::net::{IpAddr, TcpStream};
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
        self.lock().viewers()
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
        let room = list.make_room(peer, self.0.most)?;
        let id = list.push(peer, Arc::clone(&stream), now);
        Ok((Connection { id, peer, stream, all: self.clone() }, room))
    }

    /// Lets the connection go that has waited longest: its descriptors are needed.
    pub fn let_one_go(&self) -> Option<Room> {
        self.lock().let_one_go()
    }

    /// No panic can leave the list half-way: it is changed entry by entry.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.all.lock().state(self.id) == Some(State::LetGo)
    }

    /// It watches from here on, if a seat is free, or taken by somebody who is leaving.
    ///
    /// # Errors
    /// When there is none, or its address has as many as one may have: an eighth is kept for others.
    pub fn sit(&self) -> Result<Seat<'_>, Crowd> {
        self.all.lock().give_seat(self.id, self.peer, self.all.0.seats)?;
        Ok(Seat(self))
    }

    fn set(&self, state: State) {
        self.all.lock().set(self.id, state);
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
        self.all.lock().remove(self.id);
    }
}
