//! What keys and mouse make the window do.

use super::lasting::Message;
use super::{Show, ShowError, offer};
use crate::viewer::keep::snapshot::Form;
use crate::viewer::paint::badges::Mood;
use crate::viewer::run::End;
use crate::viewer::stage::input::{Input, Key, Point};
use crate::viewer::stage::wall::{Action, Sheet};
use std::time::{Duration, Instant};

/// How long a message is shown.
const MESSAGE: Duration = Duration::from_secs(4);
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
            Action::Adjust(command) => {
                let selected = self.wall.selected();
                let change = self.tiles.get_mut(selected).and_then(|it| it.panel.obey(command));
                self.adjust(change);
            }
        }
        Ok(None)
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
        if is_asked || !self.tiles.iter().any(|tile| tile.channel.is_recording) {
            return Some(End::UserLeft);
        }
        self.asked = Some(now + MESSAGE);
        self.say(Mood::Plain, "Recording. Press Esc again to stop it and quit".to_owned());
        None
    }

    /// Says something for a few seconds.
    pub(super) fn say(&mut self, mood: Mood, text: String) {
        self.message = Some(Message { text, mood, until: Instant::now() + MESSAGE });
    }
}

#[allow(clippy::cast_possible_truncation)] // a place in a window
pub(super) fn pixel(at: Point) -> (i32, i32) {
    (at.x as i32, at.y as i32)
}
