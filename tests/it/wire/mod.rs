//! Bytes and their rules: protocols, recordings, clocks and credit, without a socket.

mod age_properties;
pub mod fuzz_corpus;
mod matroska;
mod paced_simulated;
mod pickle;
pub mod wire_bytes;
mod wire_chopped;
