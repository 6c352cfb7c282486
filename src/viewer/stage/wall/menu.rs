//! The menu that a right click opens: its entries, and which one is marked.

use super::{Action, Menu, Sheet, Wall};
use crate::image::scale::Area;
use crate::viewer::stage::input::Point;
use crate::viewer::stage::keys::{Command, MenuOf, Way, menu};

impl Wall {
    /// Selects the picture at a point and opens its menu. In the list of cameras, opens the menu of the window alone.
    pub(super) fn open_menu(&mut self, at: Point) {
        let of = match (self.choice, self.at(at)) {
            (None, Some(under)) => {
                self.selected = under;
                MenuOf::Picture
            }
            _ => MenuOf::Window,
        };
        let (entries, commands) = menu(of).into_iter().unzip();
        self.menu = Menu { entries, commands, at, marked: None };
        (self.sheet, self.held) = (Sheet::Menu, None);
    }

    /// Opens the menu by a key, near the middle of the selected picture.
    pub(super) fn open_menu_by_key(&mut self) {
        let area = self.area(self.selected).unwrap_or_else(|| Area::of(self.room));
        let third = |from: usize, side: usize| from as f64 + side as f64 / 3.0;
        let (width, height) = (area.size.width, area.size.height);
        self.open_menu(Point { x: third(area.x, width), y: third(area.y, height) });
        self.menu.marked = Some(0);
    }

    /// Handles a command while the menu is open: moves the mark or chooses. Other commands close the menu and do what they
    /// always do.
    pub(super) fn obey_menu(&mut self, command: Command) -> Option<Action> {
        match command {
            Command::Move(Way::Up) | Command::Previous => self.move_menu_mark(-1),
            Command::Move(Way::Down) | Command::Next => self.move_menu_mark(1),
            Command::Enlarge if self.menu.marked.is_some() => {
                return self.choose_from_menu(self.menu.marked?);
            }
            Command::Back | Command::Menu | Command::Enlarge | Command::Move(_) => {
                self.sheet = Sheet::None;
            }
            _ => {
                self.sheet = Sheet::None;
                return self.obey(command);
            }
        }
        None
    }

    /// Moves the mark by this many lines.
    pub fn move_menu_mark(&mut self, down: i32) {
        let last = self.menu.entries.len().saturating_sub(1);
        let step = usize::try_from(down.unsigned_abs()).unwrap_or(usize::MAX);
        self.menu.marked = Some(match self.menu.marked {
            None if down < 0 => last,
            None => 0,
            Some(marked) if down < 0 => marked.saturating_sub(step),
            Some(marked) => marked.saturating_add(step).min(last),
        });
    }

    /// Closes the menu and executes that line.
    pub fn choose_from_menu(&mut self, line: usize) -> Option<Action> {
        self.sheet = Sheet::None;
        let command = *self.menu.commands.get(line)?;
        self.obey(command)
    }
}
