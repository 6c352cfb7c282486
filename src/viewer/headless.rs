//! A screen without a window: for scripts, tests and measuring.

use super::run::{End, Screen};
use super::terminal::{Answer, Terminal};
use super::watch::channel::{Change, Channel};
use super::watch::news::{Hold, Notice, NoticeKind};
use crate::wire::access::code::Code;
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// After this many pictures.
    Pictures(u64),
    /// This long after the first picture.
    Elapsed(Duration),
    /// Never by itself, unless a recording ends by itself.
    Never,
}

/// How long to wait for pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// The wait for the first picture.
    pub first: Duration,
    /// The wait for each later picture. `None`: until the camera is back.
    pub next: Option<Duration>,
}

impl Timeout {
    /// Which notices the log does not get at once, since one of them will be the reason when this wait ends.
    pub fn hold(self) -> Hold {
        match self.next {
            Some(_) => Hold::Everything,
            None => Hold::BeforeFirstPicture,
        }
    }
}

impl From<Duration> for Timeout {
    /// The same wait for all pictures.
    fn from(timeout: Duration) -> Self {
        Self { first: timeout, next: Some(timeout) }
    }
}

/// Counts the pictures of one camera, and ends in time whatever happens.
#[derive(Debug)]
pub struct Headless {
    /// The camera.
    pub camera: Channel,
    limit: Limit,
    timeout: Timeout,
    /// When the wait for a picture began.
    waiting_since: Instant,
    first_at: Option<Instant>,
    /// Where somebody can be asked for a code.
    terminal: Option<Terminal>,
    /// Why a code is asked for there, until one was typed or a picture came.
    asked: Option<String>,
}

impl Headless {
    /// A screen that ends at `limit`, or when no picture has come for `timeout`. With [`Limit::Never`] it also ends when the
    /// recording fails.
    pub fn new(camera: Channel, limit: Limit, timeout: Timeout, now: Instant) -> Self {
        let (first_at, terminal, asked) = (None, None, None);
        Self { camera, limit, timeout, waiting_since: now, first_at, terminal, asked }
    }

    /// Asks there for the code, if the camera wants one. Without a terminal, that ends it.
    #[must_use]
    pub fn asking_at(self, terminal: Option<Terminal>) -> Self {
        Self { terminal, ..self }
    }

    /// The notice that is up.
    fn notice(&self) -> Option<&Notice> {
        self.camera.notice.as_ref().map(|standing| &*standing.notice)
    }

    /// Whether somebody is being asked for the code. While people look for it, no time runs out.
    fn is_asking(&self) -> bool {
        self.terminal.is_some()
            && self.notice().is_some_and(|notice| {
                notice.kind.wants_code() || notice.kind == NoticeKind::Pairing
            })
    }

    /// Asks for the code, if that is news, and tries what was typed.
    fn converse(&mut self, change: Change, now: Instant) {
        let question = self.question(change);
        if !self.is_asking() {
            return;
        }
        self.waiting_since = now;
        let wants_code = self.notice().is_some_and(|notice| notice.kind.wants_code());
        let Some(terminal) = self.terminal.as_mut().filter(|_| wants_code) else { return };
        if let Some(reason) = question {
            terminal.ask(&format!("lancam-view: {reason}\n{QUESTION}"));
        }
        match terminal.answer() {
            Answer::Line(line) => match Code::parse(&line) {
                Ok(code) => {
                    self.asked = None;
                    self.camera.pair(code);
                }
                Err(error) => terminal.ask(&format!("{error}\n{QUESTION}")),
            },
            Answer::NotYet => {}
            Answer::Never => self.terminal = None,
        }
    }

    /// Why the code is to be asked for now; `None` if it is not wanted, or was asked for already for that reason.
    fn question(&mut self, change: Change) -> Option<String> {
        if change == Change::Picture {
            self.asked = None;
        }
        let notice = self.notice().filter(|notice| notice.kind.wants_code())?;
        let is_news = change == Change::Notice && self.asked.as_ref() != Some(&notice.text);
        let reason = is_news.then(|| notice.text.clone())?;
        self.asked = Some(reason.clone());
        Some(reason)
    }

    /// When the wait ends at the latest; `None` if never.
    fn deadline(&self) -> Option<Instant> {
        let end = match (self.limit, self.first_at) {
            (Limit::Elapsed(long), Some(first)) => Some(first + long),
            _ => None,
        };
        let patience_ends = self.timeout().map(|timeout| self.waiting_since + timeout);
        end.into_iter().chain(patience_ends).min()
    }

