//! Records what a camera sends into files, unchanged. This is the handle that starts and stops it.
//!
//! The receiver's end, [`Intake`](intake::Intake), copies each frame into a queue, the only one in lancam that is longer
//! than a frame. A thread that lives as long as the recording writes the frames to disk. The receiver never waits for the
//! disk: when the queue is full, frames are left out and counted.

mod error;
mod files;
pub mod intake;
mod kept;
pub mod lasting;
mod names;
mod output;
pub(super) mod pipe;
mod plan;
mod queue;
mod recorded_file;
mod timeline;
mod writer;

pub use error::{Kept, RecordError};
pub use plan::{Naming, Plan, Rotation};

use queue::Queue;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Starts and stops recordings of one camera, one at a time. Clones are handles of the same recorder. Only calls that take a
/// deadline wait for the disk.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Option<Arc<Queue>>>>);

/// The state of a recording at one moment.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The file that is being written, or the last one.
    pub path: Arc<Path>,
    /// When it was started.
    pub since: Instant,
    /// Frames in all files.
    pub frames: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Frames that were left out, mostly because the disk was too slow.
    pub dropped: u64,
    /// What the recording is doing.
    pub phase: Phase,
}

/// What a recording is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The file is being opened.
    Opening,
    /// The path is a pipe that no program reads yet.
    Unread,
    /// Frames are written as they come.
    Running,
    /// It was stopped. The last frames are being written.
    Finishing,
    /// All is written.
    Done,
    /// It has ended by itself, for this reason. What was written until then is kept and plays.
    Failed(Arc<str>),
}

impl Recorder {
    /// Begins to record. If the file cannot be created, [`state`](Self::state) says so later.
    ///
    /// # Errors
    /// When the last recording is still being written, or no thread can be started.
    pub fn start(&self, plan: Plan) -> Result<(), RecordError> {
        let mut current = self.lock();
        if let Some(queue) = current.as_ref().filter(|queue| !queue.has_ended()) {
            return Err(RecordError::Busy(queue.state().path.to_path_buf()));
        }
        let path = plan.path.clone();
        let queue = Arc::new(Queue::new(&path, Instant::now()));
        let writers = Arc::clone(&queue);
        thread::Builder::new()
            .name("recorder".into())
            .spawn(move || writer::run(&writers, &plan))
            .map_err(|source| RecordError::Create { path, source })?;
        *current = Some(queue);
        Ok(())
    }

    /// Begins to record, and waits until the file is open, at most until `deadline`. Does not wait for a pipe's reader.
    ///
    /// # Errors
    /// When the recording cannot begin; the error is a sentence for the user.
    pub fn start_for_sure(&self, plan: Plan, deadline: Instant) -> Result<(), String> {
        self.start(plan).map_err(|error| error.to_string())?;
        let state = self.wait_while(|phase| *phase == Phase::Opening, deadline);
        match state.as_ref().and_then(Recording::failure) {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(()),
        }
    }

    /// Stops the recording, waits until the queued frames are written, at most until `deadline`, and returns its state.
    pub fn finish(&self, deadline: Instant) -> Option<Recording> {
        self.stop();
        self.wait_while(|phase| !phase.is_over(), deadline)
    }

    /// Stops the recording. Frames already in the queue are still written.
    pub fn stop(&self) {
        if let Some(queue) = &*self.lock() {
            queue.close();
        }
    }

    /// The state of the current or the last recording; `None` before the first.
    pub fn state(&self) -> Option<Recording> {
        Some(self.queue()?.state())
    }

    /// Waits while the recording is in `phase`, at most until `deadline`, and returns its state.
    pub fn wait_while(
        &self,
        phase: impl Fn(&Phase) -> bool,
        deadline: Instant,
    ) -> Option<Recording> {
        // The recorder's lock is not held while waiting.
        let queue = self.queue()?;
        Some(queue.wait_while(phase, deadline))
    }

    fn queue(&self) -> Option<Arc<Queue>> {
        self.lock().clone()
    }

    /// Poison is ignored, because every change is one assignment.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Queue>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops recordings, waits until all queued frames are written, at most until `deadline`, and returns their states.
pub fn finish(recorders: &[Recorder], deadline: Instant) -> Vec<Recording> {
    recorders.iter().for_each(Recorder::stop);
    let recordings: Vec<_> =
        recorders.iter().filter_map(|recorder| recorder.finish(deadline)).collect();
    for Recording { path, .. } in recordings.iter().filter(|it| !it.phase.is_over()) {
        log::warn!("the last frames could not be written into {}", path.display());
    }
    recordings
}

/// How long to wait for the disk when the viewer ends. A file that is cut off there still plays.
pub const WRITING: Duration = Duration::from_secs(10);

impl Recording {
    /// Whether frames are still taken.
    pub fn is_on(&self) -> bool {
        self.phase.is_on()
    }

    /// Why the recording ended by itself.
    pub fn failure(&self) -> Option<&str> {
        match &self.phase {
            Phase::Failed(reason) => Some(reason),
            _ => None,
        }
    }
}

impl Phase {
    /// Whether frames are still taken.
    pub fn is_on(&self) -> bool {
        matches!(self, Self::Opening | Self::Unread | Self::Running)
    }

    /// Whether the recording has ended.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Failed(_))
    }
}
