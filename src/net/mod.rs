//! The LAN: sockets and who may use them.

pub mod socket;
