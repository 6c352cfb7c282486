//! A screen without a window: for scripts, tests and measuring.

use super::news::NoticeKind;
use super::presenter::{Change, End, Scene, Screen, ScreenError};
use std::time::{Duration, Instant};

/// When there is nothing more to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// After so many pictures.
    Pictures(u64),
    /// So long after the first picture.
    Elapsed(Duration),
}

/// Counts pictures, and ends in time whatever happens.
#[derive(Debug)]
pub struct Headless {
    limit: Limit,
    /// The longest wait for the first picture, and for any next one.
    timeout: Duration,
    /// When the wait for a picture began.
    waiting_since: Instant,
    first_at: Option<Instant>,
}

impl Headless {
    /// A screen that ends at `limit`, or when no picture has come for `timeout`.
    pub fn new(limit: Limit, timeout: Duration, now: Instant) -> Self {
        Self { limit, timeout, waiting_since: now, first_at: None }
    }

    /// When the wait is over, whatever comes.
    fn deadline(&self) -> Instant {
        let patience_ends = self.waiting_since + self.timeout;
        match (self.limit, self.first_at) {
            (Limit::Elapsed(long), Some(first)) => patience_ends.min(first + long),
            _ => patience_ends,
        }
    }

    fn is_done(&self, scene: &Scene, now: Instant) -> bool {
        match (self.limit, self.first_at) {
            (Limit::Pictures(count), _) => scene.figures.shown() >= count,
            (Limit::Elapsed(long), Some(first)) => first + long <= now,
            (Limit::Elapsed(_), None) => false,
        }
    }

    /// Why it is no use to wait longer, if it is.
    fn is_futile(&self, scene: &Scene, now: Instant) -> Option<End> {
        let notice = scene.notice.as_deref();
        let reason = || notice.map_or("no picture came", |notice| &notice.text).to_owned();
        match notice.map(|notice| notice.kind) {
            Some(NoticeKind::Incompatible) => return Some(End::Failed(reason())),
            Some(NoticeKind::NotLancam) if self.first_at.is_none() => {
                return Some(End::NotLancam(reason()));
            }
            _ => {}
        }
        if now < self.waiting_since + self.timeout {
            return None;
        }
        let waited = format!("no picture for {} s: {}", self.timeout.as_secs_f64(), reason());
        Some(match self.first_at {
            None => End::NoFirstPicture(waited),
            Some(_) => End::Failed(waited),
        })
    }
}

impl Screen for Headless {
    fn patience(&self, now: Instant) -> Duration {
        self.deadline().saturating_duration_since(now)
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
        Ok(self.is_futile(scene, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::news::{Arrival, Notice};
    use std::sync::Arc;

    const TIMEOUT: Duration = Duration::from_secs(10);

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
        let mut screen = Headless::new(Limit::Pictures(2), TIMEOUT, start);
        let mut scene = Scene::default();
        assert_eq!(picture(&mut scene, &mut screen, start), None);
        assert_eq!(picture(&mut scene, &mut screen, start), Some(End::Done));
    }

    #[test]
    fn it_ends_so_long_after_the_first_picture() {
        let start = Instant::now();
        let long = Duration::from_secs(3);
        let mut screen = Headless::new(Limit::Elapsed(long), TIMEOUT, start);
        let mut scene = Scene::default();
        assert_eq!(screen.patience(start), TIMEOUT);
        let first = start + Duration::from_secs(5);
        assert_eq!(picture(&mut scene, &mut screen, first), None);
        assert_eq!(screen.patience(first), long);
        let end = screen.present(&scene, Change::Nothing, first + long).expect("never fails");
        assert_eq!(end, Some(End::Done));
    }

    #[test]
    fn it_gives_up_when_no_picture_comes_and_says_why() {
        let start = Instant::now();
        let mut screen = Headless::new(Limit::Pictures(2), TIMEOUT, start);
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
    fn a_stranger_ends_it_at_once_unless_the_camera_was_there_before() {
        let start = Instant::now();
        let mut screen = Headless::new(Limit::Pictures(2), TIMEOUT, start);
        let mut scene = Scene::default();
        let end = notice(&mut scene, &mut screen, NoticeKind::NotLancam);
        assert_eq!(end, Some(End::NotLancam("because".into())));
        assert_eq!(picture(&mut scene, &mut screen, start), None);
        assert_eq!(notice(&mut scene, &mut screen, NoticeKind::NotLancam), None);
        let end = notice(&mut scene, &mut screen, NoticeKind::Incompatible);
        assert_eq!(end, Some(End::Failed("because".into())));
    }
}
