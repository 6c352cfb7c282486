//! Waits for a viewer's socket, the next frame and the end of the program, all at once.

use super::receive::Received;
use crate::latest::Reader;
use crate::stop::Stop;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::cell::Cell;
use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// One `epoll`, with socket and bell edge-triggered: nothing is changed or read to wait again.
///
/// The kernel tells once that bytes have come; they are remembered here until somebody has found the socket empty.
#[derive(Debug)]
pub(super) struct Waiter {
    epoll: Epoll,
    input: Cell<Input>,
}

/// What is known of the bytes that a viewer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// None are there.
    Empty,
    /// Some may be there.
    Waits,
    /// Some may be there, and then comes the end.
    Ends,
    /// The end has been read.
    Ended,
}

/// What has happened. A new frame is not told: the reader is asked anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Happened {
    /// Bytes may be there, or the end of all bytes.
    pub(super) readable: bool,
    /// The connection is closed both ways, or broken.
    pub(super) gone: bool,
    /// Something happened at the socket, and it has room below its marks.
    pub(super) writable: bool,
    /// The program ends.
    pub(super) stop: bool,
    /// Nothing, until the deadline.
    pub(super) deadline: bool,
}

const SOCKET: u64 = 0;
const BELL: u64 = 1;
const STOP: u64 = 2;

/// Everything that happens to a socket, told once.
fn socket() -> EpollEvent {
    let all = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP;
    EpollEvent::new(all | EpollFlags::EPOLLET, SOCKET)
}

impl Waiter {
    pub(super) fn new(stream: &TcpStream, stop: &Stop) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(stream, socket())?;
        epoll.add(stop, EpollEvent::new(EpollFlags::EPOLLIN, STOP))?;
        Ok(Self { epoll, input: Cell::new(Input::Empty) })
    }

    /// Looks at the socket anew: its marks were changed, and if it is writable by them now, that is told once more.
    pub(super) fn look_again(&self, stream: &TcpStream) -> io::Result<()> {
        Ok(self.epoll.modify(stream, &mut socket())?)
    }

    /// Also wakes when `reader` has something new, until that is dropped: its bell leaves with it.
    pub(super) fn listen_to<T: Clone>(&self, reader: &mut Reader<T>) -> io::Result<()> {
        let bell = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        self.epoll.add(reader.bell()?, EpollEvent::new(bell, BELL))?;
        Ok(())
    }

    /// What was found when bytes were received.
    pub(super) fn has_received(&self, received: Received) {
        self.input.set(match (received, self.input.get()) {
            (Received::Closed, _) => Input::Ended,
            // The end came with the last bytes, and is told no more.
            (Received::Everything, Input::Waits) => Input::Empty,
            (Received::Everything | Received::Enough, before) => before,
        });
    }

    /// Whether the viewer has closed its sending side, and nothing of what it sent is left.
    pub(super) fn input_has_ended(&self) -> bool {
        self.input.get() == Input::Ended
    }

    /// Sleeps until something happens, until `deadline` at the latest. Not at all while bytes may be there.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> io::Result<Happened> {
        let is_readable = || matches!(self.input.get(), Input::Waits | Input::Ends);
        if is_readable() {
            let happened = self.sleep(EpollTimeout::ZERO)?;
            return Ok(Happened { readable: true, deadline: false, ..happened });
        }
        let happened = self.wait_to_write(deadline)?;
        Ok(Happened { readable: is_readable(), ..happened })
    }

    /// The same, of somebody who does not receive now: bytes that come are remembered.
    pub(super) fn wait_to_write(&self, deadline: Option<Instant>) -> io::Result<Happened> {
        self.sleep(match deadline {
            None => EpollTimeout::NONE,
            Some(deadline) => {
                // Rounded up, so that the deadline has really passed when nothing else happened.
                let left = deadline.saturating_duration_since(Instant::now());
                EpollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(EpollTimeout::MAX)
            }
        })
    }

    fn sleep(&self, timeout: EpollTimeout) -> io::Result<Happened> {
        let mut events = [EpollEvent::empty(); 4];
        let count = match self.epoll.wait(&mut events, timeout) {
            Ok(count) => count,
            Err(nix::errno::Errno::EINTR) => return Ok(Happened::default()),
            Err(error) => return Err(error.into()),
        };
        let mut happened = Happened { deadline: count == 0, ..Happened::default() };
        for event in &events[..count] {
            match event.data() {
                SOCKET => {
                    let events = event.events();
                    self.note_input(events);
                    happened.writable = events.contains(EpollFlags::EPOLLOUT);
                    happened.gone = events.intersects(EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR);
                }
                STOP => happened.stop = true,
                _ => {}
            }
        }
        Ok(happened)
    }

    fn note_input(&self, events: EpollFlags) {
        let end = EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR;
        let input = self.input.get();
        self.input.set(match input {
            Input::Ended => input,
            _ if events.intersects(end) => Input::Ends,
            Input::Empty if events.contains(EpollFlags::EPOLLIN) => Input::Waits,
            _ => input,
        });
    }
}
