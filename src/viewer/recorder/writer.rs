//! The recorder's thread: from the queue into files, until it is stopped or a disk is full.

use super::files::Files;
use super::tape::Tape;
use super::timeline::Timeline;
use super::{Phase, RecordError};
use std::sync::Arc;

/// Writes down what is put on `tape` until that is closed, and says how it ended.
pub(super) fn run(tape: &Tape) {
    let phase = match record(tape) {
        Ok(()) => Phase::Done,
        Err(error) => Phase::Failed(Arc::from(error.to_string())),
    };
    let state = tape.state();
    match &phase {
        Phase::Failed(reason) => log::warn!("{reason}"),
        _ => log::info!(
            "{} frames recorded into {}, {} dropped",
            state.frames,
            state.path.display(),
            state.dropped
        ),
    }
    tape.ended(phase);
}

fn record(tape: &Tape) -> Result<(), RecordError> {
    let state = tape.state();
    let mut files = Files::claim(&state.path)?;
    tape.opened();
    let mut timeline = Timeline::default();
    while let Some(frame) = tape.next() {
        let arrived = frame.arrived.saturating_duration_since(state.since);
        let at = timeline.place(frame.packet.facts.captured_at, arrived);
        let written = files.write(&frame, at);
        tape.wrote(frame, files.frames(), files.bytes(), files.path());
        written?;
    }
    let finished = files.finish();
    tape.grew_to(files.bytes());
    finished
}
