//! TLS as a kernel around another one: the link sends and receives bytes, and the network sees records.
//!
//! The link counts bytes of its protocol. Here they become the sealed bytes that the socket counts, and back.

use super::incoming::Incoming;
use super::kernel::{Happened, Kernel};
use super::sealing::Sealing;
use crate::image::frame::Micros;
use crate::net::socket::{Held, Path};
use crate::net::tls::inbox::{Inbox, Next};
use crate::net::tls::records::{Gather, OVERHEAD, carried_len, sealed_len};
use crate::net::tls::stream::Secured;
use crate::net::tls::traffic::{Traffic, TrafficError};
use std::io::{self, IoSlice};
use std::time::Duration;

/// How many sealed bytes one call opens before the session does its other work, even if they bring nothing.
const MOST_PER_CALL: usize = 64 << 10;

/// A socket whose bytes are sealed.
#[derive(Debug)]
pub struct Sealed<K> {
    socket: K,
    traffic: Traffic,
    sealing: Sealing,
    inbox: Inbox,
    /// What is known of the socket's bytes, as the link knows it of ours.
    incoming: Incoming,
    /// What the next sleep reports besides what has happened to the socket.
    unheard: Happened,
    receiving: Receiving,
    closing: Closing,
}

/// Whether the viewer sends more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Receiving {
    GoesOn,
    /// The viewer has closed its side.
    Ended,
    /// The viewer has broken the rules, and was told so. Nothing it sends counts any more.
    Broken,
}

/// Whether we send more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Open,
    /// The socket's side is closed once the last record has left.
    Begun,
    Done,
}

impl<K: Kernel> Sealed<K> {
    /// Goes on where the greeting ended.
    pub fn new(socket: K, secured: Secured) -> Self {
        let (traffic, inbox) = secured.into_parts();
        // What came with the end of the greeting is announced by nobody else.
        let unheard = Happened { bytes: !inbox.is_empty(), ..Happened::default() };
        Self {
            socket,
            traffic,
            sealing: Sealing::default(),
            inbox,
            incoming: Incoming::default(),
            unheard,
            receiving: Receiving::GoesOn,
            closing: Closing::Open,
        }
    }

    /// Tells the viewer that nothing more comes, if it still listens and there is room for that now.
    pub fn bid_farewell(mut self) {
        let mut added = Ok(());
        if self.closing == Closing::Open && self.sealing.ahead() == 0 {
            added = self.sealing.add(|into| self.traffic.close(into));
        }
        // Nobody waits for this: a viewer that has left does not hear it.
        let _ = added.map_err(io::Error::from).and_then(|()| self.send_sealed());
    }

