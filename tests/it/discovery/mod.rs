//! Cameras are found on a LAN, told apart and known again.

pub mod found;
mod identity;
mod mdns_trouble;
mod names;
