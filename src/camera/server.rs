//! Listens, and gives each viewer a session of its own.

use super::guestbook::Guestbook;
use super::metrics::Refused;
use super::session::{self, Camera};
use crate::net::lan::Guests;
use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Accepts viewers on all listeners until the end is asked for.
///
/// # Errors
/// When threads cannot be started.
pub fn start(
    listeners: Vec<TcpListener>,
    camera: &Camera,
    guests: &Guests,
) -> io::Result<Vec<JoinHandle<()>>> {
    let connections = Arc::new(AtomicUsize::new(0));
    let guestbook = Guestbook::default();
    listeners
        .into_iter()
        .map(|listener| {
            listener.set_nonblocking(true)?;
            let mut acceptor = Acceptor {
                listener,
                camera: camera.clone(),
                guests: guests.clone(),
                connections: Arc::clone(&connections),
                guestbook: guestbook.clone(),
                strangers: Warning::default(),
                crowd: Warning::default(),
            };
            thread::Builder::new().name("accept".into()).spawn(move || acceptor.run())
        })
        .collect()
}

struct Acceptor {
    listener: TcpListener,
    camera: Camera,
    guests: Guests,
    connections: Arc<AtomicUsize>,
    guestbook: Guestbook,
    strangers: Warning,
    crowd: Warning,
}

/// A warning that a flood would repeat: said once, and then not before a while, with how often.
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
            unsaid => log::warn!("{text} ({unsaid} more since this was said last)"),
        }
    }
}

/// Connections that may be open beyond the viewers' seats: to be greeted, refused, or told that it is full.
const ANTEROOM: usize = 32;

/// A session keeps nothing large on its stack.
const SESSION_STACK: usize = 256 << 10;

impl Acceptor {
    fn run(&mut self) {
        let mut troubled = false;
        while !wait_for(&self.listener, &self.camera.stop) {
            match self.listener.accept() {
                Ok((stream, peer)) => {
                    troubled = false;
                    self.admit(stream, peer);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    // Out of file descriptors, say: others' connections end in time.
                    if !std::mem::replace(&mut troubled, true) {
                        log::warn!("cannot accept viewers: {error}");
                    }
                    self.camera.stop.wait(Duration::from_millis(100));
                }
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        if !self.guests.admit(peer.ip()) {
            let ip = peer.ip().to_canonical();
            let text =
                format_args!("{ip} is not on the LAN and was refused; --allow {ip} lets it in");
            self.strangers.say(text, Instant::now());
            self.camera.renditions.metrics().refused(Refused::NotAllowed);
            return;
        }
        if self.connections.load(Ordering::Relaxed) >= self.camera.seats.count() + ANTEROOM {
            let text = format_args!("{peer} was refused: too many connections are open");
            self.crowd.say(text, Instant::now());
            self.camera.renditions.metrics().refused(Refused::TooMany);
            return;
        }
        let camera = self.camera.clone();
        let open = Open::new(&self.connections);
        let guest = self.guestbook.guest(peer);
        let session = move || {
            let _open = open;
            let end = session::run(&stream, &camera, &guest);
            drop(stream);
            guest.left(&end);
        };
        let thread = thread::Builder::new().name("session".into()).stack_size(SESSION_STACK);
        if let Err(error) = thread.spawn(session) {
            log::warn!("{peer} was refused: no thread for it: {error}");
        }
    }
}

/// Counts a connection for as long as it lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(connections: &Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sleeps until a viewer knocks (`false`) or the end is asked for (`true`).
fn wait_for(listener: &TcpListener, stop: &Stop) -> bool {
    let mut fds = [
        PollFd::new(listener.as_fd(), PollFlags::POLLIN),
        PollFd::new(stop.as_fd(), PollFlags::POLLIN),
    ];
    // Interrupted by a signal: accept finds nobody, and the loop asks again.
    let _ = poll(&mut fds, PollTimeout::NONE);
    fds[1].any().unwrap_or(false)
}
