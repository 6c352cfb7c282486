//! Receives what a camera sends, decodes it, and counts. Knows nothing of windows.

pub mod ages;
pub mod channel;
pub mod controls;
pub mod cores;
pub mod decoding;
pub mod demand;
pub mod news;
mod pace;
pub mod receiver;
pub mod session;
pub mod statistics;
mod surplus;
