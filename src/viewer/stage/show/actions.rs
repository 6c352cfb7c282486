//! What keys and mouse make the window do.

use super::lasting::Message;
use super::{Show, ShowError, offer};
use crate::image::pixels::Size;
use crate::viewer::keep::recorder::{Phase, Plan, Recorder};
use crate::viewer::keep::snapshot::{Form, Keeper};
use crate::viewer::paint::badges::Mood;
use crate::viewer::paint::controls::Hit;
use crate::viewer::presenter::End;
use crate::viewer::stage::input::{Input, Key, Point};
use crate::viewer::stage::panel::Change;
use crate::viewer::stage::wall::{Action, Sheet};
use crate::viewer::watch::receiver::Protocol;
use std::time::{Duration, Instant};

/// How long a message is shown.
const MESSAGE: Duration = Duration::from_secs(4);
/// How long a disk may take for what is still to be written. The file can be played without that.
const WRITING: Duration = Duration::from_secs(10);

impl Show {
    pub(super) fn react(&mut self, input: Input) -> Result<Option<End>, ShowError> {
        if let Input::Key(key) = input
            && key != Key::Escape
        {
            self.asked = None;
        }
        let has_chosen = match input {
            Input::Press(_) | Input::DoublePress(_) => std::mem::take(&mut self.has_chosen),
            _ => false,
        };
        if has_chosen && matches!(input, Input::DoublePress(_)) {
            return Ok(None);
        }
        if let Some(index) = self.point_at_list(input) {
            self.has_chosen = true;
            return self.act(Action::Watch(index));
        }
        if self.touch_panel(input) {
            return Ok(None);
        }
        match self.wall.take(input) {
            Some(action) => self.act(action),
            None => Ok(None),
        }
    }

    /// The camera that was clicked at in the list.
    fn point_at_list(&mut self, input: Input) -> Option<usize> {
        let (Input::Press(at) | Input::DoublePress(at) | Input::Hover(at)) = input else {
            return None;
        };
        let is_seen = self.wall.choice.is_some() && self.wall.sheet == Sheet::None;
        let chooser = self.chooser.as_mut().filter(|_| is_seen)?;
        let list = offer(chooser, &self.wall, Instant::now());
        let (x, y) = pixel(at);
        let row = self.composer.row_at(&self.wall, list, x, y);
        chooser.hover = row;
        row.filter(|_| !matches!(input, Input::Hover(_)))
    }

    fn act(&mut self, action: Action) -> Result<Option<End>, ShowError> {
        match action {
            Action::Leave => return Ok(Some(End::UserLeft)),
            Action::Back => return Ok(self.go_back()),
            Action::Watch(index) => {
                if let Some(camera) =
                    self.chooser.as_ref().and_then(|chooser| chooser.camera(index))
                {
                    self.watch(camera)?;
                }
            }
            Action::List => self.browse(),
            Action::PutListAway => self.put_list_away(),
            Action::Scroll(lines) => self.composer.scroll_help(lines),
            Action::FullScreen => self.toggle_full_screen(),
            Action::SavePicture => self.keep(Form::Png),
            Action::SaveJpeg => self.keep(Form::Jpeg),
            Action::Record => self.toggle_recording(),
            Action::Adjust(key) => {
                let selected = self.wall.selected();
                let change = self.channels.get_mut(selected).and_then(|it| it.panel.key(key));
                self.adjust(change);
            }
        }
        Ok(None)
    }

    /// What the mouse does to the panel of controls; says whether it did anything there.
    fn touch_panel(&mut self, input: Input) -> bool {
        if self.wall.sheet != Sheet::Controls {
            return false;
        }
        let Some(channel) = self.channels.get_mut(self.wall.selected()) else { return false };
        if let Input::Press(_) | Input::DoublePress(_) = input {
            // It may have been let go where nobody saw it.
            channel.panel.release();
        }
        let change = match input {
            Input::Press(at) | Input::Hover(at) | Input::DoublePress(at) => {
                let (x, y) = pixel(at);
                let hit = self.composer.control_at(&self.wall, channel, x, y);
                channel.panel.point(hit);
                if hit == Hit::Outside {
                    return false;
                }
                match input {
                    Input::Hover(_) => None,
                    _ => channel.panel.press(hit),
                }
            }
            Input::Wheel { at, steps } => {
                let (x, y) = pixel(at);
                if self.composer.control_at(&self.wall, channel, x, y) == Hit::Outside {
                    return false;
                }
                let rows = self.wall.turn_wheel(steps);
                let key = if rows < 0 { Key::Up } else { Key::Down };
                (0..rows.unsigned_abs()).find_map(|_| channel.panel.key(key))
            }
            Input::Drag { to, .. } if channel.panel.held().is_some() => {
                let value = self.composer.dragged_to(&self.wall, channel, pixel(to).0);
                value.and_then(|value| channel.panel.drag(value))
            }
            Input::Release(_) if channel.panel.held().is_some() => {
                channel.panel.release();
                None
            }
            _ => return false,
        };
        self.adjust(change);
        true
    }

    /// The selected camera's control is to have another value.
    fn adjust(&self, change: Option<Change>) {
        if let (Some(channel), Some(Change { id, value })) =
            (self.channels.get(self.wall.selected()), change)
        {
            channel.remote.set(id, value);
        }
    }

