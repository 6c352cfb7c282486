//! Cameras are found on a LAN, told apart and known again.

mod asked;
pub mod found;
mod identity;
mod mdns_trouble;
mod names;
