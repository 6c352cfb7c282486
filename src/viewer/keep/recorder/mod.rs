//! Keeps what a camera sends in a file, as it was sent: a handle for whoever starts and stops that.
//!
//! The receiver's end, [`Intake`](intake::Intake), copies each frame into a queue, the only one in lancam that is longer than
//! a frame; a thread that lives as long as the recording writes them down. Whatever the disk does, the receiver waits for
//! nothing: where the queue is full, frames are left out and counted.

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

/// Starts and stops recordings of one camera, one at a time. Clones are handles of the same recorder. Nothing here waits for a
/// disk but what takes a deadline.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Option<Arc<Queue>>>>);

/// A recording as it is at a moment.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The file that is being written; the last one where there were several.
    pub path: Arc<Path>,
    /// When it was started.
    pub since: Instant,
    /// Frames in the files.
    pub frames: u64,
    /// The files' bytes.
    pub bytes: u64,
    /// Frames that were left out, since the disk was too slow.
    pub dropped: u64,
    /// How far it is.
    pub phase: Phase,
}

/// How far a recording is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The file is being opened.
    Opening,
    /// Nobody reads the pipe yet that frames are to go into.
    Unread,
    /// Frames are written as they come.
    Running,
    /// It was stopped, and the last frames are being written.
    Finishing,
    /// All is written.
    Done,
    /// It has ended, and why; what was written until then is kept and can be played.
    Failed(Arc<str>),
}

impl Recorder {
    /// Begins to record as planned. Whether that works is seen later, in [`state`](Self::state).
    ///
    /// # Errors
    /// When the last recording is still being written, or there can be no further thread.
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

    /// Begins to record as planned, and waits until it is known whether that works; not beyond `deadline`, and not for
    /// whoever is to read a pipe.
    ///
    /// # Errors
    /// When it does not, as a sentence.
    pub fn start_for_sure(&self, plan: Plan, deadline: Instant) -> Result<(), String> {
        self.start(plan).map_err(|error| error.to_string())?;
        let state = self.wait_while(|phase| *phase == Phase::Opening, deadline);
        match state.as_ref().and_then(Recording::failure) {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(()),
        }
    }

    /// Takes no more frames, and waits until those that came are written, though not beyond `deadline`; what was recorded.
    pub fn finish(&self, deadline: Instant) -> Option<Recording> {
        self.stop();
        self.wait_while(|phase| !phase.is_over(), deadline)
    }

    /// Takes no more frames; those that came are still written.
    pub fn stop(&self) {
        if let Some(queue) = &*self.lock() {
            queue.close();
        }
    }

    /// How the recording is doing, or did; `None` before the first.
    pub fn state(&self) -> Option<Recording> {
        Some(self.queue()?.state())
    }

    /// Waits while the recording is in `phase`, though not beyond `deadline`: what it is then.
    pub fn wait_while(
        &self,
        phase: impl Fn(&Phase) -> bool,
        deadline: Instant,
    ) -> Option<Recording> {
        // The lock on the slot is not held meanwhile.
        let queue = self.queue()?;
        Some(queue.wait_while(phase, deadline))
    }

    fn queue(&self) -> Option<Arc<Queue>> {
        self.lock().clone()
    }

    /// Nothing in there is ever half changed.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Queue>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends recordings and waits until all that came is written, though not beyond `deadline`; what was recorded by each.
pub fn finish(recorders: &[Recorder], deadline: Instant) -> Vec<Recording> {
    recorders.iter().for_each(Recorder::stop);
    let recordings: Vec<_> =
        recorders.iter().filter_map(|recorder| recorder.finish(deadline)).collect();
    for Recording { path, .. } in recordings.iter().filter(|it| !it.phase.is_over()) {
        log::warn!("the last frames could not be written into {}", path.display());
    }
    recordings
}

/// How long a disk may take for what is still to be written. The file can be played without that.
pub const WRITING: Duration = Duration::from_secs(10);

impl Recording {
    /// Whether frames are still taken.
    pub fn is_on(&self) -> bool {
        self.phase.is_on()
    }

    /// Why it has ended, where nobody ended it.
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

    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Failed(_))
    }
}
