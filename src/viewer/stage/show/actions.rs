//! What keys and mouse make the window do.

use super::lasting::Message;
use super::{Show, ShowError, offer};
use crate::viewer::keep::snapshot::Form;
use crate::viewer::paint::badges::Mood;
use crate::viewer::run::End;
use crate::viewer::stage::composer::pixel;
use crate::viewer::stage::input::{Input, Key};
use crate::viewer::stage::wall::{Action, Sheet};
use std::time::{Duration, Instant};

/// How long a message is shown.
const MESSAGE: Duration = Duration::from_secs(4);
/// How long the hint about keys is shown.
const HINT: Duration = Duration::from_secs(3);

impl Show {
    pub(super) fn react(&mut self, input: Input) -> Result<Option<End>, ShowError> {
        if let Input::Key(key) = input
            && key != Key::Escape
        {
            self.asked = None;
        }
        if self.last_press.is_over(input) {
            return Ok(None);
        }
        if self.wall.sheet == Sheet::Menu
            && let Some(action) = self.touch_menu(input)
        {
            return action.map_or(Ok(None), |action| self.act(action));
        }
        if let Some(action) = self.point_at_list(input) {
            if matches!(action, Action::WatchOnly(_)) {
                self.last_press.closes();
            }
            return self.act(action);
        }
        if self.touch_panel(input) {
            return Ok(None);
        }
        if self.wall.sheet == Sheet::Help
            && matches!(input, Input::Press(_) | Input::DoublePress(_))
        {
            self.last_press.closes();
        }
        match self.wall.take(input) {
            Some(action) => self.act(action),
            None => Ok(None),
        }
    }

    /// Handles the mouse in the menu. Returns the action to take, if any; `None` if the input was not from the mouse.
    #[allow(clippy::option_option)] // not here, nothing to do, something to do
    fn touch_menu(&mut self, input: Input) -> Option<Option<Action>> {
        match input {
            Input::Hover(at) => {
                let (x, y) = pixel(at);
                self.wall.menu.marked = self.composer.menu_entry_at(&self.wall, x, y);
            }
            Input::Press(at) | Input::DoublePress(at) => {
                self.last_press.closes();
                let (x, y) = pixel(at);
                match self.composer.menu_entry_at(&self.wall, x, y) {
                    Some(line) => return Some(self.wall.choose_from_menu(line)),
                    None => self.wall.sheet = Sheet::None,
                }
            }
            Input::Wheel { steps, .. } => {
                let down = self.wall.turn_wheel(steps);
                self.wall.move_menu_mark(down);
            }
            Input::Drag { .. } | Input::Release(_) => {}
            Input::Key(_) | Input::Repeat(_) | Input::Menu(_) | Input::Close => return None,
        }
        Some(None)
    }

    /// The action of a click in the list of cameras: a row opens that camera, its number selects it.
    fn point_at_list(&mut self, input: Input) -> Option<Action> {
        let (Input::Press(at) | Input::DoublePress(at) | Input::Hover(at)) = input else {
            return None;
        };
        let is_seen = self.wall.choice.is_some() && self.wall.sheet == Sheet::None;
        let chooser = self.chooser.as_mut().filter(|_| is_seen)?;
        let list = offer(chooser, &self.wall, Instant::now());
        let layout = self.composer.list_layout(&self.wall, list)?;
        let (x, y) = pixel(at);
        let row = layout.row_at(x, y);
        chooser.hover = row;
        if matches!(input, Input::Hover(_)) {
            return None;
        }
        if layout.is_field_at(x, y) {
            self.wall.go_into_field();
        }
        match layout.mark_at(x, y) {
            Some(row) => Some(Action::Select(row)),
            None => row.map(Action::WatchOnly),
        }
    }

    fn act(&mut self, action: Action) -> Result<Option<End>, ShowError> {
        match action {
            Action::Leave => return Ok(Some(End::UserLeft)),
            Action::Back => return Ok(self.go_back()),
            Action::Watch(index) => self.watch_selected_or(index)?,
            Action::WatchOnly(index) => {
                if let Some(camera) =
                    self.chooser.as_ref().and_then(|chooser| chooser.camera(index))
                {
                    self.watch(camera)?;
                }
            }
            Action::WatchTyped => self.watch_typed()?,
            Action::Pair => self.pair(),
            Action::Paste => self.ask_for_paste(),
            Action::Select(index) => {
                if let Some(chooser) = &mut self.chooser {
                    chooser.select(index);
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

    /// Handles Escape when nothing lies over the pictures: leaves full screen, else quits. While something is recorded,
    /// quitting takes a second press.
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

    /// Shows a new user the hint about keys. If it cannot be remembered that the hint was shown, it is not shown at all,
    /// because it would come back at each start.
    pub(super) fn tell_of_keys(&mut self, now: Instant) -> bool {
        let has_picture = self.tiles.iter().any(|tile| tile.channel.arrival.is_some());
        if self.memory.knows_keys || !has_picture || self.chooser.is_some() {
            return false;
        }
        self.memory.knows_keys = true;
        if !self.memory.save() {
            return false;
        }
        let text = "? for keys".to_owned();
        self.message = Some(Message { text, mood: Mood::Plain, until: now + HINT });
        true
    }

    /// Shows a message for a few seconds.
    pub(super) fn say(&mut self, mood: Mood, text: String) {
        self.message = Some(Message { text, mood, until: Instant::now() + MESSAGE });
    }
}
