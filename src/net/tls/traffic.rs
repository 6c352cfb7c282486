//! An encrypted connection after its handshake: bytes become records and records bytes, without sockets.

use super::handshake::{Established, HandshakeError, Schedule};
use super::records::{Content, Gather, HEAD, RecordError, Side, record_len};
use std::io::IoSlice;
use std::ops::Range;

/// The most records without data that may follow each other. Each costs us time, and brings the peer nothing.
const MOST_IDLE: u32 = 32;

/// Messages of a handshake that may come after it (RFC 8446, section 4.6).
const NEW_SESSION_TICKET: u8 = 4;
const KEY_UPDATE: u8 = 24;

/// The longest ticket that a server can write.
const MOST_TICKET: u32 = 0x1_0100;

/// Alerts that end a connection in peace (section 6.1), and one that only announces that.
const CLOSE_NOTIFY: u8 = 0;
const USER_CANCELED: u8 = 90;

/// Seals what is sent, opens what is received, and changes the keys when they are worn or the peer wants it.
#[derive(Debug)]
pub struct Traffic {
    sealing: Side,
    opening: Side,
    schedule: Schedule,
    /// Whether the peer has asked for new keys of ours.
    owes_update: bool,
    message: Message,
    idle: u32,
}

/// What a record has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The first record is not whole.
    Partial,
    /// A record of this length, with the data that lies there; none if it was for TLS itself.
    Data {
        /// The length of the record.
        len: usize,
        /// The data in it.
        at: Range<usize>,
    },
    /// The peer sends no more.
    Closed,
}

impl Traffic {
    /// Begins after the handshake.
    pub fn new(established: Established) -> Self {
        let Established { sealing, opening, schedule, .. } = established;
        let message = Message::for_peer_of(&schedule);
        Self { sealing, opening, schedule, owes_update: false, message, idle: 0 }
    }

    /// Changes the keys, if that is due, and appends the record that says so. Call it before data is sealed.
    ///
    /// # Errors
    /// When there are no more keys.
    pub fn prepare(&mut self, into: &mut Vec<u8>) -> Result<(), TrafficError> {
        if std::mem::take(&mut self.owes_update) || self.sealing.is_worn() {
            self.seal_bytes(Content::Handshake, &[KEY_UPDATE, 0, 0, 1, 0], into)?;
            self.sealing = self.schedule.next_sealing()?;
        }
        Ok(())
    }

    /// Seals as much as one record carries, and appends the record to `into`.
    ///
    /// # Errors
    /// When there are no numbers left for records.
    pub fn seal(&mut self, from: &mut Gather<'_>, into: &mut Vec<u8>) -> Result<(), TrafficError> {
        Ok(self.sealing.seal(Content::Data, from, into)?)
    }

    /// Appends the record that says that nothing more is sent.
    ///
    /// # Errors
    /// When there are no numbers left for records.
    pub fn close(&mut self, into: &mut Vec<u8>) -> Result<(), TrafficError> {
        self.seal_bytes(Content::Alert, &[1, CLOSE_NOTIFY], into)
    }

    /// Appends the record that tells the peer what it did wrong.
    ///
    /// # Errors
    /// When there are no numbers left for records.
    pub fn complain(&mut self, why: &TrafficError, into: &mut Vec<u8>) -> Result<(), TrafficError> {
        match why.alert() {
            Some(alert) => self.seal_bytes(Content::Alert, &[2, alert], into),
            None => Ok(()),
        }
    }

    fn seal_bytes(
        &mut self,
        content: Content,
        bytes: &[u8],
        into: &mut Vec<u8>,
    ) -> Result<(), TrafficError> {
        let parts = [IoSlice::new(bytes)];
        Ok(self.sealing.seal(content, &mut Gather::new(&parts), into)?)
    }

    /// How many bytes the first record of `received` has; `None` while that is not known.
    ///
    /// # Errors
    /// When it has more than TLS allows.
    pub fn record_len(received: &[u8]) -> Result<Option<usize>, TrafficError> {
        Ok(record_len(received)?)
    }

    /// Opens the first record of `received` in place.
    ///
    /// # Errors
    /// When the peer breaks the rules, or says that we do. After that nothing else may be opened.
    pub fn open(&mut self, received: &mut [u8]) -> Result<Opened, TrafficError> {
        let Some(len) = record_len(received)?.filter(|len| *len <= received.len()) else {
            return Ok(Opened::Partial);
        };
        let record = &mut received[..len];
        let (content, at) = self.opening.open(record)?;
        self.idle = if content == Content::Data && !at.is_empty() { 0 } else { self.idle + 1 };
        if self.idle > MOST_IDLE {
            return Err(TrafficError::Idle);
        }
        let nothing = Opened::Data { len, at: HEAD..HEAD };
        match (content, &record[at.clone()]) {
            (Content::Handshake, message) => {
                if let Some(asked) = self.message.take(message)? {
                    self.opening = self.schedule.next_opening()?;
                    self.owes_update |= asked == Asked::ForOurs;
                }
                Ok(nothing)
            }
            (_, _) if self.message.is_half() => Err(TrafficError::Unexpected),
            (Content::Data, _) => Ok(Opened::Data { len, at }),
            (Content::Alert, [_, CLOSE_NOTIFY]) => Ok(Opened::Closed),
            (Content::Alert, [_, USER_CANCELED]) => Ok(nothing),
            (Content::Alert, [_, why]) => Err(TrafficError::Alert(*why)),
            (Content::Alert, _) => Err(TrafficError::Unexpected),
        }
    }
}

