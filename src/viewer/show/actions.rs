//! What keys and mouse make the window do.

use super::{Extent, Message, Show, ShowError, offer};
use crate::image::pixels::Size;
use crate::viewer::album;
use crate::viewer::input::{Input, Point};
use crate::viewer::paint::badges::Mood;
use crate::viewer::paint::controls::Hit;
use crate::viewer::panel::Change;
use crate::viewer::presenter::End;
use crate::viewer::snapshot::Form;
use crate::viewer::wall::{Action, Sheet};
use std::time::{Duration, Instant};

/// How long a message is shown.
const MESSAGE: Duration = Duration::from_secs(4);
/// How long a disk may take for what is still to be written. The file can be played without that.
const WRITING: Duration = Duration::from_secs(10);

impl Show {
    pub(super) fn react(&mut self, input: Input) -> Result<Option<End>, ShowError> {
        let input = match self.point_at_list(input) {
            Some(index) => return self.act(Action::Watch(index)),
            None => input,
        };
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
        let (Input::Press(at) | Input::Hover(at)) = input else { return None };
        let chooser = self.chooser.as_mut().filter(|_| self.wall.choice.is_some())?;
        let list = offer(chooser, Instant::now());
        let (x, y) = pixel(at);
        let row = self.composer.row_at(&self.wall, list, x, y);
        chooser.hover = row;
        row.filter(|_| matches!(input, Input::Press(_)))
    }

    fn act(&mut self, action: Action) -> Result<Option<End>, ShowError> {
        match action {
            Action::Leave => return Ok(Some(End::UserLeft)),
            Action::Watch(index) => {
                if let Some(camera) =
                    self.chooser.as_ref().and_then(|chooser| chooser.camera(index))
                {
                    self.watch(camera)?;
                }
            }
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
        let Some(channel) = self.channels.get_mut(self.wall.selected()) else { return false };
        if self.wall.sheet != Sheet::Controls {
            return false;
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
                    Input::Press(_) => channel.panel.press(hit),
                    _ => None,
                }
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
        match desktop.toggle_full_screen(window) {
            Ok(()) => {
                self.extent = match self.extent {
                    Extent::Own => Extent::FullScreen,
                    Extent::FullScreen => Extent::Own,
                };
            }
            Err(error) => self.say(Mood::Bad, format!("no full screen: {error}")),
        }
    }

    /// Where and how large the window is, unless it fills the screen.
    fn note_place(&mut self) {
        if self.extent == Extent::FullScreen {
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
        match channel.recorder.start(&album::recording(channel.name())) {
            Ok(()) => channel.is_recording = true,
            Err(error) => self.say(Mood::Bad, error.to_string()),
        }
    }

    /// What came of pictures and recordings; says whether there is something to be said.
    pub(super) fn hear_of_files(&mut self) -> bool {
        let mut news = None;
        for channel in self.channels.iter_mut().filter(|channel| channel.is_recording) {
            let Some(state) = channel.recorder.state().filter(|state| !state.is_on()) else {
                continue;
            };
            channel.is_recording = false;
            news = Some(match state.failure() {
                Some(reason) => (Mood::Bad, reason.to_owned()),
                None => (Mood::Good, format!("recorded {}", state.path.display())),
            });
        }
        if let Some(answer) = self.keeper.answer() {
            news = Some(match answer {
                Ok(path) => (Mood::Good, format!("saved {}", path.display())),
                Err(error) => (Mood::Bad, error.to_string()),
            });
        }
        let Some((mood, text)) = news else { return false };
        log::info!("{text}");
        self.say(mood, text);
        true
    }

    /// Says something for a few seconds.
    pub(super) fn say(&mut self, mood: Mood, text: String) {
        self.message = Some(Message { text, mood, until: Instant::now() + MESSAGE });
    }

    /// What was recorded is written to its end.
    pub(super) fn finish_recordings(&self) {
        let deadline = Instant::now() + WRITING;
        self.channels.iter().for_each(|channel| channel.recorder.stop());
        for channel in &self.channels {
            if let Some(left) = channel.recorder.finish(deadline).filter(|it| !it.phase.is_over()) {
                log::warn!("the last frames could not be written into {}", left.path.display());
            }
        }
    }

    pub(super) fn remember(&mut self) {
        self.note_place();
        if let [only] = self.channels.as_slice()
            && only.arrival.is_some()
        {
            self.memory.camera = Some(only.camera.clone());
        }
        self.memory.save();
    }
}

#[allow(clippy::cast_possible_truncation)] // a place in a window
fn pixel(at: Point) -> (i32, i32) {
    (at.x as i32, at.y as i32)
}

/// Whether a window there can be reached with the mouse.
pub(super) fn is_on(screen: Size, x: i32, y: i32) -> bool {
    let inside = |at: i32, side: usize| usize::try_from(at + REACH).is_ok_and(|at| at < side);
    inside(x, screen.width) && inside(y, screen.height)
}

/// So much of a title bar can still be held.
const REACH: i32 = 40;
