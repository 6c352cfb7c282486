//! The real socket of a link.

use super::kernel::{Happened, Kernel};
use super::waiter::Waiter;
use crate::clock;
use crate::image::frame::Micros;
use crate::net::socket::{self, Held, Path, SendBuffer};
use crate::stop::Stop;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::time::Duration;

/// An accepted connection, with what its thread needs to sleep.
#[derive(Debug)]
pub struct Tcp<'a> {
    stream: &'a TcpStream,
    buffer: SendBuffer,
    waiter: Rc<Waiter>,
    stop: &'a Stop,
}

impl<'a> Tcp<'a> {
    /// Tunes the socket for frames.
    ///
    /// # Errors
    /// When the viewer has left already.
    pub fn new(stream: &'a TcpStream, waiter: &Rc<Waiter>, stop: &'a Stop) -> io::Result<Self> {
        let buffer = SendBuffer::for_accepted(stream)?;
        Ok(Self { stream, buffer, waiter: Rc::clone(waiter), stop })
    }
}

impl Kernel for Tcp<'_> {
    fn now(&self) -> Micros {
        clock::now()
    }

    fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        uninterrupted(|| self.stream.read(into))
    }

    fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        uninterrupted(|| self.stream.write_vectored(parts))
    }

    fn make_room(&mut self, len: usize) -> io::Result<()> {
        self.buffer.make_room(self.stream, len).map(drop)
    }

    fn held(&self) -> io::Result<Held> {
        socket::held(self.stream)
    }

    fn narrow(&mut self, bytes: usize) -> io::Result<()> {
        self.buffer.narrow(self.stream, bytes)?;
        self.waiter.look_again(self.stream)
    }

    fn widen(&mut self) -> io::Result<()> {
        self.buffer.widen(self.stream)
    }

    fn path(&self) -> io::Result<Path> {
        socket::path(self.stream)
    }

    fn close_sending(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    fn sleep(&mut self, time: Option<Duration>) -> io::Result<Happened> {
        // Round up, so that the time has really passed when nothing happened.
        let time =
            time.map(|time| if time.is_zero() { time } else { time + Duration::from_millis(1) });
        self.waiter.sleep(time)
    }

    fn ignore_stop(&mut self) -> io::Result<()> {
        self.waiter.ignore(self.stop)
    }
}

/// Repeats a call that was interrupted by a signal.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
