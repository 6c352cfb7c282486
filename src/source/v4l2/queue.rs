//! Waits for a camera's newest whole frame and lends it.

use super::ioctl::{Buffers, DQBUF, Filled, QBUF, Refused};
use super::openings::Openings;
use super::sequence::Sequence;
use super::usable::{Fault, Found, usable};
use crate::clock;
use crate::image::frame::{Content, Frame, FrameLayout, Micros, RawFrame, TimedBy};
use crate::image::jpeg::gate::Gate;
use crate::source::Drops;
use crate::stop::Stop;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;
use std::time::Duration;

/// A stream that runs until it is dropped.
///
/// While frames are taken as fast as they come, each costs one poll, one DQBUF and one QBUF.
pub(super) struct Queue {
    /// For the log.
    name: String,
    buffers: Buffers,
    layout: FrameLayout,
    sequence: Sequence,
    /// The frame that is lent now.
    held: Option<Filled>,
    drops: Drops,
    /// The number of successive EIO errors.
    io_errors: u32,
    dequeued: u64,
    gate: Gate,
    last_fault: Option<Fault>,
    /// The faults that were logged; there are few kinds.
    faults: Vec<Fault>,
    tells_of_faults: bool,
    patience: Duration,
    cancelled: Cancelled,
}

/// Why a stream could not start.
#[derive(Debug)]
pub(super) enum NotStarted {
    /// The driver refused a call.
    Refused(Refused),
    /// Only this many of [`Queue::FEWEST_BUFFERS`] were granted.
    TooFew(usize),
    /// The buffers hold only this many bytes, fewer than a frame.
    TooShort(usize),
}

/// Why a stream has ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The driver refused a call.
    Refused(Refused),
    /// The driver returned all buffers without a frame, and fills none any more.
    GivenUp,
    /// No whole frame came for this long. The text says what was wrong with the last broken frame,
    /// if there was one; it follows "a frame ".
    Silent(Duration, Option<String>),
}

impl Queue {
    /// With two buffers, the driver fills one while the other is lent. Two more bridge a delay of
    /// this thread.
    pub(super) const WANTED_BUFFERS: u32 = 4;

    /// With only one, the driver could fill none while it is lent.
    pub(super) const FEWEST_BUFFERS: usize = 2;

    /// How many successive EIO errors may come from a bad cable before the stream counts as ended.
    const MOST_IO_ERRORS: u32 = 5;

    /// Webcams are known to send a few broken frames at the start.
    const WARM_UP_FRAMES: u64 = 5;

    /// Starts the stream of a node that was granted `layout` and has got `buffers`.
    pub(super) fn start(
        name: String,
        buffers: Buffers,
        layout: FrameLayout,
        sequence: Sequence,
    ) -> Result<Self, NotStarted> {
        if buffers.count() < Self::FEWEST_BUFFERS {
            return Err(NotStarted::TooFew(buffers.count()));
        }
        if layout.frame_len().is_some_and(|least| least > buffers.shortest()) {
            return Err(NotStarted::TooShort(buffers.shortest()));
        }
        buffers.start().map_err(NotStarted::Refused)?;
        Ok(Self {
            name,
            buffers,
            layout,
            sequence,
            held: None,
            drops: Drops::default(),
            io_errors: 0,
            dequeued: 0,
            gate: Gate::default(),
            last_fault: None,
            faults: Vec::new(),
            tells_of_faults: true,
            patience: Openings::LEAST_PATIENCE,
            cancelled: Cancelled::default(),
        })
    }

    /// From here on counts faults without logging them: they were logged when this camera was open
    /// before.
    pub(super) fn tells_of_no_faults(&mut self) {
        self.tells_of_faults = false;
    }

    /// From here on, the camera may be silent for this long, and for longer where its rate or its
    /// start needs it.
    pub(super) fn be_patient(&mut self, patience: Duration) {
        self.patience = patience;
    }

