//! The recorder's thread: from the queue into files, until it is stopped or a disk is full.

use super::Phase;
use super::error::RecordError;
use super::files::Files;
use super::plan::Plan;
use super::tape::{Progress, Tape};
use super::timeline::Timeline;
use std::sync::Arc;

/// Writes down what is put on `tape` until that is closed, and says how it ended.
pub(super) fn run(tape: &Arc<Tape>, plan: &Plan) {
    let phase = match record(tape, plan) {
        Ok(()) => Phase::Done,
        Err(error) => Phase::Failed(Arc::from(error.to_string())),
    };
    let state = tape.state();
    match &phase {
        Phase::Failed(reason) => log::warn!("{reason}"),
        _ if state.frames == 0 => log::info!("nothing was recorded: no picture came"),
        _ => log::info!(
            "{} frames recorded into {}, {} dropped",
            state.frames,
            state.path.display(),
            state.dropped
        ),
    }
    tape.ended(phase);
}

fn record(tape: &Arc<Tape>, plan: &Plan) -> Result<(), RecordError> {
    let mut files = Files::claim(plan, tape)?;
    tape.opened();
    let mut timeline = Timeline::default();
    while let Some(frame) = tape.next() {
        let at = timeline.place(frame.packet.facts.captured_at, frame.lasting);
        let written = files.write(&frame, at);
        tape.wrote(frame, &progress(&files));
        written?;
    }
    let finished = files.finish();
    tape.grew_to(files.bytes());
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
