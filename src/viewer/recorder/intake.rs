//! The receiver's end of a recording: copies frames into the queue, and waits for nothing.

use super::Recorder;
use super::tape::{Frame, Tape};
use crate::viewer::news::Age;
use crate::wire::packet::{FrameFacts, PacketPool};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Takes every frame that arrives, while something is being recorded.
#[derive(Debug, Default)]
pub struct Intake {
    recorder: Recorder,
    /// The memory of frames that wait; given back when the recording has ended.
    pool: Option<PacketPool>,
    /// Between two frames.
    interval: Option<Duration>,
    /// Which film frames belong to.
    film: u64,
}

/// Frames of one stream differ in length: memory in steps is soon large enough for all of them.
const STEP: usize = 64 << 10;

impl Intake {
    /// What starts and stops recordings of these frames.
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// The camera's frames are so many in a thousand seconds from here on; 0 where nobody knows.
    pub fn announce(&mut self, millifps: u32) {
        self.interval = Duration::from_secs(1000).checked_div(millifps);
    }

    /// The next frame begins a new file, where something is being recorded: it is not of the camera that took the last.
    pub fn begin_new_file(&mut self) {
        self.film = self.film.wrapping_add(1);
    }

    /// Records a frame of `camera`, if that is wanted. Allocates nothing once as many frames waited as ever will.
    pub fn take(
        &mut self,
        facts: &FrameFacts,
        age: Option<Age>,
        payload: &[u8],
        camera: &Arc<str>,
    ) {
        let Some(tape) = self.recorder.tape().filter(|tape| tape.is_on()) else {
            self.pool = None;
            return;
        };
        let arrived = Instant::now();
        if tape.admits(payload.len(), arrived) {
            self.put(&tape, facts, age, payload, camera, arrived);
        }
    }

    fn put(
        &mut self,
        tape: &Tape,
        facts: &FrameFacts,
        age: Option<Age>,
        payload: &[u8],
        camera: &Arc<str>,
        arrived: Instant,
    ) {
        let pool = self.pool.get_or_insert_default();
        let mut packet = pool.take(*facts);
        let open = PacketPool::open(&mut packet);
        let room = payload.len().next_multiple_of(STEP);
        open.storage(room)[..payload.len()].copy_from_slice(payload);
        open.set_len(payload.len());
        pool.remember(&packet);
        let now = SystemTime::now();
        let age = age.map(|age| age.by(arrived)).unwrap_or_default();
        let taken = now.checked_sub(age).unwrap_or(now);
        let (camera, interval, film) = (Arc::clone(camera), self.interval, self.film);
        tape.put(Frame { packet, arrived, taken, camera, interval, film });
    }
}
