//! Keeps a source open while somebody watches. When it fails, tells viewers why there is no
//! picture, waits, and opens it again.

use super::capture::{self, CaptureEnd};
use super::controls::Controls;
use super::feed::{Feed, Watched};
use super::idle::Idle;
use super::metrics::{Metrics, SourceState};
use super::roster::{Roster, Waking};
use super::update::{StatusText, Update};
use crate::clock;
use crate::image::frame::Micros;
use crate::image::unpack::RawLook;
use crate::repeats::Repeats;
use crate::source::{Changed, Opener, SourceError, Trouble};
use crate::stop::Stop;
use crate::wire::native::message::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// The shortest and the longest pause before a source is opened again, when no device node has
/// changed. The pause doubles between them. A camera that was reset is usually back within the
/// first few tries.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_millis(500);

/// The longest pause for a camera that is there and gives no pictures, while nobody watches. A try
/// may switch on its light, reset its USB bus, or search all processes for the one that uses it.
const LAST_UNWATCHED: Duration = Duration::from_secs(600);

/// The longest pause for a camera that is asked for more than it can do, while somebody watches.
/// Each try starts a program, which then takes most of the 2 s until the picture is to be back.
const LAST_EXCESSIVE: Duration = Duration::from_secs(1);

/// How often a long pause checks whether somebody watches.
const LOOK: Duration = Duration::from_millis(250);

/// A source that gave frames for this long was working. One that fails sooner is failing
/// repeatedly: its pause grows.
const STEADY: Duration = Duration::from_secs(2);

/// Runs until `stop` is requested, until the source ends, or until it turns out that it can never
/// be used. Closes a source that nobody has watched for `idle_stop`, until somebody watches. While
/// the source is open, viewers set its controls through `controls`.
///
/// # Errors
/// [`Trouble::Unusable`]: this source will never give a picture.
pub fn run(
    opener: Opener,
    roster: &Arc<Roster>,
    metrics: &Arc<Metrics>,
    controls: Option<&Controls>,
    look: RawLook,
    idle_stop: Option<Duration>,
    stop: &Stop,
) -> Result<(), SourceError> {
    let feed = Feed::new(Arc::clone(roster), look);
    let mut supervisor =
        Supervisor { controls, ..Supervisor::new(opener, roster, metrics, feed, idle_stop, stop) };
    while let Then::Again = supervisor.run_once()? {}
    Ok(())
}

struct Supervisor<'a> {
    opener: Opener,
    roster: &'a Arc<Roster>,
    metrics: &'a Arc<Metrics>,
    controls: Option<&'a Controls>,
    feed: Feed,
    idle_stop: Option<Duration>,
    idle: Idle,
    stop: &'a Stop,
    retry: Retry,
    /// What was logged of openings and errors.
    logged: Repeats,
    /// The error that viewers were told, if they were told nothing else since.
    told: Option<SourceError>,
    /// When the source was opened in this attempt.
    opened_at: Option<Micros>,
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Again,
    End,
}

impl<'a> Supervisor<'a> {
    /// Without controls.
    fn new(
        opener: Opener,
        roster: &'a Arc<Roster>,
        metrics: &'a Arc<Metrics>,
        feed: Feed,
        idle_stop: Option<Duration>,
        stop: &'a Stop,
    ) -> Self {
        Self {
            opener,
            roster,
            metrics,
            controls: None,
            feed,
            idle_stop,
            idle: Idle::default(),
            stop,
            retry: Retry { pause: FIRST_RETRY },
            logged: Repeats::default(),
            told: None,
            opened_at: None,
        }
    }

    /// Opens the source, captures until that ends, and waits until another try makes sense.
    fn run_once(&mut self) -> Result<Then, SourceError> {
        self.metrics.turned();
        if self.waits_for_a_viewer() {
            return Ok(self.rest());
        }
        match self.capture() {
            Ok(CaptureEnd::Stopped) => Ok(Then::End),
            // `capture` has closed the source: its light is off, and other programs may use it.
            Ok(CaptureEnd::Idle) => Ok(self.rest()),
            Ok(CaptureEnd::IdleWithout(status)) => {
                log::info!("{}: no pictures, and nobody watches; off for now", self.opener.spec());
                self.metrics.is(SourceState::Down, clock::now());
                // Wait at least as long as it was open.
                self.retry.pause = self.retry.pause.max(self.idle_stop.unwrap_or_default());
                Ok(self.pause(&status.text, Trouble::Lost))
            }
            Err(_) if self.stop.is_requested() => Ok(Then::End),
            Err(error) if error.trouble == Trouble::Unusable => Err(error),
            Err(error) if error.trouble == Trouble::Ended => {
                log::info!("{error}");
                Ok(Then::End)
            }
            Err(error) => {
                self.tell(&error);
                Ok(self.pause(&error.message, error.trouble))
            }
        }
    }