    pub(super) fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    pub(super) fn drops(&self) -> Drops {
        self.drops
    }

    /// Gives the lent frame back, waits for the newest one and lends that; `Ok(None)` when `stop`
    /// is requested.
    pub(super) fn next_frame(&mut self, stop: &Stop) -> Result<Option<Frame<'_>>, Ended> {
        if let Some(held) = self.held.take() {
            self.give_back(held)?;
        }
        let began_at = clock::now();
        let broken_before = self.drops.broken;
        let patience = patience(self.patience, self.layout.interval, self.dequeued);
        let taken = loop {
            let wait_from = clock::now();
            let left = patience.saturating_sub(wait_from.since(began_at));
            match self.wait(stop, left)? {
                Woken::Stop => return Ok(None),
                Woken::Nobody => {}
                woken @ (Woken::Camera | Woken::Trouble) => {
                    let waited = clock::now().since(wait_from);
                    if let Some(taken) = self.take_newest(waited)? {
                        break taken;
                    }
                    if woken == Woken::Trouble {
                        self.tolerate(Refused { call: DQBUF, errno: Errno::EIO })?;
                    }
                }
            }
            if left.is_zero() {
                let last = self.last_fault.filter(|_| self.drops.broken > broken_before);
                return Err(Ended::Silent(patience, last.map(|fault| fault.to_string())));
            }
        };
        let held = self.held.insert(taken.filled);
        let bytes = self.buffers.bytes(held).expect("its length was checked when it was taken");
        let content = match taken.found {
            Found::Jpeg(found) => {
                Content::Jpeg(found.in_bytes(bytes).then(self.layout.orientation))
            }
            Found::Raw => Content::Raw(RawFrame { bytes, layout: &self.layout }),
        };
        Ok(Some(Frame {
            content,
            sequence: taken.sequence,
            captured_at: taken.captured_at,
            timed_by: TimedBy::Camera,
        }))
    }

    fn wait(&self, stop: &Stop, patience: Duration) -> Result<Woken, Ended> {
        let mut fds = [
            PollFd::new(self.buffers.as_fd(), PollFlags::POLLIN),
            PollFd::new(stop.as_fd(), PollFlags::POLLIN),
        ];
        // Round up, so that the last millisecond is not spent in a busy loop.
        let timeout = PollTimeout::try_from(patience + Duration::from_micros(999));
        match poll(&mut fds, timeout.unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Ended::Refused(Refused { call: "poll", errno })),
        }
        let camera = fds[0].revents().unwrap_or(PollFlags::empty());
        Ok(if fds[1].any().unwrap_or(false) {
            Woken::Stop
        } else if camera.contains(PollFlags::POLLIN) {
            Woken::Camera
        } else if camera.is_empty() {
            Woken::Nobody
        } else {
            Woken::Trouble
        })
    }

    /// Takes the newest whole frame that is ready, and gives the others back.
    fn take_newest(&mut self, waited: Duration) -> Result<Option<Taken>, Ended> {
        let mut newest: Option<Taken> = None;
        // A limit, so that a driver that returns buffers faster than they are examined does not
        // keep this thread.
        for _ in 0..self.buffers.count() {
            let Some(filled) = self.dequeue()? else { break };
            self.dequeued += 1;
            let now = clock::now();
            let is_nothing = filled.is_damaged && filled.is_empty();
            let is_cancelled = self.cancelled.note(is_nothing, self.buffers.count(), now);
            if is_nothing {
                // Its sequence number and time are old ones.
                self.report(Fault::Empty);
                self.drops.broken += 1;
                // If the camera was unplugged, this call fails.
                self.give_back(filled)?;
                if is_cancelled {
                    return Err(Ended::GivenUp);
                }
                continue;
            }
            let Some(sequence) = self.sequence.number(filled.sequence, filled.captured_at) else {
                self.drops.stale += 1;
                self.give_back(filled)?;
                continue;
            };
            let found = match self.usable(&filled) {
                Ok(found) => found,
                Err(fault) => {
                    self.report(fault);
                    self.drops.broken += 1;
                    self.give_back(filled)?;
                    continue;
                }
            };
            let captured_at = capture_time(filled.captured_at, now);
            let stamped = filled.captured_at.is_some();
            let taken = Taken { filled, found, sequence, captured_at };
            if let Some(older) = newest.replace(taken) {
                self.drops.stale += 1;
                self.give_back(older.filled)?;
            }
            let age = stamped.then(|| now.since(captured_at));
            if is_newest(waited, age, self.layout.interval) {
                break;
            }
        }
        Ok(newest)
    }

    fn dequeue(&mut self) -> Result<Option<Filled>, Ended> {
        let refused = Refused::by(DQBUF);
        match self.buffers.dequeue() {
            Ok(Some(filled)) => {
                self.io_errors = 0;
                Ok(Some(filled))
            }
            // Readiness is only a hint: some drivers wake poll without a buffer.
            Ok(None) => Ok(None),
            Err(Errno::EIO) => self.tolerate(refused(Errno::EIO)).map(|()| None),
            Err(errno) => Err(Ended::Refused(refused(errno))),
        }
    }

    fn tolerate(&mut self, refused: Refused) -> Result<(), Ended> {
        self.io_errors += 1;
        if self.io_errors > Self::MOST_IO_ERRORS {
            return Err(Ended::Refused(refused));
        }
        Ok(())
    }

    fn give_back(&mut self, filled: Filled) -> Result<(), Ended> {
        let given_back = self.buffers.give_back(filled);
        given_back.map_err(|errno| Ended::Refused(Refused { call: QBUF, errno }))
    }

    /// Whether a frame can be used, and what was found in its bytes.
    fn usable(&mut self, filled: &Filled) -> Result<Found, Fault> {
        let bytes = self.buffers.bytes(filled).ok_or(Fault::Long)?;
        usable(bytes, filled.is_damaged, &self.layout, &mut self.gate)
    }

    /// Logs each kind of fault once, since a camera may send several in turns.
    fn report(&mut self, fault: Fault) {
        self.last_fault = Some(fault);
        let is_known = !self.tells_of_faults || self.faults.contains(&fault);
        if self.dequeued <= Self::WARM_UP_FRAMES || is_known {
            return;
        }
        self.faults.push(fault);
        log::warn!(
            "camera {}: a frame {fault}; lancam drops such frames and counts them",
            self.name
        );
    }
}

