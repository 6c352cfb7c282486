//! Refuses connections, and tells each of them why.
//!
//! The first bytes tell which protocol to answer in. They come within a moment or never. Few connections are waited for,
//! none for long, and nothing is kept of them but a socket.

use super::session::farewell::Farewell;
use super::session::protocol::Protocol;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// With more than these, the one that has waited longest goes without a word.
const MOST: usize = 4;

/// How long the first bytes may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many first bytes tell the protocol.
const TELLING: usize = 8;

/// How much is read: a whole request, mostly.
const READ: usize = 16 << 10;

/// Connections that are refused and not answered yet.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    unanswered: Vec<Unanswered>,
}

#[derive(Debug)]
struct Unanswered {
    stream: TcpStream,
    farewell: Farewell,
    /// The first bytes, as far as they have come.
    said: Vec<u8>,
    until: Instant,
}

impl Refusals {
    /// Refuses a connection.
    pub(super) fn refuse(&mut self, stream: TcpStream, farewell: Farewell, now: Instant) {
        if stream.set_nonblocking(true).is_err() {
            return;
        }
        if self.unanswered.len() >= MOST {
            self.unanswered.remove(0);
        }
        self.unanswered.push(Unanswered {
            stream,
            farewell,
            said: Vec::new(),
            until: now + PATIENCE,
        });
        self.answer(now);
    }

    /// Sleeps until one of `others` is readable, or a refused connection is, or has had its time. Returns which of the others
    /// are.
    pub(super) fn sleep<const N: usize>(
        &self,
        others: [BorrowedFd<'_>; N],
        now: Instant,
    ) -> [bool; N] {
        let own = self.unanswered.iter().map(|it| it.stream.as_fd());
        let fds = others.into_iter().chain(own);
        let mut fds: Vec<_> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let until = self.unanswered.iter().map(|it| it.until).min();
        let timeout = until.map_or(PollTimeout::NONE, |until| {
            let left = until.saturating_duration_since(now) + Duration::from_millis(1);
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        });
        // Interrupted by a signal: nobody is there, and the caller asks again.
        let _ = poll(&mut fds, timeout);
        std::array::from_fn(|at| fds[at].any().unwrap_or(false))
    }

    /// Answers those that have sent something, and forgets those that have had their time.
    pub(super) fn answer(&mut self, now: Instant) {
        self.unanswered.retain_mut(|it| it.waits() && now < it.until);
    }
}

impl Unanswered {
    /// Answers, if the first bytes have come; returns whether to wait for them.
    fn waits(&mut self) -> bool {
        let mut bytes = [0; READ];
        let count = match self.stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(count) => count,
            Err(error) => return is_not_yet(&error),
        };
        self.said.extend_from_slice(&bytes[..count.min(TELLING)]);
        let protocol = Protocol::of(&self.said);
        if protocol == Protocol::Open {
            return true;
        }
        // As far as it goes: a stranger gets no more of our time.
        let _ = self.stream.write_all(&self.farewell.bytes(protocol));
        let _ = self.stream.shutdown(Shutdown::Write);
        // Bytes that nobody has read when the socket is closed would take the answer back.
        let _ = self.stream.read(&mut bytes);
        false
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
