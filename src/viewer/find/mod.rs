//! Where cameras are and which one is which: addresses, names on the LAN, and the connection to the one that is wanted.

pub mod address;
pub mod finder;
pub mod identity;
pub mod list;
mod lookup;
pub(in crate::viewer) mod reach;
pub mod wanted;
