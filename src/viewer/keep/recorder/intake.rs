//! The receiver's end of a recording: copies frames into the queue and never waits.

use super::Recorder;
use super::lasting::Moment;
use super::queue::Frame;
use crate::image::pixels::Size;
use crate::rate::Rate;
use crate::viewer::arrival::Age;
use crate::wire::packet::{FrameFacts, Packet, PacketPool};
use std::sync::Arc;
use std::time::Duration;

/// Takes every frame that arrives while a recording runs.
#[derive(Debug, Default)]
pub struct Intake {
    recorder: Recorder,
    /// The memory of queued frames. Freed when the recording has ended.
    pool: Option<PacketPool>,
    /// The time between two frames, as the camera announced it.
    interval: Option<Duration>,
    /// The number of the file that frames belong to. A new number begins a new file.
    file: u64,
    /// The camera's largest size since it was there last, recorded or not.
    largest: Option<Size>,
    /// Whether the last frame was offered to a recording.
    is_recording: bool,
}

/// Frames of one stream differ in length. Buffers grow in steps of this size, so that each soon has room for any frame.
const STEP: usize = 64 << 10;

impl Intake {
    /// The handle that starts and stops recordings of these frames.
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Sets the frame rate that the camera announces.
    pub fn announce(&mut self, rate: Rate) {
        self.interval = rate.interval();
    }

    /// Begins with a camera that may send other sizes: a new connection has one, and one that was plugged in just now.
    pub fn begin(&mut self) {
        self.largest = None;
    }

    /// Begins a new file with the next frame, because another camera took it.
    pub fn begin_new_file(&mut self) {
        self.file = self.file.wrapping_add(1);
    }

    /// The size that the camera should keep while a recording runs: its largest, since a narrow link may have made later
    /// frames smaller for a while.
    pub fn held_size(&self) -> Option<Size> {
        self.largest.filter(|_| self.is_recording)
    }

    /// Records a frame of `camera`, if a recording runs. Allocates memory only while the queue is longer than ever before.
    pub fn take(
        &mut self,
        facts: &FrameFacts,
        age: Option<Age>,
        payload: &[u8],
        camera: &Arc<str>,
    ) {
        self.largest = self.largest.into_iter().chain([facts.size]).max_by_key(|size| size.area());
        self.is_recording = self.recorder.queue().is_some_and(|queue| queue.is_on());
        match self.is_recording {
            true => self.take_at(facts, age, payload, camera, Moment::now()),
            false => self.pool = None,
        }
    }

    /// Like [`take`](Self::take), for a frame that arrived at the moment `now`.
    pub fn take_at(
        &mut self,
        facts: &FrameFacts,
        age: Option<Age>,
        payload: &[u8],
        camera: &Arc<str>,
        now: Moment,
    ) {
        let Some(queue) = self.recorder.queue() else { return };
        if !queue.admits(payload.len(), now.awake) {
            return;
        }
        let packet = self.copy(facts, payload);
        let age = age.map(|age| age.by(now.awake)).unwrap_or_default();
        queue.put(Frame {
            packet,
            arrived: now.awake,
            lasting: now.lasting,
            taken: now.calendar.checked_sub(age).unwrap_or(now.calendar),
            camera: Arc::clone(camera),
            interval: self.interval,
            file: self.file,
        });
    }

    fn copy(&mut self, facts: &FrameFacts, payload: &[u8]) -> Arc<Packet> {
        let pool = self.pool.get_or_insert_default();
        let mut packet = pool.take(*facts);
        let open = PacketPool::open(&mut packet);
        let room = payload.len().next_multiple_of(STEP);
        open.storage(room)[..payload.len()].copy_from_slice(payload);
        open.set_len(payload.len());
        pool.remember(&packet);
        packet
    }
}
