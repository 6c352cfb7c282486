//! Asks everybody on the LAN by multicast DNS: the only file that names `if_addrs`.
//!
//! Questions are "one-shot" (RFC 6762, section 5.1): they come from a port of their own, and whoever knows answers at
//! once and to that port only. Who asks from port 5353 instead is answered by multicast, and a record is multicast at
//! most once in a second (section 6): whoever asks just after somebody else would hear nothing in time.

use super::socket::{self, MDNS_PORT, MDNS_V4, MDNS_V6};
use if_addrs::{IfAddr, get_if_addrs};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

/// When a question is asked, from the first time on: Wi-Fi loses multicasts more than anything else.
const ASKED_AT: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(150), Duration::from_millis(450)];

/// So many answers wait to be looked at; whoever sends faster than that waits in the kernel's buffers, and is lost there.
const WAITING: usize = 64;

/// The longest answer (RFC 6762, section 17).
const MAX_ANSWER: usize = 9000;

/// A thread here keeps one answer on its heap, and nothing large on its stack.
const STACK: usize = 128 << 10;

/// What somebody answered.
#[derive(Debug)]
pub struct Answer {
    /// A message of DNS.
    pub bytes: Vec<u8>,
    /// Who.
    pub from: SocketAddr,
    /// The index of the interface through which it came, where link-local IPv6 addresses need it.
    pub interface: Option<u32>,
}

/// Answers to a question, as they come.
#[derive(Debug)]
pub struct Answers {
    heard: Receiver<Answer>,
    deadline: Instant,
}

/// Sends `question`, a message of DNS, through every interface, and listens for answers for as long as `patience`.
///
/// # Errors
/// When this machine's interfaces cannot be found out, or none of them can be asked through.
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

    /// Sleeps until there is one, and ends when the time is up, whatever still waits, or nobody is left to ask.
    fn next(&mut self) -> Option<Answer> {
        let left = self.deadline.checked_duration_since(Instant::now())?;
        self.heard.recv_timeout(left).ok()
    }
}

/// A way into the LAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    V4(Ipv4Addr),
    V6(u32),
}

/// Every interface that is up; those of IPv6 once, however many addresses they have.
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

/// Asks through one interface.
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
            // One interface of several: a tunnel without multicast, a cable that was just pulled.
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
            // Zero would mean for ever.
            self.socket.set_read_timeout(Some((until - now).max(Duration::from_millis(1))))?;
            let (len, from) = match self.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if is_not_yet(&error) => continue,
                Err(error) => return Err(error),
            };
            let answer = Answer { bytes: buffer[..len].to_vec(), from, interface: self.interface };
            if self.answers.send(answer).is_err() {
                // Nobody listens any more.
                return Ok(());
            }
        }
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
