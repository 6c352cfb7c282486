//! Keeps a connection to one camera, and the newest of what it sends in the slot.

use super::address::CameraAddress;
use super::developer::Developer;
use super::finder;
use super::list;
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
use std::time::Duration;

/// Connects, watches, and connects again.
#[derive(Debug)]
pub struct Receiver {
    wanted: Wanted,
    /// Where it is, once that is known.
    camera: Option<CameraAddress>,
    protocol: Protocol,
    developer: Developer,
    billboard: Billboard,
}

/// Which camera is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The one whose address was given.
    ThisOne,
    /// The only one on the LAN, wherever it is.
    TheOnlyOne,
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
    /// The LAN cannot be asked.
    #[error("cannot look for cameras on the LAN: {0}; name one: lancam-view ADDRESS")]
    CannotLook(io::Error),
    /// None, or several, where the only one was wanted.
    #[error("{0}")]
    NotTheOnlyOne(String),
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

/// Longer than any answer takes on a LAN; so the next attempt, with a SYN of its own, is not far.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

/// Between two attempts: a camera that is back must be seen within a second, and four attempts a
/// second cost neither end anything that could be measured ...
const PAUSE: Duration = Duration::from_millis(250);

/// ... but neither a camera that is full nor somebody else's server is to be pestered.
const LONG_PAUSE: Duration = Duration::from_secs(2);

impl Receiver {
    /// A receiver of `camera`'s pictures into `news`.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up.
    pub fn new(
        camera: CameraAddress,
        protocol: Protocol,
        news: Arc<Latest<News>>,
    ) -> Result<Self, JpegError> {
        let only_one = Self::of_the_only_one(protocol, news)?;
        Ok(Self { wanted: Wanted::ThisOne, camera: Some(camera), ..only_one })
    }

    /// The same of the only camera on the LAN; while there is none, or several, that is the news.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up.
    pub fn of_the_only_one(protocol: Protocol, news: Arc<Latest<News>>) -> Result<Self, JpegError> {
        let (developer, billboard) = (Developer::new()?, Billboard::new(news));
        Ok(Self { wanted: Wanted::TheOnlyOne, camera: None, protocol, developer, billboard })
    }

    /// What records the camera, over all connections.
    pub fn recorder(&self) -> Recorder {
        self.developer.recorder()
    }

    /// Receives for ever: what goes wrong is shown and tried again.
    pub fn run(mut self) -> ! {
        let text = match &self.camera {
            Some(camera) => format!("connecting to {camera}"),
            None => "looking for cameras on the LAN".to_owned(),
        };
        self.billboard.notify(NoticeKind::Connecting, text);
        loop {
            let outcome = self.run_once();
            let pause = pause_after(&outcome);
            let (kind, text) = match outcome {
                Ok((camera, end)) => (NoticeKind::Disconnected, farewell(&camera, &end)),
                Err(error) => (error.kind(), error.to_string()),
            };
            self.billboard.notify(kind, text);
            thread::sleep(pause);
        }
    }

    /// Connects once and shows what the camera sends until the connection ends; says which camera that was.
    ///
    /// # Errors
    /// When there is no lancam server, it cannot be understood, or the connection broke.
    pub fn run_once(&mut self) -> Result<(CameraAddress, SessionEnd), ReceiveError> {
        let camera = self.find()?;
        let connected = connect(&camera);
        if connected.is_err() && self.wanted == Wanted::TheOnlyOne {
            // It may have another address by now, or another camera may be the only one.
            self.camera = None;
        }
        let (stream, address) = (connected?, camera.to_string());
        let (developer, billboard) = (&mut self.developer, &mut self.billboard);
        let watched = match self.protocol {
            Protocol::Native(wishes) => {
                native::watch(&stream, &address, wishes, developer, billboard)
            }
            Protocol::Pickle => pickle::watch(&stream, &address, developer, billboard),
        };
        match watched {
            Ok(end) => Ok((camera, end)),
            Err(source) => Err(ReceiveError::Session { camera, source }),
        }
    }

    /// Where the camera is: as it was named, as it was found before, or as it is found now.
    fn find(&mut self) -> Result<CameraAddress, ReceiveError> {
        if let Some(camera) = &self.camera {
            return Ok(camera.clone());
        }
        let found = finder::look().map_err(ReceiveError::CannotLook)?;
        let [only_one] = found.as_slice() else {
            return Err(ReceiveError::NotTheOnlyOne(list::choice(&found)));
        };
        log::info!("found {} at {}", only_one.name, only_one.address());
        Ok(self.camera.insert(only_one.address()).clone())
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
