//! Keeps a connection to one camera, and publishes the newest of what it sends.

use super::controls::Remote;
use super::decoding::Decoding;
use super::demand::Demand;
use super::news::{Hold, News, NoticeKind, Publisher};
use super::session::{SessionEnd, SessionError, native, pickle};
use crate::image::jpeg::codec::JpegError;
use crate::latest::Latest;
use crate::viewer::find::address::CameraAddress;
use crate::viewer::find::connect::Reached;
use crate::viewer::find::reach::{Reach, ReachError};
pub use crate::viewer::find::wanted::Wanted;
use crate::viewer::keep::recorder::Recorder;
use crate::wire::native::message::{GoodbyeReason, Wishes};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Connects, receives, and connects again.
#[derive(Debug)]
pub struct Receiver {
    reach: Reach,
    protocol: Protocol,
    decoding: Decoding,
    publisher: Publisher,
    remote: Remote,
}

/// The protocol spoken with a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// lancam's own. The greeting carries these wishes.
    Native(Wishes),
    /// The tutorial's, in which only the server sends.
    Pickle,
}

impl Default for Protocol {
    fn default() -> Self {
        Self::Native(Wishes::default())
    }
}

impl Protocol {
    /// The protocol of cameras that the user chooses later: lancam's, since the list has no others.
    pub fn of_chosen(self) -> Self {
        match self {
            Self::Pickle => Self::default(),
            native @ Self::Native(_) => native,
        }
    }
}

/// Why an attempt to watch a camera failed.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// No connection could be made.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The session failed.
    #[error("{camera} {source}")]
    Session {
        /// The camera's address.
        camera: CameraAddress,
        /// The error.
        source: SessionError,
    },
}

impl ReceiveError {
    /// The kind of notice for this error.
    pub fn kind(&self) -> NoticeKind {
        match self {
            Self::Session { source, .. } => match source {
                SessionError::Stranger { .. }
                | SessionError::NoGreeting(_)
                | SessionError::ClosedUnheard
                | SessionError::PickleDialect(_)
                | SessionError::Pickle(_) => NoticeKind::NotLancam,
                SessionError::Version { .. } | SessionError::Wire(_) | SessionError::NoWelcome => {
                    NoticeKind::Incompatible
                }
                SessionError::OtherCamera(_) => NoticeKind::OtherCamera,
                SessionError::Silent(_) | SessionError::CutShort | SessionError::Connection(_) => {
                    NoticeKind::Disconnected
                }
            },
            Self::Reach(ReachError::Stranger(_)) => NoticeKind::OtherCamera,
            Self::Reach(_) => NoticeKind::Disconnected,
        }
    }
}

/// The pause between two attempts. A camera that is back should be seen within a second, and four attempts a second cost
/// nothing measurable.
const PAUSE: Duration = Duration::from_millis(250);

/// The least pause, however long an attempt took, so that a closed slot is noticed.
const BREATH: Duration = Duration::from_millis(20);

/// The pause when the camera is full or it is not the wanted server, so as not to flood it.
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// How many cameras that are not the wanted one are tried without a pause.
const MOST_STRANGERS: usize = 3;

impl Receiver {
    /// A receiver that publishes `camera`'s pictures into `news`.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up.
    pub fn new(
        camera: Wanted,
        protocol: Protocol,
        news: Arc<Latest<News>>,
    ) -> Result<Self, JpegError> {
        let (decoding, publisher) = (Decoding::new()?, Publisher::new(news));
        Ok(Self {
            reach: Reach::new(camera),
            protocol,
            decoding,
            publisher,
            remote: Remote::default(),
        })
    }

    /// The recorder of the camera's frames, over all connections.
    pub fn recorder(&self) -> Recorder {
        self.decoding.recorder()
    }

    /// The camera's controls, over all connections.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Decodes only what `demand` asks for.
    #[must_use]
    pub fn looked_at_by(mut self, demand: Arc<Demand>) -> Self {
        self.decoding.look_at(demand);
        self
    }

