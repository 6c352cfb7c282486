//! What outlives the viewer: recordings, saved pictures, and the camera that was watched last.

pub mod album;
pub mod memory;
pub mod recorder;
pub mod snapshot;