    /// The longest wait for the next picture.
    fn timeout(&self) -> Option<Duration> {
        match self.first_at {
            None => Some(self.timeout.first),
            Some(_) => self.timeout.next,
        }
    }

    fn is_done(&self, now: Instant) -> bool {
        match (self.limit, self.first_at) {
            (Limit::Pictures(count), _) => self.camera.statistics.shown() >= count,
            (Limit::Elapsed(long), Some(first)) => first + long <= now,
            (Limit::Elapsed(_), None) | (Limit::Never, _) => false,
        }
    }

    /// Why waiting longer is useless, if it is.
    fn is_futile(&self, now: Instant) -> Option<End> {
        let notice = self.notice();
        let reason = || match notice {
            None => "the camera sends none".to_owned(),
            Some(Notice { kind: NoticeKind::Connecting, text }) => {
                format!("no answer while {text}. Is that its address, and is it switched on?")
            }
            Some(Notice { kind: NoticeKind::WantsCode, text }) => {
                format!("{text}. Then add --code CODE")
            }
            Some(notice) => notice.text.clone(),
        };
        match notice.map(|notice| notice.kind) {
            Some(NoticeKind::Incompatible) => return Some(End::Failed(reason())),
            // The camera that was watched may be somewhere else now, and come back.
            Some(NoticeKind::NotThePaired) if self.first_at.is_some() => {}
            // It stays so until somebody does something.
            Some(kind) if kind.wants_code() && !self.is_asking() => {
                return Some(match self.first_at {
                    None => End::NoFirstPicture(reason()),
                    Some(_) => End::Failed(reason()),
                });
            }
            Some(NoticeKind::NotLancam) if self.first_at.is_none() => {
                return Some(End::NotLancam(reason()));
            }
            _ => {}
        }
        let timeout = self.timeout()?;
        if now < self.waiting_since + timeout {
            return None;
        }
        let waited = format!("no picture for {} s: {}", timeout.as_secs_f64(), reason());
        Some(match self.first_at {
            None => End::NoFirstPicture(waited),
            Some(_) => End::Failed(waited),
        })
    }

    /// Reports at once that the recording has ended by itself. If there is no other limit, that ends the program.
    fn has_failed(&mut self) -> Option<End> {
        let failure = self.camera.recording_failure()?;
        if self.limit == Limit::Never {
            return Some(End::Failed(failure));
        }
        log::error!("{failure}");
        None
    }

    /// Logs the notice that was held back. This end has another reason, so nobody else reports it.
    fn tell_held(&self) {
        let Some(standing) = &self.camera.notice else { return };
        let Notice { kind, text } = &*standing.notice;
        if self.timeout.hold().holds(*kind, true) {
            log::log!(kind.level(), "{text}");
        }
    }
}

/// The reason when somebody ends the viewer before the first picture.
const ENDED_EARLY: &str = "ended before the first picture came";

/// What stands before the code that is typed.
const QUESTION: &str = "Code:";

/// How often to check whether the recording has ended, while no picture comes.
const LOOK: Duration = Duration::from_secs(1);

impl Screen for Headless {
    type Error = Infallible;

