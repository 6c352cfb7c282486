//! What a link asks of the system: a socket, a clock and sleep.
//!
//! [`Tcp`](super::tcp::Tcp) is the real one; TLS will be one around it. Tests have one of bytes in memory and a made-up clock.

use crate::image::frame::Micros;
use crate::net::socket::{Held, Path};
use std::io::{self, IoSlice};
use std::time::Duration;

/// A connected socket that never blocks, and a thread that sleeps for it.
pub trait Kernel {
    /// The time, by the camera's clock.
    fn now(&self) -> Micros;

    /// Receives bytes; 0 is the end of all bytes.
    ///
    /// # Errors
    /// `WouldBlock` when no bytes have come, others when the connection is broken.
    fn receive(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Sends bytes, as many as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room, others when the connection is broken.
    fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Makes room for a frame of so many bytes.
    ///
    /// # Errors
    /// When the socket is closed.
    fn make_room(&mut self, len: usize) -> io::Result<()>;

    /// What is still held of what was sent.
    ///
    /// # Errors
    /// When the socket is closed.
    fn held(&self) -> io::Result<Held>;

    /// The socket says that it is writable no sooner than nothing is unsent and at most `bytes` are unacknowledged. If that is
    /// so now, the next sleep ends at once.
    ///
    /// # Errors
    /// When the socket is closed.
    fn narrow(&mut self, bytes: usize) -> io::Result<()>;

    /// The same as before [`narrow`](Self::narrow).
    ///
    /// # Errors
    /// When the socket is closed.
    fn widen(&mut self) -> io::Result<()>;

    /// What is known of the way to the viewer.
    ///
    /// # Errors
    /// When the socket is closed.
    fn path(&self) -> io::Result<Path>;

    /// Tells the viewer that nothing more comes.
    ///
    /// # Errors
    /// When the socket is closed.
    fn close_sending(&mut self) -> io::Result<()>;

    /// Sleeps until something happens, no longer than `time`.
    ///
    /// # Errors
    /// When the system cannot wait.
    fn sleep(&mut self, time: Option<Duration>) -> io::Result<Happened>;

    /// The end of the program ends no sleep any more.
    ///
    /// # Errors
    /// When the system cannot wait.
    fn ignore_stop(&mut self) -> io::Result<()>;
}

/// What has happened at the end of a sleep. Each change of a socket is told once; new frames are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Happened {
    /// Bytes have come.
    pub bytes: bool,
    /// The end of all bytes has come, perhaps behind others.
    pub end: bool,
    /// There is room to send, by the marks that hold now.
    pub room: bool,
    /// The connection is closed both ways, or broken.
    pub gone: bool,
    /// The program ends.
    pub stop: bool,
}
