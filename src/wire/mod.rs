//! The bytes on the wire and their rules: no socket, no clock, no thread.

pub mod native;
pub mod packet;
mod receive_buffer;
