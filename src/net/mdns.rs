//! Asks all machines on the LAN by multicast DNS. Only this file names `if_addrs`.
//!
//! Questions are "one-shot" (RFC 6762, section 5.1): they are sent from a port of their own, and a responder answers at once
//! and only to that port. Answers to a question from port 5353 would be multicast, and a record is multicast at most once a
//! second (section 6). So a question shortly after somebody else's would get its answer too late.

use super::socket::{self, MDNS_PORT, MDNS_V4, MDNS_V6};
use if_addrs::{IfAddr, get_if_addrs};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

/// When a question is sent, counted from the first time. It is repeated because Wi-Fi loses multicasts more often than
/// anything else.
const ASKED_AT: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(150), Duration::from_millis(450)];

/// How many answers wait to be read. Faster ones wait in the kernel's buffers, and the kernel drops what does not fit.
const WAITING: usize = 64;

/// The longest answer (RFC 6762, section 17).
const MAX_ANSWER: usize = 9000;

/// The stack of a thread here, which keeps one answer on the heap and nothing large on the stack.
const STACK: usize = 128 << 10;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The DNS message.
    pub bytes: Vec<u8>,
    /// The sender.
    pub from: SocketAddr,
    /// The index of the interface on which it arrived, if link-local IPv6 addresses need it.
    pub interface: Option<u32>,
}

/// The answers to a question, as they arrive.
#[derive(Debug)]
pub struct Answers {
    heard: Receiver<Answer>,
    deadline: Instant,
}

/// Sends `question`, a DNS message, on every interface, and collects answers for `patience`.
///
/// # Errors
/// When the interfaces cannot be listed, or the question cannot be sent on any of them.
pub fn ask(question: &[u8], patience: Duration) -> io::Result<Answers> {
    let question: Arc<[u8]> = question.into();
    let deadline = Instant::now() + patience;
    let (sender, heard) = mpsc::sync_channel(WAITING);
    let mut failure = None;
    let mut asked = 0;
    for way in ways()? {
        let started = way.open().and_then(|socket| {
            let asker = Asker {
                socket,
                group: way.group(),
                interface: way.index(),
                question: Arc::clone(&question),
                deadline,
                answers: sender.clone(),
            };
            let thread = thread::Builder::new().name("mdns".into()).stack_size(STACK);
            thread.spawn(move || asker.run())
        });
        match started {
            Ok(_) => asked += 1,
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if asked == 0 => Err(error),
        _ => Ok(Answers { heard, deadline }),
    }
}

impl Iterator for Answers {
    type Item = Answer;

    /// Waits for the next answer. `None` when the time is over, or when all threads have ended.
    fn next(&mut self) -> Option<Answer> {
        let left = self.deadline.checked_duration_since(Instant::now())?;
        self.heard.recv_timeout(left).ok()
    }
}

/// An interface to send a question on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    V4(Ipv4Addr),
    V6(u32),
}

/// All interfaces that are up. With IPv6 each is listed once, even if it has several addresses.
fn ways() -> io::Result<BTreeSet<Way>> {
    let up = get_if_addrs()?.into_iter().filter(if_addrs::Interface::is_oper_up);
    let ways = up.filter_map(|interface| match interface.addr {
        IfAddr::V4(address) => Some(Way::V4(address.ip)),
        IfAddr::V6(_) => interface.index.map(Way::V6),
    });
    Ok(ways.collect())
}

impl Way {
    fn open(self) -> io::Result<UdpSocket> {
        match self {
            Self::V4(address) => socket::multicast_v4(address),
            Self::V6(index) => socket::multicast_v6(index),
        }
    }

    fn group(self) -> SocketAddr {
        match self {
            Self::V4(_) => (MDNS_V4, MDNS_PORT).into(),
            Self::V6(index) => SocketAddrV6::new(MDNS_V6, MDNS_PORT, 0, index).into(),
        }
    }

    fn index(self) -> Option<u32> {
        match self {
            Self::V4(_) => None,
            Self::V6(index) => Some(index),
        }
    }
}

/// Sends a question on one interface and receives its answers.
struct Asker {
    socket: UdpSocket,
    group: SocketAddr,
    interface: Option<u32>,
    question: Arc<[u8]>,
    deadline: Instant,
    answers: SyncSender<Answer>,
}

impl Asker {
    fn run(&self) {
        if let Err(error) = self.ask_and_listen() {
            // This is one interface of several: a tunnel without multicast, or a cable that was just unplugged.
            log::debug!("cannot ask for cameras through {}: {error}", self.group);
        }
    }

    fn ask_and_listen(&self) -> io::Result<()> {
        let started = Instant::now();
        let mut buffer = vec![0; MAX_ANSWER];
        let mut asked = 0;
        loop {
            let now = Instant::now();
            if now >= self.deadline {
                return Ok(());
            }
            let next = ASKED_AT.get(asked).map(|&after| started + after);
            if next.is_some_and(|at| now >= at) {
                self.socket.send_to(&self.question, self.group)?;
                asked += 1;
                continue;
            }
            let until = next.map_or(self.deadline, |at| at.min(self.deadline));
            // A timeout of zero would mean no timeout.
            self.socket.set_read_timeout(Some((until - now).max(Duration::from_millis(1))))?;
            let (len, from) = match self.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if is_not_yet(&error) => continue,
                Err(error) => return Err(error),
            };
            let answer = Answer { bytes: buffer[..len].to_vec(), from, interface: self.interface };
            if self.answers.send(answer).is_err() {
                // Nobody reads the answers any more.
                return Ok(());
            }
        }
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
