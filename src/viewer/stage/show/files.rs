//! Saves pictures, starts and ends recordings, and reports the results.

use super::Show;
use crate::viewer::keep::recorder::{self, Phase, Plan, Recorder, WRITING};
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
            channel.recorder.stop();
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
            if let Some(end) = end_of(&channel.recorder, Phase::is_on) {
                channel.is_recording = false;
                news.push(end);
            }
        }
        self.leaving.retain(|recorder| match end_of(recorder, |phase| !phase.is_over()) {
            Some(end) => {
                news.push(end);
                false
            }
            None => true,
        });
        news.extend(self.keeper.answer().map(|answer| match answer {
            Ok(path) => (Mood::Good, format!("saved {}", path.display())),
            Err(error) => (Mood::Bad, error.to_string()),
        }));
        let is_news = !news.is_empty();
        for (mood, text) in news {
            log::info!("{text}");
            self.say(mood, text);
        }
        is_news
    }
}

/// Finishes all recordings and saved pictures.
pub(super) fn finish(recorders: &[Recorder], mut keeper: Keeper) {
    let deadline = Instant::now() + WRITING;
    recorder::finish(recorders, deadline);
    for answer in keeper.finish(deadline) {
        match answer {
            Ok(path) => log::info!("saved {}", path.display()),
            Err(error) => log::warn!("{error}"),
        }
    }
}

/// The message about a recording once it has left this phase.
fn end_of(recorder: &Recorder, is_awaited: impl Fn(&Phase) -> bool) -> Option<(Mood, String)> {
    let state = recorder.state().filter(|state| !is_awaited(&state.phase))?;
    Some(match state.failure() {
        Some(reason) => (Mood::Bad, reason.to_owned()),
        None if state.frames == 0 && state.phase.is_over() => {
            (Mood::Bad, "nothing was recorded: no picture came".to_owned())
        }
        None => (Mood::Good, format!("recorded {}", state.path.display())),
    })
}