/// Which new keys a peer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// It has new ones itself.
    ForItsOwn,
    /// It wants new ones of ours besides.
    ForOurs,
}

/// Messages of the handshake's kind, which may be cut into records anywhere.
#[derive(Debug)]
struct Message {
    /// Whether the peer may send tickets.
    tickets: bool,
    head: [u8; 4],
    /// How much of the head has come.
    heard: usize,
    /// How much of the body has not come.
    left: u32,
}

impl Message {
    /// What the other side of this connection may send: only servers send tickets.
    fn for_peer_of(schedule: &Schedule) -> Self {
        let tickets = matches!(schedule, Schedule::Client(_));
        Self { tickets, head: [0; 4], heard: 0, left: 0 }
    }

    /// Whether only a part of a message has come. Nothing else may come before the rest.
    fn is_half(&self) -> bool {
        self.heard > 0
    }

    /// Takes what one record carries. Returns what a change of keys asks for, if it holds one.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<Asked>, TrafficError> {
        if bytes.is_empty() {
            return Err(TrafficError::Unexpected);
        }
        for (at, &byte) in bytes.iter().enumerate() {
            if self.heard < self.head.len() {
                self.head[self.heard] = byte;
                self.heard += 1;
                if self.heard == self.head.len() {
                    self.left = self.body_len()?;
                }
                continue;
            }
            self.left -= 1;
            if self.left > 0 {
                continue;
            }
            self.heard = 0;
            if self.head[0] == KEY_UPDATE {
                // What follows must be sealed with the new key, so it is another record (section 5.1).
                return match byte {
                    _ if at + 1 < bytes.len() => Err(TrafficError::Unexpected),
                    0 => Ok(Some(Asked::ForItsOwn)),
                    1 => Ok(Some(Asked::ForOurs)),
                    _ => Err(TrafficError::Unexpected),
                };
            }
        }
        Ok(None)
    }

    /// The length of the body that this head announces.
    fn body_len(&self) -> Result<u32, TrafficError> {
        let [kind, high, middle, low] = self.head;
        match (kind, u32::from_be_bytes([0, high, middle, low])) {
            (KEY_UPDATE, 1) => Ok(1),
            // Tickets are for those who come back often.
            (NEW_SESSION_TICKET, len @ 1..=MOST_TICKET) if self.tickets => Ok(len),
            _ => Err(TrafficError::Unexpected),
        }
    }
}

/// Why an encrypted connection ends.
#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    /// A record is wrong.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A message that has no place here.
    #[error("sent an unexpected TLS message")]
    Unexpected,
    /// Many records with nothing in them.
    #[error("sent more than {MOST_IDLE} TLS records without data")]
    Idle,
    /// The peer says that we did something wrong.
    #[error("ended the TLS connection with alert {0}")]
    Alert(u8),
    /// No more keys.
    #[error(transparent)]
    Keys(#[from] HandshakeError),
}

impl TrafficError {
    fn alert(&self) -> Option<u8> {
        match self {
            Self::Record(error) => Some(error.alert()),
            Self::Unexpected | Self::Idle => Some(10),
            Self::Keys(_) => Some(80),
            Self::Alert(_) => None,
        }
    }
}

