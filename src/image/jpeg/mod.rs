//! JPEG: the structure of its bytes, and the codec.

pub mod codec;
pub mod markers;
pub mod splitter;
