//! What outlives the viewer: recordings, saved pictures, and the camera that was watched last.

pub mod folders;
pub mod memory;
pub mod png_file;
pub mod recorder;
pub mod snapshot;
