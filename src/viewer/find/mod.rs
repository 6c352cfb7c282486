//! Where cameras are and which one is which: addresses, names on the LAN, and the connection to the one that is wanted.

pub mod address;
pub mod census;
pub(in crate::viewer) mod connect;
pub mod finder;
pub mod found;
pub mod identity;
pub mod list;
mod lookup;
pub(in crate::viewer) mod reach;
mod search;
pub mod wanted;
