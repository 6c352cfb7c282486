//! Keeps a connection to one camera, and the newest of what it sends in the slot.

use super::address::CameraAddress;
use super::controls::Remote;
use super::demand::Demand;
use super::developer::Developer;
use super::finder;
use super::local_name;
use super::news::{Billboard, News, NoticeKind};
use super::recorder::Recorder;
use super::session::{SessionEnd, SessionError, native, pickle};
use crate::image::jpeg::codec::JpegError;
use crate::latest::Latest;
use crate::net::socket;
use crate::wire::native::message::{GoodbyeReason, Wishes};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Connects, watches, and connects again.
#[derive(Debug)]
pub struct Receiver {
    camera: Wanted,
    /// Where it was connected to last.
    last: Option<CameraAddress>,
    /// Attempts since then.
    failures: u32,
    search: Search,
    protocol: Protocol,
    developer: Developer,
    billboard: Billboard,
    remote: Remote,
}

/// Which camera is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is called on the LAN, if it is known by its name: then it is looked for where it is no longer.
    pub name: Option<String>,
    /// Where it is, or was last.
    pub address: CameraAddress,
}

impl Wanted {
    /// The camera at an address; NAME.local is a name.
    pub fn at(address: CameraAddress) -> Self {
        Self { name: local_name::name_of(&address.host).map(str::to_owned), address }
    }
}

/// What is spoken with a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// lancam's own; these wishes go with the greeting.
    Native(Wishes),
    /// The tutorial's, where only the server speaks.
    Pickle,
}

/// Why one attempt to watch a camera failed.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The name means nothing here.
    #[error("cannot find {host}: {source}; try its IP address, or NAME.local")]
    Unresolved {
        /// As it was written.
        host: String,
        /// The system's word for it.
        source: io::Error,
    },
    /// The machine is there, and nobody listens.
    #[error("nothing listens at {}: is lancam running there, and on this port?", place(camera, *address))]
    Refused {
        /// As it was written.
        camera: CameraAddress,
        /// The last address that was tried.
        address: SocketAddr,
    },
    /// The machine is not there.
    #[error("cannot reach {}: {source}; is it switched on, and in this network?", place(camera, *address))]
    Unreachable {
        /// As it was written.
        camera: CameraAddress,
        /// The last address that was tried.
        address: SocketAddr,
        /// The system's word for it.
        source: io::Error,
    },
    /// It was reached, and then something went wrong.
    #[error("{camera} {source}")]
    Session {
        /// As it was written.
        camera: CameraAddress,
        /// What went wrong.
        source: SessionError,
    },
}

impl ReceiveError {
    /// What sort of thing is in the way.
    pub fn kind(&self) -> NoticeKind {
        match self {
            Self::Session { source, .. } => match source {
                SessionError::Stranger { .. }
                | SessionError::NoGreeting(_)
                | SessionError::ClosedUnheard
                | SessionError::Pickle(_) => NoticeKind::NotLancam,
                SessionError::Version { .. } | SessionError::Wire(_) => NoticeKind::Incompatible,
                SessionError::Silent(_) | SessionError::CutShort | SessionError::Connection(_) => {
                    NoticeKind::Disconnected
                }
            },
            _ => NoticeKind::Disconnected,
        }
    }
}

/// Longer than any answer takes on a LAN; so the next attempt, with a SYN of its own, is not far: the network may be
/// back just after this one was lost.
const CONNECT_PATIENCE: Duration = Duration::from_millis(700);

/// Between two attempts: a camera that is back must be seen within a second, and four attempts a
/// second cost neither end anything that could be measured ...
const PAUSE: Duration = Duration::from_millis(250);

/// ... however long one of them took, there is time to see that nobody wants another ...
const BREATH: Duration = Duration::from_millis(20);

/// ... but neither a camera that is full nor somebody else's server is to be pestered.
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// A machine that was NAME.local may have another address by now: each so many attempts, that is asked for again.
const RESOLVED_EACH: u32 = 5;

