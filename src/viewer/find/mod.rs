//! Finds cameras and connects to them: addresses, names on the LAN, and which camera is the wanted one.

pub mod address;
pub mod census;
pub(in crate::viewer) mod connect;
pub mod finder;
pub mod found;
pub mod identity;
pub mod list;
mod lookup;
pub mod pairing;
pub(in crate::viewer) mod reach;
mod search;
pub mod wanted;
