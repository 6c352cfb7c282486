//! Recognises the protocol of a viewer by its first bytes.

use crate::wire::native::header::MAGIC;

/// The protocol that the first bytes of a connection show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::camera) enum Protocol {
    Native,
    Http,
    /// TLS; the protocol inside is not known yet.
    Tls,
    Unknown,
    /// Too few bytes to tell.
    Open,
}

/// How HTTP requests begin. Methods that are not supported are listed too, so that they are refused
/// in HTTP.
const METHODS: [&[u8]; 8] =
    [b"GET ", b"HEAD ", b"OPTIONS ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"TRACE "];

/// The type of the first record of TLS (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 0x16;

impl Protocol {
    pub(in crate::camera) fn of(first: &[u8]) -> Self {
        let begins = |word: &[u8]| first.starts_with(word) || word.starts_with(first);
        if first.is_empty() {
            Self::Open
        } else if first[0] == HANDSHAKE {
            Self::Tls
        } else if begins(&MAGIC) {
            Self::Native
        } else if METHODS.into_iter().any(begins) {
            Self::Http
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_a_viewer_speaks() {
        assert_eq!(Protocol::of(b""), Protocol::Open);
        assert_eq!(Protocol::of(b"LCAM\x01\x01"), Protocol::Native);
        assert_eq!(Protocol::of(b"LC"), Protocol::Native);
        assert_eq!(Protocol::of(b"GET / HTTP/1.1\r\n"), Protocol::Http);
        assert_eq!(Protocol::of(b"HEA"), Protocol::Http);
        assert_eq!(Protocol::of(b"POST /"), Protocol::Http);
        assert_eq!(Protocol::of(b"SSH-2.0-OpenSSH_9.2\r\n"), Protocol::Unknown);
        assert_eq!(Protocol::of(&[0]), Protocol::Unknown);
        assert_eq!(Protocol::of(&[0x16]), Protocol::Tls);
        assert_eq!(Protocol::of(&[0x16, 3, 1]), Protocol::Tls);
    }
}
