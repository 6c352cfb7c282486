//! Why there is no room for a connection, or no seat for a viewer.

use super::peer::shown;
use crate::wording::count;
use std::net::IpAddr;

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Crowd {
    /// All seats are taken.
    #[error("this camera allows no more than {} (--max-viewers {})", count(*.0, "viewer"), .0)]
    Seats(usize),
    /// One address has all the seats that one address may have.
    #[error("this camera allows no more than {} from one {}", count(*.0, "viewer"), shown(*.1))]
    SeatsOf(usize, IpAddr),
    /// All connections are in use.
    #[error("this camera allows no more than {} at once; try again later", count(*.0, "connection"))]
    Connections(usize),
    /// One address has all the connections that one address may have.
    #[error("this camera allows no more than {} from one {}", count(*.0, "connection"), shown(*.1))]
    ConnectionsOf(usize, IpAddr),
    /// Too many TLS handshakes were begun.
    #[error("too many connections began with TLS at once; try again in a second")]
    Handshakes,
}
