//! What a client that gets no session is told: in its own protocol, in one write.

use super::protocol::Protocol;
use crate::camera::access::NotAdmitted;
use crate::camera::metrics::Refused;
use crate::camera::session_end::SessionEnd;
use crate::net::tls::stream::Secured;
use crate::wire::http::request::{Afterwards, Version};
use crate::wire::http::response::{Head, Status};
use crate::wire::native::message::{GoodbyeReason, Message};
use crate::wire::native::version::{MIN_VERSION, VERSION};
use std::io::{self, Write};
use std::net::TcpStream;

/// Why a client gets no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::camera) struct Farewell {
    pub(in crate::camera) why: Refused,
    pub(in crate::camera) text: String,
}

impl Farewell {
    /// The message in this protocol; empty if the protocol is unknown.
    pub(in crate::camera) fn bytes(&self, protocol: Protocol) -> Vec<u8> {
        let mut bytes = Vec::new();
        match protocol {
            Protocol::Native => goodbye(self.reason(), &self.text).write_to(&mut bytes),
            Protocol::Http => {
                let text = format!("{}\n", self.text);
                let (status, more): (_, &[&str]) = match self.why {
                    Refused::NotAllowed => (Status::FORBIDDEN, &[]),
                    _ => (Status::UNAVAILABLE, &[RETRY]),
                };
                let head = Head {
                    status,
                    version: Version::Http11,
                    afterwards: Afterwards::Close,
                    content_type: Some("text/plain; charset=utf-8"),
                    content_len: Some(text.len()),
                    allow_origin: None,
                    more,
                };
                head.write_to(&mut bytes);
                bytes.extend_from_slice(text.as_bytes());
            }
            // A word before the handshake would be taken for a broken one; an alert is shown.
            Protocol::Tls => bytes.extend_from_slice(&[21, 3, 3, 0, 2, 2, self.alert()]),
            Protocol::Unknown | Protocol::Open => {}
        }
        bytes
    }

    /// What TLS says (RFC 8446, section 6.2): access denied, or else an internal error.
    fn alert(&self) -> u8 {
        match self.why {
            Refused::NotAllowed => 49,
            _ => 80,
        }
    }

    fn reason(&self) -> GoodbyeReason {
        match self.why {
            Refused::NotAllowed => GoodbyeReason::NotAllowed,
            _ => GoodbyeReason::Full,
        }
    }
}

/// When a program should ask again.
pub(super) const RETRY: &str = "Retry-After: 2";

pub(super) fn goodbye(reason: GoodbyeReason, text: &str) -> Message<'_> {
    Message::Goodbye { reason, min_version: MIN_VERSION, max_version: VERSION, text }
}

/// What a native viewer that watches is told when its session ends, if anything.
pub(super) fn of_a_viewer(why: &SessionEnd) -> Option<(GoodbyeReason, String)> {
    Some(match why {
        SessionEnd::Stopping => (GoodbyeReason::Stopping, "lancam was stopped".into()),
        // It connects again, with the same key.
        SessionEnd::OtherRights(_) => {
            (GoodbyeReason::Stopping, "what this viewer's key allows was changed".into())
        }
        SessionEnd::TooSlow(_) => {
            (GoodbyeReason::TooSlow, "the viewer took no data for too long".into())
        }
        SessionEnd::Revoked(_) => (GoodbyeReason::NoKey, NotAdmitted::Unknown.to_string()),
        _ => return None,
    })
}

/// Ends a session for which there are no file descriptors, and tells the client.
pub(super) fn no_descriptors(
    mut stream: &TcpStream,
    secured: Option<&mut Secured>,
    protocol: Protocol,
    error: &io::Error,
) -> SessionEnd {
    let text = format!("cannot accept another connection now: {error}");
    let farewell = Farewell { why: Refused::TooMany, text };
    // One attempt to write is enough: nothing waits for this client.
    let bytes = farewell.bytes(protocol);
    let _ = stream.set_nonblocking(true).and_then(|()| match secured {
        Some(secured) => secured.write_all(stream, &bytes),
        None => stream.write_all(&bytes),
    });
    SessionEnd::Refused { why: farewell.why, text: farewell.text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::native::decoder::Decoder;

    #[test]
    fn everybody_is_told_in_his_own_language() {
        let farewell = Farewell { why: Refused::NotAllowed, text: "not from there".into() };
        let http = String::from_utf8(farewell.bytes(Protocol::Http)).expect("text");
        assert!(http.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{http}");
        assert!(
            http.contains("Connection: close\r\n") && http.ends_with("\r\n\r\nnot from there\n")
        );
        let mut decoder = Decoder::new(4096);
        let bytes = farewell.bytes(Protocol::Native);
        decoder.space()[..bytes.len()].copy_from_slice(&bytes);
        decoder.filled(bytes.len());
        let said = decoder.next_message().expect("a message");
        let reason = GoodbyeReason::NotAllowed;
        assert!(
            matches!(said, Some(Message::Goodbye { reason: it, text: "not from there", .. }) if it == reason)
        );
        assert_eq!(farewell.bytes(Protocol::Unknown), b"");
        // A fatal alert: access denied.
        assert_eq!(farewell.bytes(Protocol::Tls), [21, 3, 3, 0, 2, 2, 49]);
        let crowd = Farewell { why: Refused::TooMany, text: "full".into() };
        let http = String::from_utf8(crowd.bytes(Protocol::Http)).expect("text");
        assert!(http.starts_with("HTTP/1.1 503 ") && http.contains("Retry-After: 2\r\n"), "{http}");
    }
}
