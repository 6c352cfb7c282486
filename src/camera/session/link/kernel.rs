//! What a link needs from the operating system: a socket, a clock and a way to sleep.
//!
//! [`Tcp`](super::tcp::Tcp) is the real implementation; [`Sealed`](super::sealed::Sealed) is TLS
//! around it. Tests use one with bytes in memory and a simulated clock.

use crate::image::frame::Micros;
use crate::net::socket::{Held, Path};
use std::io::{self, IoSlice};
use std::time::Duration;

/// A connected, non-blocking socket, and the sleep of the thread that serves it.
pub trait Kernel {
    /// The time, by the camera's clock.
    fn now(&self) -> Micros;

    /// Receives bytes; 0 means that the peer will send no more.
    ///
    /// # Errors
    /// `WouldBlock` when no bytes have come, others when the connection is broken.
    fn receive(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Sends as many bytes as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room, others when the connection is broken.
    fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Makes the send buffer large enough for a frame of `len` bytes.
    ///
    /// # Errors
    /// When the socket is closed.
    fn make_room(&mut self, len: usize) -> io::Result<()>;

    /// How many sent bytes the socket still holds.
    ///
    /// # Errors
    /// When the socket is closed.
    fn held(&self) -> io::Result<Held>;

    /// From here on the socket is writable only when nothing is unsent and at most `bytes` are
    /// unacknowledged. If that is so now, the next sleep ends at once.
    ///
    /// # Errors
    /// When the socket is closed.
    fn narrow(&mut self, bytes: usize) -> io::Result<()>;

    /// Reverses [`narrow`](Self::narrow).
    ///
    /// # Errors
    /// When the socket is closed.
    fn widen(&mut self) -> io::Result<()>;

    /// What the kernel knows of the network path to the viewer.
    ///
    /// # Errors
    /// When the socket is closed.
    fn path(&self) -> io::Result<Path>;

    /// Closes the sending side.
    ///
    /// # Errors
    /// When the socket is closed.
    fn close_sending(&mut self) -> io::Result<()>;

    /// Sleeps until something happens, for at most `time`.
    ///
    /// # Errors
    /// When the system cannot wait.
    fn sleep(&mut self, time: Option<Duration>) -> io::Result<Happened>;

    /// From here on, stopping the program no longer ends a sleep.
    ///
    /// # Errors
    /// When the system cannot wait.
    fn ignore_stop(&mut self) -> io::Result<()>;
}

/// What has happened during a sleep. Each change of the socket is reported once. New frames are not
/// reported here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Happened {
    /// Bytes have come.
    pub bytes: bool,
    /// The peer has closed its sending side; bytes may come before that end.
    pub end: bool,
    /// There is room to send, by the current marks of the socket.
    pub room: bool,
    /// The connection is closed in both directions, or broken.
    pub gone: bool,
    /// The program is stopping.
    pub stop: bool,
}
