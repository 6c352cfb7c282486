//! The queue between the receiver and the disk, and the state of a recording.

use super::pipe;
use super::{Phase, Recording};
use crate::wire::packet::Packet;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// One recording's queue: the receiver puts frames in, the writer takes them out.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

/// A frame to be written.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) packet: Arc<Packet>,
    pub(super) arrived: Instant,
    /// When it arrived, by the clock that counts while this machine sleeps.
    pub(super) lasting: Duration,
    /// When the camera took it, by this machine's clock, as exactly as that is known.
    pub(super) taken: SystemTime,
    pub(super) camera: Arc<str>,
    /// The time to the next frame, as the camera announced it.
    pub(super) interval: Option<Duration>,
    /// The number of its file. Another number begins another file.
    pub(super) file: u64,
}

#[derive(Debug)]
struct Inner {
    queue: VecDeque<Frame>,
    /// Bytes of the frames in the queue and of the one being written.
    waiting_bytes: usize,
    /// When the frame that is being written arrived.
    in_hand: Option<Instant>,
    /// How many of the dropped frames were left out by the writer.
    left_out: u64,
    /// When the recording was stopped.
    closed: Option<Instant>,
    state: Recording,
}

/// What the writer has done so far.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    /// Frames in all files.
    pub(super) frames: u64,
    /// Frames that the writer left out.
    pub(super) left_out: u64,
    /// Bytes of all files.
    pub(super) bytes: u64,
    /// The newest file.
    pub(super) path: &'a Arc<Path>,
}

/// A disk that is 2 s late will not catch up: frames are dropped from then on.
const LONGEST: Duration = Duration::from_secs(2);

/// The most memory for frames that wait for the disk.
const MOST_BYTES: usize = 32 << 20;

/// After the recording was stopped, a pipe's reader that takes nothing for so long is given up.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Two seconds at usual frame rates.
const USUAL_FRAMES: usize = 128;

