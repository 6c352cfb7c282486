//! A screen without a window: for scripts, tests and measuring.

use crate::viewer::keep::recorder::Recorder;
use crate::viewer::leave::Leave;
use crate::viewer::presenter::{Change, End, Scene, Screen, ScreenError};
use crate::viewer::watch::news::{Notice, NoticeKind};
use std::time::{Duration, Instant};

/// When there is nothing more to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// After so many pictures.
    Pictures(u64),
    /// So long after the first picture.
    Elapsed(Duration),
    /// Somebody ends it, or what is recorded ends by itself.
    Never,
}

/// How long pictures are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// For the first.
    pub first: Duration,
    /// For any next one; `None`: until the camera is back.
    pub next: Option<Duration>,
}

impl From<Duration> for Timeout {
    /// The same for all.
    fn from(timeout: Duration) -> Self {
        Self { first: timeout, next: Some(timeout) }
    }
}

/// Counts pictures, and ends in time whatever happens.
#[derive(Debug)]
pub struct Headless {
    limit: Limit,
    timeout: Timeout,
    leave: Leave,
    recorder: Recorder,
    /// When the wait for a picture began.
    waiting_since: Instant,
    first_at: Option<Instant>,
}

impl Headless {
    /// A screen that ends at `limit`, when no picture has come for `timeout`, when it is to `leave`, and where it would
    /// never end by itself when `recorder` has.
    pub fn new(
        limit: Limit,
        timeout: Timeout,
        leave: Leave,
        recorder: Recorder,
        now: Instant,
    ) -> Self {
        Self { limit, timeout, leave, recorder, waiting_since: now, first_at: None }
    }

    /// When the wait is over, whatever comes; `None` where it never is.
    fn deadline(&self) -> Option<Instant> {
        let end = match (self.limit, self.first_at) {
            (Limit::Elapsed(long), Some(first)) => Some(first + long),
            _ => None,
        };
        let patience_ends = self.timeout().map(|timeout| self.waiting_since + timeout);
        end.into_iter().chain(patience_ends).min()
    }

    /// The longest wait for the picture that is waited for now.
    fn timeout(&self) -> Option<Duration> {
        match self.first_at {
            None => Some(self.timeout.first),
            Some(_) => self.timeout.next,
        }
    }

    fn is_done(&self, scene: &Scene, now: Instant) -> bool {
        match (self.limit, self.first_at) {
            (Limit::Pictures(count), _) => scene.figures.shown() >= count,
            (Limit::Elapsed(long), Some(first)) => first + long <= now,
            (Limit::Elapsed(_), None) | (Limit::Never, _) => false,
        }
    }

