//! Takes frames from an open source and feeds them to the viewers. Ends when the source fails, when
//! nobody has watched for a while, or when the program is stopped.

use super::complaint::Complaint;
use super::feed::{Feed, Watched};
use super::idle::Idle;
use super::lateness::{Lateness, News};
use super::metrics::{Metrics, SourceState};
use super::update::{StatusText, StreamFacts, Update};
use crate::clock;
use crate::image::frame::{Frame, FrameLayout, Micros, TimedBy};
use crate::rate::Rate;
use crate::repeats::Repeats;
use crate::source::{FrameSource, Next, SourceError};
use crate::stop::Stop;
use crate::wire::native::message::StatusCode;
use crate::wording::count;
use std::sync::Arc;

/// Why a source that works is no longer read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureEnd {
    /// The program is stopping.
    Stopped,
    /// Nobody has watched for the idle limit.
    Idle,
    /// The same, but the source gave no pictures. Viewers would have been told this status.
    IdleWithout(Arc<StatusText>),
}

/// Runs until `stop` is requested, until `idle` is over, or until the source fails. A source that
/// gives no pictures stays open at least for the limit of `idle`. `logged` decides whether its first
/// picture is logged.
///
/// # Errors
/// The error of the source.
pub fn run_once(
    source: &mut dyn FrameSource,
    feed: &mut Feed,
    metrics: &Arc<Metrics>,
    idle: &mut Idle,
    logged: &mut Repeats,
    stop: &Stop,
) -> Result<CaptureEnd, SourceError> {
    let mut capture = Capture::new(source, feed, metrics, logged);
    loop {
        let is_handed_over = source.is_handed_over();
        let watched = source.next_frame(stop).map(|next| match next {
            Next::Frame(frame) => Some(capture.frame(&frame)),
            Next::Unusable(damage) => Some(capture.unusable(format!("a frame {damage}"))),
            Next::Waiting(why) => {
                // A pipe that was handed over is written by the program that started lancam, and
                // that writer starts again only with lancam. So a silent pipe does not count as
                // progress, and the watchdog gets lancam restarted.
                if why.is_some() || !is_handed_over {
                    capture.metrics.turned();
                }
                Some(capture.waits(why))
            }
            Next::Stopped => None,
        });
        // There may have been broken frames before an error, too.
        capture.count_broken(source.drops().broken);
        let Some(watched) = watched? else { return Ok(CaptureEnd::Stopped) };
        let now = clock::now();
        idle.note(watched, now);
        if idle.is_over(capture.unproven_since(), now) {
            return Ok(capture.trouble().map_or(CaptureEnd::Idle, CaptureEnd::IdleWithout));
        }
    }
}

/// Handles what an open source returns.
struct Capture<'a> {
    feed: &'a mut Feed,
    metrics: Arc<Metrics>,
    logged: &'a mut Repeats,
    /// The source, in words for people.
    description: String,
    opened_at: Micros,
    layout: FrameLayout,
    /// The status for viewers that connect before the next picture.
    starting: Update,
    /// Set by the first frame, and again by one that is timed by something else.
    stream: Option<Arc<StreamFacts>>,
    /// What timed the frames of `stream`.
    timed_by: TimedBy,
    complaint: Complaint,
    lateness: Lateness,
    /// The status that viewers got when pictures stopped coming.
    late: Option<Arc<StatusText>>,
    /// How many broken frames the source has counted.
    broken: u64,
}

impl<'a> Capture<'a> {
    fn new(
        source: &dyn FrameSource,
        feed: &'a mut Feed,
        metrics: &Arc<Metrics>,
        logged: &'a mut Repeats,
    ) -> Self {
        let description = source.description();
        let metrics = Arc::clone(metrics);
        metrics.expects(source.layout().interval);
        let opened_at = clock::now();
        let starting = Update::Status(Arc::new(StatusText {
            code: StatusCode::Starting,
            text: format!("waiting for the next picture of {description}"),
        }));
        Self {
            feed,
            complaint: Complaint::new(Arc::clone(&metrics)),
            metrics,
            logged,
            description,
            opened_at,
            layout: *source.layout(),
            starting,
            timed_by: TimedBy::Arrival,
            stream: None,
            lateness: Lateness::new(opened_at),
            late: None,
            broken: 0,
        }
    }

    /// Passes on a frame that its source found usable.
    fn frame(&mut self, frame: &Frame<'_>) -> Watched {
        self.comes_again();
        let stream = self.stream(frame);
        self.metrics.captured(frame.sequence, frame.captured_at);
        let news = self.complaint.told().unwrap_or(&self.starting);
        let outcome = self.feed.frame(frame, &stream, news);
        let watched = *outcome.as_ref().unwrap_or(&Watched::Yes);
        if outcome.is_err() {
            self.metrics.failed(1);
        }
        let was_told = self.complaint.told().is_some();
        let trouble = outcome.err().map(|error| error.to_string());
        if let Some(status) = self.complaint.note(trouble, clock::now()) {
            self.feed.no_picture(status);
        }
        if was_told && self.complaint.told().is_none() {
            self.feed.is_well(&self.starting);
        }
        watched
    }

