//! JPEG: its structure, the repair of what cameras send, and the codec.

pub mod codec;
mod damage;
mod data;
mod exif;
pub mod gate;
mod header;
mod huffman;
pub mod intervals;
pub mod join;
pub mod markers;
pub mod repair;
pub mod splitter;
