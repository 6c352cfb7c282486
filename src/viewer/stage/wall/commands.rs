//! How input changes what the window shows, and what others have to do for it.

use super::{Action, Behind, Choice, Info, Motion, Sheet, Wall};
use crate::image::orientation::{Orientation, Rotation};
use crate::viewer::stage::input::{Input, Key};
use crate::viewer::stage::keys::{Command, Way};

/// The part of a pane by which an arrow key moves a zoomed picture.
const NUDGE: f64 = 0.1;

impl Wall {
    /// Handles an input. Returns what the caller has to do.
    pub fn take(&mut self, input: Input) -> Option<Action> {
        match input {
            Input::Close => return Some(Action::Leave),
            // The list of keys covers everything: no click goes to what lies behind it.
            Input::Press(_) | Input::DoublePress(_) | Input::Menu(_)
                if self.sheet == Sheet::Help =>
            {
                (self.sheet, self.held) = (Sheet::None, None);
            }
            Input::Drag { .. } if self.sheet == Sheet::Help => {}
            Input::Menu(at) => self.open_menu(at),
            Input::Key(Key::Paste) => return self.has_field().then_some(Action::Paste),
            Input::Key(key) if self.sheet == Sheet::Code => return self.type_code(key, false),
            Input::Repeat(key) if self.sheet == Sheet::Code => return self.type_code(key, true),
            Input::Key(key) if self.is_in_field() => return self.type_in(key, false),
            Input::Repeat(key) if self.is_in_field() => return self.type_in(key, true),
            Input::Key(key) => return self.obey(Command::of(key)?),
            Input::Repeat(key) => {
                let command = Command::of(key).filter(|command| command.repeats())?;
                return self.obey(command);
            }
            Input::Wheel { steps, .. } if self.sheet == Sheet::Help => {
                return Some(Action::Scroll(self.turn_wheel(steps)));
            }
            Input::Wheel { steps, .. } if self.choice.is_some() => {
                let down = self.turn_wheel(steps);
                self.move_mark(down);
            }
            // The caller handles clicks in the list. What lies behind it cannot be seen, and what lies behind the field for a
            // code can wait.
            _ if self.choice.is_some() || self.sheet == Sheet::Code => {}
            Input::Press(at) => {
                self.held = self.at(at);
                self.selected = self.held.unwrap_or(self.selected);
            }
            Input::DoublePress(at) => {
                self.held = self.at(at);
                self.selected = self.held?;
                return self.enlarge();
            }
            Input::Drag { by, .. } => {
                if let Some(held) = self.held {
                    self.with(held, |pane, area| pane.view.pan(by, area, pane.shape));
                }
            }
            Input::Release(_) => self.held = None,
            Input::Wheel { at, steps } => {
                if let Some(under) = self.at(at) {
                    let at = (at.x, at.y);
                    self.with(under, |pane, area| pane.view.zoom(steps, at, area, pane.shape));
                }
            }
            Input::Hover(_) => {}
        }
        None
    }

    /// Executes the command of a key or of a line of the menu.
    pub(super) fn obey(&mut self, command: Command) -> Option<Action> {
        match (self.sheet, command) {
            (Sheet::Menu, _) => return self.obey_menu(command),
            (Sheet::Help, Command::Back) => self.sheet = Sheet::None,
            (Sheet::Help, Command::Move(Way::Up)) => return Some(Action::Scroll(-1)),
            (Sheet::Help, Command::Move(Way::Down)) => return Some(Action::Scroll(1)),
            // A list that is covered cannot be used.
            (Sheet::Help, _) if self.choice.is_some() => return self.obey_anywhere(command),
            _ => {
                return match self.choice {
                    Some(choice) => self.choose(command, choice),
                    None => self.obey_watching(command),
                };
            }
        }
        None
    }

    /// Handles a command while the list of cameras is open.
    fn choose(&mut self, command: Command, choice: Choice) -> Option<Action> {
        match (command, choice.behind) {
            (Command::Move(Way::Up) | Command::Previous, _) => self.move_mark(-1),
            (Command::Move(Way::Down) | Command::Next, _) => self.move_mark(1),
            (Command::Enlarge, _) if choice.marked < choice.count => {
                return Some(Action::Watch(choice.marked));
            }
            (Command::Pause, _) if choice.marked < choice.count => {
                return Some(Action::Select(choice.marked));
            }
            (Command::Choose(place), _) if place < choice.count => {
                return Some(Action::WatchOnly(place));
            }
            (Command::Type, _) => self.go_into_field(),
            (Command::Back | Command::List, Behind::Cameras) => return Some(Action::PutListAway),
            _ => return self.obey_anywhere(command),
        }
        None
    }

