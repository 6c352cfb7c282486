//! Saves pictures, starts and ends recordings, and reports the results.

use super::Show;
use crate::viewer::keep::recorder::{self, Phase, Plan, RecordError, Recorder, Recording, WRITING};
use crate::viewer::keep::snapshot::{Form, Keeper};
use crate::viewer::paint::badges::Mood;
use std::time::Instant;

impl Show {
    pub(super) fn keep(&mut self, form: Form) {
        let selected = self.tiles.get(self.wall.selected());
        match selected.and_then(|tile| tile.channel.arrival.clone()) {
            Some(arrival) => self.keeper.keep(arrival, form),
            None => self.say(Mood::Bad, "there is no picture to save yet".to_owned()),
        }
    }

    pub(super) fn toggle_recording(&mut self) {
        let Some(tile) = self.tiles.get_mut(self.wall.selected()) else { return };
        let channel = &mut tile.channel;
        if channel.is_recording {
            let state = channel.recorder.state();
            channel.recorder.stop();
            if let Some(Recording { path, .. }) = state.filter(|it| it.phase == Phase::Finishing) {
                let busy = RecordError::Busy(path.to_path_buf());
                self.say(Mood::Bad, busy.to_string());
            }
            return;
        }
        match channel.recorder.start(Plan::in_folder(channel.name(), self.rotation)) {
            Ok(()) => channel.is_recording = true,
            Err(error) => self.say(Mood::Bad, error.to_string()),
        }
    }

    /// Takes the results of saved pictures and recordings. Returns whether there is a message to show.
    pub(super) fn hear_of_files(&mut self) -> bool {
        let mut news = Vec::new();
        let channels = self.tiles.iter_mut().map(|tile| &mut tile.channel);
        for channel in channels.filter(|channel| channel.is_recording) {
            if let Some(end) = end_of(&channel.recorder) {
                channel.is_recording = false;
                news.push(end);
            }
        }
        self.leaving.retain(|recorder| match end_of(recorder) {
            Some(end) => {
                news.push(end);
                false
            }
            None => true,
        });
        news.extend(self.keeper.answer().map(|answer| match answer {
            Ok(path) => {
                let text = format!("saved {}", path.display());
                log::info!("{text}");
                (Mood::Good, text)
            }
            Err(error) => (Mood::Bad, error.to_string()),
        }));
        let is_news = !news.is_empty();
        for (mood, text) in news {
            // Of what was recorded the log has been told.
            if mood == Mood::Bad {
                log::warn!("{text}");
            }
            self.say(mood, text);
        }
        is_news
    }
}

/// Finishes all recordings and saved pictures. `recorders` are those whose end has not been reported.
pub(super) fn finish(recorders: &[Recorder], mut keeper: Keeper) {
    let deadline = Instant::now() + WRITING;
    recorder::finish(recorders, deadline);
    for (mood, text) in recorders.iter().filter_map(end_of) {
        if mood == Mood::Bad {
            log::warn!("{text}");
        }
    }
    for answer in keeper.finish(deadline) {
        match answer {
            Ok(path) => log::info!("saved {}", path.display()),
            Err(error) => log::warn!("{error}"),
        }
    }
}

/// The message about a recording, once all of it is written.
fn end_of(recorder: &Recorder) -> Option<(Mood, String)> {
    let state = recorder.state().filter(|state| state.phase.is_over())?;
    Some(match state.failure() {
        Some(reason) => (Mood::Bad, reason.to_owned()),
        None if state.frames == 0 => {
            (Mood::Bad, "nothing was recorded: no picture came".to_owned())
        }
        None => (Mood::Good, format!("recorded {}", state.path.display())),
    })
}