/// Counts successive buffers that came back empty and marked as damaged.
///
/// When a transfer fails for good (a halted endpoint, or EPROTO from a bad cable), `uvcvideo`
/// cancels its queue. It returns all its buffers at once, and accepts queued buffers without ever
/// filling them.
#[derive(Debug, Default)]
struct Cancelled {
    buffers: usize,
    since: Micros,
}

impl Cancelled {
    /// No camera sends that many empty frames in so short a time.
    const AT_ONCE: Duration = Duration::from_millis(20);

    /// Notes one of `all` buffers. Returns whether it is the last of those that came back at once.
    /// One buffer may not have been with the driver.
    fn note(&mut self, is_nothing: bool, all: usize, now: Micros) -> bool {
        if !is_nothing {
            self.buffers = 0;
            return false;
        }
        if self.buffers == 0 || now.since(self.since) > Self::AT_ONCE {
            (self.buffers, self.since) = (0, now);
        }
        self.buffers += 1;
        self.buffers >= all.saturating_sub(1).max(2)
    }
}

/// A frame that was dequeued and found usable.
struct Taken {
    filled: Filled,
    found: Found,
    sequence: u64,
    captured_at: Micros,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    Stop,
    Camera,
    /// The camera reports an error without a frame; DQBUF returns which.
    Trouble,
    /// The time is over, or a signal came.
    Nobody,
}

