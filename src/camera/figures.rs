//! What one form of the picture costs in frames, bytes, time and memory, for the log.

use crate::image::frame::Micros;
use crate::wording::count;
use std::fmt;
use std::time::Duration;

/// Up to this many frames are a snapshot. A program may ask for one each second, so these are
/// logged at debug level only.
const SNAPSHOT: u64 = 10;

/// Counted since the first viewer came.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    since: Micros,
    until: Micros,
    frames: u64,
    bytes: u64,
    busy: Duration,
    cpu: Option<Duration>,
    /// Bytes held for it.
    pub memory: usize,
}

impl Figures {
    /// Nothing is counted yet.
    pub fn new(now: Micros) -> Self {
        Self {
            since: now,
            until: now,
            frames: 0,
            bytes: 0,
            busy: Duration::ZERO,
            cpu: None,
            memory: 0,
        }
    }

    /// Counts a frame of `len` bytes that took from `started` to `ended`.
    pub fn count(&mut self, len: usize, started: Micros, ended: Micros) {
        self.frames += 1;
        self.bytes += u64::try_from(len).unwrap_or(0);
        self.busy += ended.since(started);
        self.until = ended;
    }

    /// Counts the time that cores worked on a frame.
    pub fn count_cpu(&mut self, took: Duration) {
        *self.cpu.get_or_insert_default() += took;
    }

    /// At which level to log these figures.
    pub fn level(&self) -> log::Level {
        if self.frames <= SNAPSHOT { log::Level::Debug } else { log::Level::Info }
    }

    /// The time from the start to the last frame.
    pub fn age(&self) -> Duration {
        self.until.since(self.since)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames = self.frames.max(1) as f64;
        let seconds = self.age().as_secs_f64().max(0.001);
        let each = |time: Duration| time.as_secs_f64() * 1e3 / frames;
        write!(
            out,
            "{}, {:.1} fps, {:.1} kB and {:.2} ms each",
            count(self.frames, "frame"),
            self.frames as f64 / seconds,
            self.bytes as f64 / frames / 1000.0,
            each(self.busy),
        )?;
        if let Some(cpu) = self.cpu {
            write!(out, " ({:.2} ms of CPU)", each(cpu))?;
        }
        write!(out, ", {} kB of memory", self.memory.div_ceil(1000))
    }
}
