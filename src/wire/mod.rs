//! The bytes on the wire and their rules: no socket, no clock, no thread.

pub mod dns;
pub mod http;
pub mod ladder;
pub mod matroska;
pub mod mdns;
pub mod native;
pub mod packet;
pub mod pickle;
mod receive_buffer;
pub mod service;

/// The first bytes of a stranger, printable: `"HTTP/1.1"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstBytes(pub Vec<u8>);

impl std::fmt::Display for FirstBytes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "\"{}\"", self.0.escape_ascii())
    }
}
