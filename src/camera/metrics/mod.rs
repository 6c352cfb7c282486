//! The counters of the camera: atomics that each thread updates once per frame.

mod arrivals;
mod complaints;
mod health;
mod histogram;
mod process;
pub mod text;
mod troubles;

use super::update::StreamFacts;
use crate::image::frame::Micros;
use crate::wire::native::credit::Arrival;
use arrivals::Arrivals;
pub use arrivals::Lately;
use complaints::Complaints;
pub use health::{Health, SourceState};
use histogram::Histogram;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use troubles::Troubles;

/// All counters of one camera.
#[derive(Debug)]
pub struct Metrics {
    started_at: Micros,
    state: AtomicU8,
    state_since: AtomicU64,
    stream: Mutex<Option<Arc<StreamFacts>>>,
    complaints: Complaints,
    troubles: Troubles,
    /// How often the capture thread has made progress.
    turns: AtomicU64,
    captured: AtomicU64,
    missed: AtomicU64,
    failed: AtomicU64,
    openings: AtomicU64,
    first_frame_at: AtomicU64,
    last_frame_at: AtomicU64,
    last_sequence: AtomicU64,
    /// The mean time between two frames, in microseconds, over the last few.
    interval: AtomicU64,
    /// The time between two frames that the source has announced, in microseconds; 0 if it has not.
    expected: AtomicU64,
    encoding: Histogram,
    /// The time of all cores, in microseconds.
    encoding_cpu: AtomicU64,
    arrival_age: Histogram,
    arrival_uncertainty: Histogram,
    arrivals: Arrivals,
    by_transport: [Sent; Transport::ALL.len()],
    refused: [AtomicU64; Refused::ALL.len()],
}

/// What was sent by one protocol.
#[derive(Debug, Default)]
struct Sent {
    viewers: AtomicUsize,
    frames: AtomicU64,
    bytes: AtomicU64,
    skipped: AtomicU64,
    age: Histogram,
}

/// The protocol of a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// What `lancam-view` speaks.
    Native,
    /// Browsers and other HTTP clients.
    Http,
    /// The tutorial's client.
    Pickle,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Native, Self::Http, Self::Pickle];

    /// Its name in labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Http => "http",
            Self::Pickle => "pickle",
        }
    }
}

/// Why a connection was not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It came from outside the LAN.
    NotAllowed,
    /// There were too many connections or viewers.
    TooMany,
    /// It sent nothing in time.
    Silent,
    /// It asked for something that cannot be served.
    BadRequest,
    /// It asked for a picture, and the camera has none.
    NoPicture,
    /// It took no data.
    TooSlow,
    /// It wanted a key with a wrong code, or after too many wrong ones.
    WrongCode,
    /// It showed no key that counts, or not inside TLS.
    NoKey,
}

impl Refused {
    const ALL: [Self; 8] = [
        Self::NotAllowed,
        Self::TooMany,
        Self::Silent,
        Self::BadRequest,
        Self::NoPicture,
        Self::TooSlow,
        Self::WrongCode,
        Self::NoKey,
    ];

    /// Its name in labels.
    fn name(self) -> &'static str {
        match self {
            Self::NotAllowed => "not_allowed",
            Self::TooMany => "too_many",
            Self::Silent => "silent",
            Self::BadRequest => "bad_request",
            Self::NoPicture => "no_picture",
            Self::TooSlow => "too_slow",
            Self::WrongCode => "wrong_code",
            Self::NoKey => "no_key",
        }
    }
}

/// A counted viewer. Dropping it ends the count.
#[derive(Debug)]
pub struct Viewer<'a>(&'a AtomicUsize);

