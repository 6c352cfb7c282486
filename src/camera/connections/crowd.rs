//! Why there is no room for a connection, or no seat.

use std::net::IpAddr;

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Crowd {
    /// All seats are taken.
    #[error("{} watching already, and this camera allows no more (--max-viewers {count})", viewers(*.0), count = .0)]
    Seats(usize),
    /// One address has as many seats as one may have.
    #[error("{} watching already from {peer}; the last places are kept for other addresses", viewers(*.0), peer = .1)]
    SeatsOf(usize, IpAddr),
    /// All connections are in use.
    #[error("{0} connections are open, and this camera allows no more; try again later")]
    Connections(usize),
    /// One address has as many connections as one may have.
    #[error("{0} connections from {1} are open, and this camera allows no more from one address")]
    ConnectionsOf(usize, IpAddr),
}

/// `1 viewer is`, `2 viewers are`.
fn viewers(count: usize) -> String {
    match count {
        1 => "1 viewer is".into(),
        count => format!("{count} viewers are"),
    }
}
