//! Keeps a connection to one camera, and publishes the newest of what it sends.

mod admission;

use super::controls::Remote;
use super::decoding::Decoding;
use super::demand::Demand;
use super::news::{Asks, Hold, News, NoticeKind, Publisher};
use super::session::{SessionEnd, SessionError, pickle};
use crate::image::jpeg::codec::JpegError;
use crate::latest::{Latest, Newest, Reader};
use crate::net::tls::stream::GreetingError;
use crate::viewer::find::connect::Reached;
use crate::viewer::find::reach::{Reach, ReachError, Stranger, ToldBy};
pub use crate::viewer::find::wanted::Wanted;
use crate::viewer::keep::keyring::Keyring;
use crate::viewer::keep::recorder::Recorder;
use crate::wire::access::code::Code;
use crate::wire::native::message::{GoodbyeReason, Wishes};
use admission::{Sealing, Trust};
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
    keyring: Arc<Keyring>,
    /// The code to pair with, until it was tried.
    code: Option<Code>,
    /// Codes that the user types.
    typed: Reader<Code>,
    typed_into: Arc<Latest<Code>>,
    /// Why the last code did not pair.
    refusal: Option<String>,
    sealing: Sealing,
    trust: Trust,
}

/// How to talk with cameras.
#[derive(Debug, Clone, Default)]
pub struct Dialogue {
    /// In which protocol.
    pub protocol: Protocol,
    /// As whom: the cameras that this viewer is paired with.
    pub keyring: Arc<Keyring>,
    /// The code of the camera, to pair with it if it wants that.
    pub code: Option<Code>,
    /// Where somebody is asked for a code.
    pub asks: Asks,
}

impl Dialogue {
    /// How to talk with the next camera. A code is that of the first one alone.
    #[must_use]
    pub fn for_next(&mut self) -> Self {
        let code = self.code.take();
        Self { code, ..self.clone() }
    }
}

impl From<Protocol> for Dialogue {
    /// With cameras that are open to everybody.
    fn from(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }
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
        /// What the user calls the camera, and its address.
        camera: String,
        /// The error.
        source: SessionError,
    },
}

impl ReceiveError {
    /// Whether a code is what it takes, and none was tried just now.
    fn is_a_wish_for_a_code(&self) -> bool {
        match self {
            Self::Session { source, .. } => {
                matches!(source, SessionError::WantsCode | SessionError::KeyRefused)
            }
            Self::Reach(ReachError::Stranger(stranger)) => stranger.by == ToldBy::Certificate,
            Self::Reach(_) => false,
        }
    }

    /// Whether the camera has understood this viewer and said no, so that it is not asked again at once.
    fn is_a_refusal(&self) -> bool {
        let Self::Session { source, .. } = self else { return false };
        match source {
            SessionError::GivenKeyRefused => true,
            SessionError::Sealing(GreetingError::Handshake(error)) => error.is_refusal(),
            _ => false,
        }
    }

    /// The kind of notice for this error.
    pub fn kind(&self) -> NoticeKind {
        match self {
            Self::Session { source, .. } => match source {
                SessionError::Stranger { .. }
                | SessionError::NoGreeting(_)
                | SessionError::ClosedUnheard
                | SessionError::NoPickle
                | SessionError::PickleDialect(_)
                | SessionError::Pickle(_) => NoticeKind::NotLancam,
                SessionError::Version { .. }
                | SessionError::Wire(_)
                | SessionError::NoWelcome
                | SessionError::SecondWelcome => NoticeKind::Incompatible,
                SessionError::OtherCamera(stranger) => kind_of(stranger),
                SessionError::NotThatOfTheKey => NoticeKind::OtherCamera,
                SessionError::WantsCode => NoticeKind::WantsCode,
                SessionError::KeyRefused => NoticeKind::NotPaired,
                SessionError::NotPaired(why) if !why.is_of_the_network() => NoticeKind::NotPaired,
                SessionError::Sealing(GreetingError::Handshake(error)) if !error.is_refusal() => {
                    NoticeKind::NotLancam
                }
                SessionError::Silent(_)
                | SessionError::CutShort
                | SessionError::Connection(_)
                | SessionError::Sealing(_)
                | SessionError::NotPaired(_)
                | SessionError::GivenKeyRefused
                | SessionError::WantsTls => NoticeKind::Disconnected,
            },
            Self::Reach(ReachError::Stranger(stranger)) => kind_of(stranger),
            Self::Reach(_) => NoticeKind::Disconnected,
        }
    }
}

