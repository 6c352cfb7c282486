//! The recorder's thread: writes frames from the queue into files until the recording is stopped or a write fails.

use super::Phase;
use super::error::RecordError;
use super::files::Files;
use super::plan::Plan;
use super::queue::{Progress, Queue};
use super::timeline::Timeline;
use crate::wording::count;
use std::path::Path;
use std::sync::Arc;

/// Writes the frames of `queue` until it is closed, notes how the recording ended, and logs what was
/// recorded. A failure is not logged here: the code that started the recording reports it.
pub(super) fn run(queue: &Arc<Queue>, plan: &Plan) {
    let phase = match record(queue, plan) {
        Ok(files) => {
            let state = queue.state();
            if state.frames > 0 {
                let (frames, dropped) = (count(state.frames, "frame"), state.dropped);
                log::info!(
                    "{frames} recorded into {}, {dropped} dropped",
                    place(files, &state.path)
                );
            }
            Phase::Done
        }
        Err(error) => Phase::Failed(Arc::from(error.to_string())),
    };
    queue.ended(phase);
}

/// Where the frames are, for people: so many files, of which `last` is the last.
fn place(files: u64, last: &Path) -> String {
    match files {
        0 | 1 => last.display().to_string(),
        _ => format!("{}, the last of which is {}", count(files, "file"), last.display()),
    }
}

/// Returns how many files frames were written into.
fn record(queue: &Arc<Queue>, plan: &Plan) -> Result<u64, RecordError> {
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
    finished.map(|()| files.count())
}

fn progress(files: &Files) -> Progress<'_> {
    Progress {
        frames: files.frames(),
        left_out: files.left_out(),
        bytes: files.bytes(),
        path: files.path(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_of_several_files_is_not_said_to_be_in_the_last_one() {
        let last = Path::new("day-3.mkv");
        assert_eq!(place(1, last), "day-3.mkv");
        assert_eq!(place(3, last), "3 files, the last of which is day-3.mkv");
    }
}