/// How long a camera may be silent. Long exposures are not faults, and the first frame takes
/// webcams seconds: they power up, focus and set their exposure only when streaming starts.
fn patience(least: Duration, interval: Option<Duration>, frames_so_far: u64) -> Duration {
    let least = if frames_so_far == 0 { least.max(Duration::from_secs(5)) } else { least };
    interval.map_or(least, |interval| (interval * 5).max(least))
}

/// Whether a frame that was just dequeued is surely the newest, so that DQBUF need not be asked for
/// another.
///
/// If poll had to wait, no frame was ready before, and this frame ended the wait. Its age guards
/// against a thread that waited because the CPU was busy, and not because nothing was ready. Two
/// intervals are allowed, since webcams stamp a frame at its start and take one interval to send
/// it.
fn is_newest(waited: Duration, age: Option<Duration>, interval: Option<Duration>) -> bool {
    let is_fresh = match (age, interval) {
        (Some(age), Some(interval)) => age <= interval * 2,
        _ => true,
    };
    waited >= SURELY_WAITED && is_fresh
}

/// Longer than poll takes when a frame is ready, and shorter than the time between two frames.
const SURELY_WAITED: Duration = Duration::from_millis(1);

/// The driver's time stamp, if it is plausible. If it is in the future or older than any frame in a
/// buffer, the current time.
fn capture_time(stamp: Option<Micros>, now: Micros) -> Micros {
    stamp.filter(|&stamp| now.since(stamp) < OLDEST).map_or(now, |stamp| stamp.min(now))
}

/// No frame is in a buffer for longer than this and still shown.
const OLDEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_queue_is_cancelled_when_all_buffers_come_back_at_once_with_nothing() {
        let at = |ms: u64| Micros(1_000_000 + 1000 * ms);
        let mut cancelled = Cancelled::default();
        let burst: Vec<bool> = (0..3).map(|ms| cancelled.note(true, 4, at(ms))).collect();
        assert_eq!(burst, [false, false, true], "and one was with us");
        let mut cancelled = Cancelled::default();
        assert!((0..100).all(|frame| !cancelled.note(true, 4, at(33 * frame))), "empty frames");
        let mut cancelled = Cancelled::default();
        assert!((0..100).all(|ms| !cancelled.note(ms % 3 != 2, 4, at(ms / 4))), "frames between");
    }

    #[test]
    fn patience_grows_with_the_interval_and_at_the_start() {
        assert_eq!(patience(MS(1000), Some(MS(33)), 1), MS(1000));
        assert_eq!(patience(MS(1000), Some(MS(400)), 1), MS(2000));
        assert_eq!(patience(MS(1000), None, 1), MS(1000));
        assert_eq!(patience(MS(1000), Some(MS(33)), 0), MS(5000));
        assert_eq!(patience(MS(8000), Some(MS(33)), 0), MS(8000));
        assert_eq!(patience(MS(1000), Some(MS(2000)), 0), MS(10_000));
    }

    #[test]
    fn a_frame_that_was_waited_for_is_the_newest() {
        let interval = Some(MS(33));
        assert!(is_newest(MS(20), Some(MS(1)), interval));
        assert!(is_newest(MS(20), Some(MS(40)), interval), "stamped at its start");
        assert!(is_newest(MS(20), None, None));
        assert!(!is_newest(MS(0), Some(MS(1)), interval), "it was ready, so others may be");
        assert!(!is_newest(MS(20), Some(MS(90)), interval), "the thread was not let run");
    }

    #[test]
    fn a_stamp_that_cannot_be_is_not_believed() {
        let now = Micros(100_000_000);
        assert_eq!(capture_time(Some(Micros(99_990_000)), now), Micros(99_990_000));
        assert_eq!(capture_time(Some(Micros(100_000_500)), now), now, "the future");
        assert_eq!(capture_time(Some(Micros(u64::MAX)), now), now);
        assert_eq!(capture_time(Some(Micros(5)), now), now, "the distant past");
        assert_eq!(capture_time(None, now), now);
    }
}