    fn patience(&self, now: Instant) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(now);
        self.deadline().map_or(LOOK, |deadline| left(deadline).min(LOOK))
    }

    fn refresh(&mut self, now: Instant) -> Result<Option<End>, Infallible> {
        let change = self.camera.update(now, true);
        if let (Change::Picture, Some(arrival)) = (change, &self.camera.arrival) {
            self.waiting_since = now;
            self.first_at.get_or_insert(now);
            let picture = &arrival.picture;
            log::debug!("frame {} of {}", picture.sequence, picture.size());
        }
        self.converse(change, now);
        self.camera.shown(Instant::now());
        if self.is_done(now) {
            self.tell_held();
            return Ok(Some(End::Done));
        }
        Ok(self.has_failed().or_else(|| self.is_futile(now)))
    }

    fn interrupted(&self) -> End {
        match self.first_at {
            Some(_) => {
                self.tell_held();
                End::Done
            }
            None => End::NoFirstPicture(match &self.camera.notice {
                // Who was asked for the code knows the reason.
                Some(standing)
                    if standing.notice.kind != NoticeKind::Connecting && !self.is_asking() =>
                {
                    format!("{ENDED_EARLY}: {}", standing.notice.text)
                }
                _ => ENDED_EARLY.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latest::{Doorbell, Latest};
    use crate::viewer::find::address::CameraAddress;
    use crate::viewer::keep::recorder::Recorder;
    use crate::viewer::leave::Leave;
    use crate::viewer::run::run;
    use crate::viewer::watch::channel::Feed;
    use crate::viewer::watch::controls::Remote;
    use crate::viewer::watch::news::Publisher;
    use crate::viewer::watch::receiver::Wanted;
    use std::sync::Arc;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn screen(limit: Limit, timeout: Timeout, now: Instant) -> (Headless, Publisher) {
        let slot = Latest::new();
        let publisher = Publisher::new(Arc::clone(&slot));
        let (recorder, remote) = (Recorder::default(), Remote::default());
        let feed = Feed { slot, demand: Arc::default(), recorder, remote };
        let address = CameraAddress::parse("pi").expect("an address");
        let camera = Channel::fed_by(feed, Wanted::at(address));
        (Headless::new(camera, limit, timeout, now), publisher)
    }

    fn show(screen: &mut Headless, now: Instant) -> Option<End> {
        let Ok(end) = screen.refresh(now);
        end
    }

    fn picture(screen: &mut Headless, publisher: &mut Publisher, now: Instant) -> Option<End> {
        publisher.blank();
        publisher.publish();
        show(screen, now)
    }

    fn notice(screen: &mut Headless, publisher: &mut Publisher, kind: NoticeKind) -> Option<End> {
        publisher.notify(kind, "because".into());
        let since = screen.waiting_since;
        show(screen, since)
    }

    #[test]
    fn it_ends_after_so_many_pictures() {
        let start = Instant::now();
        let (mut screen, mut publisher) = screen(Limit::Pictures(2), TIMEOUT.into(), start);
        assert_eq!(picture(&mut screen, &mut publisher, start), None);
        assert_eq!(picture(&mut screen, &mut publisher, start), Some(End::Done));
    }

    #[test]
    fn it_ends_so_long_after_the_first_picture() {
        let start = Instant::now();
        let long = Duration::from_secs(3);
        let (mut screen, mut publisher) = screen(Limit::Elapsed(long), TIMEOUT.into(), start);
        assert_eq!(screen.deadline(), Some(start + TIMEOUT));
        let first = start + Duration::from_secs(5);
        assert_eq!(picture(&mut screen, &mut publisher, first), None);
        assert_eq!(screen.deadline(), Some(first + long));
        assert!(screen.patience(first) <= LOOK);
        assert_eq!(show(&mut screen, first + long), Some(End::Done));
    }

    #[test]
    fn it_gives_up_when_no_picture_comes_and_says_why() {
        let start = Instant::now();
        let (mut screen, mut publisher) = screen(Limit::Pictures(2), TIMEOUT.into(), start);
        assert_eq!(notice(&mut screen, &mut publisher, NoticeKind::Disconnected), None);
        let late = start + TIMEOUT;
        let end = show(&mut screen, late);
        assert_eq!(end, Some(End::NoFirstPicture("no picture for 10 s: because".into())));
        assert_eq!(picture(&mut screen, &mut publisher, late), None);
        let end = show(&mut screen, late + TIMEOUT);
        assert!(matches!(end, Some(End::Failed(_))), "{end:?}");
    }

    #[test]
    fn what_is_recorded_until_somebody_ends_it_goes_on_when_the_camera_is_back() {
        let start = Instant::now();
        let timeout = Timeout { first: TIMEOUT, next: None };
        let (mut screen, mut publisher) = screen(Limit::Never, timeout, start);
        assert_eq!(notice(&mut screen, &mut publisher, NoticeKind::Disconnected), None);
        let late = show(&mut screen, start + TIMEOUT);
        assert!(matches!(late, Some(End::NoFirstPicture(_))), "{late:?}");
        assert_eq!(picture(&mut screen, &mut publisher, start), None);
        let next_day = start + Duration::from_secs(86_400);
        assert_eq!(show(&mut screen, next_day), None);
    }

    #[test]
    fn whoever_asks_it_to_end_has_a_success_if_there_was_a_picture() {
        let start = Instant::now();
        let (mut screen, mut publisher) = screen(Limit::Never, TIMEOUT.into(), start);
        let doorbell = Doorbell::new();
        let leave = Leave::new(Arc::clone(&doorbell));
        leave.ask();
        let end = run(&mut screen, &doorbell, &leave);
        assert!(matches!(end, Ok(End::NoFirstPicture(_))), "{end:?}");
        assert_eq!(picture(&mut screen, &mut publisher, start), None);
        assert_eq!(run(&mut screen, &doorbell, &leave), Ok(End::Done));
    }

    #[test]
    fn who_does_not_answer_is_named_as_such() {
        let start = Instant::now();
        let (mut screen, mut publisher) = screen(Limit::Pictures(2), TIMEOUT.into(), start);
        publisher.notify(NoticeKind::Connecting, "connecting to pi:9999".into());
        let Some(End::NoFirstPicture(why)) = show(&mut screen, start + TIMEOUT) else {
            panic!("it goes on")
        };
        assert!(
            why.starts_with("no picture for 10 s: no answer while connecting to pi:9999. Is"),
            "{why}"
        );
    }

    #[test]
    fn a_camera_that_wants_a_code_ends_it_at_once_where_nobody_can_be_asked() {
        let start = Instant::now();
        for kind in [NoticeKind::WantsCode, NoticeKind::NotPaired, NoticeKind::NotThePaired] {
            let (mut screen, mut publisher) = screen(Limit::Pictures(2), TIMEOUT.into(), start);
            let end = notice(&mut screen, &mut publisher, kind);
            let Some(End::NoFirstPicture(why)) = end else { panic!("{kind:?}: {end:?}") };
            assert!(why.starts_with("because"), "{why}");
        }
        let (mut screen, mut publisher) = screen(Limit::Never, TIMEOUT.into(), start);
        assert_eq!(picture(&mut screen, &mut publisher, start), None);
        let end = notice(&mut screen, &mut publisher, NoticeKind::NotThePaired);
        assert_eq!(end, None, "it may come back, from another address");
        let end = notice(&mut screen, &mut publisher, NoticeKind::WantsCode);
        let why = "because. Then add --code CODE".to_owned();
        assert_eq!(end, Some(End::Failed(why)), "its key was revoked");
    }

    #[test]
    fn a_code_is_asked_for_once_for_each_reason_until_something_was_typed_or_seen() {
        let start = Instant::now();
        let (mut screen, mut publisher) = screen(Limit::Never, TIMEOUT.into(), start);
        let mut asks = |screen: &mut Headless, kind, text: &str| {
            publisher.notify(kind, text.into());
            let change = screen.camera.update(start, true);
            screen.question(change).is_some()
        };
        let (paired, looking) = (NoticeKind::NotThePaired, NoticeKind::OtherCamera);
        assert!(!asks(&mut screen, NoticeKind::Connecting, "connecting"));
        assert!(asks(&mut screen, paired, "not the Garage that you paired"));
        assert!(screen.question(Change::Nothing).is_none(), "it stands there");
        for _ in 0..3 {
            assert!(!asks(&mut screen, looking, "looking for Garage"));
            assert!(!asks(&mut screen, paired, "not the Garage that you paired"));
        }
        assert!(asks(&mut screen, NoticeKind::WantsCode, "wants a code"), "another reason");
        // The same code is typed twice.
        for _ in 0..2 {
            screen.asked = None;
            assert!(!asks(&mut screen, NoticeKind::Pairing, "pairing"));
            assert!(asks(&mut screen, NoticeKind::NotPaired, "the code is wrong"));
        }
        assert!(screen.question(Change::Picture).is_none() && screen.asked.is_none());
    }

    #[test]
    fn a_stranger_ends_it_at_once_unless_the_camera_was_there_before() {
        let start = Instant::now();
        let (mut screen, mut publisher) = screen(Limit::Pictures(2), TIMEOUT.into(), start);
        let end = notice(&mut screen, &mut publisher, NoticeKind::NotLancam);
        assert_eq!(end, Some(End::NotLancam("because".into())));
        assert_eq!(picture(&mut screen, &mut publisher, start), None);
        assert_eq!(notice(&mut screen, &mut publisher, NoticeKind::NotLancam), None);
        let end = notice(&mut screen, &mut publisher, NoticeKind::Incompatible);
        assert_eq!(end, Some(End::Failed("because".into())));
    }
}
