//! One camera that is watched: its receiver's thread, the newest picture and notice, and statistics.

use super::controls::Remote;
use super::demand::Demand;
use super::news::{Hold, News, Notice};
use super::pace::Pace;
use super::receiver::{Dialogue, Protocol, Receiver, Wanted};
use super::statistics::Statistics;
use crate::image::jpeg::codec::JpegError;
use crate::image::pixels::Size;
use crate::latest::{Doorbell, Latest, Newest, Reader};
use crate::viewer::arrival::Arrival;
use crate::viewer::find::identity::Likeness;
use crate::viewer::keep::folders;
use crate::viewer::keep::recorder::{Plan, Recorder};
use crate::wire::access::code::Code;
use crate::wording::reason;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// One camera that is watched.
#[derive(Debug)]
pub struct Channel {
    /// Which camera it is.
    pub camera: Wanted,
    /// The protocol spoken with it.
    pub protocol: Protocol,
    /// The recorder of its frames.
    pub recorder: Recorder,
    /// Whether a recording was started whose end has not been shown yet.
    pub is_recording: bool,
    /// Its controls.
    pub remote: Remote,
    slot: Arc<Latest<News>>,
    reader: Reader<News>,
    demand: Arc<Demand>,
    /// Where the receiver looks for a code to pair with.
    codes: Arc<Latest<Code>>,
    /// The picture that is shown.
    pub arrival: Option<Arc<Arrival>>,
    /// Why that picture is not a current one.
    pub notice: Option<Standing>,
    /// Counts of what was shown.
    pub statistics: Statistics,
    pace: Pace,
    /// Its address, for people.
    address: String,
    /// The same as the user wrote it: a camera's name has no port.
    written: String,
    /// Whether anything is new since this was last set to false.
    pub is_changed: bool,
    /// Whether the picture has not been on the screen yet.
    is_unseen: bool,
}

/// What is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// A picture.
    Picture,
    /// A notice that there is no picture, or that pictures are back.
    Notice,
}

/// A notice that is shown over the picture.
#[derive(Debug)]
pub struct Standing {
    /// The notice.
    pub notice: Arc<Notice>,
    /// When the first notice came. A later notice with another reason does not change it.
    pub since: Instant,
    /// When the last picture was taken; `None` if there was none.
    pub last_picture: Option<SystemTime>,
}

impl Standing {
    /// The time of day at which the last picture was taken, as it is said at `now`: with the date if that is another day.
    pub fn last_picture_at(&self, now: SystemTime) -> Option<String> {
        self.last_picture.map(|taken| folders::clock_time(taken, now))
    }
}

/// What a receiver and the screen share.
#[derive(Debug)]
pub struct Feed {
    /// The newest picture or notice.
    pub slot: Arc<Latest<News>>,
    /// The size in which pictures are needed.
    pub demand: Arc<Demand>,
    /// The recorder of the frames.
    pub recorder: Recorder,
    /// The camera's controls.
    pub remote: Remote,
}