    /// The facts that hold for this frame. Viewers get new ones when its time comes from somewhere
    /// else than the last one's.
    fn stream(&mut self, frame: &Frame<'_>) -> Arc<StreamFacts> {
        let before = self.stream.take();
        if let Some(stream) = &before
            && frame.timed_by == self.timed_by
        {
            let stream = Arc::clone(stream);
            self.stream = before;
            return stream;
        }
        let complaints = self.metrics.complaints().len();
        let (size, format) = (frame.size(), frame.format());
        let layout = FrameLayout { size, format, ..self.layout };
        let facts = Arc::new(facts(&self.description, &layout, frame.timed_by, complaints));
        if self.logged.is_news(&facts.source) {
            log::info!("capturing from {}", facts.source);
        }
        match before {
            None => self.metrics.begins(frame.captured_at, &facts),
            Some(_) => self.metrics.is_described(&facts),
        }
        self.timed_by = frame.timed_by;
        self.stream = Some(Arc::clone(&facts));
        facts
    }

    /// Notes a frame that cannot be used.
    fn unusable(&mut self, why: String) -> Watched {
        self.metrics.turned();
        if let Some(status) = self.complaint.note(Some(why), clock::now()) {
            self.feed.no_picture(status);
        }
        self.feed.watched()
    }

    /// Notes that the source has returned without a frame.
    fn waits(&mut self, why: Option<String>) -> Watched {
        let (interval, now) = (self.metrics.interval(), clock::now());
        let text = match self.lateness.waits(&self.description, interval, why, now) {
            Some(News::First(text)) => {
                log::warn!("{text}");
                text
            }
            Some(News::Again(text)) => text,
            None => return self.feed.watched(),
        };
        let status = Arc::new(StatusText { code: StatusCode::CameraLost, text });
        self.late = Some(Arc::clone(&status));
        self.metrics.is(SourceState::Down, now);
        self.feed.no_picture(&Update::Status(status));
        self.feed.watched()
    }

    /// Ends a silence. Viewers that were told that there is no picture are told that pictures come
    /// again.
    fn comes_again(&mut self) {
        let now = clock::now();
        let Some(silent) = self.lateness.picture(now) else { return };
        self.late = None;
        log::info!(
            "{} sends pictures again, after {:.1} s",
            self.description,
            silent.as_secs_f64()
        );
        self.metrics.is(SourceState::Streaming, now);
        self.feed.is_well(&self.starting);
    }

    /// Since when the source has given no picture; the beginning of time if it has given one.
    fn unproven_since(&self) -> Micros {
        if self.stream.is_some() { Micros::default() } else { self.opened_at }
    }

    /// Why there are no pictures although the source is open.
    fn trouble(&self) -> Option<Arc<StatusText>> {
        match self.complaint.told() {
            Some(Update::Status(status)) => Some(Arc::clone(status)),
            _ => self.late.clone(),
        }
    }

    fn count_broken(&mut self, broken: u64) {
        let before = std::mem::replace(&mut self.broken, broken);
        if before != broken {
            self.metrics.failed(broken.saturating_sub(before));
            log::debug!("{broken} broken frames so far");
        }
    }
}