impl From<TrafficError> for std::io::Error {
    fn from(error: TrafficError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tls::tests::{seal, secured};

    /// The camera's traffic and the viewer's.
    fn pair() -> (Traffic, Traffic) {
        let (camera, viewer) = secured();
        (camera.into_parts().0, viewer)
    }

    /// One record that carries these bytes of a handshake.
    fn message(traffic: &mut Traffic, bytes: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        traffic.seal_bytes(Content::Handshake, bytes, &mut sealed).expect("it seals");
        sealed
    }

    fn data(traffic: &mut Traffic, mut sealed: Vec<u8>) -> Result<Vec<u8>, TrafficError> {
        let mut all = Vec::new();
        loop {
            match traffic.open(&mut sealed)? {
                Opened::Partial | Opened::Closed => return Ok(all),
                Opened::Data { len, at } => {
                    all.extend_from_slice(&sealed[at]);
                    sealed.drain(..len);
                }
            }
        }
    }

    #[test]
    fn who_asks_for_new_keys_gets_them_before_the_next_data_and_only_once() {
        let (mut camera, mut viewer) = pair();
        for round in 0..5_u8 {
            // Twice, before the camera says anything.
            let mut asked = Vec::new();
            for _ in 0..2 {
                asked.extend(message(&mut viewer, &[KEY_UPDATE, 0, 0, 1, 1]));
                viewer.sealing = viewer.schedule.next_sealing().expect("keys");
            }
            assert!(data(&mut camera, asked).expect("it is allowed").is_empty());
            let sealed = seal(&mut camera, &[round; 50]);
            assert_eq!(sealed.len(), 5 + 22 + 50 + 22, "one change of keys");
            assert_eq!(data(&mut viewer, sealed).expect("the new key"), [round; 50]);
            let sealed = seal(&mut viewer, &[round; 9]);
            assert_eq!(sealed.len(), 9 + 22, "the camera has not asked");
            assert_eq!(data(&mut camera, sealed).expect("the new key"), [round; 9]);
            let sealed = seal(&mut camera, b"x");
            assert_eq!(sealed.len(), 23, "no second change");
            assert_eq!(data(&mut viewer, sealed).expect("the same key"), b"x");
        }
    }

    #[test]
    fn a_message_may_be_cut_into_records_and_nothing_may_come_between() {
        let (mut camera, mut viewer) = pair();
        let mut cut = Vec::new();
        for byte in [KEY_UPDATE, 0, 0, 1, 0] {
            cut.extend(message(&mut viewer, &[byte]));
        }
        viewer.sealing = viewer.schedule.next_sealing().expect("keys");
        cut.extend(seal(&mut viewer, b"new"));
        assert_eq!(data(&mut camera, cut).expect("it is allowed"), b"new");
        let between = [message(&mut viewer, &[KEY_UPDATE, 0]), seal(&mut viewer, b"no")].concat();
        assert!(matches!(data(&mut camera, between), Err(TrafficError::Unexpected)));
    }

    #[test]
    fn messages_that_have_no_place_after_a_handshake_are_refused() {
        let wrong: [&[u8]; 8] = [
            b"",
            &[1, 0, 0, 0],
            // New keys: too long, an unknown wish, more in the same record.
            &[KEY_UPDATE, 0, 0, 2, 0, 0],
            &[KEY_UPDATE, 0, 0, 1, 2],
            &[KEY_UPDATE, 0, 0, 1, 0, KEY_UPDATE],
            &[KEY_UPDATE, 0, 0, 0],
            // Only a camera could send tickets.
            &[NEW_SESSION_TICKET, 0, 0, 2, 7, 7],
            &[NEW_SESSION_TICKET, 0xFF, 0xFF, 0xFF],
        ];
        for bytes in wrong {
            let (mut camera, mut viewer) = pair();
            let sealed = message(&mut viewer, bytes);
            let opened = data(&mut camera, sealed);
            assert!(matches!(opened, Err(TrafficError::Unexpected)), "{bytes:?}: {opened:?}");
        }
        let (mut camera, mut viewer) = pair();
        let ticket = [&[NEW_SESSION_TICKET, 0, 0, 200][..], &[7; 200], &[4, 0, 0, 1, 7]].concat();
        let sealed = [message(&mut camera, &ticket), seal(&mut camera, b"frame")].concat();
        assert_eq!(data(&mut viewer, sealed).expect("viewers leave tickets out"), b"frame");
    }

    #[test]
    fn alerts_end_a_connection_in_peace_or_with_words() {
        let (mut camera, mut viewer) = pair();
        let mut sealed = seal(&mut viewer, b"bye");
        viewer.seal_bytes(Content::Alert, &[1, USER_CANCELED], &mut sealed).expect("it seals");
        viewer.close(&mut sealed).expect("it seals");
        assert_eq!(data(&mut camera, sealed).expect("in peace"), b"bye");
        for (alert, says) in [
            (&[2, 48][..], "ended the TLS connection with alert 48"),
            (&[2], "sent an unexpected TLS message"),
            (&[2, 48, 0], "sent an unexpected TLS message"),
        ] {
            let mut sealed = Vec::new();
            viewer.seal_bytes(Content::Alert, alert, &mut sealed).expect("it seals");
            assert_eq!(data(&mut camera, sealed).expect_err("an alert").to_string(), says);
        }
    }

    #[test]
    fn keys_that_change_without_end_are_refused() {
        let (mut camera, mut viewer) = pair();
        let mut outcome = Ok(Vec::new());
        let mut count = 0;
        while outcome.is_ok() && count < 100 {
            let sealed = message(&mut viewer, &[KEY_UPDATE, 0, 0, 1, 1]);
            viewer.sealing = viewer.schedule.next_sealing().expect("keys");
            outcome = data(&mut camera, sealed);
            count += 1;
        }
        assert!(matches!(outcome, Err(TrafficError::Idle)), "{outcome:?}");
        assert_eq!(count, MOST_IDLE + 1);
    }
}