/// Why a camera cannot be watched at all.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// libjpeg-turbo cannot be set up.
    #[error(transparent)]
    Decoder(#[from] JpegError),
    /// No thread can be started.
    #[error("cannot start a thread for a camera: {}", reason(.0))]
    Thread(#[from] io::Error),
    /// The recording cannot begin; the reason as a sentence.
    #[error("{0}")]
    Recording(String),
}

/// How long to wait for the recording's file to open. After that, pictures are shown although it is
/// not open yet.
const OPENING: Duration = Duration::from_secs(2);

impl Channel {
    /// Watches `camera`. Each change rings `doorbell`.
    ///
    /// # Errors
    /// When this machine lacks memory or threads.
    pub fn open(
        camera: Wanted,
        dialogue: impl Into<Dialogue>,
        doorbell: &Arc<Doorbell>,
    ) -> Result<Self, ChannelError> {
        Self::open_with(camera, dialogue, None, Hold::Nothing, doorbell)
    }

    /// Watches `camera` and, with a plan, records everything it sends. `hold` says which notices
    /// are not logged at once.
    ///
    /// # Errors
    /// When the recording cannot begin, or this machine lacks memory or threads.
    pub fn open_with(
        camera: Wanted,
        dialogue: impl Into<Dialogue>,
        plan: Option<Plan>,
        hold: Hold,
        doorbell: &Arc<Doorbell>,
    ) -> Result<Self, ChannelError> {
        let (mut channel, receiver) = Self::prepare(camera, dialogue.into(), doorbell)?;
        if let Some(plan) = plan {
            let opened = channel.recorder.start_for_sure(plan, Instant::now() + OPENING);
            opened.map_err(ChannelError::Recording)?;
            channel.is_recording = true;
        }
        receiver.holding_back(hold).start()?;
        Ok(channel)
    }

    fn prepare(
        camera: Wanted,
        dialogue: Dialogue,
        doorbell: &Arc<Doorbell>,
    ) -> Result<(Self, Receiver), ChannelError> {
        let Dialogue { protocol, keyring, code, asks } = dialogue;
        let slot = Latest::with_doorbell(Arc::clone(doorbell));
        let demand = Arc::new(Demand::default());
        let receiver = Receiver::new(camera.clone(), protocol, Arc::clone(&slot))?;
        let recorder = receiver.recorder();
        let remote = receiver.remote();
        remote.ring(Arc::clone(doorbell));
        let receiver =
            receiver.looked_at_by(Arc::clone(&demand)).known_by(keyring, code).asking(asks);
        let mut channel = Self::fed_by(Feed { slot, demand, recorder, remote }, camera);
        (channel.protocol, channel.codes) = (protocol, receiver.codes());
        Ok((channel, receiver))
    }

    /// A channel without a receiver of its own: `feed` is filled by the caller.
    pub fn fed_by(feed: Feed, camera: Wanted) -> Self {
        let Feed { slot, demand, recorder, remote } = feed;
        Self {
            address: camera.address.to_string(),
            written: camera.address.written(),
            camera,
            protocol: Protocol::default(),
            recorder,
            is_recording: false,
            remote,
            reader: slot.reader(),
            slot,
            demand,
            codes: Latest::new(),
            arrival: None,
            notice: None,
            statistics: Statistics::default(),
            pace: Pace::default(),
            is_changed: true,
            is_unseen: false,
        }
    }

    /// Pairs with the camera by this code, if it wants one.
    pub fn pair(&self, code: Code) {
        self.codes.publish(code);
    }

    /// Sets the size in which the picture is shown; `None` if it is not shown.
    pub fn demand(&mut self, shown: Option<Size>, now: Instant) {
        self.demand.set(shown);
        if shown.is_some() != self.pace.is_wanted() {
            self.forget_pace();
            self.pace.want(shown.map(|_| now));
        }
    }

    /// The camera's own name, or else the name or address it was opened by, as the user wrote it.
    pub fn name(&self) -> &str {
        match &self.arrival {
            Some(arrival) if !arrival.origin.name.is_empty() => &arrival.origin.name,
            _ => self.camera.name().unwrap_or(&self.written),
        }
    }

    /// Whether this is that camera, as the list has it.
    pub fn is_of(&self, camera: &Wanted) -> bool {
        if self.camera == *camera {
            return true;
        }
        let origin = self.arrival.as_ref().map(|arrival| arrival.origin.identity());
        let own = origin.or_else(|| self.camera.identity.clone()).unwrap_or_default();
        camera.identity.as_ref().is_some_and(|listed| listed.likeness(&own) == Likeness::Same)
    }

    /// The camera's address, or its last one.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Takes what is new. Skips pictures unless `is_wanted`.
    pub fn update(&mut self, now: Instant, is_wanted: bool) -> Change {
        match self.reader.newest() {
            Newest::Fresh { value: News::Picture(arrival), .. } if is_wanted => {
                self.statistics.count(&arrival, now);
                self.pace.count(now);
                self.follow(&arrival);
                self.arrival = Some(arrival);
                self.notice = None;
                (self.is_unseen, self.is_changed) = (true, true);
                Change::Picture
            }
            // The view is paused: keep its picture, but remove the notice.
            Newest::Fresh { value: News::Picture(arrival), .. } if self.notice.is_some() => {
                self.follow(&arrival);
                self.arrival.get_or_insert(arrival);
                self.notice = None;
                self.is_changed = true;
                Change::Notice
            }
            Newest::Fresh { value: News::Notice { notice, last }, .. } => {
                // The time counts from the first notice, even if the reason has changed.
                let since = self.notice.as_ref().map_or(now, |standing| standing.since);
                if is_wanted || self.arrival.is_none() {
                    self.arrival = last.or_else(|| self.arrival.take());
                }
                let last_picture = self.arrival.as_ref().map(|arrival| arrival.taken);
                self.notice = Some(Standing { notice, since, last_picture });
                self.forget_pace();
                self.is_changed = true;
                Change::Notice
            }
            _ => Change::Nothing,
        }
    }

    /// Begins to measure the rate anew.
    fn forget_pace(&mut self) {
        self.pace.forget();
        self.statistics.forget_rates();
    }

    /// Whether the picture will not be replaced soon: pictures have stopped or are late.
    pub fn stands_still(&self, now: Instant) -> bool {
        self.notice.is_some() || self.lateness(now).is_some()
    }

    /// Follows the camera to its present address.
    fn follow(&mut self, arrival: &Arrival) {
        let now = &arrival.origin.camera;
        if self.camera != *now && *now != Wanted::default() {
            self.camera = now.clone();
            (self.address, self.written) = (now.address.to_string(), now.address.written());
        }
    }

    /// Notes that the picture is on the screen. Returns its age there, if that is known and the picture is shown for the
    /// first time.
    pub fn shown(&mut self, now: Instant) -> Option<Duration> {
        if !std::mem::take(&mut self.is_unseen) {
            return None;
        }
        let age = self.arrival.as_ref()?.age?;
        self.statistics.count_age(&age, now);
        Some(age.by(now))
    }

    /// Why the recording has ended by itself. Returns each failure once.
    pub fn recording_failure(&mut self) -> Option<String> {
        let recording = self.is_recording.then(|| self.recorder.state()).flatten()?;
        let reason = recording.failure()?.to_owned();
        self.is_recording = false;
        Some(reason)
    }

    /// The time between two pictures.
    pub fn interval(&self) -> Option<Duration> {
        self.pace.interval()
    }

    /// The age of the picture, if the next ones are long overdue. Counted from when the camera took it, if that is known,
    /// else from its arrival or from when it was first wanted.
    pub fn lateness(&self, now: Instant) -> Option<Duration> {
        let arrival = self.arrival.as_ref().filter(|_| self.notice.is_none())?;
        let since = self.pace.overdue(now)?;
        Some(arrival.age.map_or(since, |age| age.by(now)))
    }
}

impl Drop for Channel {
    /// The receiver ends when it next publishes something. The recording ends with the frames that have arrived.
    fn drop(&mut self) {
        self.recorder.stop();
        self.slot.close();
        self.codes.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::arrival::Age;
    use crate::viewer::find::address::CameraAddress;
    use crate::viewer::keep::recorder::Plan;
    use crate::viewer::watch::news::{NoticeKind, Publisher};
    use crate::viewer::watch::pace;

    const MS: Duration = Duration::from_millis(1);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn why_no_thread_starts_is_said_without_the_number_of_the_error() {
        let said = ChannelError::Thread(io::Error::from_raw_os_error(11)).to_string();
        assert!(said.starts_with("cannot start a thread for a camera: "), "{said}");
        assert!(!said.contains("os error"), "{said}");
    }

    fn channel() -> (Channel, Publisher) {
        let slot = Latest::new();
        let publisher = Publisher::new(Arc::clone(&slot));
        let feed = Feed {
            slot,
            demand: Arc::default(),
            recorder: Recorder::default(),
            remote: Remote::default(),
        };
        let address = CameraAddress::parse("pi").expect("an address");
        (Channel::fed_by(feed, Wanted::at(address)), publisher)
    }

    /// Shows a picture that arrives now, with this age, if any.
    fn show(publisher: &mut Publisher, age: Option<Duration>, now: Instant) {
        let (uncertainty, round_trip) = (MS, 2 * MS);
        publisher.blank().age = age.map(|age| Age { age, at: now, uncertainty, round_trip });
        publisher.publish();
    }

    #[test]
    fn a_picture_is_late_when_the_next_but_two_should_be_there() {
        for age in [None, Some(30 * MS)] {
            let (mut channel, mut publisher) = channel();
            let mut now = Instant::now();
            channel.demand(Some(Size::new(640, 360)), now);
            for _ in 0..50 {
                now += 100 * MS;
                show(&mut publisher, age, now);
                assert_eq!(channel.update(now, true), Change::Picture);
            }
            assert_eq!(channel.lateness(now + 299 * MS), None);
            let old = 301 * MS + age.unwrap_or_default();
            assert_eq!(channel.lateness(now + 301 * MS), Some(old));
            assert_eq!(channel.lateness(now + 901 * MS), Some(old + 600 * MS), "it counts");
            publisher.notify(NoticeKind::Disconnected, "the camera has left".into());
            channel.update(now + 950 * MS, true);
            assert_eq!(channel.lateness(now + 999 * MS), None, "the notice says more");
        }
    }

    #[test]
    fn at_a_high_rate_a_hiccup_of_this_computer_is_not_late() {
        let (mut channel, mut publisher) = channel();
        let mut now = Instant::now();
        channel.demand(Some(Size::new(640, 360)), now);
        for _ in 0..50 {
            now += 10 * MS;
            show(&mut publisher, None, now);
            channel.update(now, true);
        }
        assert_eq!(channel.lateness(now + pace::LEAST_LATE), None);
        assert!(channel.lateness(now + pace::LEAST_LATE + MS).is_some());
    }

    #[test]
    fn a_camera_that_hangs_while_nobody_looks_is_late_soon_after_somebody_does() {
        let (mut channel, mut publisher) = channel();
        let mut now = Instant::now();
        channel.demand(Some(Size::new(640, 360)), now);
        for _ in 0..50 {
            now += 33 * MS;
            show(&mut publisher, Some(30 * MS), now);
            channel.update(now, true);
        }
        channel.demand(None, now);
        now += 600_000 * MS;
        assert_eq!(channel.lateness(now), None, "nobody wanted one");
        channel.demand(Some(Size::new(640, 360)), now);
        assert_eq!(channel.lateness(now + pace::UNKNOWN_LATE), None, "there was no time for one");
        now += pace::UNKNOWN_LATE + MS;
        assert_eq!(channel.lateness(now), Some(600_030 * MS + pace::UNKNOWN_LATE + MS));
        // The long wait must not count as a rate.
        for _ in 0..2 {
            show(&mut publisher, Some(30 * MS), now);
            channel.update(now, true);
            now += 33 * MS;
        }
        assert_eq!(channel.interval(), Some(33 * MS));
    }

    #[test]
    fn rates_are_forgotten_while_nothing_is_wanted_or_nothing_comes() {
        let (mut channel, mut publisher) = channel();
        let mut now = Instant::now();
        let shown = Some(Size::new(640, 360));
        let mut watch = |channel: &mut Channel, publisher: &mut Publisher| {
            channel.demand(shown, now);
            for _ in 0..40 {
                now += 33 * MS;
                show(publisher, None, now);
                channel.update(now, true);
            }
            now
        };
        let seen = watch(&mut channel, &mut publisher);
        assert!(channel.statistics.rates(seen).is_some());
        channel.demand(None, seen);
        assert!(channel.statistics.rates(seen).is_none(), "it is held");
        let seen = watch(&mut channel, &mut publisher);
        assert!(channel.statistics.rates(seen).is_some());
        publisher.notify(NoticeKind::Disconnected, "the camera has left".into());
        channel.update(seen, true);
        assert!(channel.statistics.rates(seen).is_none(), "it is gone");
        let standing = channel.notice.as_ref().expect("it is told");
        let taken = standing.last_picture.expect("there was a picture");
        let time = standing.last_picture_at(taken).expect("the same");
        assert_eq!(time.len(), "14:03:22".len(), "{time}");
        // One day has 25 hours.
        let time = standing.last_picture_at(taken + 2 * DAY).expect("the same");
        assert_eq!(time.len(), "2026-07-12 14:03:22".len(), "on another day: {time}");
    }

    #[test]
    fn a_camera_is_called_as_the_user_wrote_it_until_its_own_name_is_known() {
        for written in ["Garage", "garage.local", "10.0.0.5:9998", "10.0.0.5"] {
            let slot = Latest::new();
            let (recorder, remote) = (Recorder::default(), Remote::default());
            let feed = Feed { slot, demand: Arc::default(), recorder, remote };
            let address = CameraAddress::parse(written).expect("an address");
            assert_eq!(Channel::fed_by(feed, Wanted::at(address)).name(), written);
        }
    }

    #[test]
    fn a_channel_that_is_dropped_ends_its_recording_and_leaves_no_empty_file() {
        let (mut channel, _billboard) = channel();
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = channel.recorder.clone();
        let plan = Plan::file(&folder.path().join("a.mkv"));
        channel.recorder.start(plan).expect("a thread");
        channel.is_recording = true;
        drop(channel);
        let deadline = Instant::now() + Duration::from_secs(60);
        while recorder.state().is_some_and(|state| !state.phase.is_over()) {
            assert!(Instant::now() < deadline, "its thread goes on");
            std::thread::yield_now();
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 0);
    }

    #[test]
    fn a_held_picture_stays_and_what_was_in_the_way_of_others_goes() {
        let (mut channel, mut publisher) = channel();
        let now = Instant::now();
        show(&mut publisher, None, now);
        channel.update(now, true);
        let held = channel.arrival.clone().expect("a picture");
        publisher.notify(NoticeKind::Disconnected, "the camera has left".into());
        assert_eq!(channel.update(now, false), Change::Notice);
        assert!(channel.notice.is_some());
        show(&mut publisher, None, now);
        assert_eq!(channel.update(now, false), Change::Notice);
        assert!(channel.notice.is_none());
        assert!(Arc::ptr_eq(&held, channel.arrival.as_ref().expect("the same")));
        show(&mut publisher, None, now);
        assert_eq!(channel.update(now, false), Change::Nothing);
    }
}