    fn move_mark(&mut self, down: i32) {
        if let Some(choice) = &mut self.choice {
            let step = usize::try_from(down.unsigned_abs()).unwrap_or(usize::MAX);
            let marked = match down {
                ..0 => choice.marked.saturating_sub(step),
                _ => choice.marked.saturating_add(step),
            };
            // The field for an address comes after the last camera.
            choice.marked = marked.min(choice.count);
            choice.is_moved = true;
        }
    }

    /// Handles a command while cameras are watched.
    fn obey_watching(&mut self, command: Command) -> Option<Action> {
        match (self.sheet, command) {
            (Sheet::Controls, Command::Back) => self.sheet = Sheet::None,
            (_, Command::Back) => return self.put_away(),
            (Sheet::Controls, Command::Move(_) | Command::Enlarge | Command::Default) => {
                return Some(Action::Adjust(command));
            }
            _ => return self.obey_anywhere(command).or_else(|| self.change_picture(command)),
        }
        None
    }

    /// Handles commands that mean the same everywhere.
    fn obey_anywhere(&mut self, command: Command) -> Option<Action> {
        match command {
            Command::Back => return Some(Action::Back),
            Command::Quit => return Some(Action::Leave),
            Command::FullScreen => return Some(Action::FullScreen),
            Command::Help => self.toggle(Sheet::Help),
            Command::Menu => self.open_menu_by_key(),
            _ => {}
        }
        None
    }

    fn change_picture(&mut self, command: Command) -> Option<Action> {
        match command {
            Command::SavePicture => return Some(Action::SavePicture),
            Command::SaveJpeg => return Some(Action::SaveJpeg),
            Command::Record => return Some(Action::Record),
            Command::List => return Some(Action::List),
            Command::Figures => {
                self.info = match self.info {
                    Info::Shown => Info::Hidden,
                    Info::Hidden => Info::Shown,
                };
            }
            Command::Pause => {
                self.motion = match self.motion {
                    Motion::Live => Motion::Paused,
                    Motion::Paused => Motion::Live,
                };
            }
            Command::Controls => self.toggle(Sheet::Controls),
            Command::Next => self.select_by(1),
            Command::Previous => self.select_by(self.panes.len().saturating_sub(1)),
            Command::Enlarge => return self.enlarge(),
            Command::Move(way) => self.go(way),
            _ => self.change_view(command),
        }
        None
    }

    /// Changes how the selected picture lies in its pane.
    fn change_view(&mut self, command: Command) {
        self.with(self.selected, |pane, area| {
            let view = &mut pane.view;
            let middle = (
                area.x as f64 + area.size.width as f64 / 2.0,
                area.y as f64 + area.size.height as f64 / 2.0,
            );
            match command {
                Command::ZoomIn => view.zoom(1.0, middle, area, pane.shape),
                Command::ZoomOut => view.zoom(-1.0, middle, area, pane.shape),
                Command::Fit => view.fit(),
                Command::TurnRight => view.turn(Rotation::Quarter),
                Command::TurnLeft => view.turn(Rotation::ThreeQuarters),
                Command::MirrorLeftRight => view.flip(Orientation::FLIPPED_LEFT_RIGHT),
                Command::MirrorTopBottom => view.flip(Orientation::FLIPPED_TOP_BOTTOM),
                _ => {}
            }
        });
        self.lay_out();
    }

    /// Moves a zoomed picture, or else the selection.
    fn go(&mut self, way: Way) {
        let is_zoomed = self.view(self.selected).is_zoomed();
        if !is_zoomed && matches!(way, Way::Right | Way::FarRight | Way::Down) {
            return self.select_by(1);
        }
        if !is_zoomed {
            return self.select_by(self.panes.len().saturating_sub(1));
        }
        self.with(self.selected, |pane, area| {
            let (across, down) = (area.size.width as f64 * NUDGE, area.size.height as f64 * NUDGE);
            let by = match way {
                Way::Left | Way::FarLeft => (across, 0.0),
                Way::Right | Way::FarRight => (-across, 0.0),
                Way::Up => (0.0, down),
                Way::Down => (0.0, -down),
            };
            pane.view.pan(by, area, pane.shape);
        });
    }
}
