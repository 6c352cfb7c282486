//! The formats of bytes on the wire and in files, and their rules: no sockets, no clock, no
//! threads.

#[cfg(any(feature = "camera", feature = "viewer", feature = "setup"))]
pub mod access;
pub mod base64;
pub mod certificate;
pub mod dns;
pub mod http;
pub mod ladder;
pub mod matroska;
pub mod mdns;
pub mod native;
pub mod packet;
pub mod pem;
pub mod pickle;
mod receive_buffer;
pub mod service;

/// The first bytes of a stranger, shown as text: `"HTTP/1.1"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstBytes(pub Vec<u8>);

impl std::fmt::Display for FirstBytes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "\"{}\"", self.0.escape_ascii())
    }
}
