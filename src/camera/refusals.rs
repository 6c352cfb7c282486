//! Refuses connections, and tells each client the reason in its own protocol.
//!
//! The first bytes show the protocol. lancam waits a short time for them, on a few connections, and
//! keeps only their sockets.

use super::session::farewell::Farewell;
use super::session::protocol::Protocol;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// With more than these, the one that has waited longest is closed without an answer.
const MOST: usize = 4;

/// How long to wait for the first bytes.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many first bytes show the protocol.
const TELLING: usize = 8;

/// How many bytes are read: in most cases a whole request.
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

    /// Sleeps until one of `others` or a refused connection is readable, or until a refused
    /// connection has waited long enough. Returns which of `others` are readable.
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
        // Interrupted by a signal: nothing is readable, and the caller calls again.
        let _ = poll(&mut fds, timeout);
        std::array::from_fn(|at| fds[at].any().unwrap_or(false))
    }

    /// Answers the clients that have sent something, and drops those that have waited long enough.
    pub(super) fn answer(&mut self, now: Instant) {
        self.unanswered.retain_mut(|it| it.waits() && now < it.until);
    }
}

impl Unanswered {
    /// Answers if the first bytes have come. Returns whether to wait on.
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
        // One attempt to write is enough for a client that is refused.
        let _ = self.stream.write_all(&self.farewell.bytes(protocol));
        let _ = self.stream.shutdown(Shutdown::Write);
        // If unread bytes remained at close, the kernel would reset the connection, and the client
        // could lose the answer.
        let _ = self.stream.read(&mut bytes);
        false
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
