//! The handshakes of both sides, without sockets. Only this folder names rustls.

mod error;
mod provider;
mod sides;
mod steps;

pub use error::{HandshakeError, Pin};
pub use sides::{Accepts, Client, Server};
pub(super) use steps::Schedule;
pub use steps::{Established, Handshake, Progress};
