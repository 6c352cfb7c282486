//! Tells those who are turned away why.
//!
//! What they speak, their first bytes tell, and those are there in a moment or never. Few are waited for, none for long, and
//! nothing is kept for them but a socket.

use super::session::farewell::Farewell;
use super::session::protocol::Protocol;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// With more than these, the one that has waited longest goes without a word.
const MOST: usize = 4;

/// How long somebody may take to say his first bytes.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many first bytes tell what somebody speaks.
const TELLING: usize = 8;

/// What is read of somebody who is turned away: a whole request, mostly.
const READ: usize = 16 << 10;

/// Those who are waited for.
#[derive(Debug, Default)]
pub(super) struct Porter {
    turned_away: Vec<TurnedAway>,
}

#[derive(Debug)]
struct TurnedAway {
    stream: TcpStream,
    farewell: Farewell,
    /// His first bytes, as far as they have come.
    said: Vec<u8>,
    until: Instant,
}

impl Porter {
    /// Turns somebody away.
    pub(super) fn turn_away(&mut self, stream: TcpStream, farewell: Farewell, now: Instant) {
        if stream.set_nonblocking(true).is_err() {
            return;
        }
        if self.turned_away.len() >= MOST {
            self.turned_away.remove(0);
        }
        self.turned_away.push(TurnedAway {
            stream,
            farewell,
            said: Vec::new(),
            until: now + PATIENCE,
        });
        self.tell(now);
    }

    /// Sleeps until one of `others` is readable, or somebody who is turned away has spoken or has had his time. Returns which
    /// of the others are.
    pub(super) fn sleep<const N: usize>(
        &self,
        others: [BorrowedFd<'_>; N],
        now: Instant,
    ) -> [bool; N] {
        let own = self.turned_away.iter().map(|it| it.stream.as_fd());
        let fds = others.into_iter().chain(own);
        let mut fds: Vec<_> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let until = self.turned_away.iter().map(|it| it.until).min();
        let timeout = until.map_or(PollTimeout::NONE, |until| {
            let left = until.saturating_duration_since(now) + Duration::from_millis(1);
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        });
        // Interrupted by a signal: nobody is there, and the caller asks again.
        let _ = poll(&mut fds, timeout);
        std::array::from_fn(|at| fds[at].any().unwrap_or(false))
    }

    /// Tells those who have spoken, and forgets those who have had their time.
    pub(super) fn tell(&mut self, now: Instant) {
        self.turned_away.retain_mut(|it| it.waits() && now < it.until);
    }
}

impl TurnedAway {
    /// Answers, if he has spoken; whether to wait for that.
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
