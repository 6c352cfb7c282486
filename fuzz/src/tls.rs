//! Properties of TLS: of a greeting's bytes, and of the records after it.

use super::piece_len;
use super::sessions::seal::{agreed, server};
use lancam::net::tls::handshake::{Accepts, Client, Progress};
use lancam::net::tls::inbox::Next;
use lancam::net::tls::records::MOST_CONTENT;

/// The most bytes with which one side answers a stranger.
const MOST_SAID: usize = 4 << 10;

/// Both sides of a greeting read any bytes in any pieces. Nobody gets through who has no keys, nobody is sent much, and a
/// refusal is one line.
pub fn tls_greeting(bytes: &[u8]) {
    let client = Client::new(Accepts::Any).expect("ciphers");
    for mut handshake in [server().begin().expect("begins"), client.begin().expect("begins")] {
        let (mut received, mut sent) = (Vec::new(), Vec::new());
        let mut pieces = bytes.chunks(piece_len(bytes));
        // The viewer speaks first.
        let mut progress = handshake.advance(&mut received, &mut sent);
        while let (Ok(Progress::Waits), Some(piece)) = (&progress, pieces.next()) {
            received.extend_from_slice(piece);
            progress = handshake.advance(&mut received, &mut sent);
        }
        assert!(sent.len() <= MOST_SAID, "{} bytes for a stranger", sent.len());
        match progress {
            Ok(progress) => assert_eq!(progress, Progress::Waits, "a stranger is greeted"),
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }
}

/// Whatever happens to records on their way: what is opened is the beginning of what was said, and a refusal is one line.
pub fn tls_records(bytes: &[u8]) {
    let (camera, mut viewer) = agreed();
    let (mut traffic, mut inbox) = camera.into_parts();
    let (mut said, mut sealed) = (Vec::new(), Vec::new());
    let (lens, changes) = bytes.split_at(bytes.len().min(4));
    for (number, &len) in lens.iter().enumerate() {
        // Short ones, and those that need a second record.
        let len = if len < 250 { usize::from(len) } else { MOST_CONTENT + usize::from(len) - 252 };
        let message: Vec<u8> = (0..=255).cycle().skip(number).take(len).collect();
        sealed.extend(viewer.seal(&message));
        said.extend(message);
    }
    for change in changes.chunks_exact(4) {
        let at = usize::from(change[1]) << 8 | usize::from(change[2]);
        let at = at % (sealed.len() + 1);
        match change[0] % 5 {
            0 if at < sealed.len() => sealed[at] ^= change[3],
            1 => sealed.insert(at, change[3]),
            2 => drop(sealed.drain(at..(at + usize::from(change[3])).min(sealed.len()))),
            3 => sealed.truncate(at),
            _ => sealed.extend_from_within(at..),
        }
    }
    let (mut opened, mut some) = (Vec::new(), [0; 1000]);
    let mut rest = &sealed[..];
    loop {
        match inbox.take(&mut some) {
            0 => {}
            count => {
                opened.extend_from_slice(&some[..count]);
                continue;
            }
        }
        match inbox.open(&mut traffic) {
            Ok(Next::Opened) => {}
            Ok(Next::Partial) if !rest.is_empty() => match inbox.space() {
                Ok(space) => {
                    let count = super::put(space, rest, piece_len(bytes));
                    inbox.filled(count);
                    rest = &rest[count..];
                }
                Err(error) => break assert!(!error.to_string().contains('\n'), "{error}"),
            },
            Ok(Next::Partial | Next::Closed) => break,
            Err(error) => break assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }
    assert!(said.starts_with(&opened), "{} bytes were not said", opened.len());
    if changes.len() < 4 {
        assert_eq!(opened.len(), said.len(), "all of it has arrived");
    }
}