/// The facts of a source, made at its first frame: a pipe has the size of its pictures.
fn facts(
    description: &str,
    layout: &FrameLayout,
    timed_by: TimedBy,
    complaints: usize,
) -> StreamFacts {
    let ages = match timed_by {
        TimedBy::Camera => "",
        TimedBy::Arrival => {
            "; pictures are older than shown, because their age is counted from their arrival here"
        }
    };
    let source = format!("{description}: {layout}{ages}");
    let told = match complaints {
        0 => source.clone(),
        some => format!("{source} ({}: see the camera's page)", count(some, "problem")),
    };
    let rate = Rate::of_interval(layout.interval.unwrap_or_default());
    StreamFacts { source, told, rate, size: layout.orientation.size_of(layout.size) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::encode::Coding;
    use crate::camera::roster::Roster;
    use crate::camera::roster::wish::Wish;
    use crate::image::frame::{Content, RawFrame};
    use crate::image::pixels::{Colour, PixelFormat, Size};
    use crate::image::size_wish::SizeWish;
    use crate::image::unpack::RawLook;
    use crate::source::test_pattern::TestPattern;
    use crate::source::{Drops, Trouble};
    use std::time::Duration;

    /// A source that gives so many frames and some broken ones, and then an error.
    struct Failing {
        layout: FrameLayout,
        bytes: Vec<u8>,
        frames: usize,
    }

    impl Failing {
        fn after(frames: usize) -> Self {
            let layout = FrameLayout::new(PixelFormat::YUYV, Size::new(4, 2), 8, Colour::CAMERA);
            Self { layout, bytes: vec![0; 16], frames }
        }
    }

    impl FrameSource for Failing {
        fn layout(&self) -> &FrameLayout {
            &self.layout
        }
        fn description(&self) -> String {
            "a fake".into()
        }
        fn next_frame(&mut self, _: &Stop) -> Result<Next<'_>, SourceError> {
            let gone = || SourceError::new(Trouble::Lost, "gone");
            self.frames = self.frames.checked_sub(1).ok_or_else(gone)?;
            Ok(Next::Frame(Frame {
                content: Content::Raw(RawFrame { bytes: &self.bytes, layout: &self.layout }),
                sequence: 1,
                captured_at: clock::now(),
                timed_by: TimedBy::Camera,
            }))
        }
        fn drops(&self) -> Drops {
            Drops { broken: 7, stale: 0 }
        }
    }

    /// What comes of a source that is opened after `idle`.
    fn run(
        mut source: Failing,
        metrics: &Arc<Metrics>,
        idle: &mut Idle,
    ) -> Result<CaptureEnd, Trouble> {
        let own = Wish::own(Coding::Bgr24, SizeWish::default());
        let roster = Roster::new(own, 1, metrics).expect("a descriptor is free");
        let mut feed = Feed::new(roster, RawLook::default());
        let stop = Stop::new().expect("a descriptor is free");
        let ended = run_once(&mut source, &mut feed, metrics, idle, &mut Repeats::default(), &stop);
        ended.map_err(|error| error.trouble)
    }

    #[test]
    fn broken_frames_before_an_error_are_counted() {
        let metrics = Arc::new(Metrics::new(Micros(1)));
        let ended = run(Failing::after(0), &metrics, &mut Idle::default());
        assert_eq!(ended, Err(Trouble::Lost));
        let text = metrics.text(Micros(2));
        assert!(text.contains("lancam_capture_errors_total 7\n"), "{text}");
    }

    #[test]
    fn a_camera_that_fails_again_and_again_rests_when_nobody_has_watched_for_the_limit() {
        let metrics = Arc::new(Metrics::new(Micros(1)));
        let mut idle = Idle::default();
        idle.ends_after(Some(Duration::from_millis(200)));
        assert_eq!(run(Failing::after(3), &metrics, &mut idle), Err(Trouble::Lost));
        std::thread::sleep(Duration::from_millis(250));
        let none = run(Failing::after(0), &metrics, &mut idle);
        assert_eq!(none, Err(Trouble::Lost), "it is not said to rest if it gives no picture");
        assert_eq!(run(Failing::after(3), &metrics, &mut idle), Ok(CaptureEnd::Idle));
    }

    #[test]
    fn only_viewers_that_do_not_list_the_problems_are_told_their_number() {
        let layout = FrameLayout::new(PixelFormat::Jpeg, Size::new(64, 48), 0, Colour::JPEG);
        let facts = |problems| facts("test", &layout, TimedBy::Camera, problems);
        for (problems, told) in [(1, "(1 problem: see "), (2, "(2 problems: see ")] {
            let facts = facts(problems);
            assert!(facts.told.contains(told), "{}", facts.told);
            assert!(!facts.source.contains("problem"), "{}", facts.source);
        }
        assert_eq!(facts(0).told, facts(0).source);
    }

    #[test]
    fn viewers_are_told_when_the_times_come_from_somewhere_else() {
        let metrics = Arc::new(Metrics::new(Micros(1)));
        let own = Wish::own(Coding::Bgr24, SizeWish::default());
        let roster = Roster::new(own, 1, &metrics).expect("a descriptor is free");
        let mut feed = Feed::new(roster, RawLook::default());
        let layout = FrameLayout::new(PixelFormat::YUYV, Size::new(4, 2), 8, Colour::CAMERA);
        let pattern = TestPattern::new(Size::new(64, 48), Rate(30_000));
        let mut logged = Repeats::default();
        let mut capture = Capture::new(&pattern, &mut feed, &metrics, &mut logged);
        let mut told_after = |sequence, timed_by| {
            let content = Content::Raw(RawFrame { bytes: &[0; 16], layout: &layout });
            capture.frame(&Frame { content, sequence, captured_at: Micros(sequence), timed_by });
            metrics.stream().expect("a frame came")
        };
        let first = told_after(1, TimedBy::Arrival);
        let second = told_after(2, TimedBy::Camera);
        let third = told_after(3, TimedBy::Camera);
        let last = told_after(4, TimedBy::Arrival);
        assert!(first.source.contains("older than shown"), "{first:?}");
        assert!(!second.source.contains("older than shown"), "{second:?}");
        assert!(Arc::ptr_eq(&second, &third));
        assert_eq!(last, first);
        let text = metrics.text(Micros(5));
        assert!(text.contains("lancam_reopen_total 0\n"), "{text}");
    }
}
