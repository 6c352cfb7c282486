//! TLS 1.3 between a camera and those who watch: no certificate authority, one certificate that clients know by its hash.
//!
//! rustls makes the [`handshake`]. After it the [`traffic`] is sealed here, because rustls would allocate memory and copy
//! the bytes once more for each 16 kB of a frame. What rustls does for programs that let the system's kernel seal is all
//! that is needed for that: it hands out the keys, and the next ones when one side asks for them.

pub mod handshake;
pub mod inbox;
pub mod records;
pub mod stream;
pub mod traffic;

#[cfg(test)]
pub(crate) mod tests;
