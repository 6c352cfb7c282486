//! Waits for what X says to a request, as any other I/O.

use std::io;
use x11rb::rust_connection::RustConnection;

type Asked<'a, R> =
    Result<x11rb::cookie::Cookie<'a, RustConnection, R>, x11rb::errors::ConnectionError>;
type Sent<'a> =
    Result<x11rb::cookie::VoidCookie<'a, RustConnection>, x11rb::errors::ConnectionError>;

/// The server's answer to a question.
pub(super) fn answer<R: x11rb::x11_utils::TryParse>(asked: Asked<'_, R>) -> io::Result<R> {
    asked.map_err(io::Error::other)?.reply().map_err(io::Error::other)
}

/// Waits until the server has done it.
pub(super) fn done(sent: Sent<'_>) -> io::Result<()> {
    sent.map_err(io::Error::other)?.check().map_err(io::Error::other)
}