    /// Why it is no use to wait longer, if it is.
    fn is_futile(&self, scene: &Scene, now: Instant) -> Option<End> {
        let notice = scene.notice.as_deref();
        let reason = || match notice {
            None => "the camera sends none".to_owned(),
            Some(Notice { kind: NoticeKind::Connecting, text }) => {
                format!("no answer while {text}. Is that its address, and is it switched on?")
            }
            Some(notice) => notice.text.clone(),
        };
        match notice.map(|notice| notice.kind) {
            Some(NoticeKind::Incompatible) => return Some(End::Failed(reason())),
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

    /// Whether somebody else has ended it.
    fn is_ended(&self) -> Option<End> {
        if self.leave.is_asked() {
            return Some(match self.first_at {
                Some(_) => End::Done,
                None => End::NoFirstPicture("it was ended before the first picture came".into()),
            });
        }
        let is_recording_alone = self.limit == Limit::Never;
        let recording = self.recorder.state().filter(|_| is_recording_alone)?;
        Some(End::Failed(recording.failure()?.to_owned()))
    }
}

/// A recording that has ended by itself is seen after this time, where no picture comes.
const LOOK: Duration = Duration::from_secs(1);

impl Screen for Headless {
    fn patience(&self, now: Instant) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(now);
        self.deadline().map_or(LOOK, |deadline| left(deadline).min(LOOK))
    }

    fn present(
        &mut self,
        scene: &Scene,
        change: Change,
        now: Instant,
    ) -> Result<Option<End>, ScreenError> {
        if let (Change::Picture, Some(arrival)) = (change, &scene.arrival) {
            self.waiting_since = now;
            self.first_at.get_or_insert(now);
            let picture = &arrival.picture;
            log::debug!("frame {} of {}", picture.sequence, picture.size());
        }
        if self.is_done(scene, now) {
            return Ok(Some(End::Done));
        }
        Ok(self.is_ended().or_else(|| self.is_futile(scene, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latest::Doorbell;
    use crate::viewer::arrival::Arrival;
    use std::sync::Arc;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn screen(limit: Limit, timeout: Timeout, now: Instant) -> Headless {
        let leave = Leave::new(Doorbell::new());
        Headless::new(limit, timeout, leave, Recorder::default(), now)
    }

    fn picture(scene: &mut Scene, screen: &mut Headless, now: Instant) -> Option<End> {
        let arrival = Arc::new(Arrival::default());
        scene.figures.count(&arrival, now);
        scene.arrival = Some(arrival);
        scene.notice = None;
        screen.present(scene, Change::Picture, now).expect("never fails")
    }

    fn notice(scene: &mut Scene, screen: &mut Headless, kind: NoticeKind) -> Option<End> {
        scene.notice = Some(Arc::new(Notice { kind, text: "because".into() }));
        screen.present(scene, Change::Notice, screen.waiting_since).expect("never fails")
    }

    #[test]
    fn it_ends_after_so_many_pictures() {
        let start = Instant::now();
        let mut screen = screen(Limit::Pictures(2), TIMEOUT.into(), start);
        let mut scene = Scene::default();
        assert_eq!(picture(&mut scene, &mut screen, start), None);
        assert_eq!(picture(&mut scene, &mut screen, start), Some(End::Done));
    }

    #[test]
    fn it_ends_so_long_after_the_first_picture() {
        let start = Instant::now();
        let long = Duration::from_secs(3);
        let mut screen = screen(Limit::Elapsed(long), TIMEOUT.into(), start);
        let mut scene = Scene::default();
        assert_eq!(screen.deadline(), Some(start + TIMEOUT));
        let first = start + Duration::from_secs(5);
        assert_eq!(picture(&mut scene, &mut screen, first), None);
        assert_eq!(screen.deadline(), Some(first + long));
        assert!(screen.patience(first) <= LOOK);
        let end = screen.present(&scene, Change::Nothing, first + long).expect("never fails");
        assert_eq!(end, Some(End::Done));
    }

    #[test]
    fn it_gives_up_when_no_picture_comes_and_says_why() {
        let start = Instant::now();
        let mut screen = screen(Limit::Pictures(2), TIMEOUT.into(), start);
        let mut scene = Scene::default();
        assert_eq!(notice(&mut scene, &mut screen, NoticeKind::Disconnected), None);
        let late = start + TIMEOUT;
        let end = screen.present(&scene, Change::Nothing, late).expect("never fails");
        assert_eq!(end, Some(End::NoFirstPicture("no picture for 10 s: because".into())));
        assert_eq!(picture(&mut scene, &mut screen, late), None);
        let end = screen.present(&scene, Change::Nothing, late + TIMEOUT).expect("never fails");
        assert!(matches!(end, Some(End::Failed(_))), "{end:?}");
    }

    #[test]
    fn what_is_recorded_until_somebody_ends_it_goes_on_when_the_camera_is_back() {
        let start = Instant::now();
        let timeout = Timeout { first: TIMEOUT, next: None };
        let mut screen = screen(Limit::Never, timeout, start);
        let mut scene = Scene::default();
        assert_eq!(notice(&mut scene, &mut screen, NoticeKind::Disconnected), None);
        let late = screen.present(&scene, Change::Nothing, start + TIMEOUT).expect("never fails");
        assert!(matches!(late, Some(End::NoFirstPicture(_))), "{late:?}");
        assert_eq!(picture(&mut scene, &mut screen, start), None);
        let next_day = start + Duration::from_secs(86_400);
        assert_eq!(screen.present(&scene, Change::Nothing, next_day).expect("never fails"), None);
        screen.leave.ask();
        let end = screen.present(&scene, Change::Nothing, next_day).expect("never fails");
        assert_eq!(end, Some(End::Done));
    }

    #[test]
    fn who_does_not_answer_is_named_as_such() {
        let start = Instant::now();
        let mut screen = screen(Limit::Pictures(2), TIMEOUT.into(), start);
        let text = "connecting to pi:9999".to_owned();
        let notice = Some(Arc::new(Notice { kind: NoticeKind::Connecting, text }));
        let scene = Scene { notice, ..Scene::default() };
        let end = screen.present(&scene, Change::Nothing, start + TIMEOUT).expect("never fails");
        let Some(End::NoFirstPicture(why)) = end else { panic!("{end:?}") };
        assert!(
            why.starts_with("no picture for 10 s: no answer while connecting to pi:9999. Is"),
            "{why}"
        );
    }

    #[test]
    fn a_stranger_ends_it_at_once_unless_the_camera_was_there_before() {
        let start = Instant::now();
        let mut screen = screen(Limit::Pictures(2), TIMEOUT.into(), start);
        let mut scene = Scene::default();
        let end = notice(&mut scene, &mut screen, NoticeKind::NotLancam);
        assert_eq!(end, Some(End::NotLancam("because".into())));
        assert_eq!(picture(&mut scene, &mut screen, start), None);
        assert_eq!(notice(&mut scene, &mut screen, NoticeKind::NotLancam), None);
        let end = notice(&mut scene, &mut screen, NoticeKind::Incompatible);
        assert_eq!(end, Some(End::Failed("because".into())));
    }
}