    /// Does not log these notices at once.
    #[must_use]
    pub fn holding_back(self, hold: Hold) -> Self {
        Self { publisher: self.publisher.holding_back(hold), ..self }
    }

    /// Starts [`run`](Self::run) on a thread of its own.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(self) -> io::Result<()> {
        thread::Builder::new().name("receiver".into()).spawn(move || self.run())?;
        Ok(())
    }

    /// Receives until the slot is closed. Publishes each failure and tries again.
    pub fn run(mut self) {
        let text = format!("connecting to {}", self.reach.address());
        self.publisher.notify(NoticeKind::Connecting, text);
        while !self.publisher.is_closed() {
            let begun = Instant::now();
            let outcome = self.run_once();
            if self.publisher.is_closed() {
                return;
            }
            let pause = pause_after(&outcome).max(self.reach.pause(Instant::now()));
            let (kind, text) = match outcome {
                Ok((camera, end)) => (NoticeKind::Disconnected, farewell(&camera, &end)),
                Err(error) => (error.kind(), error.to_string()),
            };
            self.publisher.notify(kind, text);
            // A slow attempt, such as asking the LAN, counts as pause.
            thread::sleep(pause.saturating_sub(begun.elapsed()).max(BREATH));
        }
    }

    /// Connects once and publishes what the camera sends until the connection ends. Returns the camera's address and how it
    /// ended.
    ///
    /// # Errors
    /// When the server is not lancam, is another camera, has no common protocol version, or the connection broke.
    pub fn run_once(&mut self) -> Result<(CameraAddress, SessionEnd), ReceiveError> {
        let mut reached = self.reach.connect(Instant::now())?;
        let mut end = self.watch(&reached);
        for _ in 0..MOST_STRANGERS {
            let Err(SessionError::OtherCamera(stranger)) = end else { break };
            if self.reach.is_choosy() {
                self.publisher.notify(NoticeKind::OtherCamera, stranger.to_string());
            }
            reached = self.reach.connect_elsewhere(stranger, &reached, Instant::now())?;
            end = self.watch(&reached);
        }
        match end {
            Ok(end) => Ok((reached.address, end)),
            Err(source) => Err(ReceiveError::Session { camera: reached.address, source }),
        }
    }

    fn watch(&mut self, reached: &Reached) -> Result<SessionEnd, SessionError> {
        let (decoding, publisher) = (&mut self.decoding, &mut self.publisher);
        match self.protocol {
            Protocol::Native(wishes) => {
                let watched = native::watch(
                    reached,
                    wishes,
                    &mut self.reach,
                    &self.remote,
                    decoding,
                    publisher,
                );
                self.remote.end();
                watched
            }
            Protocol::Pickle => {
                let origin = self.reach.admit_nameless();
                pickle::watch(&reached.stream, origin, decoding, publisher)
            }
        }
    }
}

fn farewell(camera: &CameraAddress, end: &SessionEnd) -> String {
    match end {
        SessionEnd::Goodbye { text, .. } if !text.is_empty() => format!("{camera}: {text}"),
        _ => format!("{camera} has closed the connection"),
    }
}

fn pause_after(outcome: &Result<(CameraAddress, SessionEnd), ReceiveError>) -> Duration {
    match outcome.as_ref().map(|(_, end)| end) {
        // The camera is stopping, and may be restarted at once.
        Ok(SessionEnd::Goodbye { reason: GoodbyeReason::Stopping, .. } | SessionEnd::Closed) => {
            PAUSE
        }
        Ok(SessionEnd::Goodbye { .. }) => LONG_PAUSE,
        Err(error) => match error.kind() {
            NoticeKind::NotLancam | NoticeKind::Incompatible | NoticeKind::OtherCamera => {
                LONG_PAUSE
            }
            _ => PAUSE,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_chosen_beside_a_pickle_server_speak_lancams_protocol() {
        assert_eq!(Protocol::Pickle.of_chosen(), Protocol::default());
        let wishes = Protocol::Native(Wishes { width: 320, ..Wishes::default() });
        assert_eq!(wishes.of_chosen(), wishes);
    }
}
