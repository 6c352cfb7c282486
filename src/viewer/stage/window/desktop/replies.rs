//! Waits for the X server's replies, with errors as I/O errors.

use std::io;
use x11rb::rust_connection::RustConnection;

type Asked<'a, R> =
    Result<x11rb::cookie::Cookie<'a, RustConnection, R>, x11rb::errors::ConnectionError>;
type Sent<'a> =
    Result<x11rb::cookie::VoidCookie<'a, RustConnection>, x11rb::errors::ConnectionError>;

/// Waits for the server's reply.
pub(super) fn answer<R: x11rb::x11_utils::TryParse>(asked: Asked<'_, R>) -> io::Result<R> {
    asked.map_err(io::Error::other)?.reply().map_err(io::Error::other)
}

/// Waits until the server has executed the request.
pub(super) fn done(sent: Sent<'_>) -> io::Result<()> {
    sent.map_err(io::Error::other)?.check().map_err(io::Error::other)
}