impl Queue {
    pub(super) fn new(path: &Path, now: Instant) -> Self {
        let state = Recording {
            path: Arc::from(path),
            since: now,
            frames: 0,
            bytes: 0,
            dropped: 0,
            phase: Phase::Opening,
        };
        let queue = VecDeque::with_capacity(USUAL_FRAMES);
        let inner =
            Inner { queue, waiting_bytes: 0, in_hand: None, left_out: 0, closed: None, state };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// Whether a frame of `len` bytes that arrives now should be [`put`](Self::put). Counts it as dropped when there is no
    /// room.
    pub(super) fn admits(&self, len: usize, now: Instant) -> bool {
        let mut inner = self.lock();
        if !inner.state.is_on() || inner.state.phase == Phase::Unread {
            return false;
        }
        let oldest = inner.in_hand.or_else(|| inner.queue.front().map(|frame| frame.arrived));
        let is_late = oldest.is_some_and(|oldest| now.saturating_duration_since(oldest) > LONGEST);
        if is_late || inner.waiting_bytes + len > MOST_BYTES {
            inner.state.dropped += 1;
            return false;
        }
        true
    }

    pub(super) fn put(&self, frame: Frame) {
        let mut inner = self.lock();
        if inner.state.is_on() {
            inner.waiting_bytes += frame.packet.payload().len();
            inner.queue.push_back(frame);
            drop(inner);
            self.changed.notify_all();
        }
    }

    /// Whether the recording still takes frames.
    pub(super) fn is_on(&self) -> bool {
        self.lock().state.is_on()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().state.phase.is_over()
    }

    pub(super) fn state(&self) -> Recording {
        self.lock().state.clone()
    }

    /// Stops the recording: no more frames are taken.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        if inner.state.is_on() {
            inner.state.phase = Phase::Finishing;
            inner.closed = Some(Instant::now());
            drop(inner);
            self.changed.notify_all();
        }
    }

    pub(super) fn wait_while(
        &self,
        phase: impl Fn(&Phase) -> bool,
        deadline: Instant,
    ) -> Recording {
        let mut inner = self.lock();
        while phase(&inner.state.phase) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.state.clone()
    }

    /// Notes that no program reads the pipe, and waits for [`pipe::LOOK`]. Returns `false` once the recording was stopped.
    pub(super) fn waits_for_a_reader(&self) -> bool {
        let mut inner = self.lock();
        if inner.state.phase == Phase::Opening {
            log::warn!(
                "recording begins when a program reads the pipe {}",
                inner.state.path.display()
            );
            inner.state.phase = Phase::Unread;
            self.changed.notify_all();
        }
        if inner.state.phase == Phase::Unread {
            let waited = self.changed.wait_timeout(inner, pipe::LOOK);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.state.phase == Phase::Unread
    }

    /// Whether the recording was stopped longer than [`LAST_WAIT`] ago.
    pub(super) fn is_overdue(&self) -> bool {
        self.lock().closed.is_some_and(|closed| closed.elapsed() > LAST_WAIT)
    }

    /// Notes that the file is open.
    pub(super) fn opened(&self) {
        let mut inner = self.lock();
        if matches!(inner.state.phase, Phase::Opening | Phase::Unread) {
            inner.state.phase = Phase::Running;
            drop(inner);
            self.changed.notify_all();
        }
    }

    /// Waits for the next frame to write. `None` once the recording was stopped and the queue is empty.
    pub(super) fn next(&self) -> Option<Frame> {
        let mut inner = self.lock();
        loop {
            if let Some(frame) = inner.queue.pop_front() {
                inner.in_hand = Some(frame.arrived);
                return Some(frame);
            }
            if !inner.state.is_on() {
                return None;
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes that the writer is done with this frame, and how much is written by now.
    pub(super) fn wrote(&self, frame: Frame, progress: &Progress<'_>) {
        let Progress { frames, left_out, bytes, path } = *progress;
        let len = frame.packet.payload().len();
        // Give the frame's memory back to the pool before other frames may take its room.
        drop(frame);
        let mut inner = self.lock();
        inner.in_hand = None;
        inner.waiting_bytes -= len;
        inner.state.frames = frames;
        inner.state.dropped += left_out - inner.left_out;
        inner.left_out = left_out;
        inner.state.bytes = bytes;
        if !Arc::ptr_eq(&inner.state.path, path) {
            inner.state.path = Arc::clone(path);
        }
    }

    /// Notes how many bytes the files have.
    pub(super) fn grew_to(&self, bytes: u64) {
        self.lock().state.bytes = bytes;
    }

    /// Notes that the recording has ended, in this phase.
    pub(super) fn ended(&self, phase: Phase) {
        let mut inner = self.lock();
        inner.state.phase = phase;
        inner.queue = VecDeque::new();
        drop(inner);
        self.changed.notify_all();
    }

    /// Poison is ignored, because no change can be left half done.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::image::frame::Micros;
    use crate::image::pixels::Size;
    use crate::wire::packet::{Codec, FrameFacts, PacketPool};

    pub(in crate::viewer::keep::recorder) fn frame(len: usize, arrived: Instant) -> Frame {
        let facts = FrameFacts {
            sequence: 1,
            captured_at: Micros(0),
            codec: Codec::Jpeg,
            size: Size::new(1, 1),
        };
        let mut packet = PacketPool::default().take(facts);
        let open = PacketPool::open(&mut packet);
        open.storage(len);
        open.set_len(len);
        let (taken, camera) = (SystemTime::now(), Arc::from(""));
        let lasting = Duration::ZERO;
        Frame { packet, arrived, lasting, taken, camera, interval: None, file: 0 }
    }

    fn queue(now: Instant) -> (Queue, Arc<Path>) {
        let path = Path::new("x.mkv");
        (Queue::new(path, now), Arc::from(path))
    }

    #[test]
    fn frames_are_dropped_when_the_one_in_hand_is_two_seconds_old() {
        let start = Instant::now();
        let (queue, path) = queue(start);
        queue.put(frame(10, start));
        let in_hand = queue.next().expect("there is one");
        assert!(queue.admits(10, start + LONGEST));
        assert!(!queue.admits(10, start + LONGEST + Duration::from_millis(1)));
        assert_eq!(queue.state().dropped, 1);
        queue.wrote(in_hand, &Progress { frames: 1, left_out: 0, bytes: 10, path: &path });
        assert!(queue.admits(10, start + LONGEST * 2), "it has caught up");
    }

    #[test]
    fn no_more_than_32_mib_wait() {
        let start = Instant::now();
        let (queue, path) = queue(start);
        for _ in 0..4 {
            assert!(queue.admits(8 << 20, start));
            queue.put(frame(8 << 20, start));
        }
        assert!(!queue.admits(1, start));
        let in_hand = queue.next().expect("there is one");
        assert!(!queue.admits(1, start), "it is still in memory");
        queue.wrote(in_hand, &Progress { frames: 1, left_out: 0, bytes: 0, path: &path });
        assert!(queue.admits(1, start));
    }

    #[test]
    fn what_came_before_the_stop_is_still_handed_out() {
        let start = Instant::now();
        let (queue, path) = queue(start);
        queue.put(frame(1, start));
        queue.close();
        queue.put(frame(1, start));
        assert!(!queue.admits(1, start));
        let last = queue.next().expect("it came before");
        queue.wrote(last, &Progress { frames: 1, left_out: 0, bytes: 1, path: &path });
        assert!(queue.next().is_none());
        assert_eq!(queue.state().phase, Phase::Finishing);
        assert_eq!(queue.state().dropped, 0, "nobody wanted it");
    }
}