    /// Sends what has been sealed, as far as there is room.
    fn send_sealed(&mut self) -> io::Result<()> {
        if self.sealing.is_empty() {
            return Ok(());
        }
        let socket = &mut self.socket;
        self.sealing.send_with(|records| match socket.send(records) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            outcome => outcome,
        })
    }

    /// Closes the socket's side, if that was asked for and everything has left.
    fn finish_closing(&mut self) -> io::Result<()> {
        self.send_sealed()?;
        if self.closing == Closing::Begun && self.sealing.is_empty() {
            self.closing = Closing::Done;
            self.socket.close_sending()?;
        }
        Ok(())
    }

    /// Fills `into` with data, as far as it has come. A short answer means that the socket is empty, so that the link may
    /// wait for the next report.
    fn fill(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (mut filled, mut received) = (0, 0);
        loop {
            filled += self.inbox.take(&mut into[filled..]);
            if filled == into.len() || self.receiving != Receiving::GoesOn {
                return Ok(filled);
            }
            if received >= MOST_PER_CALL {
                self.unheard.bytes = true;
                return Ok(filled);
            }
            match self.inbox.open(&mut self.traffic)? {
                Next::Opened => {}
                Next::Closed => self.receiving = Receiving::Ended,
                Next::Partial if self.incoming.waits() => received += self.receive_sealed()?,
                Next::Partial => return Ok(filled),
            }
        }
    }

    /// Receives once. Returns how many bytes that brought.
    fn receive_sealed(&mut self) -> io::Result<usize> {
        let space = self.inbox.space()?;
        match self.socket.receive(space) {
            Ok(0) => {
                self.incoming = Incoming::Ended;
                self.receiving = Receiving::Ended;
                Ok(0)
            }
            Ok(count) => {
                if count < space.len() {
                    self.incoming.found_empty();
                }
                self.inbox.filled(count);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.incoming = Incoming::Empty;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Tells the viewer what it did wrong, if it broke the rules of TLS.
    fn complain(&mut self, error: &io::Error) {
        let Some(why) = error.get_ref().and_then(|inner| inner.downcast_ref::<TrafficError>())
        else {
            return;
        };
        self.receiving = Receiving::Broken;
        if self.closing != Closing::Open {
            return; // Nothing may follow the record that says that nothing more is sent.
        }
        // The connection ends by this error. If the alert does not leave, the end alone must do.
        let added = self.sealing.add(|into| self.traffic.complain(why, into));
        let _ = added.map_err(io::Error::from).and_then(|()| self.send_sealed());
    }
}

impl<K: Kernel> Kernel for Sealed<K> {
    fn now(&self) -> Micros {
        self.socket.now()
    }

    fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let filled = self.fill(into).inspect_err(|error| self.complain(error))?;
        match self.receiving {
            Receiving::GoesOn if filled == 0 => Err(io::ErrorKind::WouldBlock.into()),
            Receiving::GoesOn | Receiving::Broken => Ok(filled),
            Receiving::Ended => {
                // The socket reports no end when only TLS has one.
                self.unheard.end = filled > 0;
                Ok(filled)
            }
        }
    }

    /// Returns how many bytes have left in records, in whole ones or in parts of one. What has been sealed besides must be
    /// handed over again, and is not sealed again.
    fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut from = Gather::new(parts);
        from.skip(self.sealing.ahead());
        let mut taken = self.sealing.report();
        loop {
            if self.sealing.is_empty() && !from.is_empty() {
                self.sealing.seal(&mut from, &mut self.traffic)?;
            }
            self.send_sealed()?;
            taken += self.sealing.report();
            match (self.sealing.is_empty(), from.is_empty()) {
                (true, false) => {}
                _ if taken == 0 => return Err(io::ErrorKind::WouldBlock.into()),
                _ => return Ok(taken),
            }
        }
    }

    fn make_room(&mut self, len: usize) -> io::Result<()> {
        // One record more: messages and a change of keys may go before the frame.
        self.socket.make_room(sealed_len(len) + 2 * OVERHEAD)
    }

    fn held(&self) -> io::Result<Held> {
        let held = self.socket.held()?;
        let waiting = self.sealing.waiting();
        Ok(Held {
            unsent: carried_len(held.unsent + waiting),
            unacknowledged: carried_len(held.unacknowledged + waiting),
        })
    }

    fn narrow(&mut self, bytes: usize) -> io::Result<()> {
        self.socket.narrow(sealed_len(bytes))
    }

    fn widen(&mut self) -> io::Result<()> {
        self.socket.widen()
    }

    fn path(&self) -> io::Result<Path> {
        self.socket.path()
    }

    fn close_sending(&mut self) -> io::Result<()> {
        if self.closing == Closing::Open {
            self.sealing.add(|into| self.traffic.close(into))?;
            self.closing = Closing::Begun;
        }
        self.finish_closing()
    }

    fn sleep(&mut self, time: Option<Duration>) -> io::Result<Happened> {
        let unheard = std::mem::take(&mut self.unheard);
        let time = if unheard == Happened::default() { time } else { Some(Duration::ZERO) };
        let mut happened = self.socket.sleep(time)?;
        self.incoming.note(&happened);
        if happened.room && self.closing == Closing::Begun {
            self.finish_closing()?;
        }
        happened.bytes |= unheard.bytes;
        happened.end |= unheard.end;
        Ok(happened)
    }

    fn ignore_stop(&mut self) -> io::Result<()> {
        self.socket.ignore_stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tls::records::MOST_CONTENT;
    use crate::net::tls::tests::{seal, secured};
    use crate::net::tls::traffic::Opened;
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    /// A socket in memory, and the network behind it.
    #[derive(Debug, Default)]
    struct Wire {
        to_viewer: VecDeque<u8>,
        room: usize,
        from_viewer: VecDeque<u8>,
        has_ended: bool,
        edge: bool,
        writes: usize,
        is_closed: bool,
        asked_for: Vec<usize>,
    }

    #[derive(Debug, Clone, Default)]
    struct Memory(Rc<RefCell<Wire>>);

    impl Kernel for Memory {
        fn now(&self) -> Micros {
            Micros(0)
        }

        fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let wire = &mut *self.0.borrow_mut();
            match into.len().min(wire.from_viewer.len()) {
                0 if wire.has_ended => Ok(0),
                0 => Err(io::ErrorKind::WouldBlock.into()),
                count => {
                    for (to, from) in into.iter_mut().zip(wire.from_viewer.drain(..count)) {
                        *to = from;
                    }
                    Ok(count)
                }
            }
        }

        fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
            let wire = &mut *self.0.borrow_mut();
            assert!(!wire.is_closed, "nothing is sent behind the end");
            wire.writes += 1;
            let count = parts.iter().map(|part| part.len()).sum::<usize>().min(wire.room);
            wire.to_viewer.extend(parts.iter().flat_map(|part| part.iter()).take(count));
            wire.room -= count;
            if count == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
        }

        fn make_room(&mut self, len: usize) -> io::Result<()> {
            self.0.borrow_mut().asked_for.push(len);
            Ok(())
        }

        fn held(&self) -> io::Result<Held> {
            let unacknowledged = self.0.borrow().to_viewer.len();
            Ok(Held { unsent: unacknowledged, unacknowledged })
        }

        fn narrow(&mut self, bytes: usize) -> io::Result<()> {
            self.0.borrow_mut().asked_for.push(bytes);
            Ok(())
        }

        fn widen(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn path(&self) -> io::Result<Path> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn close_sending(&mut self) -> io::Result<()> {
            self.0.borrow_mut().is_closed = true;
            Ok(())
        }

        fn sleep(&mut self, _time: Option<Duration>) -> io::Result<Happened> {
            let wire = &mut *self.0.borrow_mut();
            if !std::mem::take(&mut wire.edge) {
                return Ok(Happened::default());
            }
            let bytes = !wire.from_viewer.is_empty();
            let (end, room) = (wire.has_ended, wire.room > 0);
            Ok(Happened { bytes, end, room, ..Happened::default() })
        }

        fn ignore_stop(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A camera's end, the network, and the viewer's keys with what it has not opened.
    struct Joined {
        camera: Sealed<Memory>,
        wire: Rc<RefCell<Wire>>,
        viewer: Traffic,
        inbox: Inbox,
    }

    fn joined() -> Joined {
        let (secured, viewer) = secured();
        let memory = Memory::default();
        let wire = Rc::clone(&memory.0);
        let camera = Sealed::new(memory, secured);
        Joined { camera, wire, viewer, inbox: Inbox::new(Vec::new(), 0) }
    }

    impl Joined {
        /// The viewer reads so many sealed bytes. Returns what was in them; `Err` if they ended or broke the rules.
        fn read(&mut self, count: usize) -> Result<Vec<u8>, String> {
            let count = count.min(self.wire.borrow().to_viewer.len());
            let mut sealed: VecDeque<u8> =
                self.wire.borrow_mut().to_viewer.drain(..count).collect();
            let (mut opened, mut some) = (Vec::new(), vec![0; MOST_CONTENT]);
            loop {
                let count = self.inbox.take(&mut some);
                opened.extend_from_slice(&some[..count]);
                match self.inbox.open(&mut self.viewer).map_err(|error| error.to_string())? {
                    Next::Opened => {}
                    Next::Closed => return Err("closed".into()),
                    Next::Partial if sealed.is_empty() => return Ok(opened),
                    Next::Partial => {
                        let space = self.inbox.space().map_err(|error| error.to_string())?;
                        let count = space.len().min(sealed.len());
                        for (to, from) in space.iter_mut().zip(sealed.drain(..count)) {
                            *to = from;
                        }
                        self.inbox.filled(count);
                    }
                }
            }
        }

        /// The viewer's bytes arrive, and the camera is told.
        fn arrive(&mut self, sealed: &[u8]) {
            self.wire.borrow_mut().from_viewer.extend(sealed);
            self.wire.borrow_mut().edge = true;
        }

        /// All that the camera receives now, in calls of this size.
        fn receive(&mut self, size: usize) -> io::Result<Vec<u8>> {
            let (mut received, mut some) = (Vec::new(), vec![0; size]);
            loop {
                match self.camera.receive(&mut some) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => {
                        received.extend_from_slice(&some[..count]);
                        if count < size {
                            return Ok(received);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(received),
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Numbers below `limit` that look random.
    fn below(state: &mut u64, limit: usize) -> usize {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 33).expect("it fits") % limit
    }

    fn send_in_pieces(state: &mut u64, joined: &mut Joined, frame: &[u8]) -> Vec<u8> {
        let cut = below(state, frame.len() + 1);
        let mut parts = [b"head", &frame[..cut], &frame[cut..]].map(IoSlice::new);
        let (mut left, mut got) = (&mut parts[..], Vec::new());
        while !left.is_empty() {
            joined.wire.borrow_mut().room = match below(state, 3) {
                0 => below(state, 30),
                1 => below(state, 40_000),
                _ => below(state, 4 * frame.len() + 100),
            };
            match joined.camera.send(left) {
                Ok(count) => IoSlice::advance_slices(&mut left, count),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            let count = below(state, 2 * frame.len() + 50);
            got.extend(joined.read(count).expect("the camera keeps the rules"));
        }
        got
    }

    #[test]
    fn frames_arrive_whole_and_in_order_whatever_room_there_is() {
        let mut joined = joined();
        let (mut state, mut sent, mut got) = (1, Vec::new(), Vec::new());
        for round in 0..60_usize {
            let len = [1, 2, 300, MOST_CONTENT - 4, MOST_CONTENT, 120_000][round % 6];
            let frame: Vec<u8> = (0..=255_u8).cycle().skip(round).take(len).collect();
            got.extend(send_in_pieces(&mut state, &mut joined, &frame));
            sent.extend_from_slice(b"head");
            sent.extend_from_slice(&frame);
        }
        got.extend(joined.read(usize::MAX).expect("the camera keeps the rules"));
        assert!(got == sent);
    }

    #[test]
    fn a_frame_is_one_write_and_a_huge_one_takes_no_more_memory_than_a_large_one() {
        let mut joined = joined();
        joined.wire.borrow_mut().room = usize::MAX;
        let frame = vec![7; 900_000];
        assert_eq!(joined.camera.send(&[IoSlice::new(&frame)]).expect("room"), frame.len());
        assert_eq!(joined.wire.borrow().writes, 1);
        let huge: Vec<u8> = (0..=250_u8).cycle().take(16 << 20).collect();
        assert_eq!(joined.camera.send(&[IoSlice::new(&huge)]).expect("room"), huge.len());
        assert_eq!(joined.wire.borrow().writes, 17);
        let got = joined.read(usize::MAX).expect("the camera keeps the rules");
        assert!(got[frame.len()..] == huge);
    }

    #[test]
    fn what_a_viewer_says_is_received_in_whatever_pieces_it_comes() {
        let mut state = 7;
        for size in [1, 3, 100, 2048] {
            let mut joined = joined();
            let (mut said, mut got) = (Vec::new(), Vec::new());
            for round in 0..40_u8 {
                let message = vec![round; 1 + below(&mut state, 3000)];
                let sealed = seal(&mut joined.viewer, &message);
                said.extend(message);
                let mut rest = &sealed[..];
                while !rest.is_empty() {
                    let count = 1 + below(&mut state, rest.len());
                    joined.arrive(&rest[..count]);
                    rest = &rest[count..];
                    assert!(joined.camera.sleep(None).expect("open").bytes);
                    got.extend(joined.receive(size).expect("it keeps the rules"));
                }
                assert!(got == said, "what has come whole is received at once");
            }
        }
    }

    #[test]
    fn an_end_that_only_tls_says_is_reported_behind_the_last_bytes() {
        let mut joined = joined();
        let mut sealed = seal(&mut joined.viewer, b"bye");
        joined.viewer.close(&mut sealed).expect("it seals");
        joined.arrive(&sealed);
        joined.camera.sleep(None).expect("open");
        let mut some = [0; 100];
        assert_eq!(joined.camera.receive(&mut some).expect("bytes"), 3);
        assert!(joined.camera.sleep(None).expect("open").end, "nobody else reports it");
        assert_eq!(joined.camera.receive(&mut some).expect("the end"), 0);
        assert_eq!(joined.camera.receive(&mut some).expect("the end again"), 0);
    }

    #[test]
    fn an_end_of_the_socket_is_found_behind_half_a_record() {
        let mut joined = joined();
        let sealed = seal(&mut joined.viewer, b"cut");
        joined.wire.borrow_mut().has_ended = true;
        joined.arrive(&sealed[..10]);
        assert!(joined.camera.sleep(None).expect("open").end);
        assert_eq!(joined.camera.receive(&mut [0; 100]).expect("the end"), 0);
    }

    #[test]
    fn closing_waits_for_room_and_comes_behind_what_was_sealed() {
        let mut joined = joined();
        joined.wire.borrow_mut().room = 40;
        let taken = joined.camera.send(&[IoSlice::new(&[9; 100])]).expect("some room");
        assert!(taken < 100);
        joined.wire.borrow_mut().room = 1000;
        let rest = vec![9; 100 - taken];
        assert_eq!(joined.camera.send(&[IoSlice::new(&rest)]).expect("room"), rest.len());
        joined.wire.borrow_mut().room = 5;
        joined.camera.close_sending().expect("open");
        assert!(!joined.wire.borrow().is_closed, "its record has not left");
        joined.wire.borrow_mut().room = 1000;
        joined.wire.borrow_mut().edge = true;
        joined.camera.sleep(None).expect("open");
        assert!(joined.wire.borrow().is_closed);
        assert_eq!(joined.read(122).expect("the frame"), vec![9; 100]);
        assert_eq!(joined.read(1000), Err("closed".into()));
    }

    /// The first record that has come to the viewer.
    fn heard(wire: &RefCell<Wire>, viewer: &mut Traffic) -> Result<Opened, String> {
        let mut sealed: Vec<u8> = wire.borrow().to_viewer.iter().copied().collect();
        viewer.open(&mut sealed).map_err(|error| error.to_string())
    }

    #[test]
    fn a_session_that_ends_says_so_unless_a_frame_is_half_sent() {
        let mut whole = joined();
        whole.wire.borrow_mut().room = 1000;
        whole.camera.bid_farewell();
        assert_eq!(heard(&whole.wire, &mut whole.viewer), Ok(Opened::Closed));
        let mut joined = joined();
        joined.wire.borrow_mut().room = 50;
        joined.camera.send(&[IoSlice::new(&[9; 100])]).expect("some room");
        joined.wire.borrow_mut().room = 1000;
        joined.camera.bid_farewell();
        let record = 100 + OVERHEAD;
        assert_eq!(joined.wire.borrow().to_viewer.len(), record, "the rest of it, and no farewell");
        let opened = heard(&joined.wire, &mut joined.viewer);
        assert_eq!(opened, Ok(Opened::Data { len: record, at: 5..105 }));
    }

    #[test]
    fn who_breaks_the_rules_is_told_by_an_alert_and_ends() {
        // Which byte of the record is flipped, and how: its data, its length, its kind.
        for (at, flip, alert) in [(7, 1, 20), (3, 0xFF, 22), (0, 21 ^ 23, 10)] {
            let mut joined = joined();
            joined.wire.borrow_mut().room = 1000;
            let mut sealed = seal(&mut joined.viewer, b"hello");
            sealed[at] ^= flip;
            joined.arrive(&sealed);
            joined.camera.sleep(None).expect("open");
            let error = joined.receive(100).expect_err("it breaks the rules");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            let said = joined.read(1000).expect_err("an alert");
            assert_eq!(said, format!("ended the TLS connection with alert {alert}"));
        }
    }

    #[test]
    fn who_breaks_the_rules_after_our_end_is_told_nothing_more() {
        let mut joined = joined();
        joined.wire.borrow_mut().room = 1000;
        joined.camera.close_sending().expect("room");
        let farewell = joined.wire.borrow().to_viewer.len();
        let mut sealed = seal(&mut joined.viewer, b"hello");
        sealed[7] ^= 1;
        joined.arrive(&sealed);
        joined.camera.sleep(None).expect("open");
        joined.receive(100).expect_err("it breaks the rules");
        assert_eq!(joined.wire.borrow().to_viewer.len(), farewell);
    }

    #[test]
    fn records_without_data_do_not_keep_a_session_busy() {
        let mut joined = joined();
        joined.wire.borrow_mut().room = 1000;
        let mut sealed = Vec::new();
        for _ in 0..33 {
            joined.viewer.seal(&mut Gather::new(&[]), &mut sealed).expect("it seals");
        }
        joined.arrive(&sealed);
        joined.camera.sleep(None).expect("open");
        let error = joined.receive(100).expect_err("they bring nothing");
        assert_eq!(error.to_string(), "sent more than 32 TLS records without data");
    }

    #[test]
    fn the_socket_counts_sealed_bytes_and_the_link_its_own() {
        let mut joined = joined();
        joined.camera.make_room(120_000).expect("open");
        joined.camera.narrow(120_000).expect("open");
        let sealed = 120_000 + 8 * OVERHEAD;
        assert_eq!(joined.wire.borrow().asked_for, [sealed + 2 * OVERHEAD, sealed]);
        assert_eq!(joined.camera.held().expect("open"), Held { unsent: 0, unacknowledged: 0 });
        joined.wire.borrow_mut().room = 50_000;
        joined.camera.send(&[IoSlice::new(&[1; 100_000])]).expect("some room");
        let held = joined.camera.held().expect("open").unacknowledged;
        assert!((100_000..=100_000 + OVERHEAD).contains(&held), "in the socket and here: {held}");
    }
}
