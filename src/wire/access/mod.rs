//! Who may watch: the code that people type, the keys that clients hold, and the proofs of pairing.
//!
//! Camera and viewer share these. Random numbers come in as arguments.

pub mod code;
pub mod key;
pub mod proof;
