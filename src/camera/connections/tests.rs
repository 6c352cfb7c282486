//! Connections that come one second after the other, and which of them is closed.

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
    // The address with most connections gets no more. It makes room only among its own.
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
    // One machine can have all addresses of a /64 network.
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
fn of_a_lan_with_ipv6_the_machine_that_has_most_loses_its_connections_first() {
    let mut door = Door::new(4, 8);
    let viewer = door.come("fe80::7");
    let many: Vec<_> = (0..5).map(|_| door.come("fe80::666")).collect();
    // Three quarters of the places are taken.
    let second = door.come("fe80::8");
    let third = door.come("fe80::666");
    assert!(many[0].was_let_go() && many[1].was_let_go() && !many[2].was_let_go());
    assert!(!viewer.was_let_go() && !second.was_let_go() && !third.was_let_go());
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
    // With few seats, one household may have all of them.
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
fn who_watches_or_is_being_answered_is_served_and_who_is_idle_is_not() {
    let mut door = Door::new(2, 100);
    let (watches, asks) = (door.come("10.0.0.2"), door.come("10.0.0.3"));
    assert_eq!(door.all.served(), 0, "nobody has said anything");
    let seat = watches.sit().expect("free");
    asks.is_answered();
    assert_eq!((door.all.served(), door.all.viewers()), (2, 1));
    asks.waits(door.now);
    seat.may_be_empty(door.now);
    assert_eq!(door.all.served(), 1, "it may still be there");
    drop(seat);
    assert_eq!(door.all.served(), 1, "its goodbye is on its way");
    drop(watches);
    assert_eq!(door.all.served(), 0);
    assert_eq!(door.all.let_one_go(), Some(Room::Made));
    asks.is_answered();
    assert_eq!(door.all.served(), 0, "it was shut down");
}

#[test]
fn what_the_refused_are_told_is_plain() {
    assert_eq!(
        Crowd::Seats(1).to_string(),
        "this camera allows no more than 1 viewer (--max-viewers 1)"
    );
    let address = "10.0.0.2".parse().expect("an address");
    assert_eq!(
        Crowd::SeatsOf(56, address).to_string(),
        "this camera allows no more than 56 viewers from one address (10.0.0.2)"
    );
    // With IPv6, all machines of a LAN count as one. This one may have no other connection.
    let address = "fe80::1:2:3:8".parse().expect("an address");
    assert_eq!(
        Crowd::ConnectionsOf(96, address).to_string(),
        "this camera allows no more than 96 connections from one network (fe80::/64)"
    );
}