    /// Looks at what cameras said of their controls; says whether anything changed by it.
    pub(super) fn hear_of_controls(&mut self) -> bool {
        let (mut is_news, mut complaint) = (false, None);
        for channel in &mut self.channels {
            let before = channel.panel.complaint().map(str::to_owned);
            if channel.panel.update(channel.remote.controls()) {
                is_news = true;
                let now = channel.panel.complaint();
                complaint = complaint
                    .or(now.filter(|now| before.as_deref() != Some(*now)).map(str::to_owned));
            }
        }
        if let Some(complaint) = complaint {
            self.say(Mood::Bad, complaint);
        }
        is_news
    }

    fn toggle_full_screen(&mut self) {
        self.note_place();
        let Some((window, desktop)) = self.window.id().zip(self.desktop.as_mut()) else {
            let text = if cfg!(any(windows, target_os = "macos")) {
                "full screen is not to be had on this system yet: enlarge the window"
            } else {
                "full screen needs a window of X: WAYLAND_DISPLAY= lancam-view"
            };
            return self.say(Mood::Bad, text.to_owned());
        };
        let is_full = desktop.is_full_screen(window).unwrap_or_default();
        if let Err(error) = desktop.fill_screen(window, !is_full) {
            self.say(Mood::Bad, format!("no full screen: {error}"));
        }
    }

    fn is_full_screen(&self) -> bool {
        let asked = self.window.id().zip(self.desktop.as_ref());
        asked.is_some_and(|(window, desktop)| desktop.is_full_screen(window).unwrap_or_default())
    }

    /// Nothing lies over the pictures any more: out of full screen, then out of the program, which is asked for twice while
    /// something is recorded.
    fn go_back(&mut self) -> Option<End> {
        if self.is_full_screen() {
            self.toggle_full_screen();
            return None;
        }
        let now = Instant::now();
        let is_asked = self.asked.take().is_some_and(|until| now <= until);
        if is_asked || !self.channels.iter().any(|channel| channel.is_recording) {
            return Some(End::UserLeft);
        }
        self.asked = Some(now + MESSAGE);
        self.say(Mood::Plain, "Recording. Press Esc again to stop it and quit".to_owned());
        None
    }

    /// Where and how large the window is, unless it fills the screen.
    fn note_place(&mut self) {
        if self.is_full_screen() {
            return;
        }
        self.memory.size = Some(self.window.size());
        if let Some((window, desktop)) = self.window.id().zip(self.desktop.as_mut()) {
            self.memory.place = desktop.place(window).ok().or(self.memory.place);
        }
    }

    fn keep(&mut self, form: Form) {
        match self.channels.get(self.wall.selected()).and_then(|channel| channel.arrival.clone()) {
            Some(arrival) => self.keeper.keep(arrival, form),
            None => self.say(Mood::Bad, "there is no picture to save yet".to_owned()),
        }
    }

    fn toggle_recording(&mut self) {
        let Some(channel) = self.channels.get_mut(self.wall.selected()) else { return };
        if channel.is_recording {
            channel.recorder.stop();
            return;
        }
        match channel.recorder.start(Plan::album(channel.name(), self.rotation)) {
            Ok(()) => channel.is_recording = true,
            Err(error) => self.say(Mood::Bad, error.to_string()),
        }
    }

    /// What came of pictures and recordings; says whether there is something to be said.
    pub(super) fn hear_of_files(&mut self) -> bool {
        let mut news = Vec::new();
        for channel in self.channels.iter_mut().filter(|channel| channel.is_recording) {
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

    /// Says something for a few seconds.
    pub(super) fn say(&mut self, mood: Mood, text: String) {
        self.message = Some(Message { text, mood, until: Instant::now() + MESSAGE });
    }

    pub(super) fn remember(&mut self) {
        self.note_place();
        if let [only] = self.channels.as_slice()
            && only.arrival.is_some()
        {
            self.memory.camera = Some(only.camera.clone());
            self.memory.is_pickle = only.protocol == Protocol::Pickle;
        }
        self.memory.save();
    }
}

/// What was recorded and saved is written to its end.
pub(super) fn finish_files(recorders: &[Recorder], mut keeper: Keeper) {
    let deadline = Instant::now() + WRITING;
    recorders.iter().for_each(Recorder::stop);
    for recorder in recorders {
        if let Some(left) = recorder.finish(deadline).filter(|it| !it.phase.is_over()) {
            log::warn!("the last frames could not be written into {}", left.path.display());
        }
    }
    for answer in keeper.finish(deadline) {
        match answer {
            Ok(path) => log::info!("saved {}", path.display()),
            Err(error) => log::warn!("{error}"),
        }
    }
}

/// What came of a recording, once it is no longer in such a phase.
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

#[allow(clippy::cast_possible_truncation)] // a place in a window
fn pixel(at: Point) -> (i32, i32) {
    (at.x as i32, at.y as i32)
}

/// Whether a window there can be reached with the mouse.
pub(super) fn is_on(screen: Size, x: i32, y: i32) -> bool {
    let inside =
        |at: i32, side: usize| usize::try_from(at.saturating_add(REACH)).is_ok_and(|at| at < side);
    inside(x, screen.width) && inside(y, screen.height)
}

/// So much of a title bar can still be held.
const REACH: i32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_put_only_where_it_can_be_reached() {
        let screen = Size::new(1920, 1080);
        for (x, y) in [(0, 0), (-40, -40), (1879, 1039)] {
            assert!(is_on(screen, x, y), "{x} {y}");
        }
        for (x, y) in [(-41, 0), (1880, 0), (0, 1040), (i32::MAX, 0), (0, i32::MIN)] {
            assert!(!is_on(screen, x, y), "{x} {y}");
        }
    }
}
