//! Who is connected: how many connections and handshakes one address may have, and who has a viewer's seat.

mod crowd;
mod handshakes;
mod list;
pub(super) mod peer;
#[cfg(test)]
mod tests;

pub use crowd::Crowd;
use handshakes::Handshakes;
use list::{List, State};
use std::net::{IpAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many connections there may be beyond the seats: those that have not said what they want, and
/// those that are being answered.
const ANTEROOM: usize = 64;

/// All connections of one camera. Clones share them.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    seats: usize,
    most: usize,
    list: Mutex<List>,
    handshakes: Mutex<Handshakes>,
}

/// Whether another connection was closed to make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// There was room.
    Free,
    /// The one that had waited longest was closed.
    Made,
}

/// One connection. Dropping it removes it from the list.
#[derive(Debug)]
pub struct Connection {
    id: u64,
    peer: IpAddr,
    stream: Arc<TcpStream>,
    all: Connections,
}

/// The right to watch. Dropping it frees the seat.
#[derive(Debug)]
pub struct Seat<'a>(&'a Connection);

impl Connections {
    /// Seats for this many viewers, and room for other connections.
    pub fn new(seats: usize) -> Self {
        Self::with_most(seats, usize::MAX)
    }

    /// The same with at most `most` connections in all, since file descriptors may be few.
    pub fn with_most(seats: usize, most: usize) -> Self {
        let most = seats.saturating_add(ANTEROOM).min(most).max(1);
        let (list, handshakes) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { seats, most, list, handshakes }))
    }

    /// How many seats there are.
    pub fn seats(&self) -> usize {
        self.0.seats
    }

    /// How many connections may be open.
    pub fn most(&self) -> usize {
        self.0.most
    }

    /// How many viewers have a seat.
    pub fn viewers(&self) -> usize {
        self.lock().viewers()
    }

    /// How many connections have something to come: a goodbye, or the rest of an answer. Nobody waits for those that
    /// are idle.
    pub fn served(&self) -> usize {
        self.lock().served()
    }

    /// Admits a connection from `peer`.
    ///
    /// # Errors
    /// When there is no room, and no waiting connection may be closed for it.
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

    /// Closes the connection that has waited longest, to free its file descriptors.
    pub fn let_one_go(&self) -> Option<Room> {
        self.lock().let_one_go()
    }

    /// A poisoned lock is used all the same: the list is changed entry by entry, so no panic can
    /// leave it half changed.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handshakes(&self) -> MutexGuard<'_, Handshakes> {
        self.0.handshakes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// The socket.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The address of the other side.
    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    /// A shared reference to the socket, which may outlive the connection.
    pub fn share_stream(&self) -> Arc<TcpStream> {
        Arc::clone(&self.stream)
    }

    /// Notes that it has said what it wants and is being answered.
    pub fn is_answered(&self) {
        self.set(State::Answered);
    }

    /// Notes that it waits for its next request.
    pub fn waits(&self, now: Instant) {
        self.set(State::Waits(now));
    }

    /// Whether it was closed to make room for another.
    pub fn was_let_go(&self) -> bool {
        self.all.lock().state(self.id) == Some(State::LetGo)
    }

    /// Takes a seat, if one is free or held by a viewer that may be gone.
    ///
    /// # Errors
    /// When there is none, or when its address has all the seats that one may have: an eighth is
    /// kept for others.
    pub fn sit(&self) -> Result<Seat<'_>, Crowd> {
        self.all.lock().give_seat(self.id, self.peer, self.all.0.seats)?;
        Ok(Seat(self))
    }

    /// When its TLS handshake may begin, now or soon.
    ///
    /// # Errors
    /// When too many were begun, by its address or by all.
    pub fn begin_handshake(&self, now: Instant) -> Result<Instant, Crowd> {
        self.all.handshakes().begin(self.peer, now).ok_or(Crowd::Handshakes)
    }

    /// Notes that the other side has shown a key, so that a flood of others' handshakes does not delay its next one.
    pub fn has_shown_a_key(&self) {
        self.all.handshakes().know(self.peer);
    }

    fn set(&self, state: State) {
        self.all.lock().set(self.id, state);
    }
}

impl Seat<'_> {
    /// Notes that the viewer has closed its sending side. It may be gone, so another viewer can
    /// take the seat.
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
