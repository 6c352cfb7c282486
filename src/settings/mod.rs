//! The content of `lancam.toml`: its statements, and its tables about the device. `lancam` and `lancam-setup` share this.

pub mod code;
pub mod device;
pub mod lines;
pub mod moved;
pub(crate) mod quotes;
pub mod reading;
pub(crate) mod statements;
pub(crate) mod table;
pub mod wishes;

/// The file in which `lancam-setup` leaves its complaints, one per line. The camera's page and the screen show them.
pub const COMPLAINTS: &str = "/run/lancam/complaints";