impl Receiver {
    /// A receiver of `camera`'s pictures into `news`.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up.
    pub fn new(
        camera: Wanted,
        protocol: Protocol,
        news: Arc<Latest<News>>,
    ) -> Result<Self, JpegError> {
        let (developer, billboard) = (Developer::new()?, Billboard::new(news));
        Ok(Self {
            camera,
            last: None,
            failures: 0,
            search: Search::default(),
            protocol,
            developer,
            billboard,
            remote: Remote::default(),
        })
    }

    /// What records the camera, over all connections.
    pub fn recorder(&self) -> Recorder {
        self.developer.recorder()
    }

    /// The camera's controls, over all connections.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Decodes only what is in `demand`.
    #[must_use]
    pub fn looked_at_by(mut self, demand: Arc<Demand>) -> Self {
        self.developer.look_at(demand);
        self
    }

    /// Receives until the slot is closed: what goes wrong is shown and tried again.
    pub fn run(mut self) {
        let text = format!("connecting to {}", self.camera.address);
        self.billboard.notify(NoticeKind::Connecting, text);
        while !self.billboard.is_closed() {
            let begun = Instant::now();
            let outcome = self.run_once();
            if self.billboard.is_closed() {
                return;
            }
            let pause = pause_after(&outcome).max(self.pause_of_search(Instant::now()));
            let (kind, text) = match outcome {
                Ok((camera, end)) => (NoticeKind::Disconnected, farewell(&camera, &end)),
                Err(error) => (error.kind(), error.to_string()),
            };
            self.billboard.notify(kind, text);
            // An attempt that took long, such as asking the LAN, has been a pause itself.
            thread::sleep(pause.saturating_sub(begun.elapsed()).max(BREATH));
        }
    }

    /// Connects once and shows what the camera sends until the connection ends; says where that camera was.
    ///
    /// # Errors
    /// When there is no lancam server, it cannot be understood, or the connection broke.
    pub fn run_once(&mut self) -> Result<(CameraAddress, SessionEnd), ReceiveError> {
        let (stream, camera) = self.connect()?;
        let address = camera.to_string();
        let (developer, billboard) = (&mut self.developer, &mut self.billboard);
        let watched = match self.protocol {
            Protocol::Native(wishes) => {
                let watched =
                    native::watch(&stream, &address, wishes, &self.remote, developer, billboard);
                self.remote.end();
                watched
            }
            Protocol::Pickle => pickle::watch(&stream, &address, developer, billboard),
        };
        match watched {
            Ok(end) => Ok((camera, end)),
            Err(source) => Err(ReceiveError::Session { camera, source }),
        }
    }

    /// Connects to where the camera is, or else to where its name is announced now.
    fn connect(&mut self) -> Result<(TcpStream, CameraAddress), ReceiveError> {
        let is_named = self.camera.name.is_some() && self.protocol != Protocol::Pickle;
        let begun = Instant::now();
        let is_asked = is_named && self.search.is_due(begun);
        let known = match &self.last {
            // Asking for NAME.local takes seconds while nobody has that name.
            Some(last)
                if is_named
                    && !(is_asked && self.failures % RESOLVED_EACH == RESOLVED_EACH - 1) =>
            {
                last
            }
            _ => &self.camera.address,
        };
        let (known, connected) = (known.clone(), connect(known));
        if is_asked {
            self.search.asked = Some(begun);
        }
        let connected = match connected {
            Err(failure) if is_asked => self.connect_by_name(&known).unwrap_or(Err(failure)),
            connected => connected.map(|stream| (stream, known)),
        };
        match &connected {
            Ok((stream, _)) => {
                self.failures = 0;
                self.search = Search::default();
                let host_and_port = |address: SocketAddr| CameraAddress {
                    host: finder::host(address),
                    port: address.port(),
                };
                self.last = stream.peer_addr().ok().map(host_and_port);
            }
            Err(_) => {
                self.failures = self.failures.wrapping_add(1);
                self.search.since.get_or_insert(begun);
            }
        }
        connected
    }

    /// Where the LAN is the only one to know where the camera is, there is nothing to try before it is asked again.
    fn pause_of_search(&self, now: Instant) -> Duration {
        let is_unknown = self.last.is_none() && local_name::is_local(&self.camera.address.host);
        if is_unknown { self.search.left(now) } else { Duration::ZERO }
    }