    /// Whether the source stays closed until somebody watches.
    fn waits_for_a_viewer(&mut self) -> bool {
        self.idle_stop.is_some() && self.roster.viewers() == 0 && self.opener.starts_when_watched()
    }

    fn capture(&mut self) -> Result<CaptureEnd, SourceError> {
        self.opened_at = None;
        let tried_at = clock::now();
        let mut source = self.opener.open(self.stop)?;
        self.metrics.turned();
        // What comes of it is told by the capture.
        self.told = None;
        self.opened_at = Some(tried_at);
        let problems = [self.opener.problems(), source.problems()].concat();
        self.metrics.complain_of_source(problems);
        self.idle.ends_after(self.idle_stop.filter(|_| self.opener.may_rest()));
        if let Some(controls) = self.controls {
            controls.begin(&*source);
        }
        let (feed, idle, logged) = (&mut self.feed, &mut self.idle, &mut self.logged);
        let ended = capture::run_once(&mut *source, feed, self.metrics, idle, logged, self.stop);
        if let Some(controls) = self.controls {
            controls.end();
        }
        ended
    }

    /// Reports to viewers, the log and `/healthz` why there is no picture.
    fn tell(&mut self, error: &SourceError) {
        let well_for = self.well_for(clock::now());
        if well_for >= STEADY {
            self.retry.pause = FIRST_RETRY;
        }
        if well_for >= Repeats::WELL {
            self.logged.forget();
        }
        self.metrics.is(SourceState::Down, clock::now());
        if self.told.as_ref() != Some(error) {
            // Frames may have come since the last report. Viewers must not take the last one for a
            // live picture.
            self.roster.no_picture(&status(error));
            self.told = Some(error.clone());
        }
        if self.logged.is_news(&error.message) {
            log::warn!("{error}");
        }
    }

    /// For how long the source has given frames in this attempt.
    fn well_for(&self, now: Micros) -> Duration {
        let has_given = |at: &Micros| self.metrics.first_frame_at() >= *at;
        self.opened_at.filter(has_given).map_or(Duration::ZERO, |at| now.since(at))
    }

    /// Waits before the next try. `why` and `trouble` say why the last one failed.
    fn pause(&mut self, why: &str, trouble: Trouble) -> Then {
        let longest = longest_watched(trouble);
        let pause = self.retry.next(if self.spares(trouble) { LAST_UNWATCHED } else { longest });
        let began_at = clock::now();
        let viewers = self.roster.viewers();
        let mut is_told = pause <= LAST_RETRY;
        loop {
            // Those who watched may have left by now.
            self.idle.note(self.feed.watched(), clock::now());
            let watching = self.roster.viewers();
            if watching == 0 && !is_told {
                is_told = true;
                self.told = None;
                // A viewer that connects now triggers a try, and waits for its outcome.
                self.roster.no_picture(&Update::Status(Arc::new(StatusText {
                    code: StatusCode::Starting,
                    text: format!("{why}. lancam tries again when somebody watches"),
                })));
            }
            let limit = match watching {
                0 => pause,
                more if more > viewers => LAST_RETRY.min(pause),
                _ => longest.min(pause),
            };
            let left = limit.saturating_sub(clock::now().since(began_at));
            if self.stop.is_requested() {
                return Then::End;
            }
            if left.is_zero() {
                return Then::Again;
            }
            self.metrics.turned();
            if self.opener.wait_for_change(self.stop, left.min(LOOK)) == Changed::Nodes {
                return Then::Again;
            }
        }
    }

    /// Whether a source in such trouble is tried less and less often while nobody watches.
    fn spares(&self, trouble: Trouble) -> bool {
        let is_there = !matches!(trouble, Trouble::NoCamera | Trouble::Denied);
        let is_costly = is_there && !self.opener.has_opened_a_file();
        self.idle_stop.is_some() && (is_costly || self.opened_at.is_some())
    }

    /// Logs a text that may come again whenever somebody watches.
    fn log(&mut self, text: &str) {
        if self.logged.is_news(text) {
            log::info!("{text}");
        }
    }

    /// Waits until somebody watches.
    fn rest(&mut self) -> Then {
        if self.well_for(clock::now()) > Duration::ZERO {
            self.logged.forget();
        }
        let spec = self.opener.spec().to_string();
        self.log(&format!("{spec}: off until somebody watches"));
        self.roster.no_picture(&Update::Status(Arc::new(StatusText {
            code: StatusCode::Starting,
            text: format!("{spec} was off while nobody watched; lancam is starting it"),
        })));
        self.metrics.is(SourceState::Resting, clock::now());
        if self.roster.rest(self.stop) == Waking::Stop {
            return Then::End;
        }
        self.idle.note(Watched::Yes, clock::now());
        self.metrics.is(SourceState::Starting, clock::now());
        self.log(&format!("{spec}: on, somebody watches"));
        self.told = None;
        self.retry.pause = FIRST_RETRY;
        Then::Again
    }
}

