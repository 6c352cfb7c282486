//! The recorder's thread: writes frames from the queue into files until the recording is stopped or a write fails.

use super::Phase;
use super::error::RecordError;
use super::files::Files;
use super::plan::Plan;
use super::queue::{Progress, Queue};
use super::timeline::Timeline;
use crate::wording::count;
use std::sync::Arc;

/// Writes the frames of `queue` until it is closed, notes how the recording ended, and logs what was
/// recorded. A failure is not logged here: the code that started the recording reports it.
pub(super) fn run(queue: &Arc<Queue>, plan: &Plan) {
    let phase = match record(queue, plan) {
        Ok(()) => Phase::Done,
        Err(error) => Phase::Failed(Arc::from(error.to_string())),
    };
    let state = queue.state();
    if phase == Phase::Done && state.frames > 0 {
        log::info!(
            "{} recorded into {}, {} dropped",
            count(state.frames, "frame"),
            state.path.display(),
            state.dropped
        );
    }
    queue.ended(phase);
}

fn record(queue: &Arc<Queue>, plan: &Plan) -> Result<(), RecordError> {
    let mut files = Files::claim(plan, queue)?;
    queue.opened();
    let mut timeline = Timeline::default();
    while let Some(frame) = queue.next() {
        let at = timeline.place(frame.packet.facts.captured_at, frame.lasting);
        let written = files.write(&frame, at);
        queue.wrote(frame, &progress(&files));
        written?;
    }
    let finished = files.finish();
    queue.grew_to(files.bytes());
    finished
}

fn progress(files: &Files) -> Progress<'_> {
    Progress {
        frames: files.frames(),
        left_out: files.left_out(),
        bytes: files.bytes(),
        path: files.path(),
    }
}