fn kind_of(stranger: &Stranger) -> NoticeKind {
    match stranger.by {
        ToldBy::Name => NoticeKind::OtherCamera,
        ToldBy::Certificate | ToldBy::NoCertificate => NoticeKind::NotThePaired,
    }
}

/// The pause between two attempts. A camera that is back should be seen within a second, and four attempts a second cost
/// nothing measurable.
const PAUSE: Duration = Duration::from_millis(250);

/// The least pause, however long an attempt took, so that a closed slot is noticed.
const BREATH: Duration = Duration::from_millis(20);

/// The pause when the camera is full or it is not the wanted server, so as not to flood it.
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// The pause when the camera waits for its code. A camera that is opened to everybody meanwhile is noticed then.
const CODE_PAUSE: Duration = Duration::from_secs(10);

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
        let typed_into = Latest::new();
        Ok(Self {
            reach: Reach::new(camera),
            protocol,
            decoding,
            publisher,
            remote: Remote::default(),
            keyring: Arc::default(),
            code: None,
            typed: typed_into.reader(),
            typed_into,
            refusal: None,
            sealing: Sealing::default(),
            trust: Trust::default(),
        })
    }

    /// Shows these keys to cameras, and pairs by this code.
    #[must_use]
    pub fn known_by(self, keyring: Arc<Keyring>, code: Option<Code>) -> Self {
        let trust = if code.is_some() { Trust::Proven } else { self.trust };
        Self { keyring, code, trust, ..self }
    }

    /// Where to put a code that the user has typed. Closing it ends the wait for one.
    pub fn codes(&self) -> Arc<Latest<Code>> {
        Arc::clone(&self.typed_into)
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

    /// Says why a code is wanted only where somebody is asked for it.
    #[must_use]
    pub fn asking(self, asks: Asks) -> Self {
        Self { publisher: self.publisher.asking(asks), ..self }
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
        let text = format!("connecting to {}", self.reach.address().written());
        self.publisher.notify(NoticeKind::Connecting, text);
        while !self.publisher.is_closed() {
            let begun = Instant::now();
            let outcome = self.run_once();
            if self.publisher.is_closed() {
                return;
            }
            let pause = pause_after(&outcome, self.reach.is_choosy());
            let pause = pause.max(self.reach.pause(Instant::now()));
            let (kind, text) = self.reason(outcome);
            self.publisher.notify(kind, text);
            // A slow attempt, such as asking the LAN, counts as pause.
            self.rest(kind, pause.saturating_sub(begun.elapsed()).max(BREATH));
        }
    }

    /// Why there is no picture.
    fn reason(
        &mut self,
        outcome: Result<(String, SessionEnd), ReceiveError>,
    ) -> (NoticeKind, String) {
        let error = match outcome {
            Ok((camera, end)) => {
                self.refusal = None;
                return (NoticeKind::Disconnected, farewell(&camera, &end));
            }
            Err(error) => error,
        };
        let (kind, text) = (error.kind(), error.to_string());
        match (error.is_a_wish_for_a_code(), &self.refusal) {
            // That it still wants a code says less than why the last one did not do.
            (true, Some(refusal)) => return (NoticeKind::NotPaired, refusal.clone()),
            (true, None) => {}
            (false, _) => self.refusal = (kind == NoticeKind::NotPaired).then(|| text.clone()),
        }
        (kind, text)
    }

    /// Waits before the next attempt. A code that is typed meanwhile ends the wait.
    fn rest(&mut self, kind: NoticeKind, pause: Duration) {
        if !kind.wants_code() {
            return thread::sleep(pause);
        }
        if let Newest::Fresh { value, .. } = self.typed.wait(pause) {
            // Nobody needs it there any longer.
            self.typed_into.withdraw(|_| true);
            (self.code, self.refusal, self.trust) = (Some(value), None, Trust::Proven);
            self.reach.ask_again();
        }
    }

    /// Connects once and publishes what the camera sends until the connection ends. Returns what the user calls the camera,
    /// with its address, and how it ended.
    ///
    /// # Errors
    /// When the server is not lancam, is another camera, has no common protocol version, or the connection broke.
    pub fn run_once(&mut self) -> Result<(String, SessionEnd), ReceiveError> {
        let mut reached = self.reach.connect(Instant::now())?;
        let mut end = self.watch(&reached);
        for _ in 0..MOST_STRANGERS {
            let stranger = match end {
                Err(SessionError::OtherCamera(stranger)) if self.is_elsewhere(&stranger) => {
                    stranger
                }
                _ => break,
            };
            // Who is asked for the code meanwhile is told nothing else.
            if self.reach.is_choosy() && !self.publisher.wants_code() {
                self.publisher.notify(NoticeKind::OtherCamera, stranger.while_looking());
            }
            reached = self.reach.connect_elsewhere(stranger, &reached, Instant::now())?;
            end = self.watch(&reached);
        }
        let camera = self.reach.called(&reached.address);
        match end {
            Ok(end) => Ok((camera, end)),
            // It names what it was found at.
            Err(SessionError::OtherCamera(stranger)) => Err(ReachError::from(stranger).into()),
            Err(source) => Err(ReceiveError::Session { camera, source }),
        }
    }

    /// Whether to look for the wanted camera at another address.
    fn is_elsewhere(&self, stranger: &Stranger) -> bool {
        stranger.by == ToldBy::Name || self.reach.may_be_elsewhere()
    }

    fn watch(&mut self, reached: &Reached) -> Result<SessionEnd, SessionError> {
        match self.protocol {
            Protocol::Native(wishes) => self.watch_native(reached, wishes),
            Protocol::Pickle => {
                let origin = self.reach.admit_nameless();
                let (decoding, publisher) = (&mut self.decoding, &mut self.publisher);
                pickle::watch(&reached.stream, origin, decoding, publisher)
            }
        }
    }
}

