//! Waits for a viewer's socket, the next frame and the end of the program, all at once.

use crate::latest::Reader;
use crate::stop::Stop;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// One `epoll`, with socket and bell edge-triggered: nothing is changed or read to wait again.
#[derive(Debug)]
pub(super) struct Waiter {
    epoll: Epoll,
}

/// What has happened. A new frame is not told: the reader is asked anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Happened {
    /// Bytes have come, or the viewer has left.
    pub(super) readable: bool,
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
        Ok(Self { epoll })
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

    /// Sleeps until something happens, until `deadline` at the latest.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> io::Result<Happened> {
        let timeout = match deadline {
            None => EpollTimeout::NONE,
            Some(deadline) => {
                // Rounded up, so that the deadline has really passed when nothing else happened.
                let left = deadline.saturating_duration_since(Instant::now());
                EpollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(EpollTimeout::MAX)
            }
        };
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
                    let readable = EpollFlags::EPOLLIN
                        | EpollFlags::EPOLLRDHUP
                        | EpollFlags::EPOLLHUP
                        | EpollFlags::EPOLLERR;
                    happened.readable = event.events().intersects(readable);
                    happened.writable = event.events().contains(EpollFlags::EPOLLOUT);
                }
                STOP => happened.stop = true,
                _ => {}
            }
        }
        Ok(happened)
    }
}