impl Drop for Viewer<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// All counters at zero, starting at `now`.
    pub fn new(now: Micros) -> Self {
        Self {
            started_at: now,
            state: AtomicU8::new(SourceState::Starting as u8),
            state_since: AtomicU64::new(now.0),
            stream: Mutex::default(),
            complaints: Complaints::default(),
            troubles: Troubles::default(),
            turns: AtomicU64::default(),
            captured: AtomicU64::default(),
            missed: AtomicU64::default(),
            failed: AtomicU64::default(),
            openings: AtomicU64::default(),
            first_frame_at: AtomicU64::default(),
            last_frame_at: AtomicU64::default(),
            last_sequence: AtomicU64::default(),
            interval: AtomicU64::default(),
            expected: AtomicU64::default(),
            encoding: Histogram::default(),
            encoding_cpu: AtomicU64::default(),
            arrival_age: Histogram::default(),
            arrival_uncertainty: Histogram::default(),
            arrivals: Arrivals::default(),
            by_transport: Default::default(),
            refused: Default::default(),
        }
    }

    /// Adds a complaint about the configuration, which is shown to people.
    pub fn complain(&self, text: String) {
        self.complaints.push(text);
    }

    /// Replaces the complaints about the settings of the source, which was opened now.
    pub fn complain_of_source(&self, complaints: Vec<String>) {
        self.complaints.about_source(complaints);
    }

    /// Also shows the lines of this file as complaints.
    pub fn heed(&self, complaints: PathBuf) {
        self.complaints.heed(complaints);
    }

    /// All complaints about the configuration or the machine now.
    pub fn complaints(&self) -> Vec<String> {
        self.complaints.all()
    }

    /// Notes that the capture thread is not hanging: it took a frame, or tries something else.
    pub fn turned(&self) {
        self.turns.fetch_add(1, Relaxed);
    }

    /// How often the capture thread has made progress.
    pub fn turns(&self) -> u64 {
        self.turns.load(Relaxed)
    }

    /// The time between two frames: as announced by the source or as measured, whichever is longer.
    /// Zero if unknown.
    pub fn interval(&self) -> Duration {
        let measured = self.interval.load(Relaxed);
        Duration::from_micros(measured.max(self.expected.load(Relaxed)))
    }

    /// Notes that a source was opened which announces this time between two frames.
    pub fn expects(&self, interval: Option<Duration>) {
        let micros = interval.map_or(0, |interval| interval.as_micros());
        self.expected.store(u64::try_from(micros).unwrap_or(u64::MAX), Relaxed);
        self.interval.store(0, Relaxed);
    }

    /// Notes that a thread cannot make pictures and has told viewers why.
    pub fn is_troubled(&self, text: &str) {
        self.troubles.begin(text);
    }

    /// Notes that such a thread can make pictures again, or has ended.
    pub fn is_cured(&self) {
        self.troubles.end();
    }

    /// Why pictures cannot be made, if a thread has reported it.
    pub fn trouble(&self) -> Option<String> {
        self.troubles.newest()
    }

    /// Sets the state of the source.
    pub fn is(&self, state: SourceState, now: Micros) {
        self.state_since.store(now.0, Relaxed);
        self.state.store(state as u8, Relaxed);
    }

    /// Notes the first frame of a source since it was opened.
    pub fn begins(&self, at: Micros, stream: &Arc<StreamFacts>) {
        self.is_described(stream);
        self.openings.fetch_add(1, Relaxed);
        self.last_sequence.store(0, Relaxed);
        self.interval.store(0, Relaxed);
        self.last_frame_at.store(0, Relaxed);
        self.first_frame_at.store(at.0, Relaxed);
        self.is(SourceState::Streaming, at);
    }

    /// The open source is described in other words from here on.
    pub fn is_described(&self, stream: &Arc<StreamFacts>) {
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(stream));
    }

    /// Counts a frame of the source. Only the capture thread calls this, so nobody else writes what
    /// is read here.
    pub fn captured(&self, sequence: u64, at: Micros) {
        self.turned();
        self.captured.fetch_add(1, Relaxed);
        let last = self.last_sequence.swap(sequence, Relaxed);
        if last > 0 && sequence > last + 1 {
            self.missed.fetch_add(sequence - last - 1, Relaxed);
        }
        let before = self.last_frame_at.swap(at.0, Relaxed);
        if before > 0 {
            let gap = at.0.saturating_sub(before);
            let mean = match self.interval.load(Relaxed) {
                0 => gap,
                mean => (mean * 15 + gap) / 16,
            };
            self.interval.store(mean, Relaxed);
        }
    }

    /// Counts frames that could not be used.
    pub fn failed(&self, frames: u64) {
        self.failed.fetch_add(frames, Relaxed);
    }

    /// Counts a frame that was encoded: how long that took, and how long cores worked on it.
    pub fn encoded(&self, took: Duration, cpu: Duration) {
        self.encoding.count(took);
        let micros = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
        self.encoding_cpu.fetch_add(micros, Relaxed);
    }

    /// Counts a frame that the kernel has taken; `bytes` includes prefix and suffix.
    pub fn sent(&self, transport: Transport, bytes: usize, age: Duration) {
        let sent = self.of(transport);
        sent.frames.fetch_add(1, Relaxed);
        sent.bytes.fetch_add(u64::try_from(bytes).unwrap_or(0), Relaxed);
        sent.age.count(age);
    }

    /// Counts a frame that a viewer has acknowledged; `None` if nothing is known about it.
    pub fn arrived(&self, arrival: Option<Arrival>, now: Micros) {
        let Some(arrival) = arrival else { return };
        self.arrival_age.count(arrival.age);
        self.arrival_uncertainty.count(arrival.uncertainty);
        self.arrivals.note(&arrival, now);
    }

    /// The age of frames on arrival during the last ten seconds; `None` if no viewer has reported
    /// an arrival.
    pub fn lately(&self, now: Micros) -> Option<Lately> {
        self.arrivals.lately(now)
    }

    /// Counts frames that came while a viewer was busy.
    pub fn skipped(&self, transport: Transport, frames: u64) {
        if frames > 0 {
            self.of(transport).skipped.fetch_add(frames, Relaxed);
        }
    }

    /// Counts a connection that was not served.
    pub fn refused(&self, why: Refused) {
        self.refused[why as usize].fetch_add(1, Relaxed);
    }

    /// Counts a viewer.
    pub fn viewer(&self, transport: Transport) -> Viewer<'_> {
        let viewers = &self.of(transport).viewers;
        viewers.fetch_add(1, Relaxed);
        Viewer(viewers)
    }

    /// How many viewers use this protocol.
    pub fn viewers(&self, transport: Transport) -> usize {
        self.of(transport).viewers.load(Relaxed)
    }

    /// When the source sent its first frame since it was last opened.
    pub fn first_frame_at(&self) -> Micros {
        Micros(self.first_frame_at.load(Relaxed))
    }

    /// What was captured last.
    pub fn stream(&self) -> Option<Arc<StreamFacts>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long this program has been running.
    pub fn uptime(&self, now: Micros) -> Duration {
        now.since(self.started_at)
    }

    fn of(&self, transport: Transport) -> &Sent {
        &self.by_transport[transport as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Size;
    use crate::rate::Rate;

    pub(super) fn facts() -> Arc<StreamFacts> {
        let (source, told) = ("x".into(), "x".into());
        Arc::new(StreamFacts { source, told, rate: Rate::NONE, size: Size::new(2, 2) })
    }

    #[test]
    fn frames_that_are_missing_are_counted_and_the_rate_is_a_mean() {
        let metrics = Metrics::new(Micros(0));
        metrics.begins(Micros(1_000_000), &facts());
        for (sequence, at) in [(7, 1_000_000), (8, 1_040_000), (11, 1_080_000)] {
            metrics.captured(sequence, Micros(at));
        }
        assert_eq!(metrics.captured.load(Relaxed), 3);
        assert_eq!(metrics.missed.load(Relaxed), 2);
        let health = metrics.health(Micros(1_090_000));
        assert_eq!(health.state, SourceState::Streaming);
        assert!((health.fps - 25.0).abs() < 0.01, "{health:?}");
        // The source was opened again: the time before does not count as a gap.
        metrics.begins(Micros(9_000_000), &facts());
        metrics.captured(1, Micros(9_000_000));
        assert_eq!(metrics.missed.load(Relaxed), 2);
    }
}