/// How long to wait before the next try.
struct Retry {
    pause: Duration,
}

impl Retry {
    /// Returns the pause, at most `limit`, and doubles it for the next time.
    fn next(&mut self, limit: Duration) -> Duration {
        let pause = self.pause.min(limit);
        self.pause = pause * 2;
        pause
    }
}

/// How long it may take until a source in such trouble is tried again while somebody watches.
fn longest_watched(trouble: Trouble) -> Duration {
    if trouble == Trouble::Excessive { LAST_EXCESSIVE } else { LAST_RETRY }
}

fn status(error: &SourceError) -> Update {
    let code = match error.trouble {
        Trouble::NoCamera => StatusCode::NoCamera,
        Trouble::Lost | Trouble::Ended => StatusCode::CameraLost,
        Trouble::Busy
        | Trouble::Denied
        | Trouble::Bandwidth
        | Trouble::Excessive
        | Trouble::Unusable => StatusCode::CameraRefused,
    };
    Update::Status(Arc::new(StatusText { code, text: error.message.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::encode::Coding;
    use crate::camera::roster::wish::Wish;
    use crate::image::size_wish::SizeWish;
    use crate::source::{CaptureWish, SourceSpec};

    /// Tries the test pattern, which nobody watches.
    fn with_supervisor(test: impl FnOnce(Supervisor<'_>)) {
        let metrics = Arc::new(Metrics::new(Micros(1)));
        let own = Wish::own(Coding::Bgr24, SizeWish::default());
        let roster = Roster::new(own, 1, &metrics).expect("a descriptor is free");
        let stop = Stop::new().expect("a descriptor is free");
        let spec = SourceSpec::parse("test:64x48").expect("a source");
        let opener = Opener::new(spec, CaptureWish::default());
        let feed = Feed::new(Arc::clone(&roster), RawLook::default());
        let idle_stop = Some(Duration::from_secs(60));
        test(Supervisor::new(opener, &roster, &metrics, feed, idle_stop, &stop));
    }

    #[test]
    fn a_camera_that_refuses_to_start_is_tried_less_and_less_often_while_nobody_watches() {
        with_supervisor(|mut supervisor| {
            for trouble in [Trouble::Busy, Trouble::Bandwidth, Trouble::Lost, Trouble::Excessive] {
                assert!(supervisor.spares(trouble), "{trouble:?}");
            }
            for trouble in [Trouble::NoCamera, Trouble::Denied] {
                assert!(!supervisor.spares(trouble), "{trouble:?}: it may be there soon");
            }
            supervisor.opened_at = Some(Micros(1));
            assert!(supervisor.spares(Trouble::NoCamera), "its program was started");
            supervisor.idle_stop = None;
            assert!(!supervisor.spares(Trouble::Lost));
        });
    }

    #[test]
    fn viewers_are_told_of_each_of_two_errors_in_turns_and_the_log_less_and_less_often() {
        with_supervisor(|mut supervisor| {
            for text in ["it was empty", "it was cut"].into_iter().cycle().take(8) {
                supervisor.tell(&SourceError::new(Trouble::Lost, text));
                let news = supervisor.roster.situation().news;
                assert_eq!(news.map(|news| news.text.clone()).as_deref(), Some(text));
            }
            assert!(!supervisor.logged.is_news("it was empty"), "the fifth time");
        });
    }

    #[test]
    fn who_comes_in_a_long_pause_is_told_why_the_next_try_failed_though_nothing_has_changed() {
        with_supervisor(|mut supervisor| {
            let error = SourceError::new(Trouble::Bandwidth, "the bus is full");
            let roster = Arc::clone(supervisor.roster);
            let news = || roster.situation().news.map(|news| news.text.clone());
            supervisor.tell(&error);
            assert_eq!(news().as_deref(), Some("the bus is full"));
            supervisor.retry.pause = LAST_RETRY * 2;
            supervisor.stop.request();
            assert_eq!(supervisor.pause(&error.message, error.trouble), Then::End);
            let put_off = "the bus is full. lancam tries again when somebody watches";
            assert_eq!(news().as_deref(), Some(put_off));
            supervisor.tell(&error);
            assert_eq!(news().as_deref(), Some("the bus is full"));
        });
    }

    #[test]
    fn the_pause_doubles_and_is_short_again_where_it_may_not_be_long() {
        let mut retry = Retry { pause: FIRST_RETRY };
        let pauses: Vec<_> = (0..5).map(|_| retry.next(LAST_RETRY).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 500]);
        let longest = (0..20).map(|_| retry.next(LAST_UNWATCHED)).max();
        assert_eq!(longest, Some(LAST_UNWATCHED));
        assert_eq!(retry.next(LAST_RETRY), LAST_RETRY);
    }
}