fn farewell(camera: &str, end: &SessionEnd) -> String {
    match end {
        SessionEnd::Goodbye { text, .. } if !text.is_empty() => format!("{camera}: {text}"),
        _ => format!("{camera} has closed the connection"),
    }
}

/// The pause after an attempt; `is_choosy`: one particular camera is wanted, wherever it is.
fn pause_after(outcome: &Result<(String, SessionEnd), ReceiveError>, is_choosy: bool) -> Duration {
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
            // It may appear elsewhere. The camera that was met in its place is asked more seldom.
            NoticeKind::NotThePaired if is_choosy => LONG_PAUSE,
            kind if kind.wants_code() => CODE_PAUSE,
            _ if error.is_a_refusal() => LONG_PAUSE,
            _ => PAUSE,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::find::address::CameraAddress;

    #[test]
    fn a_camera_that_is_looked_for_is_looked_for_soon_whoever_answers_in_its_place() {
        let address = CameraAddress::parse("10.0.0.5").expect("an address");
        let (wanted, found) = ("Garage".to_owned(), String::new());
        let stranger = Stranger { wanted, found, address, by: ToldBy::Certificate };
        let outcome = Err(ReceiveError::Reach(stranger.into()));
        assert_eq!(pause_after(&outcome, true), LONG_PAUSE);
        assert_eq!(pause_after(&outcome, false), CODE_PAUSE, "a code is waited for");
    }

    #[test]
    fn a_code_that_was_given_is_tried_on_one_camera_alone() {
        let code = Code::parse("K7QM-2XPD-9HRT").ok();
        let mut dialogue = Dialogue { code, ..Dialogue::default() };
        let has_code = [(); 3].map(|()| dialogue.for_next().code.is_some());
        assert_eq!(has_code, [true, false, false]);
    }

    #[test]
    fn cameras_chosen_beside_a_pickle_server_speak_lancams_protocol() {
        assert_eq!(Protocol::Pickle.of_chosen(), Protocol::default());
        let wishes = Protocol::Native(Wishes { width: 320, ..Wishes::default() });
        assert_eq!(wishes.of_chosen(), wishes);
    }
}
