//! Decodes one JPEG in several strips at once. Its restart intervals make that possible: the data
//! of each can be decoded without the data before it.
//!
//! A strip is some intervals of whole MCU rows, written as a JPEG of their own and decoded into
//! their rows of the picture. The pixels are exactly those that decoding in one piece gives.

mod decoder;
mod outline;
mod places;
mod shares;

pub use decoder::{Job, Outcome, StripDecoder};
pub use outline::Outline;
pub use shares::MOST_STRIPS;
