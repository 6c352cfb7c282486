//! Waits for a viewer's socket, for the next frame and for the end of the program at the same time.

use super::kernel::Happened;
use crate::latest::Reader;
use crate::stop::Stop;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

/// One `epoll` set. Socket and bells are edge-triggered, so no call is needed to reset them before
/// waiting again.
#[derive(Debug)]
pub struct Waiter {
    epoll: Epoll,
}

const SOCKET: u64 = 0;
const BELL: u64 = 1;
const STOP: u64 = 2;

/// Reports each change of the socket once.
fn socket() -> EpollEvent {
    let all = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP;
    EpollEvent::new(all | EpollFlags::EPOLLET, SOCKET)
}

impl Waiter {
    /// Waits for this socket, and for the stop of the program.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn new(stream: &TcpStream, stop: &Stop) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(stream, socket())?;
        epoll.add(stop, EpollEvent::new(EpollFlags::EPOLLIN, STOP))?;
        Ok(Self { epoll })
    }

    /// Also wakes when `reader` has something new. Dropping the reader closes its bell, which
    /// removes it from the set.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn listen_to<T: Clone>(&self, reader: &mut Reader<T>) -> io::Result<()> {
        let bell = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        self.epoll.add(reader.bell()?, EpollEvent::new(bell, BELL))?;
        Ok(())
    }

    /// Also wakes at each event of this descriptor.
    ///
    /// # Errors
    /// When the process has no memory left for that.
    pub fn wake_at(&self, events: impl AsFd) -> io::Result<()> {
        let bell = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        match self.epoll.add(events, EpollEvent::new(bell, BELL)) {
            // It was added for an earlier request.
            Ok(()) | Err(Errno::EEXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks the socket again after its marks have changed: if it is writable by them now, that is
    /// reported once more.
    pub(super) fn look_again(&self, stream: &TcpStream) -> io::Result<()> {
        Ok(self.epoll.modify(stream, &mut socket())?)
    }

    /// From here on, stopping the program no longer wakes this thread.
    pub(super) fn ignore(&self, stop: &Stop) -> io::Result<()> {
        Ok(self.epoll.delete(stop)?)
    }

    /// Sleeps until something happens, for at most `time`. A signal may end the sleep early.
    pub(super) fn sleep(&self, time: Option<Duration>) -> io::Result<Happened> {
        let timeout = time.map_or(EpollTimeout::NONE, |time| {
            EpollTimeout::try_from(time).unwrap_or(EpollTimeout::MAX)
        });
        let mut events = [EpollEvent::empty(); 4];
        let count = match self.epoll.wait(&mut events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        let mut happened = Happened::default();
        for event in &events[..count] {
            match event.data() {
                SOCKET => {
                    let events = event.events();
                    happened.gone = events.intersects(EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR);
                    happened.bytes = events.contains(EpollFlags::EPOLLIN);
                    happened.end = happened.gone || events.contains(EpollFlags::EPOLLRDHUP);
                    happened.room = events.contains(EpollFlags::EPOLLOUT);
                }
                STOP => happened.stop = true,
                _ => {}
            }
        }
        Ok(happened)
    }
}
