//! Accepts connections and gives each viewer a session.

use super::access::service::{is_service, to_add};
use super::connection_log::ConnectionLog;
use super::connections::{Connection, Room};
use super::context::Camera;
use super::metrics::Refused;
use super::refusals::Refusals;
use super::session;
use super::session::farewell::Farewell;
use crate::net::lan::Guests;
use crate::wording::reason;
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Accepts connections on all listeners until the program is stopped.
///
/// # Errors
/// When a thread cannot be started.
pub fn start(
    listeners: Vec<TcpListener>,
    camera: &Camera,
    guests: &Guests,
) -> io::Result<Vec<JoinHandle<()>>> {
    let connection_log = ConnectionLog::default();
    listeners
        .into_iter()
        .map(|listener| {
            listener.set_nonblocking(true)?;
            let camera = camera.at(&listener.local_addr()?);
            let mut acceptor = Acceptor {
                listener,
                camera,
                guests: guests.clone(),
                connection_log: connection_log.clone(),
                refusals: Refusals::default(),
                spare: Spare::new(),
                warnings: Warnings::default(),
            };
            thread::Builder::new().name("accept".into()).spawn(move || acceptor.run())
        })
        .collect()
}

struct Acceptor {
    listener: TcpListener,
    camera: Camera,
    guests: Guests,
    connection_log: ConnectionLog,
    refusals: Refusals,
    spare: Spare,
    warnings: Warnings,
}

/// The warnings that a flood of connections would repeat.
#[derive(Debug, Default)]
struct Warnings {
    strangers: Warning,
    crowd: Warning,
    descriptors: Warning,
}

/// A warning that is logged at most once a minute, with the number of times it was left out.
#[derive(Debug, Default)]
struct Warning {
    said_at: Option<Instant>,
    unsaid: u64,
}

impl Warning {
    const APART: Duration = Duration::from_secs(60);

    fn say(&mut self, text: std::fmt::Arguments<'_>, now: Instant) {
        if self.said_at.is_some_and(|at| now < at + Self::APART) {
            self.unsaid += 1;
            return;
        }
        self.said_at = Some(now);
        match std::mem::take(&mut self.unsaid) {
            0 => log::warn!("{text}"),
            unsaid => log::warn!("{text} ({unsaid} more since the last such line)"),
        }
    }
}

/// The stack of a session's thread. A session keeps nothing large on it.
const SESSION_STACK: usize = 256 << 10;

/// How long to wait after an error that may be over soon, as other connections end.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a session's thread gets to close the connection that it has lost.
const CLOSING: Duration = Duration::from_millis(20);

impl Acceptor {
    fn run(&mut self) {
        loop {
            let fds = [self.camera.stop.as_fd(), self.listener.as_fd()];
            let [stop, knocks] = self.refusals.sleep(fds, Instant::now());
            if stop {
                return;
            }
            self.refusals.answer(Instant::now());
            if !knocks {
                continue;
            }
            match self.listener.accept() {
                Ok((stream, peer)) => self.admit(stream, peer),
                // The viewer has closed the connection again, or there was none.
                Err(error) if has_left(&error) => {}
                Err(error) => self.cannot_accept(&error),
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let now = Instant::now();
        let ip = peer.ip().to_canonical();
        if !self.guests.admit(ip) {
            let text = stranger(ip, is_service());
            self.warnings.strangers.say(format_args!("refused a connection: {text}"), now);
            self.turn_away(stream, Refused::NotAllowed, text);
            return;
        }
        let stream = Arc::new(stream);
        match self.camera.connections.admit(ip, Arc::clone(&stream), now) {
            Ok((connection, room)) => {
                if room == Room::Made {
                    let most = self.camera.connections.most();
                    let text = format_args!(
                        "too many connections: more than {most} are open, so lancam closes those that are idle longest"
                    );
                    self.warnings.crowd.say(text, now);
                }
                self.start_session(connection, peer);
            }
            Err(crowd) => {
                let text = format_args!("refused a connection from {ip}: {crowd}");
                self.warnings.crowd.say(text, now);
                if let Some(stream) = Arc::into_inner(stream) {
                    self.turn_away(stream, Refused::TooMany, crowd.to_string());
                }
            }
        }
    }

    fn turn_away(&mut self, stream: TcpStream, why: Refused, text: String) {
        self.camera.metrics.refused(why);
        self.refusals.refuse(stream, Farewell { why, text }, Instant::now());
    }

    fn start_session(&mut self, connection: Connection, peer: SocketAddr) {
        let camera = self.camera.clone();
        let entry = self.connection_log.entry(peer);
        let stream = connection.share_stream();
        let session = move || {
            let end = session::run(&connection, &camera, &entry);
            drop(connection);
            entry.left(&end);
        };
        let thread = thread::Builder::new().name("session".into()).stack_size(SESSION_STACK);
        if let Err(error) = thread.spawn(session) {
            let why = reason(&error);
            let text = format!("cannot start a thread for another connection: {why}");
            self.warnings.descriptors.say(format_args!("{text}"), Instant::now());
            if let Some(stream) = Arc::into_inner(stream) {
                self.turn_away(stream, Refused::TooMany, text);
            }
        }
    }

    /// Accepting failed, for instance without file descriptors left. Closes one waiting connection,
    /// so that the next viewer in the queue can be served. If none is waiting, tells that viewer why
    /// it is not served.
    fn cannot_accept(&mut self, error: &io::Error) {
        let now = Instant::now();
        self.warnings.descriptors.say(format_args!("cannot accept connections: {error}"), now);
        if self.camera.connections.let_one_go().is_some() {
            self.camera.stop.wait(CLOSING);
            return;
        }
        if let Some((stream, _)) = self.spare.accept(&self.listener) {
            let text = format!("cannot accept another connection now: {error}");
            self.turn_away(stream, Refused::TooMany, text);
        }
        self.camera.stop.wait(AGAIN);
    }
}

/// A file descriptor in reserve, to accept a connection when no other is left.
#[derive(Debug)]
struct Spare(Option<File>);

impl Spare {
    fn new() -> Self {
        Self(File::open("/dev/null").ok())
    }

    /// Accepts a connection with the reserved descriptor.
    fn accept(&mut self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
        self.0 = None;
        let accepted = listener.accept().ok();
        self.0 = File::open("/dev/null").ok();
        accepted
    }
}

/// What to say to somebody from elsewhere, and in the log.
fn stranger(ip: IpAddr, is_service: bool) -> String {
    let how = to_add("allow", &ip.to_string(), is_service);
    format!("{ip} is not on the LAN. To let it in, {how}")
}

fn has_left(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_let_in_where_lancam_reads_its_options() {
        let said = |is_service| stranger([203, 0, 113, 9].into(), is_service);
        assert_eq!(
            said(false),
            "203.0.113.9 is not on the LAN. To let it in, start lancam with --allow 203.0.113.9"
        );
        assert!(
            said(true)
                .contains("write allow = [\"203.0.113.9\"] into this camera's configuration file")
        );
    }
}
