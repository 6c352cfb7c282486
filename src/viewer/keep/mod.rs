//! What outlives the viewer: recordings, saved pictures, and what it remembers.

pub mod folders;
pub mod keyring;
pub mod memory;
pub mod png_file;
mod private_file;
pub mod recorder;
pub mod snapshot;
