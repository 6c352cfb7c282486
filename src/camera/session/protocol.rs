//! Recognises the protocol of a viewer by its first bytes.

use crate::wire::http::request::is_of_token;
use crate::wire::native::header::MAGIC;

/// The protocol that the first bytes of a connection show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// lancam's own.
    Native,
    /// HTTP/1.
    Http,
    /// TLS; the protocol inside is not known yet.
    Tls,
    /// None of these.
    Unknown,
    /// Too few bytes to tell.
    Open,
}

/// How most HTTP requests begin. A client that stops in the middle of such a word is told in HTTP that it is late.
const METHODS: [&[u8]; 8] =
    [b"GET ", b"HEAD ", b"OPTIONS ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"TRACE "];

/// The most letters of a method. The longest that is registered, `UPDATEREDIRECTREF`, has 17.
const LONGEST_METHOD: usize = 20;

/// The most bytes of empty lines before a request.
const MOST_EMPTY: usize = 8;

/// The type of the first record of TLS (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 0x16;

impl Protocol {
    /// The protocol that begins like this.
    pub fn of(first: &[u8]) -> Self {
        let begins = |word: &[u8]| first.starts_with(word) || word.starts_with(first);
        if first.is_empty() {
            Self::Open
        } else if first[0] == HANDSHAKE {
            Self::Tls
        } else if begins(&MAGIC) {
            Self::Native
        } else {
            http(first)
        }
    }
}

/// HTTP begins with a method, which is a token with a space behind it (RFC 9112, section 3). Methods that are not supported
/// are refused in HTTP. Empty lines before it are passed over (section 2.2).
fn http(first: &[u8]) -> Protocol {
    let empty = first.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    let line = &first[empty..];
    let letters = line.iter().take_while(|&&byte| is_of_token(byte)).count();
    if letters > LONGEST_METHOD || empty > MOST_EMPTY {
        return Protocol::Unknown;
    }
    match line.get(letters) {
        None if letters > 0 && METHODS.iter().any(|word| word.starts_with(line)) => Protocol::Http,
        None => Protocol::Open,
        Some(b' ') if letters > 0 => Protocol::Http,
        Some(_) => Protocol::Unknown,
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
        for (first, protocol) in [
            (&b"\r\nGET / HTTP/1.1\r\n"[..], Protocol::Http),
            (b"\n\r\n\nHE", Protocol::Http),
            (b"\r\n", Protocol::Open),
            (b"\r\n\r\n\r\n\r\n\r\n", Protocol::Unknown),
            (b"CONNECT a:1 HTTP/1.1\r\n", Protocol::Http),
            (b"PROPFIND / HTTP/1.1\r\n", Protocol::Http),
            (b"LOCK / HTTP/1.1\r\n", Protocol::Http),
            (b"M-SEARCH * HTTP/1.1\r\n", Protocol::Http),
            (b"UPDATEREDIRECTREF / HTTP/1.1\r\n", Protocol::Http),
            (b"PROPFI", Protocol::Open),
            (b" GET / HTTP/1.1\r\n", Protocol::Unknown),
            (b"\r\n GET / HTTP/1.1\r\n", Protocol::Unknown),
            (b"ABCDEFGHIJKLMNOPQRSTU", Protocol::Unknown),
            (b"SSH", Protocol::Open),
            (b"\r\nLCAM\x01\x01", Protocol::Unknown),
        ] {
            assert_eq!(Protocol::of(first), protocol, "{first:?}");
        }
        assert_eq!(Protocol::of(b"SSH-2.0-OpenSSH_9.2\r\n"), Protocol::Unknown);
        assert_eq!(Protocol::of(&[0]), Protocol::Unknown);
        assert_eq!(Protocol::of(&[0x16]), Protocol::Tls);
        assert_eq!(Protocol::of(&[0x16, 3, 1]), Protocol::Tls);
    }
}