    /// Connects to where its name is announced; `None` where it is not.
    fn connect_by_name(
        &self,
        known: &CameraAddress,
    ) -> Option<Result<(TcpStream, CameraAddress), ReceiveError>> {
        let name = self.camera.name.as_deref()?;
        let found = match finder::look_for(name) {
            Ok(found) => found?.address(),
            Err(error) => {
                log::debug!("cannot look for {name}: {error}");
                return None;
            }
        };
        if found != *known {
            log::info!("{name} is at {found} now");
        }
        Some(connect(&found).map(|stream| (stream, found)))
    }
}

/// When the LAN is asked for a camera that is not where it was: everybody there hears it.
#[derive(Debug, Clone, Copy, Default)]
struct Search {
    /// Since when it is away.
    since: Option<Instant>,
    asked: Option<Instant>,
}

/// A camera that is switched off and on, or gets another address, is back within this time, and is asked for all the while ...
const EAGER: Duration = Duration::from_secs(60);

/// ... and one that is away for longer so often.
const ASKED_EACH: Duration = Duration::from_secs(3);

impl Search {
    fn is_due(&self, now: Instant) -> bool {
        self.left(now).is_zero()
    }

    /// Until it is due.
    fn left(&self, now: Instant) -> Duration {
        match (self.since, self.asked) {
            (Some(since), Some(asked)) if now.saturating_duration_since(since) >= EAGER => {
                ASKED_EACH.saturating_sub(now.saturating_duration_since(asked))
            }
            _ => Duration::ZERO,
        }
    }
}

/// Tries all addresses in the system's order of preference; reports the last one's failure.
fn connect(camera: &CameraAddress) -> Result<TcpStream, ReceiveError> {
    let unresolved = |source| ReceiveError::Unresolved { host: camera.host.clone(), source };
    let mut failure = None;
    for address in camera.resolve().map_err(unresolved)? {
        match socket::connect(address, CONNECT_PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(source) => failure = Some((address, source)),
        }
    }
    let camera = camera.clone();
    Err(match failure {
        Some((address, source)) if source.kind() == ErrorKind::ConnectionRefused => {
            ReceiveError::Refused { camera, address }
        }
        Some((address, source)) => ReceiveError::Unreachable { camera, address, source },
        None => unresolved(ErrorKind::NotFound.into()),
    })
}

fn farewell(camera: &CameraAddress, end: &SessionEnd) -> String {
    match end {
        SessionEnd::Goodbye { text, .. } if !text.is_empty() => format!("{camera}: {text}"),
        _ => format!("{camera} has closed the connection"),
    }
}

fn pause_after(outcome: &Result<(CameraAddress, SessionEnd), ReceiveError>) -> Duration {
    match outcome.as_ref().map(|(_, end)| end) {
        // It stops, and may be started again at once.
        Ok(SessionEnd::Goodbye { reason: GoodbyeReason::Stopping, .. } | SessionEnd::Closed) => {
            PAUSE
        }
        Ok(SessionEnd::Goodbye { .. }) => LONG_PAUSE,
        Err(error) => match error.kind() {
            NoticeKind::NotLancam | NoticeKind::Incompatible => LONG_PAUSE,
            _ => PAUSE,
        },
    }
}

/// Where it was tried, and which address that is, where the two differ.
fn place(camera: &CameraAddress, address: SocketAddr) -> String {
    match (camera.to_string(), address.to_string()) {
        (camera, address) if camera == address => camera,
        (camera, address) => format!("{camera} ({address})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lan_is_asked_for_a_camera_that_is_away_and_less_often_after_a_minute() {
        let start = Instant::now();
        let mut search = Search::default();
        assert!(search.is_due(start), "it is not where it was");
        (search.since, search.asked) = (Some(start), Some(start));
        assert!(search.is_due(start + EAGER / 2));
        let late = start + EAGER;
        search.asked = Some(late);
        assert_eq!(search.left(late), ASKED_EACH);
        assert!(!search.is_due(late + ASKED_EACH / 2));
        assert!(search.is_due(late + ASKED_EACH));
    }
}
